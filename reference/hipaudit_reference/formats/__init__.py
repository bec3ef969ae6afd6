"""Number formats: codes, values, rounding, ULP, and the block formats of quantised tensors."""

from hipaudit_reference.formats import e8m0, ggml, mx
from hipaudit_reference.formats.floats import (
    ALL_FORMATS,
    BF16,
    E2M1,
    E2M3,
    E3M2,
    E4M3FN,
    E4M3FNUZ,
    E5M2,
    E5M2FNUZ,
    FP16,
    FP32,
    FP64,
    Format,
    format_of,
)
from hipaudit_reference.formats.rounding import (
    Overflow,
    Rounding,
    all_values,
    decode,
    encode,
    round_to,
)
from hipaudit_reference.formats.ulp import ordered, ulp, ulp_distance, ulp_error

__all__ = [
    "ALL_FORMATS",
    "BF16",
    "E2M1",
    "E2M3",
    "E3M2",
    "E4M3FN",
    "E4M3FNUZ",
    "E5M2",
    "E5M2FNUZ",
    "FP16",
    "FP32",
    "FP64",
    "Format",
    "Overflow",
    "Rounding",
    "all_values",
    "decode",
    "e8m0",
    "encode",
    "format_of",
    "ggml",
    "mx",
    "ordered",
    "round_to",
    "ulp",
    "ulp_distance",
    "ulp_error",
]
