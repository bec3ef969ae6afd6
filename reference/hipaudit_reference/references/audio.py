"""The audio front end and the convolutions of a conformer encoder, in float64."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64, quiet, require, require_rank


def hann(length: int) -> Float64:
    """Periodic Hann window: 0.5 - 0.5 cos(2 pi n / length)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / max(length, 1)))


def mel_filters(
    bins: int, fft_size: int, sample_rate: float, low: float = 0.0, high: float | None = None
) -> Float64:
    """Triangular filters of unit area on the mel scale: (bins, fft_size / 2 + 1).

    Mel scale of Slaney's Auditory Toolbox: linear (200/3 Hz a mel) below 1 kHz, logarithmic
    (27 mel a factor of 6.4) above; each triangle is scaled by 2 / its width in Hz.
    """
    top = sample_rate / 2 if high is None else high
    edges = _hertz(np.linspace(_mel(low), _mel(top), bins + 2))
    frequency = np.arange(fft_size // 2 + 1) * sample_rate / fft_size
    rising = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    triangle = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangle * (2.0 / (edges[2:] - edges[:-2]))[:, None])


_MEL_KNEE = 15.0  # mel at 1 kHz
_MEL_STEP = math.log(6.4) / 27


def _mel(hertz: float) -> float:
    linear = hertz * 3 / 200
    return linear if linear < _MEL_KNEE else _MEL_KNEE + math.log(hertz / 1000) / _MEL_STEP


def _hertz(mel: Float64) -> Float64:
    return np.where(mel < _MEL_KNEE, mel * 200 / 3, 1000 * np.exp(_MEL_STEP * (mel - _MEL_KNEE)))


def frames(signal: ArrayLike, window: ArrayLike, hop: int) -> Float64:
    """Windowed frames: frame f is signal[f hop : f hop + n] * window, no padding.

    signal (..., samples), window (n,); returns (..., 1 + (samples - n) // hop, n), none when the
    signal is shorter than the window.
    """
    samples, shape = as_float64(signal, "signal"), as_float64(window, "window")
    require_rank(samples, 1, "signal")
    length = shape.size
    if samples.shape[-1] < length:
        return np.zeros((*samples.shape[:-1], 0, length))
    view = np.lib.stride_tricks.sliding_window_view(samples, length, axis=-1)
    return np.asarray(view[..., ::hop, :] * shape)


@quiet
def power_spectrum(signal: ArrayLike, window: ArrayLike, hop: int) -> Float64:
    """|DFT|^2 of each frame: (..., frames, n / 2 + 1).

    X_k = sum_j x_j exp(-2 pi i j k / n), by NumPy's FFT in float64. Own error: see
    `bounds.power_spectrum` with u = 2^-53.
    """
    spectrum = np.fft.rfft(frames(signal, window, hop), axis=-1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


@quiet
def log_mel(
    signal: ArrayLike,
    window: ArrayLike,
    filters: ArrayLike,
    hop: int,
    floor: float = 1e-10,
) -> Float64:
    """Log-mel features: log10(max(filters power, floor)), (..., frames, bins).

    signal (..., samples) already padded, window (n,), filters (bins, n / 2 + 1) of numbers >= 0
    (`mel_filters`), floor > 0. Own error: the power's, 2^-53 (bins + 2), and 2^-53 |y|.
    """
    mel = power_spectrum(signal, window, hop) @ as_float64(filters, "filters").T
    return np.asarray(np.log10(np.maximum(mel, floor)))


@quiet
def conv1d_depthwise(
    x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, padding: int = 0
) -> Float64:
    """Depthwise convolution over time: y_ct = bias_c + sum_j weight_cj x_{c, t + j - padding}.

    x (..., channels, time), weight (channels, taps), bias (channels,) or None; zeros outside.
    Returns (..., channels, time + 2 padding - taps + 1). Own error: 2^-53 taps |w| |x|.
    """
    view, kernel, shift = depthwise_operands(x, weight, bias, padding)
    return np.asarray(np.einsum("...ctj,cj->...ct", view, kernel) + shift[:, None])


def depthwise_operands(
    x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None, padding: int
) -> tuple[Float64, Float64, Float64]:
    """The padded signal as (..., channels, time, taps), the weights and the bias."""
    samples, kernel = as_float64(x), as_float64(weight, "weight")
    require_rank(samples, 2, "x")
    channels, taps = kernel.shape
    require(
        samples.shape[-2] == channels,
        f"weight: {channels} channels for the {samples.shape[-2]} of x",
    )
    edges = [(0, 0)] * (samples.ndim - 1) + [(padding, padding)]
    padded = np.pad(samples, edges)
    require(padded.shape[-1] >= taps, f"x: {padded.shape[-1]} samples are fewer than {taps} taps")
    view = np.lib.stride_tricks.sliding_window_view(padded, taps, axis=-1)
    shift = as_float64(np.zeros(channels) if bias is None else bias, "bias")
    return view, kernel, shift


@quiet
def conv1d_pointwise(x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Float64:
    """Pointwise convolution: a matrix product at each time step.

    x (..., in, time), weight (out, in), bias (out,) or None; returns (..., out, time).
    Own error: 2^-53 in |w| |x|.
    """
    samples, kernel = as_float64(x), as_float64(weight, "weight")
    require_rank(samples, 2, "x")
    require(
        kernel.shape[-1] == samples.shape[-2],
        f"weight: {kernel.shape[-1]} inputs for the {samples.shape[-2]} channels of x",
    )
    shift = as_float64(0.0 if bias is None else bias, "bias")
    return np.asarray(kernel @ samples + (shift[:, None] if shift.ndim else shift))
