"""ROCm as it is installed: where its HIP library is, and what that library offers."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

_NAME = "libamdhip64.so"
_LISTED = re.compile(rf"^\s*{re.escape(_NAME)}\S*\s.*=>\s*(\S+)$", re.MULTILINE)


def library() -> Path | None:
    """Return the HIP library of the ROCm that is installed; None when there is none.

    Looked for where hip-python and the loader look: $ROCM_PATH, $HIP_PATH, /opt/rocm and its
    versions, the newest first, then the system's folders. Our own is not one.
    """
    for candidate in _candidates():
        names = exported_names(candidate)
        if "hipMalloc" in names and "hipaudit_ledger_version" not in names:
            return candidate.resolve()
    return None


def _candidates() -> Iterator[Path]:
    roots = [Path(os.environ[name]) for name in ("ROCM_PATH", "HIP_PATH") if os.environ.get(name)]
    roots.append(Path("/opt/rocm"))
    roots += sorted(Path("/opt").glob("rocm-*"), key=_version, reverse=True)
    for root in roots:
        yield from sorted((root / "lib").glob(f"{_NAME}*"))
    listed = subprocess.run(
        ["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False
    ).stdout
    yield from (Path(path) for path in _LISTED.findall(listed))


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.name))


def exported_names(path: Path) -> list[str]:
    """Return the functions of HIP's and ours that a shared library offers; none: it is not one."""
    try:
        with path.open("rb") as file:
            table = ELFFile(file).get_section_by_name(".dynsym")
            symbols = [] if table is None else list(table.iter_symbols())
    except (OSError, ELFError):
        return []
    defined = (symbol.name for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF")
    return sorted({name for name in defined if name.startswith(("hip", "__hip"))})


def soname(path: Path) -> str:
    """Return the name by which the loader knows a shared library."""
    with path.open("rb") as file:
        dynamic = ELFFile(file).get_section_by_name(".dynamic")
        tags = [] if dynamic is None else list(dynamic.iter_tags("DT_SONAME"))
    return str(tags[0].soname) if tags else path.name


def mirror(below: Path, folder: Path) -> None:
    """Have *folder*, whose lib holds our front library, stand in for the ROCm of *below*.

    What looks for the HIP library below $ROCM_PATH then finds ours, and the rest as it was.
    """
    root = below.parent.parent
    whole = (root / "include" / "hip").is_dir() and root != Path("/usr")
    beside = below.parent.iterdir() if whole else below.parent.glob("libhiprtc.so*")
    for entry in sorted(beside):
        if entry.name != _NAME:
            (folder / "lib" / entry.name).symlink_to(entry)
    for entry in sorted(root.iterdir()) if whole else []:
        if entry.name != "lib":
            (folder / entry.name).symlink_to(entry)
    hiprtc = folder / "lib" / "libhiprtc.so"
    versions = sorted((folder / "lib").glob("libhiprtc.so.*"))
    if versions and not hiprtc.exists():
        hiprtc.symlink_to(versions[0].name)
