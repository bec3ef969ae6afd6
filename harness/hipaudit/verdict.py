"""Verdict: what a property's run has shown about one kernel on one device."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from hipaudit.compare import Comparison, Mismatch, compare, mutants
from hipaudit.spec import Array

Status: TypeAlias = Literal["passed", "failed", "void"]


@dataclass(frozen=True, slots=True)
class Element:
    """One output element that came as near to its bound as any, or that left it.

    output, index     which one
    actual, expected  what came and what the reference says; truth: what mpmath says, in decimal,
                      None where the spec has no such oracle or the element is not finite
    error, bound      how far it was off, and how far it may be
    inputs            the elements at the same place of inputs of the output's shape
    case              the example, in words; adversary: what it met, empty for the natural device
    """

    output: int
    index: tuple[int, ...]
    actual: float
    expected: float
    truth: str | None
    error: float
    bound: float
    inputs: dict[str, float]
    case: str
    adversary: str = ""

    @property
    def ratio(self) -> float:
        """Error over bound; infinite where nothing may be off and something is."""
        if self.error == 0:
            return 0.0
        return self.error / self.bound if self.bound else float("inf")


_WORST = 3


@dataclass(frozen=True, slots=True)
class Formats:
    """What the examples of one combination of number formats have shown; *name* has them."""

    name: str
    examples: int
    elements: int
    worst_ratio: float
    worst_ulp: float

    def with_example(self, comparison: Comparison) -> Formats:
        """Count one more example that passed."""
        return Formats(
            self.name,
            self.examples + 1,
            self.elements + comparison.elements,
            max(self.worst_ratio, comparison.worst_ratio),
            max(self.worst_ulp, comparison.worst_ulp),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Aggregated over the examples of one spec on one device.

    examples     inputs that were run
    elements     output elements compared with the reference
    launches     kernel launches, None where the device does not count them
    accesses     accesses that were checked, None where no checked build ran
    worst_ratio  the largest error/bound; worst_ulp: the largest error in ULP
    spots        reference elements that the mpmath oracle judged
    survivors    planted wrong outputs that no input rejected: the bound is vacuous
    mismatches   of the failing example
    adversarial  examples that met a device that uses its freedoms
    repeated     examples that ran again in another order, with the same bits
    adversary    what the failing example met; empty for the natural device
    worst        the elements nearest to their bounds, the worst first; of a failure those beyond
    formats      the examples that passed, by the formats of their numbers
    """

    name: str
    arch: str
    device: str
    examples: int
    elements: int
    launches: int | None
    accesses: int | None
    worst_ratio: float
    worst_ulp: float
    spots: int
    survivors: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    adversarial: int = 0
    repeated: int = 0
    adversary: str = ""
    worst: tuple[Element, ...] = ()
    formats: tuple[Formats, ...] = ()

    @property
    def void_because(self) -> str | None:
        """Why the run shows nothing, or None when it shows something."""
        if self.examples == 0:
            return "no example ran"
        if self.launches == 0:
            return "no kernel ran"
        if self.elements == 0:
            return "no element was compared"
        if self.accesses == 0:
            return "no memory access was instrumented"
        return None

    @property
    def status(self) -> Status:
        """A failure is a failure however little was run; a pass has to be earned."""
        if self.mismatches or (self.survivors and self.void_because is None):
            return "failed"
        return "void" if self.void_because is not None else "passed"

    def as_json(self) -> dict[str, Any]:
        """Return plain data for a report; infinities as the string ``inf``."""
        data = asdict(self)
        for key in ("worst_ratio", "worst_ulp"):
            if data[key] == float("inf"):
                data[key] = "inf"
        data["survivors"] = list(self.survivors)
        data["worst"] = [_element_json(element) for element in self.worst]
        data["formats"] = [
            {name: _number(value) if isinstance(value, float) else value for name, value in row}
            for row in (asdict(formats).items() for formats in self.formats)
        ]
        data["mismatches"] = [wrong.sentence() for wrong in self.mismatches]
        data["status"] = self.status
        return data


def _element_json(element: Element) -> dict[str, Any]:
    """Return plain data; numbers that JSON does not have as strings."""
    data = {**asdict(element), "ratio": element.ratio, "index": list(element.index)}
    numbers = {key: value for key, value in data.items() if isinstance(value, float)}
    data |= {key: _number(value) for key, value in numbers.items()}
    data["inputs"] = {name: _number(value) for name, value in element.inputs.items()}
    return data


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


@dataclass(slots=True)
class Tally:
    """What a run adds up to so far; the one mutable object of a property's run.

    alive   planted wrong outputs, and whether none was rejected yet
    points  elements and worst error/bound of each example that passed
    nearest the elements that came nearer to their bounds than any before, the last few
    formats the examples that passed, by the formats of their numbers
    """

    u_out: float
    examples: int = 0
    adversarial: int = 0
    repeated: int = 0
    elements: int = 0
    spots: int = 0
    worst_ratio: float = 0.0
    worst_ulp: float = 0.0
    alive: dict[str, bool] = field(default_factory=dict)
    points: list[tuple[int, float]] = field(default_factory=list)
    nearest: list[Element] = field(default_factory=list)
    formats: dict[str, Formats] = field(default_factory=dict)

    def add(self, comparison: Comparison, *, adversarial: bool = False, formats: str = "") -> None:
        """Count one example that was compared; *formats* are those of its numbers."""
        self.examples += 1
        self.adversarial += adversarial
        self.elements += comparison.elements
        if not comparison.mismatches:
            self.worst_ratio = max(self.worst_ratio, comparison.worst_ratio)
            self.worst_ulp = max(self.worst_ulp, comparison.worst_ulp)
            self.points.append((comparison.elements, comparison.worst_ratio))
            before = self.formats.get(formats) or Formats(formats, 0, 0, 0.0, 0.0)
            self.formats[formats] = before.with_example(comparison)

    def keep(self, element: Element) -> None:
        """Keep an element that came nearer to its bound than those kept before."""
        if element.ratio > max((kept.ratio for kept in self.nearest), default=0.0):
            self.nearest = [element, *self.nearest][:_WORST]

    def try_mutants(
        self,
        actual: tuple[Array, ...],
        expected: tuple[Array, ...],
        bounds: tuple[Array, ...] | None,
    ) -> None:
        """Compare planted wrong outputs, until each was rejected once."""
        if self.alive and not any(self.alive.values()):
            return
        for name, wrong in mutants(actual, self.u_out):
            if self.alive.setdefault(name, True):
                self.alive[name] = not compare(wrong, expected, bounds).mismatches

    @property
    def survivors(self) -> tuple[str, ...]:
        """The planted wrong outputs that nothing has rejected yet."""
        return tuple(name for name, alive in self.alive.items() if alive)

    def verdict(
        self,
        name: str,
        arch: str,
        device: str,
        *,
        launches: int | None,
        accesses: int | None = None,
        mismatches: Iterable[Mismatch] = (),
        adversary: str = "",
        beyond: Iterable[Element] = (),
    ) -> Verdict:
        """Return the verdict so far."""
        return Verdict(
            name,
            arch,
            device,
            self.examples,
            self.elements,
            launches,
            accesses,
            self.worst_ratio,
            self.worst_ulp,
            self.spots,
            self.survivors,
            tuple(mismatches),
            self.adversarial,
            self.repeated,
            adversary,
            tuple(beyond) or tuple(self.nearest),
            tuple(row for _, row in sorted(self.formats.items())),
        )
