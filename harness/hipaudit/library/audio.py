"""The specs of the audio front end and of what a conformer's encoder needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import anything, extremes, float32, lengths, tensors, vectors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops

_FINITE = st.sampled_from([*families.WELL_SCALED])
_LENGTHS = st.sampled_from((1, 2, 3, 4, 8, 13, 16, 30, 64, 77, 100, 128, 256, 400, 512))


def _at(function: Callable[..., Any]) -> Callable[..., Any]:
    def spot(index: tuple[int, ...], **inputs: Any) -> Any:
        return function(**inputs, at=index)

    return spot


def _window(n: int) -> Array:
    return np.asarray(ref.hann(n) if n > 2 else np.ones(n), float32)


@composite
def _signals(draw: st.DrawFn) -> dict[str, Any]:
    n, hop = draw(_LENGTHS), draw(lengths(1, 200))
    samples = n + draw(st.integers(0, 5)) * hop + draw(st.integers(0, hop - 1))
    signal = draw(tensors(float32, (draw(st.integers(1, 3)), samples), _FINITE))
    return {"signal": signal, "window": _window(n), "hop": hop}


def _tone(n: int, hop: int) -> dict[str, Any]:
    """A tone and a whisper of noise: bins far below the frame's energy."""
    time = np.arange(n + 6 * hop)
    noise = np.random.default_rng(n).normal(0, 1e-4, time.size)
    signal = (np.sin(0.3 * time) + noise).astype(float32)[None]
    return {"signal": signal, "window": _window(n), "hop": hop}


POWER_SPECTRUM = Spec(
    name="power_spectrum",
    source="log_mel.hip",
    description="|DFT|^2 of windowed frames, by Stockham's FFT of mixed radix.",
    inputs=_signals(),
    launch=ops.power_spectrum,
    reference=ref.power_spectrum,
    bound=bounds.power_spectrum,
    spot=_at(exact.power_spectrum),
    formula="2 |X| e + e^2 + gamma_3 |X|^2, e <= f sqrt(n) ||x||; Higham, theorem 24.2",
    cases=(_tone(400, 160), _tone(2048, 512), _tone(1001, 7)),
    examples=20,
)


def _with_filters(inputs: dict[str, Any], bins: int) -> dict[str, Any]:
    n = inputs["window"].size
    filters = np.asarray(ref.mel_filters(bins, n, 16000.0), float32)
    return {**inputs, "filters": np.maximum(filters, 0)}


@composite
def _mel_inputs(draw: st.DrawFn) -> dict[str, Any]:
    return _with_filters(draw(_signals()), draw(lengths(1, 90)))


LOG_MEL = Spec(
    name="log_mel",
    source="log_mel.hip",
    description="Log-mel features: log10 of the mel filters' share of each frame's power.",
    inputs=_mel_inputs(),
    launch=ops.log_mel,
    reference=ref.log_mel,
    bound=bounds.log_mel,
    spot=_at(exact.log_mel),
    formula="log10 over mel +- its error; the power spectrum's, and gamma_{bins} of the filters",
    # The last with more filters than a block has threads.
    cases=(
        _with_filters(_tone(400, 160), 80),
        _with_filters(_tone(512, 100), 128),
        _with_filters(_tone(64, 40), 600),
    ),
    examples=15,
)


@composite
def _depthwise(draw: st.DrawFn) -> dict[str, Any]:
    batch, channels, time = draw(st.integers(1, 2)), draw(lengths(1, 9)), draw(lengths(1, 400))
    padding = draw(st.integers(0, 16))
    taps = draw(st.integers(1, min(31, time + 2 * padding)))
    return {
        "x": draw(tensors(float32, (batch, channels, time), _FINITE)),
        "weight": draw(tensors(float32, (channels, taps), _FINITE)),
        "bias": draw(tensors(float32, (channels,), _FINITE)),
        "padding": padding,
    }


def _depthwise_case(time: int) -> dict[str, Any]:
    """Rows of as many outputs as inputs, 2 items of 3 channels."""
    generator = np.random.default_rng(time)
    return {
        "x": generator.uniform(-1, 1, (2, 3, time)).astype(float32),
        "weight": generator.uniform(-1, 1, (3, 5)).astype(float32),
        "bias": generator.uniform(-1, 1, 3).astype(float32),
        "padding": 2,
    }


DEPTHWISE = Spec(
    name="conv1d_depthwise",
    source="conv1d.hip",
    description="Depthwise convolution over time with zeros outside, a thread an element.",
    inputs=_depthwise(),
    launch=ops.conv1d_depthwise,
    reference=ref.conv1d_depthwise,
    bound=bounds.conv1d_depthwise,
    spot=_at(exact.conv1d_depthwise),
    formula="gamma_{taps + 1} (|w||x| + |bias|); Higham, 3.1",
    cases=tuple(_depthwise_case(time) for time in (255, 256, 257)),  # a block and beside it
    examples=20,
)


