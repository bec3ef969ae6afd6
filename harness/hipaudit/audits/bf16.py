"""Attention, matrix products and experts in bfloat16: errors by depth, fused against unfused.

Each subject loads bfloat16, adds in float32 and stores bfloat16 once; the unfused form stores
bfloat16 between its steps. Both are held against one float64 reference; the bound is that of the
fused form. What the sums are kept in is found by a sum that would stop growing in 11 bits: ones
added to 4,096.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

import hipaudit_reference as ref
from hipaudit.audits.sweep import Sweep, Tried, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.run import KernelFault, run_case
from hipaudit.spec import Array, Case
from hipaudit_reference import bounds, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.attention_tiles import product_height, tile_count

DEPTHS = (16, 64, 256, 1024)
_BF16 = np.dtype(ml_dtypes.bfloat16)
_HEAD = 64
_ONES = 4096  # 4096 + 1 rounds to 4096 in 11 bits and in 8
_Inputs: TypeAlias = tuple[Array, ...]
_Run: TypeAlias = Callable[..., Array]


@dataclass(frozen=True, slots=True)
class Subject:
    """A computation in both forms: inputs(depth), and what fused, unfused, expected take of them.

    page      the name of its page; title: its headline
    expected  returns the reference and the fused form's bound
    stalls    inputs whose result is 2 unless the sums are narrower than float32
    """

    name: str
    page: str
    title: str
    kernel: str
    source: str
    inputs: Callable[[int], _Inputs]
    fused: _Run
    unfused: _Run
    expected: Callable[..., tuple[Array, Array]]
    stalls: Callable[[], _Inputs]


def _normal(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(_BF16)


def _gemm(device: Any, a: Array, b: Array) -> Array:
    return ops.gemm(device, a, b)


def _gemm_unfused(device: Any, a: Array, b: Array) -> Array:
    """The depth in two parts, each stored before they are added."""
    half = a.shape[1] // 2
    parts = [
        ops.gemm(device, np.ascontiguousarray(a[:, some]), np.ascontiguousarray(b[some]))
        for some in (slice(half), slice(half, None))
    ]
    return ops.add(device, *parts)


def _gemm_expected(a: Array, b: Array) -> tuple[Array, Array]:
    return ref.gemm(a, b), bounds.gemm(a, b, out=formats.BF16)


def _gemm_stalls() -> _Inputs:
    row = np.ones((1, _ONES + 1), _BF16)
    row[0, 0] = _ONES
    return row, np.full((row.size, 1), 1 / _ONES, _BF16)


def _attention(device: Any, q: Array, k: Array, v: Array) -> Array:
    return ops.flash_attention(device, q, k, v, ops.Logits(causal=False))


def _attention_unfused(device: Any, q: Array, k: Array, v: Array) -> Array:
    """Logits and weights stored between their steps."""
    scale = float(np.float32(1 / np.sqrt(q.shape[-1])))
    product = ops.Product(transpose_b=True, alpha=scale)
    weights = ops.softmax_masked(device, ops.gemm(device, q[0], k[0], None, product))
    return ops.gemm(device, weights, v[0])[None]


def _attention_expected(q: Array, k: Array, v: Array) -> tuple[Array, Array]:
    size, (_, _, keys, values) = q.shape[-1], v.shape
    tiles, products = tile_count(keys, size, values), product_height(size)
    bound = bounds.attention(q, k, v, tiles=tiles, products=products, out=formats.BF16)
    return ref.attention(q, k, v), bound


def _attention_stalls() -> _Inputs:
    values = np.ones((1, 1, _ONES + 1, 8), _BF16)
    values[0, 0, 0] = _ONES
    return np.zeros((1, 1, 1, 8), _BF16), np.zeros_like(values), values


def _experts(device: Any, x: Array, w: Array, offsets: Array) -> Array:
    """The grouped product's rows are float32: they are widened before, its result rounded."""
    rows = ops.convert(device, x, "float32")
    return ops.convert(device, ops.grouped_gemm(device, rows, w, offsets), "bfloat16")


def _experts_unfused(device: Any, x: Array, w: Array, offsets: Array) -> Array:
    """A product an expert, its depth in two stored parts."""
    rows = [
        _gemm_unfused(device, np.ascontiguousarray(x[start:end]), w[expert])
        for expert, (start, end) in enumerate(pairwise(offsets))
        if end > start
    ]
    return np.concatenate(rows)


def _experts_expected(x: Array, w: Array, offsets: Array) -> tuple[Array, Array]:
    """A result that is off by e before it is rounded is off by e + u (|y| + e) afterwards."""
    wide = x.astype(np.float32), w.astype(np.float32)
    want = ref.grouped_gemm(*wide, offsets)
    error = bounds.grouped_gemm(*wide, offsets)
    return want, error + formats.BF16.unit_roundoff * (np.abs(want) + error)


def _experts_inputs(depth: int) -> _Inputs:
    return _normal(9, depth), _normal(3, depth, 16), np.array([0, 4, 4, 9], np.int32)


def _experts_stalls() -> _Inputs:
    row, column = _gemm_stalls()
    return row, column[None], np.array([0, 1], np.int32)


