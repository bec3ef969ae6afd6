"""Page tables: what a sequence reads is what was written to it, and no page is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hipaudit_runtime.errors import CacheFullError
from hipaudit_runtime.pages import PageCounts, PageTables

pytestmark = pytest.mark.runtime

PAGES, SIZE = 6, 3
TOKENS = st.lists(st.integers(0, 1), max_size=8)


class Pages(RuleBasedStateMachine):
    """The tables beside lists of tokens, and a memory that is written where they say."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = PageTables(PAGES, SIZE)
        self.memory: list[tuple[int, ...]] = [()] * (PAGES * SIZE)
        self.model: dict[int, list[int]] = {}

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model)), label="sequence")

    def holders(self, page: int) -> int:
        return sum(page in self.tables.pages(sequence) for sequence in self.model)

    @rule(prompt=TOKENS)
    def add(self, prompt: list[int]) -> None:
        sequence = self.tables.add(prompt)
        found = list(self.tables.tokens(sequence))
        assert found == prompt[: len(found)]
        assert len(found) % SIZE == 0
        assert not prompt or len(found) < len(prompt)
        self.model[sequence] = found

    @precondition(lambda self: self.model)
    @rule(data=st.data(), tokens=TOKENS)
    def reserve_and_write(self, data: st.DataObject, tokens: list[int]) -> None:
        sequence = self.pick(data)
        have = self.model[sequence]
        pages = self.tables.pages(sequence)
        shared = bool(tokens) and len(have) % SIZE > 0 and self.holders(pages[-1]) > 1
        needed = -(-(len(have) + len(tokens)) // SIZE) - len(pages) + shared
        used = len({page for each in self.model for page in self.tables.pages(each)})
        before = self.state()
        if needed > PAGES - used:
            with pytest.raises(CacheFullError) as caught:
                self.tables.reserve(sequence, tokens)
            assert (caught.value.needed, caught.value.available) == (needed, PAGES - used)
            assert self.state() == before
            return
        write = self.tables.reserve(sequence, tokens)
        for copy in write.copies:
            rows = slice(copy.source * SIZE, (copy.source + 1) * SIZE)
            self.memory[copy.target * SIZE : (copy.target + 1) * SIZE] = self.memory[rows]
        assert len(set(write.slots)) == len(tokens)
        for slot, token in zip(write.slots, tokens, strict=True):
            have.append(token)
            self.memory[slot] = tuple(have)  # a key depends on all tokens up to its own
        if data.draw(st.booleans(), label="commit"):
            self.tables.commit(sequence)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        if self.tables._sequences[sequence].written < len(self.model[sequence]):
            with pytest.raises(ValueError, match="tokens reserved: commit or truncate"):
                self.tables.fork(sequence)
            return
        before = self.tables.counts
        self.model[self.tables.fork(sequence)] = list(self.model[sequence])
        assert self.tables.counts == before

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def truncate(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        length = data.draw(st.integers(0, len(self.model[sequence])), label="length")
        self.tables.truncate(sequence, length)
        del self.model[sequence][length:]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        sequence = self.pick(data)
        alone = {page for page in self.tables.pages(sequence) if self.holders(page) == 1}
        before = self.tables.counts
        self.tables.remove(sequence)
        del self.model[sequence]
        after = self.tables.counts
        assert after.free + after.idle == before.free + before.idle + len(alone)
        with pytest.raises(KeyError, match="it was removed or never added"):
            self.tables.remove(sequence)

    def state(self) -> tuple[Any, ...]:
        held = [(self.tables.tokens(s), self.tables.pages(s)) for s in self.tables.sequences()]
        return self.tables.counts, held

    @invariant()
    def every_sequence_reads_its_tokens(self) -> None:
        assert list(self.tables.sequences()) == list(self.model)
        for sequence, tokens in self.model.items():
            assert list(self.tables.tokens(sequence)) == tokens
            pages = self.tables.pages(sequence)
            assert len(pages) == -(-len(tokens) // SIZE)
            slots = [pages[at // SIZE] * SIZE + at % SIZE for at in range(len(tokens))]
            seen = [self.memory[slot] for slot in slots]
            assert seen == [tuple(tokens[: at + 1]) for at in range(len(tokens))]

    @invariant()
    def every_page_is_in_one_place(self) -> None:
        used = {page for each in self.model for page in self.tables.pages(each)}
        free, idle = set(self.tables._free), set(self.tables._idle)
        assert len(free) == len(self.tables._free)
        assert sorted([*used, *free, *idle]) == list(range(PAGES))
        assert self.tables.counts == PageCounts(len(free), len(idle), len(used))
        for page, entry in enumerate(self.tables._pages):
            assert entry.references == self.holders(page)

    def teardown(self) -> None:
        for sequence in tuple(self.model):
            self.tables.remove(sequence)
        assert self.tables.counts.used == 0


Pages.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestPages = Pages.TestCase


def written(tables: PageTables, prompt: list[int]) -> int:
    """A sequence with the prompt written and committed."""
    sequence = tables.add(prompt)
    tables.reserve(sequence, prompt[len(tables.tokens(sequence)) :])
    tables.commit(sequence)
    return sequence


def test_a_prefix_is_shared_by_pages() -> None:
    tables = PageTables(8, 4)
    first = written(tables, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    second = tables.add([1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
    assert tables.pages(second) == tables.pages(first)[:2]
    assert tables.tokens(second) == (1, 2, 3, 4, 5, 6, 7, 8)
    assert tables.counts == PageCounts(5, 0, 3)


def test_the_last_token_of_a_prompt_is_left_to_compute() -> None:
    tables = PageTables(8, 4)
    written(tables, [1, 2, 3, 4, 5, 6, 7, 8])
    assert tables.tokens(tables.add([1, 2, 3, 4, 5, 6, 7, 8])) == (1, 2, 3, 4)


def test_a_page_is_found_behind_its_own_prefix_only() -> None:
    tables = PageTables(8, 2)
    written(tables, [1, 2, 3, 4])
    assert tables.tokens(tables.add([3, 4, 0])) == ()
    assert tables.tokens(tables.add([1, 2, 3, 5, 0])) == (1, 2)


def test_what_is_not_committed_is_not_found() -> None:
    tables = PageTables(8, 2)
    tables.reserve(tables.add(), [1, 2, 3])
    assert tables.tokens(tables.add([1, 2, 3])) == ()


def test_a_removed_sequence_is_found_again_and_its_pages_are_evictable() -> None:
    tables = PageTables(3, 2)
    tables.remove(written(tables, [1, 2, 3, 4]))
    assert tables.counts == PageCounts(1, 2, 0)
    again = tables.add([1, 2, 3, 4, 5])
    assert tables.tokens(again) == (1, 2, 3, 4)
    tables.remove(again)
    whole = tables.add()
    assert len(tables.reserve(whole, [9] * 6).slots) == 6


def test_the_least_recently_used_page_is_evicted_first_and_the_deepest_of_its_prompt() -> None:
    tables = PageTables(4, 2)
    old, new = written(tables, [1, 1, 1, 1]), written(tables, [2, 2, 2, 2])
    tables.remove(old)
    tables.remove(new)
    tables.reserve(tables.add(), [0])
    assert tables.tokens(tables.add([1, 1, 1, 1, 0])) == (1, 1)
    assert tables.tokens(tables.add([2, 2, 2, 2, 0])) == (2, 2, 2, 2)


def test_a_shared_page_is_copied_before_it_is_written_and_an_own_one_is_not() -> None:
    tables = PageTables(4, 4)
    first = written(tables, [1, 2])
    second = tables.fork(first)
    (page,) = tables.pages(first)
    write = tables.reserve(second, [3])
    assert [copy.source for copy in write.copies] == [page]
    assert write.slots == (write.copies[0].target * 4 + 2,)
    assert tables.pages(first) == (page,)
    assert tables.reserve(first, [4]).copies == ()


def test_a_page_that_is_written_anew_is_no_longer_found() -> None:
    tables = PageTables(1, 2)
    sequence = written(tables, [1, 2])
    tables.truncate(sequence, 1)
    assert tables.reserve(sequence, [3]).copies == ()
    assert tables.tokens(tables.add([1, 2, 0])) == ()


def test_what_follows_a_shortened_sequence_is_found_behind_its_new_tokens_only() -> None:
    tables = PageTables(8, 2)
    sequence = written(tables, [1, 2, 3, 4])
    tables.truncate(sequence, 0)
    tables.reserve(sequence, [5, 6, 7, 8, 9, 9])
    tables.commit(sequence)
    assert tables.tokens(tables.add([1, 2, 3, 4, 9, 9, 0])) == (1, 2, 3, 4)
    assert tables.tokens(tables.add([5, 6, 7, 8, 9, 9, 0])) == (5, 6, 7, 8, 9, 9)


def test_a_full_cache_says_what_is_missing() -> None:
    tables = PageTables(2, 2)
    sequence = written(tables, [1, 2, 3])
    message = "3 more pages are needed, 0 of 2 are free or evictable: remove a sequence"
    with pytest.raises(CacheFullError, match=message):
        tables.reserve(sequence, [4, 5, 6, 7, 8, 9])
    assert tables.tokens(sequence) == (1, 2, 3)


def test_a_hundred_sequences_leave_nothing_behind() -> None:
    tables = PageTables(16, 16)
    for number in range(100):
        tables.remove(written(tables, [number] * 100))
    assert tables.counts.used == 0


@pytest.mark.parametrize(("pages", "size"), [(0, 1), (1, 0), (-1, 4)])
def test_a_cache_of_nothing_is_refused(pages: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"{pages} pages of {size} tokens"):
        PageTables(pages, size)


def test_a_length_beyond_the_sequence_is_refused() -> None:
    tables = PageTables(2, 2)
    sequence = written(tables, [1])
    with pytest.raises(ValueError, match="length 2 is outside 0 to 1"):
        tables.truncate(sequence, 2)


def test_pages_that_may_be_wrong_are_not_found() -> None:
    tables = PageTables(6, 2)
    first = tables.add()
    tables.reserve(first, (1, 2))
    tables.commit(first)
    tables.reserve(first, (3, 4, 5))
    tables.commit(first)
    assert tables.length(tables.add((1, 2, 3, 4, 9))) == 4
    tables.remove(1)
    tables.discard(first, 3)
    assert tables.tokens(first) == (1, 2, 3)
    assert tables.length(tables.add((1, 2, 3, 4, 9))) == 2
    tables.discard(first, 0)
    shared = tables.add((1, 2, 9))
    assert tables.length(shared) == 2, "another sequence vouches for it"
    tables.remove(2)
    tables.discard(shared, 0)
    assert tables.length(tables.add((1, 2, 9))) == 0
