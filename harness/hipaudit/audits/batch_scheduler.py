"""The batch scheduler beside a simple model of it: order, room, budget, counters, nothing lost.

Jobs come, run, end, fail and are called off in an order that a seed decides, over small caches.
After every step the model says what must hold. No kernel runs: scheduling is the host's work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from hipaudit.audits.sweep import Sweep
from hipaudit.finding import Finding, Location, identified
from hipaudit.resources import shown_path
from hipaudit_runtime.errors import CacheFullError
from hipaudit_runtime.generation import scheduler as scheduling
from hipaudit_runtime.generation.requests import Request
from hipaudit_runtime.generation.scheduler import Job, Limits, Scheduler, Work
from hipaudit_runtime.pages import PageTables

RULES = (
    "conservation: every job waits, runs or has ended, and is in one place",
    "order: whoever runs came before all that wait",
    "progress: the oldest job that runs has a part in every batch",
    "capacity: no more sequences or tokens than the limits, and room in the cache for all of them",
    "counters: what gave way is what the scheduler counted",
    "pages: those of the jobs that run, and none once all have ended",
)
_CONSERVATION, _ORDER, _PROGRESS, _CAPACITY, _COUNTERS, _PAGES = RULES
_RUNS, _ACTIONS, _DRAIN = 40, 60, 4000
_SHAPES = (
    # sequences, tokens a step, drafted, pages, tokens a page
    (1, 1, 0, 4, 2),
    (2, 5, 0, 6, 2),
    (4, 16, 0, 8, 4),
    (4, 6, 3, 5, 4),
    (8, 64, 2, 64, 4),
    (3, 9, 0, 3, 1),
)


@dataclass(slots=True)
class _Model:
    """What must hold, kept beside a scheduler that is told the same."""

    limits: Limits
    tables: PageTables
    scheduler: Scheduler
    alive: dict[int, Job] = field(default_factory=dict)
    came: int = 0
    ended: int = 0
    gave_way: int = 0
    steps: int = 0
    most_tokens: int = 0
    most_running: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def require(self, rule: str, holds: bool, seen: str) -> None:
        """Note a rule that does not hold."""
        if not holds:
            self.broken[rule] += 1
            self.first = self.first or f"{rule}: {seen}"

    def state(self) -> None:
        """Check what holds between any two actions."""
        running = [job.number for job in self.scheduler.running]
        waiting = [job.number for job in self.scheduler.waiting]
        both = sorted(running + waiting)
        self.require(_CONSERVATION, both == sorted(self.alive), f"{both} of {sorted(self.alive)}")
        self.require(
            _CONSERVATION,
            self.came == self.ended + len(both),
            f"{self.came} came, {self.ended} left",
        )
        ordered = running == sorted(running) and waiting == sorted(waiting)
        ahead = max(running, default=-1) < min(waiting, default=self.came)
        self.require(_ORDER, ordered and ahead, f"{running} run, {waiting} wait")
        fits = len(running) <= self.limits.sequences
        self.require(_CAPACITY, fits, f"{len(running)} sequences run")
        owned = {job.sequence for job in self.scheduler.running}
        self.require(_PAGES, owned == set(self.tables.sequences()), "a sequence is nobody's")
        self.most_running = max(self.most_running, len(running))


def planned(archs: Sequence[str]) -> int:
    """Steps of progress: this runs on no part."""
    del archs
    return len(_SHAPES)


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Run the scheduler beside its model."""
    del archs, device
    rows, findings, steps = [], [], 0
    for shape in _SHAPES:
        models = [_ran(shape, seed) for seed in range(_RUNS)]
        rows.append(_row(shape, models))
        findings += _findings(shape, models)
        steps += sum(model.steps for model in models)
        tick()
    return Sweep(
        name="batch_scheduler",
        title="Batch scheduler",
        question="Are requests conserved, served in order, within the limits, and counted right?",
        columns=("Sequences", "Tokens a step", "Drafted", "Pages", "Tokens a page", "Jobs",
                 "Batches", "Gave way", "Most running", "Most tokens", "Rules broken"),
        numeric=frozenset(range(11)),
        rows=tuple(rows),
        totals=(
            f"{steps:,} batches, each held against {len(RULES)} rules",
            *RULES,
        ),
        findings=tuple(findings),
        launches=(),
        only="scheduler",
        steps=steps,
    )  # fmt: skip


def _row(shape: Sequence[int], models: Sequence[_Model]) -> tuple[str, ...]:
    return (
        *map(str, shape),
        f"{sum(model.came for model in models):,}",
        f"{sum(model.steps for model in models):,}",
        f"{sum(model.gave_way for model in models):,}",
        str(max(model.most_running for model in models)),
        str(max(model.most_tokens for model in models)),
        str(sum(model.broken.total() for model in models)),
    )


