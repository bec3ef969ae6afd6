"""Structures as a compiler recorded them in the debugging information of an object or a library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hipaudit.errors import UsageError
from hipaudit.layouts.structure import Field, Structure

_RECORDS = ("DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type")
_POINTERS = ("DW_TAG_pointer_type", "DW_TAG_reference_type")


def structures_of(path: Path, declared_in: str | None = None) -> Iterator[Structure]:
    """Yield the named structures that an ELF file's debugging information describes.

    declared_in  only those that this source file declares

    Raises UsageError when it is no ELF file or has none.
    """
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if not elf.has_dwarf_info():
                raise UsageError(f"{path} has no debugging information: compile it with -g")
            for unit in elf.get_dwarf_info().iter_CUs():
                files = _files(elf.get_dwarf_info(), unit) if declared_in else []
                yield from _in_scope(unit.get_top_DIE(), (files, declared_in))
    except ELFError as error:
        raise UsageError(f"{path} is not an object file or a library: {error}") from error


def _files(dwarf: Any, unit: Any) -> list[str]:
    """Return the file names that a unit's entries call by number."""
    program = dwarf.line_program_for_CU(unit)
    return [str(entry.name.decode(errors="replace")) for entry in program["file_entry"]]


def _in_scope(scope: Any, only: tuple[list[str], str | None]) -> Iterator[Structure]:
    """Yield a unit's or a namespace's structures, not those declared within others."""
    for die in scope.iter_children():
        if die.tag == "DW_TAG_namespace":
            yield from _in_scope(die, only)
        elif die.tag in _RECORDS and die.has_children and _declared(die, *only):
            yield from _structure(die)


def _declared(die: Any, files: list[str], wanted: str | None) -> bool:
    number = _number(die, "DW_AT_decl_file")
    if wanted is None or number is None:
        return wanted is None
    return number < len(files) and wanted.endswith(files[number])


def _structure(die: Any) -> Iterator[Structure]:
    name = _text(die, "DW_AT_name") or _alias(die)
    if not name:
        return
    line = _number(die, "DW_AT_decl_line") or 0
    size, fields = _number(die, "DW_AT_byte_size"), tuple(_fields(die, 0))
    yield Structure(name, size, fields, unplaced=tuple(_bit_fields(die)), line=line)


def _alias(die: Any) -> str:
    """Return the name that a typedef gives to a structure without one."""
    for other in die.get_parent().iter_children():
        named = other.tag == "DW_TAG_typedef" and "DW_AT_type" in other.attributes
        if named and other.get_DIE_from_attribute("DW_AT_type").offset == die.offset:
            return _text(other, "DW_AT_name")
    return ""


def _fields(die: Any, base: int) -> Iterator[Field]:
    """Yield the members that have an address, those of unnamed members among them."""
    for member in die.iter_children():
        if member.tag != "DW_TAG_member" or "DW_AT_bit_size" in member.attributes:
            continue
        offset = base + (_number(member, "DW_AT_data_member_location") or 0)
        kind = member.get_DIE_from_attribute("DW_AT_type")
        name = _text(member, "DW_AT_name")
        if name:
            yield Field(name, offset, _size(kind), _number(member, "DW_AT_decl_line") or 0)
        else:
            yield from _fields(kind, offset)


def _bit_fields(die: Any) -> Iterator[str]:
    for member in die.iter_children():
        if member.tag == "DW_TAG_member" and "DW_AT_bit_size" in member.attributes:
            yield _text(member, "DW_AT_name")


def _size(kind: Any) -> int | None:
    """Return the size of a type in bytes; None where it is not recorded."""
    size = _number(kind, "DW_AT_byte_size")
    if size is not None:
        return size
    if kind.tag in _POINTERS:
        return int(kind.cu["address_size"])
    if "DW_AT_type" not in kind.attributes:
        return None
    size = _size(kind.get_DIE_from_attribute("DW_AT_type"))
    if size is None or kind.tag != "DW_TAG_array_type":
        return size
    for bound in kind.iter_children():
        if bound.tag == "DW_TAG_subrange_type":
            upper = _number(bound, "DW_AT_upper_bound")
            count = _number(bound, "DW_AT_count")
            size *= count if count is not None else (upper + 1 if upper is not None else 0)
    return size


def _number(die: Any, name: str) -> int | None:
    attribute = die.attributes.get(name)
    return None if attribute is None else int(attribute.value)


def _text(die: Any, name: str) -> str:
    attribute = die.attributes.get(name)
    return "" if attribute is None else str(attribute.value.decode(errors="replace"))
