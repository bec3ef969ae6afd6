"""Structural: one function that several files of the library compute, over its whole code domain.

A function written twice drifts: the copies are run on every code that they can meet and must give
the same values, NaNs by class and zeros of either sign alike. Widening meets all 65,536 codes;
narrowing meets all values of the format, all midpoints between neighbours, and the floats on
either side of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.run import KernelFault, run_case
from hipaudit.spec import Array, Case
from hipaudit_runtime import ops

_HALF = np.dtype(np.float16)
_BRAIN = np.dtype(ml_dtypes.bfloat16)
_HEAD = 64
_Run: TypeAlias = Callable[[Any, Array], Array]


@dataclass(frozen=True, slots=True)
class Copy:
    """One kernel that computes the function: run(device, domain) -> values."""

    kernel: str
    source: str
    run: _Run


@dataclass(frozen=True, slots=True)
class Shared:
    """A function of several files; the first copy is what the others are held against."""

    name: str
    domain: Callable[[], Array]
    copies: tuple[Copy, ...]


def _codes(dtype: np.dtype[Any]) -> Array:
    return np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(dtype)


def _round_ties(dtype: np.dtype[Any]) -> Array:
    """Float32 numbers that show how a rounding to a 16-bit format goes."""
    with np.errstate(invalid="ignore", over="ignore"):
        values = _codes(dtype).astype(np.float64)
        halfway = ((values[:-1] + values[1:]) / 2).astype(np.float32)
        ends = np.float32(np.inf)
        around = (halfway, np.nextafter(halfway, -ends), np.nextafter(halfway, ends))
        numbers = np.concatenate([values.astype(np.float32), *around])
    return np.resize(numbers, -(-numbers.size // _HEAD) * _HEAD)


def _gemv(device: Any, codes: Array) -> Array:
    return ops.gemv(device, codes[:, None], np.ones(1, np.float32))


def _embedding(device: Any, codes: Array) -> Array:
    return ops.embedding(device, codes[:, None], np.arange(codes.size, dtype=np.int32))[:, 0]


def _scale_of_block(device: Any, codes: Array) -> Array:
    """The scales of Q8_0 blocks whose codes are 1."""
    blocks = np.ones((codes.size, 34), np.uint8)
    blocks[:, :2] = codes.view(np.uint8).reshape(-1, 2)
    return ops.dequantise(device, "Q8_0", blocks).reshape(-1, 32)[:, 0]


def _widen(device: Any, codes: Array) -> Array:
    return ops.convert(device, codes, "float32")


def _narrow(to: str) -> _Run:
    return lambda device, numbers: ops.convert(device, numbers, to)


def _append(dtype: np.dtype[Any]) -> _Run:
    """A cache's values: what is appended is rounded to the cache's format."""

    def run(device: Any, numbers: Array) -> Array:
        rows = numbers.reshape(-1, 1, _HEAD)
        cache, keys = np.zeros(rows.shape, dtype), np.zeros_like(rows)
        slots = np.arange(len(rows), dtype=np.int32)
        done = ops.kv_append(device, cache, cache, keys, rows, slots, np.zeros_like(slots))
        return np.asarray(done[1]).reshape(-1)

    return run


def _silu(device: Any, codes: Array) -> Array:
    return ops.silu(device, codes)


def _gate(device: Any, codes: Array) -> Array:
    return ops.swiglu(device, codes, np.ones_like(codes))


def _small() -> Array:
    """Exponents of MX blocks; 255 is NaN in OCP's layout alone."""
    return np.arange(255, dtype=np.uint8)


def _mx(kind: str, order: Callable[[Array], Array]) -> _Run:
    """Blocks of every exponent that hold each of the 16 codes twice."""

    def run(device: Any, exponents: Array) -> Array:
        blocks = np.empty((exponents.size, 17), np.uint8)
        blocks[:, 0] = exponents
        blocks[:, 1:] = order(np.arange(16, dtype=np.uint8))
        return ops.dequantise(device, kind, blocks)

    return run


def _widening(short: str, *more: Copy) -> tuple[Copy, ...]:
    return (
        Copy(f"convert_{short}_f32", "convert.hip", _widen),
        Copy(f"gemv_{short}", "gemv.hip", _gemv),
        Copy(f"embedding_{short}", "embedding.hip", _embedding),
        *more,
    )


