"""Addresses to lines, through the DWARF that the pinned compiler writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from hipaudit import toolchain
from hipaudit.symbolise import Frame, Symboliser

SOURCE = """static inline __attribute__((always_inline)) int inner(const int* p) {
  return *p;
}
static inline __attribute__((always_inline)) int middle(const int* p) {
  return inner(p) + 1;
}
int outer(const int* p) {
  return middle(p) * 3;
}
int second(const int* p) {
  if (*p > 5) return outer(p + 1);
  return 0;
}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a linked object of SOURCE with DWARF 5 line tables and inlining."""
    folder = tmp_path_factory.mktemp("object")
    (folder / "t.cpp").write_text(SOURCE)
    tools = toolchain.compiler()
    flags = ["-triple", toolchain.TRIPLE, "-O2", "-emit-obj", "-x", "c++"]
    flags += ["-debug-info-kind=line-tables-only", "-dwarf-version=5", "-fno-rtti"]
    flags += ["-mrelocation-model", "pic", "-pic-level", "2", "-ffunction-sections"]
    flags += [f"-fdebug-compilation-dir={folder}"]
    command = [*tools.compile, *flags, "-o", str(folder / "t.o"), str(folder / "t.cpp")]
    subprocess.run(command, check=True)
    linked = folder / "t.so"
    subprocess.run([*tools.link, "-shared", "-o", str(linked), str(folder / "t.o")], check=True)
    return linked


def address_of(path: Path, name: str) -> tuple[int, int]:
    """Return the first address of a function and the one after its last."""
    with path.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab")
        (symbol,) = [s for s in symbols.iter_symbols() if name in s.name]
        start = int(symbol["st_value"])
        return start, start + int(symbol["st_size"])


def test_inlined_calls_come_back_innermost_first(built: Path) -> None:
    symboliser = Symboliser()
    start, end = address_of(built, "outer")
    chains = {symboliser.frames(str(built), pc) for pc in range(start, end)}
    source = str(built.with_name("t.cpp"))
    names = {tuple((f.function, f.line) for f in chain) for chain in chains}
    assert (("inner", 2), ("middle", 5), ("outer", 8)) in names
    assert all(Path(f.file) == Path(source) for chain in chains for f in chain)


def test_every_instruction_of_a_function_has_its_line(built: Path) -> None:
    symboliser = Symboliser()
    start, end = address_of(built, "second")
    for pc in range(start, end):
        frames = symboliser.frames(str(built), pc)
        assert frames
        assert frames[-1].function == "second"
        assert 10 <= frames[-1].line <= 13


def test_addresses_outside_the_code_have_no_frames(built: Path) -> None:
    symboliser = Symboliser()
    assert symboliser.frames(str(built), 0) == ()
    assert symboliser.frames(str(built), 1 << 40) == ()


def test_an_object_that_is_gone_or_broken_has_no_frames(tmp_path: Path) -> None:
    broken = tmp_path / "broken.elf"
    broken.write_bytes(b"\x7fELF but not really")
    empty = tmp_path / "empty.elf"
    empty.write_bytes(b"")
    symboliser = Symboliser()
    for path in (broken, empty, tmp_path / "absent.elf"):
        assert symboliser.frames(str(path), 4660) == ()


def test_a_frame_is_a_value() -> None:
    assert Frame("f", "a.hip", 3) == Frame("f", "a.hip", 3)
