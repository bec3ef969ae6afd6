"""Functions of single elements: activations, sums, products, conversions."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Size, packed
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_EACH = 4

CONVERSIONS = {
    ("float32", "float16"): "convert_f32_f16",
    ("float16", "float32"): "convert_f16_f32",
    ("float32", "bfloat16"): "convert_f32_bf16",
    ("bfloat16", "float32"): "convert_bf16_f32",
}
"""Entry points of convert.hip by dtype."""


def launch_add(device: DeviceLike, a: Tensor, b: Tensor, y: Tensor) -> None:
    """Launch y = a + b; float32, equal shapes; y may be a or b."""
    _launch(device, "add", y, a=a, b=b)


def launch_scale(device: DeviceLike, x: Tensor, y: Tensor, factor: float) -> None:
    """Launch y = factor * x; float32, equal shapes; y may be x."""
    _launch(device, "scale", y, float(factor), x=x)


def launch_silu(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x / (1 + exp(-x)); float32, equal shapes; y may be x."""
    _launch(device, "silu", y, x=x)


def launch_swiglu(device: DeviceLike, gate: Tensor, up: Tensor, y: Tensor) -> None:
    """Launch y = silu(gate) * up; float32, equal shapes; y may be gate or up."""
    _launch(device, "swiglu", y, gate=gate, up=up)


def launch_gelu(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x erfc(-x / sqrt 2) / 2; float32, equal shapes; y may be x."""
    _launch(device, "gelu", y, x=x)


def launch_gelu_tanh(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch GELU's tanh form; float32, equal shapes; y may be x."""
    _launch(device, "gelu_tanh", y, file="gelu.hip", x=x)


def launch_convert(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x in y's dtype, rounded to nearest even; equal shapes, no overlap.

    Raises TypeError for a pair of dtypes that is not in `CONVERSIONS`.
    """
    name = CONVERSIONS.get((x.dtype.name, y.dtype.name))
    if name is None:
        raise TypeError(f"no kernel converts {x.dtype} to {y.dtype}")
    checks.shape("y", y, x.shape)
    checks.disjoint("x", x, "y", y)
    for label, tensor in (("x", x), ("y", y)):
        checks.aligned(label, tensor.address, tensor.dtype.itemsize)
    _enqueue(device, "convert.hip", name, x.size, packed(x, y, Size(x.size)))


def add(device: DeviceLike, a: checks.Host, b: checks.Host) -> checks.Host:
    """Sum of two float32 host arrays of one shape."""
    return _host(device, "add", a=a, b=b)


def scale(device: DeviceLike, x: checks.Host, factor: float) -> checks.Host:
    """Product of a float32 host array with a number, which is rounded to float32."""
    return _host(device, "scale", float(factor), x=x)


def silu(device: DeviceLike, x: checks.Host) -> checks.Host:
    """SiLU of a float32 host array."""
    return _host(device, "silu", x=x)


def swiglu(device: DeviceLike, gate: checks.Host, up: checks.Host) -> checks.Host:
    """SiLU of *gate* times *up*, float32 host arrays of one shape."""
    return _host(device, "swiglu", gate=gate, up=up)


def gelu(device: DeviceLike, x: checks.Host) -> checks.Host:
    """GELU of a float32 host array, by the error function."""
    return _host(device, "gelu", x=x)


def gelu_tanh(device: DeviceLike, x: checks.Host) -> checks.Host:
    """GELU of a float32 host array, in its tanh form."""
    return _host(device, "gelu_tanh", file="gelu.hip", x=x)


def convert(device: DeviceLike, x: checks.Host, to: str) -> checks.Host:
    """A host array in the dtype *to*: float32, float16 or bfloat16."""
    target = np.dtype(ml_dtypes.bfloat16) if to == "bfloat16" else np.dtype(to)
    checks.host("x", x, x.dtype)
    with Scope() as scope:
        result = scope.empty(x.shape, target)
        launch_convert(device, scope.upload(x), result)
        return result.download()


def _launch(
    device: DeviceLike, name: str, y: Tensor, *scalars: float, file: str = "", **inputs: Tensor
) -> None:
    """Check and launch an element-wise kernel: inputs, y, count, scalars."""
    checks.floats(**inputs, y=y)
    for label, tensor in inputs.items():
        checks.shape(label, tensor, y.shape)
        checks.same_or_disjoint(label, tensor, "y", y)
    arguments = packed(*inputs.values(), y, Size(y.size), *scalars)
    _enqueue(device, file or f"{name}.hip", name, y.size, arguments)


def _enqueue(
    device: DeviceLike, file: str, name: str, count: int, arguments: tuple[object, ...]
) -> None:
    if count == 0:
        return
    grid = checks.blocks_for(f"{name} of {count} elements", -(-count // _EACH), _THREADS)
    modules.kernel(device, file, name).launch(grid, _THREADS, arguments)


def _host(
    device: DeviceLike, name: str, *scalars: float, file: str = "", **inputs: checks.Host
) -> checks.Host:
    """An element-wise kernel on host arrays of one shape."""
    for label, array in inputs.items():
        checks.host(label, array, np.float32)
    with Scope() as scope:
        there = {label: scope.upload(array) for label, array in inputs.items()}
        result = scope.empty(next(iter(inputs.values())).shape, np.float32)
        _launch(device, name, result, *scalars, file=file, **there)
        return result.download()
