"""The specs of multi-head latent attention."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, tensors
from hipaudit.library.attention import ELEMENTS, FORMULA
from hipaudit.library.paged import STORED, batch_of, by_token, sequences, some_nowhere
from hipaudit.library.placing import SHIFTS, placed
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.attention_tiles import product_height, tile_count
from hipaudit_runtime.ops.paged import split_space
from hipaudit_runtime.ops.rowwise import summation_height
from hipaudit_runtime.tensors import Scope

_NARROWEST_WAVE = 32
_RANKS = ((1, 2), (8, 4), (32, 8), (60, 20), (512, 64))
_SCALES = (float(float32.type(0.07)), 0.125)
_FINITE = st.sampled_from(families.WELL_SCALED)
_EPSILONS = tuple(float(np.float32(value)) for value in (1e-5, 1e-6, 1.0))


@composite
def _inputs(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 2))
    queries = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    tokens = [max(draw(lengths(0, 60)), own) for own in queries]
    page_size = draw(st.sampled_from([1, 4, 16]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pages, tables = sequences(generator, queries, tokens, page_size)
    rank, turned = draw(st.sampled_from(_RANKS))
    dtype = draw(st.sampled_from(STORED))
    heads = draw(st.sampled_from([1, 3, 9, 16]))
    return {
        "q": draw(tensors(float32, (sum(queries), heads, rank + turned), ELEMENTS)),
        "latents": draw(tensors(dtype, (pages, page_size, rank + turned), ELEMENTS)),
        **tables,
        "rank": rank,
        "scale": draw(st.sampled_from(_SCALES)),
        "splits": draw(st.sampled_from([1, 1, 3])),
        "shifts": (draw(SHIFTS), draw(SHIFTS)),
    }


def _launch(device: Any, shifts: tuple[int, int] = (0, 0), **inputs: Any) -> Array:
    """Attention of queries and latents so many elements behind aligned addresses."""
    with Scope() as scope:
        o = scope.empty((*inputs["q"].shape[:-1], inputs["rank"]), float32)
        q, latents = map(placed, (scope,) * 2, (inputs["q"], inputs["latents"]), shifts)
        parts = split_space(scope, o, inputs["splits"])
        batch = batch_of(scope, inputs)
        ops.launch_mla_attention(device, q, latents, batch, o, inputs["scale"], parts)
        return o.download()


def _oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the oracle's paged attention: one key head, values the latents."""
    names = ("block_table", "query_starts", "lengths")
    pages = np.asarray(inputs["latents"])[:, :, None, :]
    return {
        "q": inputs["q"],
        "k_pages": pages,
        "v_pages": pages[..., : inputs["rank"]],
        **by_token(**{name: inputs[name] for name in names}),
        "scale": inputs["scale"],
    }


def _reference(**inputs: Any) -> Array:
    return ref.paged_attention(**_oracle(inputs))


def _bound(**inputs: Any) -> Array:
    size, rank = inputs["q"].shape[-1], inputs["rank"]
    tiles = tile_count(int(np.max(inputs["lengths"])), size, rank)
    return bounds.paged_attention(
        **_oracle(inputs), tiles=tiles + inputs["splits"], products=product_height(size)
    )


def _spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.paged_attention(**_oracle(inputs), at=index)


def _case(
    queries: list[int],
    tokens: list[int],
    heads: int,
    ranks: tuple[int, int],
    dtype: np.dtype[Any] = float32,
    **how: Any,
) -> dict[str, Any]:
    generator = np.random.default_rng(sum(tokens) + sum(ranks))
    pages, tables = sequences(generator, queries, tokens, 16)
    width = sum(ranks)
    return {
        "q": generator.normal(0, 1, (sum(queries), heads, width)).astype(float32),
        "latents": generator.normal(0, 1, (pages, 16, width)).astype(dtype),
        **tables,
        "rank": ranks[0],
        "scale": _SCALES[0],
        "splits": 1,
        "shifts": (0, 0),
        **how,
    }