SUBJECTS = (
    Subject(
        "attention",
        "attention_bf16",
        "Attention",
        "flash_attention_bf16",
        "flash_attention.hip",
        lambda depth: (
            _normal(1, 2, 8, _HEAD),
            _normal(1, 2, depth, _HEAD),
            _normal(1, 2, depth, _HEAD),
        ),
        _attention,
        _attention_unfused,
        _attention_expected,
        _attention_stalls,
    ),
    Subject(
        "matrix product",
        "gemm_bf16",
        "Matrix products",
        "gemm_bf16",
        "gemm.hip",
        lambda depth: (_normal(8, depth), _normal(depth, 16)),
        _gemm,
        _gemm_unfused,
        _gemm_expected,
        _gemm_stalls,
    ),
    Subject(
        "experts",
        "moe_bf16",
        "Experts",
        "grouped_gemm_bf16",
        "grouped_gemm.hip",
        _experts_inputs,
        _experts,
        _experts_unfused,
        _experts_expected,
        _experts_stalls,
    ),
)


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(SUBJECTS) * len(DEPTHS)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run every subject at every depth on the payload's parts; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for subject in SUBJECTS:
            entries += _entries(subject, part, progress)
    return {"entries": entries}


def _entries(subject: Subject, part: Device, progress: Progress) -> list[dict[str, Any]]:
    """What a subject shows at every depth; nothing where the device has a finding of its own."""
    entries = []
    try:
        sums = _sums_of(subject, part)
        for depth in DEPTHS:
            entries.append(_entry(subject, part, depth, sums))
            progress(1)
    except KernelFault:
        return []
    return entries


def _ran(subject: Subject, part: Device, form: _Run, inputs: _Inputs) -> Array:
    return run_case(Case({}), lambda: form(part, *inputs), part, subject.kernel).outputs[0]


def _sums_of(subject: Subject, part: Device) -> str:
    """What the fused form keeps its sums in."""
    got = _ran(subject, part, subject.fused, subject.stalls())
    return "float32" if (got == 2).all() else "16 bits"


def _entry(subject: Subject, part: Device, depth: int, sums: str) -> dict[str, Any]:
    """What a subject shows at a depth."""
    inputs = subject.inputs(depth)
    want, bound = subject.expected(*inputs)
    entry: dict[str, Any] = {"name": subject.name, "kernel": subject.kernel, "arch": part.arch}
    entry |= {"depth": depth, "sums": sums, "source": subject.source, "first": ""}
    entry |= {"input": f"{subject.name} of depth {depth}, normal numbers"}
    for form, run in (("fused", subject.fused), ("unfused", subject.unfused)):
        got = _ran(subject, part, run, inputs)
        entry[f"{form}_stores"] = got.dtype.name
        error = np.abs(got.astype(np.float64) - want)
        entry[f"{form}_ulp"] = float(formats.ulp_error(got, want, formats.BF16).max())
        entry[f"{form}_ratio"] = float((error / bound).max())
        if form == "fused":
            bad = ~(error <= bound)
            entry["wrong"] = int(np.count_nonzero(bad))
            if bad.any():
                at = tuple(int(i) for i in np.argwhere(bad)[0])
                seen = f"element {at} is {got[at]!s}, expected {want[at]!s}"
                entry["first"] = f"{subject.name} of depth {depth}: {seen}"
    if sums != "float32":
        entry["wrong"] += 1
        entry["first"] = entry["first"] or f"{subject.name}: 4096 + 1 + 1 ... stays at 4096"
    return entry


def audit(
    archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None
) -> tuple[Sweep, ...]:
    """Tabulate the errors of bfloat16 computations by depth: a page a subject."""
    target = "hipaudit.audits.bf16:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    return tuple(_sweep(subject, done) for subject in SUBJECTS)


def _sweep(subject: Subject, done: Tried) -> Sweep:
    """One subject's page, with what ran in its own kernel; the first has all other kernels too."""
    mine = [one for one in done.entries if one["name"] == subject.name]
    replay = "hipaudit audit --only bf16"
    found = [wrong(one, one["source"], replay) for one in mine if one["wrong"]]
    elsewhere = {one.kernel for one in SUBJECTS if one is not subject}

    def is_mine(kernel: str) -> bool:
        return kernel == subject.kernel or (subject is SUBJECTS[0] and kernel not in elsewhere)

    faults = [one for one in done.faults if is_mine(one.kernel)]
    return Sweep(
        name=subject.page,
        title=f"{subject.title} in bfloat16",
        question="What are sums kept in, how do errors grow with depth, and what does fusing buy?",
        columns=("What", "Kernel", "Part", "Depth", "Load, sums, store", "Error/bound", "ULP",
                 "Unfused error/bound", "Unfused ULP"),
        numeric=frozenset({3, 5, 6, 7, 8}),
        rows=tuple(_row(one) for one in mine),
        totals=(
            "the depth of attention is its keys; ULP and bound are those of the bfloat16 result",
            "the unfused form stores bfloat16 between its steps and is measured, not judged",
        ),
        findings=(*faults, *found),
        launches=tuple(one for one in done.launches if is_mine(one.kernel)),
        only="bf16",
    )  # fmt: skip


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    figures = ("fused_ratio", "fused_ulp", "unfused_ratio", "unfused_ulp")
    return (
        one["name"],
        one["kernel"],
        one["arch"],
        f"{one['depth']}",
        f"bfloat16, {one['sums']}, {one['fused_stores']}",
        *(f"{one[figure]:.2g}" for figure in figures),
    )
