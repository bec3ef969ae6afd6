"""What ran: the device's launch records, added up a kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Launches:
    """A kernel's launches on one part in one build; accesses are those that were checked."""

    kernel: str
    arch: str
    build: str
    launches: int
    threads: int
    accesses: int
    launch_ms: float


def launches(records: Iterable[Mapping[str, Any]]) -> tuple[Launches, ...]:
    """Add up the launch records of a journal, one entry a kernel, part and build."""
    sums: dict[tuple[str, str, str], list[float]] = {}
    for record in records:
        if record.get("record") != "launch":
            continue
        key = (str(record.get("kernel")), str(record.get("arch")), str(record.get("build")))
        numbers = (record.get(name) or 0 for name in ("launches", "threads", "accesses"))
        values = (*numbers, record.get("launch_ms") or 0.0)
        total = sums.setdefault(key, [0.0] * len(values))
        for index, value in enumerate(values):
            total[index] += value
    return tuple(
        Launches(*key, int(total[0]), int(total[1]), int(total[2]), total[3])
        for key, total in sorted(sums.items())
    )


def kernel_rows(entries: Iterable[Launches]) -> list[dict[str, Any]]:
    """Return the rows of ``kernels`` in the command line's JSON: builds of one kernel together.

    launches, threads and launch_ms are the plain build's where there is one, else the checked
    one's; accesses are the checked build's.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in sorted(_added(entries), key=lambda e: e.build != "checked"):
        row = rows.setdefault(
            (entry.kernel, entry.arch),
            {"name": entry.kernel, "arch": entry.arch, "launches": 0, "threads": 0, "accesses": 0},
        )
        row["accesses"] = max(row["accesses"], entry.accesses)
        row["launches"], row["threads"] = entry.launches, entry.threads
        row["launch_ms"] = round(entry.launch_ms, 3)
    return [rows[key] for key in sorted(rows)]


def _added(entries: Iterable[Launches]) -> list[Launches]:
    """Add up entries of the same kernel, part and build, which several processes left."""
    sums: dict[tuple[str, str, str], Launches] = {}
    for entry in entries:
        key = (entry.kernel, entry.arch, entry.build)
        before = sums.get(key)
        sums[key] = (
            entry
            if before is None
            else Launches(
                *key,
                before.launches + entry.launches,
                before.threads + entry.threads,
                before.accesses + entry.accesses,
                before.launch_ms + entry.launch_ms,
            )
        )
    return list(sums.values())
