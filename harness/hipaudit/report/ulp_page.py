"""The page of ULP tables: errors of a device's float functions over all arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hipaudit.audits.ulp_census import EDGES, table
from hipaudit.toolchain import NATIVE


def ulp_tables() -> list[dict[str, Any]]:
    """Return the committed tables as the template prints them: one a device and adversary."""
    documented = json.loads((NATIVE / "math_ulp.json").read_text(encoding="utf-8"))["functions"]
    return [
        {
            "device": device,
            "edges": [f"{edge:g}" if edge < EDGES[-1] else "more" for edge in EDGES],
            "rows": [_row(row, documented[f"{name}f"]) for name, row in sorted(found.items())],
        }
        for device, found in sorted(table().items())
    ]


def _row(found: Mapping[str, Any], documented: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's line: its histogram, its worst argument, and what AMD documents."""
    return {
        "function": f"{found['function']}f",
        "bins": [f"{count:,}" for count in found["bins"]],
        "wrong": found["wrong"],
        "worst": f"{found['worst']:.6f}",
        "worst_at": found["worst_at"],
        "value": f"{float.fromhex(found['worst_at']):.9g}",
        "decided": found["decided"],
        "arguments": f"{found['arguments']:,}",
        "amd": f"{documented['amd']} on {documented['amd_range']}",
    }
