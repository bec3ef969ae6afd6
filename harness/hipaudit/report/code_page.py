"""The page of generated code: registers, memory and occupancy of every kernel on every part."""

from __future__ import annotations

from typing import Any

from hipaudit.isa.study import Studied, Study, notes

_SHOWN = ("gfx942", "gfx1100")
"""Parts whose instructions are listed: one of either wave width."""


def code_page(done: Study) -> dict[str, Any]:
    """Return the page's values, but for its findings."""
    kernels: dict[str, list[Studied]] = {}
    for row in done.rows:
        kernels.setdefault(row.code.symbol, []).append(row)
    return {
        "kernels": [_kernel(rows) for _, rows in sorted(kernels.items())],
        "parts": sorted({row.part.name for row in done.rows}),
        "notes": notes(done.rows, done.math),
    }


def _kernel(rows: list[Studied]) -> dict[str, Any]:
    """Return a kernel's lines: one a part, and its instructions on the parts shown."""
    return {
        "name": rows[0].code.name,
        "block": rows[0].block,
        "parts": [_figures(row) for row in rows],
        "instructions": [_instructions(row) for row in rows if row.part.name in _SHOWN],
    }


def _figures(row: Studied) -> dict[str, Any]:
    code, fits = row.code, row.occupancy
    return {
        "part": row.part.name,
        "vgprs": code.vgprs,
        "agprs": code.agprs,
        "sgprs": code.sgprs,
        "lds": f"{row.lds_bytes:,}",
        "scratch": code.scratch_bytes,
        "spills": code.vgpr_spills + code.sgpr_spills,
        "occupancy": f"{fits.waves} of {fits.most}",
        "limit": fits.limit or "-",
    }


def _instructions(row: Studied) -> dict[str, Any]:
    counted = row.code.instructions
    widest: dict[str, int] = {}
    for kind in counted.traffic:
        name = f"{kind.space} {kind.what}"
        widest[name] = max(widest.get(name, 0), kind.bytes)
    return {
        "part": row.part.name,
        "total": counted.total,
        "barriers": counted.barriers,
        "fused": counted.fused,
        "products": counted.products,
        "sums": counted.sums,
        "transcendental": counted.transcendental,
        "double": counted.double,
        "widest": ", ".join(f"{name} {size}" for name, size in sorted(widest.items())),
    }
