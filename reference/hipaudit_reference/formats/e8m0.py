"""E8M0: the scale of MX blocks. A code c is 2^(c - 127); 255 is NaN. No zero, no Inf, no sign.

Source: OCP Microscaling Formats (MX) 1.0, section 5.4.1. The code 0 is 2^-127, a subnormal of
fp32: building it by shifting the code into fp32's exponent field gives 0 (a known bug).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Bytes, Float64, as_float64, quiet
from hipaudit_reference.formats.rounding import Rounding

BIAS = 127
NAN_CODE = 255
LARGEST = 254


def decode(codes: ArrayLike) -> Float64:
    """The scales of codes (uint8), exact in float64; NaN for 255."""
    array = np.asarray(codes)
    if array.dtype != np.uint8:
        raise TypeError(f"codes of E8M0: dtype {array.dtype} is not uint8")
    values = np.ldexp(1.0, array.astype(np.int64) - BIAS)
    return np.where(array == NAN_CODE, np.nan, values)


@quiet
def encode(values: ArrayLike, rounding: Rounding = "nearest") -> Bytes:
    """The codes of scales rounded to powers of two, uint8.

    ``nearest`` goes to the nearer power (the middle, 1.5 * 2^k, up, as `ml_dtypes` does);
    ``down`` and ``zero`` take the power below, ``up`` the one above. What is no positive
    finite number is NaN (255); magnitudes outside 2^-127 .. 2^127 saturate.
    """
    x = as_float64(values)
    mantissa, exponent = np.frexp(x)
    code = exponent.astype(np.int64) - 1 + BIAS
    # The mantissa lies in [1/2, 1); 3/4 is the middle of a binade.
    if rounding == "up":
        code = code + (mantissa > 0.5)
    elif rounding == "nearest":
        code = code + (mantissa >= 0.75)
    valid = np.isfinite(x) & (x > 0)
    return np.where(valid, np.clip(code, 0, LARGEST), NAN_CODE).astype(np.uint8)
