"""hipaudit mutate, as somebody types it who has a kernel and a test of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KERNEL = """#include <hip/hip_runtime.h>
extern "C" __global__ void turn(const int* x, int* y, int n) {
  __shared__ int all[64];
  const int i = threadIdx.x;
  if (i < n) all[i] = x[i];
  __syncthreads();
  if (i < n) y[i] = all[n - 1 - i];
}
"""
PROGRAM = """
import ctypes, sys
from pathlib import Path
import numpy as np
from hip import hip, hiprtc

def ok(answer):
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value):
        sys.exit(f"status {status.name}")
    return results[0] if results else None

text = "// handed on\\n" + Path(sys.argv[1]).read_text()
program = ok(hiprtc.hiprtcCreateProgram(text.encode(), b"turn.hip", 0, None, None))
ok(hiprtc.hiprtcCompileProgram(program, 0, None))
code = bytearray(ok(hiprtc.hiprtcGetCodeSize(program)))
ok(hiprtc.hiprtcGetCode(program, code))
function = ok(hip.hipModuleGetFunction(ok(hip.hipModuleLoadData(bytes(code))), b"turn"))
x = np.arange(40, dtype=np.int32)
y = np.zeros_like(x)
to, back = hip.hipMemcpyKind.hipMemcpyHostToDevice, hip.hipMemcpyKind.hipMemcpyDeviceToHost
dx, dy = ok(hip.hipMalloc(x.nbytes)), ok(hip.hipMalloc(y.nbytes))
ok(hip.hipMemcpy(dx, x, x.nbytes, to))
given = (ctypes.c_void_p(int(dx)), ctypes.c_void_p(int(dy)), ctypes.c_int(x.size))
ok(hip.hipModuleLaunchKernel(function, 1, 1, 1, 64, 1, 1, 0, None, None, given))
ok(hip.hipMemcpy(y, dy, y.nbytes, back))
ok(hip.hipFree(dx))
ok(hip.hipFree(dy))
if sys.argv[2] == "careful":
    sys.exit(int((y != x[::-1]).any()))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "turn.hip").write_text(KERNEL)
    (tmp_path / "test.py").write_text(PROGRAM)
    return tmp_path


def mutate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", "mutate", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def against(folder: Path, how: str, *options: str) -> subprocess.CompletedProcess[str]:
    program = ("--", sys.executable, "test.py", "turn.hip", how)
    return mutate(folder, "turn.hip", "--json", "-", *options, *program)


