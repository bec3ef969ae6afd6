"""Each allocation, launch, copy fails once: an error, nothing left, and the next call works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit.library.models import TINY, tiny
from hipaudit_runtime import ops
from hipaudit_runtime.arenas import Arena
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import Request, Sampling
from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.pinned import pinned_array
from hipaudit_runtime.pools import StreamPool
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope

if TYPE_CHECKING:
    from hipaudit.plugin_ledger import TestLedger

pytestmark = pytest.mark.runtime

SHAPE = CacheShape(layers=2, pages=4, page_size=3, heads=2, size=32, value_size=64)
X = np.arange(96, dtype=np.float32).reshape(3, 32)


def test_scopes_and_copies_of_buffers(hip_ledger: TestLedger) -> None:
    def work() -> None:
        with Scope() as outer, Scope() as inner:
            a, b = outer.upload(X), inner.empty(X.shape, X.dtype)
            b.copy_from(a)
            with b.buffer.deep_copy() as twin:
                assert np.array_equal(twin.download(X.shape, X.dtype), X)

    assert hip_ledger.fail_each(work, HipError) == 3


def test_arenas_pools_and_pinned_arrays(hip_ledger: TestLedger) -> None:
    def work() -> None:
        with (
            Stream() as stream,
            stream.current(),
            StreamPool(stream) as pool,
            Arena(4096, pool) as arena,
            Scope(arena) as first,
            Scope(pool) as second,
        ):
            data = pinned_array(X.shape, X.dtype)
            data[:] = X
            a, b = first.empty(X.shape, X.dtype), second.empty(X.shape, X.dtype)
            a.upload_later(data, stream)
            b.copy_from(a)
            result = b.download_later(stream)
            stream.synchronise()
            assert np.array_equal(result, X)

    assert hip_ledger.fail_each(work, HipError) == 4
    assert hip_ledger.fail_each(work, HipError, "copies") == 3
    assert hip_ledger.fail_each(work, HipError, "streams") == 1


@pytest.mark.parametrize("form", ["float16", "q8_0"])
def test_a_cache_and_attention_over_its_pages(
    device: Device, hip_ledger: TestLedger, form: str
) -> None:
    shape = CacheShape(**{f: getattr(SHAPE, f) for f in SHAPE.__slots__} | {"format": form})
    new_keys, new_values = np.ones((5, 2, 32), np.float32), np.ones((5, 2, 64), np.float32)

    def work() -> None:
        with KvPages(shape) as cache, Scope() as scope:
            sequence = cache.tables.add()
            slots = np.array(cache.reserve(sequence, range(5)).slots, np.int32)
            places = scope.upload(np.arange(5, dtype=np.int32))
            new = scope.upload(new_keys), scope.upload(new_values)
            none = scope.empty((0,), np.float32)
            for keys, values in zip(cache.keys, cache.values, strict=True):
                ops.launch_kv_append(device, *new, scope.upload(slots), places, none, keys, values)
            cache.tables.commit(sequence)
            o = scope.empty((2, 4, 64), np.float32)
            q = scope.upload(np.ones((2, 4, 32), np.float32))
            batch = cache.batch(scope, {sequence: 2})
            ops.launch_paged_attention(device, q, cache.keys[0], cache.values[0], batch, o)
            assert np.allclose(o.download(), 1, atol=1e-3)

    assert hip_ledger.fail_each(work, HipError) >= 12
    assert hip_ledger.fail_each(work, HipError, "launches") >= 3


def test_operations_on_host_arrays(device: Device, hip_ledger: TestLedger) -> None:
    weight = np.ones(32, np.float32)

    def work() -> None:
        ops.rms_norm(device, X, weight)
        ops.softmax(device, X)
        ops.top_k(device, X, 4)
        ops.gemm(device, X, np.ones((32, 8), np.float32))
        ops.flash_attention(device, X[None, None], X[None, None], X[None, None])

    assert hip_ledger.fail_each(work, HipError) >= 14
    assert hip_ledger.fail_each(work, HipError, "copies") >= 14
    assert hip_ledger.fail_each(work, HipError, "launches") == 5


@pytest.mark.parametrize("what", ["allocations", "launches"])
@pytest.mark.parametrize("family", ["llama", "qwen2moe", "deepseek2"])
def test_a_model_from_its_weights_to_logits(
    device: Device, hip_ledger: TestLedger, family: str, what: str
) -> None:
    weights = tiny(TINY[family])
    seen: list[bytes] = []

    def work() -> None:
        with Transformer(weights, device) as model, model.cache(4, 8) as cache, Scope() as scope:
            sequence = cache.tables.add()
            model.forward(scope, cache, [Step(sequence, (1, 2, 3, 4, 5))])
            logits = model.forward(scope, cache, [Step(sequence, (6,))]).download()
            seen.append(logits.tobytes())

    assert hip_ledger.fail_each(work, HipError, what) > 40
    assert len(set(seen)) == 1


@pytest.mark.parametrize("what", ["allocations", "launches", "copies"])
def test_a_pass_that_fails_leaves_its_sequences_as_they_were(
    device: Device, hip_ledger: TestLedger, what: str
) -> None:
    with Transformer(tiny(TINY["llama"]), device) as model, model.cache(8, 4) as cache:
        first, second = cache.tables.add(), cache.tables.add()
        before = cache.tables.counts

        def work() -> None:
            assert cache.tables.counts == before
            assert not cache.tables.length(first)
            with Scope() as scope:
                model.forward(scope, cache, [Step(first, (1, 2, 3)), Step(second, (4, 5))])
            for sequence in (first, second):
                cache.tables.truncate(sequence, 0)

        assert hip_ledger.fail_each(work, HipError, what) >= 7


@pytest.mark.parametrize("what", ["allocations", "launches", "copies"])
def test_a_whole_generate(device: Device, hip_ledger: TestLedger, what: str) -> None:
    weights = tiny(TINY["mistral"])
    size = CacheSize(pages=8, page_size=4)
    requests = [
        Request((1, 2, 3), 6),
        Request((9, 8, 7, 6, 5), 4, Sampling(temperature=0.9, top_k=20), seed=3),
    ]

    def generate() -> list[list[int]]:
        with Transformer(weights, device) as model:
            with Engine(model, lambda token: bytes([token]), cache=size) as engine:
                numbers = [engine.submit(request) for request in requests]
                answers: dict[int, list[int]] = {number: [] for number in numbers}
                while engine.busy:
                    for event in engine.step():
                        assert not event.error
                        answers[event.request] += event.tokens
            return list(answers.values())

    wanted = generate()
    number, failed = 0, True
    errors = retried = 0
    while failed:
        number += 1
        since = hip_ledger.snapshot()
        try:
            with hip_ledger.failing(number, what):
                assert generate() == wanted
                failed = hip_ledger.ledger.asked() >= number
                retried += failed
        except HipError:
            errors += 1
        assert not hip_ledger.diff(since).made
    assert generate() == wanted
    assert errors > 20 or what == "launches"  # where weights are loaded
    assert retried > 20  # in a batch, which is run again
    assert errors + retried == number - 1
