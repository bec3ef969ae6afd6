"""The last steps that every bound shares: storing, overflow, and elements with no bound.

The meaning of a bound's elements:

- a finite b >= 0: the kernel's element is finite and |kernel - reference| <= b; where
  |reference| + b exceeds the output format's largest number, Inf is right as well;
- 0 where the reference is NaN or infinite: the kernel's element must be just that;
- inf: the element is not determined (a kernel in this format may overflow on the way), so
  anything is accepted there. Inputs that make a whole tensor of these prove nothing.
"""

from __future__ import annotations

import numpy as np

from hipaudit_reference.arrays import Booleans, Float64
from hipaudit_reference.bounds.device import DeviceErrors
from hipaudit_reference.formats import Format, round_to
from hipaudit_reference.summation import Height, Probabilistic, compose, model


def relative(values: Float64) -> Float64:
    """`compose` elementwise: s / (1 - s), infinite from s = 1 on."""
    return np.where(values < 1, values / (1 - values), np.inf)


def accumulated(
    height: Height, terms: int, working: Format, device: DeviceErrors, extra: float = 0.0
) -> float:
    """Error of a sum in units of the sum of magnitudes, with `extra` further roundings of u.

    ValueError for the probabilistic form on a truncating device, whose errors have a mean.
    """
    summation = model(height)
    if isinstance(summation, Probabilistic) and device.truncates:
        msg = "the probabilistic bound does not hold for a truncating unit"
        raise ValueError(msg)
    u = device.unit(working)
    coefficient = summation.coefficient(terms, u)
    return compose(coefficient, extra * u) if extra else coefficient


def factor_roundings(factor: float, working: Format) -> int:
    """How many u a multiplication by a scalar argument costs.

    None by a power of two, one by a number of the working format, two by any other: the kernel
    is handed the rounded factor.
    """
    if factor == 0 or abs(np.frexp(factor)[0]) == 0.5:
        return 0
    return 1 if float(round_to(factor, working)) == factor else 2


def stored(
    error: Float64, reference: Float64, out: Format, working: Format, device: DeviceErrors
) -> Float64:
    """The error after rounding to the output format; storing in the working format is exact."""
    if out.precision >= working.precision and out.max_finite >= working.max_finite:
        return error
    u = out.unit_roundoff
    return error + u * (np.abs(reference) + error) + device.underflow(out)


def settled(
    error: Float64, reference: Float64, overflow: Booleans | np.bool_ | bool = False
) -> Float64:
    """Apply the meaning of the elements: see the module's head."""
    error = np.where(np.isnan(error), np.inf, error)
    error = np.where(np.isfinite(reference), error, 0.0)
    return np.where(overflow, np.inf, error)