def document(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode in {0, 1}, result.stderr
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def test_a_careful_test_notices_mistakes_and_says_by_what(folder: Path) -> None:
    result = against(folder, "careful", "--operator", "index-offset", "--operator", "arithmetic")
    assert result.returncode == 0, result.stdout + result.stderr
    data = document(result)
    killed = data["mutation"][0]["killed"]
    assert sum(killed.values()) >= 4
    assert data["mutation"][0]["survivors"] == []
    assert set(killed) & {"tests", "out-of-bounds-global", "out-of-bounds-shared"}


def test_what_a_careless_test_misses_is_a_finding_with_its_line(folder: Path) -> None:
    result = against(folder, "careless", "--plain", "--operator", "operand-dropped", "--limit", "2")
    assert result.returncode == 1
    finding = document(result)["findings"][0]
    assert finding["kind"] == "mutant-survived"
    assert (finding["location"]["file"], finding["location"]["line"]) == ("turn.hip", 7)
    assert "all[n - 1 - i]" in finding["input"]
    assert "--mutant turn-" in finding["replay"]
    assert finding["replay"].endswith("test.py turn.hip careless")


def test_a_removed_barrier_is_noticed_though_the_numbers_are_right(folder: Path) -> None:
    result = against(folder, "careless", "--operator", "barrier-removed")
    killed = document(result)["mutation"][0]["killed"]
    assert result.returncode == 0
    assert len(killed) == 1
    assert next(iter(killed)) in {"race-wave", "race-shared", "uninitialised-read-shared"}


def test_an_argued_survivor_is_no_finding(folder: Path) -> None:
    options = ("--plain", "--operator", "operand-dropped", "--limit", "1")
    before = document(against(folder, "careless", *options))
    survivor = before["mutation"][0]["survivors"][0]
    entry = {"id": survivor["id"], "mutant": "n - 1", "reason": "this test does not look"}
    (folder / "equivalent_mutants.json").write_text(json.dumps([entry]))
    after = against(folder, "careless", *options)
    assert after.returncode == 0
    assert document(after)["findings"] == []
    assert "1 argued to be none" in after.stderr


def test_findings_below_fail_on_do_not_fail(folder: Path) -> None:
    options = ("--plain", "--operator", "operand-dropped", "--limit", "1", "--fail-on", "error")
    assert against(folder, "careless", *options).returncode == 0


def test_a_program_that_fails_as_it_is_proves_nothing(folder: Path) -> None:
    result = mutate(folder, "turn.hip", "--", sys.executable, "-c", "print('oh'); exit(4)")
    assert result.returncode == 2
    assert "exit code 4" in result.stderr
    assert "oh" in result.stderr


def test_a_program_that_never_compiles_the_file_is_void(folder: Path) -> None:
    result = mutate(folder, "turn.hip", "--", sys.executable, "-c", "pass")
    assert result.returncode == 3
    assert "never handed the file's text to hiprtc" in result.stderr


def test_a_file_without_device_code_is_void(folder: Path) -> None:
    (folder / "host.hip").write_text("int main() { return 1 + 1; }\n")
    result = mutate(folder, "host.hip", "--", sys.executable, "-c", "pass")
    assert result.returncode == 3
    assert "no device code" in result.stderr


def test_the_file_itself_is_left_alone(folder: Path) -> None:
    against(folder, "careful", "--operator", "arithmetic")
    assert (folder / "turn.hip").read_text() == KERNEL
    assert sorted(path.name for path in folder.iterdir()) == ["test.py", "turn.hip"]


def test_a_list_runs_nothing_and_names_each_mutant(folder: Path) -> None:
    result = mutate(folder, "turn.hip", "--list", "--operator", "barrier-removed")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("turn.hip:6: turn-")
    assert lines[1] == "turn.hip: 1 mutant"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("turn.hip",), "hipaudit mutate turn.hip -- pytest"),
        (("nothing.hip",), "not a file"),
        (("turn.hip", "--list", "--operator", "oops"), "no operator is called 'oops'"),
        (("turn.hip", "--arch", "gfx1", "--", "true"), "it takes one of"),
        (("turn.hip", "--", "no-such-program"), "does not start"),
        (("--", "true"), "name one file"),
    ],
)
def test_misuse_is_one_sentence(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = mutate(folder, *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_library_file_runs_against_its_spec_and_keeps_its_score(tmp_path: Path) -> None:
    first = mutate(tmp_path, "scale.hip", "--out", "kept", "--jobs", "1", "--json", "-")
    assert first.returncode == 0, first.stderr
    kept = json.loads((tmp_path / "kept" / "mutation.json").read_text())
    assert document(first)["mutation"] == kept["scores"]
    assert sum(kept["scores"][0]["killed"].values()) >= 5
    assert "scale.hip" in (tmp_path / "kept" / "mutation.md").read_text()
    kept["scores"][0]["killed"] = {"bound-exceeded": 12345}  # shows that it is not run again
    (tmp_path / "kept" / "mutation.json").write_text(json.dumps(kept))
    again = mutate(tmp_path, "scale.hip", "--out", "kept", "--json", "-")
    assert document(again)["mutation"][0]["killed"] == {"bound-exceeded": 12345}
    fresh = mutate(tmp_path, "scale.hip", "--out", "kept", "--json", "-", "--fresh", "--jobs", "1")
    assert document(fresh)["mutation"] == document(first)["mutation"]
