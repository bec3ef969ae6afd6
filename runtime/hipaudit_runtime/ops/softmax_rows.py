"""Softmax along the last axis."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.rowwise import row_geometry
from hipaudit_runtime.tensors import Scope, Tensor


def launch_softmax(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = softmax(x) along the last axis; float32, equal shapes; y may be x."""
    checks.floats(x=x, y=y)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    rows, columns = checks.rows_and_columns(x)
    if x.size == 0:
        return
    block = row_geometry("softmax", rows, columns)
    kernel = modules.kernel(device, "softmax.hip", "softmax")
    kernel.launch(rows, block, packed(x, y, columns))


def softmax(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Softmax of a float32 host array along its last axis, computed on the device.

    -inf is a masked element and gives 0; a row with a NaN or +inf becomes NaN.
    """
    checks.host("x", x, np.float32)
    with Scope() as scope:
        result = scope.empty(x.shape, np.float32)
        launch_softmax(device, scope.upload(x), result)
        return result.download()
