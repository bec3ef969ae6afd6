"""The study of a file's generated code: figures a kernel and part, and what is worth a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.errors import UsageError, VoidError
from hipaudit.finding import Finding, Findings, Location, definition_line, grouped, identified
from hipaudit.isa import backend
from hipaudit.isa.assembly import KernelCode, Place, read
from hipaudit.isa.parts import PARTS, Occupancy, Part, occupancy
from hipaudit.text import plural

_LOW = 4
"""Occupancy below one in so many of a part's waves is low: latency shows."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to study.

    kernel  its name, or its mangled one; empty: all
    block   threads a block; 0: the most that the kernel allows
    shared  bytes of dynamic LDS
    """

    source: Path
    parts: tuple[Part, ...]
    kernel: str = ""
    block: int = 0
    shared: int = 0
    define: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Studied:
    """One kernel on one part."""

    part: Part
    code: KernelCode
    block: int
    lds_bytes: int
    occupancy: Occupancy

    def as_json(self) -> dict[str, Any]:
        """Plain data, as ``--json`` has it."""
        code, counted = self.code, self.code.instructions
        return {
            "name": code.name,
            "symbol": code.symbol,
            "arch": self.part.name,
            "vgprs": code.vgprs,
            "agprs": code.agprs,
            "sgprs": code.sgprs,
            "lds_bytes": self.lds_bytes,
            "scratch_bytes": code.scratch_bytes,
            "vgpr_spills": code.vgpr_spills,
            "sgpr_spills": code.sgpr_spills,
            "block": self.block,
            "most_threads": code.threads,
            "occupancy": self.occupancy.waves,
            "most_occupancy": self.occupancy.most,
            "limited_by": self.occupancy.limit,
            "instructions": counted.total,
            "barrier_instructions": counted.barriers,
            "memory": [
                {"space": kind.space, "what": kind.what, "bytes": kind.bytes, "count": count}
                for kind, count in sorted(counted.traffic.items())
            ],
            "fused": counted.fused,
            "products": counted.products,
            "sums": counted.sums,
            "fp64": counted.double,
            "matrix": counted.matrix,
            "transcendental": counted.transcendental,
            "calls": sorted(counted.called),
        }


@dataclass(frozen=True, slots=True)
class Study:
    """All kernels of a file on all parts; *math* says where math functions come from."""

    rows: tuple[Studied, ...]
    findings: Findings
    math: str


def part_named(name: str) -> Part:
    """The part of a name; UsageError that lists the names otherwise."""
    if name not in PARTS:
        raise UsageError(f"--arch {name!r}: it takes all, or one of {', '.join(PARTS)}")
    return PARTS[name]


def study(question: Question, *, libraries: Path | None = None) -> Study:
    """Compile a file for each part and read what came out.

    libraries  the folder of AMD's device libraries; None: do without

    Raises CompileError, UsageError when no kernel has the name asked for, and VoidError when the
    file has no kernel at all.
    """
    rows: list[Studied] = []
    found: list[Finding] = []
    named: list[str] = []
    for part in question.parts:
        done = backend.compile_for(
            part,
            question.source,
            define=question.define,
            include=question.include,
            libraries=libraries,
        )
        named += [one.kernel for one in done.refused]
        found += [_refused(question, part, one) for one in done.refused]
        for code in read(done.assembly):
            named.append(code.name)
            if question.kernel and question.kernel not in {code.name, code.symbol}:
                continue
            row = _studied(question, part, code)
            rows.append(row)
            found += _findings(question.source, row)
    if not named:
        raise VoidError(f"{question.source} defines no __global__ function that is instantiated")
    if not rows and not found:
        names = ", ".join(sorted(set(named)))
        raise UsageError(f"--kernel {question.kernel!r}: {question.source} has {names}")
    return Study(tuple(rows), grouped(found), backend.math_source(libraries))


def _studied(question: Question, part: Part, code: KernelCode) -> Studied:
    block = question.block or code.threads
    lds = code.lds_bytes + question.shared
    fits = occupancy(part, vgprs=code.vgprs, sgprs=code.sgprs, lds_bytes=lds, block=block)
    return Studied(part, code, block, lds, fits)


def _findings(source: Path, row: Studied) -> Iterable[Finding]:
    """What is worth saying about a kernel on a part."""
    yield from _limits(source, row)
    yield from _spills(source, row)
    fits, code = row.occupancy, row.code
    if 0 < fits.waves * _LOW < fits.most and fits.limit:
        used = {
            "vector registers": f"{code.vgprs} vector registers",
            "scalar registers": f"{code.sgprs} scalar registers",
            "LDS": f"{row.lds_bytes:,} bytes of LDS a block",
            "block size": f"blocks of {row.block} threads",
        }[fits.limit]
        message = (
            f"{used} leave {plural(fits.waves, 'wave')} of {fits.most} on a SIMD, in blocks of "
            f"{row.block} threads"
        )
        yield _finding(source, row, "low-occupancy", "info", message, None)


def _limits(source: Path, row: Studied) -> Iterable[Finding]:
    """Launches that the part refuses."""
    code, part = row.code, row.part
    if row.block > code.threads:
        message = f"a block of {row.block} threads: the kernel allows {code.threads}"
        yield _finding(source, row, "launch-limit", "error", message, None)
    elif row.lds_bytes > part.lds_block:
        message = f"{row.lds_bytes:,} bytes of LDS a block: {part.name} has {part.lds_block:,}"
        yield _finding(source, row, "launch-limit", "error", message, None)
    elif row.occupancy.waves == 0:
        message = f"not one block of {row.block} threads fits: {row.occupancy.limit}"
        yield _finding(source, row, "launch-limit", "error", message, None)


def _spills(source: Path, row: Studied) -> Iterable[Finding]:
    """Registers and arrays that live in memory."""
    code, counted = row.code, row.code.instructions
    size = f"{code.scratch_bytes:,} bytes of scratch memory a thread"
    if code.vgpr_spills:
        message = (
            f"{plural(code.vgpr_spills, 'vector register')} spilled, {code.vgprs} in use; {size}"
        )
        yield _finding(source, row, "register-spill", "warning", message, counted.spill)
    elif code.scratch_bytes and not counted.called:
        message = f"a private array lives in memory: {size}"
        yield _finding(source, row, "register-spill", "warning", message, counted.scratch)
    elif code.sgpr_spills:
        message = f"{plural(code.sgpr_spills, 'scalar register')} spilled, to vector registers"
        yield _finding(source, row, "register-spill", "info", message, counted.spill)


def _finding(
    source: Path, row: Studied, kind: str, severity: Any, message: str, place: Place | None
) -> Finding:
    name = row.code.name.split("::")[-1].removesuffix("<...>")
    spot = Location(str(source), definition_line(source, name), row.code.name)
    if place is not None and place.line:
        spot = Location(_shown(place.file, source), place.line, row.code.name)
    draft = Finding("", kind, severity, row.code.name, row.part.name, message, location=spot)
    return identified(draft)


def _refused(question: Question, part: Part, one: backend.TooMuchMemory) -> Finding:
    message = f"{one.wanted:,} bytes of LDS a block: {part.name} has {one.limit:,}"
    line = definition_line(question.source, one.kernel)
    spot = Location(str(question.source), line, one.kernel)
    draft = Finding("", "launch-limit", "error", one.kernel, part.name, message, location=spot)
    return identified(draft)


def _shown(file: str, source: Path) -> str:
    """The source's own path as it was given, for lines in it."""
    same = Path(file).name == source.name and Path(file).resolve() == source.resolve()
    return str(source) if same else file


def notes(rows: Sequence[Studied], math: str) -> tuple[str, ...]:
    """What a reader of the figures must know."""
    calls = sorted({name for row in rows for name in row.code.instructions.called})
    said = [f"math functions: {math}"]
    if calls:
        said.append(
            f"calls of {', '.join(calls)} are not resolved: what those need is not in the figures"
        )
    return tuple(said)
