"""GEMM alignment: matrix products of sizes round their tiles, and operands at odd addresses.

Each shape has one of four outcomes: right (every element within its bound, every access checked),
rejected with an error that names the value, wrong, or out of bounds. Only the first two may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np

import hipaudit_reference as ref
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.run import KernelFault, run_case
from hipaudit.spec import Array, Case
from hipaudit_reference import bounds
from hipaudit_runtime import ops
from hipaudit_runtime.tensors import Scope, Tensor

_EDGES = (1, 4, 15, 17, 63, 64, 65)
_DEPTHS = (0, 1, 16, 17)
_OFFSETS = (2, 4, 8, 12)  # bytes; 2 is no address of a float32
_OUTCOMES = ("right", "rejected", "wrong", "out of bounds")
_GROUPS = 3
_ADDRESS = re.compile(r"0x[0-9a-f]+")  # another one in every run
_BLOCK = 34


def _uniform(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(np.float32)


def _tiled(device: Any, m: int, n: int, k: int, offset: int) -> tuple[Array, Array, Array]:
    """gemm_f32_tiled with all three operands `offset` bytes behind an aligned address."""
    a, b = _uniform(m, k), _uniform(k, n)
    with Scope() as scope:
        left, right = _placed(scope, a, offset), _placed(scope, b, offset)
        result = _placed(scope, np.zeros((m, n), np.float32), offset)
        ops.launch_gemm_f32(device, left, right, result)
        return result.download(), ref.gemm(a, b), bounds.gemm(a, b)


def _stored(device: Any, m: int, n: int, k: int, offset: int) -> tuple[Array, Array, Array]:
    """gemm.hip with float32 rows, fp16 weights by rows and the result behind aligned addresses."""
    a, b = _uniform(m, k), _uniform(n, k).astype(np.float16)
    with Scope() as scope:
        left, right = _placed(scope, a, offset), _placed(scope, b, offset)
        result = _placed(scope, np.zeros((m, n), np.float32), offset)
        ops.launch_gemm(device, left, right, result, ops.Product(transpose_b=True))
        return result.download(), ref.gemm(a, b.T), bounds.gemm(a, b.T)


def _placed(scope: Scope, array: Array, offset: int) -> Tensor:
    """A tensor with the array's elements, so many bytes into a buffer of its own."""
    whole = scope.empty((array.nbytes + offset,), np.uint8)
    place = Tensor(whole.buffer, array.shape, array.dtype, offset)
    place.upload(array)
    return place


def _grouped(device: Any, m: int, n: int, k: int, _: int) -> tuple[Array, Array, Array]:
    """grouped_gemm with m rows in groups of unequal size, one of them empty."""
    x, w = _uniform(m, k), _uniform(_GROUPS, k, n)
    offsets = np.array([0, m // 3, m // 3, m], np.int32)
    expected = ref.grouped_gemm(x, w, offsets)
    return ops.grouped_gemm(device, x, w, offsets), expected, bounds.grouped_gemm(x, w, offsets)


def _quantised(device: Any, m: int, n: int, k: int, _: int) -> tuple[Array, Array, Array]:
    """quantised_gemm of Q8_0 rows; k that is no multiple of 32 has no whole blocks."""
    blocks = np.random.default_rng(n).integers(0, 60, (n, -(-k // 32) * _BLOCK), dtype=np.uint8)
    x = _uniform(m, k)
    got = ops.quantised_gemm(device, "Q8_0", blocks, x)
    expected = ref.quantised_gemm(blocks, "Q8_0", x)
    return got, expected, bounds.quantised_gemm(blocks, "Q8_0", x)


_Shape: TypeAlias = tuple[int, int, int, int]
_Run: TypeAlias = Callable[[Any, int, int, int, int], tuple[Array, Array, Array]]
_SUBJECTS: tuple[tuple[str, str, _Run, tuple[int, ...]], ...] = (
    ("gemm_f32_tiled", "gemm_f32_tiled.hip", _tiled, _DEPTHS),
    ("gemm_f32_f16", "gemm.hip", _stored, (*_DEPTHS, 24)),
    ("grouped_gemm", "grouped_gemm.hip", _grouped, _DEPTHS),
    ("quantised_gemm_q8_0", "quantised_gemm.hip", _quantised, (31, 32, 33, 96)),
)
_SOURCES = {name: source for name, source, _, _ in _SUBJECTS}


def _shapes(name: str, depths: Sequence[int]) -> list[_Shape]:
    """(m, n, k, offset): all sizes at an aligned address, a few at others."""
    aligned = [(*shape, 0) for shape in product(_EDGES, _EDGES, depths)]
    if not name.startswith("gemm_f32"):
        return aligned
    return aligned + [(m, 65, 17, offset) for m, offset in product((1, 64, 65), _OFFSETS)]


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * sum(len(_shapes(name, depths)) for name, _, _, depths in _SUBJECTS)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Try every product at every shape on the payload's parts; the child's side."""
    entries = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for name, _, run, depths in _SUBJECTS:
            entry: dict[str, Any] = dict.fromkeys(_OUTCOMES, 0)
            entry |= {"kernel": name, "arch": arch, "first": "", "input": "", "refusal": ""}
            for shape in _shapes(name, depths):
                _judge(entry, shape, part, run)
                progress(1)
            entries.append(entry)
    return {"entries": entries}


def _judge(entry: dict[str, Any], shape: _Shape, part: Device, run: _Run) -> None:
    """Run one shape and count its outcome."""
    m, n, k, offset = shape
    words = f"{m} x {n} x {k}, operands {offset} bytes past an aligned address"
    try:
        outputs = run_case(Case({}), lambda: run(part, m, n, k, offset), part, entry["kernel"])
        got, want, bound = outputs.outputs
    except KernelFault:
        entry["out of bounds"] += 1  # the device's own finding says where
        return
    except (ValueError, TypeError) as error:
        entry["rejected"] += 1
        entry["refusal"] = entry["refusal"] or f"{words}: {_ADDRESS.sub('0x...', str(error))}"
        return
    bad = ~(np.abs(got - want) <= bound)
    entry["wrong" if bad.any() else "right"] += 1
    if bad.any() and not entry["first"]:
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        entry["first"] = f"{words}: element {at} is {got[at]!s}, expected {want[at]!s}"
        entry["input"] = words


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Sweep the library's matrix products over shapes and addresses."""
    target = "hipaudit.audits.gemm_alignment:sweep_in_child"
    build = {"build": "checked"} if device == "emulated" else {}
    done = try_in_child(target, archs, device, tick, build)
    replay = "hipaudit audit --only alignment"
    found = [wrong(one, _SOURCES[one["kernel"]], replay) for one in done.entries if one["wrong"]]
    shapes = sum(one[outcome] for one in done.entries for outcome in _OUTCOMES)
    return Sweep(
        name="gemm_alignment",
        title="GEMM alignment",
        question="What becomes of sizes round the tiles, and of operands at odd addresses?",
        columns=("Kernel", "Part", "Right", "Rejected", "Wrong", "Out of bounds", "Rejection"),
        numeric=frozenset({2, 3, 4, 5}),
        rows=tuple(
            (
                one["kernel"],
                one["arch"],
                *(f"{one[outcome]}" for outcome in _OUTCOMES),
                one["refusal"] or "-",
            )
            for one in done.entries
        ),
        totals=(
            f"{shapes:,} products: m and n of {', '.join(map(str, _EDGES))}; k round a tile",
            "every access checked" if build else "accesses not checked: no such build here",
        ),
        findings=(*done.faults, *found),
        launches=done.launches,
    )
