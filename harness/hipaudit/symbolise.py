"""From an address in a kernel's object to file, line and inlined frames, by its DWARF."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.ranges import RangeEntry
from elftools.elf.elffile import ELFFile

_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Frame:
    """A source position: the function it lies in, its file as the compiler saw it, its line.

    marks  how many of ``;{}`` stand before it on its line, and how many there are: it tells the
           statements of one line apart; None where nobody knows
    """

    function: str
    file: str
    line: int
    marks: Marks | None = field(default=None, compare=False)


Marks: TypeAlias = tuple[int, int]
Place: TypeAlias = tuple[str, int, int]
"""A file, a line, and a column of the preprocessed text."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a line table: from *address* on, the code belongs to a place."""

    address: int
    place: Place
    ends: bool


@dataclass(slots=True)
class _Scope:
    """A function or an inlined call: the addresses it covers and what was called from where."""

    ranges: list[tuple[int, int]]
    function: str
    called: Place
    inner: list[_Scope] = field(default_factory=list)

    def covers(self, pc: int) -> bool:
        return any(low <= pc < high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class _Table:
    """What an object's debugging information says.

    marks  the columns of ``;{}`` in the preprocessed text, on lines that have several of them
    """

    rows: list[_Row]
    scopes: list[_Scope]
    marks: dict[tuple[str, int], tuple[int, ...]]

    def frame(self, function: str, place: Place) -> Frame:
        """Return the frame of a function at a place."""
        file, line, column = place
        columns = self.marks.get((file, line)) if column else None
        marks = (bisect.bisect_left(columns, column), len(columns)) if columns else None
        return Frame(function, file, line, marks)


Die: TypeAlias = Any
"""A debugging information entry of pyelftools, which has no types."""


class Symboliser:
    """Looks up addresses; every object is read once, every address resolved once."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._known: dict[tuple[str, int], tuple[Frame, ...]] = {}

    def frames(self, object_path: str, pc: int) -> tuple[Frame, ...]:
        """Return the frames at *pc*, innermost first; none when the object does not tell."""
        key = (object_path, pc)
        if key not in self._known:
            self._known[key] = _resolve(self._table(object_path), pc)
        return self._known[key]

    def _table(self, object_path: str) -> _Table:
        if object_path not in self._tables:
            try:
                rows, scopes = _read(Path(object_path))
                marks = _read_marks(Path(object_path).with_suffix(".marks"))
                self._tables[object_path] = _Table(rows, scopes, marks)
            except (OSError, ELFError, DWARFError, KeyError, ValueError):
                # Evidence without a line is better than no evidence.
                self._tables[object_path] = _Table([], [], {})
        return self._tables[object_path]


def _resolve(table: _Table, pc: int) -> tuple[Frame, ...]:
    """Return the frames at *pc*, innermost first."""
    rows = table.rows
    at = bisect.bisect_right(rows, pc, key=lambda row: row.address) - 1
    if at < 0 or rows[at].ends:
        return ()
    place = rows[at].place
    frames = []
    for scope in reversed(list(_chain(table.scopes, pc))):
        frames.append(table.frame(scope.function, place))
        place = scope.called
    return tuple(frames) or (table.frame("", place),)


def _chain(scopes: list[_Scope], pc: int) -> Iterator[_Scope]:
    """Yield the function at *pc*, then the calls inlined into it, outermost first."""
    for scope in scopes:
        if scope.covers(pc):
            yield scope
            yield from _chain(scope.inner, pc)
            return


def _read(path: Path) -> tuple[list[_Row], list[_Scope]]:
    """Return the line rows in the order of addresses, and the functions, of an ELF file."""
    rows: list[_Row] = []
    scopes: list[_Scope] = []
    with path.open("rb") as stream:
        dwarf = ELFFile(stream).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            files = _file_names(program, unit)
            rows += _rows(program, files)
            scopes += _scopes(unit.get_top_DIE(), dwarf, files)
    rows.sort(key=lambda row: (row.address, not row.ends))
    return rows, scopes


def _read_marks(path: Path) -> dict[tuple[str, int], tuple[int, ...]]:
    """Return what the device keeps beside an object: columns of marks by file and line."""
    marks: dict[tuple[str, int], tuple[int, ...]] = {}
    file = ""
    try:
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:  # an object of another's making
        return marks
    for row in text.split("\n"):
        if row.startswith("F"):
            file = _ESCAPED.sub(r"\1", row[1:])
        elif row:
            line, *columns = map(int, row.split())
            marks[file, line] = tuple(columns)
    return marks


def _file_names(program: Any, unit: Any) -> list[str]:
    """Return the names that a unit's line table calls by number."""
    header = program.header
    directories = [_text(name) for name in header.get("include_directory", ())]
    newer = unit["version"] >= 5
    names = [] if newer else [""]
    for entry in header.get("file_entry", ()):
        folder = ""
        index = entry.dir_index if newer else entry.dir_index - 1
        if 0 <= index < len(directories):
            folder = directories[index]
        names.append(_joined(folder, _text(entry.name)))
    return names


def _joined(folder: str, name: str) -> str:
    if name.startswith("/") or folder in {"", "."}:
        return name
    return f"{folder}/{name}"


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _name_at(files: list[str], index: int) -> str:
    return files[index] if 0 <= index < len(files) else "?"


def _rows(program: Any, files: list[str]) -> Iterator[_Row]:
    """Yield the rows of a line program; line 0 means: the same as before."""
    line = column = 0
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        line, column = (state.line, state.column) if state.line else (line, column)
        place = (_name_at(files, state.file), line, column)
        yield _Row(state.address, place, bool(state.end_sequence))


def _scopes(die: Die, dwarf: Any, files: list[str]) -> Iterator[_Scope]:
    """Yield the functions and inlined calls right below a debugging entry."""
    for child in die.iter_children():
        if child.tag in {"DW_TAG_subprogram", "DW_TAG_inlined_subroutine"}:
            ranges = list(_ranges(child, dwarf))
            if ranges:
                call_file = _name_at(files, _number(child, "DW_AT_call_file", -1))
                call_line = _number(child, "DW_AT_call_line", 0)
                called = (call_file, call_line, _number(child, "DW_AT_call_column", 0))
                inner = list(_scopes(child, dwarf, files))
                yield _Scope(ranges, _function(child), called, inner)
        elif child.has_children:
            yield from _scopes(child, dwarf, files)  # lexical blocks and namespaces


def _number(die: Die, name: str, default: int) -> int:
    attribute = die.attributes.get(name)
    return default if attribute is None else int(attribute.value)


def _function(die: Die) -> str:
    """Return a function's name, following an inlined call to its origin."""
    for _ in range(4):
        name = die.attributes.get("DW_AT_name") or die.attributes.get("DW_AT_linkage_name")
        if name is not None:
            return _text(name.value)
        link = next(
            (key for key in ("DW_AT_abstract_origin", "DW_AT_specification")
             if key in die.attributes),
            None,
        )  # fmt: skip
        if link is None:
            break
        die = die.get_DIE_from_attribute(link)
    return ""


def _ranges(die: Die, dwarf: Any) -> Iterator[tuple[int, int]]:
    """Yield the half-open address ranges of a debugging entry."""
    low = die.attributes.get("DW_AT_low_pc")
    high = die.attributes.get("DW_AT_high_pc")
    if low is not None and high is not None:
        size = high.value if high.form != "DW_FORM_addr" else high.value - low.value
        yield low.value, low.value + size
        return
    listed = die.attributes.get("DW_AT_ranges")
    if listed is None:
        return
    table = dwarf.range_lists()
    entries = table.get_range_list_at_offset(listed.value, die.cu)
    base = _number(die.cu.get_top_DIE(), "DW_AT_low_pc", 0)
    for entry in entries:
        if isinstance(entry, RangeEntry):
            offset = 0 if entry.is_absolute else base
            yield entry.begin_offset + offset, entry.end_offset + offset
        else:
            base = entry.base_address
