"""hipaudit exec under the ledger: Python and native programs, their lines, codes and plots."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hipaudit import native_build, toolchain

LEAKY = """
import sys
from hip import hip

def make(size):
    status, memory = hip.hipMalloc(size)
    return memory

make(4096)
hip.hipFree(make(1 << 20))
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""

NATIVE = """
#include <stdio.h>
int hipMalloc(void** memory, unsigned long size);
int hipFree(void* memory);

static void* make(unsigned long size) {
  void* memory = 0;
  return hipMalloc(&memory, size) == 0 ? memory : 0;
}

int main(int count, char** words) {
  void* buffer = make(64);
  hipFree(buffer);
  if (count > 1) hipFree(buffer);
  if (count > 2) make(4096);
  printf("done %s\\n", words[0] ? "" : "?");
  return 0;
}
"""


def hipaudit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hipaudit", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    path = tmp_path / "leaky.py"
    path.write_text(LEAKY)
    return path


def executed(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    out = folder / "out.json"
    result = hipaudit("exec", "--json", str(out), *arguments)
    assert out.exists(), result.stderr
    return result.returncode, json.loads(out.read_text())


def test_a_leak_is_a_finding_with_its_stack(leaky: Path, tmp_path: Path) -> None:
    sarif = tmp_path / "out.sarif"
    code, found = executed(tmp_path, "--sarif", str(sarif), "--", sys.executable, str(leaky))
    assert code == 1
    (leak,) = found["findings"]
    assert (leak["kind"], leak["severity"], leak["bytes"]) == ("leak", "error", 4096)
    assert leak["location"]["line"] == 6
    assert [frame["line"] for frame in leak["location"]["frames"]] == [6, 9]
    assert leak["replay"].startswith("hipaudit exec --arch gfx942 -- ")
    memory = found["memory"]
    assert (memory["allocations"], memory["frees"], memory["live_bytes"]) == (2, 1, 4096)
    assert memory["peak_bytes"] == 4096 + (1 << 20)
    assert sum(site["peak_bytes"] for site in memory["sites"]) == memory["peak_bytes"]
    (result,) = json.loads(sarif.read_text())["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 6
    assert len(result["stacks"][0]["frames"]) == 2


def test_the_program_s_own_code_and_an_unseen_program(leaky: Path, tmp_path: Path) -> None:
    command = ("--", sys.executable, str(leaky), "7")
    assert executed(tmp_path, "--ledger", "--fail-on", "error", *command)[0] == 1
    clean = tmp_path / "clean.py"
    clean.write_text(LEAKY.replace("make(4096)", "hip.hipFree(make(4096))"))
    assert executed(tmp_path, "--ledger", "--", sys.executable, str(clean))[0] == 0
    assert executed(tmp_path, "--ledger", "--", sys.executable, str(clean), "7")[0] == 7
    code, found = executed(tmp_path, "--ledger", "--", sys.executable, "-c", "print(1)")
    assert (code, found["void"]) == (3, "no HIP call was made")


def test_live_memory_is_drawn(leaky: Path, tmp_path: Path) -> None:
    plot = tmp_path / "memory.svg"
    command = ("--", sys.executable, str(leaky))
    result = hipaudit("exec", "--ledger", "--memory-plot", str(plot), *command)
    assert result.returncode == 1
    assert "peak 1.0 MiB" in plot.read_text()
    assert "leaky.py:9" in plot.read_text()
    assert "memory: 2 allocations of 1.0 MiB, at most 1.0 MiB at once" in result.stdout
    assert "device, " in result.stdout
    nowhere = tmp_path / "missing" / "a" / "memory.svg"
    nowhere.parent.parent.write_text("a file")
    refused = hipaudit("exec", "--ledger", "--memory-plot", str(nowhere), *command)
    assert (refused.returncode, "cannot be written" in refused.stderr) == (2, True)


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a C program, built by the pinned compiler against the front library."""
    folder = tmp_path_factory.mktemp("native")
    source = folder / "native.c"
    source.write_text(NATIVE)
    library = native_build.device_libraries().front.parent
    cache = {"ZIG_GLOBAL_CACHE_DIR": str(toolchain.cache_folder() / "zig")}
    command = [str(toolchain.zig()), "cc", "-g", "-target", "x86_64-linux-gnu.2.28"]
    command += ["-o", str(folder / "native"), str(source), f"-L{library}", "-lamdhip64"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **cache})
    return folder / "native"


def test_a_native_program_is_told_its_lines(native: Path, tmp_path: Path) -> None:
    code, found = executed(tmp_path, "--ledger", "--", str(native), "twice", "leak")
    assert code == 1
    lines = {one["kind"]: one["location"]["line"] for one in found["findings"]}
    assert lines == {"double-free": 14, "leak": 8}
    (twice,) = [one for one in found["findings"] if one["kind"] == "double-free"]
    assert twice["other_location"]["line"] == 13
    assert twice["allocation"]["born"]["line"] == 8
    assert Path(twice["location"]["file"]).name == "native.c"
    (leak,) = [one for one in found["findings"] if one["kind"] == "leak"]
    assert [f["line"] for f in leak["location"]["frames"] if f["file"].endswith(".c")] == [8, 15]


def test_a_clean_native_program_is_clean(native: Path, tmp_path: Path) -> None:
    code, found = executed(tmp_path, "--ledger", "--", str(native))
    assert (code, found["findings"], found["void"]) == (0, [], None)
    assert found["memory"]["allocations"] == 1


SERVER = """
import signal, sys, time
from hip import hip

status, kept = hip.hipMalloc(4096)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
time.sleep(100)
"""


def test_a_request_to_end_reaches_the_program_and_the_report_follows(tmp_path: Path) -> None:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    command = [
        sys.executable,
        "-m",
        "hipaudit",
        "exec",
        "--ledger",
        "--",
        sys.executable,
        str(path),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.terminate()
        report, _ = running.communicate(timeout=100)
    assert running.returncode == 1
    assert "leak" in report
