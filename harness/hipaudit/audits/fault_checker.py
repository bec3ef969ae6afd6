"""The kill matrix's checker: the access checks, and for numeric faults the judge they name.

Everything is run at once, in one child for each wave width, and the findings are handed out by
fault, width and twin.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from hipaudit import arguments
from hipaudit.arguments import Argument
from hipaudit.audits.fault_corpus import ARCH_OF, Fault, Width
from hipaudit.audits.fault_oracles import Array, mismatches
from hipaudit.audits.fault_runs import Job, Ran, request_of, run_jobs
from hipaudit.audits.kill_matrix import Kill, kill_matrix
from hipaudit.checking import observations
from hipaudit.errors import HipauditError, VoidError
from hipaudit.finding import Finding, Location, Reader, definition_line, grouped, identified

_WIDTHS: Final[tuple[Width, ...]] = ("32", "64")
_REPEATS: Final = 4
"""Orders of blocks and waves that a fault of the judge ``repeat`` is run in."""


@dataclass(frozen=True, slots=True)
class Key:
    """One build of one fault on one width, and for what it is run."""

    fault: str
    twin: bool
    width: Width
    purpose: str = "check"


@dataclass(slots=True)
class CorpusChecker:
    """Checks faults that were prepared; ``prepare`` runs them.

    folder  where the outputs of numeric faults are kept; the caller's, and the caller's to remove
    """

    folder: Path
    ran: dict[Key, Ran] = field(default_factory=dict)

    def prepare(self, faults: Iterable[Fault], tick: Callable[[], None] = lambda: None) -> None:
        """Run every build of the faults, both widths at once; *tick* is called for each run.

        Raises VoidError when the device instruments no access: it has no checked build.
        """
        chosen = tuple(faults)
        plans = [[one for fault in chosen for one in self._plan(fault, w)] for w in _WIDTHS]
        with ThreadPoolExecutor(len(plans)) as pool:
            futures = [
                pool.submit(run_jobs, [job for _, job in plan], ARCH_OF[width], tick)
                for width, plan in zip(_WIDTHS, plans, strict=True)
            ]
            for plan, future in zip(plans, futures, strict=True):
                ran = future.result()
                self.ran |= {key: one for (key, _), one in zip(plan, ran, strict=True)}
        if not any(ran.accesses for key, ran in self.ran.items() if key.purpose == "check"):
            raise VoidError("no memory access was instrumented: the device has no checked build")

    def _plan(self, fault: Fault, width: Width) -> Iterator[tuple[Key, Job]]:
        for twin in (False, True) if fault.has_twin else (False,):
            request = request_of(fault, twin=twin)
            yield Key(fault.name, twin, width), Job(request)
            for number in range({"check": 0, "repeat": _REPEATS}.get(fault.judge, 1)):
                key = Key(fault.name, twin, width, f"outputs {number}")
                saving = request_of(fault, twin=twin, save=str(self._outputs(key)))
                yield key, Job(saving, build="plain", order_seed=number)

    def _outputs(self, key: Key) -> Path:
        name = f"{key.fault}/{'twin' if key.twin else 'fault'}/{key.width}/{key.purpose}"
        return self.folder / name

    def __call__(self, fault: Fault, width: Width, *, twin: bool) -> Iterable[Finding]:
        """Return what was found; raises HipauditError when the kernel could not be run."""
        found: list[Finding] = []
        for one in _WIDTHS if width == "both" else (width,):
            found += self._checked(fault, Key(fault.name, twin, one))
        found += self._judged(fault, width, twin=twin)
        return grouped(found).items

    def _checked(self, fault: Fault, key: Key) -> tuple[Finding, ...]:
        """Return what the access checks found, and what showed after the launch.

        As in ``check``, gaps count only where the accesses were right.
        """
        ran = self._result(key)
        reader = Reader(names=_names(ran))
        found = reader.findings(ran.records)
        if ran.value is not None:
            faulty = any(one.severity != "info" for one in found)
            value = {**ran.value, "unwritten": ()} if faulty else ran.value
            request = request_of(fault, twin=key.twin)
            found += reader.findings(observations(request, value, "checked"))
        if not found and ran.value is not None and ran.value.get("status"):
            raise HipauditError(f"{fault.name}: {ran.value['status']}")
        if not found and ran.accesses == 0:
            raise VoidError(f"{fault.name}: no memory access was instrumented")
        return found

    def _judged(self, fault: Fault, width: Width, *, twin: bool) -> Iterator[Finding]:
        """Yield what is wrong with the outputs, by the fault's own judge."""
        if fault.judge == "oracle":
            key = Key(fault.name, twin, width, "outputs 0")
            before, after = self._arguments(fault, key)
            for wrong in mismatches(fault, before, after):
                yield _finding(fault, width, wrong.kind, wrong.sentence())
        elif fault.judge == "repeat":
            keys = [Key(fault.name, twin, width, f"outputs {n}") for n in range(_REPEATS)]
            if self._differ(fault, keys):
                message = "the outputs change with the order in which blocks and waves run"
                yield _finding(fault, width, "nondeterminism", message)
        elif fault.judge == "widths":
            keys = [Key(fault.name, twin, one, "outputs 0") for one in _WIDTHS]
            if self._differ(fault, keys):
                message = "the outputs differ between waves of 32 and waves of 64"
                yield _finding(fault, width, "wave-size-dependence", message)

    def _differ(self, fault: Fault, keys: Sequence[Key]) -> bool:
        first, *others = ([_bits(one) for one in self._arguments(fault, key)[1]] for key in keys)
        return any(other != first for other in others)

    def _arguments(self, fault: Fault, key: Key) -> tuple[list[Any], list[Any]]:
        """Return a kernel's arguments before and after its launch, arrays and scalars."""
        ran = self._result(key)
        if ran.value is None or ran.value.get("status"):
            raise HipauditError(f"{fault.name}: the plain build did not run to its end: {ran}")
        request = request_of(fault)
        given = [arguments.parse(text) for text in request.args]
        names = iter(ran.value["names"].values())
        before: list[Any] = []
        after: list[Any] = []
        for index, argument in enumerate(given):
            if argument.is_buffer:
                before.append(arguments.contents(argument, request.seed, index))
                after.append(_saved(self._outputs(key), str(next(names))))
            else:
                before.append(_scalar(argument))
                after.append(before[-1])
        return before, after

    def _result(self, key: Key) -> Ran:
        ran = self.ran[key]
        if ran.error is not None:
            raise HipauditError(f"{key.fault}: {ran.error}")
        return ran


