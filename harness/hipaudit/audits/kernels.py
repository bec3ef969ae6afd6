"""The kernel audit: every library kernel against its spec, on both wave sizes, in children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hipaudit import replaytoken
from hipaudit.audits.summation import summation
from hipaudit.child import ChildResult, Json, Progress, run_in_child
from hipaudit.device import Device, choose
from hipaudit.errors import UsageError
from hipaudit.finding import Finding, Location, Reader, definition_line, grouped, identified
from hipaudit.launches import Launches, kernel_rows, launches
from hipaudit.library import SPECS
from hipaudit.outcome import Outcome
from hipaudit.property import Failure, examine
from hipaudit.resources import shown_kernel_path
from hipaudit.spec import Spec

_OF_NUMBERS = frozenset(
    {"bound-exceeded", "nonfinite-mismatch", "overflow", "conversion-inexact", "unwritten-output"}
)
"""Kinds that compare outputs: wrong on one part and right on another is a finding of its own."""

_CHECKED_SHARE = 8
"""The checked build runs one drawn input of so many: it asks about accesses, not about numbers."""


@dataclass(frozen=True, slots=True)
class KernelAudit:
    """What was shown about one library kernel.

    verdicts  plain data of the verdicts, one a part, of the plain build
    points    per part: elements and worst error/bound of each example
    checked   whether the access checks ran
    sums      per part: how the kernel sums, as plain data; empty for one that is no sum
    """

    spec: Spec
    verdicts: tuple[dict[str, Any], ...]
    points: dict[str, list[tuple[int, float]]]
    findings: tuple[Finding, ...]
    launches: tuple[Launches, ...]
    checked: bool
    sums: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def found_on(self, arch: str) -> int:
        """How many root causes were found on a part."""
        return len({finding.id for finding in self.findings if finding.arch == arch})

    @property
    def void(self) -> str | None:
        """Why this kernel's run shows nothing; None when it does, or when it failed."""
        if self.findings:
            return None
        if not self.verdicts:
            return f"{self.spec.name}: nothing ran"
        silent = [v["arch"] for v in self.verdicts if v["status"] == "void"]
        if silent:
            return f"{self.spec.name}: nothing ran on {', '.join(silent)}"
        if self.checked and not sum(entry.accesses for entry in self.launches):
            return f"{self.spec.name}: no memory access was instrumented"
        return None


def spec_named(name: str) -> Spec:
    """Return the library's spec of that name; UsageError when there is none."""
    for spec in SPECS:
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in SPECS)
    raise UsageError(f"no library kernel is called {name!r}; there are {names}")


def planned(spec: Spec, archs: Sequence[str], examples: int | None) -> int:
    """Return how many progress steps `audit` will make for a spec when nothing fails."""
    return len(archs) * (len(spec.cases) + (examples or spec.examples))


