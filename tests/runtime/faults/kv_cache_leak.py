"""MS-001: removing a sequence clears its pages' tokens and forgets where their memory is."""

from __future__ import annotations

from dataclasses import dataclass, field

from variant import TWIN

from hipaudit_runtime.memory import DEVICE

PAGE_BYTES = 16 * 32 * 128 * 2 * 4


@dataclass
class Page:
    memory: int = 0
    tokens: list[int] = field(default_factory=list)

    def clear(self) -> None:
        self.tokens.clear()
        if TWIN:
            DEVICE.release(self.memory, PAGE_BYTES)


class Cache:
    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        self.free: list[int] = []

    def add(self, tokens: list[int]) -> int:
        page = self.free.pop() if self.free else len(self.pages)
        memory = DEVICE.allocate(PAGE_BYTES)  # FAULT: leak
        self.pages[page] = Page(memory, tokens)
        return page

    def remove(self, page: int) -> None:
        self.pages[page].clear()
        self.free.append(page)


cache = Cache()
for sequence in range(3):
    cache.remove(cache.add([sequence]))
