"""A property: a spec's claim tried on many inputs, and a failure shrunk to its smallest case.

`Judge` judges one example; the pytest plugin puts it inside the user's Hypothesis test, and
`examine` makes a Hypothesis test of a library spec and runs it, the same way every time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, reproduce_failure, settings

from hipaudit.compare import Comparison, Mismatch, compare
from hipaudit.device import Device
from hipaudit.errors import HipauditError, UsageError
from hipaudit.launches import launches
from hipaudit.run import KernelFault, raise_on_findings
from hipaudit.spec import Array, Inputs, Outputs, Spec, as_outputs
from hipaudit.verdict import Tally, Verdict

_BLOB = re.compile(r"reproduce_failure\('([^']+)',\s*(b'[^']*'|b\"[^\"]*\")\)")


class WrongOutput(AssertionError):  # noqa: N818 - pytest and Hypothesis show the name
    """An example's outputs are wrong; *mismatches* say how."""

    def __init__(self, name: str, arch: str, mismatches: Sequence[Mismatch]) -> None:
        super().__init__(
            "\n".join(f"{name} on {arch}: {wrong.kind}: {wrong.sentence()}" for wrong in mismatches)
        )
        self.mismatches = tuple(mismatches)


class VacuousBound(AssertionError):  # noqa: N818
    """No input drawn would have rejected a planted wrong output: the bound judges nothing."""


class VoidRun(AssertionError):  # noqa: N818
    """Nothing ran or nothing was compared: the run shows nothing."""


class PoorReference(HipauditError):  # noqa: N818
    """The reference is too far from the mpmath oracle to judge with its bound."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed of a kernel's outputs: the part of a spec that judges."""

    name: str
    reference: Callable[..., Outputs]
    bound: Callable[..., Outputs] | None
    u_out: float = 2.0**-24
    spot: Callable[..., Any] | None = None

    @staticmethod
    def of(spec: Spec) -> Claim:
        """Return the claim of a spec."""
        return Claim(spec.name, spec.reference, spec.bound, spec.u_out, spec.spot)


@dataclass(slots=True)
class Judge:
    """Judges examples of one claim on one device, and adds up what they show.

    last      what the failing example looked like; after Hypothesis has shrunk it, the smallest
    """

    claim: Claim
    device: Device
    poisoned: bool = False
    tally: Tally = field(init=False)
    last: tuple[Mismatch, ...] = ()
    last_inputs: str = ""
    _started: int = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.claim.u_out)
        self._started = self.device.journal_size()
        self.device.records_since(self._started)  # earlier launches are not this run's
        self._started = self.device.journal_size()

    def run(self, launch: Callable[[], Outputs | None], inputs: Inputs) -> None:
        """Run one example and judge it.

        Raises WrongOutput, KernelFault when the device found a fault, PoorReference, or what the
        launcher raises.
        """
        self.last_inputs = describe(inputs)
        before = self.device.journal_size()
        try:
            returned = launch()
        except Exception as error:
            raise_on_findings(self.device, before, error)
            raise
        raise_on_findings(self.device, before, None)
        if returned is None:
            raise UsageError(f"{self.claim.name} returned nothing: end it with the outputs")
        self.judge(as_outputs(returned, who=self.claim.name), inputs)

    def judge(self, actual: tuple[Array, ...], inputs: Inputs) -> None:
        """Judge the outputs of one example."""
        claim = self.claim
        expected = as_outputs(claim.reference(**inputs), who=f"the reference of {claim.name}")
        bounds = None
        if claim.bound is not None:
            bounds = as_outputs(claim.bound(**inputs), who=f"the bound of {claim.name}")
        comparison = compare(actual, expected, bounds, poisoned=self.poisoned)
        self.tally.add(comparison)
        if comparison.mismatches:
            self.last = comparison.mismatches
            raise WrongOutput(claim.name, self.device.arch, comparison.mismatches)
        self._check_reference(comparison, expected, bounds, inputs)
        self.tally.try_mutants(actual, expected, bounds)

    def _check_reference(
        self,
        comparison: Comparison,
        expected: tuple[Array, ...],
        bounds: tuple[Array, ...] | None,
        inputs: Inputs,
    ) -> None:
        """Hold the reference against mpmath where the kernel came nearest to its bound."""
        index = comparison.worst_index
        if self.claim.spot is None or bounds is None or index is None:
            return
        truth = float(self.claim.spot(index, **inputs) - _exactly(expected[0][index]))
        limit = float(np.broadcast_to(bounds[0], expected[0].shape)[index]) / 100
        self.tally.spots += 1
        if not abs(truth) <= limit:
            raise PoorReference(
                f"the reference of {self.claim.name} is off by {abs(truth):.3g} at {index}, more "
                f"than a hundredth of its bound ({limit:.3g}), for {describe(inputs)}"
            )

    def finish(self) -> Verdict:
        """Return the verdict, with the launches counted."""
        return self.tally.verdict(
            self.claim.name,
            self.device.arch,
            self.device.title,
            launches=self._launches(),
            mismatches=self.last,
        )

    def _launches(self) -> int | None:
        if self.device.control is None:
            return None
        records = self.device.records_since(self._started)
        return sum(entry.launches for entry in launches(records))


