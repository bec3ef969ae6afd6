"""The specs of a mixture of experts."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import float32, lengths, logits, matrices, tensors
from hipaudit.library.choices import settled
from hipaudit.spec import Array, Spec
from hipaudit_reference import acceptance, bounds, exact, summation
from hipaudit_runtime import ops
from hipaudit_runtime.ops.experts import router_height

_FINITE = st.sampled_from([*families.WELL_SCALED, families.PLANTED[0]])
_SEEDS = st.integers(0, 2**32 - 1)


def _height(experts: int) -> summation.Tree:
    return summation.Tree(max(router_height(experts, wave) for wave in (32, 64)))


def _route(device: Any, logits: Array, count: int, normalised: bool) -> tuple[Array, Array]:
    """The router, its choices settled where rounding leaves one."""
    weights, indices = ops.router(device, logits, count, normalised=normalised)
    probabilities = ref.softmax(logits)
    error = bounds.softmax(logits, height=_height(logits.shape[-1]))
    excess = acceptance.top_k(probabilities, indices, error)
    expected = ref.router(logits, count, normalised)[1]
    return weights, settled(indices, expected, excess)


def _routed(logits: Array, count: int, normalised: bool) -> tuple[Array, Array]:
    return ref.router(logits, count, normalised)


def _route_bound(logits: Array, count: int, normalised: bool) -> tuple[Array, Array]:
    return bounds.router(logits, count, normalised, height=_height(logits.shape[-1]))


def _route_spot(index: tuple[int, ...], logits: Array, count: int, normalised: bool) -> Any:
    return exact.router(logits, count, normalised, at=index)


@composite
def _router_inputs(draw: st.DrawFn) -> dict[str, Any]:
    experts = draw(lengths(1, 300))
    x = draw(matrices(float32, rows=lengths(1, 40), columns=experts, elements=logits()))
    count = draw(st.integers(1, min(experts, 8)))
    return {"logits": x, "count": count, "normalised": draw(st.booleans())}


def _logits(tokens: int, experts: int, count: int, **more: bool) -> dict[str, Any]:
    x = np.random.default_rng(experts).normal(0, 2, (tokens, experts)).astype(float32)
    return {"logits": x, "count": count, "normalised": True, **more}


_CLOSE = (np.arange(24, dtype=float32) * float32.type(2.0**-14)).reshape(3, 8)
"""Rising logits: fp16 holds no two neighbours' probabilities apart, float32 all of them."""
_FAR = np.linspace(-3, 3, 9, dtype=float32) + np.array([[1e5], [-1e5], [3e6]], dtype=float32)


ROUTER = Spec(
    name="moe_router",
    source="moe_router.hip",
    description="Softmax over the experts and the most probable of them, a wave a token.",
    inputs=_router_inputs(),
    launch=_route,
    reference=_routed,
    bound=_route_bound,
    spot=_route_spot,
    formula="that of softmax, and of the quotient by the chosen sum; choices by acceptance",
    cases=(
        _logits(1, 1, 1),
        _logits(9, 64, 8),
        _logits(3, 1024, 6, normalised=False),
        _logits(5, 33, 33),
        {"logits": np.zeros((3, 70), float32), "count": 5, "normalised": True},  # ties alone
        {"logits": np.full((2, 9), -np.inf, float32), "count": 3, "normalised": False},
        {"logits": _CLOSE, "count": 4, "normalised": True},
        # Beyond what fp16 holds, as only a shift that cancels may be.
        {"logits": _FAR, "count": 3, "normalised": False},
    ),
    examples=20,
)


def _permute(device: Any, chosen: Array, experts: int) -> tuple[Array, Array, Array]:
    return ops.permute(device, chosen, experts)


def _permuted(chosen: Array, experts: int) -> tuple[Array, Array, Array]:
    """The pairs of no expert come last: as a group of their own, which has no offset."""
    inside = (chosen >= 0) & (chosen < experts)
    source, offsets = ref.permute(np.where(inside, chosen, experts), experts + 1)
    return source, offsets[:-1], np.argsort(source)


@composite
def _pairs(draw: st.DrawFn) -> dict[str, Any]:
    experts = draw(lengths(1, 200))
    shape = (draw(lengths(1, 900)), draw(st.integers(1, 8)))
    generator = np.random.default_rng(draw(_SEEDS))
    spread = draw(st.integers(1, experts))  # few experts get everything, or all of them some
    chosen = generator.integers(0, spread, shape, dtype=np.int32)
    if draw(st.booleans()):
        nowhere = np.array([-1, experts, -(2**31), 2**31 - 1], np.int32)
        chosen = np.where(generator.random(shape) < 0.125, generator.choice(nowhere, shape), chosen)
    return {"chosen": chosen, "experts": experts}


PERMUTE = Spec(
    name="moe_permute",
    source="moe_permute.hip",
    description="(token, choice) pairs sorted by expert, stable; the groups' offsets; the inverse.",
    inputs=_pairs(),
    launch=_permute,
    reference=_permuted,
    exact=True,
    formula="exact: integers",
    cases=(
        {"chosen": np.array([[0]], np.int32), "experts": 1},
        {"chosen": np.full((300, 2), 1023, np.int32), "experts": 1024},
        # Counts of every wave in each of several pieces of the scan.
        {"chosen": (np.arange(600, dtype=np.int32) * 7 % 1024).reshape(-1, 2), "experts": 1024},
        {"chosen": np.array([[3, -1], [8, 0], [7, 2**31 - 1]], np.int32), "experts": 8},
        {"chosen": np.arange(1030, dtype=np.int32)[::-1].reshape(-1, 2) % 7, "experts": 9},
    ),
    examples=20,
    kernels=("moe_count", "moe_offsets", "moe_scatter"),
)


@composite
def _combination(draw: st.DrawFn) -> dict[str, Array]:
    tokens, count, n = draw(lengths(1, 40)), draw(st.integers(1, 8)), draw(lengths(1, 300))
    source = np.random.default_rng(draw(_SEEDS)).permutation(tokens * count).astype(np.int32)
    return {
        "y": draw(tensors(float32, (tokens * count, n), _FINITE)),
        "weights": draw(tensors(float32, (tokens, count), _FINITE)),
        "source": source,
    }


def _combine(device: Any, y: Array, weights: Array, source: Array) -> Array:
    return ops.combine(device, y, weights, np.argsort(source).astype(np.int32))


def _combine_bound(y: Array, weights: Array, source: Array) -> Array:
    return bounds.combine(y, weights, source)


def _combine_spot(index: tuple[int, ...], y: Array, weights: Array, source: Array) -> Any:
    return exact.combine(y, weights, source, at=index)


COMBINE = Spec(
    name="moe_combine",
    source="moe_combine.hip",
    description="Weighted sum of each token's experts' outputs, gathered from the sorted rows.",
    inputs=_combination(),
    launch=_combine,
    reference=ref.combine,
    bound=_combine_bound,
    spot=_combine_spot,
    formula="gamma_{count+1} sum |w y|; Higham, 3.1",
    examples=20,
)

SPECS = (ROUTER, PERMUTE, COMBINE)
