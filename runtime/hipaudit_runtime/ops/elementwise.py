"""Functions of single elements: activations, sums, products, conversions."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Size, packed
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_EACH = 4

_FLOATS8 = ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz")
_WIDE = tuple(checks.STORED.items())

CONVERSIONS = {
    **{
        (one, other): f"convert_{short}_{other_short}"
        for one, short in _WIDE
        for other, other_short in _WIDE
        if one != other
    },
    **{
        (wide, f"float8_{narrow}"): f"convert_{short}_{narrow}"
        for wide, short in _WIDE
        for narrow in _FLOATS8
    },
    **{
        (f"float8_{narrow}", wide): f"convert_{narrow}_{short}"
        for wide, short in _WIDE
        for narrow in _FLOATS8
    },
}
"""Entry points of convert.hip and convert_fp8.hip by dtype."""


def launch_add(device: DeviceLike, a: Tensor, b: Tensor, y: Tensor) -> None:
    """Launch y = a + b; one stored format, equal shapes; y may be a or b."""
    _launch(device, "add", y, a=a, b=b)


def launch_scale(device: DeviceLike, x: Tensor, y: Tensor, factor: float) -> None:
    """Launch y = factor * x; one stored format, equal shapes; y may be x."""
    _launch(device, "scale", y, float(factor), x=x)


def launch_silu(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x / (1 + exp(-x)); one stored format, equal shapes; y may be x."""
    _launch(device, "silu", y, x=x)


def launch_swiglu(device: DeviceLike, gate: Tensor, up: Tensor, y: Tensor) -> None:
    """Launch y = silu(gate) * up; one stored format, equal shapes; y may be gate or up."""
    _launch(device, "swiglu", y, gate=gate, up=up)


def launch_glu(device: DeviceLike, value: Tensor, gate: Tensor, y: Tensor) -> None:
    """Launch y = value sigmoid(gate); float32, equal shapes; y may be value or gate."""
    checks.floats(value=value, gate=gate, y=y)
    _launch(device, "glu", y, value=value, gate=gate)


def launch_gelu(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y = x erfc(-x / sqrt 2) / 2; one stored format, equal shapes; y may be x."""
    _launch(device, "gelu", y, x=x)


def launch_gelu_tanh(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch GELU's tanh form; one stored format, equal shapes; y may be x."""
    _launch(device, "gelu_tanh", y, file="gelu.hip", x=x)


def launch_convert(device: DeviceLike, x: Tensor, y: Tensor, *, saturate: bool = False) -> None:
    """Launch y = x in y's dtype, rounded to nearest even; equal shapes, no overlap.

    saturate  to 8 bits: the largest finite number stands for what is beyond it, else infinity does,
              or NaN where the format has none
    Raises TypeError for a pair of dtypes that is not in `CONVERSIONS`.
    """
    name = CONVERSIONS.get((x.dtype.name, y.dtype.name))
    if name is None:
        raise TypeError(f"no kernel converts {x.dtype} to {y.dtype}")
    checks.shape("y", y, x.shape)
    checks.disjoint("x", x, "y", y)
    for label, tensor in (("x", x), ("y", y)):
        checks.aligned(label, tensor.address, tensor.dtype.itemsize)
    to_8_bits = y.dtype.itemsize == 1
    if saturate and not to_8_bits:
        raise ValueError(f"a conversion to {y.dtype} does not saturate")
    scalars = (int(saturate),) if to_8_bits else ()
    file = "convert_fp8.hip" if 1 in {x.dtype.itemsize, y.dtype.itemsize} else "convert.hip"
    _enqueue(device, file, name, x.size, packed(x, y, Size(x.size), *scalars))


def add(device: DeviceLike, a: checks.Host, b: checks.Host) -> checks.Host:
    """Sum of two host arrays of one shape."""
    return _host(device, "add", a=a, b=b)


def scale(device: DeviceLike, x: checks.Host, factor: float) -> checks.Host:
    """Product of a host array with a number, which is rounded to float32."""
    return _host(device, "scale", float(factor), x=x)


def silu(device: DeviceLike, x: checks.Host) -> checks.Host:
    """SiLU of a host array."""
    return _host(device, "silu", x=x)


def swiglu(device: DeviceLike, gate: checks.Host, up: checks.Host) -> checks.Host:
    """SiLU of *gate* times *up*, host arrays of one shape."""
    return _host(device, "swiglu", gate=gate, up=up)


def glu(device: DeviceLike, value: checks.Host, gate: checks.Host) -> checks.Host:
    """*value* times the sigmoid of *gate*, float32 host arrays of one shape."""
    checks.host("value", value, np.float32)
    return _host(device, "glu", value=value, gate=gate)


def gelu(device: DeviceLike, x: checks.Host) -> checks.Host:
    """GELU of a host array, by the error function."""
    return _host(device, "gelu", x=x)


def gelu_tanh(device: DeviceLike, x: checks.Host) -> checks.Host:
    """GELU of a host array, in its tanh form."""
    return _host(device, "gelu_tanh", file="gelu.hip", x=x)


def convert(device: DeviceLike, x: checks.Host, to: str, *, saturate: bool = False) -> checks.Host:
    """A host array in the dtype *to*, by its name in numpy or ml_dtypes; as `launch_convert`."""
    checks.host("x", x, x.dtype)
    with Scope() as scope:
        result = scope.empty(x.shape, _dtype_of(to))
        launch_convert(device, scope.upload(x), result, saturate=saturate)
        return result.download()


def _dtype_of(name: str) -> np.dtype[Any]:
    known = {pair[1] for pair in CONVERSIONS}
    if name not in known:
        raise TypeError(f"no kernel converts to {name}; there are {', '.join(sorted(known))}")
    return np.dtype(getattr(ml_dtypes, name, name))


def _launch(
    device: DeviceLike, name: str, y: Tensor, *scalars: float, file: str = "", **inputs: Tensor
) -> None:
    """Check and launch an element-wise kernel: inputs, y, count, scalars."""
    suffix = checks.suffix(**inputs, y=y)
    for label, tensor in inputs.items():
        checks.shape(label, tensor, y.shape)
        checks.same_or_disjoint(label, tensor, "y", y)
    arguments = packed(*inputs.values(), y, Size(y.size), *scalars)
    _enqueue(device, file or f"{name}.hip", f"{name}{suffix}", y.size, arguments)


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
    checks.hosts(**inputs)
    with Scope() as scope:
        there = {label: scope.upload(array) for label, array in inputs.items()}
        first = next(iter(inputs.values()))
        result = scope.empty(first.shape, first.dtype)
        _launch(device, name, result, *scalars, file=file, **there)
        return result.download()
