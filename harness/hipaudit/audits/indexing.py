"""Indexing: what kernels gather and scatter, against numpy's indexing; copies, waits and traffic.

Every result is a copy of an element, so it must be that element. The ledger counts the copies and
the waits of a launch on tensors that lie on the device, of which there should be none, and the
bytes that the form for host arrays copies; the checked build counts the bytes that lanes move to
and from global memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.inputs import bfloat16, float16, float32
from hipaudit.spec import Array
from hipaudit.text import plural
from hipaudit_runtime import ops
from hipaudit_runtime.ops.experts import launch_permute, permute, permute_scratch
from hipaudit_runtime.tensors import Scope, Tensor

COUNTS = (1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257)
WIDTHS = (1, 3, 32, 65, 128)


@dataclass(frozen=True, slots=True)
class Case:
    """One launch.

    launch   on tensors that lie on the device; outputs: what it writes
    want     what they must hold then
    needed   bytes that must be read and written: each index once, each element once each way
    host     the form for host arrays, where there is one; copied: bytes that it would need to
             copy, of rows that are picked more than once one
    """

    what: str
    launch: Callable[[], None]
    outputs: tuple[Tensor, ...]
    want: tuple[Array, ...]
    needed: int
    host: Callable[[], object] | None = None
    copied: int = 0


_Make = Callable[[Device, Scope, int, int, np.random.Generator], Case]


def _lookup(dtype: np.dtype[Any]) -> _Make:
    """Rows of a table by index: repeated, in any order, and outside the table."""

    def make(part: Device, scope: Scope, count: int, width: int, rng: np.random.Generator) -> Case:
        rows = 40
        table = rng.integers(-99, 100, (rows, width)).astype(dtype)
        indices = rng.integers(-2, rows + 2, count, dtype=np.int32)
        inside = (indices >= 0) & (indices < rows)
        want = np.full((count, width), np.nan, np.float32)
        want[inside] = table[indices[inside]]
        y = scope.empty(want.shape, float32)
        there = scope.upload(table), scope.upload(indices)
        taken = int(inside.sum()) * width
        legal = np.where(inside, indices, 0).astype(np.int32)
        distinct = len(np.unique(legal)) * width * dtype.itemsize
        return Case(
            f"{count} rows of {rows} x {width}",
            lambda: ops.launch_embedding(part, *there, y),
            (y,),
            (want,),
            indices.nbytes + taken * dtype.itemsize + want.nbytes,
            lambda: ops.embedding(part, table, legal),
            indices.nbytes + distinct + want.nbytes,
        )

    return make


def _view(dtype: np.dtype[Any]) -> _Make:
    """A view with the axes in another order, steps, and one of them backwards."""

    def make(part: Device, scope: Scope, count: int, width: int, rng: np.random.Generator) -> Case:
        x = rng.integers(0, 100, (3, count, width)).astype(dtype)
        seen = x.transpose(2, 0, 1)[:, ::-1, :: 1 + count % 2]
        tensor = scope.upload(x).transpose(2, 0, 1)[:, ::-1, :: 1 + count % 2]
        y = scope.empty(seen.shape, dtype)
        steps = tuple(stride // dtype.itemsize for stride in seen.strides)
        return Case(
            f"a view of {x.shape}",
            lambda: ops.launch_gather_view(part, tensor, y),
            (y,),
            (np.ascontiguousarray(seen),),
            2 * seen.nbytes,
            lambda: ops.copy_strided(part, x, seen.shape, steps, 2 * count * width),
            2 * seen.nbytes,
        )

    return make


def _turned(part: Device, scope: Scope, count: int, width: int, rng: np.random.Generator) -> Case:
    x = rng.integers(0, 100, (2, count, width)).astype(float32)
    want = np.ascontiguousarray(x.swapaxes(1, 2))
    there, y = scope.upload(x), scope.empty(want.shape, float32)
    return Case(
        f"2 x {count} x {width}",
        lambda: ops.launch_transpose(part, there, y),
        (y,),
        (want,),
        2 * x.nbytes,
        lambda: ops.transpose(part, x),
        2 * x.nbytes,
    )


def _append(dtype: np.dtype[Any]) -> _Make:
    """Tokens into slots in any order, some of them nowhere; other slots keep what they have."""

    def make(part: Device, scope: Scope, count: int, width: int, rng: np.random.Generator) -> Case:
        slots = rng.permutation(2 * count)[:count].astype(np.int32)
        slots[rng.random(count) < 1 / 8] = rng.choice([-1, 2 * count])
        new = [rng.integers(-99, 100, (count, 2, width)).astype(np.float32) for _ in range(2)]
        old = [np.full((2 * count, 2, width), 7, dtype) for _ in range(2)]
        stored = (slots >= 0) & (slots < 2 * count)
        want = [cache.copy() for cache in old]
        for cache, tokens in zip(want, new, strict=True):
            cache[slots[stored]] = tokens[stored].astype(dtype)
        places = np.zeros(count, np.int32)
        k, v = (scope.upload(each) for each in new)
        where, at = scope.upload(slots), scope.upload(places)
        none, caches = scope.empty((0,), float32), [scope.upload(each) for each in old]
        first, second = caches
        return Case(
            f"{count} tokens into {2 * count} slots of 2 x {width}",
            lambda: ops.launch_kv_append(part, k, v, where, at, none, first, second),
            tuple(caches),
            tuple(want),
            slots.nbytes + int(stored.sum()) * 4 * width * (4 + dtype.itemsize),
        )

    return make


def _sorted(part: Device, scope: Scope, count: int, width: int, rng: np.random.Generator) -> Case:
    """Pairs of token and expert sorted by expert, those of no expert last."""
    experts = 1 + width % 61
    chosen = rng.integers(-1, experts + 1, count, dtype=np.int32)
    group = np.where((chosen >= 0) & (chosen < experts), chosen, experts)
    source = np.argsort(group, kind="stable").astype(np.int32)
    position = np.argsort(source).astype(np.int32)
    offsets = np.searchsorted(group[source], np.arange(experts + 1)).astype(np.int32)
    outputs = [scope.empty(each.shape, np.int32) for each in (source, position, offsets)]
    sources, positions, starts = outputs
    scratch = scope.empty((permute_scratch(count, experts),), np.int32)
    there = scope.upload(chosen)
    return Case(
        f"{count} pairs of {experts} experts",
        lambda: launch_permute(part, there, sources, positions, starts, scratch),
        tuple(outputs),
        (source, position, offsets),
        chosen.nbytes + sum(each.nbytes for each in (source, position, offsets)),
        lambda: permute(part, chosen, experts),
        chosen.nbytes + sum(each.nbytes for each in (source, position, offsets)),
    )


_SUBJECTS: tuple[tuple[str, str, tuple[str, ...], _Make], ...] = (
    ("embedding", "embedding.hip", ("embedding",), _lookup(float32)),
    ("embedding_f16", "embedding.hip", ("embedding_f16",), _lookup(float16)),
    ("embedding_bf16", "embedding.hip", ("embedding_bf16",), _lookup(bfloat16)),
    ("copy_strided_32", "copy_strided.hip", ("copy_strided_32",), _view(float32)),
    ("copy_strided_16", "copy_strided.hip", ("copy_strided_16",), _view(float16)),
    ("transpose", "transpose.hip", ("transpose",), _turned),
    ("kv_append_f32", "kv_append.hip", ("kv_append_f32",), _append(float32)),
    ("kv_append_f16", "kv_append.hip", ("kv_append_f16",), _append(float16)),
    ("kv_append_bf16", "kv_append.hip", ("kv_append_bf16",), _append(bfloat16)),
    (
        "moe_permute",
        "moe_permute.hip",
        ("moe_count", "moe_offsets", "moe_scatter"),
        _sorted,
    ),
)
_SOURCES = {name: (source, kernels[-1]) for name, source, kernels, _ in _SUBJECTS}


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(_SUBJECTS)


@dataclass(slots=True)
class _Counts:
    """What the ledger has counted so far."""

    copies: int = 0
    bytes: int = 0
    waits: int = 0

    @staticmethod
    def now(device: Device) -> _Counts:
        if device.ledger is None:
            return _Counts()
        report = device.ledger.report()
        copies = [site for site in report["copies"]["sites"] if site["direction"] != "fill"]
        waits = report["synchronisations"]["sites"]
        return _Counts(
            sum(site["count"] for site in copies),
            sum(site["bytes"] for site in copies),
            sum(site["count"] for site in waits),
        )


@dataclass(slots=True)
class _Tally:
    """What a kernel's cases came to on a part."""

    cases: int = 0
    elements: int = 0
    wrong: int = 0
    first: str = ""
    input: str = ""
    copies: int = 0
    waits: int = 0
    needed: int = 0
    moved: int = 0
    copied: int = 0
    wanted: int = 0
    kernels: set[str] = field(default_factory=set)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Try every kernel on the payload's parts; the child's side."""
    entries = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for name, _, kernels, make in _SUBJECTS:
            tally = _Tally(kernels=set(kernels))
            rng = np.random.default_rng(len(name))
            for count, width in _sizes():
                with Scope() as scope:
                    _try(part, make(part, scope, count, width, rng), tally)
            entries.append({"kernel": name, "arch": arch, **_plain(tally)})
            progress(1)
    return {"entries": entries}


def _sizes() -> Iterator[tuple[int, int]]:
    return zip(COUNTS, itertools.cycle(WIDTHS), strict=False)


def _plain(tally: _Tally) -> Json:
    return {name: getattr(tally, name) for name in _Tally.__dataclass_fields__ if name != "kernels"}


def _try(part: Device, case: Case, tally: _Tally) -> None:
    """Launch a case, look at what it wrote, and count what it took."""
    if part.control is not None:
        part.control.flush()  # what was launched before is not this case's
    offset, before = part.journal_size(), _Counts.now(part)
    case.launch()
    after = _Counts.now(part)
    part.synchronise()
    tally.copies += after.copies - before.copies
    tally.waits += after.waits - before.waits
    for record in part.records_since(offset):
        if record.get("record") == "launch" and record["kernel"] in tally.kernels:
            tally.moved += int(record.get("moved") or 0)
    tally.needed += case.needed
    tally.cases += 1
    for output, want in zip(case.outputs, case.want, strict=True):
        _judge(output.download(), want, case, tally)
    if case.host is not None:
        start = _Counts.now(part)
        case.host()
        tally.copied += _Counts.now(part).bytes - start.bytes
        tally.wanted += case.copied


def _judge(got: Array, want: Array, case: Case, tally: _Tally) -> None:
    """Count what is not the element that belongs there, and describe the first."""
    plain, right = got.astype(np.float64), want.astype(np.float64)
    bad = ~((plain == right) | (np.isnan(plain) & np.isnan(right)))
    tally.elements += want.size
    tally.wrong += int(np.count_nonzero(bad))
    if bad.any() and not tally.first:
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        tally.first = f"{case.what}: element {at} is {got[at]!s}, expected {want[at]!s}"
        tally.input = case.what


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Sweep the library's gathers and scatters over sizes and indices."""
    target = "hipaudit.audits.indexing:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "checked"})
    replay = "hipaudit audit --only indexing"
    found = []
    for one in done.entries:
        source, kernel = _SOURCES[one["kernel"]]
        if one["wrong"]:
            found.append(wrong({**one, "kernel": kernel}, source, replay))
        found += [
            wrong({**one, "kernel": kernel, **said}, source, replay, kind)
            for kind, said in _hidden(one)
        ]
    return Sweep(
        name="indexing",
        title="Indexing",
        question="Does every gather and scatter move the right elements, and no more than those?",
        columns=("Kernel", "Part", "Launches", "Elements", "Wrong", "Copies", "Waits",
                 "Bytes moved / needed", "Host form: bytes copied / needed", "First"),
        numeric=frozenset({2, 3, 4, 5, 6, 7, 8}),
        rows=tuple(_row(one) for one in done.entries),
        totals=_totals(done.entries),
        findings=(*done.faults, *found),
        launches=done.launches,
    )  # fmt: skip


