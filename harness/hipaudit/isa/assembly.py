"""AMD assembly, as the compiler writes it, read into figures a kernel.

The metadata is the same that goes into a code object's note; each instruction has the source line
that the last ``.loc`` named. Instruction names: AMD's instruction set guides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_FILE = re.compile(r'\s*\.file\s+(\d+)\s+"((?:[^"\\]|\\.)*)"(?:\s+"((?:[^"\\]|\\.)*)")?')
_LOC = re.compile(r"\s*\.loc\s+(\d+)\s+(\d+)")
_LABEL = re.compile(r"([A-Za-z_$][\w$.]*):")
_INSTRUCTION = re.compile(r"\t([a-z]\w*)(.*)")
_SECOND = re.compile(r"::\s*(v_dual_\w+)")
_OCCUPANCY = re.compile(r"; Occupancy: (\d+)\s*$")
_METADATA = re.compile(r"\.amdgpu_metadata\n(.*?)\t?\.end_amdgpu_metadata", re.DOTALL)
_MEMORY = re.compile(
    r"(global|flat|buffer|scratch|ds|s_buffer|s)_(load|store|read|write|atomic)(\w*)"
)
_CALLED = re.compile(r"([A-Za-z_]\w*)@(?:gotpcrel32|rel32)@lo")
_SPACES = {"s": "constant", "s_buffer": "constant", "ds": "LDS", "buffer": "global"}
_WIDTHS = (
    ("dwordx16", 64), ("b512", 64), ("dwordx8", 32), ("b256", 32), ("dwordx4", 16), ("b128", 16),
    ("dwordx3", 12), ("b96", 12), ("dwordx2", 8), ("b64", 8), ("dword", 4), ("b32", 4),
    ("short", 2), ("b16", 2), ("u16", 2), ("i16", 2), ("byte", 1), ("b8", 1), ("u8", 1), ("i8", 1),
)  # fmt: skip
_FUSED = re.compile(r"v_(pk_)?(fma|fmac|fmamk|fmaak|mad|mac|dot2c?|fma_mix\w*|mad_mix\w*)_")
_MATRIX = ("v_mfma", "v_smfmac", "v_wmma", "v_swmmac")
_TRANSCENDENTAL = re.compile(r"v_(exp|log|sin|cos|rcp|rsq|sqrt)_(f16|f32|f64)")


@dataclass(frozen=True, slots=True)
class Place:
    """A source line; line 0: the compiler named none."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, order=True)
class Traffic:
    """Memory instructions of one kind: the space, what they do, the bytes a lane moves by one."""

    space: str
    what: str
    bytes: int


@dataclass(slots=True)
class Instructions:
    """What a kernel's instructions are, counted as they stand in the code, not as they run."""

    total: int = 0
    barriers: int = 0
    fused: int = 0
    products: int = 0
    sums: int = 0
    double: int = 0
    matrix: int = 0
    transcendental: int = 0
    traffic: Counter[Traffic] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)
    spill: Place | None = None
    scratch: Place | None = None
    first_double: Place | None = None


@dataclass(frozen=True, slots=True)
class KernelCode:
    """A kernel as compiled for one part.

    symbol     mangled; name as people write it, without a template's arguments spelled out
    vgprs      vector registers, agprs (accumulation registers) among them
    threads    the largest block it may be launched with
    backend_occupancy  waves a SIMD by registers alone, in the backend's words; None: not said
    """

    symbol: str
    name: str
    vgprs: int
    agprs: int
    sgprs: int
    lds_bytes: int
    scratch_bytes: int
    vgpr_spills: int
    sgpr_spills: int
    threads: int
    instructions: Instructions
    backend_occupancy: int | None


def read(assembly: str) -> list[KernelCode]:
    """The kernels of a file's assembly, in its order."""
    bodies = _bodies(assembly.splitlines())
    return [_kernel(entry, bodies) for entry in _metadata(assembly)]


def plain_name(symbol: str) -> str:
    """A mangled name's own identifiers: ``_Z5scaleIfEvPT_`` is ``scale<...>``."""
    match = re.match(r"_Z(N?)", symbol)
    if match is None:
        return symbol
    rest, parts = symbol[match.end() :], []
    while number := re.match(r"(\d+)", rest):
        start = number.end()
        size = int(number[1])
        parts.append(rest[start : start + size])
        rest = rest[start + size :]
        if not match[1]:
            break
    name = "::".join(part for part in parts if not part.startswith("_GLOBAL__N"))
    return f"{name}<...>" if rest.startswith("I") else name or symbol