def examine_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Examine one spec on the payload's parts, checked before plain; the child's side of audit."""
    spec = spec_named(payload["spec"])
    blob = tuple(payload["blob"]) if payload.get("blob") else None
    builds = ("checked", "plain") if payload["checked"] else ("plain",)
    results = []
    checked = True
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for build in builds:
            if build == "checked" and not part.with_build(build):
                checked = False
                continue
            if build == "plain" and part.control is not None:
                part.with_build(build)
            results.append(_examined(spec, part, build, payload, blob, progress))
    return {"results": results, "checked": checked and payload["checked"]}


def _examined(
    spec: Spec,
    part: Device,
    build: str,
    payload: Mapping[str, Any],
    blob: Any,
    progress: Progress,
) -> dict[str, Any]:
    """Return one examination as plain data."""
    examples = payload["examples"] or spec.examples
    if build == "checked":
        examples = max(2, examples // _CHECKED_SHARE)
    tick: Callable[[], None] = (lambda: progress(1)) if build == "plain" else (lambda: None)
    # Adversaries move numbers; the checked build asks about accesses.
    plain = build == "plain"
    meets = plain and payload["adversarial"]
    done = examine(spec, part, examples=examples, blob=blob, adversarial=meets, progress=tick)
    failure = done.failure
    sums = None
    if plain and blob is None and failure is None and spec.sums is not None:
        sums = summation(spec, part).as_json()
    return {
        "build": build,
        "sums": sums,
        "verdict": done.verdict.as_json(),
        "points": done.points if build == "plain" else [],
        "failure": None
        if failure is None
        else {
            "kind": failure.kind,
            "message": failure.message,
            "case": failure.case,
            "records": failure.records,
            "blob": failure.blob,
        },
    }


def audit(
    spec: Spec,
    choice: str,
    archs: Sequence[str],
    *,
    examples: int | None = None,
    workers: int = 0,
    blob: Sequence[str] | None = None,
    adversarial: bool = True,
    tick: Callable[[], None] = lambda: None,
) -> KernelAudit:
    """Examine one spec in a child; *tick* is called for each example of the plain build.

    adversarial  whether examples meet a device that uses its freedoms, beside the natural one
    """
    payload = {
        "spec": spec.name,
        "archs": list(archs),
        "examples": examples,
        "checked": choice == "emulated" and blob is None,
        "blob": list(blob) if blob else None,
        "adversarial": adversarial,
    }
    result = run_in_child(
        "hipaudit.audits.kernels:examine_in_child",
        payload,
        choice=choice,
        settings={"workers": str(workers)},
        progress=lambda _: tick(),
    )
    return _read(spec, result)


def _read(spec: Spec, result: ChildResult) -> KernelAudit:
    """Turn a child's answer into findings and verdicts."""
    answer = result.value or {"results": [], "checked": False}
    findings: list[Finding] = []
    for entry in answer["results"]:
        failure = entry["failure"]
        if failure is not None:
            blob = (failure["blob"][0], failure["blob"][1]) if failure["blob"] else None
            read = Failure(
                failure["kind"],
                failure["message"],
                failure["case"],
                tuple(failure["records"]),
                blob,
            )
            findings += _findings(spec, entry["verdict"]["arch"], entry["build"], read)
    findings += _across_widths(spec, answer["results"], tuple(findings))
    if result.death is not None:
        findings += Reader().findings([{**result.death, "kernel": spec.name}])
    plain = [entry for entry in answer["results"] if entry["build"] == "plain"]
    return KernelAudit(
        spec,
        tuple(entry["verdict"] for entry in plain),
        {entry["verdict"]["arch"]: entry["points"] for entry in plain},
        tuple(findings),
        launches(result.records),
        bool(answer["checked"]),
        {entry["verdict"]["arch"]: entry["sums"] for entry in plain if entry["sums"]},
    )


def _findings(spec: Spec, arch: str, build: str, failure: Failure) -> tuple[Finding, ...]:
    """Return the findings that a failed property stands for."""
    task = {"what": "spec", "spec": spec.name, "arch": arch, "blob": failure.blob}
    replay = replaytoken.command(task)
    path = shown_kernel_path(spec.source)
    if failure.records:
        reader = Reader(replay=replay, input=failure.case, file=str(path))
        return reader.findings(failure.records)
    entry = spec.entry_points[0]
    draft = Finding(
        id="",
        kind=failure.kind,
        severity="error",
        kernel=entry,
        arch=arch,
        build=build,
        message=failure.message.splitlines()[0],
        location=Location(str(path), definition_line(path, entry), entry),
        input=failure.case,
        replay=replay,
    )
    return (identified(draft),)


def _across_widths(
    spec: Spec, results: Sequence[Mapping[str, Any]], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield what it says of a kernel to be wrong at one wave width and right at the other."""
    plain = [entry for entry in results if entry["build"] == "plain" and not entry["failure"]]
    verdicts = [entry["verdict"] for entry in plain]
    right = [verdict["arch"] for verdict in verdicts if verdict["status"] == "passed"]
    for finding in findings:
        if finding.kind not in _OF_NUMBERS or finding.build != "plain" or not right:
            continue
        message = (
            f"{spec.name} is wrong on {finding.arch} and right on {', '.join(right)}: it depends "
            "on the width of a wave"
        )
        yield identified(replace(finding, id="", kind="wave-size-dependence", message=message))


def outcome_of(audits: Sequence[KernelAudit], device: str, archs: Sequence[str]) -> Outcome:
    """Return what kernel audits add up to."""
    voids = [audit.void for audit in audits if audit.void]
    unchecked = any(not audit.checked for audit in audits)
    note = ("access checks were not run: this device has no checked build",) if unchecked else ()
    return Outcome(
        device,
        ",".join(archs),
        kernel_rows(entry for audit in audits for entry in audit.launches),
        grouped(finding for audit in audits for finding in audit.findings),
        note,
        "; ".join(voids) or None,
    )


def replay(task: Mapping[str, Any], device: str | None) -> Outcome:
    """Run the input of one finding again; UsageError when the library has no such kernel."""
    spec = spec_named(str(task["spec"]))
    archs = (str(task["arch"]),)
    done = audit(spec, choose(device), archs, blob=task.get("blob"))
    return outcome_of((done,), f"{choose(device)} device {archs[0]}", archs)
