"""Outcome: what one command has found, in the form that every output is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hipaudit.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_VOID
from hipaudit.finding import Findings
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
    """

    device: str
    arch: str
    kernels: Sequence[dict[str, Any]]
    findings: Findings
    notes: tuple[str, ...] = ()
    void: str | None = None
    mutation: Sequence[dict[str, Any]] = ()
    memory: MemoryUse | None = None

    def exit_code(self, fail_on: str = "error") -> int:
        """Return the command line's exit code: findings first, then void."""
        if self.findings.at_or_above(fail_on):
            return EXIT_FINDINGS
        return EXIT_CLEAN if self.void is None else EXIT_VOID

    def as_json(self) -> dict[str, Any]:
        """Return the document that --json writes."""
        document: dict[str, Any] = {
            "device": self.device,
            "arch": self.arch,
            "kernels": list(self.kernels),
            "findings": [finding.as_json() for finding in self.findings.items],
            "findings_not_listed": self.findings.dropped,
            "notes": list(self.notes),
            "void": self.void,
            "memory": None if self.memory is None else self.memory.as_json(),
        }
        return {**document, "mutation": list(self.mutation)} if self.mutation else document
