"""Softmax along the last axis, plain and with attention's masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Null, packed
from hipaudit_runtime.ops.rowwise import row_geometry
from hipaudit_runtime.tensors import Scope, Tensor

_LARGEST = float(np.finfo(np.float32).max)


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


@dataclass(frozen=True, slots=True)
class Mask:
    """Which elements of its row a query sees.

    causal   those up to its own position; the last query stands at the last element
    window   of those only the last so many; None: all
    """

    causal: bool = False
    window: int | None = None


UNMASKED = Mask()
"""Every element."""


def launch_softmax_masked(
    device: DeviceLike,
    x: Tensor,
    y: Tensor,
    mask: Mask = UNMASKED,
    lengths: Tensor | None = None,
    scale: float = 1.0,
) -> None:
    """Launch y = softmax(scale x) along the last axis over what each row sees, 0 elsewhere.

    x and y (..., queries, columns), float32, float16 or bfloat16; y may be x. lengths int32, of x's
    shape without its last two axes: elements from there on are padding.
    """
    short = checks.stored("x", x)
    checks.dtype("y", y, x.dtype)
    checks.aligned("y", y.address, y.dtype.itemsize)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    if len(x.shape) < 2:
        raise ValueError(f"x has shape {x.shape}, not (..., queries, columns)")
    window = 0
    if mask.window is not None:
        window = checks.within("window", mask.window, 1, checks.FEW_INDEX - 1)
    if lengths is not None:
        checks.dtype("lengths", lengths, np.int32)
        checks.aligned("lengths", lengths.address, 4)
        checks.shape("lengths", lengths, x.shape[:-2])
        checks.disjoint("lengths", lengths, "y", y)
    checks.within("scale", float(scale), -_LARGEST, _LARGEST)
    if x.size == 0:
        return
    rows, columns = checks.rows_and_columns(x)
    queries = checks.within("queries", x.shape[-2], 1, checks.FEW_INDEX - 1)
    block = row_geometry("softmax_masked", rows, columns)
    causal = int(mask.causal or window > 0)
    arguments = packed(
        x, Null() if lengths is None else lengths, y, queries, columns, causal, window, float(scale)
    )
    kernel = modules.kernel(device, "softmax_masked.hip", f"softmax_masked_{short}")
    kernel.launch(rows, block, arguments)


def softmax_masked(
    device: DeviceLike,
    x: checks.Host,
    mask: Mask = UNMASKED,
    lengths: checks.Host | None = None,
    scale: float = 1.0,
) -> checks.Host:
    """Softmax of a host array with masks, shapes as in `launch_softmax_masked`."""
    checks.host("x", x, x.dtype)
    with Scope() as scope:
        result = scope.empty(x.shape, x.dtype)
        padding = None
        if lengths is not None:
            checks.host("lengths", lengths, np.int32)
            for length in lengths.reshape(-1).tolist():
                checks.within("a length", length, 0, x.shape[-1])
            padding = scope.upload(lengths)
        launch_softmax_masked(device, scope.upload(x), result, mask, padding, scale)
        return result.download()