def _totals(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    def total(name: str) -> int:
        return sum(int(one[name]) for one in entries)

    compared = f"{total('elements'):,} elements compared"
    launched = plural(total("cases"), "launch", "launches")
    copies, waits = plural(total("copies"), "copy", "copies"), plural(total("waits"), "wait")
    return (
        f"{compared}: indices that repeat, that lie outside, and in any order",
        f"{launched} on tensors that lie on the device made {copies} and {waits} of their own",
        "Bytes are counted a lane: an index that all lanes of a row read counts for each of them",
    )


def _hidden(one: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a launch does beside launching."""
    for kind, what in (("redundant-copy", "copies"), ("hidden-synchronisation", "waits")):
        if one[what]:
            said = f"{one['cases']} launches made {one[what]} {what} that nobody asked for"
            yield kind, {"first": said, "wrong": one[what], "input": "tensors on the device"}


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["kernel"],
        one["arch"],
        f"{one['cases']}",
        f"{one['elements']:,}",
        f"{one['wrong']}",
        f"{one['copies']}",
        f"{one['waits']}",
        f"{one['moved'] / one['needed']:.2g}" if one["moved"] else "-",
        f"{one['copied'] / one['wanted']:.2g}" if one["wanted"] else "-",
        one["first"] or "-",
    )
