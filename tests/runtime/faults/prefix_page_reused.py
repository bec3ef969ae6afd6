"""A shared prefix's page is given to a new sequence while another stream still reads it."""

from __future__ import annotations

import numpy as np
from variant import TWIN

from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.pages import PageTables
from hipaudit_runtime.pinned import pinned_array
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Tensor

SHAPE = CacheShape(1, pages=3, page_size=2, heads=1, size=32, value_size=32, format="float32")


def remove(tables: PageTables, sequence: int) -> None:
    if not TWIN:
        for page in tables.pages(sequence):
            tables._pages[page].references = 1  # as if nobody shared it
    tables.remove(sequence)


def write(layer: Tensor, page: int) -> None:
    layer[page].upload(np.ones(layer.shape[1:], np.float32))  # FAULT: missing-synchronisation at


with KvPages(SHAPE) as cache, Stream() as decoding, Stream() as prefill:
    (keys,) = cache.keys
    with prefill.current():
        keys.upload(np.zeros(keys.shape, np.float32))
    first = cache.tables.add()
    cache.tables.reserve(first, [1])
    cache.tables.commit(first)
    second = cache.tables.fork(first)
    (shared,) = cache.tables.pages(first)
    host = pinned_array(keys.shape[1:], np.float32)
    page = keys[shared]
    page.buffer.download_later(host, decoding, page.offset)  # FAULT: missing-synchronisation other
    remove(cache.tables, second)
    third = cache.tables.add()
    cache.tables.reserve(third, [7, 8])
    with prefill.current():
        write(keys, cache.tables.pages(third)[0])
    decoding.synchronise()
