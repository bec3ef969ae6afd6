"""The corpus of seeded faults in ``kernels/faults``: what each file says it must be found for.

A file holds a fault and its clean twin, apart by a few lines under ``TWIN``; files in ``clean``
hold one kernel that must not be accused. ``kernels/faults/README.md`` describes the header's
directives and the marks at the lines; this module reads them and judges nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from hipaudit.errors import UsageError

Side: TypeAlias = Literal["at", "write", "other"]
Width: TypeAlias = Literal["32", "64", "both"]
Judge: TypeAlias = Literal["check", "oracle", "repeat", "widths"]

ARCH_OF: Final[dict[str, str]] = {"32": "gfx1100", "64": "gfx942", "both": "both"}
"""What ``--arch`` gets for a width."""

CLEAN: Final = "clean"
TWIN: Final = ("-D", "TWIN=1")

MEMORY_KINDS: Final = (
    "out-of-bounds-global",
    "out-of-bounds-shared",
    "out-of-bounds-private",
    "misaligned-access",
    "use-after-free",
    "uninitialised-read-global",
    "uninitialised-read-shared",
    "race-shared",
    "race-global",
    "race-grid",
    "race-atomic-scope",
    "race-wave",
    "barrier-divergence",
    "barrier-without-fence",
    "deadlock",
    "timeout",
    "wild-access",
    "stack-overflow",
    "undefined-behaviour",
    "unwritten-output",
)
NUMERIC_KINDS: Final = (
    "bound-exceeded",
    "nonfinite-mismatch",
    "overflow",
    "conversion-inexact",
    "nondeterminism",
    "wave-size-dependence",
)
HYGIENE_KINDS: Final = ("redundant-barrier", "unused-shared")
KINDS: Final = MEMORY_KINDS + NUMERIC_KINDS + HYGIENE_KINDS
"""Every kind that a kernel by itself can show; the others belong to the API or the runtime."""

_SEVERITIES: Final = ("error", "warning", "info")
_DIRECTIVE = re.compile(r"^// ([A-Z]{3,}): (.*)$")
_MARK = re.compile(r"// (FAULT|ALSO): (.*?)(?=\s*// (?:FAULT|ALSO): |\s*$)")
_PART = re.compile(r"^([a-z|-]+)(?:@(32|64))?((?: (?:at|write|other))+)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """One expectation at one line.

    kinds     the kinds that a finding here may have; more than one where the rules leave it open
    side      at: the finding's line; write and other: the two sides of a race, in either order
    line      from 1
    width     the wave width at which the mark holds; None: at each
    required  False for what may be found beside the fault and need not be
    """

    kinds: tuple[str, ...]
    side: Side
    line: int
    width: Width | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """One file of the corpus.

    path        the .hip file
    kind        the folder it lies in, the kind it must be found as; ``clean`` for none
    run         arguments of ``hipaudit check`` behind the file name
    widths      where it must be found; ``both`` in one run of the two
    severities  of the finding, any of them
    judge       check: the access checks see it; oracle, repeat, widths: its output is wrong,
                changes between runs, differs between widths
    oracle      name of the reference for the judge ``oracle``
    claim       id of the audit's claim that it re-derives
    beside      kinds that may be found at any line beside it
    """

    path: Path
    kind: str
    run: tuple[str, ...]
    marks: tuple[Mark, ...] = ()
    widths: tuple[Width, ...] = ("32", "64")
    severities: tuple[str, ...] = ("error",)
    judge: Judge = "check"
    oracle: str | None = None
    claim: str | None = None
    beside: frozenset[str] = frozenset()
    has_twin: bool = field(default=True)

    @property
    def name(self) -> str:
        """``kind/shape``, as reports and tests call it."""
        return f"{self.kind}/{self.path.stem}"

    @property
    def clean(self) -> bool:
        """Whether it holds no fault at all."""
        return self.kind == CLEAN

    def arguments(self, *, twin: bool = False) -> tuple[str, ...]:
        """Return the arguments of ``hipaudit check``, the file included."""
        return (str(self.path), *self.run, *(TWIN if twin else ()))

    def expected(self, width: Width) -> tuple[Mark, ...]:
        """Return the marks that hold at *width*."""
        return tuple(mark for mark in self.marks if mark.width in {None, width})

    def lines(self, side: Side) -> frozenset[int]:
        """Return the lines marked as that side of the fault itself."""
        return frozenset(m.line for m in self.marks if m.required and m.side == side)


def read_corpus(folder: Path) -> tuple[Fault, ...]:
    """Read every .hip file under *folder*, in the order of kind and name.

    Raises UsageError naming file and line where a directive or a mark cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"no corpus of faults at {folder}")
    faults = [read_fault(path) for path in sorted(folder.glob("*/*.hip"))]
    place = {kind: number for number, kind in enumerate((*KINDS, CLEAN))}
    return tuple(sorted(faults, key=lambda fault: (place[fault.kind], fault.path.stem)))


