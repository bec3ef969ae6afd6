"""Derived error bounds, per element.

A bound takes the same arguments as the reference of its name, and keyword-only parameters of
the kernel's algorithm:

- `height`: how it adds: the height of its summation tree, or a model of `summation`; None, the
  default, holds for any order;
- `working`, `out`: the formats it computes in and stores;
- `device`: its functions' errors (`EMULATED`, `AMD`, `AMD_FAST`, or a table of your own).

It returns float64 of the output's shape. `bounds.assembly` says what its elements mean; they
are never NaN.
"""

from hipaudit_reference.bounds.device import AMD, AMD_FAST, DEVICES, EMULATED, DeviceErrors
from hipaudit_reference.bounds.matrices import gemm, gemv
from hipaudit_reference.bounds.norms import rms_norm
from hipaudit_reference.bounds.quantised import dequantise
from hipaudit_reference.bounds.softmaxes import softmax

__all__ = [
    "AMD",
    "AMD_FAST",
    "DEVICES",
    "EMULATED",
    "DeviceErrors",
    "dequantise",
    "gemm",
    "gemv",
    "rms_norm",
    "softmax",
]
