"""Mutants of the library's kernels against its specs, in children that may die of them.

The inputs are those that the specs' tests run: the fixed cases and the drawn ones, drawn once.
Their expected outputs and bounds are computed once as well, so that a mutant costs little more
than its compilation: a few small inputs with every access checked, which ends most of them
before they can do harm, then every input in the plain build, then every input checked, on each
part; the first one that shows the mistake ends it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import Phase, settings

from hipaudit.child import Json, Progress
from hipaudit.compare import compare
from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.mutation.mutant import Mutant
from hipaudit.mutation.result import KILLED, REFUSED, SAME, SURVIVED, Result
from hipaudit.mutation.sameness import code_digest
from hipaudit.property import hypothesis_test
from hipaudit.resources import kernels_folder
from hipaudit.run import KernelFault, run_case
from hipaudit.spec import Array, Case, Inputs, Spec, as_outputs
from hipaudit_runtime import sources
from hipaudit_runtime.errors import KernelCompileError

_CHECKED_FIRST = 1 << 14
"""A spec's smallest inputs, up to so many elements together, run checked before any runs plain."""
_CHECKED_ELEMENTS = 1 << 19
"""Inputs with more elements than that are not run checked: they ask about numbers."""
_TIMEOUT_S = "3"


@dataclass(frozen=True, slots=True)
class Trial:
    """One input with what is expected of it; *weight*: its elements and its outputs'."""

    spec: Spec
    inputs: Inputs
    expected: tuple[Array, ...]
    bounds: tuple[Array, ...] | None
    weight: int


def specs_of(file: str) -> tuple[Spec, ...]:
    """Return the specs that run a kernel file, or a file that kernels include.

    Raises UsageError when none does.
    """
    folder = kernels_folder()
    found = tuple(
        spec
        for spec in SPECS
        if spec.source == file or file in sources.read(folder / spec.source).headers
    )
    if not found:
        raise UsageError(
            f"no spec of the library runs {file}: name the tests that do: "
            f"hipaudit mutate {file} -- pytest ..."
        )
    return found


def trials_of(specs: Sequence[Spec]) -> tuple[Trial, ...]:
    """Return every input of the specs' tests, the smallest first."""
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate,))
    made: list[Trial] = []
    for spec in specs:
        cases: list[Inputs] = list(spec.cases)
        hypothesis_test(spec, cases.append, fixed)()
        for inputs in cases:
            expected = as_outputs(spec.reference(**inputs), who=f"the reference of {spec.name}")
            bounds = None
            if spec.bound is not None:
                bounds = as_outputs(spec.bound(**inputs), who=f"the bound of {spec.name}")
            arrays = [value for value in inputs.values() if isinstance(value, np.ndarray)]
            weight = sum(array.size for array in (*arrays, *expected))
            made.append(Trial(spec, inputs, expected, bounds, weight))
    return tuple(sorted(made, key=lambda trial: trial.weight))


