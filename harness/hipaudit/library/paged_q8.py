"""The specs of a paged cache of Q8_0 blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import float32, lengths, tensors
from hipaudit.library.attention import ELEMENTS, FORMULA, logits
from hipaudit.library.paged import attend, by_token, sequences, some_nowhere
from hipaudit.library.placing import SHIFTS
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact
from hipaudit_runtime import ops
from hipaudit_runtime.ops.attention_tiles import product_height, tile_count

_BLOCK = 34
_VALUES = 32
_HALF_ULP = 2.0**-11
_HALF_STEP = 2.0**-25
"""Half of fp16's smallest number: what a subnormal scale may be off by."""
_QUOTIENT = 2.0**-22
"""What a quotient of two float32 numbers may be off by, relative."""
# Without the family whose values a scale of fp16 cannot hold: the kernel cuts them off.
_STORED = st.sampled_from(
    [*(f for f in families.WELL_SCALED if f.name != "cancelling"), *families.PLANTED]
)
_HELD = st.sampled_from([f for f in families.WELL_SCALED if f.name != "cancelling"])


def _blocks(generator: np.random.Generator, *shape: int) -> Array:
    """A cache of Q8_0 blocks with ordinary scales, rows along the last axis."""
    *rows, size = shape
    blocks = generator.integers(0, 256, (*rows, size // _VALUES, _BLOCK), dtype=np.uint8)
    scales = generator.uniform(0.001, 0.03, (*rows, size // _VALUES, 1)).astype("<f2")
    blocks[..., :2] = scales.view(np.uint8)
    return blocks.reshape(*rows, -1)


def _values(cache: Array) -> Array:
    """What a cache's rows hold, in float64."""
    *rows, width = cache.shape
    decoded = ref.dequantise(cache.reshape(-1, _BLOCK), "Q8_0")
    return np.asarray(decoded, np.float64).reshape(*rows, width // _BLOCK * _VALUES)


def _attended(
    seed: int,
    queries: list[int],
    tokens: list[int],
    heads: tuple[int, int],
    sizes: tuple[int, int],
    page_size: int,
    **how: Any,
) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    pages, tables = sequences(generator, queries, tokens, page_size)
    cache = (pages, page_size, heads[1])
    return {
        "q": generator.normal(0, 1, (sum(queries), heads[0], sizes[0])).astype(float32),
        "k_pages": _blocks(generator, *cache, sizes[0]),
        "v_pages": _blocks(generator, *cache, sizes[1]),
        **tables,
        "scale": None,
        "window": None,
        "softcap": None,
        "splits": 1,
        "shifts": (0, 0, 0),
        **how,
    }


@composite
def _inputs(draw: st.DrawFn) -> dict[str, Any]:
    queries = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    tokens = [max(draw(lengths(0, 90)), own) for own in queries]
    key_heads, group = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    sizes = draw(st.tuples(*2 * [st.sampled_from([32, 64, 96, 128, 256])]))
    drawn = _attended(
        draw(st.integers(0, 2**32 - 1)),
        queries,
        tokens,
        (key_heads * group, key_heads),
        sizes,
        draw(st.sampled_from([1, 4, 16])),
        splits=draw(st.sampled_from([1, 1, 3])),
        shifts=(draw(SHIFTS), draw(SHIFTS), draw(SHIFTS)),
        **draw(logits(max(tokens))),
    )
    return {**drawn, "q": draw(tensors(float32, drawn["q"].shape, ELEMENTS))}


def _launch(device: Any, shifts: tuple[int, int, int] = (0, 0, 0), **inputs: Any) -> Array:
    """Attention of queries so many elements, and of pages so many times 2 bytes, off a vector."""
    value_size = inputs["v_pages"].shape[-1] // _BLOCK * _VALUES
    return attend(device, inputs, value_size, (shifts[0], 2 * shifts[1], 2 * shifts[2]))


def _oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The oracle's arguments: the blocks' values, which float32 holds exactly."""
    names = ("block_table", "query_starts", "lengths")
    return {
        **{name: inputs[name] for name in ("q", "scale", "window", "softcap")},
        "k_pages": _values(inputs["k_pages"]),
        "v_pages": _values(inputs["v_pages"]),
        **by_token(**{name: inputs[name] for name in names}),
    }


def _reference(**inputs: Any) -> Array:
    return ref.paged_attention(**_oracle(inputs))


def _bound(**inputs: Any) -> Array:
    oracle = _oracle(inputs)
    size, value_size = oracle["q"].shape[-1], oracle["v_pages"].shape[-1]
    tiles = tile_count(int(np.max(inputs["lengths"])), size, value_size)
    return bounds.paged_attention(
        **oracle, tiles=tiles + inputs["splits"], products=product_height(size)
    )


def _spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.paged_attention(**_oracle(inputs), at=index)


PAGED_ATTENTION_Q8_0 = Spec(
    name="paged_attention_q8_0",
    source="paged_attention.hip",
    description="Attention of float32 queries over a paged cache of Q8_0 blocks.",
    inputs=_inputs(),
    launch=_launch,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula=f"{FORMULA}; the blocks' values are exact in float32",
    cases=(
        _attended(1, [1], [1], (1, 1), (32, 32), 16),
        _attended(2, [1, 1], [90, 33], (9, 3), (64, 64), 16),  # SmolLM2-135M's heads
        _attended(3, [3], [40], (4, 1), (128, 96), 4, window=9, splits=2),
        _attended(4, [2], [20], (2, 1), (64, 32), 4, shifts=(1, 1, 3)),
    ),
    examples=12,
)


@composite
def _appended(draw: st.DrawFn) -> dict[str, Any]:
    tokens, heads = draw(lengths(1, 9)), draw(lengths(1, 4))
    size, value_size = (draw(st.sampled_from([32, 64, 96])) for _ in range(2))
    slots = tokens + draw(st.integers(0, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    last = draw(st.sampled_from([0, 511, 131071]))
    return {
        "k_cache": _blocks(generator, slots, heads, size),
        "v_cache": _blocks(generator, slots, heads, value_size),
        "k": draw(tensors(float32, (tokens, heads, size), _STORED)),
        "v": draw(tensors(float32, (tokens, heads, value_size), _STORED)),
        "slots": some_nowhere(generator, generator.permutation(slots)[:tokens], slots),
        "positions": generator.integers(0, last + 1, tokens, dtype=np.int32),
        "rotated": draw(st.sampled_from([0, size // 2, size])),
        "interleaved": draw(st.booleans()),
    }


def _append(device: Any, **inputs: Any) -> tuple[Array, Array]:
    keys, values = ops.kv_append(device, **inputs)
    return _values(keys).astype(float32), _values(values).astype(float32)


def _append_oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The oracle's arguments: values of the caches, and the tokens that are stored."""
    stored = (inputs["slots"] >= 0) & (inputs["slots"] < len(inputs["k_cache"]))
    return {
        **{name: _values(inputs[name]) for name in ("k_cache", "v_cache")},
        **{name: inputs[name][stored] for name in ("k", "v", "slots", "positions")},
        "rotated": inputs["rotated"],
        "pairing": "interleaved" if inputs["interleaved"] else "half",
    }


def _append_reference(**inputs: Any) -> tuple[Array, Array]:
    keys, values = ref.kv_append(**_append_oracle(inputs))
    return _lost(keys), _lost(values)


def _lost(values: Array) -> Array:
    """NaN for every value of a run that has a NaN or an infinity: its scale is NaN."""
    runs = values.reshape(*values.shape[:-1], -1, _VALUES)
    whole = np.isfinite(runs).all(axis=-1, keepdims=True)
    return np.where(whole, runs, np.nan).reshape(values.shape)


def _append_bound(**inputs: Any) -> tuple[Array, Array]:
    """RoPE's error, and that of the codes, in the slots that are written; 0 elsewhere.

    Without the values that are not finite: their runs are NaN as a whole, and within no bound.
    """
    oracle = _append_oracle(inputs)
    oracle |= {name: np.where(np.isfinite(oracle[name]), oracle[name], 0) for name in ("k", "v")}
    moved = bounds.kv_append(**oracle, frequencies="table")
    values = ref.kv_append(**oracle)
    written = np.zeros(len(oracle["k_cache"]), dtype=bool)
    written[oracle["slots"]] = True
    keys, others = (
        np.where(written[:, None, None], _coded(value, error), 0.0)
        for value, error in zip(values, moved, strict=True)
    )
    return keys, others


def _coded(values: Array, error: Array) -> Array:
    """How far the codes' values may lie from values that are off by *error* themselves.

    The scale is max |x| / 127 rounded to fp16, and a code is x / scale rounded: both rise with what
    they are made of, so their extremes are those of the ends of its range. Where those are more
    than one fp16 number apart, a value is off by half a scale and what the code 127 cuts off.
    """
    runs = values.reshape(*values.shape[:-1], -1, _VALUES)
    off = error.reshape(runs.shape) + np.abs(runs) * _QUOTIENT
    low = _scale(np.max(np.abs(runs) - off, axis=-1, keepdims=True))
    high = _scale(np.max(np.abs(runs) + off, axis=-1, keepdims=True))
    coded = np.maximum.reduce(
        [
            np.abs(_on_grid(runs + way * off, scale) - runs)
            for scale in (low, high)
            for way in (-1.0, 1.0)
        ]
    )
    half_a_step = 0.5 * high * (1 + 2 * _HALF_ULP) + 128 * _HALF_STEP + off
    near = high.astype(np.float16) <= np.nextafter(low.astype(np.float16), np.float16(np.inf))
    return np.where(near, coded + np.abs(runs) * _QUOTIENT, half_a_step).reshape(values.shape)


def _scale(largest: Array) -> Array:
    return np.asarray(np.maximum(largest, 0) / 127).astype(np.float16).astype(np.float64)


def _on_grid(values: Array, scale: Array) -> Array:
    """Values of codes of at most 127; 0 where the scale is."""
    codes = np.rint(np.divide(values, scale, out=np.zeros_like(values), where=scale > 0))
    return np.asarray(np.clip(codes, -127, 127) * scale)


def _append_spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.kv_append(**_append_oracle(inputs), at=index)


def _append_case(position: int, scale: float) -> dict[str, Any]:
    generator = np.random.default_rng(position)
    heads = generator.normal(0, scale, (3, 2, 64)).astype(float32)
    return {
        "k_cache": _blocks(generator, 4, 2, 64),
        "v_cache": _blocks(generator, 4, 2, 64),
        "k": heads,
        "v": -heads,
        "slots": np.array([3, 4, 0], np.int32),  # the second token's lies behind the cache
        "positions": np.arange(position, position + 3, dtype=np.int32),
        "rotated": 64,
        "interleaved": False,
    }


def _exact_case() -> dict[str, Any]:
    """Blocks of whole multiples of their scale, and one of zeros: only one scale is right."""
    case = _append_case(0, 1.0)
    codes = np.random.default_rng(7).integers(-126, 127, case["v"].shape).astype(float32)
    codes[..., ::_VALUES] = 127
    codes[0, 0, :_VALUES] = 0
    return {**case, "k": codes * float32.type(0.875), "v": codes * float32.type(1.75), "rotated": 0}


def _nonfinite_case() -> dict[str, Any]:
    case = _append_case(3, 1.0)
    case["k"][0, 0, 40], case["v"][0, 1, 5], case["v"][2, 0, 63] = np.nan, np.inf, np.nan
    return case


KV_APPEND_Q8_0 = Spec(
    name="kv_append_q8_0",
    source="kv_append_q8_0.hip",
    description=(
        "Keys, turned by their position, and values of float32 into the slots of a cache of Q8_0 "
        "blocks; other slots keep their bits."
    ),
    inputs=_appended(),
    launch=_append,
    reference=_append_reference,
    bound=_append_bound,
    u_out=2.0**-7,  # a code is 1 of 127 of the largest
    spot=_append_spot,
    formula="RoPE's error, and the distance to the nearest multiple of max |x| / 127 in fp16",
    cases=(
        _append_case(0, 1.0),
        _append_case(513, 100.0),
        _append_case(131071, 1e-6),
        _exact_case(),
        _nonfinite_case(),
    ),
    examples=20,
)

SPECS = (PAGED_ATTENTION_Q8_0, KV_APPEND_Q8_0)
