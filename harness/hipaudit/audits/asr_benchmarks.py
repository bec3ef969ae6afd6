"""Benchmarks of speech recognition, and the gates that make a figure valid.

A time counts when its series has settled (warm-up), does not scatter (dispersion) and grows with
the sound as the work does (scaling). Each gate is shown series that it must refuse and one that it
must let pass. The page has what is the same everywhere: work by length of the sound; times and the
gates' verdicts on them are kept beside the pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles
from typing import Any

import numpy as np

from hipaudit.audits import conformer
from hipaudit.audits.asr_layers import copied, ledger_of
from hipaudit.audits.sweep import Sweep, try_in_child
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding, identified
from hipaudit.launches import launches

SECONDS = (0.25, 0.5, 1.0, 2.0)
_REPEATS = 5
_WARM, _SCATTER, _LEAST, _MOST = 1.25, 0.2, 0.5, 2.2
Gate = Callable[[Mapping[float, Sequence[float]]], bool]


def warmed_up(series: Mapping[float, Sequence[float]]) -> bool:
    """Tell whether no series still falls: its first half is at most a quarter above its second."""
    halves = ((each[: len(each) // 2], each[len(each) // 2 :]) for each in series.values())
    return all(median(first) <= _WARM * median(second) for first, second in halves)


def settled(series: Mapping[float, Sequence[float]]) -> bool:
    """Tell whether the middle half of each series lies within a fifth of its median."""
    for each in series.values():
        low, _, high = quantiles(each, n=4)
        if high - low > _SCATTER * median(each):
            return False
    return True


def scaling(series: Mapping[float, Sequence[float]]) -> bool:
    """Tell whether times grow with the sound: between its root and a little over its square."""
    exponent = growth({length: median(each) for length, each in series.items()})
    return _LEAST <= exponent <= _MOST


def growth(values: Mapping[float, float]) -> float:
    """The power of the length that values follow."""
    return float(np.polyfit(np.log(list(values)), np.log(list(values.values())), 1)[0])


GATES: Mapping[str, Gate] = {"warm-up": warmed_up, "dispersion": settled, "scaling": scaling}

_STEADY = (1.0, 1.02, 0.99, 1.01, 1.0, 0.98)
PLANTED: Mapping[str, tuple[str, Mapping[float, Sequence[float]]]] = {
    "times that still fall": ("warm-up", {n: (3 * n, 2.5 * n, 2 * n, n, n, n) for n in SECONDS}),
    "times that scatter": ("dispersion", {n: (n, 3 * n, n, 3 * n, n, 3 * n) for n in SECONDS}),
    "times that do not grow": ("scaling", dict.fromkeys(SECONDS, _STEADY)),
    "times that grow with the cube": (
        "scaling",
        {n: [n**3 * one for one in _STEADY] for n in SECONDS},
    ),
}
"""Series that a gate must refuse, by what is wrong with them."""
RIGHT = {n: [n * one for one in _STEADY] for n in SECONDS}


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(SECONDS)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run the encoder over sounds of every length on the payload's parts; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        layers = conformer.layers()
        for seconds in SECONDS:
            sound = conformer.signal(seconds)
            part.records_since(part.journal_size())  # what was launched before is written down
            before, records = copied(ledger_of(part)), part.journal_size()
            output = _encoded(part, layers, sound)
            after = copied(ledger_of(part))
            ran = launches(part.records_since(records))
            entries.append(
                {
                    "arch": arch,
                    "seconds": seconds,
                    "frames": len(output),
                    "launches": sum(one.launches for one in ran),
                    "threads": sum(one.threads for one in ran),
                    "bytes": sum(after.values()) - sum(before.values()),
                    "times": _times(part, layers, sound),
                }
            )
            progress(1)
    return {"entries": entries}


def _encoded(part: Device, layers: Sequence[conformer.Layer], sound: Any) -> Any:
    for layer in layers:
        sound = layer.run(part, sound, layer.weights)
    return sound


def _times(part: Device, layers: Sequence[conformer.Layer], sound: Any) -> list[float]:
    """Seconds of some passes, after one that warmed everything up."""
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        _encoded(part, layers, sound)
        times.append(time.perf_counter() - began)
    return times


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Tabulate the encoder's work by length, and try the gates."""
    target = "hipaudit.audits.asr_benchmarks:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    blind = [
        f"{gate} lets {what} pass"
        for what, (gate, series) in PLANTED.items()
        if GATES[gate](series)
    ]
    blind += [f"{name} refuses a steady series" for name, gate in GATES.items() if not gate(RIGHT)]
    return Sweep(
        name="asr_benchmarks",
        title="Speech recognition benchmarks",
        question="How does the work of a conformer grow with the sound, and which times count?",
        columns=("Seconds of sound", "Part", "Frames", "Launches", "Threads", "Bytes copied",
                 "Bytes a second"),
        numeric=frozenset({0, 2, 3, 4, 5, 6}),
        rows=tuple(_row(one) for one in done.entries),
        totals=(
            *_growth_of(done.entries, archs[0]),
            (f"gates: {', '.join(GATES)}; {len(PLANTED)} series that one of them must refuse, "
            f"{len(blind)} mistakes of a gate"),
            ("times and the gates' verdicts on them differ between machines: audit.json in "
            ".run, beside these pages, has them"),
        ),
        findings=(*done.faults, *(_finding(one) for one in blind)),
        launches=done.launches,
        only="asr_benchmarks",
        facts=_facts(done.entries),
    )  # fmt: skip


def _growth_of(entries: Sequence[Mapping[str, Any]], arch: str) -> list[str]:
    mine = [one for one in entries if one["arch"] == arch]
    if len(mine) < len(SECONDS):
        return []
    powers = {
        name: growth({one["seconds"]: float(one[name]) for one in mine})
        for name in ("launches", "threads", "bytes")
    }
    told = ", ".join(f"{name} as its power {power:.2f}" for name, power in powers.items())
    return [f"with the length of the sound grow {told} ({arch})"]


def _facts(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Times by part and length, and what the gates say of them."""
    found: dict[str, Any] = {}
    for arch in dict.fromkeys(one["arch"] for one in entries):
        series = {one["seconds"]: one["times"] for one in entries if one["arch"] == arch}
        found[arch] = {
            "median_s": {f"{length:g}": round(median(each), 4) for length, each in series.items()},
            "gates": {name: gate(series) for name, gate in GATES.items()},
        }
    return found


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (one["frames"], one["launches"], one["threads"], one["bytes"])
    each = f"{one['bytes'] / one['seconds']:,.0f}"
    return (f"{one['seconds']:g}", one["arch"], *(f"{count:,}" for count in counts), each)


def _finding(said: str) -> Finding:
    replay = "hipaudit audit --only asr_benchmarks"
    return identified(Finding("", "bound-vacuous", "error", "gates", "", said, replay=replay))
