"""Which pages of a cache of keys and values belong to which sequence: bookkeeping on the host.

A page holds `page_size` tokens. Sequences share the pages of a common prefix; a page that others
can see is copied before it is written. Full pages outlive their sequences: they are found again by
the tokens in them and before them, compared token by token, until their room is needed and the one
that was used the longest ago goes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from hipaudit_runtime.errors import CacheFullError

_ROOT = 0
"""What precedes a first page."""


@dataclass(frozen=True, slots=True)
class PageCopy:
    """A page whose contents go to another page before anything is written there."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Write:
    """Where new tokens go.

    copies  to be done first
    slots   page * page size + offset of each token
    """

    copies: tuple[PageCopy, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageCounts:
    """Pages by what holds them: no one, no sequence but findable, or a sequence."""

    free: int
    idle: int
    used: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What makes a full page findable: the prefix it follows, its tokens, and its own name.

    Names are never used again, so a page behind an evicted one is unreachable, not wrong.
    """

    prefix: int
    tokens: tuple[int, ...]
    name: int


@dataclass(slots=True)
class _Page:
    references: int = 0
    known: _Known | None = None


@dataclass(slots=True)
class _Sequence:
    """Tokens, their pages, how many tokens are written, and the names of its full pages."""

    tokens: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    written: int = 0
    names: list[int] = field(default_factory=list)


@final
class PageTables:
    """The page tables of all sequences of a cache.

    Raises:
        ValueError: fewer than 1 page, or fewer than 1 token a page.
    """

    __slots__ = ("_findable", "_free", "_idle", "_names", "_next", "_pages", "_sequences", "_size")

    def __init__(self, pages: int, page_size: int) -> None:
        if pages < 1 or page_size < 1:
            raise ValueError(f"{pages} pages of {page_size} tokens")
        self._size = page_size
        self._pages = [_Page() for _ in range(pages)]
        self._free = list(reversed(range(pages)))
        self._idle: OrderedDict[int, None] = OrderedDict()
        self._findable: dict[tuple[int, tuple[int, ...]], int] = {}
        self._sequences: dict[int, _Sequence] = {}
        self._next = 0
        self._names = _ROOT

    @property
    def page_size(self) -> int:
        """Tokens a page."""
        return self._size

    @property
    def counts(self) -> PageCounts:
        """Who holds the pages now."""
        free, idle = len(self._free), len(self._idle)
        return PageCounts(free, idle, len(self._pages) - free - idle)

    def sequences(self) -> tuple[int, ...]:
        """The sequences that exist, oldest first."""
        return tuple(self._sequences)

    def tokens(self, sequence: int) -> tuple[int, ...]:
        """The tokens of a sequence, KeyError when there is no such sequence."""
        return tuple(self._of(sequence).tokens)

    def length(self, sequence: int) -> int:
        """How many tokens a sequence has, KeyError when there is no such sequence."""
        return len(self._of(sequence).tokens)

    def pages(self, sequence: int) -> tuple[int, ...]:
        """The pages of a sequence in order, KeyError when there is no such sequence."""
        return tuple(self._of(sequence).pages)

    def add(self, prompt: Sequence[int] = ()) -> int:
        """Start a sequence with the longest run of full pages that is known for its prompt.

        The prompt's last token is never among them: somebody wants its logits. Returns the
        sequence; `tokens` says how many of the prompt it has already.
        """
        new = _Sequence()
        name = _ROOT
        while len(new.tokens) + self._size < len(prompt):
            start = len(new.tokens)
            tokens = tuple(prompt[start : start + self._size])
            page = self._findable.get((name, tokens))
            if page is None:
                break
            known = self._pages[page].known
            assert known is not None  # noqa: S101 - _findable holds known pages alone
            name = known.name
            self._retain(page)
            new.tokens += tokens
            new.pages.append(page)
            new.names.append(name)
        new.written = len(new.tokens)
        return self._enter(new)

    def fork(self, sequence: int) -> int:
        """A second sequence with the same tokens in the same pages.

        Raises KeyError for an unknown sequence, ValueError while tokens are reserved in it.
        """
        old = self._of(sequence)
        if old.written != len(old.tokens):
            raise ValueError(
                f"sequence {sequence} has {len(old.tokens) - old.written} tokens reserved: "
                "commit or truncate it first"
            )
        for page in old.pages:
            self._retain(page)
        return self._enter(
            _Sequence(list(old.tokens), list(old.pages), old.written, list(old.names))
        )

    def needed(self, sequence: int, count: int) -> int:
        """Free or idle pages that `reserve` takes for so many tokens.

        Raises KeyError for an unknown sequence.
        """
        entry = self._of(sequence)
        start = len(entry.tokens)
        split = start % self._size != 0 and count > 0
        shared = split and self._pages[entry.pages[-1]].references > 1
        return -(-(start + count) // self._size) - len(entry.pages) + shared

    def reserve(self, sequence: int, tokens: Sequence[int]) -> Write:
        """Room for tokens behind those of a sequence.

        Raises KeyError for an unknown sequence, and CacheFullError, with everything as it was.
        """
        entry = self._of(sequence)
        start = len(entry.tokens)
        needed, available = self.needed(sequence, len(tokens)), len(self._free) + len(self._idle)
        if needed > available:
            raise CacheFullError(needed, available, len(self._pages))
        split = start % self._size != 0 and bool(tokens)
        shared = split and self._pages[entry.pages[-1]].references > 1
        copies: tuple[PageCopy, ...] = ()
        if shared:
            copies = (PageCopy(entry.pages[-1], self._take()),)
            self._release(copies[0].source)
            entry.pages[-1] = copies[0].target
        elif split:
            self._forget(entry.pages[-1])
        entry.pages += [self._take() for _ in range(needed - shared)]
        entry.tokens += tokens
        return Write(copies, tuple(self._slot(entry, at) for at in range(start, len(entry.tokens))))

    def commit(self, sequence: int) -> None:
        """Say that all reserved tokens are written: full pages can now be found by others."""
        entry = self._of(sequence)
        entry.written = len(entry.tokens)
        while (len(entry.names) + 1) * self._size <= entry.written:
            start = len(entry.names) * self._size
            tokens = tuple(entry.tokens[start : start + self._size])
            prefix = entry.names[-1] if entry.names else _ROOT
            page = self._findable.get((prefix, tokens))
            if page is None:
                page = entry.pages[len(entry.names)]
                self._names += 1
                self._pages[page].known = _Known(prefix, tokens, self._names)
                self._findable[prefix, tokens] = page
            known = self._pages[page].known
            assert known is not None  # noqa: S101 - found or made here
            entry.names.append(known.name)

    def truncate(self, sequence: int, length: int) -> None:
        """Drop the tokens from *length* on, reserved ones too, with the pages only they needed.

        Raises KeyError for an unknown sequence, ValueError for a length beyond its own.
        """
        entry = self._of(sequence)
        if not 0 <= length <= len(entry.tokens):
            raise ValueError(f"length {length} is outside 0 to {len(entry.tokens)}")
        del entry.tokens[length:]
        entry.written = min(entry.written, length)
        del entry.names[length // self._size :]
        while len(entry.pages) > -(-length // self._size):
            # The last first: of pages that go idle together, the deepest is evicted first.
            self._release(entry.pages.pop())

    def discard(self, sequence: int, length: int) -> None:
        """As `truncate`, where what was written behind *length* may be wrong: nobody finds it."""
        entry = self._of(sequence)
        for page in entry.pages[length // self._size :]:
            if self._pages[page].references == 1:
                self._forget(page)
        self.truncate(sequence, length)

    def remove(self, sequence: int) -> None:
        """Forget a sequence and give its pages back; KeyError for an unknown one."""
        self.truncate(sequence, 0)
        del self._sequences[sequence]

    def _of(self, sequence: int) -> _Sequence:
        if sequence not in self._sequences:
            raise KeyError(f"no sequence {sequence}: it was removed or never added")
        return self._sequences[sequence]

    def _enter(self, entry: _Sequence) -> int:
        sequence = self._next
        self._next += 1
        self._sequences[sequence] = entry
        return sequence

    def _slot(self, entry: _Sequence, at: int) -> int:
        return entry.pages[at // self._size] * self._size + at % self._size

    def _take(self) -> int:
        """A page with one reference: a free one, or else the one idle for longest."""
        if self._free:
            page = self._free.pop()
        else:
            page, _ = self._idle.popitem(last=False)
            self._forget(page)
        self._pages[page].references = 1
        return page

    def _retain(self, page: int) -> None:
        self._pages[page].references += 1
        self._idle.pop(page, None)

    def _release(self, page: int) -> None:
        entry = self._pages[page]
        entry.references -= 1
        if entry.references:
            return
        if entry.known is None:
            self._free.append(page)
        else:
            self._idle[page] = None

    def _forget(self, page: int) -> None:
        """Nobody finds the page from now on."""
        known = self._pages[page].known
        if known is not None:
            del self._findable[known.prefix, known.tokens]
            self._pages[page].known = None