@dataclass(slots=True)
class Bench:
    """Where mutants of one file are tried: the device, the inputs, a folder for the changed file.

    code  digests of what the compiler makes of the file as it is, by part
    """

    device: Device
    file: str
    text: bytes
    trials: tuple[Trial, ...]
    folder: Path
    archs: tuple[str, ...]
    code: dict[str, frozenset[str]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Run every input on the file as it is.

        Raises UsageError when a spec does not hold: then no mutant could be told from it.
        """
        self.device.with_poison()
        for arch in self.archs:
            part = self.device.with_arch(arch)
            part.with_build("plain")
            before = self._objects()
            with self._source(self.text):
                for trial in self.trials:
                    why = wrong(part, trial)
                    if why is not None:
                        raise UsageError(
                            f"{trial.spec.name} on {arch} fails as it is ({why}): hipaudit audit "
                            f"--only {trial.spec.name} says how"
                        )
            self.code[arch] = frozenset(map(code_digest, self._objects() - before))

    def try_out(self, mutant: Mutant) -> Result:
        """Run one mutant until an input shows it."""
        before = self._objects()
        try:
            with self._source(mutant.apply(self.text)):
                return self._run(mutant)
        except KernelCompileError:
            return Result(mutant.id, REFUSED)
        finally:
            for path in self._objects() - before:
                for leftover in (path, path.with_suffix(".facts"), path.with_suffix(".elf")):
                    leftover.unlink(missing_ok=True)

    def healthy(self) -> bool:
        """Tell whether the device still does what it did, on the smallest input."""
        part = self.device.with_arch(self.archs[0])
        part.with_build("plain")
        with suppress(Exception):
            return wrong(part, self.trials[0]) is None
        return False

    def _run(self, mutant: Mutant) -> Result:
        first = self.archs[0]
        few = self._few()
        checkable = [trial for trial in self.trials if trial.weight <= _CHECKED_ELEMENTS]
        killed = self._stage(mutant, first, "checked", few)
        same = 0
        for arch in self.archs:
            if killed is None:
                unchanged = self._unchanged(arch)
                same += unchanged
                killed = None if unchanged else self._stage(mutant, arch, "plain", self.trials)
        if killed is None and same == len(self.archs):
            return Result(mutant.id, SAME)
        for arch in self.archs:
            killed = killed or self._stage(mutant, arch, "checked", checkable)
        return killed or Result(mutant.id, SURVIVED)

    def _few(self) -> list[Trial]:
        """Return the smallest inputs of each spec, at least one."""
        sums: dict[str, int] = {}
        chosen = []
        for trial in self.trials:
            before = sums.get(trial.spec.name, 0)
            sums[trial.spec.name] = before + trial.weight
            if not before or sums[trial.spec.name] <= _CHECKED_FIRST:
                chosen.append(trial)
        return chosen

    def _stage(
        self, mutant: Mutant, arch: str, build: str, trials: Sequence[Trial]
    ) -> Result | None:
        """Run inputs on one part in one build; None when none shows the mistake."""
        part = self.device.with_arch(arch)
        if not part.with_build(build):
            return None
        for trial in trials:
            why = wrong(part, trial)
            if why is not None:
                return Result(mutant.id, KILLED, why, build, arch, trial.spec.name)
        return None

    def _unchanged(self, arch: str) -> bool:
        """Tell whether the compiler makes the same of the mutant as of the file as it is."""
        part = self.device.with_arch(arch)
        part.with_build("plain")
        before = self._objects()
        seen: set[str] = set()
        for trial in self.trials:  # the smallest input of each spec compiles that spec's file
            if trial.spec.name not in seen:
                seen.add(trial.spec.name)
                with suppress(Exception):  # what goes wrong here goes wrong again, and counts then
                    trial.spec.launch(part, **trial.inputs)
        made = self._objects() - before
        known = self.code[arch]
        # A file compiled with several sets of options has more objects than one input shows.
        return bool(made) and len(made) == len(known) and set(map(code_digest, made)) <= known

    def _objects(self) -> set[Path]:
        return set(self.device.control.objects()) if self.device.control is not None else set()

    def _source(self, text: bytes) -> Any:
        """Put a changed copy of the file in front of the library's."""
        path = self.folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not what the process compiled before: what it makes of the text is looked at.
        path.write_bytes(text + f"\n// {self.folder.name}\n".encode())
        return sources.folder(self.folder)


def wrong(part: Device, trial: Trial) -> str | None:
    """Run one input; return the kind of what shows, or None when all is as it should be.

    Raises KernelCompileError.
    """
    spec, case = trial.spec, Case(trial.inputs)
    try:
        run = run_case(case, lambda: spec.launch(part, **trial.inputs), part, spec.name)
    except KernelCompileError:
        raise
    except KernelFault as fault:
        return str(fault.records[0].get("kind"))
    except Exception as error:  # noqa: BLE001 - whatever a launcher raises shows the mistake
        return type(error).__name__
    found = compare(run.outputs, trial.expected, trial.bounds, poisoned=True).mismatches
    return found[0].kind if found else None


def try_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Try some mutants of one file; the child's side. Each result is a progress report.

    Ends early, with the number of mutants it has done, when the device does not recover from one.
    """
    if device.control is not None:
        device.control.set("timeout", _TIMEOUT_S)
    file = str(payload["file"])
    text = (kernels_folder() / file).read_bytes()
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        _copy_kernels(Path(folder))
        bench = Bench(
            device, file, text, trials_of(specs_of(file)), Path(folder), tuple(payload["archs"])
        )
        bench.prepare()
        for done, data in enumerate(payload["mutants"], 1):
            result = bench.try_out(Mutant(**data))
            progress(asdict(result))
            if result.status == KILLED and not bench.healthy():
                return done
    return len(payload["mutants"])


def _copy_kernels(to: Path) -> None:
    """Copy the library's files, so that a kernel and a header of it can be changed alike."""
    folder = kernels_folder()
    for spec in SPECS:
        source = sources.read(folder / spec.source)
        for name, text in ((spec.source, source.text), *source.headers.items()):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_text(text, encoding="utf-8")
