"""Codes to values and back, and rounding of float64 values to any format.

Rounding is done once, from the float64 value: fp32 > fp8 through fp16 is a different function
(triton 10846), and the tests show where.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import AnyArray, Booleans, Float64, as_float64, quiet, require
from hipaudit_reference.formats.floats import FP16, FP32, FP64, Format

Rounding = Literal["nearest", "zero", "up", "down"]
Overflow = Literal["ieee", "saturate"]

_TABLE_BITS = 16


@quiet
def round_to(
    values: ArrayLike,
    to: Format,
    rounding: Rounding = "nearest",
    overflow: Overflow = "ieee",
) -> Float64:
    """The values rounded to a format, as float64 (any shape, elementwise, exact).

    ``nearest`` ties to even; ``zero``, ``up`` and ``down`` are IEEE 754's directed modes.
    Overflow ``ieee`` gives Inf or the largest finite number as the direction demands; a format
    without Inf gives NaN, and one without NaN saturates, as `ml_dtypes` does. Overflow
    ``saturate`` gives the largest finite number, for an infinite argument as well (OFP8 1.0,
    section 5.2). NaN stays NaN where the format has one, else it becomes -0. A fnuz format has
    no -0: a result of zero is +0.
    """
    x = as_float64(values)
    if rounding == "nearest" and overflow == "ieee" and to in (FP64, FP32, FP16):
        return x.astype(to.name).astype(np.float64)
    _, exponent = np.frexp(x)
    quantum = np.maximum(exponent - to.precision, to.min_exponent - to.mantissa_bits)
    scaled = np.ldexp(x, -quantum)
    rounded = np.asarray(np.ldexp(_ROUND[rounding](scaled), quantum))
    result = np.where(np.isfinite(x), rounded, x)
    result = np.where(
        np.abs(result) > to.max_finite, _overflowed(x, to, rounding, overflow), result
    )
    if not to.has_nan:
        result = np.where(np.isnan(x), -0.0, result)
    if to.specials == "fnuz":
        result = np.where(result == 0, 0.0, result)
    return result


_ROUND = {"nearest": np.rint, "zero": np.trunc, "up": np.ceil, "down": np.floor}


def _overflowed(x: Float64, to: Format, rounding: Rounding, overflow: Overflow) -> Float64:
    """What stands in for values beyond the largest finite number."""
    largest = np.copysign(to.max_finite, x)
    if overflow == "saturate" or not to.has_nan:
        return largest
    infinity = np.copysign(np.inf, x) if to.has_infinity else np.full_like(x, np.nan)
    stays = {
        "nearest": np.zeros_like(x, dtype=np.bool_),
        "zero": np.ones_like(x, dtype=np.bool_),
        "up": x < 0,
        "down": x > 0,
    }[rounding]
    return np.where(stays & np.isfinite(x), largest, infinity)


@quiet
def encode(
    values: ArrayLike,
    to: Format,
    rounding: Rounding = "nearest",
    overflow: Overflow = "ieee",
) -> AnyArray:
    """The codes of the values rounded to a format (unsigned integers, same shape).

    A NaN is encoded as the format's canonical quiet NaN with the sign of the argument.
    """
    x = as_float64(values)
    rounded = round_to(x, to, rounding, overflow)
    magnitude = np.abs(rounded)
    _, exponent = np.frexp(magnitude)
    # frexp calls the exponent of zero 0.
    exponent = np.maximum(np.where(magnitude == 0, to.min_exponent, exponent - 1), to.min_exponent)
    # Counted in the smallest step of its binade, a normal number has its hidden bit on top:
    # adding it to the shifted exponent carries into the exponent field by itself.
    steps = np.ldexp(np.where(np.isfinite(magnitude), magnitude, 0), to.mantissa_bits - exponent)
    code = steps.astype(np.uint64) + (
        (exponent - to.min_exponent).astype(np.uint64) << np.uint64(to.mantissa_bits)
    )
    top = ((1 << to.exponent_bits) - 1) << to.mantissa_bits
    code = np.where(np.isinf(rounded), np.uint64(top), code)
    sign = np.signbit(np.where(np.isnan(rounded), x, rounded)).astype(np.uint64)
    code |= sign << np.uint64(to.bits - 1)
    return np.where(np.isnan(rounded), _nan_code(to, sign), code).astype(to.code_type)


def _nan_code(to: Format, sign: AnyArray) -> AnyArray:
    """The canonical NaN of a format for each sign bit."""
    negative_zero = 1 << (to.bits - 1)
    if to.specials == "fnuz":
        return np.full_like(sign, negative_zero)
    top = ((1 << to.exponent_bits) - 1) << to.mantissa_bits
    quiet_bit = (1 << to.mantissa_bits) - 1 if to.specials == "fn" else 1 << (to.mantissa_bits - 1)
    return np.asarray((sign << np.uint64(to.bits - 1)) | np.uint64(top | quiet_bit))


def decode(codes: ArrayLike, of: Format) -> Float64:
    """The values of codes (unsigned integers of any width, same shape), exact in float64.

    Bits above the format's width are an error, shown with their value. Every NaN code becomes
    the one float64 NaN.
    """
    array = np.asarray(codes)
    if array.dtype.kind not in "ui":
        msg = f"codes of {of.name}: dtype {array.dtype} is not an integer type"
        raise TypeError(msg)
    if of in (FP32, FP64):
        return array.astype(of.code_type).view(of.name).astype(np.float64)
    if array.size and (int(array.max()) >= 1 << of.bits or int(array.min()) < 0):
        msg = f"codes of {of.name}: {int(array.max())} does not fit {of.bits} bits"
        raise ValueError(msg)
    return np.asarray(_table(of)[array])


@cache
def _table(of: Format) -> Float64:
    """Values of all codes of a format of at most 16 bits."""
    require(of.bits <= _TABLE_BITS, f"{of.name}: no table of 2^{of.bits} codes")
    code = np.arange(1 << of.bits, dtype=np.int64)
    field = (code >> of.mantissa_bits) & ((1 << of.exponent_bits) - 1)
    mantissa = code & ((1 << of.mantissa_bits) - 1)
    hidden = np.where(field > 0, 1 << of.mantissa_bits, 0)
    exponent = np.maximum(field, 1) - of.bias - of.mantissa_bits
    values = np.ldexp((mantissa + hidden).astype(np.float64), exponent)
    values = np.where(code >> (of.bits - 1) == 1, -values, values)
    infinite, nan = _special_codes(code, field, mantissa, of)
    values = np.where(infinite, np.copysign(np.inf, values), values)
    values = np.where(nan, np.nan, values)
    values.setflags(write=False)
    return values


def _special_codes(
    code: AnyArray, field: AnyArray, mantissa: AnyArray, of: Format
) -> tuple[Booleans, Booleans]:
    """Which codes are infinite and which are NaN."""
    never = np.zeros(code.shape, dtype=np.bool_)
    top = field == (1 << of.exponent_bits) - 1
    if of.specials == "ieee":
        return top & (mantissa == 0), top & (mantissa != 0)
    if of.specials == "fn":
        return never, top & (mantissa == (1 << of.mantissa_bits) - 1)
    if of.specials == "fnuz":
        return never, code == 1 << (of.bits - 1)
    return never, never


def all_values(of: Format) -> Float64:
    """The value of every code of a format of at most 16 bits, in code order."""
    return _table(of).copy()
