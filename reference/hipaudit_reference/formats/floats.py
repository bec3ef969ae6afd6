"""The small floating-point formats, as data.

A format is a sign bit, `exponent_bits` and `mantissa_bits` with a bias, and a rule for the codes
that are not finite numbers:

- ``ieee``  the top exponent is Inf and NaN (fp32, fp16, bf16, e5m2);
- ``fn``    no Inf, only the all-ones code is NaN (e4m3fn);
- ``fnuz``  no Inf, no -0, the code of -0 is NaN (e4m3fnuz, e5m2fnuz: the fp8 of gfx942);
- ``none``  every code is a finite number (fp6, fp4 of OCP MX).

Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification (OFP8) 1.0; OCP Microscaling
Formats (MX) 1.0, section 5.3; LLVM APFloat for the fnuz semantics. Names are those of `ml_dtypes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hipaudit_reference.arrays import AnyArray

Specials = Literal["ieee", "fn", "fnuz", "none"]


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format of at most 64 bits."""

    name: str
    exponent_bits: int
    mantissa_bits: int
    bias: int
    specials: Specials = "ieee"

    @property
    def bits(self) -> int:
        """Width of a code, sign included."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def precision(self) -> int:
        """Significant bits p, the hidden one included."""
        return self.mantissa_bits + 1

    @property
    def unit_roundoff(self) -> float:
        """The unit roundoff u = 2^-p: the largest relative error of one rounding to nearest."""
        return 2.0**-self.precision

    @property
    def min_exponent(self) -> int:
        """Exponent of the smallest normal number."""
        return 1 - self.bias

    @property
    def max_exponent(self) -> int:
        """Exponent of the largest finite number."""
        top = (1 << self.exponent_bits) - 1
        return top - self.bias - (1 if self.specials == "ieee" else 0)

    @property
    def max_finite(self) -> float:
        """The largest finite number."""
        # e4m3fn loses its all-ones mantissa to NaN.
        missing = 2 if self.specials == "fn" else 1
        return float((2.0 - missing * 2.0**-self.mantissa_bits) * 2.0**self.max_exponent)

    @property
    def min_normal(self) -> float:
        """The smallest positive normal number."""
        return float(2.0**self.min_exponent)

    @property
    def min_subnormal(self) -> float:
        """The smallest positive number."""
        return float(2.0 ** (self.min_exponent - self.mantissa_bits))

    @property
    def has_infinity(self) -> bool:
        """Whether some code is an infinity."""
        return self.specials == "ieee"

    @property
    def has_nan(self) -> bool:
        """Whether some code is a NaN."""
        return self.specials != "none"

    @property
    def code_type(self) -> np.dtype[Any]:
        """The unsigned integer type that holds a code."""
        for bits in (8, 16, 32):
            if self.bits <= bits:
                return np.dtype(f"uint{bits}")
        return np.dtype("uint64")


FP64 = Format("float64", 11, 52, 1023)
FP32 = Format("float32", 8, 23, 127)
FP16 = Format("float16", 5, 10, 15)
BF16 = Format("bfloat16", 8, 7, 127)
E4M3FN = Format("float8_e4m3fn", 4, 3, 7, "fn")
E4M3FNUZ = Format("float8_e4m3fnuz", 4, 3, 8, "fnuz")
E5M2 = Format("float8_e5m2", 5, 2, 15)
E5M2FNUZ = Format("float8_e5m2fnuz", 5, 2, 16, "fnuz")
E2M3 = Format("float6_e2m3fn", 2, 3, 1, "none")
E3M2 = Format("float6_e3m2fn", 3, 2, 3, "none")
E2M1 = Format("float4_e2m1fn", 2, 1, 1, "none")

ALL_FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        FP64,
        FP32,
        FP16,
        BF16,
        E4M3FN,
        E4M3FNUZ,
        E5M2,
        E5M2FNUZ,
        E2M3,
        E3M2,
        E2M1,
    )
}


def format_of(values: AnyArray | np.dtype[Any]) -> Format:
    """The format of an array or dtype; TypeError when it is no floating-point format here."""
    dtype = values if isinstance(values, np.dtype) else values.dtype
    try:
        return ALL_FORMATS[dtype.name]
    except KeyError:
        msg = f"dtype {dtype} is none of the formats {', '.join(ALL_FORMATS)}"
        raise TypeError(msg) from None
