"""A cache of keys and values in pages, as the bug analysis quotes it; run with a form's name.

quoted    a removed sequence's pages are cleared and never freed, and every sequence gets new ones
reused    the same, but a cleared page goes to the next sequence
proposed  the analysis' repair: pages are freed, and their numbers still handed out again
tested    the test that the analysis proposes, on the repaired cache
freed     pages are freed and their numbers forgotten
ours      the runtime's own cache

Prints one JSON object: device memory in use after each sequence, and what the form observed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hip import hip

SEQUENCES = 100
TOKENS, HEADS, SIZE, FLOAT = 16, 32, 128, 4
HALF_PAGE = TOKENS * HEADS * SIZE * FLOAT


def ok(answer: Any) -> Any:
    """Return a call's results without its status; RuntimeError when that is no success."""
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise RuntimeError(str(status))
    return results[0] if len(results) == 1 else tuple(results)


class Page:
    """Keys and values of a page's tokens."""

    def __init__(self) -> None:
        self.keys = ok(hip.hipMalloc(HALF_PAGE))
        self.values = ok(hip.hipMalloc(HALF_PAGE))
        self.tokens: list[int] = []

    def clear(self) -> None:
        """Forget the tokens."""
        self.tokens.clear()

    def free(self) -> None:
        """Give the memory back."""
        ok(hip.hipFree(self.keys))
        ok(hip.hipFree(self.values))


class Cache:
    """Pages by number, and who has them."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.table: list[Page] = []
        self.held: set[int] = set()
        self.free_pages: list[int] = []
        self.sequences: dict[int, list[int]] = {}

    def allocate_page(self, sequence: int) -> Page:
        """Give a sequence a page and write its first token."""
        if self.free_pages and self.form in {"reused", "proposed"}:
            number = self.free_pages.pop()
        else:
            number = len(self.table)
            self.table.append(Page())
        self.held.add(number)
        page = self.table[number]
        ok(hip.hipMemset(page.keys, 0, HALF_PAGE))
        ok(hip.hipMemset(page.values, 0, HALF_PAGE))
        page.tokens.append(sequence)
        self.sequences.setdefault(sequence, []).append(number)
        return page

    def remove_sequence(self, sequence: int) -> None:
        """Drop a sequence and what the form does with its pages."""
        for number in self.sequences.pop(sequence):
            if self.form in {"quoted", "reused"}:
                self.table[number].clear()
            else:
                self.table[number].free()
                self.held.discard(number)
            if self.form != "freed":
                self.free_pages.append(number)

    @property
    def total_pages(self) -> int:
        """Pages that the cache holds."""
        return len(self.held)


def in_use(before: int) -> int:
    """Return the device memory taken since *before* bytes were free."""
    free, _ = ok(hip.hipMemGetInfo())
    return before - int(free)


def one_after_another(form: str) -> dict[str, Any]:
    """Add and remove sequences; return the memory in use after each removal."""
    before, _ = ok(hip.hipMemGetInfo())
    cache = Cache(form)
    used = []
    for sequence in range(3 if form == "proposed" else SEQUENCES):
        cache.allocate_page(sequence)
        cache.remove_sequence(sequence)
        used.append(in_use(int(before)))
    return {"used": used}


def tested() -> dict[str, Any]:
    """Run the proposed test's two assertions on the repaired cache."""
    cache = Cache("proposed")
    cache.allocate_page(1)
    before = cache.total_pages
    cache.remove_sequence(1)
    return {
        "free_pages_is_1": len(cache.free_pages) == 1,
        "total_pages_unchanged": cache.total_pages == before,
    }


def ours() -> dict[str, Any]:
    """Add and remove sequences in the runtime's cache, then close it."""
    from hipaudit_runtime.kv_pages import CacheShape, KvPages

    before, _ = ok(hip.hipMemGetInfo())
    used = []
    shape = CacheShape(1, 2, TOKENS, HEADS, SIZE, SIZE, "float32")
    with KvPages(shape) as cache:
        for _ in range(SEQUENCES):
            sequence = cache.tables.add()
            cache.reserve(sequence, range(TOKENS))
            cache.tables.remove(sequence)
            used.append(in_use(int(before)))
    return {"used": used, "after": in_use(int(before))}


FORMS = {"tested": tested, "ours": ours}


def main() -> None:
    """Run the form that is asked for."""
    form = sys.argv[1]
    said = FORMS[form]() if form in FORMS else one_after_another(form)
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
