"""GGUF files that are damaged or lie: one sentence, little memory, no crash."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.weights import open_gguf

pytestmark = pytest.mark.runtime

MOST_BYTES = 1 << 20
"""Of Python memory for a file of 2 KB: the largest string it can hold, some objects, an error."""
HUGE = (1 << 24, (1 << 32) - 1, 1 << 60, (1 << 63) - 1, (1 << 64) - 1)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def header(tensors: int, keys: int, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def array(kind: int, count: int) -> bytes:
    return struct.pack("<IQ", kind, count)


ROOM = bytes(4096)
LIES = {
    "its version is 9": header(0, 0, 9),
    "its version is 50331648, not 2 or 3: it is big endian": header(0, 0, 3 << 24),
    "it says it has 1,152,921,504,606,846,976 tensors": header(1 << 60, 0) + ROOM,
    "it says it has 60,000 keys": header(0, 60000) + ROOM,
    "elements in a": header(0, 1) + key("a", 9, array(0, 1 << 60)) + ROOM,
    "strings in a": header(0, 1) + key("a", 9, array(8, 1 << 20)) + ROOM,
    "a is an array of arrays": header(0, 1) + key("a", 9, array(9, 1) * 500) + ROOM,
    "a has the unknown type 13": header(0, 1) + key("a", 13, b"") + ROOM,
    "a has 18,446,744,073,709,551,615 bytes": header(0, 1) + key("a", 8, b"\xff" * 8) + ROOM,
    "a at byte": header(0, 1) + key("a", 8, struct.pack("<Q", 5000)) + ROOM,
    "a is not UTF-8": header(0, 1) + key("a", 8, struct.pack("<Q", 2) + b"\xc3(") + ROOM,
    "a is neither true nor false": header(0, 1) + key("a", 7, b"\x02") + ROOM,
    "'a' is there twice": header(0, 2) + key("a", 0, b"\x01") * 2 + ROOM,
    "alignment is 0": header(0, 1) + key("general.alignment", 4, bytes(4)) + ROOM,
    "alignment is 48": header(0, 1) + key("general.alignment", 4, b"\x30\0\0\0") + ROOM,
    "alignment is 'x'": header(0, 1) + key("general.alignment", 8, text("x")) + ROOM,
    "t has 0 axes": header(1, 0) + tensor("t", (), 0, 0) + ROOM,
    "t has 5 axes": header(1, 0) + tensor("t", (1,) * 5, 0, 0) + ROOM,
    "t has the unknown type 77": header(1, 0) + tensor("t", (4,), 77, 0) + ROOM,
    "t has the shape (33,)": header(1, 0) + tensor("t", (33,), 8, 0) + ROOM,
    "t has the shape (0, 4)": header(1, 0) + tensor("t", (4, 0), 0, 0) + ROOM,
    "t ends at byte": header(1, 0) + tensor("t", (1 << 32, 1 << 32), 0, 0) + ROOM,
    "the file at": header(1, 0) + tensor("t", (4,), 0, (1 << 64) - 32) + ROOM,
    "no multiple of 32": header(1, 0) + tensor("t", (4,), 0, 4) + ROOM,
    "t and u overlap": header(2, 0) + tensor("t", (16,), 0, 0) + tensor("u", (16,), 0, 32) + ROOM,
    "the tensor 't' is there twice": header(2, 0) + tensor("t", (4,), 0, 0) * 2 + ROOM,
}


@pytest.mark.parametrize("said", LIES)
def test_a_lie_is_named(tmp_path: Path, said: str) -> None:
    path = tmp_path / "lie.gguf"
    path.write_bytes(LIES[said])
    with pytest.raises(WeightsError, match="is truncated or damaged: ") as caught:
        open_gguf(path)
    assert said in str(caught.value)


def test_the_same_without_a_lie_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fine.gguf"
    parts = key("a", 9, array(0, 3) + b"abc") + key("b", 7, b"\x01") + key("c", 8, text("d"))
    tensors = tensor("t", (4, 2), 0, 0) + tensor("u", (32,), 8, 32)
    path.write_bytes(header(2, 3) + parts + tensors + ROOM)
    weights = open_gguf(path)
    assert weights.metadata["a"].tolist() == [97, 98, 99]  # type: ignore[union-attr]
    assert (weights.metadata["b"], weights.metadata["c"]) == (True, "d")
    assert weights.tensor("t").shape == (2, 4)
    assert weights.tensor("u").data.shape == (34,)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small file with every kind of value."""
    path = tmp_path_factory.mktemp("whole") / "small.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("n", 7)
    writer.add_bool("flag", val=True)
    writer.add_float64("x", 0.5)
    writer.add_token_list(["a", "bc", "d"])
    writer.add_token_scores([0.0, -1.0, -2.0])
    values = np.random.default_rng(1).normal(size=(2, 64)).astype(np.float32)
    writer.add_tensor("norm", values[0])
    kind = gguf.GGMLQuantizationType.Q4_1
    writer.add_tensor("weight", gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def cut(data: bytearray, at: int, _: int) -> None:
    del data[at:]


def drop(data: bytearray, at: int, _: int) -> None:
    del data[at]


def insert(data: bytearray, at: int, value: int) -> None:
    data.insert(at, value & 0xFF)


def overwrite(data: bytearray, at: int, value: int) -> None:
    data[at] = value & 0xFF


def count(data: bytearray, at: int, value: int) -> None:
    data[at : at + 8] = struct.pack("<Q", value)


def repeat(data: bytearray, at: int, _: int) -> None:
    data[at:at] = data[max(0, at - 40) : at]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_crashes_or_fills_the_memory(
    whole: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    damaged = bytearray(whole)
    ways: list[Callable[[bytearray, int, int], None]]
    ways = [cut, drop, insert, overwrite, count, repeat]
    for _ in range(data.draw(st.integers(1, 4), label="times")):
        at = data.draw(st.integers(0, max(0, len(damaged) - 1)), label="at")
        value = data.draw(st.sampled_from(HUGE) | st.integers(0, 255), label="value")
        if damaged:
            data.draw(st.sampled_from(ways), label="way")(damaged, at, value)
    path = tmp_path / "damaged.gguf"
    path.write_bytes(damaged)
    tracemalloc.start()
    try:
        weights = open_gguf(path)
        for stored in weights.tensors.values():
            assert stored.data.nbytes <= len(damaged)
            stored.data.tobytes()
    except WeightsError as error:
        assert str(error).startswith(str(path))  # noqa: PT017 - either outcome is right
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MOST_BYTES
