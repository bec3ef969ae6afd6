"""The scheduler beside a simple model of it: order, room, budget, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hipaudit_runtime.generation.requests import Request
from hipaudit_runtime.generation.scheduler import Job, Limits, Scheduler, Work
from hipaudit_runtime.pages import PageTables

pytestmark = pytest.mark.runtime


class Machine(RuleBasedStateMachine):
    """Jobs that come, run, end, fail and are called off, over a small cache."""

    @initialize(
        pages=st.integers(1, 8),
        size=st.integers(1, 4),
        sequences=st.integers(1, 4),
        spare=st.integers(0, 8),
        drafted=st.integers(0, 3),
    )
    def start(self, pages: int, size: int, sequences: int, spare: int, drafted: int) -> None:
        self.capacity = pages * size
        self.limits = Limits(sequences, sequences + spare, drafted)
        self.tables = PageTables(pages, size)
        self.scheduler = Scheduler(self.tables, self.limits)
        self.jobs: dict[int, Job] = {}
        self.came = 0

    @rule(prompt=st.lists(st.integers(0, 1), min_size=1, max_size=20), more=st.integers(1, 8))
    def add(self, prompt: list[int], more: int) -> None:
        prompt = prompt[: self.capacity - 1]
        if prompt:
            limit = min(self.capacity, len(prompt) + more)
            job = self.jobs[self.came] = Job(self.came, Request(tuple(prompt)), limit)
            self.scheduler.add(job)
        self.came += 1

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.scheduler.remove(self.jobs.pop(data.draw(st.sampled_from(sorted(self.jobs)))))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        works = self.planned()
        for work in works:
            draft = (
                data.draw(st.lists(st.integers(0, 1), max_size=work.drafted))
                if work.drafted
                else []
            )
            self.run(work, draft)
            if work.last:
                accepted = data.draw(st.integers(0, len(draft)))
                self.choose(work.job, [*draft[:accepted], 0])

    @precondition(lambda self: self.jobs)
    @rule(reserved=st.integers(0, 4), gives_up=st.booleans())
    def fail(self, reserved: int, gives_up: bool) -> None:
        """A batch fails, with some of it in the tables."""
        works = self.planned()
        for work in works[:reserved]:
            self.tables.reserve(work.sequence, work.tokens)
        for work in works:
            self.scheduler.rewind(work)
            assert len(self.tables.tokens(work.sequence)) == work.start
            work.job.failures += 1
            if gives_up:
                self.scheduler.remove(self.jobs.pop(work.job.number))

    def planned(self) -> list[Work]:
        """A batch, with all that must hold of one."""
        works = self.scheduler.plan()
        suspects = [job for job in self.scheduler.running if job.failures]
        numbers = [work.job.number for work in works]
        if suspects:
            assert numbers == [suspects[0].number]
        else:
            assert numbers == [job.number for job in self.scheduler.running]
            assert numbers[0] == min(self.jobs), "the oldest always gets on"
        tokens = sum(work.count + work.drafted for work in works)
        assert 0 < tokens <= self.limits.step_tokens
        for work in works:
            have = self.tables.tokens(work.sequence)
            assert have == tuple(work.job.tokens[: work.start])
            assert work.count == len(work.tokens) > 0
            assert work.last == (work.start + work.count == len(work.job.tokens))
            assert work.drafted <= (self.limits.drafted if work.last and work.count == 1 else 0)
            assert len(work.job.tokens) + work.drafted < work.job.limit
        return works

    def run(self, work: Work, draft: list[int]) -> None:
        """What a model does: there is room for it."""
        self.tables.reserve(work.sequence, [*work.tokens, *draft])
        self.tables.commit(work.sequence)
        work.job.failures = 0

    def choose(self, job: Job, tokens: list[int]) -> None:
        job.tokens += tokens
        assert len(job.tokens) <= job.limit
        if len(job.tokens) == job.limit:
            self.scheduler.remove(self.jobs.pop(job.number))
        else:
            self.scheduler.trim(job)

    @invariant()
    def each_job_is_in_one_place_and_in_order(self) -> None:
        running = [job.number for job in self.scheduler.running]
        waiting = [job.number for job in self.scheduler.waiting]
        assert running + waiting == sorted(self.jobs)
        assert len(running) <= self.limits.sequences

    @invariant()
    def pages_belong_to_those_that_run(self) -> None:
        sequences = [job.sequence for job in self.scheduler.running if job.sequence is not None]
        assert sorted(self.tables.sequences()) == sorted(sequences)
        used = {page for sequence in sequences for page in self.tables.pages(sequence)}
        assert self.tables.counts.used == len(used)

    def teardown(self) -> None:
        """What is left is served in a bounded number of batches, and all pages come back."""
        if not hasattr(self, "jobs"):
            return
        bound = 4 * sum(job.limit for job in self.jobs.values()) * (1 + len(self.jobs))
        for _ in range(bound):
            if not self.jobs:
                break
            for work in self.planned():
                self.run(work, [])
                if work.last:
                    self.choose(work.job, [0])
        assert not self.jobs
        assert self.tables.counts.used == 0


TestScheduler = Machine.TestCase
TestScheduler.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def jobs(scheduler: Scheduler, *prompts: int) -> list[Job]:
    made = [Job(at, Request(tuple(range(count))), 1000) for at, count in enumerate(prompts)]
    for job in made:
        scheduler.add(job)
    return made


def test_a_long_prompt_is_read_in_pieces_beside_others() -> None:
    tables = PageTables(100, 4)
    scheduler = Scheduler(tables, Limits(sequences=3, step_tokens=10))
    jobs(scheduler, 1, 30, 5)
    shapes = []
    for _ in range(5):
        works = scheduler.plan()
        shapes.append([work.count for work in works])
        for work in works:
            tables.reserve(work.sequence, work.tokens)
            tables.commit(work.sequence)
            if work.last:
                work.job.tokens.append(0)
    assert shapes == [[1, 8, 1], [1, 8, 1], [1, 8, 1], [1, 6, 2], [1, 1, 1]]


def test_the_youngest_gives_way_and_finds_its_prefix_again() -> None:
    tables = PageTables(4, 2)
    scheduler = Scheduler(tables, Limits(sequences=2, step_tokens=8))
    old, young = jobs(scheduler, 3, 3)
    young.tokens[:] = [7, 8, 9]
    for _ in range(3):
        for work in scheduler.plan():
            tables.reserve(work.sequence, work.tokens)
            tables.commit(work.sequence)
            work.job.tokens.append(1)
    assert (scheduler.running, scheduler.waiting) == ((old,), (young,))
    assert scheduler.preemptions == 1
    scheduler.remove(old)
    (work,) = scheduler.plan()
    assert work.job is young
    assert work.start == 2
    assert work.tokens == tuple(young.tokens[2:])


@pytest.mark.parametrize("wrong", [(0, 4, 0), (4, 3, 0), (1, 1, -1)])
def test_limits_that_cannot_work(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 sequence"):
        Limits(*wrong)
