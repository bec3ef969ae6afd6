"""Half precision: quantised blocks whose fp16 fields take every code, against exact numbers.

A block's value d s q - m is a number of at most 53 bits: float64 holds it exactly, and rounding
that once to float32 is the only right answer, in the strict build as under -ffast-math. There a
NaN or an infinity may come out otherwise: the table counts those apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import hipaudit_reference as ref
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.spec import Array
from hipaudit_reference import formats
from hipaudit_runtime import modules, ops
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope

_CODES = 1 << 16
_FIELDS = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,),
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,),
}  # fmt: skip
"""Where each format has its fp16 fields: scale, and minimum."""
_BUILDS = {"strict": (), "fast math": ("-ffast-math",)}
_THREADS = 256


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(_FIELDS) * len(_BUILDS)


def _blocks(kind: str) -> Array:
    """A block for every code of the scale; the minimum runs through its own in another order."""
    size = ops.FORMATS[kind].block_bytes
    blocks = np.random.default_rng(size).integers(0, 256, (_CODES, size), dtype=np.uint8)
    for turn, offset in enumerate(_FIELDS[kind]):
        codes = (np.arange(_CODES, dtype=np.uint32) * (1 + 40502 * turn)).astype("<u2")
        blocks[:, offset : offset + 2] = codes.view(np.uint8).reshape(-1, 2)
    return blocks


def _exact(kind: str, blocks: Array) -> Array:
    """The values in float64, without rounding: each field times what it multiplies.

    A value is linear in its block's fields, and what a field multiplies is a small integer: the
    value where that field is 1 and the other 0.
    """
    total = np.zeros((len(blocks), ops.FORMATS[kind].elements))
    for field in _FIELDS[kind]:
        unit = blocks.copy()
        for at in _FIELDS[kind]:
            unit[:, at : at + 2] = np.array([at == field], "<f2").view(np.uint8)
        factors = ref.dequantise(unit, kind).reshape(total.shape)
        scale = blocks[:, field : field + 2].copy().view("<f2").astype(np.float64)
        with np.errstate(invalid="ignore"):
            total = total + scale * factors
    return total


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Dequantise every block in both builds on the payload's parts; the child's side."""
    entries = []
    for kind in _FIELDS:
        blocks = _blocks(kind)
        exact = _exact(kind, blocks)
        want = formats.round_to(exact, formats.FP32)
        for arch in payload["archs"]:
            part = device.with_arch(arch)
            for build, options in _BUILDS.items():
                got = _dequantised(part, kind, blocks, options).astype(np.float64)
                entries.append(_entry(kind, arch, build, got, want))
                progress(1)
    return {"entries": entries}


def _dequantised(device: Any, kind: str, blocks: Array, options: tuple[str, ...]) -> Array:
    """The kernel's values, compiled with options of this audit's own."""
    name = f"dequantise_{ops.FORMATS[kind].name}"
    with Scope() as scope:
        values = scope.empty((len(blocks), ops.FORMATS[kind].elements), np.float32)
        kernel = modules.kernel(device, "dequantise.hip", name, options)
        grid = -(-values.size // 4 // _THREADS)
        kernel.launch(grid, _THREADS, packed(scope.upload(blocks), values, len(blocks)))
        return values.download()


def _entry(kind: str, arch: str, build: str, got: Array, want: Array) -> dict[str, Any]:
    """What became of a format in a build on a part."""
    finite = np.isfinite(want)
    bad = finite & (got != want)
    odd = ~finite & ~((got == want) | (np.isnan(got) & np.isnan(want)))
    first = ""
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        first = f"{kind}, {build}: block {at[0]}, element {at[1]} is {got[at]!s}, not {want[at]!s}"
    return {
        "kernel": f"dequantise_{ops.FORMATS[kind].name}",
        "arch": arch,
        "build": build,
        "elements": int(got.size),
        "wrong": int(np.count_nonzero(bad)),
        "odd": int(np.count_nonzero(odd)),
        "first": first,
        "input": f"every code of the fp16 fields of {kind}",
    }


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Sweep the block formats over the codes of their fp16 fields."""
    target = "hipaudit.audits.half_precision:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    replay = "hipaudit audit --only precision"
    lost = [one for one in done.entries if one["odd"] and one["build"] == "strict"]
    found = [wrong(one, "dequantise.hip", replay) for one in done.entries if one["wrong"]]
    found += [
        wrong({**one, "first": f"{one['odd']} infinities or NaN lost"}, "dequantise.hip", replay)
        for one in lost
    ]
    elements = sum(one["elements"] for one in done.entries)
    return Sweep(
        name="half_precision",
        title="Half precision",
        question="Is every code of a block's fp16 fields worth exactly what it stands for?",
        columns=("Kernel", "Part", "Build", "Elements", "Wrong", "Other infinities and NaN"),
        numeric=frozenset({3, 4, 5}),
        rows=tuple(
            (
                one["kernel"],
                one["arch"],
                one["build"],
                f"{one['elements']:,}",
                f"{one['wrong']}",
                f"{one['odd']}",
            )
            for one in done.entries
        ),
        totals=(f"{elements:,} elements against exact numbers, rounded once",),
        findings=(*done.faults, *found),
        launches=done.launches,
    )
