"""Running what the claims quote: programs under the ledger, kernels of the corpus, variants."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hipaudit.audits.fault_corpus import Fault, read_fault
from hipaudit.audits.fault_runs import Job, Ran, request_of, run_jobs
from hipaudit.device import child_environment, read_journal
from hipaudit.errors import HipauditError
from hipaudit.finding import Finding, Location, Reader, grouped
from hipaudit.memory import MemoryUse, memory_use
from hipaudit.resources import kernels_folder, shown_path
from hipaudit.spec import Array

QUOTED = Path(__file__).parent / "quoted"
_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Program:
    """A form of a quoted program that ran: what it printed, what the ledger found and saw."""

    form: str
    said: dict[str, Any]
    findings: tuple[Finding, ...]
    memory: MemoryUse | None
    command: str


def run_program(name: str, form: str, arch: str) -> Program:
    """Run a quoted program's form on the emulated device, with the ledger's checks alone.

    A program that dies has said nothing. Raises HipauditError when it takes longer than a minute.
    """
    path = QUOTED / name
    command = f"hipaudit exec --ledger -- python {shown_path(path)} {form}"
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        journal = Path(folder) / "journal.jsonl"
        settings = {"arch": arch, "build": "plain", "journal": str(journal)}
        environment = child_environment("emulated", settings)
        try:
            done = subprocess.run(
                [sys.executable, str(path), form],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            raise HipauditError(f"{name} {form} made no progress") from None
        records = read_journal(journal)
    reader = Reader(replay=command)
    found = grouped(reader.findings(records)).items
    said = json.loads(done.stdout) if done.stdout else {}
    memory = memory_use(records, reader.symboliser)
    return Program(form, said, tuple(shown(one) for one in found), memory, command)


def shown(finding: Finding) -> Finding:
    """Return a finding with its places as reports show them."""
    memory = finding.allocation
    if memory is not None:
        memory = replace(memory, born=_shown(memory.born), freed=_shown(memory.freed))
    return replace(
        finding,
        location=_shown(finding.location),
        other_location=_shown(finding.other_location),
        called=_shown(finding.called),
        allocation=memory,
    )


def _shown(place: Location | None) -> Location | None:
    return None if place is None else replace(place, file=str(shown_path(place.file)))


def fault(name: str) -> Fault:
    """Return a fault of the corpus by its name; UsageError when there is none."""
    return read_fault(kernels_folder() / "faults" / f"{name}.hip")


def line_of(path: Path, text: str) -> Location:
    """Return the first line of a file that holds a text; line 0 when none does."""
    lines = path.read_text(encoding="utf-8").splitlines()
    numbers = (number for number, line in enumerate(lines, 1) if text in line)
    return Location(str(shown_path(path)), next(numbers, 0))


@dataclass(frozen=True, slots=True)
class Trial:
    """A launch of a fault, or of its twin, with other arguments, extents or macros.

    arguments  arrays, or texts as ``--arg`` takes them
    """

    fault: Fault
    arguments: Sequence[str | Array]
    grid: int
    block: int
    define: tuple[str, ...] = ()
    build: str = "plain"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial left: the findings of a checked build, the last buffer of a plain one."""

    findings: tuple[Finding, ...]
    output: Array


def try_all(trials: Sequence[Trial], arch: str) -> list[Tried]:
    """Run trials on a part, one after another in one child.

    Raises HipauditError where one could not be run.
    """
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as name:
        folder = Path(name)
        jobs = [_job(trial, folder / str(number)) for number, trial in enumerate(trials)]
        done = run_jobs(jobs, arch)
        return [
            _tried(trial, ran, folder / str(number))
            for number, (trial, ran) in enumerate(zip(trials, done, strict=True))
        ]


def _job(trial: Trial, folder: Path) -> Job:
    folder.mkdir()
    texts = []
    for number, argument in enumerate(trial.arguments):
        if isinstance(argument, str):
            texts.append(argument)
            continue
        path = folder / f"in{number}.npy"
        np.save(path, argument)
        short = {"float16": "f16", "float32": "f32", "uint16": "u16"}[argument.dtype.name]
        texts.append(f"{short}=@{path}")
    request = replace(
        request_of(trial.fault, save=str(folder / "out")),
        grid=(trial.grid, 1, 1),
        block=(trial.block, 1, 1),
        args=tuple(texts),
        define=trial.define,
    )
    return Job(request, build=trial.build)


def _tried(trial: Trial, ran: Ran, folder: Path) -> Tried:
    if ran.value is None or ran.error is not None or ran.value.get("status"):
        raise HipauditError(f"{trial.fault.name} did not run to its end: {ran.error or ran}")
    found = grouped(Reader().findings(ran.records)).items
    # Outputs are the parameters called out, in every kernel that is tried.
    (path,) = (folder / "out").glob("*.out.npy")
    return Tried(tuple(one for one in found if one.severity != "info"), np.load(path))


_CONDITION = re.compile(r"\s*#\s*(ifndef|ifdef|else|endif)\b\s*(\w*)")


def repair_of(one: Fault) -> str:
    """Return what the twin changes, as a unified diff of the code that each compiles."""
    lines = one.path.read_text(encoding="utf-8").splitlines()
    code = [line.split("  // FAULT")[0] for line in lines if not line.startswith("//")]
    before, after = _resolved(code, twin=False), _resolved(code, twin=True)
    differences = difflib.unified_diff(before, after, "fault", "twin", n=1, lineterm="")
    return "\n".join(list(differences)[2:])


def _resolved(lines: Iterable[str], *, twin: bool) -> list[str]:
    """Resolve the conditions on ``TWIN``; other macros are taken as not defined."""
    kept: list[str] = []
    inside: list[bool] = []
    for line in lines:
        match = _CONDITION.match(line)
        if match is None:
            if all(inside):
                kept.append(line)
        elif match[1] == "endif":
            inside.pop()
        elif match[1] == "else":
            inside[-1] = not inside[-1]
        else:
            defined = twin and match[2] == "TWIN"
            inside.append(defined == (match[1] == "ifdef"))
    return kept
