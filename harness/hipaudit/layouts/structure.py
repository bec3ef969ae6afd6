"""Structure and Field: a layout, whoever says so."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A member: *offset* and *size* in bytes; size None where it is not said.

    line  in the binding's file; 0: not known
    """

    name: str
    offset: int
    size: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure's layout; *size* in bytes, None where it is not said.

    alignment   in bytes, None where it is not said
    unplaced    members that have no address of their own: bit-fields
    file, line  where the binding declares it; empty and 0: not known
    """

    name: str
    size: int | None
    fields: tuple[Field, ...]
    alignment: int | None = None
    unplaced: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


_SUFFIX = re.compile(r"(_(t|st|tr0000|tr0600)|r0000|r0600)$", re.IGNORECASE)


def key(name: str) -> str:
    """Return what names one structure or field in any language's spelling.

    ``hipDeviceProp_t``, ``HipDeviceProp`` and ``hipDeviceProp_tR0600`` are one, and so are
    ``totalGlobalMem`` and ``total_global_mem``. Names in capitals are structures of their own:
    HIP has both ``HIP_LAUNCH_CONFIG`` and ``hipLaunchConfig_t``.
    """
    plain = _SUFFIX.sub("", name)
    return plain.lower() if plain.isupper() else plain.replace("_", "").lower()
