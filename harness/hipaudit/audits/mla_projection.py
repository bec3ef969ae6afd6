"""MLA projection: the barriers and the shared memory of each of its kernels, counted from the code.

Latent attention is a product, a norm, an append to the cache, and attention over the cache. Each
kernel is counted twice: from AMD's own code for the part, and from a checked run, by source line
and variable. The two must agree, and so must the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hipaudit import hygiene
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, Studied, study
from hipaudit.resources import shown_kernel_path
from hipaudit.symbolise import Symboliser
from hipaudit.text import plural
from hipaudit_runtime import ops

SOURCES = {
    "gemm_f32": "gemm.hip",
    "rms_norm": "rms_norm.hip",
    "latent_append_f32": "latent_append.hip",
    "mla_attention_f32": "mla_attention.hip",
    "attention_combine": "attention_combine.hip",
}
_TOKENS, _WIDTH, _RANK, _TURNED, _HEADS = 6, 128, 512, 64, 16
"""Rank and turned elements of DeepSeek-V2's heads; the rest is small."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one kernel was seen to have, and what its code has.

    lines    passes of each barrier by its source line
    shared   bytes of each variable that the code declares; dynamic: bytes given at the launch
    block    threads of a block
    in_code  barriers among AMD's instructions; lds: bytes of LDS in AMD's metadata
    """

    kernel: str
    arch: str
    launches: int
    block: int
    lines: Mapping[str, int]
    passes: int
    shared: Mapping[str, int]
    dynamic: int
    in_code: int
    lds: int

    @property
    def one_wave(self) -> bool:
        """Whether a block is one wave, whose barriers need no instruction."""
        return self.block <= PARTS[self.arch].wave

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Where the two counts differ, in words."""
        said = []
        if self.in_code < len(self.lines) and not (self.one_wave and self.in_code == 0):
            said.append(f"{plural(len(self.lines), 'barrier')} ran, AMD's code has {self.in_code}")
        if sum(self.shared.values()) != self.lds:
            said.append(
                f"variables of {sum(self.shared.values())} bytes, AMD's code has {self.lds} of LDS"
            )
        if sum(self.lines.values()) != self.passes:
            said.append(f"{sum(self.lines.values())} passes by line, {self.passes} in all")
        return tuple(said)


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * 2


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run the layer on the payload's parts and count; the child's side."""
    entries: list[Json] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        if part.control is None:
            continue
        before = part.journal_size()
        part.control.set("hygiene", "1")
        _layer(part)
        part.control.set("hygiene", "")
        entries += _seen(arch, part.records_since(before))
        progress(1)
    return {"entries": entries}


def _layer(part: Device) -> None:
    """Tokens through the projection, into the cache, and attention over it with and without splits.

    Raises AssertionError where the latents do not have the norm that the projection gives them.
    """
    rng = np.random.default_rng(1)
    x = rng.normal(size=(_TOKENS, _WIDTH)).astype(np.float32)
    down = rng.normal(size=(_RANK, _WIDTH)).astype(np.float32)
    latents = ops.mla_project(part, x, down, np.ones(_RANK, np.float32))
    norm = np.sqrt(np.mean(np.square(latents, dtype=np.float64), axis=1))
    if not np.allclose(norm, 1, rtol=1e-3):
        raise AssertionError(f"the projection's rows have the norms {norm}")
    turned = rng.normal(size=(_TOKENS, _TURNED)).astype(np.float32)
    slots = np.arange(_TOKENS, dtype=np.int32)
    weight = np.ones(_RANK, np.float32)
    cache = np.zeros((8, _RANK + _TURNED), np.float32)
    rows = np.concatenate([latents, turned], axis=1)
    cache = ops.latent_append(part, cache, rows, weight, slots, slots)
    q = rng.normal(size=(1, _HEADS, _RANK + _TURNED)).astype(np.float32)
    where = (np.zeros((1, 1), np.int32), np.array([0, 1], np.int32), np.array([_TOKENS], np.int32))
    for splits in (1, 2):
        ops.mla_attention(part, q, cache[None], *where, _RANK, 0.1, splits)


def _seen(arch: str, records: Sequence[Mapping[str, Any]]) -> list[Json]:
    """What the records tell of each kernel."""
    barriers = hygiene.barriers(records, Symboliser())
    entries = []
    for kernel in SOURCES:
        launched = _of(records, "launch", kernel)
        shared = _of(records, "shared", kernel)
        mine = [one for one in barriers if one.kernel == kernel]
        entries.append(
            {
                "kernel": kernel,
                "arch": arch,
                "launches": sum(int(record["launches"]) for record in launched),
                "block": max((one.block for one in mine), default=0),
                "lines": {f"{Path(one.file).name}:{one.line}": one.count for one in mine},
                "passes": sum(int(r["count"]) for r in _of(records, "barrier", kernel)),
                "shared": {r["name"]: int(r["size"]) for r in shared if not r["dynamic"]},
                "dynamic": max((int(r["size"]) for r in shared if r["dynamic"]), default=0),
            }
        )
    return entries


def _of(records: Iterable[Mapping[str, Any]], record: str, kernel: str) -> list[Mapping[str, Any]]:
    return [one for one in records if one["record"] == record and one["kernel"] == kernel]


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Count on each part, and hold the counts against AMD's code for it."""
    target = "hipaudit.audits.mla_projection:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "checked"})
    counted = []
    for arch in archs:
        code = _codes(arch)
        for entry in done.entries:
            if entry["arch"] == arch:
                mine = code[entry["kernel"]]
                barriers = mine.code.instructions.barriers
                counted.append(Counted(**entry, in_code=barriers, lds=mine.lds_bytes))
        tick()
    return Sweep(
        name="mla_projection",
        title="MLA projection",
        question="How many barriers and how much shared memory does each kernel of latent "
        "attention take, and does the code say the same?",
        columns=("Kernel", "Part", "Launches", "Barriers run", "In AMD's code", "Passes",
                 "Shared variables", "LDS in AMD's code", "Dynamic", "Where", "Agree"),
        numeric=frozenset({2, 3, 4, 5, 6, 7, 8}),
        rows=tuple(_row(one) for one in counted),
        totals=_totals(counted),
        findings=(*done.faults, *_findings(counted)),
        launches=done.launches,
        only="mla",
    )  # fmt: skip


