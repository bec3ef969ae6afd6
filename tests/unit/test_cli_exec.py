"""hipaudit exec: other people's programs, and their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from hip import hip, hiprtc

def ok(answer):
    status, *results = answer
    if int(status.value):
        print("status", status.name)
    return results[0] if results else None

source = b'''extern "C" __global__ void good(int* p) { p[threadIdx.x] = threadIdx.x; }
extern "C" __global__ void wild(int* p) { p[threadIdx.x + 100000000] = 1; }'''
program = ok(hiprtc.hiprtcCreateProgram(source, b"app.hip", 0, None, None))
ok(hiprtc.hiprtcCompileProgram(program, 0, None))
code = bytearray(ok(hiprtc.hiprtcGetCodeSize(program)))
ok(hiprtc.hiprtcGetCode(program, code))
module = ok(hip.hipModuleLoadData(bytes(code)))
memory = ok(hip.hipMalloc(4096))
function = ok(hip.hipModuleGetFunction(module, sys.argv[1].encode()))
ok(hip.hipModuleLaunchKernel(function, 1, 1, 1, 64, 1, 1, 0, None, None, (memory,)))
ok(hip.hipDeviceSynchronize())
ok(hip.hipFree(memory))
ok(hip.hipModuleUnload(module))
print("done")
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(PROGRAM)
    return path


def execute(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", "exec", *options, "--", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_good_program_s_output_and_code_pass_through(app: Path) -> None:
    result = execute(sys.executable, str(app), "good", "0")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("done\n")
    assert "ran good on gfx942: 1 launch, 64 threads" in result.stdout


def test_accesses_are_checked_unless_plain_is_asked_for(app: Path) -> None:
    checked = execute(sys.executable, str(app), "good", "0")
    assert "64 accesses checked" in checked.stdout
    plain = execute(sys.executable, str(app), "good", "0", options=("--plain",))
    assert plain.returncode == 0
    assert "access checks were not run: --plain" in plain.stdout


def test_a_program_s_own_failure_is_passed_on(app: Path) -> None:
    assert execute(sys.executable, str(app), "good", "7").returncode == 7


def test_findings_win_and_the_program_goes_on_after_them(app: Path, tmp_path: Path) -> None:
    target = tmp_path / "o.json"
    options = ("--json", str(target), "--arch", "gfx1100")
    result = execute(sys.executable, str(app), "wild", "0", options=options)
    assert result.returncode == 1
    assert "done" in result.stdout
    document = json.loads(target.read_text())
    assert {finding["kernel"] for finding in document["findings"]} == {"wild"}
    assert document["findings"][0]["arch"] == "gfx1100"
    assert document["findings"][0]["replay"].startswith("hipaudit exec --arch gfx1100 -- ")


def test_a_program_that_runs_no_kernel_is_void() -> None:
    result = execute(sys.executable, "-c", "print('nothing')")
    assert result.returncode == 3
    assert "void: no kernel ran" in result.stdout


MEMORY_ALONE = """
from hip import hip
status, memory = hip.hipMalloc(4096)
if {freed}:
    hip.hipFree(memory)
"""


def test_a_program_without_kernels_has_its_memory_checked(tmp_path: Path) -> None:
    target = tmp_path / "o.json"
    clean = MEMORY_ALONE.format(freed=True)
    result = execute(sys.executable, "-c", clean, options=("--json", str(target)))
    assert result.returncode == 0, result.stdout
    document = json.loads(target.read_text())
    assert document["void"] is None
    assert document["notes"] == ["no kernel ran: the ledger's checks are all there was"]
    assert document["memory"]["frees"] == 1
    assert execute(sys.executable, "-c", MEMORY_ALONE.format(freed=False)).returncode == 1


def test_a_program_that_is_no_python_is_left_alone() -> None:
    assert execute("true").returncode == 3
    assert execute("sh", "-c", "exit 9").returncode == 9


LAUNCH = PROGRAM.replace("sys.argv[1]", "'good'").replace("sys.exit(int(sys.argv[2]))", "")
ENDS = {
    "fork": """
import os
if os.fork() == 0:
    {launch}
    {leak}
    os._exit(0)
os.wait()
""",
    "fork after a launch": """
import os
{launch}
if os.fork() == 0:
    {leak}
    sys.exit(0)
os.wait()
""",
    "killed": """
import os, signal
{launch}
os.kill(os.getpid(), signal.SIGKILL)
""",
}


def ending(how: str, *, leak: bool = False) -> subprocess.CompletedProcess[str]:
    launch = f"exec({LAUNCH!r}, globals())"
    forgotten = "from hip import hip; hip.hipMalloc(777)" if leak else "pass"
    return execute(sys.executable, "-c", ENDS[how].format(launch=launch, leak=forgotten))


@pytest.mark.parametrize("how", ["fork", "fork after a launch"])
def test_a_forked_process_that_leaves_without_exit_handlers_is_accounted_for(how: str) -> None:
    clean = ending(how)
    assert clean.returncode == 0, clean.stdout
    assert "ran good on gfx942: 1 launch, 64 threads" in clean.stdout
    leaking = ending(how, leak=True)
    assert leaking.returncode == 1, leaking.stdout
    assert leaking.stdout.count("error: leak") == 1
    assert "(777 bytes) of hipMalloc was never freed" in leaking.stdout


def test_what_a_killed_program_launched_is_not_lost() -> None:
    killed = ending("killed")
    assert killed.returncode == 128 + 9
    assert "ran good on gfx942: 1 launch, 64 threads" in killed.stdout
    silent = execute("sh", "-c", "kill -9 $$")
    assert "no HIP call was seen before the program was ended" in silent.stdout


def test_what_was_found_before_a_program_aborted_is_no_void_run() -> None:
    freed_inside = "from hip import hip; hip.hipFree(int(hip.hipMalloc(64)[1]) + 8)"
    aborted = execute(sys.executable, "-c", f"import os; {freed_inside}; os.abort()")
    assert aborted.returncode == 1
    assert "error: invalid-free" in aborted.stdout
    assert "void" not in aborted.stdout


def test_a_script_that_is_not_executable_is_told_from_one_that_is_not_there(app: Path) -> None:
    app.chmod(0o644)
    result = execute(str(app))
    assert result.returncode == 2
    assert result.stderr == (f"hipaudit: {app} is not executable: hipaudit exec -- python {app}\n")


def test_a_missing_program_and_a_wrong_part_exit_2() -> None:
    result = execute("absent-program")
    assert (result.returncode, result.stderr) == (
        2,
        "hipaudit: there is no program absent-program\n",
    )
    assert execute("true", options=("--arch", "gfx1")).returncode == 2


def test_output_that_cannot_be_written_is_one_sentence_and_no_finding() -> None:
    command = [sys.executable, "-m", "hipaudit", "exec", "--", "true"]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (result.returncode, result.stderr) == (2, "hipaudit: No space left on device\n")
