"""A language model for tests: its logits are a hash of all tokens before, read from the cache.

Each token is stored in its slot of the cache's pages as a key, and the history is what the page
table finds there: a page that is shared, copied, moved or given away wrongly changes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.tensors import Scope, Tensor

Floats = npt.NDArray[np.float32]


def _nothing(steps: Sequence[Step]) -> None:
    """Nothing goes wrong."""


@dataclass(slots=True)
class HashModel:
    """See the module.

    order   tokens that the next depends on; None: all
    spread  of the logits
    salt    makes another model
    before  called with each batch; it may raise
    after   called with each batch and its logits, which it may change
    """

    device: DeviceLike
    vocabulary_size: int = 32
    context: int = 64
    order: int | None = None
    spread: float = 2.0
    salt: int = 0
    before: Callable[[Sequence[Step]], None] = _nothing
    after: Callable[[Sequence[Step], Floats], None] = lambda _steps, _logits: None
    batches: list[tuple[Step, ...]] = field(default_factory=list)

    def cache(self, pages: int, page_size: int, kind: str = "float32") -> KvPages:
        """One layer, one head, keys of one float32: the token."""
        del kind
        return KvPages(CacheShape(1, pages, page_size, 1, 1, 1, "float32"))

    def logits(self, tokens: Sequence[int]) -> Floats:
        """What follows these tokens."""
        seen = list(tokens) if self.order is None else list(tokens)[-self.order :]
        rng = np.random.default_rng([self.salt, len(seen), *seen])
        return rng.normal(0, self.spread, self.vocabulary_size).astype(np.float32)

    def forward(self, scope: Scope, cache: KvPages, steps: Sequence[Step]) -> Tensor:
        """As `LanguageModel.forward`."""
        assert len({step.sequence for step in steps}) == len(steps) > 0
        lengths = {step.sequence: len(cache.tables.tokens(step.sequence)) for step in steps}
        try:
            self.before(steps)
            for step in steps:
                self._append(cache, step, lengths[step.sequence])
        except BaseException:
            for sequence, length in lengths.items():
                cache.tables.truncate(sequence, length)
            raise
        self.batches.append(tuple(steps))
        rows = [row for step in steps for row in self._rows(cache, step)]
        result = np.array(rows, np.float32).reshape(len(rows), self.vocabulary_size)
        self.after(steps, result)
        return scope.upload(result)

    def _append(self, cache: KvPages, step: Step, length: int) -> None:
        assert step.tokens
        assert 0 <= step.logits <= len(step.tokens)
        if not all(0 <= token < self.vocabulary_size for token in step.tokens):
            raise ValueError(f"{step.tokens} are not all below {self.vocabulary_size}")
        if length + len(step.tokens) > self.context:
            raise ValueError(f"{length} + {len(step.tokens)} tokens, context {self.context}")
        write = cache.reserve(step.sequence, step.tokens)
        keys = cache.keys[0]
        for slot, token in zip(write.slots, step.tokens, strict=True):
            keys.reshape(-1)[slot : slot + 1].upload(np.array([token], np.float32))
        cache.tables.commit(step.sequence)

    def _rows(self, cache: KvPages, step: Step) -> list[Floats]:
        if not step.logits:
            return []
        pages = list(cache.tables.pages(step.sequence))
        length = len(cache.tables.tokens(step.sequence))
        raw = cache.keys[0].download()[pages].reshape(-1)[:length]
        history = [int(token) for token in raw]
        return [self.logits(history[: length - back]) for back in reversed(range(step.logits))]


def letter(token: int) -> bytes:
    """The text of a token: a letter or two, so that stop texts span tokens."""
    return chr(ord("a") + token % 26).encode() * (1 + token // 26)
