"""Each allocation fails once: an error, nothing left behind, and the next call works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit_runtime import ops
from hipaudit_runtime.arenas import Arena
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.kv_pages import CacheShape, KvPages
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


def test_operations_on_host_arrays(device: Device, hip_ledger: TestLedger) -> None:
    weight = np.ones(32, np.float32)

    def work() -> None:
        ops.rms_norm(device, X, weight)
        ops.softmax(device, X)
        ops.top_k(device, X, 4)
        ops.gemm(device, X, np.ones((32, 8), np.float32))
        ops.flash_attention(device, X[None, None], X[None, None], X[None, None])

    assert hip_ledger.fail_each(work, HipError) >= 14
