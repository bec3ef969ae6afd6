"""What a model offers to those who generate with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.kv_pages import KvPages
from hipaudit_runtime.tensors import Scope, Tensor


@dataclass(frozen=True, slots=True)
class Step:
    """New tokens of one sequence.

    sequence  of the cache's tables
    tokens    to be appended to it, at least one
    logits    how many of them, the last ones, want logits: 0 for a part of a prompt, 1 to go on
              from it, more to verify a draft
    """

    sequence: int
    tokens: tuple[int, ...]
    logits: int = 1


class LanguageModel(Protocol):
    """A model whose weights are on a device."""

    @property
    def device(self) -> DeviceLike:
        """Where it runs."""

    @property
    def vocabulary_size(self) -> int:
        """Logits a token: at least the tokens of its vocabulary."""

    @property
    def context(self) -> int:
        """The most tokens a sequence may have."""

    def cache(self, pages: int, page_size: int, kind: str = "float16") -> KvPages:
        """A new cache for this model's keys and values; *kind* is one of `kv_pages.FORMATS`."""

    def forward(self, scope: Scope, cache: KvPages, steps: Sequence[Step]) -> Tensor:
        """Run new tokens of distinct sequences through the model, all in one batch.

        Their keys and values are in the cache afterwards, and committed. Returns the float32
        logits, (sum of the steps' logits, vocabulary size), in the steps' order. They are in
        *scope*, with all that the pass works with: to end it before the pass is done waits for it.
        Raises ValueError for a token outside the vocabulary or a sequence beyond the context,
        CacheFullError when the cache is too small, HipError; the sequences are then as before.
        """
