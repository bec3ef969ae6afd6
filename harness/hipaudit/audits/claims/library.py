"""What the claims ask of the library's own kernels: run here, in a child, on small inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.finding import Reader
from hipaudit.launches import launches
from hipaudit_runtime import ops

_COLUMNS = 2048
_WIDE = 1000.0
"""Every query and key of the analysis' own test for overflow."""
_NOISE = frozenset({"redundant-barrier", "unused-shared"})


def observe(archs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what the library's kernels showed, by part."""
    seen = {}
    for arch in archs:
        done = run_in_child(
            "hipaudit.audits.claims.library:observe_in_child",
            {},
            choice="emulated",
            settings={"arch": arch},
        )
        found = [one for one in Reader().findings(done.records) if one.kind not in _NOISE]
        counted = launches(done.records)
        value = done.value or {}
        seen[arch] = {
            **value,
            "findings": sorted({one.kind for one in found}),
            "accesses": sum(entry.accesses for entry in counted),
        }
    return seen


def observe_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run softmax, maxima, attention and conversions; the child's side of `observe`."""
    del payload, progress
    device.with_build("checked")
    rows = np.random.default_rng(1).uniform(-8, 8, (3, 300)).astype(np.float32)
    ops.softmax(device, rows)
    high = ops.row_max(device, rows)
    device.with_build("plain")
    places = np.zeros((256, 256), np.float32)
    np.fill_diagonal(places, 1)
    equal = ops.softmax(device, np.zeros((1, _COLUMNS), np.float32))
    return {
        "maxima": bool((high == rows.max(axis=1)).all()),
        "places": int((ops.row_max(device, places) == 1).sum()),
        "softmax_error": float(np.abs(equal - 1 / _COLUMNS).max()),
        "attention_finite": bool(np.isfinite(_attention(device)).all()),
        "codes_wrong": _codes_wrong(device),
    }


def _attention(device: Device) -> Any:
    """Attention in half precision over queries and keys of 1,000."""
    wide = np.full((1, 1, 64, 128), _WIDE, np.float16)
    values = np.random.default_rng(2).normal(0, 1, wide.shape).astype(np.float16)
    return ops.flash_attention(device, wide, wide, values)


def _codes_wrong(device: Device) -> int:
    codes = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    got = ops.convert(device, codes, "float32")
    with np.errstate(invalid="ignore"):
        want = codes.astype(np.float32)
    same = (got.view(np.uint32) == want.view(np.uint32)) | (np.isnan(got) & np.isnan(want))
    return int(np.count_nonzero(~same))
