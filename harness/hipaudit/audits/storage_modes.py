"""Storage modes: the kind of memory that was asked for, against what was done with it."""

from __future__ import annotations

from collections.abc import Sequence

from hipaudit.audits.decoding import Decoding
from hipaudit.audits.memory_page import MemoryAudit, chain
from hipaudit.memory import Site, Uses, at_own_lines
from hipaudit.text import plural, size

_PINNED = frozenset({"host", "registered"})
_RIGHT = "as it is"


def audit(run: Decoding) -> MemoryAudit:
    """Return the run's allocation sites; those that held most at the peak come first."""
    sites = at_own_lines(run.memory.sites if run.memory else ())
    ordered = sorted(sites, key=lambda s: (-s.peak_bytes, -s.bytes, s.kind, chain(s.location)))
    changed = [site for site in ordered if suggested(site) != _RIGHT]
    peak = run.memory.peak_bytes if run.memory else 0
    return MemoryAudit(
        name="storage_modes",
        title="Storage modes",
        question="Is each buffer in the kind of memory that its use asks for?",
        run=run,
        columns=("Call", "Called by", "Kind", "Allocations", "Bytes", "At the peak",
                 "Copies in", "Copies out", "Fills", "Launches", "Suggested"),
        numeric=frozenset({3, 4, 5, 6, 7, 8, 9}),
        rows=tuple(_row(site) for site in ordered),
        totals=(_total(sites, peak),),
        checks=(("sites whose use asks for another kind", plural(len(changed), "site")),),
        findings=(),
    )  # fmt: skip


def _total(sites: Sequence[Site], peak: int) -> str:
    where = plural(len(sites), "call site")
    return f"{where} allocate memory; at most {size(peak)} of it lives at once."


def _row(site: Site) -> tuple[str, ...]:
    uses = site.uses
    return (
        site.location.call,
        chain(site.location),
        site.kind,
        f"{site.allocations:,}",
        f"{site.bytes:,}",
        f"{site.peak_bytes:,}",
        f"{uses.copied_to:,}",
        f"{uses.copied_from:,}",
        f"{uses.fills:,}",
        f"{uses.launches:,}",
        suggested(site),
    )


def suggested(site: Site) -> str:
    """Return the kind of memory that a site's observed use asks for."""
    uses = site.uses
    if uses == Uses():
        return "nothing: it is never used"
    if site.kind in _PINNED:
        return _RIGHT if uses.async_copies or uses.launches else "pageable: no copy is asynchronous"
    if site.kind == "managed" and not uses.launches:
        return "host memory: no kernel is given it"
    if site.kind == "managed" and uses.copied_to + uses.copied_from:
        return "device memory: it is copied explicitly"
    if site.kind in {"device", "async", "pool"} and not uses.launches and uses.copied_from:
        return "host memory: no kernel is given it"
    return _RIGHT