def _codes(arch: str) -> dict[str, Studied]:
    """AMD's code of each kernel for a part."""
    found = {}
    for kernel, source in SOURCES.items():
        rows = study(Question(shown_kernel_path(source), (PARTS[arch],), kernel)).rows
        found[kernel] = rows[0]
    return found


def _row(one: Counted) -> tuple[str, ...]:
    where = ", ".join(f"{line} x {count}" for line, count in one.lines.items())
    return (
        one.kernel,
        one.arch,
        f"{one.launches}",
        f"{len(one.lines)}",
        f"{one.in_code}" + (" (one wave)" if one.one_wave and one.lines else ""),
        f"{one.passes}",
        f"{sum(one.shared.values()):,}",
        f"{one.lds:,}",
        f"{one.dynamic:,}",
        where or "-",
        "; ".join(one.disagreements) or "yes",
    )


def _totals(counted: Sequence[Counted]) -> tuple[str, ...]:
    """Sums over the rows, by part; the passes are summed by line and by record."""
    lines = []
    for arch in dict.fromkeys(one.arch for one in counted):
        mine = [one for one in counted if one.arch == arch]
        by_line = sum(sum(one.lines.values()) for one in mine)
        lines.append(
            f"{arch}: {plural(sum(len(one.lines) for one in mine), 'barrier')} in "
            f"{plural(len(mine), 'kernel')}, {by_line} passes by line and "
            f"{sum(one.passes for one in mine)} by record; "
            f"{sum(sum(one.shared.values()) for one in mine):,} bytes of shared variables, "
            f"{sum(one.lds for one in mine):,} in AMD's code"
        )
    agreed = sum(not one.disagreements for one in counted)
    return (*lines, f"The counts of {agreed} of {plural(len(counted), 'row')} agree")


def _findings(counted: Iterable[Counted]) -> tuple[Finding, ...]:
    """Counts that differ, a finding a kernel and part."""
    replay = "hipaudit audit --only mla"
    return tuple(
        wrong(
            {
                "kernel": one.kernel,
                "arch": one.arch,
                "first": "; ".join(one.disagreements),
                "wrong": len(one.disagreements),
                "input": f"{_TOKENS} tokens of {_WIDTH}, rank {_RANK}",
            },
            SOURCES[one.kernel],
            replay,
            "unused-shared",
        )
        for one in counted
        if one.disagreements
    )
