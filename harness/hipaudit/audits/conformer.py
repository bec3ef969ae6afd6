"""A conformer encoder of speech recognition, small and with drawn weights, layer by layer.

What the audits of speech recognition run: the log-mel front end, and blocks of feed-forward,
attention with relative positions, convolution over time, feed-forward, through the runtime's
launchers. The kernels' numbers are their specs' business; here every layer says what it holds.
Source of the architecture: Gulati and others, "Conformer", Interspeech 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import hipaudit_reference as ref
from hipaudit.spec import Array
from hipaudit_runtime import ops

RATE = 16_000
FRAME, HOP, BINS = 400, 160, 40
WIDTH, HEADS, INNER, TAPS, BLOCKS = 64, 4, 128, 9, 2


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: its weights by name, and run(device, x, weights) -> its output, (time, width)."""

    name: str
    weights: dict[str, Array]
    run: Callable[[Any, Array, dict[str, Array]], Array]

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return sum(weight.size for weight in self.weights.values())


def signal(seconds: float) -> Array:
    """Speech's stand-in: tones and noise, float32 (1, samples)."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(1).normal(0, 0.01, time.size)
    tones = np.sin(2 * np.pi * 220 * time) + 0.5 * np.sin(2 * np.pi * 1760 * time)
    return np.asarray(0.3 * tones + noise, np.float32)[None]


def layers() -> tuple[Layer, ...]:
    """The encoder's layers, in order; the first takes a signal."""
    generator = np.random.default_rng(7)

    def drawn(*shape: int) -> Array:
        return generator.normal(0, shape[-1] ** -0.5, shape).astype(np.float32)

    blocks = [layer for block in range(BLOCKS) for layer in _block(block, drawn)]
    return (_front(), _projection("subsampling", drawn, BINS, WIDTH), *blocks)


def _front() -> Layer:
    weights = {
        "window": np.asarray(ref.hann(FRAME), np.float32),
        "filters": np.asarray(ref.mel_filters(BINS, FRAME, float(RATE)), np.float32),
    }

    def run(device: Any, x: Array, held: dict[str, Array]) -> Array:
        return np.asarray(ops.log_mel(device, x, held["window"], held["filters"], HOP)[0])

    return Layer("log-mel front end", weights, run)


def _projection(name: str, drawn: Callable[..., Array], wide: int, out: int) -> Layer:
    def run(device: Any, x: Array, held: dict[str, Array]) -> Array:
        return np.asarray(ops.gemm(device, x, held["weight"]))

    return Layer(name, {"weight": drawn(wide, out)}, run)


def _block(number: int, drawn: Callable[..., Array]) -> Iterator[Layer]:
    """A conformer block's four layers."""
    prefix = f"block {number}"
    yield _feed_forward(f"{prefix}: feed-forward", drawn)
    yield _attention(f"{prefix}: attention", drawn)
    yield _convolution(f"{prefix}: convolution", drawn)
    yield _feed_forward(f"{prefix}: feed-forward, last", drawn)


def _norm(drawn: Callable[..., Array]) -> dict[str, Array]:
    return {"scale": np.ones(WIDTH, np.float32), "shift": 0.1 * drawn(WIDTH)}


def _normed(device: Any, x: Array, held: dict[str, Array]) -> Array:
    return np.asarray(ops.layer_norm(device, x, held["scale"], held["shift"]))


def _feed_forward(name: str, drawn: Callable[..., Array]) -> Layer:
    def run(device: Any, x: Array, held: dict[str, Array]) -> Array:
        inner = ops.silu(device, ops.gemm(device, _normed(device, x, held), held["up"]))
        half = ops.scale(device, ops.gemm(device, inner, held["down"]), 0.5)
        return np.asarray(ops.add(device, x, half))

    return Layer(
        name, {**_norm(drawn), "up": drawn(WIDTH, INNER), "down": drawn(INNER, WIDTH)}, run
    )


def _attention(name: str, drawn: Callable[..., Array]) -> Layer:
    size = WIDTH // HEADS
    weights = {
        **_norm(drawn),
        **{each: drawn(WIDTH, WIDTH) for each in ("query", "key", "value", "position", "out")},
        **{each: 0.1 * drawn(HEADS, size) for each in ("content_bias", "position_bias")},
    }

    def run(device: Any, x: Array, held: dict[str, Array]) -> Array:
        normed = _normed(device, x, held)

        def heads(name: str, rows: Array) -> Array:
            product = ops.gemm(device, rows, held[name]).reshape(-1, HEADS, size)
            return np.ascontiguousarray(product.transpose(1, 0, 2))

        q, k, v = (heads(each, normed)[None] for each in ("query", "key", "value"))
        encoding = heads("position", _positions(len(x)))
        mixed = ops.relative_attention(
            device, q, k, v, encoding, held["content_bias"], held["position_bias"]
        )
        rows = np.ascontiguousarray(mixed[0].transpose(1, 0, 2)).reshape(-1, WIDTH)
        return np.asarray(ops.add(device, x, ops.gemm(device, rows, held["out"])))

    return Layer(name, weights, run)


def _positions(time: int) -> Array:
    """Sines and cosines of the distances, from the farthest past on: (2 time - 1, width)."""
    distance = np.arange(time - 1, -time, -1)[:, None]
    rates = 10_000.0 ** (-np.arange(0, WIDTH, 2) / WIDTH)
    angles = distance * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def _convolution(name: str, drawn: Callable[..., Array]) -> Layer:
    weights = {
        **_norm(drawn),
        "depthwise": drawn(WIDTH, TAPS),
        "depthwise_bias": 0.1 * drawn(WIDTH),
        "pointwise": drawn(WIDTH, WIDTH),
        "pointwise_bias": 0.1 * drawn(WIDTH),
    }

    def run(device: Any, x: Array, held: dict[str, Array]) -> Array:
        channels = np.ascontiguousarray(_normed(device, x, held).T)[None]
        deep = ops.conv1d_depthwise(
            device, channels, held["depthwise"], held["depthwise_bias"], TAPS // 2
        )
        wide = ops.conv1d_pointwise(
            device, ops.silu(device, deep), held["pointwise"], held["pointwise_bias"]
        )
        return np.asarray(ops.add(device, x, np.ascontiguousarray(wide[0].T)))

    return Layer(name, weights, run)
