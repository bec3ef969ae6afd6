"""Ten thousand root causes in one launch: found, counted, and cheap in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EDGE = 100
MIB = 1 << 10
"""In the unit of ru_maxrss, which is KiB."""


def source() -> str:
    """A thread writes each row of a matrix on a line of its own, another wave each column."""
    rows = "\n".join(
        f"  if (t == 0) for (int i = 0; i < {EDGE}; ++i) x[{row} * {EDGE} + i] = {row};"
        for row in range(EDGE)
    )
    columns = "\n".join(
        f"  if (t == 64) for (int i = 0; i < {EDGE}; ++i) x[i * {EDGE} + {column}] = {-1 - column};"
        for column in range(EDGE)
    )
    return (
        "#include <hip/hip_runtime.h>\n__global__ void races(int* x) {\n"
        f"  const int t = threadIdx.x;\n{rows}\n{columns}\n}}\n"
    )


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def checked(file: Path, target: Path) -> int:
    """Check the file; return the most memory that any process of the command had, in KiB.

    A process begins with the memory of the one that starts it, so that a small one does.
    """
    command = [sys.executable, "-m", "hipaudit", "check", str(file), "--arch", "gfx942"]
    command += ["--block", "65", "--arg", f"i32[{EDGE * EDGE}]=zeros", "--json", str(target)]
    small = [sys.executable, "-c", MEASURE, *command]
    code, most = subprocess.run(small, capture_output=True, text=True, check=True).stdout.split()
    assert int(code) == 1
    return int(most)


def test_ten_thousand_findings_stay_under_a_second_and_100_mb(tmp_path: Path) -> None:
    file, target = tmp_path / "races.hip", tmp_path / "out.json"
    file.write_text(source())
    checked(file, target)  # the compiler, which has memory of its own, runs once
    most = checked(file, target)
    document = json.loads(target.read_text())
    assert len(document["findings"]) + document["findings_not_listed"] == EDGE * EDGE
    assert {found["kind"] for found in document["findings"]} == {"race-global"}
    (kernel,) = document["kernels"]
    assert kernel["launch_ms"] < 1000
    assert most < 100 * MIB