@composite
def _pointwise(draw: st.DrawFn) -> dict[str, Any]:
    sizes = [draw(st.integers(1, 2)), draw(lengths(1, 70)), draw(lengths(1, 150))]
    outputs = draw(lengths(1, 50))
    return {
        "x": draw(tensors(float32, (sizes[0], sizes[1], sizes[2]), _FINITE)),
        "weight": draw(tensors(float32, (outputs, sizes[1]), _FINITE)),
        "bias": draw(tensors(float32, (outputs,), _FINITE)),
    }


def _pointwise_case(batch: int, channels: int, time: int, outputs: int) -> dict[str, Any]:
    generator = np.random.default_rng(time)
    return {
        "x": generator.uniform(-1, 1, (batch, channels, time)).astype(float32),
        "weight": generator.uniform(-1, 1, (outputs, channels)).astype(float32),
        "bias": generator.uniform(-1, 1, outputs).astype(float32),
    }


POINTWISE = Spec(
    name="conv1d_pointwise",
    source="conv1d.hip",
    description="Pointwise convolution: a matrix product at each time step, in tiles of 16 x 64.",
    inputs=_pointwise(),
    launch=ops.conv1d_pointwise,
    reference=ref.conv1d_pointwise,
    bound=bounds.conv1d_pointwise,
    spot=_at(exact.conv1d_pointwise),
    formula="gamma_{in + 1} (|w||x| + |bias|); Higham, 3.5",
    # Whole tiles either way, and more than one item: one tile too many would be another's.
    cases=(_pointwise_case(2, 5, 64, 32), _pointwise_case(2, 17, 128, 16)),
    examples=15,
)


@composite
def _gated(draw: st.DrawFn) -> dict[str, Array]:
    count = draw(lengths(1, 5000))
    return {
        "value": draw(vectors(float32, count, elements=extremes())),
        "gate": draw(vectors(float32, count, elements=anything())),
    }


GLU = Spec(
    name="glu",
    source="glu.hip",
    description="value * sigmoid(gate) of two float32 arrays.",
    inputs=_gated(),
    launch=ops.glu,
    reference=ref.glu,
    bound=bounds.glu,
    spot=_at(exact.glu),
    formula="|y| ((u |g| + eps_exp) (1 - sigma(g)) + 3 u)",
    examples=20,
)


@composite
def _relative(draw: st.DrawFn) -> dict[str, Array]:
    batch, heads, tokens = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(lengths(1, 70))
    size, value_size = draw(lengths(1, 40)), draw(lengths(1, 70))
    normal = st.just(families.WELL_SCALED[0])
    return {
        "q": draw(tensors(float32, (batch, heads, tokens, size), _FINITE)),
        "k": draw(tensors(float32, (batch, heads, tokens, size), normal)),
        "v": draw(tensors(float32, (batch, heads, tokens, value_size), _FINITE)),
        "encoding": draw(tensors(float32, (heads, 2 * tokens - 1, size), normal)),
        "content_bias": draw(tensors(float32, (heads, size), normal)),
        "position_bias": draw(tensors(float32, (heads, size), normal)),
    }


def _relative_bound(**inputs: Any) -> Array:
    """Of a query that is not finite 0: its output is NaN, or 0 where all its logits are -inf."""
    whole = np.isfinite(inputs["q"]).all(axis=-1, keepdims=True)
    limit = bounds.relative_attention(**{**inputs, "q": np.where(whole, inputs["q"], 0)})
    return np.where(whole, limit, 0.0)


def _masked_query() -> dict[str, Array]:
    """One query whose logits are all -inf: its output is 0."""
    generator = np.random.default_rng(5)
    shapes = {
        "q": (1, 1, 5, 3),
        "k": (1, 1, 5, 3),
        "v": (1, 1, 5, 4),
        "encoding": (1, 9, 3),
        "content_bias": (1, 3),
        "position_bias": (1, 3),
    }
    case = {name: generator.uniform(0.5, 1, each).astype(float32) for name, each in shapes.items()}
    case["q"][0, 0, 2] = -np.inf
    return case


def _far_queries() -> dict[str, Array]:
    """Logits beyond what fp16 holds, some far below 0 and some far above, near one another."""
    case = _masked_query()
    for name in ("k", "encoding"):
        case[name] = float32.type(1) + case[name] * float32.type(1e-5)
    case["q"][:] = np.array([1e5, -1e5, 7e4, -7e4, 2e5], dtype=float32)[:, np.newaxis]
    return case


RELATIVE_ATTENTION = Spec(
    name="relative_attention",
    source="relative_attention.hip",
    description="Self-attention with relative positions and biases, a block a query.",
    inputs=_relative(),
    launch=ops.relative_attention,
    reference=ref.relative_attention,
    bound=_relative_bound,
    spot=_at(exact.relative_attention),
    formula="a logit: |scale| gamma_{d+3} ((|q| + |u|)|k| + (|q| + |w|)|e|); then as attention",
    cases=(_masked_query(), _far_queries()),
    examples=15,
)

SPECS = (POWER_SPECTRUM, LOG_MEL, DEPTHWISE, POINTWISE, GLU, RELATIVE_ATTENTION)
