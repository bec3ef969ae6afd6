"""Hidden synchronisation: where the host waits for the device, by call site."""

from __future__ import annotations

from hipaudit.audits.decoding import Decoding
from hipaudit.audits.memory_page import MemoryAudit, chain
from hipaudit.memory import Waits, at_own_lines
from hipaudit.memory_hygiene import hygiene_findings, plainly_waits
from hipaudit.text import plural

KIND = "hidden-synchronisation"


def audit(run: Decoding) -> MemoryAudit:
    """Return the waits of a run; the sites that wait most often come first."""
    waits = sorted(
        at_own_lines(run.memory.waits if run.memory else ()),
        key=lambda wait: (wait.needless - wait.count, chain(wait.location), wait.stream),
    )
    found = hygiene_findings(run.memory, run.arch) if run.memory else []
    mine = tuple(finding for finding in found if finding.kind == KIND)
    real = sum(wait.count - wait.needless for wait in waits)
    copies = sum(wait.count - wait.needless for wait in waits if plainly_waits(wait))
    hidden = sum(
        wait.count - wait.needless for wait in waits if wait.hidden and not plainly_waits(wait)
    )
    return MemoryAudit(
        name="hidden_synchronisation",
        title="Hidden synchronisation",
        question="Where does the host stand still until the device is done?",
        run=run,
        columns=("Call", "Called by", "Stream", "Waits", "Nothing was pending", "A token",
                 "Hidden", "Why"),
        numeric=frozenset({3, 4, 5}),
        rows=tuple(_row(wait, run.tokens) for wait in waits),
        totals=(_total(real, copies, hidden, run.tokens),),
        checks=(("calls that wait, copies aside, though their name does not say so",
                 plural(len(mine), "site") if mine else "none"),),
        findings=mine,
    )  # fmt: skip


def _total(real: int, copies: int, hidden: int, tokens: int) -> str:
    said = f"The host waited for pending work {plural(real, 'time')}, {real / tokens:.3g} a token"
    return (
        f"{said}: {plural(copies, 'time')} in a copy that is not asynchronous, "
        f"{plural(hidden, 'time')} in another call whose name does not say so."
    )


def _row(wait: Waits, tokens: int) -> tuple[str, ...]:
    return (
        wait.location.call,
        chain(wait.location),
        wait.stream,
        f"{wait.count:,}",
        f"{wait.needless:,}",
        f"{wait.count / tokens:.3g}",
        "yes" if wait.hidden else "no",
        wait.reason,
    )
