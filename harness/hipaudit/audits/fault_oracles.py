"""What the kernels of the numeric faults must compute: a reference and a bound for each name.

An oracle gets the kernel's arguments as they were before the launch, in the kernel's order, arrays
as flat numpy arrays, and says which argument is the output, what belongs there and how far off an
element may be. ``// JUDGE: oracle NAME`` in a file of the corpus names one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

from hipaudit.audits.fault_corpus import Fault
from hipaudit.compare import Mismatch, compare
from hipaudit.errors import UsageError
from hipaudit_reference import bounds, softmax
from hipaudit_reference.bounds import EMULATED
from hipaudit_reference.summation import Strided, compose

Array: TypeAlias = npt.NDArray[Any]
U: Final = 2.0**-24
"""Unit roundoff of float32, which all outputs here are rounded to."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one output must be.

    output  index of the argument that receives it
    values  what belongs there: float64, or integers for codes
    bound   the largest allowed error of each element; None where only the bits are compared
    bits    whether every bit pattern must be the reference's, the sign of a zero included
    """

    output: int
    values: Array
    bound: Array | None
    bits: bool = False


Oracle: TypeAlias = Callable[..., Expectation]


def dot_rows(a: Array, b: Array, _out: Array, n: int) -> Expectation:
    """out[r] = sum_i a[r][i] b[r][i] over halves, whose products are exact in float32."""
    products = _wide(a).reshape(-1, n) * _wide(b).reshape(-1, n)
    size = np.sum(np.abs(products), axis=1)
    return Expectation(2, np.sum(products, axis=1), compose(n * U) * size)


def softmax_rows(x: Array, _out: Array, columns: int) -> Expectation:
    """Softmax of each row; the bound allows for a rescaling at every element."""
    rows = _wide(x).reshape(-1, columns)
    return Expectation(1, softmax(rows).ravel(), bounds.softmax(rows, tiles=columns).ravel())


def max_rows(x: Array, _out: Array, columns: int) -> Expectation:
    """The maximum of each row, exactly."""
    high = np.max(_wide(x).reshape(-1, columns), axis=1)
    return Expectation(1, high, np.zeros_like(high))


def max_half_codes(codes: Array, _out: Array, columns: int) -> Expectation:
    """The maximum of each row of half codes, exactly; NaN where the row has one."""
    high = np.max(_wide(codes.view(np.float16)).reshape(-1, columns), axis=1)
    return Expectation(1, high, np.zeros_like(high))


def exp_sums(x: Array, _out: Array, n: int, high: float) -> Expectation:
    """out[r] = sum_i exp(x[r][i] - high), 8 serial terms a thread of 256 and a tree of them."""
    argument = _wide(x).reshape(-1, n) - np.float64(np.float32(high))
    terms = np.exp(argument)
    eps = EMULATED.exp * U + U * np.max(np.abs(argument))
    relative = compose(eps, Strided(256).coefficient(n, U), U)
    sums = np.sum(terms, axis=1)
    return Expectation(1, sums, relative * sums)


def norm_rows(x: Array, _out: Array, columns: int) -> Expectation:
    """out[r] = sqrt(sum_i x[r][i]^2): quotient, square, sum, root and product each round."""
    norm = np.sqrt(np.sum(_wide(x).reshape(-1, columns) ** 2, axis=1))
    return Expectation(1, norm, compose((columns + 6) * U) * norm)


def half_codes(codes: Array, _out: Array) -> Expectation:
    """Every half as a float, bit for bit."""
    wide = _wide(codes.view(np.float16))
    return Expectation(1, wide, np.zeros_like(wide), bits=True)


def bfloat_codes(x: Array, _out: Array) -> Expectation:
    """The codes of the values rounded to bfloat16, to nearest, ties to even."""
    codes = x.astype(ml_dtypes.bfloat16).view(np.uint16)
    return Expectation(1, codes, None, bits=True)


def scaled_codes(scales: Array, codes: Array, _out: Array) -> Expectation:
    """out[i] = scale of the block of 256 times the code: 19 bits, exact in float32."""
    products = _wide(codes).reshape(-1, 256) * _wide(scales)[:, None]
    return Expectation(2, products.ravel(), None, bits=True)


ORACLES: Final[dict[str, Oracle]] = {
    oracle.__name__: oracle
    for oracle in (
        dot_rows,
        softmax_rows,
        max_rows,
        max_half_codes,
        exp_sums,
        norm_rows,
        half_codes,
        bfloat_codes,
        scaled_codes,
    )
}


def mismatches(fault: Fault, before: list[Any], after: list[Any]) -> Iterator[Mismatch]:
    """Yield what is wrong in the output that a launch of *fault* left in its arguments.

    *before* and *after* are the kernel's arguments, arrays and scalars. Raises UsageError when
    the fault names no oracle that there is.
    """
    if fault.oracle not in ORACLES:
        raise UsageError(f"{fault.path}: no oracle is called {fault.oracle!r}")
    wanted = ORACLES[fault.oracle](*before)
    actual = (after[wanted.output],)
    # Signalling NaNs among the codes are meant: they raise a flag in every operation.
    with np.errstate(invalid="ignore"):
        if wanted.bound is not None:
            yield from compare(actual, (wanted.values,), (wanted.bound,)).mismatches
        if wanted.bits:
            yield from compare(actual, (wanted.values,), None).mismatches


def _wide(values: Array) -> npt.NDArray[np.float64]:
    """Return the values in float64, flat and exact."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values).ravel().astype(np.float64)
