"""What is found does not depend on the order in which threads run, nor on how many run at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from hipaudit.audits.fault_corpus import ARCH_OF, Fault, read_corpus
from hipaudit.audits.fault_runs import Job, Ran, request_of, run_jobs
from hipaudit.finding import Reader, grouped

pytestmark = pytest.mark.faults

Seen: TypeAlias = frozenset[tuple[str, frozenset[int]]]

# Workers and the seed of the order of blocks and waves.
SCHEDULES = ((1, 0), (1, 7), (1, 1234), (2, 0), (2, 99), (5, 0), (5, 31))
# These end a launch at the first thread that comes to them, or after a time.
STOPPED = {
    "abort",
    "deadlock",
    "out-of-bounds-global",
    "out-of-bounds-private",
    "stack-overflow",
    "timeout",
    "use-after-free",
    "wild-access",
}
# Which of their accesses happen depends on values that are raced for.
UNDETERMINED = {"race-shared/bitonic_sort"}


def corpus() -> Iterator[Fault]:
    for fault in read_corpus(Path(__file__).parents[2] / "kernels" / "faults"):
        kinds = {kind for mark in fault.expected("64") for kind in mark.kinds}
        determined = fault.name not in UNDETERMINED
        if fault.judge == "check" and determined and not kinds & STOPPED:
            yield fault


CORPUS = tuple(corpus())


def seen(ran: Ran) -> Seen:
    """The kinds that were found, each with the lines of its sides."""
    found = grouped(Reader().findings(ran.records)).items
    return frozenset(
        (one.kind, frozenset(s.line for s in (one.location, one.other_location) if s))
        for one in found
    )


@pytest.fixture(scope="module")
def results() -> dict[str, list[Seen]]:
    jobs = [
        Job(request_of(fault), workers=workers, order_seed=seed)
        for fault in CORPUS
        for workers, seed in SCHEDULES
    ]
    ran = iter(run_jobs(jobs, ARCH_OF["64"]))
    return {fault.name: [seen(next(ran)) for _ in SCHEDULES] for fault in CORPUS}


@pytest.mark.parametrize("fault", CORPUS, ids=lambda fault: fault.name)
def test_every_schedule_finds_the_same(fault: Fault, results: dict[str, list[Seen]]) -> None:
    first, *others = results[fault.name]
    for schedule, other in zip(SCHEDULES[1:], others, strict=True):
        assert other == first, f"with workers and seed {schedule}"