def _findings(shape: Sequence[int], models: Sequence[_Model]) -> list[Finding]:
    """One finding a rule that was broken, with the shape that shows it."""
    path = str(shown_path(scheduling.__file__))
    found = []
    for rule in RULES:
        wrong = [model for model in models if model.broken[rule]]
        if wrong:
            seed = models.index(wrong[0])
            draft = Finding(
                id="", kind="bound-exceeded", severity="error", kernel="Scheduler", arch="",
                message=wrong[0].first, count=sum(model.broken[rule] for model in wrong),
                location=Location(path, 0, "Scheduler"),
                input=f"limits {shape}, seed {seed}", replay="hipaudit audit --only scheduler",
            )  # fmt: skip
            found.append(identified(draft))
    return found


def _ran(shape: Sequence[int], seed: int) -> _Model:
    """Run one seed's actions over a shape, then until every job has ended."""
    sequences, tokens, drafted, pages, size = shape
    tables = PageTables(pages, size)
    limits = Limits(sequences, tokens, drafted)
    model = _Model(limits, tables, Scheduler(tables, limits))
    random = Random(f"{shape} {seed}")  # noqa: S311 - a schedule, not a secret
    for _ in range(_ACTIONS):
        action = random.random()
        if action < 0.3:
            _come(model, random, pages * size)
        elif action < 0.35 and model.alive:
            _leave(model, model.alive[random.choice(sorted(model.alive))])
        else:
            _step(model, random)
        model.state()
    for _ in range(_DRAIN):
        if not model.alive:
            break
        _step(model, random)
        model.state()
    model.require(_PROGRESS, not model.alive, f"{len(model.alive)} jobs never end")
    model.require(_PAGES, model.tables.counts.used == 0, f"{model.tables.counts} at the end")
    return model


def _come(model: _Model, random: Random, capacity: int) -> None:
    length = random.randint(1, max(1, min(capacity - 1, 12)))
    prompt = tuple(random.randint(0, 1) for _ in range(length))
    limit = min(capacity, length + random.randint(1, 6))
    job = Job(model.came, Request(prompt), limit)
    model.alive[job.number] = job
    model.came += 1
    model.scheduler.add(job)


def _leave(model: _Model, job: Job) -> None:
    model.scheduler.remove(job)
    del model.alive[job.number]
    model.ended += 1


def _step(model: _Model, random: Random) -> None:
    """Plan a batch, hold it against the rules, and run it, or have it fail."""
    ran = {job.number for job in model.scheduler.running}
    before = model.scheduler.preemptions
    works = model.scheduler.plan()
    gone = ran - {job.number for job in model.scheduler.running}
    counted = model.scheduler.preemptions - before
    model.gave_way += counted
    # One that was only just admitted may give way at once: it ran neither before nor after.
    model.require(_COUNTERS, len(gone) <= counted, f"{len(gone)} gave way, {counted} counted")
    if not works:
        model.require(_PROGRESS, not model.alive, f"{len(model.alive)} jobs and no batch")
        return
    model.steps += 1
    tokens = sum(work.count + work.drafted for work in works)
    model.most_tokens = max(model.most_tokens, tokens)
    fits = tokens <= model.limits.step_tokens and all(work.count >= 1 for work in works)
    model.require(_CAPACITY, fits, f"{tokens} tokens in a batch")
    drafts = all(work.drafted == 0 or work.last for work in works)
    model.require(_CAPACITY, drafts, "a draft behind part of a prompt")
    oldest = model.scheduler.running[0]
    suspects = [job for job in model.scheduler.running if job.failures]
    expected = suspects[0] if suspects else oldest
    model.require(_PROGRESS, works[0].job is expected, f"job {expected.number} has no part")
    if random.random() < 0.05:
        for work in works:
            work.job.failures = 1
            model.scheduler.rewind(work)
        return
    for work in works:
        _run(model, work, random)


def _run(model: _Model, work: Work, random: Random) -> None:
    """Do what an engine does with a job's part in a batch."""
    job = work.job
    job.failures = 0
    draft = tuple(random.randint(0, 1) for _ in range(random.randint(0, work.drafted)))
    try:
        model.tables.reserve(work.sequence, (*work.tokens, *draft))
    except CacheFullError as error:
        model.require(_CAPACITY, holds=False, seen=str(error))
        _leave(model, job)
        return
    model.tables.commit(work.sequence)
    if not work.last:
        return
    accepted = random.randint(0, len(draft))
    job.tokens += (*draft[:accepted], random.randint(0, 1))
    del job.tokens[job.limit :]
    model.scheduler.trim(job)
    if len(job.tokens) >= job.limit or random.random() < 0.1:
        _leave(model, job)
