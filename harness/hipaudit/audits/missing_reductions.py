"""Missing reductions: does every element of a row reach the result, at every width?

A sum's probe is a row of distinct powers of two, 24 at a time: every subset of them has a sum of
its own, exact in any order, so an element that is lost or counted twice shows, and which one. A
maximum's probe has one element above the rest, all below 0, so that an identity of 0 shows as well.
A NaN must come through from wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.spec import Array
from hipaudit.text import plural
from hipaudit_runtime import ops

MOST = 1024
_BITS = 24  # distinct powers of two whose sums float32 holds
_STRIDE = 8  # widths a step of progress
_WAVES = {width + d for width in range(64, MOST + 1, 64) for d in (-1, 0, 1)}
WIDTHS = tuple(sorted({*range(1, 131), *range(131, MOST, 31), *_WAVES} - {MOST + 1}))


@dataclass(frozen=True, slots=True)
class Probe:
    """A row whose result is known, and what the kernel must give."""

    what: str
    x: Array
    want: Array


def _powers(width: int) -> Array:
    """Rows that have 24 elements each that are powers of two; together all of them."""
    rows = -(-width // _BITS)
    x = np.zeros((rows, width), np.float32)
    column = np.arange(width)
    x[column // _BITS, column] = np.exp2(column % _BITS)
    return x


def _places(width: int) -> Array:
    """The ends of the row, of waves and of blocks."""
    edges = {0, width - 1, *(e + d for e in range(32, width + 1, 32) for d in (-1, 0))}
    return np.array(sorted(edge for edge in edges if 0 <= edge < width))


def _peaks(width: int) -> tuple[Array, Array]:
    places = _places(width)
    x = np.full((len(places), width), -2.0, np.float32)
    x[np.arange(len(places)), places] = -1.0
    return x, places


def _nans(width: int) -> tuple[Array, Array]:
    x, places = _peaks(width)
    x[np.arange(len(places)), places] = np.nan
    return x, places


def _sums(width: int) -> list[Probe]:
    x, (nans, _) = _powers(width), _nans(width)
    return [
        Probe("powers of two", x, x.sum(axis=-1, dtype=np.float64)),
        Probe("a NaN", nans, np.full(len(nans), np.nan)),
    ]


def _scans(width: int) -> list[Probe]:
    x = _powers(width)
    return [Probe("powers of two", x, np.cumsum(x, axis=-1, dtype=np.float64))]


def _maxima(width: int) -> list[Probe]:
    (x, _), (nans, _) = _peaks(width), _nans(width)
    nothing = np.full((1, width), -np.inf, np.float32)
    return [
        Probe("one above the rest", x, np.full(len(x), -1.0)),
        Probe("a NaN", nans, np.full(len(nans), np.nan)),
        Probe("-inf alone", nothing, nothing[:, 0]),
    ]


def _indices(width: int) -> list[Probe]:
    (x, places), (nans, _) = _peaks(width), _nans(width)
    return [Probe("one above the rest", x, places), Probe("a NaN", nans, places)]


def _shares(width: int) -> list[Probe]:
    """Equal logits: every share is 1 / width, rounded once, if and only if the sum is the width."""
    equal = np.zeros((1, width), np.float32)
    share = np.float32(1) / np.full((1, width), width, np.float32)
    nans, _ = _nans(width)
    return [Probe("equal logits", equal, share), Probe("a NaN", nans, np.full(nans.shape, np.nan))]


_Launch = Callable[[Any, Array], Array]
_SUBJECTS: tuple[tuple[str, str, _Launch, Callable[[int], list[Probe]]], ...] = (
    ("sum_serial", "sum_serial.hip", ops.sum_serial, _sums),
    ("sum_tree", "sum_tree.hip", ops.sum_tree, _sums),
    ("sum_compensated", "sum_compensated.hip", ops.sum_compensated, _sums),
    ("prefix_sum", "prefix_sum.hip", ops.prefix_sum, _scans),
    ("row_max", "row_max.hip", ops.row_max, _maxima),
    ("argmax", "argmax.hip", ops.argmax, _indices),
    ("softmax", "softmax.hip", ops.softmax, _shares),
)
_SOURCES = {name: source for name, source, _, _ in _SUBJECTS}


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(_SUBJECTS) * -(-len(WIDTHS) // _STRIDE)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Try every kernel at every width on the payload's parts; the child's side."""
    entries = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for name, _, launch, probes in _SUBJECTS:
            entry = {"kernel": name, "arch": arch, "widths": 0, "elements": 0, "wrong": 0}
            entry |= {"first": "", "input": ""}
            for turn, width in enumerate(WIDTHS):
                for probe in probes(width):
                    _judge(entry, width, probe, np.asarray(launch(part, probe.x)))
                entry["widths"] += 1
                if turn % _STRIDE == 0:
                    progress(1)
            entries.append(entry)
    return {"entries": entries}


def _judge(entry: dict[str, Any], width: int, probe: Probe, got: Array) -> None:
    """Count what is wrong, and describe the first."""
    want = np.asarray(probe.want)
    bad = ~((got == want) | (np.isnan(got.astype(np.float64)) & np.isnan(want.astype(np.float64))))
    entry["elements"] += probe.x.size
    entry["wrong"] += int(np.count_nonzero(bad))
    if bad.any() and not entry["first"]:
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        entry["first"] = (
            f"width {width}, {probe.what}: result {at} is {got[at]!s}, expected {want[at]!s}"
        )
        entry["input"] = f"{len(probe.x)} x {width}: {probe.what}"


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Sweep the library's reductions over the widths."""
    target = "hipaudit.audits.missing_reductions:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    replay = "hipaudit audit --only reductions"
    found = [wrong(one, _SOURCES[one["kernel"]], replay) for one in done.entries if one["wrong"]]
    elements = sum(one["elements"] for one in done.entries)
    return Sweep(
        name="missing_reductions",
        title="Missing reductions",
        question="Does every element of a row reach the result, at every width and wave width?",
        columns=("Kernel", "Part", "Widths", "Elements", "Wrong results", "First"),
        numeric=frozenset({2, 3, 4}),
        rows=tuple(
            (
                one["kernel"],
                one["arch"],
                f"{one['widths']}",
                f"{one['elements']:,}",
                f"{one['wrong']}",
                one["first"] or "-",
            )
            for one in done.entries
        ),
        totals=(
            f"{plural(len(WIDTHS), 'width')} from 1 to {MOST}: to 130, and round multiples of 64",
            f"{elements:,} elements, placed so that each of them decides a result",
        ),
        findings=(*done.faults, *found),
        launches=done.launches,
    )
