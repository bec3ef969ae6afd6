"""Kernel arguments as users type them."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from hipaudit.arguments import TYPES, contents, parse
from hipaudit.errors import UsageError


def test_a_buffer_has_a_count_a_type_and_a_fill() -> None:
    argument = parse("f32[16384]=uniform(-1, 1)")
    assert (argument.type, argument.count, argument.is_buffer) == ("f32", 16384, True)
    data = contents(argument, seed=0, index=0)
    assert data is not None
    assert data.dtype == np.float32
    assert data.min() >= -1
    assert data.max() <= 1
    assert len(np.unique(data)) > 10_000


def test_a_count_may_be_a_product() -> None:
    assert parse("u8[3*1_000]=zeros").count == 3000


def test_without_a_fill_a_buffer_stays_as_malloc_gives_it() -> None:
    assert contents(parse("i32[4]"), 0, 0) is None
    assert contents(parse("i32[4]=uninit"), 0, 0) is None


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("fill", ["zeros", "ones", "iota", "uniform(0,3)", "normal", "random bits"])
def test_every_fill_works_for_every_type(kind: str, fill: str) -> None:
    data = contents(parse(f"{kind}[33]={fill}"), 1, 0)
    assert data is not None
    assert (data.shape, data.dtype) == ((33,), TYPES[kind])


def test_fills_repeat_with_their_seed_and_differ_by_argument() -> None:
    argument = parse("u64[64]=random bits")

    def drawn(seed: int, index: int) -> list[int]:
        data = contents(argument, seed, index)
        assert data is not None
        return [int(value) for value in data]

    assert drawn(7, 0) == drawn(7, 0)
    assert drawn(7, 0) != drawn(8, 0)
    assert drawn(7, 0) != drawn(7, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i32=16384", (16384).to_bytes(4, "little")),
        ("i8=-1", b"\xff"),
        ("u64=0xffffffffffffffff", b"\xff" * 8),
        ("f32=-0.0", b"\0\0\0\x80"),
        ("f32=0x1p-149", b"\1\0\0\0"),
        ("f16=1", b"\0\x3c"),
        ("bf16=1", b"\x80\x3f"),
        ("f64=inf", b"\0\0\0\0\0\0\xf0\x7f"),
        ("null", bytes(8)),
        ("hex=00ff", b"\0\xff"),
    ],
)
def test_scalars_are_the_bytes_that_the_kernel_gets(text: str, value: bytes) -> None:
    argument = parse(text)
    assert not argument.is_buffer
    assert argument.value == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither"),
        ("f32", "needs a value"),
        ("f33[4]", "no type f33"),
        ("f32[]=zeros", "count is missing"),
        ("f32[-1]", "not a number of elements"),
        ("f32[many]", "not a number of elements"),
        ("f32[4]=gaussian", "no INIT 'gaussian'"),
        ("f32[4]=uniform(1)", "no INIT"),
        ("f32[4]=uniform(a,b)", "two numbers"),
        ("f32[4]=uniform(2,1)", "smaller one first"),
        ("f32[4]=uniform(0,inf)", "two finite numbers"),
        ("i32=1.5", "not a whole number"),
        ("u8=256", "does not fit u8: 0 to 255"),
        ("u8=-1", "does not fit u8"),
        ("f32=one", "not a number"),
        ("f32[99999999999999]", "larger than 64 GiB"),
        ("f32[4]=@absent.npy", "no file absent.npy"),
        ("hex=xy", "bytes of a structure"),
    ],
)
def test_a_wrong_argument_is_one_sentence_that_names_it(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith(f"--arg {text!r}: ")
    assert says in message
    assert "\n" not in message


def test_a_file_gives_its_elements_and_its_count(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(6, dtype=np.float32).reshape(2, 3))
    argument = parse(f"f32=@{path}")
    assert argument.count == 6
    assert parse(f"f32[6]=@{path}").count == 6
    data = contents(argument, 0, 0)
    assert data is not None
    assert data.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_file_of_bfloat16_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    values = np.array([1.5, -2.0]).astype(ml_dtypes.bfloat16)
    np.save(path, values.view(np.dtype("V2")))
    data = contents(parse(f"bf16[2]=@{path}"), 0, 0)
    assert data is not None
    assert (data == values).all()


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(UsageError, match="holds float64, not float32"):
        parse(f"f32[3]=@{path}")
    with pytest.raises(UsageError, match="has 3 elements, not 4"):
        parse(f"f64[4]=@{path}")
    path.write_bytes(b"not numpy")
    with pytest.raises(UsageError, match=r"is not a \.npy file"):
        parse(f"f32[3]=@{path}")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError, match=r"is not a \.npy file"):
        parse(f"f32[1]=@{path}")
