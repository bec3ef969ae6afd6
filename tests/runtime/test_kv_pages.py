"""The paged cache on the device: sequences that share pages read what they would read alone."""

from __future__ import annotations

import gguf
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hipaudit.device import Device
from hipaudit_runtime import ops
from hipaudit_runtime.errors import CacheFullError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.kv_pages import FORMATS, CacheShape, KvPages
from hipaudit_runtime.ops.paged import launch_paged_attention
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]

SHAPE = CacheShape(layers=2, pages=6, page_size=3, heads=2, size=32, value_size=64)
Floats = npt.NDArray[np.float32]


def entries(layer: int, tokens: list[int]) -> tuple[Floats, Floats]:
    """Keys and values of tokens, by token, place and layer: whole numbers, 127 in each block.

    So every format stores them exactly, Q8_0 with the scale 1.
    """
    keys, values = (np.empty((len(tokens), 2, size), np.float32) for size in (32, 64))
    for part in (keys, values):
        for at, token in enumerate(tokens):
            rng = np.random.default_rng([layer, token, at, part.shape[-1]])
            part[at] = rng.integers(-127, 128, part.shape[1:])
    keys[..., ::32], values[..., ::32] = 127, 127
    return keys, values


def append(device: Device, cache: KvPages, sequence: int, tokens: list[int]) -> None:
    """Reserve, write every layer, commit."""
    start = len(cache.tables.tokens(sequence))
    write = cache.reserve(sequence, tokens)
    whole = list(cache.tables.tokens(sequence))
    with Scope() as scope:
        slots = scope.upload(np.array(write.slots, np.int32))
        places = scope.upload(np.arange(start, len(whole), dtype=np.int32))
        table = scope.upload(np.empty(0, np.float32))
        for layer, (keys, values) in enumerate(zip(cache.keys, cache.values, strict=True)):
            new = [scope.upload(part[start:].copy()) for part in entries(layer, whole)]
            ops.launch_kv_append(device, new[0], new[1], slots, places, table, keys, values)
        cache.tables.commit(sequence)
        call(hip.hipDeviceSynchronize)


def stored(cache: KvPages, pages: Tensor, sequence: int) -> Floats:
    """What the pages of a sequence hold."""
    raw = pages.download()
    if raw.dtype == np.uint8:
        raw = gguf.quants.dequantize(raw, gguf.GGMLQuantizationType.Q8_0)
    table = list(cache.tables.pages(sequence))
    rows = raw[table].reshape(-1, *raw.shape[2:])[: len(cache.tables.tokens(sequence))]
    return rows.astype(np.float32)


class Cache(RuleBasedStateMachine):
    """A cache beside lists of tokens."""

    device: Device
    shape: CacheShape

    def __init__(self) -> None:
        super().__init__()
        self.cache = KvPages(self.shape)
        self.model: dict[int, list[int]] = {}

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model)), label="sequence")

    @rule(prompt=st.lists(st.integers(0, 1), min_size=1, max_size=9))
    def add(self, prompt: list[int]) -> None:
        sequence = self.cache.tables.add(prompt)
        found = list(self.cache.tables.tokens(sequence))
        self.model[sequence] = found
        self.grow(sequence, prompt[len(found) :])

    @precondition(lambda self: self.model)
    @rule(data=st.data(), tokens=st.lists(st.integers(0, 1), max_size=5))
    def extend(self, data: st.DataObject, tokens: list[int]) -> None:
        self.grow(self.pick(data), tokens)

    def grow(self, sequence: int, tokens: list[int]) -> None:
        before = self.cache.tables.counts
        try:
            append(self.device, self.cache, sequence, tokens)
        except CacheFullError:
            assert self.cache.tables.counts == before
        else:
            self.model[sequence] += tokens

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        self.model[self.cache.tables.fork(sequence)] = list(self.model[sequence])

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def shorten(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        length = data.draw(st.integers(0, len(self.model[sequence])), label="length")
        self.cache.tables.truncate(sequence, length)
        del self.model[sequence][length:]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        self.cache.tables.remove(sequence)
        del self.model[sequence]

    @invariant()
    def every_layer_holds_what_was_written(self) -> None:
        for sequence, tokens in self.model.items():
            for layer in range(self.shape.layers):
                keys, values = entries(layer, tokens)
                cache = self.cache
                assert np.array_equal(stored(cache, cache.keys[layer], sequence), keys)
                assert np.array_equal(stored(cache, cache.values[layer], sequence), values)

    def teardown(self) -> None:
        self.cache.close()


@pytest.mark.parametrize("form", FORMATS)
def test_sequences_hold_what_was_written_to_them(device: Device, form: str) -> None:
    class Here(Cache):
        pass

    Here.device = device
    Here.shape = CacheShape(**{f: getattr(SHAPE, f) for f in SHAPE.__slots__} | {"format": form})
    few = settings(max_examples=8, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(Here, settings=few)


def attention(device: Device, cache: KvPages, queries: dict[int, int], q: Floats) -> Floats:
    with Scope() as scope:
        o = scope.empty((len(q), 4, 64), np.float32)
        batch = cache.batch(scope, queries)
        there = scope.upload(q), cache.keys[1], cache.values[1]
        launch_paged_attention(device, *there, batch, o)
        result: Floats = o.download()
    return result


def test_attention_over_shared_pages_is_that_over_own_ones(device: Device) -> None:
    tokens = [0, 1, 1, 0, 1, 0, 0, 1]
    q = (np.random.default_rng(5).normal(size=(5, 4, 32)) / 100).astype(np.float32)
    with KvPages(SHAPE) as shared, KvPages(SHAPE) as alone:
        first = shared.tables.add()
        append(device, shared, first, tokens[:4])
        second = shared.tables.fork(first)
        append(device, shared, second, tokens[4:7])
        append(device, shared, first, [1, 1])
        assert shared.tables.pages(first)[0] == shared.tables.pages(second)[0]
        ones = [alone.tables.add(), alone.tables.add()]
        append(device, alone, ones[0], [*tokens[:4], 1, 1])
        append(device, alone, ones[1], tokens[:3])
        append(device, alone, ones[1], tokens[3:7])
        got = attention(device, shared, {first: 2, second: 3}, q)
        want = attention(device, alone, {ones[0]: 2, ones[1]: 3}, q)
    assert np.array_equal(got, want)
    assert len(np.unique(got)) > got.size // 2


def test_more_queries_than_tokens_are_refused() -> None:
    with KvPages(SHAPE) as cache, Scope() as scope:
        sequence = cache.tables.add()
        with pytest.raises(ValueError, match="1 queries of sequence 0, which has 0"):
            cache.batch(scope, {sequence: 1})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"format": "int4"}, "a cache in int4, not one of float32"),
        ({"format": "q8_0", "size": 40}, "40 values are no multiple of Q8_0's 32"),
        ({"pages": 0}, "0 pages of 3 tokens"),
    ],
)
def test_a_cache_that_cannot_be(wrong: dict[str, object], said: str) -> None:
    fields = {name: getattr(SHAPE, name) for name in SHAPE.__slots__} | wrong
    with pytest.raises(ValueError, match=said):
        KvPages(CacheShape(**fields))
