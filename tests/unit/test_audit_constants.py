"""Numbers of a kernel's header comment are found in its code, or said to be missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.audits import constants
from hipaudit.audits.constants import Stated, stated_in

KERNEL = """// Block     at most 256 threads.
// Grid      ceil(n / 64) blocks of 8 x 4 elements, 12 x 99 of them.

#include "tile.h"

constexpr int kThreads = tile::kSide * tile::kSide;  // 7 x 7

extern "C" __global__ __launch_bounds__(kThreads * (2 + 2)) void k(float* x) { x[8] = 12; }
"""
HEADER = "namespace tile {\nconstexpr int kSide = 8;\nconstexpr int kHalf = kSide / 2;\n}\n"


def stated(folder: Path, text: str) -> list[Stated]:
    (folder / "k.hip").write_text(text)
    (folder / "tile.h").write_text(HEADER)
    return list(stated_in(folder / "k.hip"))


def test_numbers_are_found_as_bounds_constants_and_literals(tmp_path: Path) -> None:
    found = {(one.number, one.found) for one in stated(tmp_path, KERNEL)}
    assert found == {
        (256, "launch bounds"),
        (64, "kThreads"),
        (8, "kSide"),
        (4, "kHalf"),
        (12, "a literal"),
        (99, ""),
    }
    assert not [one for one in stated(tmp_path, KERNEL) if one.limit is not None]


def test_more_threads_than_the_launch_bounds_are_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = KERNEL.replace("at most 256", "at most 512")
    (one,) = (each for each in stated(tmp_path, wrong) if each.limit is not None)
    assert (one.number, one.limit, one.line) == (512, 256, 1)
    monkeypatch.setattr(constants, "kernels_folder", lambda: tmp_path)
    sweep = constants.audit((), "emulated")
    (finding,) = sweep.findings
    assert finding.kind == "launch-limit"
    assert "512 threads, and the kernel's launch bounds allow 256" in finding.message


def test_the_librarys_headers_state_what_their_code_has() -> None:
    sweep = constants.audit((), "emulated")
    assert (sweep.findings, sweep.void) == ((), None)
    assert sweep.steps > 50
