"""The report pages: the same bytes for the same data, and nothing in them acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from audit_data import data, evil_finding
from markdown_it import MarkdownIt

from hipaudit.audits.ulp_census import table
from hipaudit.finding import Finding, Location, identified
from hipaudit.report import plots
from hipaudit.report.pages import write_reports, write_run_facts


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    findings = (evil_finding(tmp_path),)
    for name in ("a", "b"):
        write_reports(data(findings), tmp_path / name)
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert first == second
    assert set(first) == {
        "index.md",
        "ulp_tables.md",
        "kernels/softmax.md",
        "kernel_inventory.md",
        "library.md",
        "model_dequantisation.md",
        "plots/softmax.svg",
        "plots/model_dequantisation.svg",
    }


def test_what_depends_on_the_machine_stays_out_of_the_pages(tmp_path: Path) -> None:
    written = write_reports(data(), tmp_path)
    write_run_facts({"seconds": 1.25}, tmp_path)
    assert not any(b"1.25" in one.path.read_bytes() for one in written)
    assert b"1.25" in (tmp_path / ".run" / "audit.json").read_bytes()


def test_the_elements_nearest_to_their_bounds_are_shown(tmp_path: Path) -> None:
    write_reports(data(), tmp_path)
    page = (tmp_path / "kernels" / "softmax.md").read_text()
    assert "| gfx942 | 2, 1 | 1.375 | 1.5 | 1.5 | 0.5 | x = 3; x = float32 3 x 2 |" in page


def test_numbers_are_shown_to_two_digits(tmp_path: Path) -> None:
    write_reports(data(), tmp_path)
    page = (tmp_path / "kernels" / "softmax.md").read_text()
    assert "| gfx942 | 40 | 20 | 12,345 | 40 | 0.12 | 3.1 | 39 | all | passed |" in page
    assert "0.1234" not in page


def test_every_link_of_the_index_leads_somewhere(tmp_path: Path) -> None:
    for one in write_reports(data(), tmp_path):
        for token in MarkdownIt("commonmark").enable("table").parse(one.text):
            for child in token.children or ():
                target = child.attrGet("href") or child.attrGet("src")
                if isinstance(target, str):
                    assert (one.path.parent / target).is_file(), (one.path, target)


def test_hostile_names_and_messages_are_inert(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for one in write_reports(data((evil_finding(tmp_path),)), out):
        text = one.path.read_text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        html = MarkdownIt("commonmark").enable("table").render(text)
        assert "<img src=x" not in html
        assert 'href="http://y"' not in html
        assert "<h1>forged" not in html


def test_findings_show_their_line_and_how_to_verify(tmp_path: Path) -> None:
    source = tmp_path / "k.hip"
    source.write_text("a\nb\nc\n")
    finding = identified(
        Finding("", "timeout", "error", "k", "gfx942", "no progress",
                location=Location(str(source), 2), replay="hipaudit replay hip1-x")
    )  # fmt: skip
    other = replace(finding, arch="gfx1100")
    write_reports(data((finding, other)), tmp_path / "out")
    page = (tmp_path / "out" / "kernels" / "softmax.md").read_text()
    assert page.count("### timeout in k") == 1
    assert ">     2 | b" in page
    assert "gfx942, gfx1100" in page
    assert "hipaudit replay hip1-x" in page
    index = (tmp_path / "out" / "index.md").read_text()
    assert "**1 finding.**" in index


def test_a_void_audit_says_so_on_its_index(tmp_path: Path) -> None:
    base = data()
    void = replace(base, outcome=replace(base.outcome, void="no kernel ran"))
    write_reports(void, tmp_path)
    assert "**Void**: no kernel ran" in (tmp_path / "index.md").read_text()


@pytest.mark.parametrize("points", [{}, {"gfx942": []}, {"gfx942": [(0, 0.0)]}])
@pytest.mark.parametrize("draw", [plots.error_against_bound, plots.elements_by_example])
def test_plots_of_nothing_are_empty_and_no_failure(
    tmp_path: Path, draw: Callable[..., None], points: dict[str, list[tuple[int, float]]]
) -> None:
    draw(points, tmp_path / "p.svg")
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("exact", [True, False])
def test_plots_name_their_axes_and_hold_no_date(tmp_path: Path, exact: bool) -> None:
    changes: dict[str, Any] = {"exact": True, "bound": None} if exact else {}
    write_reports(data(**changes), tmp_path)
    svg = (tmp_path / "plots" / "softmax.svg").read_text()
    assert ("elements compared, bit for bit" in svg) == exact
    assert ("worst error / bound" in svg) != exact
    assert "dc:date" not in svg
    assert "gfx1100" in svg


def test_ulp_tables_name_every_function_with_its_worst_argument(tmp_path: Path) -> None:
    write_reports(data(), tmp_path)
    page = (tmp_path / "ulp_tables.md").read_text()
    tables = table()
    assert tables
    for device, found in tables.items():
        assert f"## {device}" in page
        for name, row in found.items():
            assert f"| {name}f |" in page
            assert f"{row['bins'][0]:,}" in page
            assert row["worst_at"] in page
