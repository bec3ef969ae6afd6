"""The barriers audit: which barriers of the library's kernels are needed, and what proves it.

Each kernel runs on small inputs of its spec in the checked build; then every barrier is made to
order nothing, and what races without it is its proof. Both wave sizes: a barrier that one of them
needs is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import Phase, settings

from hipaudit import hygiene
from hipaudit.audits.kernels import spec_named
from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.errors import HipauditError
from hipaudit.finding import Finding, Location, Reader, identified
from hipaudit.launches import Launches, launches
from hipaudit.property import hypothesis_test
from hipaudit.resources import kernels_folder, shown_path
from hipaudit.spec import Inputs, Spec
from hipaudit.symbolise import Symboliser

_DRAWN = 16
"""Inputs that are drawn for a spec, beside its fixed cases."""
_RUNS = 12
"""Inputs that are run, the smallest of them first."""
_MOST_ELEMENTS = 1 << 14
"""Of all arrays of an input together: larger ones add time and no barriers."""
_BUDGET_S = 60.0
_MISSING = frozenset({"race-shared", "race-global", "barrier-without-fence"})


@dataclass(frozen=True, slots=True)
class BarrierRow:
    """A barrier of a kernel: its verdict on each part, and why.

    verdicts  by part; why: of the part that decides
    sides     file and line of the two accesses that prove it; empty where nothing does
    """

    kernel: str
    file: str
    line: int
    verdicts: Mapping[str, str]
    why: str
    sides: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What holds on both parts together: wrong on one is wrong, needed on one is needed."""
        given = set(self.verdicts.values())
        ranked = (hygiene.WRONG_SCOPE, hygiene.NEEDED, hygiene.REDUNDANT, hygiene.NOT_TRIED)
        return next(verdict for verdict in ranked if verdict in given)


@dataclass(frozen=True, slots=True)
class BarrierAudit:
    """What was shown about the barriers of the library.

    specs    kernels that were run; rows: their barriers
    missing  races within a block that no barrier prevents, as findings
    """

    specs: int
    rows: tuple[BarrierRow, ...]
    missing: tuple[Finding, ...]
    redundant: tuple[Finding, ...]
    launches: tuple[Launches, ...]
    notes: tuple[str, ...]

    @property
    def void(self) -> str | None:
        """Why the audit shows nothing; None when it does."""
        ran = sum(entry.accesses for entry in self.launches)
        return None if ran else "barriers: no memory access was instrumented"


@dataclass(frozen=True, slots=True)
class _Told:
    """What one child found out about a spec on one part."""

    arch: str
    value: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]


def audit(
    specs: Sequence[Spec],
    archs: Sequence[str],
    tick: Callable[[], None] = lambda: None,
) -> BarrierAudit:
    """Classify the barriers of the specs' kernels on the emulated device; one child a part.

    tick  is called for each spec and part
    """
    told: list[_Told] = []
    notes: list[str] = []
    for arch in archs:

        def collect(item: Json, arch: str = arch) -> None:
            told.append(_Told(arch, item, tuple(item["records"])))
            tick()

        result = run_in_child(
            "hipaudit.audits.barriers:examine_in_child",
            {"specs": [spec.name for spec in specs]},
            choice="emulated",
            settings={"arch": arch},
            progress=collect,
        )
        if result.death is not None:
            notes.append(f"barriers on {arch}: {result.death['message']}")
    notes += [
        f"{one.value['spec']} on {one.arch}: {one.value['error']}"
        for one in told
        if one.value["error"]
    ]
    rows = tuple(_rows(told))
    ran = launches(record for one in told for record in one.records)
    return BarrierAudit(
        len(specs), rows, tuple(_missing(told)), tuple(_redundant(rows)), ran, tuple(notes)
    )


def examine_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Classify the barriers of every spec of the payload; each goes out as progress."""
    device.with_build("checked")
    for name in payload["specs"]:
        spec = spec_named(name)
        error, answers, found = None, [], []
        try:
            runs, records = _baseline(spec, device)
            found = [r for r in records if r["record"] == "launch" or r.get("kind") in _MISSING]
            answers = hygiene.classify(device, records, runs, budget_s=_BUDGET_S)
        except HipauditError as failure:
            error = str(failure)
        progress({"spec": name, "barriers": answers, "records": found, "error": error})
    return len(payload["specs"])


def _baseline(spec: Spec, device: Device) -> tuple[list[Callable[[], Any]], list[dict[str, Any]]]:
    """Run a spec's small inputs as they are; return the runs, and what the device journalled."""
    runs: list[Callable[[], Any]] = []
    records: list[dict[str, Any]] = []
    for inputs in _inputs(spec):

        def run(inputs: Inputs = inputs) -> Any:
            return spec.launch(device, **inputs)

        with device.aside(hygiene="1") as heard:
            run()
        records += heard
        runs.append(run)
    return runs, records


def _inputs(spec: Spec) -> list[Inputs]:
    """Return fixed and drawn inputs of a spec, the same every time, small ones first."""
    found: list[Inputs] = list(spec.cases)
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate,))
    hypothesis_test(spec, found.append, fixed, examples=_DRAWN)()
    sized = [(_elements(inputs), number) for number, inputs in enumerate(found)]
    # The largest that are small enough, so that loops go round more than once.
    chosen = sorted(pair for pair in sized if 0 < pair[0] <= _MOST_ELEMENTS)[-_RUNS:]
    return [found[number] for _, number in chosen]


def _elements(inputs: Inputs) -> int:
    return sum(value.size for value in inputs.values() if isinstance(value, np.ndarray))


def _rows(told: Sequence[_Told]) -> Iterator[BarrierRow]:
    """Yield the barriers by kernel and line, the parts together."""
    symboliser = Symboliser()
    reader = Reader(file=str(kernels_folder() / "any.hip"), symboliser=symboliser)
    grouped: dict[tuple[str, str, int], list[tuple[str, dict[str, Any]]]] = {}
    for one in told:
        for answer in one.value["barriers"]:
            shown = hygiene.row(answer, reader)
            key = (str(answer["kernel"]), str(shown["file"]), int(shown["line"]))
            grouped.setdefault(key, []).append((one.arch, shown))
    for (kernel, file, line), group in sorted(grouped.items()):
        verdicts: dict[str, str] = {}
        for arch, shown in group:
            # Several specs may share a kernel: what one of them needs is needed.
            if verdicts.get(arch) != hygiene.NEEDED:
                verdicts[arch] = shown["verdict"]
        row = BarrierRow(kernel, str(shown_path(file)), line, verdicts, "", ())
        decides = next(shown for _, shown in group if shown["verdict"] == row.verdict)
        sides = (decides["location"], decides["other_location"])
        places = tuple(f"{shown_path(side['file'])}:{side['line']}" for side in sides if side)
        yield BarrierRow(kernel, row.file, line, verdicts, str(decides["why"]), places)


def _missing(told: Sequence[_Told]) -> Iterator[Finding]:
    reader = Reader(file=str(kernels_folder() / "any.hip"))
    for one in told:
        yield from reader.findings(one.records)


def _redundant(rows: Sequence[BarrierRow]) -> Iterator[Finding]:
    """Yield a finding for each barrier that neither part needs."""
    for row in rows:
        if row.verdict != hygiene.REDUNDANT:
            continue
        for arch in row.verdicts:
            draft = Finding(
                id="",
                kind="redundant-barrier",
                severity="info",
                kernel=row.kernel,
                arch=arch,
                build="checked",
                message="for the inputs run it orders no two accesses",
                location=Location(row.file, row.line, row.kernel),
            )
            yield identified(draft)
