"""Exact functions, conversions and integer intrinsics against numpy and Python's own arithmetic."""

from __future__ import annotations

import math as pymath
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import mp

Probes = Any  # conftest's: with importlib mode there is no module to import the class from

RANDOM = np.random.default_rng(3)
MASK = 0xFFFFFFFF
EDGES = np.array([0, 1, 2, 0x7FFFFFFF, 0x80000000, MASK, 0xFFFFFF, 0xFF000000], dtype=np.uint32)
WORDS = np.concatenate([RANDOM.integers(0, 1 << 32, 400, dtype=np.uint32), EDGES])
OTHERS = RANDOM.permutation(WORDS)
THIRDS = RANDOM.permutation(WORDS)
BITS = RANDOM.integers(0, 1 << 32, 4000, dtype=np.uint32).view(np.float32)
FLOATS = np.concatenate(
    [BITS[~np.isnan(BITS)], RANDOM.uniform(-5e9, 5e9, 2000).astype(np.float32),
     RANDOM.uniform(-9, 9, 500).astype(np.float32),
     np.array([0, -0.0, 0.5, 1.5, 2.5, -0.5, np.inf, -np.inf, np.nan, 2**31, -(2**31)], np.float32)]
)  # fmt: skip
DOUBLES = FLOATS.astype(np.float64) * RANDOM.uniform(0.5, 2e4, len(FLOATS))


def signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def byte(word: int, index: int) -> int:
    return (word >> (8 * index)) & 0xFF


def perm(high: int, low: int, selector: int) -> int:
    both = (high << 32) | low
    result = 0
    for i in range(4):
        which = byte(selector, i)
        if which < 8:
            chosen = byte(both, which)
        elif which < 12:
            chosen = 0xFF * ((both >> (16 * (which - 8) + 15)) & 1)
        else:
            chosen = 0 if which == 12 else 0xFF
        result |= chosen << (8 * i)
    return result


def dot4(a: int, b: int, c: int) -> int:
    def field(word: int, i: int) -> int:
        value = byte(word, i)
        return value - 256 if value > 127 else value

    total = sum(field(a, i) * field(b, i) for i in range(4)) + signed(c)
    return max(-(2**31), min(2**31 - 1, total)) & MASK


INTEGER: dict[str, tuple[int, Callable[..., int]]] = {
    "__clz": (1, lambda a: 32 - a.bit_length()),
    "__ffs": (1, lambda a: (a & -a).bit_length()),
    "__popc": (1, lambda a: a.bit_count()),
    "__brev": (1, lambda a: int(f"{a:032b}"[::-1], 2)),
    "__mul24": (2, lambda a, b: (signed(a << 8 & MASK) >> 8) * (signed(b << 8 & MASK) >> 8)),
    "__umul24": (2, lambda a, b: (a & 0xFFFFFF) * (b & 0xFFFFFF)),
    "__mulhi": (2, lambda a, b: (signed(a) * signed(b)) >> 32),
    "__umulhi": (2, lambda a, b: (a * b) >> 32),
    "__hadd": (2, lambda a, b: (signed(a) + signed(b)) >> 1),
    "__rhadd": (2, lambda a, b: (signed(a) + signed(b) + 1) >> 1),
    "__sad": (3, lambda a, b, c: abs(signed(a) - signed(b)) + c),
    "__byte_perm": (3, lambda a, b, s: sum(
        byte((b << 32) | a, (s >> (4 * i)) & 7) << (8 * i) for i in range(4))),
    "__funnelshift_l": (3, lambda lo, hi, s: (((hi << 32) | lo) << (s & 31)) >> 32),
    "__funnelshift_r": (3, lambda lo, hi, s: ((hi << 32) | lo) >> (s & 31)),
    "__funnelshift_lc": (3, lambda lo, hi, s: (((hi << 32) | lo) << min(s, 32)) >> 32),
    "__funnelshift_rc": (3, lambda lo, hi, s: ((hi << 32) | lo) >> min(s, 32)),
    "__builtin_amdgcn_perm": (3, perm),
    "__builtin_amdgcn_ubfe": (3, lambda a, s, w: (a >> (s & 31)) & ((1 << (w & 31)) - 1)),
    "__builtin_amdgcn_alignbit": (3, lambda hi, lo, s: ((hi << 32) | lo) >> (s & 31)),
    "__builtin_amdgcn_sad_u8": (3, lambda a, b, c: c + sum(
        abs(byte(a, i) - byte(b, i)) for i in range(4))),
    "sdot4": (3, dot4),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(INTEGER))
