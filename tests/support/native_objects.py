"""Sources of the device library, compiled as they are for it, for tests to link alone."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hipaudit import toolchain


def run(command: Sequence[str | Path]) -> None:
    """Run a compiler; raises AssertionError with its words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def library_object(source: Path, built: Path) -> Path:
    """Compile a C++ source of the library, or a test's that includes it, to the object *built*."""
    tools = toolchain.compiler()
    headers = ("-I", str(toolchain.NATIVE / "include"), "-I", str(toolchain.NATIVE))
    emit = ("-x", "c++", "-emit-obj", "-o", built)
    run([*tools.compile, *toolchain.LIBRARY, *tools.includes, *headers, *emit, source])
    return built
