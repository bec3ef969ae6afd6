"""Bounds of products, convolutions and the audio front end hold for fp32 kernels, and can fail."""

from __future__ import annotations

import time
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit_reference import bounds
from hipaudit_reference.analysis import simulate
from hipaudit_reference.bounds import AMD_FAST
from hipaudit_reference.formats import BF16, FP16, FP32, Format, ggml, round_to
from hipaudit_reference.summation import BlockFma, SplitK, Strided, Tree

Array = Any


def _worst(actual: Array, exact: Array, bound: Array, out: Format = FP32) -> float:
    judged = ref.judge(actual, exact, bound, out)
    assert np.all(judged.determined)
    return judged.worst


def _serial_product(a: Array, b: Array) -> Array:
    total = np.zeros((a.shape[0], b.shape[1]), dtype=np.float32)
    for k in range(a.shape[1]):
        total = total + a[:, k : k + 1] * b[k : k + 1, :]
    return total


def _matrices(kind: str, dtype: Any = np.float32, k: int = 700) -> tuple[Array, Array]:
    g = np.random.default_rng(11)
    a, b = g.normal(0, 1, (33, k)), g.normal(0, 1, (k, 17))
    if kind == "positive":
        a, b = np.abs(a), np.abs(b)
    if kind == "cancelling":
        a[:, k // 2 :], b[k // 2 :] = a[:, : k - k // 2], -b[: k - k // 2]
        a *= 1e4
    if kind == "tiny":
        a, b = a * 1e-25, b * 1e-18
    return a.astype(dtype), b.astype(dtype)


@pytest.mark.parametrize("kind", ["normal", "positive", "cancelling", "tiny"])
def test_gemm_bound_holds(kind: str) -> None:
    a, b = _matrices(kind)
    assert 0 < _worst(_serial_product(a, b), ref.gemm(a, b), bounds.gemm(a, b)) <= 1


def test_gemm_bound_is_near_what_is_seen() -> None:
    a, b = (np.full(shape, np.float32(0.1)) for shape in ((2, 4096), (4096, 2)))
    assert 0.05 < _worst(_serial_product(a, b), ref.gemm(a, b), bounds.gemm(a, b)) <= 1


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16], ids=["fp16", "bf16"])
def test_gemm_of_halves_in_fp32_holds_and_a_narrow_accumulator_does_not(dtype: Any) -> None:
    a, b = _matrices("normal", dtype)
    exact, bound = ref.gemm(a, b), bounds.gemm(a, b)
    wide = _serial_product(a.astype(np.float32), b.astype(np.float32))
    assert _worst(wide, exact, bound) <= 1
    assert _worst(round_to(wide, FP16), exact, bounds.gemm(a, b, out=FP16), FP16) <= 1
    narrow = np.zeros_like(exact)
    for k in range(a.shape[1]):
        narrow = round_to(narrow + exact.dtype.type(1) * np.outer(a[:, k], b[k]), FP16)
    assert _worst(narrow, exact, bounds.gemm(a, b, out=FP16), FP16) > 1
    assert _worst(narrow, exact, bounds.gemm(a, b, working=FP16, out=FP16), FP16) <= 1


def test_alpha_and_beta() -> None:
    a, b = _matrices("normal")
    c = np.random.default_rng(12).normal(0, 30, (33, 17)).astype(np.float32)
    arguments = (a, b, c, 0.3, -1.7)
    exact = ref.gemm(*arguments)
    product = np.float32(0.3) * _serial_product(a, b)
    actual = product + np.float32(-1.7) * c
    assert _worst(actual, exact, bounds.gemm(*arguments)) <= 1
    assert _worst(product, exact, bounds.gemm(*arguments)) > 1
    np.testing.assert_allclose(exact, 0.3 * ref.gemm(a, b) - 1.7 * c.astype(float), rtol=1e-12)


def test_beta_zero_does_not_read_c() -> None:
    a, b = _matrices("normal")
    c = np.full((33, 17), np.nan, dtype=np.float32)
    np.testing.assert_array_equal(ref.gemm(a, b, c), ref.gemm(a, b))
    assert np.all(np.isnan(ref.gemm(a, b, c, beta=1e-30)))
    assert np.all(np.isfinite(bounds.gemm(a, b, c)))


