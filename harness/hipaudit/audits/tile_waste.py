"""Tile waste: threads that compute nothing because a matrix does not fill its tiles.

Measured, not read off the source: the threads that a launch has for each output, against the least
that the kernel ever has for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hipaudit.audits.sweep import Sweep, try_in_child
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.launches import launches
from hipaudit.spec import Array
from hipaudit_runtime import ops

_ROWS = (1, 8, 16, 32, 33, 64, 65, 128)
_COLUMNS = (192, 576, 600)
_DEPTH = 32
_MUCH = 0.5


@dataclass(frozen=True, slots=True)
class _Product:
    """A kernel of matrix products: run(device, rows, columns)."""

    kernel: str
    run: Callable[[Any, int, int], Array]


def _ones(*shape: int) -> Array:
    return np.ones(shape, np.float32)


def _quantised(device: Any, rows: int, columns: int) -> Array:
    blocks = np.zeros((columns, _DEPTH // 32 * 34), np.uint8)
    return ops.quantised_gemm(device, "Q8_0", blocks, _ones(rows, _DEPTH))


_PRODUCTS = (
    _Product(
        "gemm_f32_tiled",
        lambda device, m, n: ops.gemm_f32(device, _ones(m, _DEPTH), _ones(_DEPTH, n)),
    ),
    _Product("gemm_f32", lambda device, m, n: ops.gemm(device, _ones(m, _DEPTH), _ones(_DEPTH, n))),
    _Product("quantised_gemm_q8_0", _quantised),
    _Product(
        "grouped_gemm",
        lambda device, m, n: ops.grouped_gemm(
            device, _ones(m, _DEPTH), _ones(1, _DEPTH, n), np.array([0, m], np.int32)
        ),
    ),
)


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(_PRODUCTS)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Launch every kernel with every shape on the payload's parts; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for product in _PRODUCTS:
            for rows in _ROWS:
                for columns in _COLUMNS:
                    part.records_since(part.journal_size())  # what ran before is written down
                    before = part.journal_size()
                    product.run(part, rows, columns)
                    ran = launches(part.records_since(before))
                    threads = {one.kernel: one.threads for one in ran}
                    entries.append({"arch": arch, "kernel": product.kernel, "rows": rows,
                                    "columns": columns, "threads": threads})  # fmt: skip
            progress(1)
    return {"entries": entries}


def waste(entries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, int, int], float]:
    """Return the share of idle threads, by kernel, part, rows and columns.

    A shape that the launcher gave to another kernel is left out.
    """
    each: dict[tuple[str, str, int, int], float] = {}
    for one in entries:
        threads = one["threads"].get(one["kernel"])
        if threads:
            key = (one["kernel"], one["arch"], one["rows"], one["columns"])
            each[key] = threads / (one["rows"] * one["columns"])
    least: dict[tuple[str, str], float] = {}
    for key, threads in each.items():
        least[key[:2]] = min(threads, least.get(key[:2], threads))
    return {key: 1 - least[key[:2]] / threads for key, threads in each.items()}


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Tabulate the idle share of matrix products by shape."""
    target = "hipaudit.audits.tile_waste:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    shares = waste(done.entries)
    rows = [
        (kernel, arch, f"{m}", *(_shown(shares.get((kernel, arch, m, n))) for n in _COLUMNS))
        for arch in archs
        for kernel in (product.kernel for product in _PRODUCTS)
        for m in _ROWS
    ]
    much = sum(share > _MUCH for share in shares.values())
    return Sweep(
        name="tile_waste",
        title="Tile waste",
        question="How many threads of a matrix product compute nothing, by shape?",
        columns=("Kernel", "Part", "Rows", *(f"{n} columns" for n in _COLUMNS)),
        numeric=frozenset(range(2, 3 + len(_COLUMNS))),
        rows=tuple(rows),
        totals=(
            "the share of threads beyond the fewest that the kernel ever has for an output",
            (
                f"more than half are idle in {much} of {len(shares)} shapes: products of few rows "
                "have kernels of their own (gemv)"
            ),
        ),
        findings=done.faults,
        launches=done.launches,
        only="tile_waste",
    )


def _shown(share: float | None) -> str:
    return "another kernel" if share is None else f"{100 * share:.0f} %"
