"""Bounds of the audio front end and convolutions."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import accumulated, settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.bounds.matrices import gemm
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import audio as reference
from hipaudit_reference.summation import Height, gamma

Transform = Literal["fft", "dft"]


@derived
def power_spectrum(
    signal: ArrayLike,
    window: ArrayLike,
    hop: int,
    *,
    transform: Transform = "fft",
    twiddle: float = 2.0,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of |X_k|^2: 2 |X| e + e^2 + gamma_3 |X|^2, with e the error of X_k.

    "fft" (radix 2, Higham theorem 24.2): e <= f sqrt(n) ||x||_2, f = log2(n) eta / (1 - log2(n)
    eta), eta = mu + gamma_4 (sqrt 2 + mu), mu = `twiddle` u the error of a twiddle factor; other
    radices pass through fewer stages. "dft" (a sum over the frame): e = gamma_{n + 1 + twiddle}
    sqrt 2 sum |x|. Windowing adds u to each sample.
    """
    y = reference.power_spectrum(signal, window, hop)
    error = spectrum_power_error(signal, window, hop, transform, twiddle, working, device)
    return settled(stored(error, y, out, working, device), y)


def spectrum_power_error(
    signal: ArrayLike,
    window: ArrayLike,
    hop: int,
    transform: Transform,
    twiddle: float,
    working: Format,
    device: DeviceErrors,
) -> Float64:
    """The error of the power spectrum in the working format."""
    u, tiny = device.unit(working), device.underflow(working)
    framed = reference.frames(signal, window, hop)
    length = framed.shape[-1]
    if transform == "fft":
        mu = twiddle * u
        eta = mu + gamma(4, u) * (math.sqrt(2) + mu) + u
        share = gamma(math.log2(max(length, 2)), eta) * math.sqrt(max(length, 1))
        norm = np.sqrt(np.sum(framed * framed, axis=-1, keepdims=True))
    else:
        share = accumulated(None, length, working, device, extra=2 + twiddle) * math.sqrt(2)
        norm = np.sum(np.abs(framed), axis=-1, keepdims=True)
    error = share * norm + 4 * length * (tiny + device.input_flush(working))
    power = reference.power_spectrum(signal, window, hop)
    squared = error * (2 * np.sqrt(power) + error)
    return np.asarray(squared + gamma(3, u) * (power + squared) + 2 * tiny)


@derived
def log_mel(
    signal: ArrayLike,
    window: ArrayLike,
    filters: ArrayLike,
    hop: int,
    floor: float = 1e-10,
    *,
    transform: Transform = "fft",
    twiddle: float = 2.0,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of log10(max(mel, floor)): the larger side of log10 over mel +- its error.

    mel is off by filters e + gamma_{h+1} filters (power + e), e the power spectrum's error; the
    logarithm adds eps_log |y|, or eps_log |ln mel| and two roundings where it is computed by ln
    or log2 and a factor. A bin far below its frame's energy has no relative accuracy in fp32:
    the bound says how much is left.
    """
    y = reference.log_mel(signal, window, filters, hop, floor)
    banks = as_float64(filters, "filters")
    moved = spectrum_power_error(signal, window, hop, transform, twiddle, working, device)
    power = reference.power_spectrum(signal, window, hop)
    mel = power @ banks.T
    u, bins = device.unit(working), banks.shape[-1]
    summed = accumulated(height, bins, working, device, extra=1)
    error = (moved + summed * (power + moved)) @ banks.T
    error = error + 2 * bins * device.underflow(working)
    least = floor * (1 - 2 * u)
    high = np.log10(np.maximum(mel + error, floor * (1 + 2 * u)))
    low = np.log10(np.maximum(mel - error, least))
    spread = np.maximum(high - y, y - low)
    logarithm = (max(device.log, device.log2, device.log10) + 2) * u
    total = spread + logarithm * (np.abs(y) + spread)
    overflow = mel + error >= working.max_finite
    return settled(stored(total, y, out, working, device), y, overflow)


@derived
def conv1d_depthwise(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    padding: int = 0,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of a depthwise convolution: gamma_{taps + 1} (|w||x| + |bias|)."""
    y = reference.conv1d_depthwise(x, weight, bias, padding)
    view, kernel, shift = reference.depthwise_operands(x, weight, bias, padding)
    finite = np.where(np.isfinite(view), np.abs(view), 0.0)
    sizes = np.where(np.isfinite(kernel), np.abs(kernel), 0.0)
    size = np.einsum("...ctj,cj->...ct", finite, sizes)
    size = size + np.where(np.isfinite(shift), np.abs(shift), 0.0)[:, None]
    taps = kernel.shape[-1]
    error = accumulated(height, taps, working, device, extra=2) * size
    flush = device.input_flush(working)
    error = error + 2 * taps * device.underflow(working) + flush
    error = error + flush * (np.sum(finite, axis=-1) + np.sum(sizes, axis=-1)[:, None])
    return settled(stored(error, y, out, working, device), y, size >= working.max_finite)


@derived
def conv1d_pointwise(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    height: Height = None,
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of a pointwise convolution: that of `gemm`, the bias among the terms or as C."""
    samples, kernel = as_float64(x), as_float64(weight, "weight")
    if bias is None:
        return gemm(kernel, samples, height=height, working=working, out=out, device=device)
    shift = as_float64(bias, "bias")[:, None]
    times = (*samples.shape[:-2], 1, samples.shape[-1])
    if height is None:
        # Any order, the accumulator may begin with the bias: a product of one more column.
        kernel = np.concatenate([kernel, shift], axis=1)
        samples = np.concatenate([samples, np.ones(times)], axis=-2)
        return gemm(kernel, samples, working=working, out=out, device=device)
    addend = np.broadcast_to(shift, (*samples.shape[:-2], kernel.shape[0], samples.shape[-1]))
    return gemm(
        kernel,
        samples,
        addend,
        beta=1.0,
        height=height,
        working=working,
        out=out,
        device=device,
    )
