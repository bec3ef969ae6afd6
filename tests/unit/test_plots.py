"""Plots drawn by several processes: the same bytes as one by one, and no failure unheard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hipaudit.errors import HipauditError
from hipaudit.report import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = {"gfx942": [(4, 0.25), (64, 0.5)], "gfx1100": [(4, 0.125)]}


def draw_some(folder: Path) -> None:
    for number in range(4):
        plots.error_against_bound(POINTS, folder / f"{number}.svg")
    plots.elements_by_example(POINTS, folder / "deeper" / "elements.svg")


def test_plots_side_by_side_have_the_bytes_of_plots_one_by_one(tmp_path: Path) -> None:
    draw_some(tmp_path / "alone")
    with plots.side_by_side():
        draw_some(tmp_path / "together")
        assert not (tmp_path / "together").exists()  # drawn at the end of the block
    paths = sorted(path.relative_to(tmp_path / "alone") for path in tmp_path.glob("alone/**/*.svg"))
    assert len(paths) == 5
    for path in paths:
        alone, together = (tmp_path / side / path for side in ("alone", "together"))
        assert alone.read_bytes() == together.read_bytes()


def draw_what_fails(folder: Path) -> None:
    def fails(_: Figure) -> None:
        raise ValueError("nothing to draw")

    with plots.side_by_side():
        plots.save(fails, folder / "a.svg")
        plots.save(fails, folder / "b.svg")


def test_a_plot_that_fails_in_its_process_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HipauditError, match="could not be drawn"):
        draw_what_fails(tmp_path)
