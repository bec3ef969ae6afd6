"""Copy-on-write of a page in a stream of its own, that nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from variant import TWIN

from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.streams import Event, Stream
from hipaudit_runtime.tensors import Tensor

SHAPE = CacheShape(1, pages=4, page_size=4, heads=1, size=32, value_size=32, format="float32")


def reserve(
    cache: KvPages, sequence: int, tokens: Sequence[int], copies: Stream, compute: Stream
) -> tuple[int, ...]:
    write = cache.tables.reserve(sequence, tokens)
    for copy in write.copies:
        for layer in (*cache.keys, *cache.values):
            with copies.current():
                target = layer[copy.target]
                target.copy_from(layer[copy.source])  # FAULT: missing-synchronisation other
    if TWIN:
        with Event() as done:
            done.record(copies)
            compute.wait(done)
    return write.slots


def write_slot(layer: Tensor, slot: int) -> None:
    page = layer[slot // SHAPE.page_size, slot % SHAPE.page_size]
    page.upload(np.ones(page.shape, np.float32))  # FAULT: missing-synchronisation at


with KvPages(SHAPE) as cache, Stream() as copies, Stream() as compute:
    with compute.current():
        for layer in (*cache.keys, *cache.values):
            layer.upload(np.zeros(layer.shape, np.float32))
    first = cache.tables.add()
    cache.tables.reserve(first, [1, 2])
    cache.tables.commit(first)
    second = cache.tables.fork(first)
    (slot,) = reserve(cache, second, [3], copies, compute)
    with compute.current():
        for layer in (*cache.keys, *cache.values):
            write_slot(layer, slot)
    copies.synchronise()