def test_integer_intrinsics(math: Probes, name: str) -> None:
    count, oracle = INTEGER[name]
    operands = [WORDS, OTHERS, THIRDS][:count]
    expected = [oracle(*map(int, row)) & MASK for row in zip(*operands, strict=True)]
    assert math(name, np.uint32, *operands).tolist() == expected


def test_64_bit_intrinsics(math: Probes) -> None:
    a = RANDOM.integers(-(2**63), 2**63, 300, dtype=np.int64)
    b = RANDOM.permutation(a)
    expected = [(int(x) * int(y)) >> 64 for x, y in zip(a, b, strict=True)]
    assert math("__mul64hi", np.int64, a, b).tolist() == expected
    bits = [int(x) & (2**64 - 1) for x in a]
    assert math("__clzll", np.int32, a).tolist() == [64 - x.bit_length() for x in bits]
    assert math("__popcll", np.int32, a).tolist() == [x.bit_count() for x in bits]


ROUNDINGS: dict[str, Callable[[float], int]] = {
    "rn": round, "rz": pymath.trunc, "ru": pymath.ceil, "rd": pymath.floor,
}  # fmt: skip


@pytest.mark.parametrize("mode", sorted(ROUNDINGS))
@pytest.mark.parametrize(
    ("name", "out", "inputs"),
    [("__float2int", np.int32, FLOATS), ("__float2uint", np.uint32, FLOATS),
     ("__double2ll", np.int64, DOUBLES), ("__double2ull", np.uint64, DOUBLES)],
)  # fmt: skip
def test_float_to_integer_saturates(
    math: Probes, name: str, out: type[np.integer[Any]], inputs: np.ndarray, mode: str
) -> None:
    low, high = int(np.iinfo(out).min), int(np.iinfo(out).max)

    def expected(x: float) -> int:
        if x != x:  # noqa: PLR0124 - the test for NaN
            return 0
        if pymath.isinf(x):
            return high if x > 0 else low
        return max(low, min(high, ROUNDINGS[mode](x)))

    assert math(f"{name}_{mode}", out, inputs).tolist() == [expected(x) for x in inputs.tolist()]


def directed(exact: Fraction, mode: str, kind: type[np.floating[Any]]) -> float:
    """An exact value rounded to `kind` in one of four ways; it must not overflow."""
    near = kind(float(exact)) if kind is np.float64 else round_to_float(exact)
    if mode == "rn" or Fraction(float(near)) == exact:
        return float(near)
    down = np.nextafter(near, kind(-np.inf)) if Fraction(float(near)) > exact else near
    up = near if Fraction(float(near)) > exact else np.nextafter(near, kind(np.inf))
    towards_zero = down if exact > 0 else up
    return float({"rd": down, "ru": up, "rz": towards_zero}[mode])


def round_to_float(exact: Fraction) -> np.float32:
    """To nearest even: mpmath divides at a float's precision."""
    with mp.workprec(24):
        return np.float32(float(mp.fdiv(exact.numerator, exact.denominator)))


OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
}  # fmt: skip


@pytest.mark.parametrize("mode", sorted(ROUNDINGS))
@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@pytest.mark.parametrize(("prefix", "kind"), [("f", np.float32), ("d", np.float64)])
def test_arithmetic_with_a_named_rounding(
    math: Probes, prefix: str, kind: type[np.floating[Any]], operation: str, mode: str
) -> None:
    x = (RANDOM.uniform(-100, 100, 150) * np.exp2(RANDOM.integers(-9, 9, 150))).astype(kind)
    y = RANDOM.uniform(-1, 1, 150).astype(kind)
    exact = [
        OPERATIONS[operation](Fraction(a), Fraction(b))
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    got = math(f"__{prefix}{operation}_{mode}", kind, x, y)
    assert got.tolist() == [directed(each, mode, kind) for each in exact]


@pytest.mark.parametrize("mode", sorted(ROUNDINGS))
@pytest.mark.parametrize(
    ("name", "source", "kind"),
    [("__int2float", np.int32, np.float32), ("__ll2float", np.int64, np.float32),
     ("__ull2double", np.uint64, np.float64)],
)  # fmt: skip
def test_integer_to_float(
    math: Probes, name: str, source: type[np.integer[Any]], kind: type[np.floating[Any]], mode: str
) -> None:
    limits = np.iinfo(source)
    values = RANDOM.integers(limits.min, limits.max, 300, dtype=source, endpoint=True)
    values = np.concatenate([values, np.array([0, 1, limits.max, limits.min], dtype=source)])
    got = math(f"{name}_{mode}", kind, values)
    assert got.tolist() == [directed(Fraction(int(n)), mode, kind) for n in values]