def test_split_k_with_half_partials() -> None:
    a, b = _matrices("normal")
    exact, total = ref.gemm(a, b), np.zeros((33, 17))
    for part in np.array_split(np.arange(a.shape[1]), 4):
        total = round_to(total + round_to(_serial_product(a[:, part], b[part]), BF16), BF16)
    split = SplitK(4, partial=BF16)
    assert _worst(total, exact, bounds.gemm(a, b, height=split, out=BF16), BF16) <= 1
    assert _worst(total, exact, bounds.gemm(a, b, out=BF16), BF16) > 1


def test_block_fma_is_tighter_than_serial() -> None:
    a, b = _matrices("positive", np.float16)
    total = np.zeros((33, 17))
    for k in range(0, 700, 16):
        total = round_to(total + ref.gemm(a[:, k : k + 16], b[k : k + 16]), FP32)
    bound = bounds.gemm(a, b, height=BlockFma(16))
    assert np.all(bound < bounds.gemm(a, b) / 8)
    assert _worst(total, ref.gemm(a, b), bound) <= 1


@pytest.mark.parametrize(
    "fault",
    [
        lambda a, b: 1.02 * ref.gemm(a, b),
        lambda a, b: round_to(ref.gemm(a, b), BF16),
        lambda a, b: np.where(np.arange(17) == 0, 0, ref.gemm(a, b)),
        lambda a, b: -ref.gemm(a, b),
        lambda a, b: ref.gemm(a[:, :-1], b[:-1]),
        lambda a, b: ref.gemm(round_to(a, FP16), b),
    ],
    ids=["x1.02", "bf16", "first column 0", "sign", "k - 1", "fp16 in"],
)
def test_gemm_bound_rejects(fault: Any) -> None:
    a, b = _matrices("positive")
    assert _worst(fault(a, b), ref.gemm(a, b), bounds.gemm(a, b)) > 1


def test_empty_and_batched_products() -> None:
    a, b = np.zeros((3, 0), np.float32), np.zeros((0, 2), np.float32)
    assert not np.any(ref.gemm(a, b))
    assert not np.any(bounds.gemm(a, b))
    c = np.ones((3, 2))
    assert np.all(ref.gemm(a, b, c, beta=2.0) == 2)
    g = np.random.default_rng(13)
    x, y = g.normal(0, 1, (5, 1, 4, 6)), g.normal(0, 1, (3, 6, 2))
    assert ref.gemm(x, y).shape == bounds.gemm(x, y).shape == (5, 3, 4, 2)
    np.testing.assert_allclose(ref.gemm(x, y)[2, 1], x[2, 0] @ y[1], rtol=1e-14)
    np.testing.assert_allclose(
        ref.gemv(x, y[:, :, 0][:, None, :].swapaxes(0, 1))[0, 0], x[0, 0] @ y[0, :, 0], rtol=1e-14
    )


