"""The ladder of evidence: an entry point stands where the first rung is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from audit_data import SPEC, data

from hipaudit.audits.inventory import RUNGS, Entry, inventory
from hipaudit.finding import Finding, identified
from hipaudit.isa.parts import PARTS

ROWS = [{"name": "softmax", "arch": "gfx942", "launches": 3, "accesses": 90}]


def study(*names: str) -> Any:
    """What inventory reads of a study: names and parts."""

    class Row:
        def __init__(self, name: str, part: Any) -> None:
            self.code = type("Code", (), {"name": name})
            self.part = part

    rows = [Row(name, part) for name in names for part in PARTS.values()]
    return type("Study", (), {"rows": rows})


def entry(rows: Any = ROWS, kind: str = "", code: Any = None, **verdict: Any) -> Entry:
    (audit,) = data().kernels
    verdicts = tuple({**each, **verdict} for each in audit.verdicts)
    spec = replace(SPEC, kernels=("softmax",))
    found = [identified(Finding("", kind, "error", "softmax", "gfx942", "m"))] if kind else []
    (first,) = inventory((replace(audit, spec=spec, verdicts=verdicts),), code, rows, found)
    return first


def test_a_kernel_that_all_shows_stands_on_the_top() -> None:
    whole = entry(code=study("softmax"))
    assert whole.reached == RUNGS[-1]
    assert whole.evidence == (
        "5 of 5 parts, 3 launches, 90 accesses checked, 24,690 elements compared"
    )


@pytest.mark.parametrize(
    ("changes", "reached"),
    [
        ({"rows": []}, "within limits"),
        ({"kind": "launch-limit"}, "compiles"),
        ({"kind": "race-shared"}, "right numbers"),
        ({"kind": "bound-exceeded"}, "runs"),
        ({"status": "failed"}, "runs"),
        ({"rows": [{**ROWS[0], "accesses": 0}]}, "right numbers"),
    ],
)
def test_it_stands_below_the_first_rung_that_is_missing(
    changes: dict[str, Any], reached: str
) -> None:
    assert entry(code=study("softmax"), **changes).reached == reached


def test_what_no_study_looked_at_is_not_shown() -> None:
    plain = entry()
    assert plain.rungs["compiles"] is None
    assert plain.reached == "parses"


def test_an_entry_that_no_spec_launches_is_listed() -> None:
    listed = inventory((), study("orphan"), [], [])
    assert [(one.name, one.specs, one.reached) for one in listed] == [
        ("orphan", (), "within limits")
    ]
