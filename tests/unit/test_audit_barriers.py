"""The barriers audit: the library's barriers by need, and its page."""

from __future__ import annotations

import pytest

from hipaudit import hygiene
from hipaudit.audits import barriers
from hipaudit.audits.barriers import BarrierAudit, BarrierRow
from hipaudit.audits.kernels import spec_named
from hipaudit.finding import Finding, Location
from hipaudit.launches import Launches
from hipaudit.report import barrier_page, rendering

ARCHS = ("gfx942", "gfx1100")


def row(first: str, second: str) -> BarrierRow:
    return BarrierRow("k", "k.hip", 7, dict(zip(ARCHS, (first, second), strict=True)), "why", ())


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (hygiene.NEEDED, hygiene.REDUNDANT, hygiene.NEEDED),
        (hygiene.REDUNDANT, hygiene.REDUNDANT, hygiene.REDUNDANT),
        (hygiene.WRONG_SCOPE, hygiene.NEEDED, hygiene.WRONG_SCOPE),
        (hygiene.NOT_TRIED, hygiene.REDUNDANT, hygiene.REDUNDANT),
        (hygiene.NOT_TRIED, hygiene.NOT_TRIED, hygiene.NOT_TRIED),
    ],
)
def test_a_barrier_that_one_width_needs_is_needed(first: str, second: str, together: str) -> None:
    assert row(first, second).verdict == together


def test_the_barriers_of_a_library_kernel_have_a_proof_on_both_widths() -> None:
    ticks: list[int] = []
    audit = barriers.audit((spec_named("softmax"),), ARCHS, lambda: ticks.append(1))
    assert len(ticks) == 2
    assert audit.void is None
    assert not audit.missing
    assert not audit.notes
    assert audit.rows
    for found in audit.rows:
        assert found.file.endswith((".hip", ".h"))
        assert set(found.verdicts) == set(ARCHS)
        assert found.verdict == hygiene.NEEDED
        assert len(found.sides) == 2


def test_an_audit_without_an_access_is_void() -> None:
    audit = BarrierAudit(1, (), (), (), (Launches("k", "gfx942", "checked", 1, 64, 0, 0.1),), ())
    assert audit.void == "barriers: no memory access was instrumented"


def test_the_page_counts_verdicts_and_keeps_text_inert() -> None:
    race = Finding(
        id="r",
        kind="race-shared",
        severity="error",
        kernel="<b>k</b>",
        arch="gfx942",
        message="unordered | here",
        location=Location("k.hip", 3),
        other_location=Location("k.hip", 5),
    )
    rows = (row(hygiene.NEEDED, hygiene.NEEDED), row(hygiene.REDUNDANT, hygiene.REDUNDANT))
    values = barrier_page.values(BarrierAudit(2, rows, (race,), (), (), ()), ARCHS)
    assert values["summary"] == ("2 barriers of library kernels: 1 needed, 1 redundant; 1 missing.")
    common = {"version": "0", "device": "d", "compiler": "c", "not_checked": (), "notes": ()}
    template = rendering.templates().get_template(barrier_page.TEMPLATE)
    text = template.render(**common, archs=ARCHS, **values)
    assert "<code>k.hip:7</code>" in text
    assert "<b>" not in text