def _exactly(value: Any) -> Any:
    """Return a reference element as mpmath takes it: a Python int or float."""
    return int(value) if isinstance(value, np.integer) else float(value)


def raise_unless_earned(verdict: Verdict) -> None:
    """Raise VoidRun or VacuousBound when a run without failures shows nothing."""
    why = verdict.void_because
    if why is not None:
        raise VoidRun(f"{verdict.name} on {verdict.arch} is void: {why}")
    if verdict.survivors:
        raise VacuousBound(
            f"{verdict.name} on {verdict.arch}: bound-vacuous: outputs that are wrong on purpose "
            f"({', '.join(verdict.survivors)}) stayed within the bound on all "
            f"{verdict.examples} inputs"
        )


def describe(inputs: Inputs) -> str:
    """Return inputs in words, a few elements of each array."""
    return ", ".join(f"{name} = {_described(value)}" for name, value in inputs.items())


def _described(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    shape = " x ".join(map(str, value.shape))
    listed = np.array2string(value.reshape(-1)[:8], separator=", ", floatmode="unique")
    more = ", ..." if value.size > 8 else ""
    return f"{value.dtype.name} {shape} {' '.join(listed.split())[:-1]}{more}]"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a property failed, with its smallest case.

    kind      of the finding; records: the device's findings, when it found the fault itself
    case      the shrunk input in words
    blob      Hypothesis' token for it, with the version it belongs to; None for a fixed case
    """

    kind: str
    message: str
    case: str
    records: tuple[dict[str, Any], ...] = ()
    blob: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """The verdict on a library spec and, when it failed, why.

    points  elements and worst error/bound of each example that passed, for a plot
    """

    verdict: Verdict
    failure: Failure | None
    points: tuple[tuple[int, float], ...] = ()


def examine(
    spec: Spec,
    device: Device,
    *,
    examples: int | None = None,
    blob: tuple[str, str] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Examination:
    """Run a library spec's fixed cases and its drawn ones; the same ones every time.

    blob      only the one input that this Hypothesis token stands for
    progress  called after each example

    Raises HipauditError for a spec that cannot judge, and what a launcher raises of itself.
    """
    judge = Judge(Claim.of(spec), device, poisoned=device.with_poison())

    def example(inputs: Inputs) -> None:
        judge.run(lambda: spec.launch(device, **inputs), inputs)
        progress()

    # The same cases every time, so that two audits of one commit agree in every byte.
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate, Phase.shrink))
    property_test = hypothesis_test(spec, example, fixed, examples=examples, blob=blob)
    try:
        for inputs in spec.cases if blob is None else ():
            example(inputs)
        property_test()
        if blob is None:
            raise_unless_earned(judge.finish())
    except (WrongOutput, KernelFault, VacuousBound) as error:
        failure = failure_of(error, judge.last_inputs)
        return Examination(judge.finish(), failure, tuple(judge.tally.points))
    except VoidRun:
        pass  # the verdict says so
    return Examination(judge.finish(), None, tuple(judge.tally.points))


def hypothesis_test(
    spec: Spec,
    example: Callable[[Inputs], None],
    parent: settings | None = None,
    *,
    examples: int | None = None,
    blob: tuple[str, str] | None = None,
) -> Callable[[], None]:
    """Return a Hypothesis test that calls *example* with inputs drawn for a spec.

    parent    settings to start from
    examples  how many inputs; by default as many as the spec says
    blob      only the input that this Hypothesis token stands for
    """

    @settings(
        parent,
        max_examples=examples or spec.examples,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs=spec.inputs)
    def test(inputs: dict[str, Any]) -> None:
        example(inputs)

    # Hypothesis derives a derandomised seed from the name and the code of the test.
    test.__qualname__ = test.__name__ = f"test_{spec.name}"
    return test if blob is None else reproduce_failure(blob[0], blob_bytes(blob[1]))(test)


def failure_of(error: BaseException, case: str) -> Failure:
    """Return why a property failed, from the exception that Hypothesis let through."""
    notes = "\n".join(getattr(error, "__notes__", ()))
    found = _BLOB.search(notes)
    kind = "bound-vacuous"
    records: tuple[dict[str, Any], ...] = ()
    if isinstance(error, WrongOutput):
        kind = error.mismatches[0].kind if error.mismatches else "unwritten-output"
    elif isinstance(error, KernelFault):
        kind, records = str(error.records[0].get("kind")), error.records
    drawn = [line.strip() for line in notes.splitlines() if _is_note(line)]
    case = "; ".join([case, *drawn]) if drawn else case
    return Failure(kind, str(error), case, records, (found[1], found[2]) if found else None)


def _is_note(line: str) -> bool:
    """Recognise what our strategies note about the tensors they drew."""
    return line.strip().startswith(("tensor(", "byte_blocks("))


def blob_bytes(literal: str) -> bytes:
    """Return the bytes that a printed ``b'...'`` of base64 characters stands for."""
    return literal[2:-1].encode("ascii")