def _narrowing(short: str, dtype: np.dtype[Any]) -> tuple[Copy, ...]:
    return (
        Copy(f"convert_f32_{short}", "convert.hip", _narrow(dtype.name)),
        Copy(f"kv_append_{short}", "kv_append.hip", _append(dtype)),
    )


SHARED = (
    Shared(
        "float16 to float32",
        lambda: _codes(_HALF),
        _widening("f16", Copy("dequantise_q8_0", "dequantise.hip", _scale_of_block)),
    ),
    Shared("bfloat16 to float32", lambda: _codes(_BRAIN), _widening("bf16")),
    Shared("float32 to float16", lambda: _round_ties(_HALF), _narrowing("f16", _HALF)),
    Shared("float32 to bfloat16", lambda: _round_ties(_BRAIN), _narrowing("bf16", _BRAIN)),
    Shared(
        "SiLU of float16",
        lambda: _codes(_HALF),
        (Copy("silu_f16", "silu.hip", _silu), Copy("swiglu_f16", "swiglu.hip", _gate)),
    ),
    Shared(
        "SiLU of bfloat16",
        lambda: _codes(_BRAIN),
        (Copy("silu_bf16", "silu.hip", _silu), Copy("swiglu_bf16", "swiglu.hip", _gate)),
    ),
    Shared(
        "E2M1 codes under an E8M0 scale",
        _small,
        (
            Copy("dequantise_mxfp4", "dequantise.hip", _mx("MXFP4", lambda q: q | q << 4)),
            Copy(
                "dequantise_mxfp4_e2m1",
                "dequantise.hip",
                _mx("MXFP4_E2M1", lambda q: 2 * q % 16 | (2 * q + 1) % 16 << 4),
            ),
        ),
    ),
)


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(SHARED)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Compare the copies of every function on the payload's parts; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for shared in SHARED:
            entries += _compared(shared, part)
            progress(1)
    return {"entries": entries}


def _compared(shared: Shared, part: Device) -> list[dict[str, Any]]:
    """An entry for each copy but the first."""
    domain = shared.domain()
    first, *others = shared.copies
    try:
        want = _values(first, part, domain)
        return [_entry(shared, copy, part.arch, _values(copy, part, domain), want)
                for copy in others]  # fmt: skip
    except KernelFault:
        return []  # the device's own finding says what and where


def _values(copy: Copy, part: Device, domain: Array) -> Array:
    run = run_case(Case({}), lambda: copy.run(part, domain), part, copy.kernel)
    return run.outputs[0].reshape(-1)


def _entry(shared: Shared, copy: Copy, arch: str, got: Array, want: Array) -> dict[str, Any]:
    """How a copy compares with the first one."""
    unlike = (got != want) & ~(np.isnan(got) & np.isnan(want))
    example = ""
    if unlike.any():
        at = int(np.flatnonzero(unlike)[0])
        example = (
            f"{shared.name}: value {at} is {got[at]!s} here and {want[at]!s} in "
            f"{shared.copies[0].kernel}"
        )
    return {
        "function": shared.name,
        "kernel": copy.kernel,
        "source": copy.source,
        "against": shared.copies[0].kernel,
        "arch": arch,
        "values": int(got.size),
        "wrong": int(np.count_nonzero(unlike)),
        "first": example,
        "input": f"the whole domain of {shared.name}",
    }


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Compare the library's copies of shared functions with each other."""
    target = "hipaudit.audits.structural:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    replay = "hipaudit audit --only structural"
    found = [
        wrong(one, one["source"], replay, "conversion-inexact")
        for one in done.entries
        if one["wrong"]
    ]
    values = sum(one["values"] for one in done.entries)
    return Sweep(
        name="structural",
        title="Structural",
        question="Do kernels that compute the same function of a code give the same values?",
        columns=("Function", "Kernel", "Held against", "Part", "Values", "Different"),
        numeric=frozenset({4, 5}),
        rows=tuple(
            (
                one["function"],
                one["kernel"],
                one["against"],
                one["arch"],
                f"{one['values']:,}",
                f"{one['wrong']}",
            )
            for one in done.entries
        ),
        totals=(f"{values:,} values of {len(SHARED)} functions compared, NaNs by class",),
        findings=(*done.faults, *found),
        launches=done.launches,
    )
