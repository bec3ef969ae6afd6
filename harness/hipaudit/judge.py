"""Judge: whether one example's outputs are right, and what all examples add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from hypothesis import currently_in_test_context, target

from hipaudit.adversary import NATURAL, Adversary, drawn, usual
from hipaudit.compare import Comparison, Mismatch, compare
from hipaudit.device import Device
from hipaudit.errors import HipauditError, hidden
from hipaudit.launches import launches
from hipaudit.run import run_case
from hipaudit.spec import Array, Case, Outputs, Spec, as_outputs
from hipaudit.verdict import Element, Tally, Verdict
from hipaudit_reference.bounds import AMD, assuming

__tracebackhide__ = hidden

Builds: TypeAlias = Literal["as set", "mixed", "both"]

_CHECKED_SHARE = 4
"""Of mixed examples, one of so many runs in the checked build."""

_REPEATED_SHARE = 8
"""Of natural examples of a deterministic claim, one of so many runs again in another order."""

_SPOT_SHARE = 8
"""Of examples that are not the worst yet, one of so many meets the mpmath oracle."""

_WORTH_A_CLIMB = 0.5
"""From which error/bound on the search looks nearby for a larger one. Farther off, inputs of
another kind find more than those that are like the worst so far."""

_NUMBERS = (np.ndarray, np.generic, float)
"""What an input that is a floating-point number, or holds some, is an instance of."""

_INDICES = frozenset({"bool", "int32", "int64", "uint32", "uint64"})
"""Formats of arrays that say where and how many, not how much."""


class WrongOutput(AssertionError):  # noqa: N818 - pytest and Hypothesis show the name
    """An example's outputs are wrong; *mismatches* say how."""

    def __init__(
        self, name: str, arch: str, mismatches: Sequence[Mismatch], adversary: Adversary = NATURAL
    ) -> None:
        where = arch if adversary == NATURAL else f"{arch} ({adversary})"
        super().__init__(
            "\n".join(
                f"{name} on {where}: {wrong.kind}: {wrong.sentence()}" for wrong in mismatches
            )
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
    deterministic: bool = False

    @staticmethod
    def of(spec: Spec) -> Claim:
        """Return the claim of a spec."""
        return Claim(
            spec.name, spec.reference, spec.bound, spec.u_out, spec.spot, spec.deterministic
        )


class _Condition(NamedTuple):
    """The build and the device's freedoms that one run of an example meets."""

    build: str | None
    adversary: Adversary


@dataclass(slots=True)
class _Truth:
    """What an example's outputs must be, worked out once however often it runs."""

    claim: Claim
    case: Case
    _expected: tuple[Array, ...] | None = None
    _bounds: dict[bool, tuple[Array, ...] | None] = field(default_factory=dict)

    @property
    def expected(self) -> tuple[Array, ...]:
        """The reference's outputs."""
        if self._expected is None:
            outputs = self.claim.reference(**self.case.inputs)
            self._expected = as_outputs(outputs, who=f"the reference of {self.claim.name}")
        return self._expected

    def bounds(self, *, flush: bool) -> tuple[Array, ...] | None:
        """The largest allowed errors, on a device that flushes subnormals or keeps them."""
        if self.claim.bound is None:
            return None
        if flush not in self._bounds:
            with assuming(AMD.flushing() if flush else AMD):
                limits = self.claim.bound(**self.case.inputs)
            self._bounds[flush] = as_outputs(limits, who=f"the bound of {self.claim.name}")
        return self._bounds[flush]


@dataclass(slots=True)
class Judge:
    """Judges examples of one claim on one device, and adds up what they show.

    builds    which builds run an example: the one that is set; a mixture, by the example's own
              digest, so that the same example always meets the same; or both in turn
    adversarial  whether examples meet adversaries
    poisoned  whether the device fills fresh memory with the poison
    last      the mismatches of the failing example; after Hypothesis has shrunk it, the smallest
    case      the example that ran last
    adversary  what that example met last
    """

    claim: Claim
    device: Device
    builds: Builds = "as set"
    adversarial: bool = True
    poisoned: bool = field(init=False)
    tally: Tally = field(init=False)
    last: tuple[Mismatch, ...] = ()
    case: Case | None = None
    adversary: Adversary = NATURAL
    _checks: bool = field(init=False)
    _failing_build: str | None = None
    _nearness: float = 0.0
    _started: int = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.claim.u_out)
        self.poisoned = self.device.with_poison()
        self._checks = self.builds != "as set" and self.device.with_build("checked")
        # Earlier launches are flushed: they are not this run's.
        self.device.records_since(self.device.journal_size())
        self._started = self.device.journal_size()

    def run(
        self,
        launch: Callable[[], Outputs | None],
        case: Case,
        adversaries: tuple[Adversary, ...] = (),
    ) -> None:
        """Run one example and judge it, on the device as it is or as Hypothesis draws it.

        adversaries  run it with these as well; for cases that Hypothesis does not draw

        Raises WrongOutput, KernelFault when the device found a fault, PoorReference, or what the
        launcher raises.
        """
        self.case = case
        truth = _Truth(self.claim, case)
        unchecked = self._unchecked()
        self._nearness = 0.0
        for condition in self._conditions(case, (drawn(), *adversaries)):
            if condition.build is not None:
                self.device.with_build(condition.build)
            try:
                outputs = self._run_on(condition.adversary, launch, truth)
                if condition == (unchecked, usual()) and self._repeats(case):
                    self._repeat(outputs, launch, truth)
            except Exception:
                # What Hypothesis shrinks from here on must fail in the same build, or not at all.
                self._failing_build = self._failing_build or condition.build
                raise
        if currently_in_test_context() and self._nearness > _WORTH_A_CLIMB:
            # The search climbs towards the worst case, which takes up to half of the examples.
            target(self._nearness, label="error over bound")

    def _repeats(self, case: Case) -> bool:
        """Tell whether a case runs again to see whether its outputs keep their bits."""
        can = self.claim.deterministic and self.adversarial and self.device.control is not None
        return can and case.digest() // _CHECKED_SHARE % _REPEATED_SHARE == 0

    def _repeat(
        self, outputs: tuple[Array, ...], launch: Callable[[], Outputs | None], truth: _Truth
    ) -> None:
        """Run an example once more, its blocks and waves in another order: bits must not change."""
        order = replace(usual(), order=truth.case.digest() | 1)
        again = self._run_on(order, launch, truth)
        self.tally.repeated += 1
        differing = compare(again, outputs, None).mismatches
        if differing:
            self.last = tuple(replace(wrong, kind="nondeterminism") for wrong in differing)
            raise WrongOutput(self.claim.name, self.device.arch, self.last, order)

    def _run_on(
        self, adversary: Adversary, launch: Callable[[], Outputs | None], truth: _Truth
    ) -> tuple[Array, ...]:
        """Run an example on a device that uses its freedoms so; return its outputs, judged."""
        self.adversary = adversary
        changed = adversary != usual() and self.device.with_adversary(adversary)
        try:
            outputs = run_case(truth.case, launch, self.device, self.claim.name).outputs
        finally:
            if changed:
                self.device.with_adversary(usual())
        self.judge(outputs, truth)
        return outputs

    def _unchecked(self) -> str | None:
        """Return the build of examples that are about numbers alone."""
        return "plain" if self._checks or self.builds != "as set" else None

    def _conditions(self, case: Case, adversaries: tuple[Adversary, ...]) -> tuple[_Condition, ...]:
        """Return how an example runs: natural in the builds asked for, adversarial in plain."""
        conditions: list[_Condition] = []
        for adversary in adversaries:
            met = self._met(adversary, case)
            builds = self._builds_for(case) if met == usual() else (self._unchecked(),)
            conditions += (_Condition(build, met) for build in builds)
        return tuple(dict.fromkeys(conditions))

    def _met(self, adversary: Adversary, case: Case) -> Adversary:
        """Return the adversary that this device can be, and that this claim speaks about."""
        can = self.adversarial and self.device.control is not None
        if adversary == NATURAL or not can or self._failing_build == "checked":
            return usual()
        return adversary if self._may_flush(case) else replace(adversary, flush=False)

    def _may_flush(self, case: Case) -> bool:
        """Tell whether the claim speaks of a device that flushes subnormals.

        An exact one does not; and where 0 times infinity would come of a flushed argument, what
        the reference says of numbers that are not finite holds for those that are kept alone.
        """
        values = (np.asarray(leaf) for leaf in case.leaves() if isinstance(leaf, _NUMBERS))
        return self.claim.bound is not None and all(
            np.isfinite(value).all() for value in values if "float" in value.dtype.name
        )

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

    def judge(self, actual: tuple[Array, ...], truth: _Truth) -> None:
        """Judge the outputs of one example."""
        claim, expected = self.claim, truth.expected
        bounds = truth.bounds(flush=self.adversary.flush)
        comparison = compare(actual, expected, bounds, poisoned=self.poisoned)
        formats = _formats(truth.case, actual)
        self.tally.add(comparison, adversarial=self.adversary != NATURAL, formats=formats)
        self._nearness = max(self._nearness, min(comparison.worst_ratio, 1.0))
        if comparison.mismatches:
            self.last = comparison.mismatches
            raise WrongOutput(claim.name, self.device.arch, comparison.mismatches, self.adversary)
        self._check_reference(comparison, actual, expected, bounds, truth.case)
        self.tally.try_mutants(actual, expected, bounds)

    def _check_reference(
        self,
        comparison: Comparison,
        actual: tuple[Array, ...],
        expected: tuple[Array, ...],
        bounds: tuple[Array, ...] | None,
        case: Case,
    ) -> None:
        """Hold the reference against mpmath where the kernel came nearest to its bound.

        Always when it never came nearer, else for a share of the examples: of many elements
        that are far from their bounds mpmath has little to say, at a thousand times the cost.
        """
        index = comparison.worst_index
        if self.claim.spot is None or bounds is None or index is None:
            return
        nearest = comparison.worst_ratio >= self.tally.worst_ratio
        if not nearest and case.digest() % _SPOT_SHARE:
            return
        truth = self.claim.spot(index, **case.inputs)
        off = abs(float(truth - _exactly(expected[0][index])))
        bound = float(np.broadcast_to(bounds[0], expected[0].shape)[index])
        self.tally.spots += 1
        if not off <= bound / 100:
            raise PoorReference(
                f"the reference of {self.claim.name} is off by {off:.3g} at {index}, more "
                f"than a hundredth of its bound ({bound / 100:.3g}), for {case}"
            )
        if nearest:
            got, want = float(actual[0][index]), float(expected[0][index])
            sides = (got, want, str(truth), abs(got - want), bound)
            self.tally.keep(self._element(0, index, sides, case))

    def _element(
        self,
        output: int,
        index: tuple[int, ...],
        sides: tuple[float, float, str | None, float, float],
        case: Case,
    ) -> Element:
        """Describe an element: actual, expected, truth, error, bound; and what it was made of."""
        beside = {
            name: float(value[index])
            for name, value in case.inputs.items()
            if isinstance(value, np.ndarray)
            and len(value.shape) == len(index)
            and all(at < extent for at, extent in zip(index, value.shape, strict=True))
        }
        adversary = "" if self.adversary == NATURAL else str(self.adversary)
        return Element(output, index, *sides, beside, str(case), adversary)

    def _beyond(self) -> tuple[Element, ...]:
        """Return the elements of the failing example that are wrong, the worst of each kind."""
        case, spot = self.case, self.claim.spot
        if case is None:
            return ()
        found = []
        for wrong in self.last:
            known = spot is not None and wrong.output == 0 and np.isfinite(wrong.expected)
            truth = str(spot(wrong.index, **case.inputs)) if spot is not None and known else None
            sides = (wrong.actual, wrong.expected, truth, wrong.error, wrong.bound)
            found.append(self._element(wrong.output, wrong.index, sides, case))
        return tuple(found)

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
            adversary=str(self.adversary) if self.last and self.adversary != NATURAL else "",
            beyond=self._beyond(),
        )

    def _counted(self) -> tuple[int | None, int | None]:
        """Return launches, and accesses of the checked ones; None for what is not counted."""
        if self.device.control is None:
            return None, None
        entries = launches(self.device.records_since(self._started))
        checked = [entry.accesses for entry in entries if entry.build == "checked"]
        return sum(entry.launches for entry in entries), sum(checked) if checked else None


def _formats(case: Case, outputs: Sequence[Array]) -> str:
    """Return the formats of an example's numbers, such as ``float16 to float32``."""
    arrays = [leaf for leaf in case.leaves() if isinstance(leaf, np.ndarray)]
    numbers = [array for array in arrays if array.dtype.name not in _INDICES] or arrays
    sides = (dict.fromkeys(array.dtype.name for array in side) for side in (numbers, outputs))
    return " to ".join(", ".join(names) for names in sides if names)


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
