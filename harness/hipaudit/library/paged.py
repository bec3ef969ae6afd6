"""The specs of the paged cache: what is appended to it, and attention over its pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import anything, bfloat16, float16, float32, lengths, tensors
from hipaudit.library.attention import ELEMENTS, FORMULA, SIZES, logits
from hipaudit.library.placing import SHIFTS, placed
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.attention_tiles import product_height, tile_count
from hipaudit_runtime.ops.paged import split_space
from hipaudit_runtime.tensors import Scope

STORED = (float32, float16, bfloat16)
_MASKS = ("scale", "window", "softcap")


def sequences(
    generator: np.random.Generator, queries: list[int], lengths: list[int], page_size: int
) -> tuple[int, dict[str, Array]]:
    """(pages, the batch's tables): every sequence has pages of its own, in no order."""
    width = max(-(-max(lengths, default=0) // page_size), 1)
    pages = len(lengths) * width + 2
    table = generator.permutation(pages)[: len(lengths) * width]
    return pages, {
        "block_table": table.reshape(len(lengths), width).astype(np.int32),
        "query_starts": np.cumsum([0, *queries]).astype(np.int32),
        "lengths": np.array(lengths, np.int32),
    }


@composite
def _inputs(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 3))
    queries = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    queries[0] = max(queries[0], 1)  # a batch without a token shows nothing
    tokens = [max(draw(lengths(0, 120)), own) for own in queries]
    page_size = draw(st.sampled_from([1, 4, 16, 32]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pages, tables = sequences(generator, queries, tokens, page_size)
    dtype = draw(st.sampled_from(STORED))
    key_heads, group = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    size, value_size = draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES))
    heads = (sum(queries), key_heads * group, size)
    return {
        "q": draw(tensors(float32, heads, ELEMENTS)),
        "k_pages": draw(tensors(dtype, (pages, page_size, key_heads, size), ELEMENTS)),
        "v_pages": draw(tensors(dtype, (pages, page_size, key_heads, value_size), ELEMENTS)),
        **tables,
        **draw(logits(max(tokens))),
        "splits": draw(st.sampled_from([1, 1, 2, 5])),
        "shifts": (draw(SHIFTS), draw(SHIFTS), draw(SHIFTS)),
    }


def _launch(device: Any, shifts: tuple[int, int, int] = (0, 0, 0), **inputs: Any) -> Array:
    return attend(device, inputs, inputs["v_pages"].shape[-1], shifts)


def attend(
    device: Any, inputs: dict[str, Any], value_size: int, shifts: tuple[int, int, int]
) -> Array:
    """Attention of queries and pages so many elements behind aligned addresses."""
    how = ops.Logits(**{name: inputs[name] for name in _MASKS})
    arrays = (inputs[name] for name in ("q", "k_pages", "v_pages"))
    with Scope() as scope:
        o = scope.empty((*inputs["q"].shape[:-1], value_size), float32)
        q, keys, values = map(placed, (scope,) * 3, arrays, shifts)
        parts = split_space(scope, o, inputs["splits"])
        batch = batch_of(scope, inputs)
        ops.launch_paged_attention(device, q, keys, values, batch, o, how, parts)
        return o.download()


def batch_of(scope: Scope, inputs: dict[str, Any]) -> ops.Sequences:
    """The batch's tables on the device."""
    names = ("block_table", "query_starts", "lengths")
    table, starts, lengths = (scope.upload(inputs[name]) for name in names)
    most = int(np.max(np.diff(inputs["query_starts"]), initial=0))
    return ops.Sequences(table, starts, lengths, most)


def by_token(block_table: Array, query_starts: Array, lengths: Array) -> dict[str, Array]:
    """The tables with each token as a sequence of its own, as the oracle wants them."""
    counts = np.diff(query_starts)
    before = lengths - counts + 1
    within = [np.arange(count) + start for count, start in zip(counts, before, strict=True)]
    return {
        "block_table": np.repeat(block_table, counts, axis=0),
        "lengths": np.concatenate([*within, np.zeros(0, np.int64)]).astype(np.int64),
    }


def _oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """The oracle's arguments from the launcher's."""
    names = ("block_table", "query_starts", "lengths")
    others = {k: v for k, v in inputs.items() if k not in {*names, "splits", "shifts"}}
    tables = by_token(**{name: inputs[name] for name in names})
    return {**others, **_with_nan_page(tables["block_table"], others), "lengths": tables["lengths"]}


def _with_nan_page(block_table: Array, inputs: dict[str, Any]) -> dict[str, Array]:
    """The table and the pages with one of NaN behind them: it stands for any outside the cache."""
    count = len(inputs["k_pages"])
    inside = (block_table >= 0) & (block_table < count)
    if inside.all():
        return {"block_table": block_table}
    last = ((0, 1), (0, 0), (0, 0), (0, 0))
    pages = {
        name: np.pad(inputs[name].astype(float32), last, constant_values=np.nan)
        for name in ("k_pages", "v_pages")
    }
    return {"block_table": np.where(inside, block_table, count), **pages}


def _reference(**inputs: Any) -> Array:
    return ref.paged_attention(**_oracle(inputs))


def _bound(**inputs: Any) -> Array:
    size, value_size = inputs["q"].shape[-1], inputs["v_pages"].shape[-1]
    tiles = tile_count(int(np.max(inputs["lengths"])), size, value_size)
    return bounds.paged_attention(
        **_oracle(inputs),
        tiles=tiles + inputs["splits"],
        products=product_height(size),
    )


def _spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.paged_attention(**_oracle(inputs), at=index)


def _case(
    queries: list[int],
    lengths: list[int],
    heads: tuple[int, int],
    size: int,
    dtype: np.dtype[Any] = float32,
    **how: Any,
) -> dict[str, Any]:
    generator = np.random.default_rng(sum(lengths) + size)
    pages, tables = sequences(generator, queries, lengths, 16)
    cache = (pages, 16, heads[1], size)
    return {
        "q": generator.normal(0, 1.5, (sum(queries), heads[0], size)).astype(float32),
        "k_pages": generator.normal(0, 1.5, cache).astype(dtype),
        "v_pages": generator.normal(0, 1.5, cache).astype(dtype),
        **tables,
        "scale": None,
        "window": None,
        "softcap": None,
        "splits": 1,
        "shifts": (0, 0, 0),
        **how,
    }


_EACH_SHIFTED = ((1, 0, 0), (0, 1, 0), (0, 0, 3))


def _strayed() -> dict[str, Any]:
    """Sequences of two pages, one of them outside the cache in all but the first: NaN."""
    case = _case([1, 1, 1, 1], [20, 20, 20, 20], (2, 1), 64)
    pages = len(case["k_pages"])
    for sequence, page in enumerate((-1, pages, 2**31 - 1), start=1):
        case["block_table"][sequence, sequence % 2] = page
    return case


PAGED_ATTENTION = Spec(
    name="paged_attention",
    source="paged_attention.hip",
    description=(
        "Attention of float32 queries over a paged cache of float32, fp16 or bfloat16: decoding "
        "and chunks of prompts, grouped heads, sliding window, soft cap, the keys split among "
        "blocks."
    ),
    inputs=_inputs(),
    launch=_launch,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula=f"{FORMULA}; one rescaling more for each split",
    cases=(
        _case([1], [1], (1, 1), 8),
        *(_case([1], [20], (2, 1), 64, float16, shifts=shifts) for shifts in _EACH_SHIFTED),
        _case([1, 1], [200, 33], (9, 3), 64, float16),  # SmolLM2-135M's heads
        _case([7, 0, 1], [40, 5, 17], (8, 2), 128, bfloat16, window=9),
        _case([1], [0], (4, 1), 64),
        _case([1], [300], (32, 8), 64, splits=4),
        _case([2, 1], [4, 90], (4, 1), 256, float16, splits=3, softcap=8.0),
        _strayed(),
    ),
    examples=20,
    kernels=(
        "paged_attention_f32",
        "paged_attention_f16",
        "paged_attention_bf16",
        "attention_combine",
    ),
)


def _far(towards: float) -> dict[str, Any]:
    """Logits that grow or fall with the key, by hundreds from split to split; or all far below 0.

    Where they grow or fall, exponentials overflow unless the largest of all is taken off.
    """
    case = _case([1], [128], (2, 1), 64, splits=4)
    keys = case["k_pages"]
    keys[:] = -8.0
    if towards:
        place = case["block_table"][0]
        keys[place] = np.linspace(-8, 8, keys[place].size, dtype=float32).reshape(keys[place].shape)
    return {**case, "q": np.full_like(case["q"], 8.0 * (towards or 1.0))}


_JOINED = _inputs().map(lambda inputs: {**inputs, "splits": max(inputs["splits"], 2)})

ATTENTION_COMBINE = replace(
    PAGED_ATTENTION,
    name="attention_combine",
    source="attention_combine.hip",
    description="What the splits of an attention have found, joined: the softmax of their maxima.",
    inputs=_JOINED,
    cases=(
        _case([1], [1], (1, 1), 8, splits=2),
        _case([1, 0], [100, 0], (4, 2), 64, splits=5),
        _case([1, 1], [100, 0], (4, 2), 64, splits=3),  # no split of the second has a key
        _case([3], [40], (2, 1), 80, float16, splits=2, window=3),
        _far(0.0),
        _far(1.0),
        _far(-1.0),
    ),
    examples=10,
    kernels=("attention_combine",),
)

_FORMATS = {"float32": formats.FP32, "float16": formats.FP16, "bfloat16": formats.BF16}
_LAST_POSITIONS = (0, 1, 511, 2048, 131071, 1 << 20)
_FINITE = st.sampled_from(families.WELL_SCALED)


@composite
def _appended(draw: st.DrawFn) -> dict[str, Any]:
    tokens, heads = draw(lengths(1, 20)), draw(lengths(1, 5))
    size, value_size = draw(st.sampled_from([2, 3, 64, 80])), draw(st.sampled_from([1, 64, 80]))
    rotated = draw(st.sampled_from([0, 2 * (size // 4), 2 * (size // 2)]))
    slots = tokens + draw(st.integers(0, 9))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    last = draw(st.sampled_from(_LAST_POSITIONS))
    dtype = draw(st.sampled_from(STORED))
    return {
        "k_cache": draw(tensors(dtype, (slots, heads, size), _FINITE)),
        "v_cache": draw(tensors(dtype, (slots, heads, value_size), _FINITE)),
        "k": draw(tensors(float32, (tokens, heads, size), _FINITE)),
        "v": draw(tensors(float32, (tokens, heads, value_size), _FINITE)),
        "slots": some_nowhere(generator, generator.permutation(slots)[:tokens], slots),
        "positions": generator.integers(0, last + 1, tokens, dtype=np.int32),
        "base": draw(st.sampled_from([10000.0, 500000.0])),
        "rotated": rotated,
        "interleaved": draw(st.booleans()),
    }


def some_nowhere(generator: np.random.Generator, slots: Array, count: int) -> Array:
    """Return slots of a cache of *count*, about one in eight of them just outside it."""
    outside = generator.choice([-1, count], slots.shape)
    return np.where(generator.random(slots.shape) < 0.125, outside, slots).astype(np.int32)


def _append_oracle(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what the oracle takes: tokens that have a slot, for others are not stored."""
    stored = (inputs["slots"] >= 0) & (inputs["slots"] < len(inputs["k_cache"]))
    others = {name: value for name, value in inputs.items() if name != "interleaved"}
    others |= {name: inputs[name][stored] for name in ("k", "v", "slots", "positions")}
    return {**others, "pairing": "interleaved" if inputs["interleaved"] else "half"}


def _append_reference(**inputs: Any) -> tuple[Array, Array]:
    return ref.kv_append(**_append_oracle(inputs))


def _append_bound(**inputs: Any) -> tuple[Array, Array]:
    out = _FORMATS[inputs["k_cache"].dtype.name]
    return bounds.kv_append(**_append_oracle(inputs), frequencies="table", out=out)


def _append_spot(index: tuple[int, ...], **inputs: Any) -> Any:
    return exact.kv_append(**_append_oracle(inputs), at=index)


def _append_case(position: int, dtype: np.dtype[Any]) -> dict[str, Any]:
    heads = np.linspace(-2, 2, 4 * 3 * 64, dtype=float32).reshape(4, 3, 64)
    return {
        "k_cache": np.full((6, 3, 64), 7.0, dtype),
        "v_cache": np.full((6, 3, 64), 8.0, dtype),
        "k": heads,
        "v": -heads,
        "slots": np.array([5, 0, 6, 1], np.int32),  # the third token's lies behind the cache
        "positions": np.arange(position, position + 4, dtype=np.int32),
        "base": 10000.0,
        "rotated": 64,
        "interleaved": False,
    }


KV_APPEND = Spec(
    name="kv_append",
    source="kv_append.hip",
    description=(
        "Keys, turned by their position, and values of float32 into the slots of a cache of "
        "float32, fp16 or bfloat16; other slots keep their bits, and a token whose slot lies "
        "outside is not stored."
    ),
    inputs=_appended(),
    launch=ops.kv_append,
    reference=_append_reference,
    bound=_append_bound,
    u_out=2.0**-8,
    spot=_append_spot,
    formula="keys: (|x0| + |x1|) (2 |theta| u + eps_sincos + 2 u) + u_out |y|; values: u_out |y|",
    cases=tuple(
        _append_case(position, dtype)
        for position, dtype in zip((0, 513, 131071), STORED, strict=True)
    ),
    kernels=("kv_append_f32", "kv_append_f16", "kv_append_bf16"),
)


@composite
def _replicated(draw: st.DrawFn) -> dict[str, Any]:
    shape = tuple(draw(lengths(1, most)) for most in (3, 4, 20, 70))
    dtype = draw(st.sampled_from(STORED))
    return {"cache": draw(tensors(dtype, shape, anything())), "groups": draw(st.integers(1, 5))}


def _replicate_case(*shape: int, groups: int, dtype: np.dtype[Any] = float32) -> dict[str, Any]:
    cache = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return {"cache": cache, "groups": groups}


KV_REPLICATE = Spec(
    name="kv_replicate",
    source="kv_replicate.hip",
    description="Each head of a cache of 16-bit or 32-bit elements copied for its query heads.",
    inputs=_replicated(),
    launch=ops.kv_replicate,
    reference=ref.kv_replicate,
    exact=True,
    formula="bit exact: elements are copied",
    cases=(
        _replicate_case(1, 1, 1, 1, groups=1),
        _replicate_case(2, 3, 5, 7, groups=3),
        _replicate_case(3, 5, 64, groups=4, dtype=float16),
    ),
    kernels=("kv_replicate_16", "kv_replicate_32"),
)

SPECS = (PAGED_ATTENTION, ATTENTION_COMBINE, KV_APPEND, KV_REPLICATE)
