"""Plots as SVG, the same bytes for the same data: fixed salt, no date, text kept as text."""

from __future__ import annotations

import io
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hipaudit.errors import HipauditError
from hipaudit.memory import MemoryUse
from hipaudit.text import inert, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SETTINGS = {
    "svg.hashsalt": "hipaudit",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is one
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#d8dee4",
    "grid.linewidth": 0.6,
    "savefig.transparent": True,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), "#1f2328"),
    **dict.fromkeys(("xtick.color", "ytick.color"), "#1f2328"),
}
COLOURS = ("#0b62a4", "#c8501e", "#3a7d44", "#7a3e9d")
DARK = {
    "#1f2328": "#e6edf3",
    "#d8dee4": "#30363d",
    "#0b62a4": "#58a6ff",
    "#c8501e": "#ff9b6b",
    "#3a7d44": "#6fce83",
    "#7a3e9d": "#d2a8ff",
    "#b00020": "#ff7b72",
    "#999999": "#8b949e",
}
"""What stands for a colour of the plots where the reader's page is dark."""
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
                facecolors="none" if index == 0 else COLOURS[index % len(COLOURS)],
                edgecolors=COLOURS[index % len(COLOURS)] if index == 0 else None,
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

    save(draw, path)


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
                color=COLOURS[index % len(COLOURS)],
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

    save(draw, path)


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
                color=COLOURS[index % len(COLOURS)],
                linestyle=("-", "--", ":", "-.")[index % 4],
                label=arch,
            )
        if any(n for series in points.values() for n, _ in series):
            axes.set_yscale("log")
        axes.set_xlabel("example, by size")
        axes.set_ylabel("elements compared, bit for bit")
        if points:
            axes.legend(frameon=False, loc="upper left")

    save(draw, path)


def elements_by_format(formats: Sequence[Mapping[str, object]], path: Path) -> None:
    """Plot a model's elements per quantised format, equal and different."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        names = [str(entry["format"]) for entry in formats]
        wrong = [int(str(entry["different"])) / 1e6 for entry in formats]
        total = [int(str(entry["elements"])) / 1e6 for entry in formats]
        equal = [every - bad for every, bad in zip(total, wrong, strict=True)]
        axes.barh(names, equal, color=COLOURS[0], label="equal bits")
        axes.barh(names, wrong, left=equal, color="#b00020", label="different")
        axes.set_xlabel("millions of elements")
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

    save(draw, path, height=1.8)


def peak_owners(memory: MemoryUse, path: Path) -> None:
    """Plot who owned live memory at its high-water mark: what two runs have in common."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _owners(axes, memory, *_unit(memory))
        axes.set_title(f"{size(memory.peak_bytes)} live at the peak", loc="left", fontsize=9)

    save(draw, path, height=2.2)


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
            color=COLOURS[0],
            alpha=0.35,
            linewidth=0,
        )
        over.step(
            times,
            [step.peak / divisor for step in memory.timeline],
            where="post",
            color=COLOURS[0],
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

    save(draw, path)


def _owners(axes: Axes, memory: MemoryUse, divisor: int, unit: str) -> None:
    """Draw the owners of the peak as bars, the largest on top."""
    shown = memory.owners[:_MOST_OWNERS]
    bars = [(f"{Path(s.location.file).name}:{s.location.line}", s.peak_bytes) for s in shown]
    rest = sum(site.peak_bytes for site in memory.owners[_MOST_OWNERS:])
    bars += [("others", rest)] if rest else []
    places = range(len(bars))
    axes.barh(places, [held / divisor for _, held in bars], color=COLOURS[1])
    axes.set_yticks(places, [inert(name) for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit} at the peak")


def dark_rules(scope: str = "") -> str:
    """Return CSS that turns a plot's colours dark, for elements within *scope*."""
    return "".join(
        f'{scope}[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )


_STYLE = f"<style>@media (prefers-color-scheme: dark){{{dark_rules()}}}</style>\n"


_Drawing: TypeAlias = "tuple[Callable[[Figure], None], Path, float]"
_waiting: ContextVar[list[_Drawing] | None] = ContextVar("hipaudit_plots", default=None)


@contextmanager
def side_by_side() -> Iterator[None]:
    """Draw what is saved inside when all of it is known, on as many processors as there are.

    Raises HipauditError when a plot could not be drawn; standard error then says why.
    """
    drawings: list[_Drawing] = []
    token = _waiting.set(drawings)
    try:
        yield
    finally:
        _waiting.reset(token)
    count = min(os.cpu_count() or 1, len(drawings))
    if count < 2:
        _draw_all(drawings)
        return
    import matplotlib.figure  # noqa: F401 - once, and not in each process

    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_draw_all, args=(drawings[i::count],)) for i in range(count)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the threads of numpy's BLAS
        for worker in workers:
            worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise HipauditError("the plots could not be drawn")


def _draw_all(drawings: Iterable[_Drawing]) -> None:
    for drawing in drawings:
        _draw(*drawing)


def save(draw: Callable[[Figure], None], path: Path, height: float = 2.8) -> None:
    """Draw on a figure of our own, without a display, and write it, for light and dark pages."""
    waiting = _waiting.get()
    if waiting is None:
        _draw(draw, path, height)
    else:
        waiting.append((draw, path, height))


def _draw(draw: Callable[[Figure], None], path: Path, height: float) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():  # type: ignore[arg-type]
        # The reader's font draws the text: only its width is guessed here.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = Figure(figsize=(6.4, height), layout="constrained")
        draw(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": "hipaudit"})
    head, tag, rest = text.getvalue().partition("<defs>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}{_STYLE}{tag}{rest}", encoding="utf-8")
