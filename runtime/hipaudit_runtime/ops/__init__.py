"""Launchers: one function a kernel, beside its geometry, limits and preconditions.

Each comes twice. ``launch_NAME(device, tensors...)`` enqueues the kernel on device tensors;
``NAME(device, arrays...)`` takes and returns host arrays, with every copy and buffer inside. Both
check shapes, types, contiguity, alignment and index ranges before anything is launched, and raise
ValueError or TypeError with the value.
"""

from __future__ import annotations

from hipaudit_runtime.ops.gemm import gemm_f32, launch_gemm_f32
from hipaudit_runtime.ops.norms import launch_rms_norm, rms_norm
from hipaudit_runtime.ops.quantised import (
    FORMATS,
    dequantise,
    dequantise_q4_1,
    dequantise_q8_0,
    launch_dequantise,
)
from hipaudit_runtime.ops.softmax_rows import launch_softmax, softmax

__all__ = [
    "FORMATS",
    "dequantise",
    "dequantise_q4_1",
    "dequantise_q8_0",
    "gemm_f32",
    "launch_dequantise",
    "launch_gemm_f32",
    "launch_rms_norm",
    "launch_softmax",
    "rms_norm",
    "softmax",
]
