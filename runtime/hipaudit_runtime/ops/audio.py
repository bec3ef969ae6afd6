"""Audio: the log-mel front end, convolutions over time, attention with relative positions."""

from __future__ import annotations

import math

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope, Tensor

MOST_FRAME = 2048
_LARGEST_FACTOR = 13
_THREADS = 256
_COLUMNS = 64
_ROWS = 16
_MOST = checks.FEW_INDEX - _COLUMNS
_MOST_TOKENS = 8192
_MOST_SIZE = 1024


def twiddles(n: int) -> checks.Host:
    """The n twiddle factors of a frame's Fourier transform, float32 (n, 2): cos and -sin."""
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), -np.sin(angles)], axis=-1).astype(np.float32)


def launch_power_spectrum(
    device: DeviceLike, signal: Tensor, window: Tensor, factors: Tensor, power: Tensor, hop: int
) -> None:
    """Launch |DFT|^2 of each windowed frame: power (rows, frames, n / 2 + 1).

    signal (rows, samples), window (n,), factors (`twiddles`, on the device); float32.
    """
    n = _check_frames(signal, window, factors, power, hop)
    rows, samples = signal.shape
    frames = _frames(samples, n, hop)
    checks.shape("power", power, (rows, frames, n // 2 + 1))
    if power.size == 0:
        return
    blocks = checks.blocks_for(f"{rows * frames} frames", rows * frames * _THREADS, _THREADS)
    kernel = modules.kernel(device, "log_mel.hip", "power_spectrum")
    arguments = packed(signal, window, factors, power, samples, hop, n)
    kernel.launch(blocks, _THREADS, arguments, shared_bytes=16 * n)


def launch_log_mel(
    device: DeviceLike,
    signal: Tensor,
    window: Tensor,
    factors: Tensor,
    filters: Tensor,
    features: Tensor,
    hop: int,
    floor: float = 1e-10,
) -> None:
    """Launch log10(max(filters power, floor)): features (rows, frames, bins).

    filters (bins, n / 2 + 1); the others as `launch_power_spectrum`.
    """
    n = _check_frames(signal, window, factors, features, hop)
    checks.floats(filters=filters)
    checks.rank("filters", filters, 2)
    bins = filters.shape[0]
    checks.shape("filters", filters, (bins, n // 2 + 1))
    checks.within("floor", floor, 2.0**-126, 2.0**126)
    checks.disjoint("filters", filters, "features", features)
    rows, samples = signal.shape
    frames = _frames(samples, n, hop)
    checks.shape("features", features, (rows, frames, bins))
    if features.size == 0:
        return
    checks.within("bins", bins, 1, _MOST)
    blocks = checks.blocks_for(f"{rows * frames} frames", rows * frames * _THREADS, _THREADS)
    kernel = modules.kernel(device, "log_mel.hip", "log_mel")
    arguments = packed(
        signal, window, factors, filters, features, samples, hop, n, bins, float(floor)
    )
    kernel.launch(blocks, _THREADS, arguments, shared_bytes=16 * n)


def power_spectrum(
    device: DeviceLike, signal: checks.Host, window: checks.Host, hop: int
) -> checks.Host:
    """Power spectra of the signal's frames: (rows, frames, n / 2 + 1)."""
    frames = _host_frames(signal, window, hop)
    with Scope() as scope:
        power = scope.empty((signal.shape[0], frames, window.size // 2 + 1), np.float32)
        launch_power_spectrum(device, *_uploaded(scope, signal, window), power, hop)
        return power.download()


def log_mel(
    device: DeviceLike,
    signal: checks.Host,
    window: checks.Host,
    filters: checks.Host,
    hop: int,
    floor: float = 1e-10,
) -> checks.Host:
    """Log-mel features of the signal's frames: (rows, frames, bins)."""
    checks.host("filters", filters, np.float32)
    frames = _host_frames(signal, window, hop)
    with Scope() as scope:
        features = scope.empty((signal.shape[0], frames, filters.shape[0]), np.float32)
        parts = (*_uploaded(scope, signal, window), scope.upload(filters))
        launch_log_mel(device, *parts, features, hop, floor)
        return features.download()


def _host_frames(signal: checks.Host, window: checks.Host, hop: int) -> int:
    """The frames of a host signal (rows, samples)."""
    checks.host("signal", signal, np.float32)
    checks.host("window", window, np.float32)
    checks.rank("signal", signal, 2)
    checks.within("hop", hop, 1, _MOST)
    return _frames(signal.shape[1], _check_length(window.size), hop)


def _uploaded(
    scope: Scope, signal: checks.Host, window: checks.Host
) -> tuple[Tensor, Tensor, Tensor]:
    """Signal, window and its twiddle factors on the device."""
    return scope.upload(signal), scope.upload(window), scope.upload(twiddles(window.size))


def launch_conv1d_depthwise(
    device: DeviceLike, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor, padding: int
) -> None:
    """Launch a depthwise convolution over time with zeros outside; float32.

    x (batch, channels, time), weight (channels, taps), bias (channels,), y (batch, channels,
    time + 2 padding - taps + 1).
    """
    batch, channels, time = _check_convolution(x, weight, bias, y)
    taps = weight.shape[1]
    checks.shape("weight", weight, (channels, taps))
    checks.within("padding", padding, 0, _MOST // 2 - time)
    checks.within("taps", taps, 1, time + 2 * padding)
    length = time + 2 * padding - taps + 1
    checks.shape("y", y, (batch, channels, length))
    if y.size == 0:
        return
    tiles = batch * channels * -(-length // _THREADS)
    checks.blocks_for(f"a convolution of {tiles} tiles", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "conv1d.hip", "conv1d_depthwise")
    kernel.launch(tiles, _THREADS, packed(x, weight, bias, y, channels, time, taps, padding))


def launch_conv1d_pointwise(
    device: DeviceLike, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor
) -> None:
    """Launch a matrix product at each time step; float32.

    x (batch, channels, time), weight (outputs, channels), bias (outputs,), y (batch, outputs,
    time).
    """
    batch, channels, time = _check_convolution(x, weight, bias, y)
    outputs = weight.shape[0]
    checks.shape("weight", weight, (outputs, channels))
    checks.shape("y", y, (batch, outputs, time))
    if y.size == 0:
        return
    tiles = batch * -(-outputs // _ROWS) * -(-time // _COLUMNS)
    checks.blocks_for(f"a convolution of {tiles} tiles", tiles * _THREADS, _THREADS)
    kernel = modules.kernel(device, "conv1d.hip", "conv1d_pointwise")
    kernel.launch(tiles, _THREADS, packed(x, weight, bias, y, channels, outputs, time))


def conv1d_depthwise(
    device: DeviceLike, x: checks.Host, weight: checks.Host, bias: checks.Host, padding: int = 0
) -> checks.Host:
    """A depthwise convolution of (batch, channels, time)."""
    for name, array in (("x", x), ("weight", weight), ("bias", bias)):
        checks.host(name, array, np.float32)
    checks.rank("x", x, 3)
    checks.rank("weight", weight, 2)
    length = x.shape[2] + 2 * padding - weight.shape[1] + 1
    checks.within("taps", weight.shape[1], 1, x.shape[2] + 2 * padding)
    with Scope() as scope:
        result = scope.empty((*x.shape[:2], length), np.float32)
        parts = (scope.upload(x), scope.upload(weight), scope.upload(bias))
        launch_conv1d_depthwise(device, *parts, result, padding)
        return result.download()


def conv1d_pointwise(
    device: DeviceLike, x: checks.Host, weight: checks.Host, bias: checks.Host
) -> checks.Host:
    """A pointwise convolution of (batch, channels, time): (batch, outputs, time)."""
    for name, array in (("x", x), ("weight", weight), ("bias", bias)):
        checks.host(name, array, np.float32)
    checks.rank("x", x, 3)
    with Scope() as scope:
        result = scope.empty((x.shape[0], weight.shape[0], x.shape[2]), np.float32)
        parts = (scope.upload(x), scope.upload(weight), scope.upload(bias))
        launch_conv1d_pointwise(device, *parts, result)
        return result.download()


def launch_relative_attention(
    device: DeviceLike,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    encoding: Tensor,
    content_bias: Tensor,
    position_bias: Tensor,
    o: Tensor,
    scale: float | None = None,
) -> None:
    """Launch self-attention with relative positions; float32, o overlaps nothing.

    q, k (batch, heads, t, size), v and o (batch, heads, t, value_size), encoding (heads, 2 t - 1,
    size) from the farthest past on, both biases (heads, size); scale 1 / sqrt(size) by default.
    """
    inputs = {"q": q, "k": k, "v": v, "encoding": encoding}
    inputs |= {"content_bias": content_bias, "position_bias": position_bias}
    checks.floats(**inputs, o=o)
    checks.rank("q", q, 4)
    checks.rank("v", v, 4)
    batch, heads, tokens, size = q.shape
    value_size = v.shape[3]
    checks.shape("k", k, q.shape)
    checks.shape("v", v, (batch, heads, tokens, value_size))
    checks.shape("o", o, v.shape)
    checks.shape("encoding", encoding, (heads, max(2 * tokens - 1, 0), size))
    checks.shape("content_bias", content_bias, (heads, size))
    checks.shape("position_bias", position_bias, (heads, size))
    for name, tensor in inputs.items():
        checks.disjoint(name, tensor, "o", o)
    if o.size == 0:
        return
    checks.within("tokens", tokens, 1, _MOST_TOKENS)
    checks.within("size", size, 1, _MOST_SIZE)
    checks.within("value size", value_size, 1, _THREADS)
    factor = 1 / math.sqrt(size) if scale is None else scale
    queries = batch * heads * tokens
    checks.blocks_for(f"attention of {queries} queries", queries * _THREADS, _THREADS)
    kernel = modules.kernel(device, "relative_attention.hip", "relative_attention")
    arguments = packed(*inputs.values(), o, heads, tokens, size, value_size, float(factor))
    shared = 4 * (tokens + 2 * size + _THREADS)
    kernel.launch(queries, _THREADS, arguments, shared_bytes=shared)


def relative_attention(
    device: DeviceLike,
    q: checks.Host,
    k: checks.Host,
    v: checks.Host,
    encoding: checks.Host,
    content_bias: checks.Host,
    position_bias: checks.Host,
    scale: float | None = None,
) -> checks.Host:
    """Self-attention with relative positions: (batch, heads, t, value_size)."""
    arrays = {"q": q, "k": k, "v": v, "encoding": encoding}
    arrays |= {"content_bias": content_bias, "position_bias": position_bias}
    for name, array in arrays.items():
        checks.host(name, array, np.float32)
    with Scope() as scope:
        result = scope.empty(v.shape, np.float32)
        there = {name: scope.upload(array) for name, array in arrays.items()}
        launch_relative_attention(device, **there, o=result, scale=scale)
        return result.download()


def _frames(samples: int, n: int, hop: int) -> int:
    """Whole frames of a signal."""
    return 0 if samples < n else 1 + (samples - n) // hop


def _check_length(n: int) -> int:
    """A frame length that the transform has stages for."""
    checks.within("frame length", n, 1, MOST_FRAME)
    rest, factor = n, 2
    while rest > 1:
        if rest % factor:
            factor += 1
        else:
            rest //= factor
            if factor > _LARGEST_FACTOR:
                raise ValueError(
                    f"a frame of {n} has the prime factor {factor}; the largest is "
                    f"{_LARGEST_FACTOR}"
                )
    return n


def _check_frames(signal: Tensor, window: Tensor, factors: Tensor, result: Tensor, hop: int) -> int:
    """Check what both front-end kernels take; the frame length."""
    checks.floats(signal=signal, window=window, factors=factors, result=result)
    checks.rank("signal", signal, 2)
    checks.rank("window", window, 1)
    n = _check_length(window.size)
    checks.shape("factors", factors, (n, 2))
    checks.aligned("factors", factors.address, 8)
    checks.within("hop", hop, 1, _MOST)
    checks.within("samples", signal.shape[1], 0, _MOST)
    for name, tensor in (("signal", signal), ("window", window), ("factors", factors)):
        checks.disjoint(name, tensor, "result", result)
    return n


def _check_convolution(x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> tuple[int, int, int]:
    """Check what both convolutions take; batch, channels and time."""
    checks.floats(x=x, weight=weight, bias=bias, y=y)
    checks.rank("x", x, 3)
    checks.rank("weight", weight, 2)
    checks.shape("bias", bias, (weight.shape[0],))
    for name, tensor in (("x", x), ("weight", weight), ("bias", bias)):
        checks.disjoint(name, tensor, "y", y)
    batch, channels, time = x.shape
    for name, size in (("channels", channels), ("time", time), ("rows", weight.shape[0])):
        checks.within(name, size, 0, _MOST)
    return batch, channels, time
