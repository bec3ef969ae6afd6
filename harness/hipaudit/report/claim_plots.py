"""The plots of the claims: curves, and the lanes and barriers of a race."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hipaudit.audits.claims.claim import Curve, Race
from hipaudit.finding import Location
from hipaudit.report import excerpt
from hipaudit.report.plots import COLOURS, save
from hipaudit.text import inert

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RED = "#b00020"
_LINES = ("-", "--", ":", "-.")
_MARKS = ("o", "x", "^", "s")


def curve(one: Curve, path: Path) -> None:
    """Plot the series of a claim, each with a line and a mark of its own."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (name, points) in enumerate(one.series.items()):
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=COLOURS[index % len(COLOURS)],
                linestyle=_LINES[index % len(_LINES)],
                marker=_MARKS[index % len(_MARKS)],
                markevery=max(1, len(points) // 8),
                markersize=4,
                label=name,
            )
        if one.log:
            axes.set_xscale("log", base=2)
            axes.set_yscale("log", base=2)
        axes.set_xlabel(one.x)
        axes.set_ylabel(one.y)
        axes.legend(frameon=False, loc="upper left")

    save(draw, path)


def race(one: Race, path: Path) -> None:
    """Plot a block's waves, the two accesses that race, and the barriers between their lines."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        columns = _columns(one)
        for wave in range(one.waves):
            axes.axhspan(wave - 0.4, wave + 0.4, color="#999999", alpha=0.14, linewidth=0)
        for number in one.barriers:
            axes.axvline(columns[number], color=COLOURS[2], linewidth=1.6)
        for number in one.missing:
            axes.axvline(columns[number], color=_RED, linewidth=1.4, linestyle="--")
        first, other = one.finding.location, one.finding.other_location
        if first is not None and other is not None:
            _accesses(axes, one, columns, (first, other))
        axes.set_yticks(range(one.waves), [f"wave {wave}" for wave in range(one.waves)])
        axes.set_ylim(one.waves - 0.5, -1.3)
        shown = sorted(columns, key=columns.__getitem__)
        axes.set_xticks(range(len(shown)), [str(number) for number in shown])
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.set_xlabel("line of the kernel (barriers: solid; where one is missing: dashed)")
        axes.grid(visible=False)

    save(draw, path, height=2.6)


def _columns(one: Race) -> dict[int, int]:
    """Where each line that matters stands: those of the accesses and of the barriers."""
    sides = (one.finding.location, one.finding.other_location)
    numbers = {side.line for side in sides if side is not None}
    return {n: at for at, n in enumerate(sorted(numbers | {*one.barriers, *one.missing}))}


def _accesses(
    axes: Axes, one: Race, columns: dict[int, int], sides: tuple[Location, Location]
) -> None:
    """Mark both accesses at their line and wave, and join them."""
    places = [(columns[side.line], _row(one, side)) for side in sides]
    axes.annotate(
        "",
        places[1],
        places[0],
        arrowprops={"arrowstyle": "<->", "color": _RED, "linewidth": 1.4, "shrinkA": 6,
                    "shrinkB": 6},
    )  # fmt: skip
    for (x, y), side in zip(places, sides, strict=True):
        axes.plot([x], [y], marker="o", markersize=8, color=COLOURS[0])
        axes.annotate(
            inert(excerpt.who(side).rpartition("), ")[2]),
            (x, y),
            xytext=(8, 8),
            textcoords="offset points",
        )


def _row(one: Race, side: Location) -> float:
    """Where a lane lies within its wave's band: lane 0 at its top."""
    share = ((side.lane or 0) + 0.5) / one.wave
    return (side.wave or 0) - 0.4 + 0.8 * share
