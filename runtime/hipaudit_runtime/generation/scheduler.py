"""Which requests run in the next batch, and with how many of their tokens: bookkeeping alone.

Requests are served in the order in which they came. Every running one has at least a token in each
batch; what the budget leaves goes to the oldest, a prompt in pieces beside the others' tokens. When
the cache has no room the youngest gives its pages up and starts over from its tokens later, so the
oldest always gets on: nothing starves. A request whose batch failed runs alone the next time.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import final

from hipaudit_runtime.generation.requests import Request
from hipaudit_runtime.pages import PageTables


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may hold.

    sequences    requests that run at the same time
    step_tokens  tokens a batch, at least one a sequence
    drafted      tokens of a draft that are verified at once; 0: none

    Raises:
        ValueError: a number out of range.
    """

    sequences: int = 8
    step_tokens: int = 256
    drafted: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.sequences < 1 or self.step_tokens < self.sequences or self.drafted < 0:
            raise ValueError(
                f"{self.sequences} sequences and {self.step_tokens} tokens a step, "
                f"{self.drafted} drafted: at least 1 sequence, a token a sequence, and 0"
            )


@dataclass(slots=True, eq=False)
class Job:
    """A request on its way.

    number    its place in the order
    limit     the most tokens it may have, the prompt's included
    tokens    of the prompt and of the answer so far
    sequence  of the page tables, None while it waits
    failures  batches in a row that failed with it
    reused    tokens of its prompt that were in the cache already
    counted   whether its prompt is in the statistics
    """

    number: int
    request: Request
    limit: int
    tokens: list[int] = field(default_factory=list)
    sequence: int | None = None
    failures: int = 0
    reused: int = 0
    counted: bool = False

    def __post_init__(self) -> None:
        """Begin with the prompt."""
        self.tokens += self.request.prompt


@dataclass(frozen=True, slots=True)
class Work:
    """A job's part in a batch.

    start    tokens of it that the cache has
    count    tokens that follow them
    last     whether its next token is chosen then
    drafted  how many tokens beyond its own there is room for; 0 unless *last*
    """

    job: Job
    sequence: int
    start: int
    count: int
    last: bool
    drafted: int = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        """What the model is given."""
        return tuple(self.job.tokens[self.start : self.start + self.count])


@final
class Scheduler:
    """The jobs over one cache's page tables."""

    __slots__ = ("_limits", "_running", "_tables", "_waiting", "preemptions")

    def __init__(self, tables: PageTables, limits: Limits) -> None:
        self._tables = tables
        self._limits = limits
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self.preemptions = 0

    @property
    def running(self) -> tuple[Job, ...]:
        """Jobs with a sequence, oldest first."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs without, in the order in which they will have one."""
        return tuple(self._waiting)

    def add(self, job: Job) -> None:
        """Put a new job in its place in the line."""
        insort(self._waiting, job, key=lambda each: each.number)

    def remove(self, job: Job) -> None:
        """Forget a job and give its pages back."""
        if job.sequence is None:
            self._waiting.remove(job)
        else:
            self._running.remove(job)
            self._tables.remove(job.sequence)
            job.sequence = None

    def rewind(self, work: Work) -> None:
        """Take back what a batch that failed may have left in a job's sequence.

        An error may come to light after pages were written: they are not to be shared.
        """
        if self._tables.length(work.sequence) > work.start:
            self._tables.discard(work.sequence, work.start)

    def trim(self, job: Job) -> None:
        """Leave a running job's last token to the next batch, and drop a draft that was wrong."""
        if job.sequence is not None and self._tables.length(job.sequence) >= len(job.tokens):
            self._tables.truncate(job.sequence, len(job.tokens) - 1)

    def plan(self) -> list[Work]:
        """The next batch; empty when there is nothing to do.

        There is room in the cache for all of it.
        """
        self._admit()
        suspects = [job for job in self._running if job.failures]
        works: list[Work] = []
        claimed = 0
        spare = self._limits.step_tokens - len(self._running)
        for job in suspects[:1] or list(self._running):
            if job.sequence is None:
                break  # it gave way to an older one, and so did all that are younger
            work = self._work(job, job.sequence, spare, claimed)
            if work is None:
                continue
            spare -= work.count + work.drafted - 1
            claimed += self._tables.needed(work.sequence, work.count + work.drafted)
            works.append(work)
        return works

    def _work(self, job: Job, sequence: int, spare: int, claimed: int) -> Work | None:
        """As much of a job as fits; None when it had to give way itself."""
        start = self._tables.length(sequence)
        left = len(job.tokens) - start
        while not self._fits(sequence, 1, claimed):
            youngest = self._running[-1]
            self._preempt(youngest)
            if youngest is job:
                return None
        wanted = min(left, 1 + spare)
        drafted = 0
        if left == 1:
            drafted = max(0, min(self._limits.drafted, spare, job.limit - len(job.tokens) - 1))
        room = self._room(sequence, wanted + drafted, claimed)
        count = min(wanted, room)
        return Work(job, sequence, start, count, count == left, min(drafted, room - count))

    def _admit(self) -> None:
        """Start waiting jobs, in order, while all their tokens fit beside what runs already."""
        while self._waiting and len(self._running) < self._limits.sequences:
            job = self._waiting[0]
            job.sequence = self._tables.add(job.tokens)
            claims = [self._claim(each) for each in (*self._running, job)]
            if self._running and sum(claims) > self._available():
                self._tables.remove(job.sequence)
                job.sequence = None
                return
            found = self._tables.length(job.sequence)
            job.reused = max(job.reused, min(found, len(job.request.prompt)))
            insort(self._running, self._waiting.pop(0), key=lambda each: each.number)

    def _claim(self, job: Job) -> int:
        """Pages that a running job takes until its next token is chosen."""
        assert job.sequence is not None  # noqa: S101 - a running job has one
        left = len(job.tokens) - self._tables.length(job.sequence)
        return self._tables.needed(job.sequence, left)

    def _preempt(self, job: Job) -> None:
        self.remove(job)
        self.add(job)
        self.preemptions += 1

    def _available(self) -> int:
        counts = self._tables.counts
        return counts.free + counts.idle

    def _fits(self, sequence: int, count: int, claimed: int) -> bool:
        return claimed + self._tables.needed(sequence, count) <= self._available()

    def _room(self, sequence: int, wanted: int, claimed: int) -> int:
        """The most tokens up to *wanted* that fit; one does."""
        size = self._tables.page_size
        while not self._fits(sequence, wanted, claimed):
            start = self._tables.length(sequence)
            wanted -= (start + wanted - 1) % size + 1
        return wanted
