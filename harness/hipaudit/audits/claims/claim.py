"""Claim: what a bug analysis says, sentence by sentence, and what runs say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hipaudit.finding import Finding, Location

Verdict: TypeAlias = Literal["CONFIRMED", "REFUTED", "FIXED"]
Reported: TypeAlias = Literal["defect", "fixed", "harmless"]
Series: TypeAlias = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the analysis, whether it holds, and what was measured."""

    says: str
    holds: bool
    measured: str


@dataclass(frozen=True, slots=True)
class Check:
    """Something that keeps the defect out of this repository, and whether it passed."""

    what: str
    passed: bool
    result: str


@dataclass(frozen=True, slots=True)
class Table:
    """Measurements; *numeric* columns hold numbers."""

    title: str
    columns: tuple[str, ...]
    numeric: frozenset[int]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A plot of a claim: what is drawn, its axes, its series by name; *log*: both axes."""

    name: str
    title: str
    x: str
    y: str
    series: Series
    log: bool = False


@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses that race, for a picture of lanes and barriers.

    lines     of the kernel, first to last, by number
    barriers  lines that hold one in the build that races
    missing   lines whose barrier the build lacks
    wave      threads a wave; waves: of the block
    """

    finding: Finding
    lines: tuple[tuple[int, str], ...]
    barriers: tuple[int, ...]
    missing: tuple[int, ...]
    wave: int
    waves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim, re-derived.

    reported    what the analysis takes it for: a defect, one that is fixed, or none
    statements  its sentences; the first is the claim itself
    findings    what the checks found in the faulty form
    places      code worth showing beside the findings': what it is, and where
    trigger     the smallest input that shows the defect; quiet: what does not
    diff        the repair, as changed lines
    here        what was checked of this repository's own code
    verify      commands that show it again
    """

    id: str
    component: str
    title: str
    reported: Reported
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    expected: str
    observed: str
    cause: str
    trigger: str
    quiet: tuple[str, ...]
    impact: str
    repair: str
    diff: str
    here: tuple[Check, ...]
    verify: tuple[str, ...]
    places: tuple[tuple[str, Location], ...] = ()
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = ()
    race: Race | None = None
    unchecked: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """REFUTED where the claim itself does not hold; else CONFIRMED, or FIXED as it says."""
        if not self.statements[0].holds:
            return "REFUTED"
        return "FIXED" if self.reported == "fixed" else "CONFIRMED"

    @property
    def group(self) -> str:
        """The class of the claim."""
        return "Memory safety" if self.id.startswith("MS") else "Numerical precision"

    @property
    def severity(self) -> str:
        """Of the worst finding in the faulty form; none where nothing was found."""
        found = {finding.severity for finding in self.findings}
        return next((one for one in ("error", "warning", "info") if one in found), "none")

    @property
    def status(self) -> str:
        """Whether this repository has the defect: kept out by every check, or open."""
        return "fixed" if all(check.passed for check in self.here) else "open"


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims of an analysis, and what this repository's own code showed to be wrong."""

    items: tuple[Claim, ...]
    findings: tuple[Finding, ...]

    @property
    def void(self) -> str | None:
        """Why the claims show nothing; None when they do."""
        silent = [claim.id for claim in self.items if not (claim.findings and claim.here)]
        return f"claims without a run that shows a fault: {', '.join(silent)}" if silent else None