def planned(faults: Iterable[Fault]) -> int:
    """Return how many runs `CorpusChecker.prepare` will make for faults."""
    runs = {"check": 1, "repeat": _REPEATS + 1}
    builds = sum(runs.get(one.judge, 2) * (2 if one.has_twin else 1) for one in faults)
    return builds * len(_WIDTHS)


def kills(faults: Sequence[Fault], tick: Callable[[], None] = lambda: None) -> tuple[Kill, ...]:
    """Run a corpus and return its kill matrix; raises as `CorpusChecker.prepare` does."""
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        checker = CorpusChecker(Path(folder))
        checker.prepare(faults, tick)
        return tuple(kill_matrix(faults, checker))


def _names(ran: Ran) -> Mapping[int, str]:
    names = (ran.value or {}).get("names") or {}
    return {int(address): str(name) for address, name in names.items()}


def _saved(folder: Path, name: str) -> Array:
    (path,) = folder.glob(f"*.{name}.npy")
    values: Array = np.load(path)
    return values


def _scalar(argument: Argument) -> Any:
    return np.frombuffer(argument.value, argument.dtype)[0].item()


def _bits(value: Any) -> bytes:
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


def _finding(fault: Fault, width: Width, kind: str, message: str) -> Finding:
    """Return a finding about a kernel's output: it lies at the kernel's definition."""
    kernel = request_of(fault).kernel
    place = Location(str(fault.path), definition_line(fault.path, kernel), kernel)
    draft = Finding("", kind, "error", kernel, ARCH_OF[width], message, location=place)
    return identified(draft)
