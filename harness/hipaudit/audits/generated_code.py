"""The audit of generated code: every kernel of the library, compiled for every AMD part.

Without AMD's device libraries, even where they are installed: a page must not depend on that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hipaudit.finding import Finding, grouped
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, Studied, Study, study
from hipaudit.resources import kernels_folder, shown_kernel_path


def sources() -> tuple[Path, ...]:
    """The library's kernel files, as reports show them."""
    return tuple(shown_kernel_path(path.name) for path in sorted(kernels_folder().glob("*.hip")))


def audit(files: Sequence[Path], tick: Callable[[], None] = lambda: None) -> Study:
    """Study the files' kernels on all parts; *tick* is called for each file and part."""
    rows: list[Studied] = []
    found: list[Finding] = []
    math = ""
    for file in files:
        for part in PARTS.values():
            done = study(Question(file, (part,)))
            rows += done.rows
            found += done.findings.items
            math = done.math
            tick()
    return Study(tuple(rows), grouped(found), math)
