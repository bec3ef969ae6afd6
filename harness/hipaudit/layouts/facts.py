"""What the headers say: names from the compiler's record of them, numbers from `offsetof` probes.

Nothing here is typed in: a probe is compiled against our headers with the pinned compiler and its
constants are read from the object file.
"""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from elftools.elf.elffile import ELFFile

from hipaudit import toolchain
from hipaudit.errors import CompileError
from hipaudit.layouts.dwarf import structures_of
from hipaudit.layouts.structure import Field, Structure, key

VERSIONS = {"5": "ROCm 5", "6": "ROCm 6", "7": "ROCm 7 and later"}
"""The layouts that bindings meet, by ROCm's major version."""

LATEST = "7"
# A structure's forms, the wanted one first: its name carries the first version that had it, as
# AMD's hipDeviceProp_tR0600 does, or nothing where there is no newer one.
_FORMS = {"5": ("R0000", "R0600", ""), "6": ("R0600", ""), "7": ("", "R0600")}
_HEADERS = "#include <hip/hip_runtime_api.h>\n#include <hipaudit/api_old_types.h>\n"
_TABLE = "hipaudit_layout_facts"


@functools.cache
def facts(version: str) -> Mapping[str, Structure]:
    """Return the structures of HIP's API in a version's layout, by their `key`.

    version  one of VERSIONS; raises ToolchainError without a compiler
    """
    found: dict[str, Structure] = {}
    for suffix in _FORMS[version]:
        for one in _every():
            if (one.name[-5:] if one.name.endswith(("R0000", "R0600")) else "") == suffix:
                found.setdefault(key(one.name), one)
    return found


@functools.cache
def _every() -> tuple[Structure, ...]:
    """Return all structures of the headers, old forms under their own names."""
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        recorded = structures_of(compile_unit(_HEADERS, Path(folder)))
        ours = {s.name: s for s in recorded if _of_the_api(s.name)}
        return _measured(ours.values(), Path(folder))


def _of_the_api(name: str) -> bool:
    return name.lower().startswith(("hip", "dim3")) and "<" not in name


def _measured(named: Iterable[Structure], folder: Path) -> tuple[Structure, ...]:
    """Return structures with every number taken from a compiled probe."""
    listed = sorted(named, key=lambda s: s.name)
    words: list[str] = []
    for one in listed:
        words += [f"sizeof({one.name})", f"alignof({one.name})"]
        for field in one.fields:
            place = f"{one.name}, {field.name}"
            words += [f"offsetof({place})", f"sizeof((({one.name}*)0)->{field.name})"]
    table = f'extern "C" const unsigned long {_TABLE}[] = {{{", ".join(words)}}};\n'
    numbers = iter(_constants(compile_unit(_HEADERS + "#include <stddef.h>\n" + table, folder)))
    found = []
    for one in listed:
        size, alignment = next(numbers), next(numbers)
        fields = tuple(Field(field.name, next(numbers), next(numbers)) for field in one.fields)
        found.append(Structure(one.name, size, fields, alignment, one.unplaced))
    return tuple(found)


def _constants(path: Path) -> list[int]:
    """Return the probe's table from its object file."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        symbol = elf.get_section_by_name(".symtab").get_symbol_by_name(_TABLE)[0]
        data = elf.get_section(symbol["st_shndx"]).data()
        start, size = symbol["st_value"], symbol["st_size"]
        return list(struct.unpack(f"<{size // 8}Q", data[start : start + size]))


def compile_unit(source: str, folder: Path, search: tuple[Path, ...] = ()) -> Path:
    """Compile C++ text against our headers, with every type in the debugging information.

    Returns the object file in *folder*; raises CompileError with the compiler's log.
    """
    unit = folder / "unit.cpp"
    unit.write_text(source, encoding="utf-8")
    tools = toolchain.compiler()
    target = ("-triple", toolchain.TRIPLE, "-fgnuc-version=4.2.1", "-std=c++20", "-x", "c++")
    include: tuple[str, ...] = ("-I", str(toolchain.NATIVE / "include"))
    for path in search:
        include += ("-I", str(path))
    what = ("-emit-obj", "-debug-info-kind=unused-types", "-dwarf-version=5")
    command = (*tools.compile, *target, *tools.includes, *include, *what)
    answer = folder / "unit.o"
    last = ("-D__HIP_PLATFORM_AMD__=1", "-o", str(answer), str(unit))
    result = subprocess.run([*command, *last], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CompileError(result.stderr.strip())
    return answer
