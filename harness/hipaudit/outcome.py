"""Outcome: what one command has found, in the form that every output is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hipaudit.baseline import Baseline
from hipaudit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_VOID
from hipaudit.finding import Finding, Findings
from hipaudit.memory import MemoryUse


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of check, exec or audit.

    device   what produced the evidence
    arch     the parts, separated by commas
    kernels  rows: name, arch, launches, threads, accesses, launch_ms
    notes    what the reader must know: checks that did not run
    void     why the run shows nothing; None when it shows something
    mutation scores of mutated files, where that was asked for
    memory   what the ledger saw of memory; None where there was no ledger
    baseline the findings that are accepted
    """

    device: str
    arch: str
    kernels: Sequence[dict[str, Any]]
    findings: Findings
    notes: tuple[str, ...] = ()
    void: str | None = None
    mutation: Sequence[dict[str, Any]] = ()
    memory: MemoryUse | None = None
    baseline: Baseline = field(default_factory=Baseline)

    def exit_code(self, fail_on: str = "error") -> int:
        """Return the command line's exit code: findings first, then void.

        ``new`` fails for every finding that is not accepted, whatever its severity.
        """
        if fail_on == "new":
            failing = any(not self.accepted(one) for one in self.findings.items)
            # What is not listed cannot be known to be accepted.
            failing = failing or self.findings.dropped > 0
        else:
            failing = bool(self.findings.at_or_above(fail_on))
        if failing:
            return EXIT_FINDINGS
        return EXIT_CLEAN if self.void is None else EXIT_VOID

    def accepted(self, finding: Finding) -> bool:
        """Tell whether somebody has accepted a finding, and still does."""
        return self.baseline.state(finding.id) == "accepted"

    def acceptance(self, finding: Finding) -> str:
        """Return who accepted a finding until when; empty when nobody did."""
        entry = self.baseline.entries.get(finding.id)
        if entry is None:
            return ""
        if not self.accepted(finding):
            return f"new: {entry.owner}'s acceptance expired on {entry.expires}"
        return f"accepted until {entry.expires} by {entry.owner}: {entry.reason}"

    def as_json(self) -> dict[str, Any]:
        """Return the document that --json writes."""
        document: dict[str, Any] = {
            "device": self.device,
            "arch": self.arch,
            "kernels": list(self.kernels),
            "findings": [
                {**finding.as_json(), "state": self.baseline.state(finding.id)}
                for finding in self.findings.items
            ],
            "findings_not_listed": self.findings.dropped,
            "notes": list(self.notes),
            "void": self.void,
            "memory": None if self.memory is None else self.memory.as_json(),
        }
        return {**document, "mutation": list(self.mutation)} if self.mutation else document
