"""Judge: whether one example's outputs are right, and what all examples add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from hipaudit.compare import Comparison, Mismatch, compare
from hipaudit.device import Device
from hipaudit.errors import HipauditError
from hipaudit.launches import launches
from hipaudit.run import run_case
from hipaudit.spec import Array, Case, Outputs, Spec, as_outputs
from hipaudit.verdict import Tally, Verdict

Builds: TypeAlias = Literal["as set", "mixed", "both"]

_CHECKED_SHARE = 4
"""Of mixed examples, one of so many runs in the checked build."""


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

    builds    which builds run an example: the one that is set; a mixture, by the example's own
              digest, so that the same example always meets the same; or both in turn
    poisoned  whether the device fills fresh memory with the poison
    last      the mismatches of the failing example; after Hypothesis has shrunk it, the smallest
    case      the example that ran last
    """

    claim: Claim
    device: Device
    builds: Builds = "as set"
    poisoned: bool = field(init=False)
    tally: Tally = field(init=False)
    last: tuple[Mismatch, ...] = ()
    case: Case | None = None
    _checks: bool = field(init=False)
    _failing_build: str | None = None
    _started: int = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.claim.u_out)
        self.poisoned = self.device.with_poison()
        self._checks = self.builds != "as set" and self.device.with_build("checked")
        # Earlier launches are flushed: they are not this run's.
        self.device.records_since(self.device.journal_size())
        self._started = self.device.journal_size()

    def run(self, launch: Callable[[], Outputs | None], case: Case) -> None:
        """Run one example and judge it.

        Raises WrongOutput, KernelFault when the device found a fault, PoorReference, or what the
        launcher raises.
        """
        self.case = case
        for build in self._builds_for(case):
            if build is not None:
                self.device.with_build(build)
            try:
                self.judge(run_case(case, launch, self.device, self.claim.name).outputs, case)
            except Exception:
                # What Hypothesis shrinks from here on must fail in the same build, or not at all.
                self._failing_build = build
                raise

    def _builds_for(self, case: Case) -> tuple[str | None, ...]:
        if not self._checks:
            return (None,) if self.builds == "as set" else ("plain",)
        if self._failing_build is not None:
            return (self._failing_build,)
        if self.builds == "both":
            return ("checked", "plain")
        # The first example is always checked, so that a short run is checked at all.
        checked = self.tally.examples == 0 or case.digest() % _CHECKED_SHARE == 0
        return ("checked",) if checked else ("plain",)

    def close(self) -> None:
        """Leave the device as others expect it: the plain build, memory as it comes."""
        if self.device.control is not None:
            self.device.with_build("plain")
            self.device.control.set("poison", "")

    def judge(self, actual: tuple[Array, ...], case: Case) -> None:
        """Judge the outputs of one example."""
        claim, inputs = self.claim, case.inputs
        expected = as_outputs(claim.reference(**inputs), who=f"the reference of {claim.name}")
        bounds = None
        if claim.bound is not None:
            bounds = as_outputs(claim.bound(**inputs), who=f"the bound of {claim.name}")
        comparison = compare(actual, expected, bounds, poisoned=self.poisoned)
        self.tally.add(comparison)
        if comparison.mismatches:
            self.last = comparison.mismatches
            raise WrongOutput(claim.name, self.device.arch, comparison.mismatches)
        self._check_reference(comparison, expected, bounds, case)
        self.tally.try_mutants(actual, expected, bounds)

    def _check_reference(
        self,
        comparison: Comparison,
        expected: tuple[Array, ...],
        bounds: tuple[Array, ...] | None,
        case: Case,
    ) -> None:
        """Hold the reference against mpmath where the kernel came nearest to its bound."""
        index = comparison.worst_index
        if self.claim.spot is None or bounds is None or index is None:
            return
        truth = float(self.claim.spot(index, **case.inputs) - _exactly(expected[0][index]))
        limit = float(np.broadcast_to(bounds[0], expected[0].shape)[index]) / 100
        self.tally.spots += 1
        if not abs(truth) <= limit:
            raise PoorReference(
                f"the reference of {self.claim.name} is off by {abs(truth):.3g} at {index}, more "
                f"than a hundredth of its bound ({limit:.3g}), for {case}"
            )

    def finish(self) -> Verdict:
        """Return the verdict, with launches and checked accesses counted."""
        ran, accesses = self._counted()
        return self.tally.verdict(
            self.claim.name,
            self.device.arch,
            self.device.title,
            launches=ran,
            accesses=accesses,
            mismatches=self.last,
        )

    def _counted(self) -> tuple[int | None, int | None]:
        """Return launches, and accesses of the checked ones; None for what is not counted."""
        if self.device.control is None:
            return None, None
        entries = launches(self.device.records_since(self._started))
        checked = [entry.accesses for entry in entries if entry.build == "checked"]
        return sum(entry.launches for entry in entries), sum(checked) if checked else None


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