def _metadata(assembly: str) -> list[Mapping[str, Any]]:
    match = _METADATA.search(assembly)
    if match is None:
        return []
    document = yaml.load(match[1], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are the safe loader
    return list(document.get("amdhsa.kernels") or ())


def _kernel(entry: Mapping[str, Any], bodies: Mapping[str, _Body]) -> KernelCode:
    symbol = str(entry[".name"])
    body = bodies.get(symbol, _Body())
    return KernelCode(
        symbol=symbol,
        name=plain_name(symbol),
        vgprs=int(entry[".vgpr_count"]),
        agprs=int(entry.get(".agpr_count", 0)),
        sgprs=int(entry[".sgpr_count"]),
        lds_bytes=int(entry[".group_segment_fixed_size"]),
        scratch_bytes=int(entry[".private_segment_fixed_size"]),
        vgpr_spills=int(entry.get(".vgpr_spill_count", 0)),
        sgpr_spills=int(entry.get(".sgpr_spill_count", 0)),
        threads=int(entry[".max_flat_workgroup_size"]),
        instructions=body.instructions,
        backend_occupancy=body.occupancy,
    )


@dataclass(slots=True)
class _Body:
    """One function's part of the assembly."""

    instructions: Instructions = field(default_factory=Instructions)
    occupancy: int | None = None


def _bodies(lines: Iterable[str]) -> dict[str, _Body]:
    """The instructions of every function, by its symbol."""
    bodies: dict[str, _Body] = {}
    files: dict[str, str] = {}
    here = _Body()
    place = Place("", 0)
    for line in lines:
        if found := _INSTRUCTION.match(line):
            _count(here.instructions, found[1], found[2], place)
            # RDNA's dual issue writes two operations as one line.
            if second := _SECOND.search(found[2]):
                _count(here.instructions, second[1], "", place)
        elif found := _LOC.match(line):
            place = Place(files.get(found[1], ""), int(found[2]))
        elif found := _LABEL.match(line):
            if "; @" in line:
                here = bodies.setdefault(found[1], _Body())
                place = Place("", 0)
        elif found := _FILE.match(line):
            files[found[1]] = str(Path(found[2]) / found[3]) if found[3] else found[2]
        elif found := _OCCUPANCY.match(line):
            here.occupancy = int(found[1])
    return bodies


def _count(into: Instructions, name: str, rest: str, place: Place) -> None:
    """Add one instruction."""
    name = name.replace("v_dual_", "v_")
    into.total += 1
    into.barriers += name in {"s_barrier", "s_barrier_wait"}
    into.fused += bool(_FUSED.match(name))
    into.products += name.startswith(("v_mul_f", "v_pk_mul_f"))
    into.sums += name.startswith(("v_add_f", "v_sub_f", "v_subrev_f", "v_pk_add_f"))
    into.matrix += name.startswith(_MATRIX)
    into.transcendental += bool(_TRANSCENDENTAL.match(name))
    if name.startswith("v_") and "_f64" in name:
        into.double += 1
        into.first_double = into.first_double or place
    if name.startswith("s_") and (called := _CALLED.search(rest)):
        into.called.add(called[1])
    if "Folded Spill" in rest or name == "v_writelane_b32":
        into.spill = into.spill or place
    if traffic := _traffic(name):
        into.traffic[traffic] += 1
        if traffic.space == "scratch":
            into.scratch = into.scratch or place


def _traffic(name: str) -> Traffic | None:
    """What a memory instruction moves; None for any other instruction."""
    match = _MEMORY.match(name)
    if match is None:
        return None
    what = {"read": "load", "write": "store"}.get(match[2], match[2])
    if what == "atomic":
        width = 8 if name.endswith(("_x2", "64")) else 4
    else:
        width = next((size for suffix, size in _WIDTHS if suffix in match[3]), 4)
    pairs = 2 if match[3].startswith(("2", "_2addr")) else 1
    return Traffic(_SPACES.get(match[1], match[1]), what, width * pairs)
