"""The claims of the bug analysis: verdicts come from runs, and change when the runs do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hipaudit.audits import fault_checker
from hipaudit.audits.claims import lifetimes, numbers, offsets, shared_memory
from hipaudit.audits.claims.claim import Check, Claim, Claims, Statement
from hipaudit.audits.claims.running import QUOTED, Trial, fault, repair_of, run_program, try_all
from hipaudit.report import claims_page

ARCHS = ("gfx942",)
SEEN = {"gfx942": {"findings": [], "accesses": 1, "maxima": True, "places": 256}}


@pytest.fixture(scope="module")
def cache() -> Claim:
    return lifetimes.leaking_cache("gfx942")


def holds(claim: Claim) -> list[bool]:
    return [statement.holds for statement in claim.statements]


def test_the_leak_is_real_and_its_figure_and_repair_are_not(cache: Claim) -> None:
    assert (cache.verdict, cache.status) == ("CONFIRMED", "fixed")
    assert holds(cache) == [True, False, False, False, False]
    assert "52,428,800 bytes" in cache.statements[1].measured
    kinds = {finding.kind for finding in cache.findings}
    assert kinds == {"leak", "use-after-free"}
    places = {f.location.line for f in cache.findings if f.location and f.kind == "leak"}
    lines = (QUOTED / "kv_cache.py").read_text(encoding="utf-8").splitlines()
    assert all("hipMalloc" in lines[line - 1] for line in places)


def test_live_memory_is_drawn_from_what_the_device_told(cache: Claim) -> None:
    (curve,) = cache.curves
    ends = {name: points[-1] for name, points in curve.series.items()}
    assert ends == {"quoted": (100, 50.0), "reused": (100, 0.5), "freed": (100, 0.0)}


def test_views_bring_the_double_free_back() -> None:
    claim = lifetimes.copied_buffer("gfx942")
    assert holds(claim) == [True, False, True]
    kinds = {finding.kind for finding in claim.findings}
    assert kinds == {"double-free", "use-after-free", "invalid-free"}
    assert claim.status == "fixed"


def test_the_verified_offsets_are_false() -> None:
    claim = offsets.device_properties("gfx942")
    assert (claim.verdict, holds(claim)) == ("REFUTED", [False, True, False])
    rows = {row[0]: row[1:] for row in claim.tables[0].rows}
    assert rows["totalGlobalMem"] == ("284", "256", "288", "288")
    assert rows["multiProcessorCount"] == ("508", "336", "388", "388")
    assert "multiProcessorCount reads 0 instead of 304" in claim.impact


def test_what_a_tree_of_32_leaves_out_is_counted() -> None:
    names = (shared_memory.FIRST_32, shared_memory.NO_BARRIER)
    kills = fault_checker.kills([fault(name) for name in names])
    claim = shared_memory.racing_maximum(kills, ARCHS, SEEN)
    assert (claim.verdict, holds(claim)) == ("REFUTED", [False, True, False, False])
    assert "33 columns" in claim.trigger
    assert claim.race is not None
    assert len(claim.race.missing) == 1
    assert len(claim.race.barriers) == 1
    without = shared_memory.racing_maximum((), ARCHS, SEEN)
    assert holds(without)[1] is False
    assert without.race is None


def test_codes_that_come_out_wrong_are_counted() -> None:
    claim = numbers.converted((), ARCHS, {"gfx942": {"codes_wrong": 3}})
    assert (claim.verdict, claim.status) == ("REFUTED", "open")
    assert claim.tables[0].rows == (("gfx942", "0", "0", "1", "2", "2,046", "0"),)
    assert claim.severity == "none"


def test_a_trial_runs_with_arrays_and_macros() -> None:
    one = fault(numbers.DOT)
    rows = np.full(64 * 128, 30, np.float16)
    trials = [
        Trial(one, (rows, rows, "f32[64]=uninit", "i32=128"), 1, 64, define)
        for define in ((), ("TWIN=1",))
    ]
    half, single = try_all(trials, "gfx1100")
    assert np.isinf(half.output).all()
    assert (single.output == 128 * 900).all()


def test_a_repair_is_what_the_twin_compiles_differently() -> None:
    changed = repair_of(fault(shared_memory.NO_BARRIER)).splitlines()
    assert [line for line in changed if line[0] in "+-"] == ["+  __syncthreads();"]


def test_a_program_that_dies_has_said_nothing() -> None:
    ran = run_program("kv_cache.py", "proposed", "gfx942")
    assert ran.said == {}
    assert {finding.kind for finding in ran.findings} == {"use-after-free"}


def claim_of(reported: str, *, holds: bool, passed: bool = True) -> Claim:
    claim = Claim(
        id="MS-009", component="c", title="t", reported="defect",
        statements=(Statement("it leaks", holds, "it does"),), findings=(), expected="e",
        observed="o", cause="c", trigger="t", quiet=(), impact="i", repair="r", diff="",
        here=(Check("ours", passed, "seen"),), verify=("hipaudit doctor",),
    )  # fmt: skip
    return replace(claim, reported=reported)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reported", "holds", "verdict"),
    [
        ("defect", True, "CONFIRMED"),
        ("defect", False, "REFUTED"),
        ("fixed", True, "FIXED"),
        ("fixed", False, "REFUTED"),
        ("harmless", False, "REFUTED"),
    ],
)
def test_the_verdict_follows_the_claim_and_the_run(
    reported: str, holds: bool, verdict: str
) -> None:
    assert claim_of(reported, holds=holds).verdict == verdict


def test_a_claim_whose_fault_was_not_found_is_void(tmp_path: Path) -> None:
    claims = Claims((claim_of("defect", holds=False, passed=False),), ())
    assert claims.void == "claims without a run that shows a fault: MS-009"
    values = claims_page.values(claims, tmp_path)
    assert values["counts"] == [("CONFIRMED", 0), ("REFUTED", 1), ("FIXED", 0)]
    assert (values["open"], values["passed"], values["checks"]) == (["MS-009"], 0, 1)
