"""The eight claims of a bug analysis, re-derived: every sentence held against a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hipaudit.audits import fault_checker
from hipaudit.audits.claims import library, lifetimes, numbers, offsets, shared_memory
from hipaudit.audits.claims.claim import Claim, Claims
from hipaudit.audits.claims.running import fault
from hipaudit.finding import Finding, identified

_FAULTS = (
    *(shared_memory.SCORES, shared_memory.FIRST_32, shared_memory.NO_BARRIER),
    *(numbers.SUMS, numbers.DOT, numbers.HALF),
)
_MEMORY = (lifetimes.leaking_cache, lifetimes.copied_buffer, offsets.device_properties)
_KERNELS = (
    *(shared_memory.unwritten_scores, shared_memory.racing_maximum),
    *(numbers.summed, numbers.accumulated, numbers.converted),
)


def planned() -> int:
    """Steps of progress."""
    return len(_MEMORY) + len(_KERNELS) + 2


def audit(archs: Sequence[str], tick: Callable[[], None] = lambda: None) -> Claims:
    """Re-derive all claims on the emulated device; *tick* is called for each step."""
    claims: list[Claim] = []
    for memory in _MEMORY:
        claims.append(memory(archs[0]))
        tick()
    kills = fault_checker.kills([fault(name) for name in _FAULTS])
    tick()
    seen = library.observe(archs)
    tick()
    for kernel in _KERNELS:
        claims.append(kernel(kills, archs, seen))
        tick()
    return Claims(tuple(claims), tuple(_returned(claims)))


def _returned(claims: Sequence[Claim]) -> list[Finding]:
    """What this repository's own code was found to have of the claimed defects."""
    found = []
    for claim in claims:
        kinds = [finding.kind for finding in claim.findings]
        for check in claim.here:
            if not check.passed and kinds:
                message = f"{claim.id}: {check.what}: {check.result}"
                draft = Finding("", kinds[0], "error", claim.component, "", message)
                found.append(identified(draft))
    return found
