"""Cleanup, formats: is each parameter given elements of the width that the kernel declares?

A launcher packs values and addresses; nothing but their bytes reaches the kernel. Each parameter's
declared type is held against the type of everything that it was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gguf

from hipaudit.audits import launch_usage
from hipaudit.audits.launch_usage import Given
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding
from hipaudit.text import plural

_BITS = re.compile(r"\d+")
_BLOCK = re.compile(r"(\w+)::Block(\w*)\*")
_PAIR = "Complex"
"""Two float32 that lie together."""


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return launch_usage.steps() * len(archs[:1])


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Launch everything on the first part, and compare; the child's side."""
    arch = payload["archs"][0]
    part = device.with_arch(arch)
    used = launch_usage.collect(part, lambda: progress(1))
    entries = []
    for source, kernels in launch_usage.described(part).items():
        for kernel in kernels:
            seen = used.get(kernel["name"])
            if seen is None:
                continue
            for number, parameter in enumerate(kernel["params"]):
                given = seen.given.get(number, launch_usage.Given())
                said = mismatch(parameter, given)
                entries.append(
                    {
                        "kernel": kernel["name"],
                        "source": source,
                        "arch": arch,
                        "parameter": parameter["name"],
                        "type": parameter["type"],
                        "given": sorted(given.widths),
                        "launches": seen.launches,
                        "wrong": int(bool(said)),
                        "first": f"parameter {parameter['name']}: {said}",
                        "input": f"launched by {', '.join(sorted(seen.by))}",
                    }
                )
    return {"entries": entries}


def mismatch(parameter: Mapping[str, Any], given: Given) -> str:
    """Say what is wrong with what a parameter was given; empty: nothing is."""
    if parameter["kind"] != "pointer":
        wanted = parameter["size"]
        others = {name: width for name, width in given.widths.items() if width != wanted}
        return _differ(parameter, wanted, others)
    tensors = {name: width for name, width in given.widths.items() if name != "c_void_p"}
    block = block_bytes(parameter["type"])
    if block:
        cut = sorted(row for row in given.rows if row % block)
        return f"rows of {cut[0]} bytes are no blocks of {block} bytes" if cut else ""
    bits = _BITS.search(parameter["element"])
    if bits is None:
        return "" if not tensors else f"{parameter['type']} has no width that is known"
    width = int(bits[0]) // 8
    return _differ(parameter, width, {name: w for name, w in tensors.items() if w != width})


def _differ(parameter: Mapping[str, Any], width: int, others: Mapping[str, int]) -> str:
    said = " and ".join(f"{name} ({size})" for name, size in sorted(others.items()))
    return f"{parameter['type']} takes {width} bytes, it was given {said}" if others else ""


def block_bytes(declared: str) -> int:
    """Bytes of what a pointer to blocks of a quantised format points to; 0 for other pointers."""
    if _PAIR in declared:
        return 8
    found = _BLOCK.search(declared)
    if found is None:
        return _MX.get(declared.removeprefix("const "), 0)
    name = found[2] or found[1]
    kinds = {kind.name.lower(): kind for kind in gguf.GGMLQuantizationType}
    kind = kinds.get(name.lower())
    return gguf.GGML_QUANT_SIZES[kind][1] if kind is not None else 0


_MX = {
    f"Mx<{element}>::Block*": 1 + 32 * bits // 8
    for element, bits in (("E5M2", 8), ("E4M3", 8), ("E3M2", 6), ("E2M3", 6), ("E2M1", 4))
}
"""OCP microscaling: a byte of scale for 32 elements."""


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Hold what launchers pack against what kernels declare."""
    target = "hipaudit.audits.cleanup_formats:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    return Sweep(
        name="cleanup_formats",
        title="Cleanup: formats",
        question="Is each kernel's parameter given elements of the width that it declares?",
        columns=("Kernel", "Parameter", "Declared", "Given", "Launches", "Verdict"),
        numeric=frozenset({4}),
        rows=tuple(_row(one) for one in done.entries),
        totals=_totals(done.entries),
        findings=(*done.faults, *_findings(done.entries)),
        launches=done.launches,
        only="formats",
    )  # fmt: skip


def _totals(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    launches = {one["kernel"]: int(one["launches"]) for one in entries}
    parameters, kernels = plural(len(entries), "parameter"), plural(len(launches), "kernel")
    differ = plural(sum(one["wrong"] for one in entries), "parameter")
    return (
        f"{parameters} of {kernels}, from {sum(launches.values()):,} launches",
        f"{differ} given elements of another width",
    )


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["kernel"],
        one["parameter"],
        one["type"],
        ", ".join(one["given"]),
        f"{one['launches']:,}",
        one["first"] if one["wrong"] else "the same",
    )


def _findings(entries: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for one in entries:
        if one["wrong"]:
            yield wrong(one, one["source"], "hipaudit audit --only formats", "argument-mismatch")
