"""The library's page: kernels by format and part, joined with scores and generated code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hipaudit.audits import kernels
from hipaudit.audits.mutation_scores import digest_of
from hipaudit.device import Device
from hipaudit.finding import Finding, identified
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, study
from hipaudit.mutation.result import Score
from hipaudit.property import examine
from hipaudit.report import library_page
from hipaudit.report.rendering import templates
from hipaudit.resources import shown_kernel_path

ARCH = "gfx1100"


def audited(device: Device, name: str, *findings: Finding) -> kernels.KernelAudit:
    spec = kernels.spec_named(name)
    verdict = examine(spec, device.with_arch(ARCH), examples=4).verdict.as_json()
    return kernels.KernelAudit(spec, (verdict,), {}, findings, (), checked=False)


def test_every_combination_of_formats_has_its_own_figures(device: Device) -> None:
    gemv = audited(device, "gemv")
    page = library_page.values([gemv], {}, None)
    rows = {row["formats"]: row for row in page["rows"]}
    assert set(rows) >= {
        "float32 to float32",
        "float16, float32 to float32",
        "bfloat16, float32 to float32",
    }
    assert sum(row["examples"] for row in rows.values()) == gemv.verdicts[0]["examples"]
    worst = max(entry["worst_ratio"] for entry in gemv.verdicts[0]["formats"])
    assert worst == gemv.verdicts[0]["worst_ratio"]
    assert page["unscored"] == ["gemv.hip"]


def test_indices_are_no_format_of_a_kernel_with_numbers(device: Device) -> None:
    rows = library_page.values([audited(device, "moe_combine")], {}, None)["rows"]
    assert {row["formats"] for row in rows} == {"float32 to float32"}


def test_scores_findings_and_code_are_joined_by_kernel(device: Device) -> None:
    path = shown_kernel_path("softmax.hip")
    finding = identified(Finding("", "timeout", "error", "softmax", ARCH, "no progress"))
    score = Score("softmax.hip", digest_of("softmax.hip"), {"timeout": 3}, {}, 0, 0, (), 3)
    code = study(Question(path, (PARTS["gfx942"], PARTS[ARCH])))
    audits = [audited(device, "softmax", finding, finding)]
    page = library_page.values(audits, {"softmax.hip": score}, code)
    (row,) = page["rows"]
    assert (row["findings"], row["score"], page["unscored"]) == (1, "100.0 %", [])
    old = library_page.values(audits, {"softmax.hip": replace(score, digest="d")}, code)
    assert old["rows"][0]["score"] == "100.0 % (stale)"
    (entry,) = page["entries"]
    assert (entry["name"], entry["specs"], sorted(entry["parts"])) == (
        "softmax", "softmax", ["gfx1100", "gfx942"],
    )  # fmt: skip
    (rdna,) = (one for one in code.rows if one.part.name == ARCH)
    assert entry["parts"][ARCH].startswith(f"{rdna.code.vgprs} / {rdna.lds_bytes:,} / ")


@pytest.mark.parametrize("missing", [True, False])
def test_a_part_without_code_is_said_to_have_none(device: Device, missing: bool) -> None:
    parts = (PARTS["gfx942"],) if missing else (PARTS["gfx942"], PARTS[ARCH])
    code = study(Question(shown_kernel_path("scale.hip"), parts))
    values: dict[str, Any] = library_page.values([audited(device, "scale")], {}, code)
    values["parts"] = ["gfx1100", "gfx942"]
    common = dict.fromkeys(("version", "device", "compiler", "scope"), "x")
    text = templates().get_template(library_page.TEMPLATE).render(
        values, **common, not_checked=(), notes=()
    )  # fmt: skip
    assert ("not compiled" in text) == missing
