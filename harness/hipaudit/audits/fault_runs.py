"""Running many kernels of the corpus in few children: one after another until one dies.

A child a kernel would cost more than the kernels. The device outlives a kernel's fault, so a child
goes on with the next; should one die all the same, that is a finding about the kernel it ran, and
a fresh child takes the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hipaudit import child, hygiene
from hipaudit.audits.fault_corpus import TWIN, Fault
from hipaudit.checking import Request
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.errors import HipauditError, UsageError

_GRACE_S: Final = 120.0
"""What a child may take beyond its kernels' timeouts: building the device, compiling."""


@dataclass(frozen=True, slots=True)
class Job:
    """One launch: what, in which build, in which order its blocks and waves run, on how many cores.

    workers  0: one for each core
    """

    request: Request
    build: str = "checked"
    order_seed: int = 0
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a job.

    value    what the launch left: names of buffers, the failing call; None when the child died
    records  the device's journal of this job, a finding for the child's death included
    error    why it could not be run at all: it does not compile, its arguments do not fit
    """

    value: Mapping[str, Any] | None
    records: tuple[Mapping[str, Any], ...]
    error: str | None = None

    @property
    def accesses(self) -> int:
        """Accesses that were checked."""
        return sum(int(r.get("accesses") or 0) for r in self.records if r["record"] == "launch")


def request_of(fault: Fault, *, twin: bool = False, save: str | None = None) -> Request:
    """Return what ``hipaudit check`` would do with the arguments that the file gives.

    Raises UsageError for an argument that ``check`` does not know.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--kernel", default="")
    parser.add_argument("--grid", type=_extent, default=(1, 1, 1))
    parser.add_argument("--block", type=_extent, default=(1, 1, 1))
    parser.add_argument("--shared", type=int, default=0)
    parser.add_argument("--arg", action="append", default=[])
    parser.add_argument("--timeout", type=float, default=10.0)
    try:
        given, unknown = parser.parse_known_args(fault.run)
    except argparse.ArgumentError as error:
        raise UsageError(f"{fault.path}: {error}") from error
    if unknown:
        raise UsageError(f"{fault.path}: check has no {' '.join(unknown)}")
    return Request(
        file=str(fault.path),
        kernel=given.kernel,
        grid=given.grid,
        block=given.block,
        shared=given.shared,
        args=tuple(given.arg),
        define=TWIN[1:] if twin else (),
        timeout_s=given.timeout,
        save=save,
    )


def _extent(text: str) -> tuple[int, int, int]:
    x, y, z, *_ = (*(int(part) for part in text.split(",")), 1, 1)
    return x, y, z


def run_jobs(jobs: Sequence[Job], arch: str, tick: Callable[[], None] = lambda: None) -> list[Ran]:
    """Run the jobs on a part of the emulated device, in their order; *tick* follows each."""
    ran: list[Ran] = []
    while len(ran) < len(jobs):
        ran += _run_child(jobs[len(ran) :], arch, tick)
    return ran


def _run_child(jobs: Sequence[Job], arch: str, tick: Callable[[], None]) -> list[Ran]:
    """Run jobs in one child until it dies; at least one is done."""
    done: list[Ran] = []

    def collect(item: Json) -> None:
        if "job" in item:
            done.append(Ran(item["value"], tuple(item["records"]), item["error"]))
            tick()

    result = child.run_in_child(
        "hipaudit.audits.fault_runs:batch",
        {"jobs": [asdict(item) for item in jobs]},
        choice="emulated",
        settings={"arch": arch},
        limit_s=_GRACE_S + 2 * sum(item.request.timeout_s for item in jobs),
        progress=collect,
    )
    if result.death is not None and len(done) < len(jobs):
        seen = sum(len(item.records) for item in done)
        done.append(Ran(None, (*result.records[seen:], result.death)))
    return done


def batch(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run the jobs of a payload, in a child; each result goes out as progress."""
    for number, item in enumerate(payload["jobs"]):
        progress({"job": number, **_run_here(item, device)})
    return len(payload["jobs"])


def _run_here(item: Mapping[str, Any], device: Device) -> dict[str, Any]:
    if device.control is None:
        raise UsageError("the corpus of faults runs on the emulated device")
    request = item["request"]
    device.control.set("build", item["build"])
    device.control.set("order_seed", str(item["order_seed"]))
    device.control.set("workers", str(item["workers"]))
    device.control.set("timeout", str(request["timeout_s"]))
    before, value, error = device.journal_size(), None, None
    try:
        value = hygiene.launch({**request, "build": item["build"]}, device, lambda _: None)
    except HipauditError as failure:
        error = f"{type(failure).__name__}: {failure}"
    return {"value": value, "error": error, "records": device.records_since(before)}