MLA_ATTENTION = Spec(
    name="mla_attention",
    source="mla_attention.hip",
    description=(
        "Latent attention of float32 queries over a paged cache of latents of float32, fp16 or "
        "bfloat16, which are keys and values at once."
    ),
    inputs=_inputs(),
    launch=_launch,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula=f"{FORMULA}; one rescaling more for each split",
    cases=(
        _case([1], [1], 1, (8, 4)),
        *(_case([1], [20], 3, (32, 8), float16, shifts=shifts) for shifts in ((1, 0), (0, 3))),
        _case([1, 3], [70, 5], 16, (512, 64), bfloat16),  # DeepSeek-V2's sizes
        _case([2], [40], 9, (32, 8), float16),
        _case([1], [100], 4, (64, 16), splits=3),
    ),
    examples=15,
    kernels=(
        "mla_attention_f32",
        "mla_attention_f16",
        "mla_attention_bf16",
        "attention_combine",
    ),
)


@composite
def _appended(draw: st.DrawFn) -> dict[str, Any]:
    tokens, rank = draw(lengths(1, 12)), draw(lengths(1, 600))
    turned = draw(st.sampled_from([0, 2, 64]))
    slots = tokens + draw(st.integers(0, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(STORED))
    last = draw(st.sampled_from([0, 511, 2048, 131071]))
    return {
        "cache": draw(tensors(dtype, (slots, rank + turned), _FINITE)),
        "x": draw(tensors(float32, (tokens, rank + turned), _FINITE)),
        "weight": draw(tensors(float32, (rank,))),
        "slots": some_nowhere(generator, generator.permutation(slots)[:tokens], slots),
        "positions": generator.integers(0, last + 1, tokens, dtype=np.int32),
        "epsilon": draw(st.sampled_from(_EPSILONS)),
        "interleaved": draw(st.booleans()),
    }


def _halves(x: Array, weight: Array) -> tuple[Array, Array]:
    """The latents of x, and the rest as one head a token."""
    return x[:, : weight.size], x[:, None, weight.size :]


def _pairing(interleaved: bool) -> Literal["half", "interleaved"]:
    return "interleaved" if interleaved else "half"


def _append_reference(
    cache: Array,
    x: Array,
    weight: Array,
    slots: Array,
    positions: Array,
    epsilon: float,
    interleaved: bool,
) -> Array:
    latent, rest = _halves(x, weight)
    turned = ref.rope(rest, positions, pairing=_pairing(interleaved))
    result = np.asarray(cache, np.float64)
    rows = np.concatenate([ref.rms_norm(latent, weight, epsilon), turned[:, 0, :]], axis=-1)
    stored = (slots >= 0) & (slots < len(cache))
    result[slots[stored]] = rows[stored]
    return result


def _append_bound(
    cache: Array,
    x: Array,
    weight: Array,
    slots: Array,
    positions: Array,
    epsilon: float,
    interleaved: bool,
) -> Array:
    latent, rest = _halves(x, weight)
    out = formats.format_of(cache)
    height = summation_height(weight.size, _NARROWEST_WAVE)
    normed = bounds.rms_norm(latent, weight, epsilon, height=height, out=out)
    turned = bounds.rope(
        rest, positions, pairing=_pairing(interleaved), frequencies="table", out=out
    )
    result = np.zeros(cache.shape)
    rows = np.concatenate([normed, turned[:, 0, :]], axis=-1)
    stored = (slots >= 0) & (slots < len(cache))
    result[slots[stored]] = rows[stored]
    return result


def _append_spot(index: tuple[int, ...], **inputs: Any) -> Any:
    slot, element = index
    weight = inputs["weight"]
    token = np.flatnonzero(inputs["slots"] == slot)
    if not token.size:
        return float(inputs["cache"][index])
    latent, rest = _halves(inputs["x"], weight)
    if element < weight.size:
        return exact.rms_norm(latent, weight, inputs["epsilon"], at=(int(token[0]), element))
    at = (int(token[0]), 0, element - weight.size)
    return exact.rope(rest, inputs["positions"], pairing=_pairing(inputs["interleaved"]), at=at)


def _append_case(rank: int, turned: int, dtype: np.dtype[Any], position: int) -> dict[str, Any]:
    x = np.linspace(-3, 2, 3 * (rank + turned), dtype=float32).reshape(3, -1)
    return {
        "cache": np.full((5, rank + turned), 7.0, dtype),
        "x": x,
        "weight": np.linspace(0.5, 1.5, rank, dtype=float32),
        "slots": np.array([4, 5, -1] if position else [4, 0, 2], np.int32),
        "positions": np.arange(position, position + 3, dtype=np.int32),
        "epsilon": _EPSILONS[0],
        "interleaved": False,
    }


LATENT_APPEND = Spec(
    name="latent_append",
    source="latent_append.hip",
    description=(
        "The normed latent and the turned rest of float32 down-projections into the slots of a "
        "cache of float32, fp16 or bfloat16; other slots keep their bits, and a token whose slot "
        "lies outside is not stored."
    ),
    inputs=_appended(),
    launch=ops.latent_append,
    reference=_append_reference,
    bound=_append_bound,
    u_out=2.0**-8,
    spot=_append_spot,
    formula="of the latent RMSNorm's, of the rest RoPE's; and u_out |y| where stored shorter",
    cases=(
        _append_case(1, 2, float32, 0),
        _append_case(512, 64, bfloat16, 513),
        _append_case(60, 0, float16, 7),
        _append_case(1025, 32, float32, 131071),
        _append_case(1, 4096, float32, 5),  # more pairs than a block has threads
        _append_case(20000, 2, float32, 0),  # as many waves as a block can have
        _append_case(20000, 2, float32, 9),  # 32 waves of 32
    ),
    kernels=("latent_append_f32", "latent_append_f16", "latent_append_bf16"),
)


@composite
def _projected(draw: st.DrawFn) -> dict[str, Any]:
    tokens, width, rank = draw(lengths(1, 30)), draw(lengths(1, 200)), draw(lengths(1, 100))
    return {
        "x": draw(tensors(float32, (tokens, width), _FINITE)),
        "down": draw(tensors(float32, (rank, width), _FINITE)),
        "weight": draw(tensors(float32, (rank,))),
        "epsilon": draw(st.sampled_from(_EPSILONS)),
        "shifts": (draw(SHIFTS), draw(SHIFTS), draw(SHIFTS)),
    }


def _project(
    device: Any,
    x: Array,
    down: Array,
    weight: Array,
    epsilon: float,
    shifts: tuple[int, int, int] = (0, 0, 0),
) -> Array:
    """The projection of operands so many elements behind aligned addresses."""
    with Scope() as scope:
        latent = scope.empty((len(x), len(down)), float32)
        left, right, factors = map(placed, (scope,) * 3, (x, down, weight), shifts)
        ops.launch_mla_project(device, left, right, factors, latent, epsilon)
        return latent.download()


def _project_oracle(inputs: dict[str, Any]) -> tuple[Any, ...]:
    return inputs["x"], inputs["down"].T, inputs["weight"], inputs["epsilon"]


def _project_reference(**inputs: Any) -> Array:
    return ref.mla_project(*_project_oracle(inputs))


def _project_bound(**inputs: Any) -> Array:
    return bounds.mla_project(*_project_oracle(inputs))


def _project_spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.mla_project(*_project_oracle(inputs), at=index)


def _project_case(
    tokens: int, width: int, rank: int, shifts: tuple[int, int, int] = (0, 0, 0)
) -> dict[str, Any]:
    generator = np.random.default_rng(width)
    return {
        "x": generator.normal(0, 1, (tokens, width)).astype(float32),
        "down": generator.normal(0, 0.1, (rank, width)).astype(float32),
        "weight": np.linspace(0.5, 1.5, rank, dtype=float32),
        "epsilon": _EPSILONS[0],
        "shifts": shifts,
    }


MLA_PROJECT = Spec(
    name="mla_project",
    source="gemm.hip",
    description="The latent of multi-head latent attention: RMSNorm(x W^T) * weight, in float32.",
    inputs=_projected(),
    launch=_project,
    reference=_project_reference,
    bound=_project_bound,
    spot=_project_spot,
    formula="RMSNorm's, for rows that are off by the product's gamma_(k+1) |x||W|",
    cases=(
        _project_case(1, 1, 1),
        *(_project_case(3, 64, 16, shifts) for shifts in ((1, 0, 0), (0, 3, 1))),
        _project_case(5, 576, 64),
    ),
    examples=15,
    kernels=("gemm_f32", "rms_norm"),
)

SPECS = (MLA_ATTENTION, LATENT_APPEND, MLA_PROJECT)
