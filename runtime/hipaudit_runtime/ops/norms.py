"""Normalisation along the last axis."""

from __future__ import annotations

import ctypes

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS, block_for
from hipaudit_runtime.tensors import Scope, Tensor

_FLOAT32 = np.finfo(np.float32)


def launch_rms_norm(
    device: DeviceLike, x: Tensor, weight: Tensor, y: Tensor, epsilon: float
) -> None:
    """Launch y = x * rsqrt(mean(x^2) + epsilon) * weight along the last axis.

    float32; y has x's shape and may be x; weight is 1-D with x's columns; epsilon is a normal
    number > 0.
    """
    for name, tensor in (("x", x), ("weight", weight), ("y", y)):
        checks.dtype(name, tensor, np.float32)
        checks.aligned(name, tensor.address, 4)
    rows, columns = checks.rows_and_columns(x)
    checks.shape("y", y, x.shape)
    checks.shape("weight", weight, (columns,))
    checks.same_or_disjoint("x", x, "y", y)
    checks.disjoint("weight", weight, "y", y)
    checks.within("epsilon", epsilon, float(_FLOAT32.tiny), float(_FLOAT32.max))
    if x.size == 0:
        return
    checks.within("columns", columns, 1, MOST_COLUMNS)
    block = block_for(columns)
    checks.blocks_for(f"rms_norm of {rows} rows", rows * block, block)
    modules.kernel(device, "rms_norm.hip", "rms_norm").launch(
        rows,
        block,
        (
            ctypes.c_void_p(x.address),
            ctypes.c_void_p(weight.address),
            ctypes.c_void_p(y.address),
            ctypes.c_int(columns),
            ctypes.c_float(epsilon),
        ),
    )


def rms_norm(
    device: DeviceLike, x: checks.Host, weight: checks.Host, epsilon: float = 1e-5
) -> checks.Host:
    """RMSNorm of a float32 host array along its last axis, computed on the device."""
    checks.host("x", x, np.float32)
    checks.host("weight", weight, np.float32)
    with Scope() as scope:
        there = scope.upload(x)
        result = scope.empty(x.shape, np.float32)
        launch_rms_norm(device, there, scope.upload(weight), result, epsilon)
        return result.download()
