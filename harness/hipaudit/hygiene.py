"""Which barriers and which shared memory a kernel needs, for the launch that was made.

A barrier is needed when the race checker finds two accesses that only this barrier orders: the
launch is made again with the barrier ordering nothing, while the threads still wait at it, so
that every value stays as it was. Barriers that turned out not to be needed stay off for those
after them: all that are called redundant can go together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hipaudit import job
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding, Reader, definition_line, own_frame
from hipaudit.symbolise import Symboliser
from hipaudit.text import plural

Record: TypeAlias = Mapping[str, Any]

NEEDED, REDUNDANT, WRONG_SCOPE = "needed", "redundant", "wrong scope"
NOT_TRIED = "not tried"

_ORDERS_ALL = 3
_WITHOUT_FENCE = "barrier-without-fence"
_RACES = frozenset(
    {
        "race-shared",
        "race-global",
        "race-grid",
        "race-wave",
        "race-atomic-scope",
        "wave-size-dependence",
        "atomics-in-order",
        _WITHOUT_FENCE,
    }
)
_BUDGET_S = 30.0
"""What making launches again may take together; barriers left over are said to be not tried."""

_GRANULE = 512
"""Shared memory is given to a block in steps of so many bytes, on gfx9 and gfx11 alike."""

_DYNAMIC = re.compile(r"extern\b.*__shared__|__shared__.*\bextern\b|HIP_DYNAMIC_SHARED")


@dataclass(frozen=True, slots=True)
class Barrier:
    """A barrier of a kernel, by its source line; several places where it was inlined or unrolled.

    orders  bit 0: shared memory, bit 1: global memory
    votes   whether its threads learn what the others voted
    count   how often blocks passed it; block: threads of a block
    """

    kernel: str
    file: str
    line: int
    places: tuple[int, ...]
    object: str
    orders: int
    votes: bool
    count: int
    block: int


def launch(payload: Record, device: Device, progress: Progress) -> Json:
    """Launch as `job.launch` does, in the checked build with a look at what the launch needs."""
    if payload["build"] != "checked" or device.control is None:
        return job.launch(payload, device, progress)
    if not device.with_build("checked"):
        return {"unsupported": True}
    before = device.journal_size()
    device.control.set("hygiene", "1")
    prepared = job.prepare(payload, device, progress)
    value = job.launched(prepared)
    device.control.set("hygiene", "")
    records = device.records_since(before)
    value["shared"] = [record for record in records if record["record"] == "shared"]
    value["barriers"] = []
    if value["status"] is None and not any(_is_fatal(record) for record in records):
        value["barriers"] = classify(device, records, (prepared.run,))
    return value


def _is_fatal(record: Record) -> bool:
    """Tell whether a launch went too wrong to learn from: but for races, all errors count."""
    wrong = record["record"] == "finding" and record.get("severity") == "error"
    return wrong and record.get("kind") not in _RACES


def barriers(records: Iterable[Record], symboliser: Symboliser) -> list[Barrier]:
    """Return the barriers that a journal tells of, by kernel and source line."""
    places: dict[tuple[str, str, int], list[Record]] = {}
    for record in records:
        if record["record"] != "barrier":
            continue
        frame = own_frame(symboliser.frames(str(record["object"]), int(record["pc"])))
        places.setdefault((str(record["kernel"]), frame.file, frame.line), []).append(record)
    return [
        Barrier(
            kernel,
            file,
            line,
            tuple(sorted({int(record["pc"]) for record in group})),
            str(group[0]["object"]),
            min(int(record["orders"]) for record in group),
            any(record["votes"] for record in group),
            sum(int(record["count"]) for record in group),
            max(int(record["block"]) for record in group),
        )
        for (kernel, file, line), group in sorted(places.items())
    ]


def classify(
    device: Device,
    records: Sequence[Record],
    runs: Sequence[Callable[[], Any]],
    *,
    budget_s: float = _BUDGET_S,
) -> list[Json]:
    """Return, for each barrier of the *records* of some runs, whether it was needed, and the proof.

    runs  make the launches once more; none after the first that shows a barrier to be needed
    """
    known = {_pair(record) for record in records if record.get("kind") in _RACES}
    removed: list[int] = []
    answers = []
    began = time.monotonic()
    for barrier in barriers(records, Symboliser()):
        if time.monotonic() - began > budget_s:
            answers.append(_answer(barrier, NOT_TRIED, "the launch takes too long to repeat"))
            continue
        answer = _tried(device, barrier, removed, known, runs)
        if answer["verdict"] == REDUNDANT:
            removed += barrier.places
        answers.append(_scoped(device, barrier, answer, records, runs))
    return answers


def _tried(
    device: Device,
    barrier: Barrier,
    removed: Sequence[int],
    known: set[tuple[Any, ...]],
    runs: Sequence[Callable[[], Any]],
) -> dict[str, Any]:
    """Return what happens without a barrier."""
    if barrier.votes:
        return _answer(barrier, NEEDED, "its threads learn what the others voted")
    if barrier.block == 1:
        return _answer(barrier, NOT_TRIED, "the block had one thread")
    unsure = False
    for run in runs:
        records = _under(device, "ignored_barriers", (*removed, *barrier.places), run)
        ours = [record for record in records if record["kernel"] == barrier.kernel]
        proofs = [r for r in ours if r.get("kind") in _RACES and _pair(r) not in known]
        if proofs:
            return _answer(barrier, NEEDED, "", min(proofs, key=_rank))
        unsure = unsure or any(record["record"] == "handover" for record in ours)
    if unsure:
        return _answer(barrier, NOT_TRIED, "atomics order threads too, in this run and not in all")
    if any(kernel == barrier.kernel for kernel, *_ in known):
        return _answer(barrier, NOT_TRIED, "it may order accesses that race all the same")
    return _answer(barrier, REDUNDANT, "")


def _scoped(
    device: Device,
    barrier: Barrier,
    answer: dict[str, Any],
    records: Sequence[Record],
    runs: Sequence[Callable[[], Any]],
) -> dict[str, Any]:
    """Return the answer, or that the barrier should order more: then nothing races past it."""
    past = [r for r in records if r.get("kind") == _WITHOUT_FENCE and r["kernel"] == barrier.kernel]
    if barrier.orders == _ORDERS_ALL or not past:
        return answer
    still = {
        _pair(record)
        for run in runs
        for record in _under(device, "completed_barriers", barrier.places, run)
        if record.get("kind") == _WITHOUT_FENCE
    }
    mended = [record for record in past if _pair(record) not in still]
    return _answer(barrier, WRONG_SCOPE, "", min(mended, key=_rank)) if mended else answer


def _answer(
    barrier: Barrier, verdict: str, why: str, proof: Record | None = None
) -> dict[str, Any]:
    return {
        "kernel": barrier.kernel,
        "file": barrier.file,
        "line": barrier.line,
        "object": barrier.object,
        "pc": barrier.places[0],
        "count": barrier.count,
        "verdict": verdict,
        "why": why,
        "proof": proof,
    }


def _under(
    device: Device, setting: str, places: Iterable[int], again: Callable[[], Any]
) -> list[dict[str, Any]]:
    """Return what is journalled while a setting names barriers."""
    listed = ",".join(f"{place:x}" for place in places)
    with device.aside(**{setting: listed}) as records:
        again()
    return records


def _pair(record: Record) -> tuple[Any, ...]:
    sides = (record.get("location"), record.get("other_location"))
    return (record.get("kernel"), *sorted(int(side["pc"]) for side in sides if side))


def _rank(record: Record) -> tuple[Any, ...]:
    """Order proofs: errors first, then by the threads that would meet."""
    here, other = record["location"], record.get("other_location") or {}
    return (
        record["severity"] != "error",
        here["block"],
        here["thread"],
        other.get("block", []),
        other.get("thread", []),
    )


def rows(value: Record, reader: Reader) -> list[dict[str, Any]]:
    """Return the barriers of a launch as the outputs show them: place, verdict, and why."""
    return [row(answer, reader) for answer in value.get("barriers") or ()]


def row(answer: Record, reader: Reader) -> dict[str, Any]:
    """Return one barrier as the outputs show it; both sides of its proof are locations."""
    shown = {name: answer[name] for name in ("file", "line", "verdict", "why", "count")}
    shown |= {"file": reader.readable(str(answer["file"]))}
    shown |= {"location": None, "other_location": None}
    if answer["proof"] is not None:
        (proof,) = reader.findings([answer["proof"]])
        here, other = proof.location, proof.other_location
        shown["why"] = _because(proof)
        shown["location"] = here.as_json() if here else None
        shown["other_location"] = other.as_json() if other else None
    return shown


def _because(proof: Finding) -> str:
    """Say what the two sides of a proof have to do with the barrier."""
    here, other = proof.location, proof.other_location
    one = f"the {proof.access or 'access'} in line {here.line}" if here else "an access"
    if other is None:
        two = "another"
    elif here and here.line == other.line:
        two = "another thread's"
    else:
        two = f"that in line {other.line}"
    if proof.kind == "atomics-in-order":
        return f"it keeps {one} and {two} in their order"
    if proof.kind == _WITHOUT_FENCE:
        return f"it does not order {one} and {two}"
    return f"without it {one} races with {two}"


def findings(file: str, value: Record, build: str) -> list[dict[str, Any]]:
    """Return the journal records of what a launch did not need."""
    common = {
        "record": "finding",
        "severity": "info",
        "kernel": value["kernel"],
        "arch": value["arch"],
        "build": build,
    }
    found = [
        {
            **common,
            "kind": "redundant-barrier",
            "count": answer["count"],
            "message": "in this launch it orders no two accesses: no threads would race without it",
            "location": {"object": answer["object"], "pc": answer["pc"]},
        }
        for answer in value.get("barriers") or ()
        if answer["verdict"] == REDUNDANT
    ]
    shared = value.get("shared") or ()
    return found + [
        {**common, **_unused(file, entry, str(value["kernel"]))}
        for entry in shared
        if _is_unused(entry, shared)
    ]


def _is_unused(entry: Record, shared: Iterable[Record]) -> bool:
    """Tell whether a variable was never touched, or a launch's dynamic memory could be less.

    The end of dynamic memory counts where a block would be given less without it.
    """
    if not entry["size"]:
        return False
    if not entry["used"]:
        return True
    total = sum(int(other["size"]) for other in shared)
    needed = total - int(entry["size"]) + int(entry["end"])
    return bool(entry["dynamic"]) and -(-needed // _GRANULE) < -(-total // _GRANULE)


def _unused(file: str, entry: Record, kernel: str) -> dict[str, Any]:
    name = "dynamic shared memory" if entry["dynamic"] else str(entry["name"])
    size = plural(int(entry["size"]), "byte")
    message = f"no thread touched {name} ({size}) in this launch"
    if entry["used"]:
        rest = int(entry["size"]) - int(entry["end"])
        message = f"no thread touched the last {rest:,} of {size} of {name} in this launch"
    allocation = {"name": name, "size": entry["size"], "offset": entry["end"]}
    return {
        "kind": "unused-shared",
        "message": message,
        "address_space": "shared",
        "allocation": allocation,
        "location": {"file": file, "line": _declaration(file, entry, kernel)},
    }


def _declaration(file: str, entry: Record, kernel: str) -> int:
    """Return the line that declares a shared variable, else the kernel's."""
    named = re.compile(rf"__shared__\b.*\b{re.escape(str(entry['name']))}\b")
    pattern = _DYNAMIC if entry["dynamic"] else named
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    begin = definition_line(Path(file), kernel.partition("<")[0].rpartition("::")[2])
    hits = [number for number, line in enumerate(lines, 1) if pattern.search(line)]
    return next((number for number in hits if number >= begin), (hits or [begin])[-1])