def test_infinities_in_a_product_are_ieee_and_overflow_is_not_determined() -> None:
    a = np.array([[np.inf, 1.0], [1.0, 1.0], [3e38, 3e38]], dtype=np.float32)
    b = np.array([[1.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    exact, bound = ref.gemm(a, b), bounds.gemm(a, b)
    assert exact[0, 0] == np.inf
    assert np.isnan(exact[0, 1])
    assert bound[0].tolist() == [0, 0]
    assert np.isfinite(bound[1]).all()
    assert bound[2, 0] == np.inf
    assert np.isfinite(bound[2, 1])


def test_a_large_product_with_its_bound_is_quick() -> None:
    g = np.random.default_rng(14)
    a, b = (g.normal(0, 1, (1024, 1024)).astype(np.float32) for _ in range(2))
    start = time.perf_counter()
    ref.gemm(a, b)
    bounds.gemm(a, b)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("kind", ["Q4_1", "Q4_K", "Q8_0", "MXFP4"])
def test_quantised_gemv_bound_holds(kind: str) -> None:
    g = np.random.default_rng(15)
    blocks = g.integers(0, 256, (40 * 2, ggml.BLOCK_TYPES[kind].bytes), dtype=np.uint8)
    for offset in (1, 3) if kind in ("Q4_1", "Q4_K") else (1,):
        blocks[:, offset] &= 0xBF
    blocks[:, 0] = 120 if kind == "MXFP4" else blocks[:, 0]
    width = 2 * ggml.BLOCK_TYPES[kind].elements
    x = g.normal(0, 1, width).astype(np.float32)
    matrix = ggml.decode(blocks, kind).reshape(40, width)
    actual = simulate.strided(matrix * x, 64)
    exact = ref.quantised_gemv(blocks, kind, x)
    bound = bounds.quantised_gemv(blocks, kind, x, height=Strided(64))
    assert 0 < _worst(actual, exact, bound) <= 1
    assert _worst(round_to(actual, FP16), exact, bound) > 1
    assert np.all(bounds.quantised_gemv(blocks, kind, x, height=Strided(64), factored=True) > bound)


def test_factored_scales_need_the_wider_bound() -> None:
    """Q4_1 weights d q + m that cancel: summed apart, the parts' errors remain."""
    g = np.random.default_rng(16)
    q = g.integers(0, 16, (50, 8, 32))
    blocks = np.zeros((50, 8, 20), dtype=np.uint8)
    blocks[..., :4] = np.array([1.0, -8.0], dtype="<f2").view(np.uint8)
    blocks[..., 4:] = q[..., :16] | q[..., 16:] << 4
    x = np.abs(g.normal(0, 1, 256)).astype(np.float32) + np.float32(1e3)
    codes = q.reshape(50, 256).astype(np.float32)
    both = simulate.serial(codes * x) + np.float32(-8) * simulate.serial(x)[None]
    exact = ref.quantised_gemv(blocks, "Q4_1", x)
    assert _worst(both, exact, bounds.quantised_gemv(blocks, "Q4_1", x, factored=True)) <= 1
    assert _worst(both, exact, bounds.quantised_gemv(blocks, "Q4_1", x, height=Tree(8))) > 1


def test_grouped_gemm_and_combine() -> None:
    g = np.random.default_rng(17)
    x = g.normal(0, 1, (9, 64)).astype(np.float32)
    weights = g.normal(0, 1, (4, 64, 5)).astype(np.float32)
    offsets = np.array([0, 3, 3, 8, 9])
    exact = ref.grouped_gemm(x, weights, offsets)
    actual = np.concatenate(
        [_serial_product(x[i:j], w) for i, j, w in zip(offsets, offsets[1:], weights, strict=False)]
    )
    assert 0 < _worst(actual, exact, bounds.grouped_gemm(x, weights, offsets)) <= 1
    shares = g.random((3, 3)).astype(np.float32)
    source = g.permutation(9)
    token = exact.astype(np.float32)
    back = np.empty_like(token)
    back[source] = token
    actual = np.zeros((3, 5), dtype=np.float32)
    for c in range(3):
        actual = actual + shares[:, c, None] * back.reshape(3, 3, 5)[:, c]
    assert (
        _worst(actual, ref.combine(token, shares, source), bounds.combine(token, shares, source))
        <= 1
    )


@pytest.mark.parametrize("padding", [0, 3])
def test_convolutions(padding: int) -> None:
    g = np.random.default_rng(18)
    x = g.normal(0, 1, (2, 6, 50)).astype(np.float32)
    w, bias = g.normal(0, 1, (6, 7)).astype(np.float32), g.normal(0, 1, 6).astype(np.float32)
    exact = ref.conv1d_depthwise(x, w, bias, padding)
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding)])
    actual = np.broadcast_to(bias[:, None], exact.shape).astype(np.float32)
    for j in range(7):
        actual = actual + w[:, j, None] * padded[..., j : j + exact.shape[-1]]
    bound = bounds.conv1d_depthwise(x, w, bias, padding)
    assert exact.shape == (2, 6, 50 + 2 * padding - 6)
    assert 0.01 < _worst(actual, exact, bound) <= 1
    np.testing.assert_allclose(exact[0, 2, 4], w[2] @ padded[0, 2, 4:11] + bias[2], rtol=1e-5)
    flipped = ref.conv1d_depthwise(x, w[:, ::-1], bias, padding)
    assert _worst(flipped, exact, bound) > 1
    square = g.normal(0, 1, (4, 6)).astype(np.float32)
    shift = g.normal(0, 1, 4).astype(np.float32)
    pointwise = ref.conv1d_pointwise(x, square, shift)
    for height in (None, Tree(3)):
        limit = bounds.conv1d_pointwise(x, square, shift, height=height)
        assert _worst(np.matmul(square, x) + shift[:, None], pointwise, limit) <= 1


