"""A paged cache of keys and values on the device, for all layers of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import ml_dtypes
import numpy as np

from hipaudit_runtime.ops.paged import Sequences, stored_row
from hipaudit_runtime.ownership import Owner
from hipaudit_runtime.pages import PageTables, Write
from hipaudit_runtime.tensors import Scope, Tensor

FORMATS: Final = {
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "q8_0": np.dtype(np.uint8),
}
"""What a cache may be stored in, and the type of its tensors."""


@dataclass(frozen=True, slots=True)
class CacheShape:
    """How large a cache is.

    pages       of page_size tokens each, in every layer
    heads       of keys and values
    size        elements of a head's key; value_size of its value
    format      one of `FORMATS`
    """

    layers: int
    pages: int
    page_size: int
    heads: int
    size: int
    value_size: int
    format: str = "float16"


@final
class KvPages(Owner):
    """The pages of a cache, and the tables that say whose they are.

    A page has one number in all layers. Use it as a context manager: the memory goes back at its
    end. Within, it stays one allocation for keys and one for values; removing a sequence gives its
    pages to others.

    Raises:
        ValueError: a format that is not known, or a size that it cannot store.
        HipError: out of device memory; nothing is left allocated.
    """

    __slots__ = ("_scope", "keys", "tables", "values")

    def __init__(self, shape: CacheShape) -> None:
        if shape.format not in FORMATS:
            raise ValueError(f"a cache in {shape.format}, not one of {', '.join(FORMATS)}")
        self._scope = Scope()
        try:
            # Of a size that the device has no room for there must be no table either.
            self.keys = self._layers(shape, shape.size)
            self.values = self._layers(shape, shape.value_size)
            self.tables = PageTables(shape.pages, shape.page_size)
        except BaseException:
            self.close()
            raise

    def reserve(self, sequence: int, tokens: Sequence[int]) -> Write:
        """Room for tokens behind those of a sequence, with shared pages copied in every layer.

        Raises KeyError, CacheFullError as `PageTables.reserve`.
        """
        write = self.tables.reserve(sequence, tokens)
        for copy in write.copies:
            for layer in (*self.keys, *self.values):
                layer[copy.target].copy_from(layer[copy.source])
        return write

    def batch(self, scope: Scope, queries: dict[int, int]) -> Sequences:
        """What attention needs for sequences, each with its number of queries, its last tokens.

        The tensors live in *scope*. Raises KeyError for an unknown sequence, ValueError for more
        queries than tokens.
        """
        pages = [self.tables.pages(sequence) for sequence in queries]
        lengths = [self.tables.length(sequence) for sequence in queries]
        for (sequence, count), length in zip(queries.items(), lengths, strict=True):
            if not 0 <= count <= length:
                raise ValueError(f"{count} queries of sequence {sequence}, which has {length}")
        table = np.full((len(pages), max(map(len, pages), default=0)), -1, np.int32)
        for row, each in zip(table, pages, strict=True):
            row[: len(each)] = each
        starts = np.concatenate([[0], np.cumsum(list(queries.values()))]).astype(np.int32)
        return Sequences(
            scope.upload(table),
            scope.upload(starts),
            scope.upload(np.array(lengths, np.int32)),
            max(queries.values(), default=0),
        )

    def close(self) -> None:
        """Give the memory back; a second time does nothing."""
        self._scope.close()

    def _layers(self, shape: CacheShape, values: int) -> tuple[Tensor, ...]:
        """The layers of a new buffer, each (pages, page size, heads, row)."""
        kind = FORMATS[shape.format]
        row = stored_row(np.empty(0, kind), values)
        each = (shape.pages, shape.page_size, shape.heads, row)
        whole = self._scope.empty((shape.layers, *each), kind)
        step = whole.nbytes // max(shape.layers, 1)
        return tuple(Tensor(whole.buffer, each, kind, n * step) for n in range(shape.layers))
