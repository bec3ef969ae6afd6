"""Layouts of Rust's ``#[repr(C)]`` structures: C's rules, read from the source.

Enough of Rust for a binding: numbers, arrays, pointers, functions, and other such structures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from hipaudit.errors import UsageError
from hipaudit.layouts.facts import LATEST, facts
from hipaudit.layouts.structure import Field, Structure, key

_SIZES = {
    **dict.fromkeys(("i8", "u8", "bool", "c_char", "c_schar", "c_uchar"), 1),
    **dict.fromkeys(("i16", "u16", "c_short", "c_ushort"), 2),
    **dict.fromkeys(("i32", "u32", "f32", "c_int", "c_uint", "c_float", "char"), 4),
    **dict.fromkeys(("i64", "u64", "f64", "isize", "usize", "c_long", "c_ulong"), 8),
    **dict.fromkeys(("c_longlong", "c_ulonglong", "c_double", "size_t"), 8),
}
_STRUCT = re.compile(
    r"#\[repr\((?P<repr>[^)]*)\)\](?P<between>(?:\s|#\[[^\]]*\]|//[^\n]*\n)*)"
    r"(?:pub(?:\([^)]*\))?\s+)?(?P<what>struct|union|enum)\s+(?P<name>\w+)\s*\{(?P<body>[^}]*)\}"
)
_FIELD = re.compile(
    r"(?:pub(?:\([^)]*\))?\s+)?(?P<name>\w+)\s*:\s*(?P<type>[^,\n]+(?:,(?=[^\n:]*>))?)"
)
_CONST = re.compile(r"const\s+(\w+)\s*:\s*usize\s*=\s*(\d+)")
_ALIAS = re.compile(r"\btype\s+(\w+)\s*=\s*([^;]+);")
_ARRAY = re.compile(r"\[\s*(?P<type>.+?)\s*;\s*(?P<count>\w+)\s*\]$")


@dataclass(slots=True)
class _Types:
    """What the file has declared so far: sizes and alignments, aliases, constants."""

    path: Path
    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)

    def layout(self, kind: str, line: int) -> tuple[int, int]:
        """Return a type's size and alignment; UsageError for one that is not known."""
        kind = kind.strip().rstrip(",").strip()
        if kind.startswith(("*const", "*mut", "&", "Option<", "extern", "unsafe", "NonNull<")):
            return 8, 8
        array = _ARRAY.match(kind)
        if array:
            size, alignment = self.layout(array["type"], line)
            return size * self._count(array["count"], line), alignment
        name = kind.rpartition("::")[2]
        if name in self.aliases:
            return self.layout(self.aliases[name], line)
        found = self.known.get(name) or _known_elsewhere(name)
        if found is None:
            raise UsageError(f"{self.path}:{line}: the size of {kind} is not known")
        return found

    def _count(self, text: str, line: int) -> int:
        plain = text.replace("_", "")
        if plain.isdecimal():
            return int(plain)
        if text not in self.constants:
            raise UsageError(f"{self.path}:{line}: {text} is no constant of the file")
        return self.constants[text]


def _known_elsewhere(name: str) -> tuple[int, int] | None:
    """Return the size and alignment of a type that the file takes from another."""
    if name in _SIZES:
        return _SIZES[name], _SIZES[name]
    theirs = facts(LATEST).get(key(name))
    if theirs is not None and theirs.size and theirs.alignment:
        return theirs.size, theirs.alignment
    # The handles of HIP's API are pointers.
    return (8, 8) if re.fullmatch(r"hip\w+_t", name) else None


def structures_of(path: Path) -> tuple[Structure, ...]:
    """Return the ``#[repr(C)]`` structures of a Rust file, in its order.

    Raises UsageError for a field whose type cannot be sized.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    plain = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)
    plain = re.sub(r"//[^\n]*", "", plain)
    types = _Types(path)
    types.constants = {name: int(value) for name, value in _CONST.findall(plain)}
    types.aliases = dict(_ALIAS.findall(plain))
    found = []
    for match in _STRUCT.finditer(plain):
        if match["what"] == "enum":
            width = _SIZES.get(match["repr"].strip(), 4)
            types.known[match["name"]] = (width, width)
            continue
        found.append(_structure(match, plain, types))
    return tuple(found)


def _structure(match: re.Match[str], text: str, types: _Types) -> Structure:
    """Lay a structure or union out by C's rules."""
    offset = size = 0
    alignment = 1
    packed = "packed" in match["repr"]
    fields = []
    start = match.start("body")
    for member in _FIELD.finditer(match["body"]):
        line = text.count("\n", 0, start + member.start("name")) + 1
        width, needed = types.layout(member["type"], line)
        needed = 1 if packed else needed
        alignment = max(alignment, needed)
        if match["what"] == "struct":
            offset = -(-size // needed) * needed
        fields.append(Field(member["name"], offset, width, line))
        size = max(size, offset + width)
    size = -(-size // alignment) * alignment
    types.known[match["name"]] = (size, alignment)
    line = text.count("\n", 0, match.start("what")) + 1
    return Structure(match["name"], size, tuple(fields), alignment, file=str(types.path), line=line)