def read_fault(path: Path) -> Fault:
    """Read one file of the corpus; raises UsageError as ``read_corpus`` does."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kind = path.parent.name
    if kind not in (*KINDS, CLEAN):
        raise UsageError(f"{path}: {kind!r} is no kind of finding")
    header = _directives(path, lines)
    judge, _, oracle = header.get("JUDGE", "check").partition(" ")
    widths = _words(path, header.get("WIDTHS", "32 64"), get_args(Width))
    severities = _words(path, header.get("SEVERITY", "error").replace("|", " "), _SEVERITIES)
    if "RUN" not in header:
        raise UsageError(f"{path}: no RUN directive")
    return Fault(
        path=path,
        kind=kind,
        run=(*shlex.split(header["RUN"]), *_timeout(header)),
        marks=tuple(_marks(path, lines)),
        widths=widths,  # type: ignore[arg-type]  # _words has checked each
        severities=severities,
        judge=_words(path, judge, get_args(Judge))[0],  # type: ignore[arg-type]
        oracle=oracle or None,
        claim=header.get("CLAIM"),
        beside=frozenset(_words(path, header.get("ALSO", ""), KINDS)),
        has_twin=any("TWIN" in line for line in lines),
    )


def _directives(path: Path, lines: list[str]) -> dict[str, str]:
    """Return the header's directives; those given on several lines are one."""
    known = {"RUN", "WIDTHS", "SEVERITY", "TIMEOUT", "JUDGE", "CLAIM", "ALSO"}
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _DIRECTIVE.match(line)
        if match is None:
            continue
        name, value = match.groups()
        if name not in known:
            raise UsageError(f"{path}:{number}: {name} is no directive")
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def _timeout(header: dict[str, str]) -> tuple[str, ...]:
    return ("--timeout", header["TIMEOUT"]) if "TIMEOUT" in header else ()


def _words(path: Path, text: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Split *text* into words, each of which must be one of *allowed*."""
    words = tuple(text.split())
    for word in words:
        if word not in allowed:
            raise UsageError(f"{path}: {word!r} is none of {', '.join(allowed)}")
    return words


def _marks(path: Path, lines: list[str]) -> Iterator[Mark]:
    """Yield the marks of a file: ``code  // FAULT: kind[|kind][@width] side...[; kind...]``."""
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("//"):
            continue
        for label, text in _MARK.findall(line):
            for part in text.split(";"):
                match = _PART.match(part.strip())
                kinds = tuple(match[1].split("|")) if match else ()
                if match is None or not set(kinds) <= set(KINDS):
                    raise UsageError(f"{path}:{number}: the mark {part.strip()!r} says nothing")
                for side in match[3].split():
                    yield Mark(
                        kinds=kinds,
                        side=side,  # type: ignore[arg-type]  # the pattern allows these only
                        line=number,
                        width=match[2],  # type: ignore[arg-type]
                        required=label == "FAULT",
                    )
