"""Arguments against a kernel's parameters, and the ones that are proposed."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit.arguments import parse
from hipaudit.errors import UsageError
from hipaudit.fitting import example, mismatch, pick, require_fit

POINTER = {
    "name": "x",
    "type": "const float*",
    "kind": "pointer",
    "size": 8,
    "element": "f32",
    "const": True,
}
OUTPUT = {**POINTER, "name": "y", "type": "float*", "const": False}
BYTES = {**OUTPUT, "name": "p", "type": "void*", "element": ""}
SIZE = {"name": "n", "type": "int", "kind": "int", "size": 4, "element": "i32", "const": False}
RATE = {"name": "a", "type": "float", "kind": "float", "size": 4, "element": "f32", "const": False}
PAIR = {"name": "s", "type": "Pair", "kind": "struct", "size": 8, "element": "", "const": False}
HALF = {"name": "h", "type": "__half", "kind": "struct", "size": 2, "element": "", "const": False}
BYTE = {"name": "b", "type": "char", "kind": "int", "size": 1, "element": "i8", "const": False}
KERNEL = {"name": "k", "symbol": "_Z1kPKfPfi", "params": [POINTER, OUTPUT, SIZE]}


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (POINTER, "f32[4]"),
        (POINTER, "u8[16]"),
        (POINTER, "null"),
        (BYTES, "f64[1]"),
        (SIZE, "i32=1"),
        (SIZE, "u32=1"),
        (SIZE, "hex=01000000"),
        (RATE, "f32=1"),
        (PAIR, "hex=0000000000000000"),
        (PAIR, "f64=0"),
    ],
)
def test_arguments_that_fit(parameter: dict[str, Any], text: str) -> None:
    assert mismatch(parse(text), parameter) is None


@pytest.mark.parametrize(
    ("parameter", "text", "says"),
    [
        (POINTER, "f16[4]", "give f32[...], not f16[...]"),
        (POINTER, "i32[4]", "give f32[...], not i32[...]"),
        (POINTER, "i64=7", "a pointer: give a buffer"),
        (SIZE, "i32[1]", "a value: give one such as i32=1"),
        (SIZE, "i64=1", "of 4 bytes, i64=1 has 8"),
        (SIZE, "f32=1", "give a value such as i32=1"),
        (SIZE, "null", "a value"),
        (RATE, "i32=1", "give a value such as f32=1.0"),
        (PAIR, "hex=00", "of 8 bytes"),
    ],
)
def test_arguments_that_do_not_fit_say_what_would(
    parameter: dict[str, Any], text: str, says: str
) -> None:
    why = mismatch(parse(text), parameter)
    assert why is not None
    assert says in why
    assert repr(parameter["name"]) in why


@pytest.mark.parametrize("parameter", [POINTER, OUTPUT, BYTES, SIZE, RATE, PAIR, HALF, BYTE])
def test_a_proposed_argument_fits(parameter: dict[str, Any]) -> None:
    assert mismatch(parse(example(parameter, 1024)), parameter) is None


def test_a_wrong_count_lists_the_parameters() -> None:
    with pytest.raises(UsageError, match=r"3 arguments \(const float\* x, float\* y, int n\), 1"):
        require_fit(KERNEL, [parse("i32=1")])
    require_fit(KERNEL, [parse("f32[1]"), parse("f32[1]"), parse("i32=1")])


def test_an_argument_in_the_wrong_place_is_named_by_its_number() -> None:
    with pytest.raises(UsageError, match=r"^--arg 2 \('i32=1'\)"):
        require_fit(KERNEL, [parse("f32[1]"), parse("i32=1"), parse("f32[1]")])


def test_a_kernel_is_picked_by_name_symbol_or_being_the_only_one() -> None:
    other = {"name": "other", "symbol": "other", "params": []}
    twin = {"name": "k", "symbol": "_Z1kPd", "params": []}
    assert pick([KERNEL], "") is KERNEL
    assert pick([KERNEL, other], "other") is other
    assert pick([KERNEL, twin], "_Z1kPd") is twin
    with pytest.raises(UsageError, match="2 kernels: name one with --kernel: k, other"):
        pick([KERNEL, other], "")
    with pytest.raises(UsageError, match="no kernel is called 'j'; the file has k, other"):
        pick([KERNEL, other], "j")
    with pytest.raises(UsageError, match="name one of _Z1kPKfPfi, _Z1kPd"):
        pick([KERNEL, twin], "k")
    with pytest.raises(UsageError, match="defines no __global__"):
        pick([], "")
