"""Plots as SVG, the same bytes for the same data: fixed salt, no date, text kept as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipaudit.memory import MemoryUse
from hipaudit.text import inert, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SETTINGS = {
    "svg.hashsalt": "hipaudit",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
}
_COLOURS = ("#0b62a4", "#c8501e", "#3a7d44", "#7a3e9d")
_MOST_OWNERS = 6
_MARKS = ("o", "x", "^", "s")

Points = Sequence[tuple[int, float]]


def error_against_bound(points: Mapping[str, Points], path: Path) -> None:
    """Plot each example's worst error/bound against its size, one series a part.

    The line at 1 is the bound: what lies above it is a finding.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (arch, series) in enumerate(sorted(points.items())):
            # Two digits: the last ones of a ratio say nothing.
            shown = [(n, float(f"{ratio:.2g}")) for n, ratio in series if n]
            axes.scatter(
                [n for n, _ in shown],
                [ratio for _, ratio in shown],
                s=18,
                marker=_MARKS[index % len(_MARKS)],
                # Hollow, so that equal points of two parts are both seen.
                facecolors="none" if index == 0 else _COLOURS[index % len(_COLOURS)],
                edgecolors=_COLOURS[index % len(_COLOURS)] if index == 0 else None,
                linewidths=1.0,
                label=arch,
            )
        axes.axhline(1.0, color="#b00020", linewidth=1.2)
        axes.annotate("bound", (0.01, 1.0), xycoords=("axes fraction", "data"), va="bottom")
        if any(n for series in points.values() for n, _ in series):
            axes.set_xscale("log")
        axes.set_ylim(-0.03, 1.15)
        axes.set_xlabel("elements of the example")
        axes.set_ylabel("worst error / bound")
        if points:
            axes.legend(frameon=False, loc="upper right", ncols=2)

    _save(draw, path)


def error_growth(growth: Mapping[str, Points], path: Path) -> None:
    """Plot how a sum's error grows with its terms, one series a part, beside serial and tree laws.

    Both axes are logarithmic: a power of n is a straight line.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (arch, series) in enumerate(sorted(growth.items())):
            axes.plot(
                [n for n, _ in series],
                [error for _, error in series],
                marker=_MARKS[index % len(_MARKS)],
                color=_COLOURS[index % len(_COLOURS)],
                linestyle=("-", "--", ":", "-.")[index % 4],
                label=arch,
            )
        sizes = [n for n, _ in next(iter(growth.values()))]
        first = sizes[0] ** 0.5
        roots = [n**0.5 / first for n in sizes]
        axes.plot(sizes, roots, color="#999999", linewidth=0.8, label="root of n")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xlabel("terms")
        axes.set_ylabel("root mean square error / (u sum |x|)")
        axes.legend(frameon=False, loc="upper left")

    _save(draw, path)


def elements_by_example(points: Mapping[str, Points], path: Path) -> None:
    """Plot how many elements each example compared: what an exact verdict rests on."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (arch, series) in enumerate(sorted(points.items())):
            sizes = sorted(n for n, _ in series if n)
            axes.step(
                range(1, len(sizes) + 1),
                sizes,
                where="mid",
                color=_COLOURS[index % len(_COLOURS)],
                linestyle=("-", "--", ":", "-.")[index % 4],
                label=arch,
            )
        if any(n for series in points.values() for n, _ in series):
            axes.set_yscale("log")
        axes.set_xlabel("example, by size")
        axes.set_ylabel("elements compared, bit for bit")
        if points:
            axes.legend(frameon=False, loc="upper left")

    _save(draw, path)


def elements_by_format(formats: Sequence[Mapping[str, object]], path: Path) -> None:
    """Plot a model's elements per quantised format, equal and different."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        names = [str(entry["format"]) for entry in formats]
        wrong = [int(str(entry["different"])) / 1e6 for entry in formats]
        total = [int(str(entry["elements"])) / 1e6 for entry in formats]
        equal = [every - bad for every, bad in zip(total, wrong, strict=True)]
        axes.barh(names, equal, color=_COLOURS[0], label="equal bits")
        axes.barh(names, wrong, left=equal, color="#b00020", label="different")
        axes.set_xlabel("millions of elements")
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

    _save(draw, path, height=1.8)


def peak_owners(memory: MemoryUse, path: Path) -> None:
    """Plot who owned live memory at its high-water mark: what two runs have in common."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _owners(axes, memory, *_unit(memory))
        axes.set_title(f"{size(memory.peak_bytes)} live at the peak", loc="left", fontsize=9)

    _save(draw, path, height=2.2)


def _unit(memory: MemoryUse) -> tuple[int, str]:
    return (1024, "KiB") if memory.peak_bytes < 1 << 20 else (1 << 20, "MiB")


def live_memory(memory: MemoryUse, path: Path) -> None:
    """Plot live bytes over time, with the high-water mark, and who owned it then."""
    divisor, unit = _unit(memory)

    def draw(figure: Figure) -> None:
        over, by = figure.subplots(1, 2, width_ratios=(3, 2))
        times = [step.t_ms / 1000 for step in memory.timeline]
        over.fill_between(
            times,
            [step.bytes / divisor for step in memory.timeline],
            step="post",
            color=_COLOURS[0],
            alpha=0.35,
            linewidth=0,
        )
        over.step(
            times,
            [step.peak / divisor for step in memory.timeline],
            where="post",
            color=_COLOURS[0],
        )
        over.axhline(memory.peak_bytes / divisor, color="#b00020", linewidth=1.0)
        over.annotate(
            f"peak {size(memory.peak_bytes)}",
            (0.02, memory.peak_bytes / divisor),
            xycoords=("axes fraction", "data"),
            va="bottom",
        )
        over.set_ylim(0, max(1.15 * memory.peak_bytes / divisor, 1e-3))
        over.set_xlabel("seconds")
        over.set_ylabel(f"live {unit}")
        _owners(by, memory, divisor, unit)

    _save(draw, path)


def _owners(axes: Axes, memory: MemoryUse, divisor: int, unit: str) -> None:
    """Draw the owners of the peak as bars, the largest on top."""
    shown = memory.owners[:_MOST_OWNERS]
    bars = [(f"{Path(s.location.file).name}:{s.location.line}", s.peak_bytes) for s in shown]
    rest = sum(site.peak_bytes for site in memory.owners[_MOST_OWNERS:])
    bars += [("others", rest)] if rest else []
    places = range(len(bars))
    axes.barh(places, [held / divisor for _, held in bars], color=_COLOURS[1])
    axes.set_yticks(places, [inert(name) for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit} at the peak")


def _save(draw: Callable[[Figure], None], path: Path, height: float = 2.8) -> None:
    """Draw on a figure of our own, without a display, and write it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, height), layout="constrained")
        draw(figure)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": "hipaudit"})
