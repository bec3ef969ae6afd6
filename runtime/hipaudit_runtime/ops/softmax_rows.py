"""Softmax along the last axis."""

from __future__ import annotations

import ctypes

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.rowwise import MOST_COLUMNS, block_for
from hipaudit_runtime.tensors import Scope, Tensor


def launch_softmax(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = softmax(x) along the last axis; float32, equal shapes; y may be x."""
    checks.dtype("x", x, np.float32)
    checks.dtype("y", y, np.float32)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    rows, columns = checks.rows_and_columns(x)
    if x.size == 0:
        return
    checks.within("columns", columns, 1, MOST_COLUMNS)
    checks.aligned("x", x.address, 4)
    checks.aligned("y", y.address, 4)
    block = block_for(columns)
    checks.blocks_for(f"softmax of {rows} rows", rows * block, block)
    modules.kernel(device, "softmax.hip", "softmax").launch(
        rows, block, (ctypes.c_void_p(x.address), ctypes.c_void_p(y.address), ctypes.c_int(columns))
    )


def softmax(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Softmax of a float32 host array along its last axis, computed on the device.

    -inf is a masked element and gives 0; a row with a NaN or +inf becomes NaN.
    """
    checks.host("x", x, np.float32)
    with Scope() as scope:
        there = scope.upload(x)
        result = scope.empty(x.shape, np.float32)
        launch_softmax(device, there, result)
        return result.download()
