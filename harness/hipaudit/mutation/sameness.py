"""Whether two compilations gave the same machine code: a mutant that did is no mistake.

This is trivial compiler equivalence (Papadakis and others, ICSE 2015): the optimiser proves for
many a mutant what no test can.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection


def code_digest(path: Path) -> str:
    """Return a digest of an object file's code and data, without debug information."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        for section in elf.iter_sections():
            shown = section
            if isinstance(section, RelocationSection):
                shown = elf.get_section(section["sh_info"])
            if not shown["sh_flags"] & SH_FLAGS.SHF_ALLOC:
                continue
            digest.update(section.name.encode() + b"\0")
            if not isinstance(section, RelocationSection):
                digest.update(section.data())
                continue
            for entry in section.iter_relocations():
                symbol = symbols.get_symbol(entry["r_info_sym"])
                target = symbol.name or f"{symbol['st_shndx']}+{symbol['st_value']}"
                where = (entry["r_offset"], entry["r_info_type"], entry["r_addend"], target)
                digest.update(repr(where).encode())
    return digest.hexdigest()