def _fft32(frames: Array) -> Array:
    """Radix-2 FFT in complex64: decimation in time."""
    n = frames.shape[-1]
    if n == 1:
        return frames.astype(np.complex64)
    even, odd = _fft32(frames[..., 0::2]), _fft32(frames[..., 1::2])
    turned = np.exp(-2j * np.pi * np.arange(n // 2) / n).astype(np.complex64) * odd
    return np.concatenate([even + turned, even - turned], axis=-1)


@pytest.mark.parametrize("transform", ["fft", "dft"])
def test_power_spectrum_and_log_mel(transform: Any) -> None:
    g = np.random.default_rng(19)
    signal = (np.sin(np.arange(4000) * 0.2) + 0.01 * g.normal(0, 1, 4000)).astype(np.float32)
    window = ref.hann(256).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(signal, 256)[::128] * window
    if transform == "fft":
        spectrum = _fft32(frames)[..., :129]
    else:
        angle = 2 * np.pi * np.outer(np.arange(256), np.arange(129)) / 256
        spectrum = frames @ np.cos(angle).astype(np.float32) + 1j * (
            frames @ -np.sin(angle).astype(np.float32)
        )
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    exact = ref.power_spectrum(signal, window, 128)
    bound = bounds.power_spectrum(signal, window, 128, transform=transform)
    assert _worst(power, exact, bound) <= 1
    assert _worst(np.roll(power, 1, axis=-1), exact, bound) > 1
    filters = ref.mel_filters(40, 256, 16000.0).astype(np.float32)
    mel = np.log10(np.maximum(power @ filters.T, np.float32(1e-10)))
    exact = ref.log_mel(signal, window, filters, 128)
    bound = bounds.log_mel(signal, window, filters, 128, transform=transform)
    assert _worst(mel, exact, bound) <= 1
    assert _worst(mel + np.float32(0.01), exact, bound) > 1
    assert _worst(np.zeros_like(exact), exact, bound) > 1


def test_mel_filters_are_triangles_of_unit_area() -> None:
    filters = ref.mel_filters(40, 2048, 16000.0)
    area = filters.sum(axis=1) * 16000 / 2048
    np.testing.assert_allclose(area, 1, rtol=0.05)
    assert np.all(filters >= 0)
    peaks = filters.argmax(axis=1)
    assert np.all(np.diff(peaks) > 0)
    # Below 1 kHz the bands are equally wide.
    linear = peaks[peaks < 1000 / 16000 * 2048]
    assert np.ptp(np.diff(linear)) <= 1
    assert ref.hann(8)[4] == 1
    assert ref.hann(8)[0] == 0


def test_frames_shorter_than_the_window_are_none() -> None:
    assert ref.power_spectrum(np.zeros(10), ref.hann(16), 4).shape == (0, 9)
    assert bounds.power_spectrum(np.zeros(10), ref.hann(16), 4).shape == (0, 9)
    assert ref.power_spectrum(np.zeros((3, 16)), ref.hann(16), 4).shape == (3, 1, 9)


def test_flushing_widens_products() -> None:
    a = np.full((1, 3), 1e-39, dtype=np.float32)
    b = np.ones((3, 1), dtype=np.float32)
    flushed = np.zeros((1, 1))
    assert _worst(flushed, ref.gemm(a, b), bounds.gemm(a, b, device=AMD_FAST)) <= 1
    assert _worst(flushed, ref.gemm(a, b), bounds.gemm(a, b)) > 1
