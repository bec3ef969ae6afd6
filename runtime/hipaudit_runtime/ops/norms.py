"""Normalisation along the last axis."""

from __future__ import annotations

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.ops.rowwise import row_geometry
from hipaudit_runtime.tensors import Scope, Tensor

_FLOAT32 = np.finfo(np.float32)
EPSILON = 1e-5


def launch_rms_norm(
    device: DeviceLike, x: Tensor, weight: Tensor, y: Tensor, epsilon: float
) -> None:
    """Launch y = x * rsqrt(mean(x^2) + epsilon) * weight along the last axis.

    All of one stored format (float32, float16, bfloat16); y has x's shape and may be x; weight is
    1-D with x's columns; epsilon is a normal float32 number > 0.
    """
    suffix = checks.suffix(x=x, weight=weight, y=y)
    rows, columns = _rows(x, y, weight=weight)
    checks.same_or_disjoint("x", x, "y", y)
    check_epsilon(epsilon)
    if x.size == 0:
        return
    block = row_geometry("rms_norm", rows, columns)
    kernel = modules.kernel(device, "rms_norm.hip", f"rms_norm{suffix}")
    kernel.launch(rows, block, packed(x, weight, y, columns, float(epsilon)))


def rms_norm(
    device: DeviceLike, x: checks.Host, weight: checks.Host, epsilon: float = EPSILON
) -> checks.Host:
    """RMSNorm of a host array along its last axis, computed on the device."""
    checks.hosts(x=x, weight=weight)
    with Scope() as scope:
        result = scope.empty(x.shape, x.dtype)
        launch_rms_norm(device, scope.upload(x), scope.upload(weight), result, epsilon)
        return result.download()


def launch_layer_norm(
    device: DeviceLike, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor, epsilon: float
) -> None:
    """Launch y = (x - mean) * rsqrt(variance + epsilon) * weight + bias along the last axis.

    As `launch_rms_norm`; bias is like weight; the variance is the mean of squares, biased.
    """
    suffix = checks.suffix(x=x, weight=weight, bias=bias, y=y)
    rows, columns = _rows(x, y, weight=weight, bias=bias)
    checks.same_or_disjoint("x", x, "y", y)
    check_epsilon(epsilon)
    if x.size == 0:
        return
    block = row_geometry("layer_norm", rows, columns)
    kernel = modules.kernel(device, "layer_norm.hip", f"layer_norm{suffix}")
    kernel.launch(rows, block, packed(x, weight, bias, y, columns, float(epsilon)))


def layer_norm(
    device: DeviceLike,
    x: checks.Host,
    weight: checks.Host,
    bias: checks.Host,
    epsilon: float = EPSILON,
) -> checks.Host:
    """LayerNorm of a host array along its last axis, computed on the device."""
    checks.hosts(x=x, weight=weight, bias=bias)
    with Scope() as scope:
        result = scope.empty(x.shape, x.dtype)
        rows, scale, shift = scope.upload(x), scope.upload(weight), scope.upload(bias)
        launch_layer_norm(device, rows, scale, shift, result, epsilon)
        return result.download()


def launch_residual_rms_norm(
    device: DeviceLike,
    x: Tensor,
    residual: Tensor,
    weight: Tensor,
    y: Tensor,
    s: Tensor,
    epsilon: float,
) -> None:
    """Launch s = x + residual and y = RMSNorm(s); s may be x or residual, y may be x."""
    suffix = checks.suffix(x=x, residual=residual, weight=weight, y=y, s=s)
    rows, columns = _rows(x, y, weight=weight)
    checks.shape("residual", residual, x.shape)
    checks.shape("s", s, x.shape)
    checks.disjoint("y", y, "s", s)
    checks.disjoint("weight", weight, "s", s)
    for name, tensor in (("x", x), ("residual", residual)):
        checks.same_or_disjoint(name, tensor, "s", s)
        checks.same_or_disjoint(name, tensor, "y", y)
    check_epsilon(epsilon)
    if x.size == 0:
        return
    block = row_geometry("residual_rms_norm", rows, columns)
    kernel = modules.kernel(device, "residual_rms_norm.hip", f"residual_rms_norm{suffix}")
    kernel.launch(rows, block, packed(x, residual, weight, y, s, columns, float(epsilon)))


def residual_rms_norm(
    device: DeviceLike,
    x: checks.Host,
    residual: checks.Host,
    weight: checks.Host,
    epsilon: float = EPSILON,
) -> tuple[checks.Host, checks.Host]:
    """(RMSNorm(s), s) with s = x + residual, of host arrays, computed on the device."""
    checks.hosts(x=x, residual=residual, weight=weight)
    with Scope() as scope:
        y, s = scope.empty(x.shape, x.dtype), scope.empty(x.shape, x.dtype)
        one, other, scale = scope.upload(x), scope.upload(residual), scope.upload(weight)
        launch_residual_rms_norm(device, one, other, scale, y, s, epsilon)
        return y.download(), s.download()


def _rows(x: Tensor, y: Tensor, **vectors: Tensor) -> tuple[int, int]:
    """X's rows and columns; y is like x, the vectors have an element a column."""
    rows, columns = checks.rows_and_columns(x)
    checks.shape("y", y, x.shape)
    for name, vector in vectors.items():
        checks.shape(name, vector, (columns,))
        checks.disjoint(name, vector, "y", y)
    return rows, columns


def check_epsilon(epsilon: float) -> None:
    """Refuse an epsilon that is not a normal float32 number above 0."""
    checks.within("epsilon", epsilon, float(_FLOAT32.tiny), float(_FLOAT32.max))
