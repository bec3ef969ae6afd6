"""hip-python as it stands, in the versions people have: 6.4, 7.2 and 10.0."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hipaudit import device, toolchain

# The union of value and value64 is missing in these two members.
HIP_PYTHON_S_OWN = {
    ("hipStreamBatchMemOpParams_union", "waitValue"),
    ("hipStreamBatchMemOpParams_union", "writeValue"),
}
VERSIONS = ("6.4.4.555.40", "7.2.2.562.43", "10.0.0.0.1.2")

PROGRAM = """
import ctypes
import sys
from hipaudit.device import bind
bound = bind("emulated", sys.argv[1])
import hip
import numpy as np
from hipaudit import hipcalls
assert hip.__file__.startswith(sys.argv[2]), hip.__file__
from hipaudit_runtime import ops
x = np.linspace(-4, 4, 300, dtype=np.float32).reshape(3, 100)
y = ops.softmax(bound, x)
e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
assert np.allclose(y, e / e.sum(axis=1, keepdims=True), rtol=1e-6)
assert hipcalls.properties(0).warpSize == bound.wave_size
print(sum(r["launches"] for r in bound.records_since(0) if r["record"] == "launch"))
"""


# 6.4 holds the interpreter's lock in its calls, 10.0 gives it up.
LEDGER_PROGRAM = """
import ctypes, threading
from hip import hip

def make(size):
    return hip.hipMalloc(size)[1]

def work():
    for _ in range(300):
        hip.hipFree(make(256))

workers = [threading.Thread(target=work) for _ in range(16)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
memory, lost = make(64), make(100)
library = ctypes.CDLL("libamdhip64.so")

@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def release(_):
    print(int(hip.hipFree(memory)[0].value))

stream = ctypes.c_void_p()
library.hipStreamCreate(ctypes.byref(stream))
library.hipLaunchHostFunc(stream, release, None)
library.hipStreamSynchronize(stream)
library.hipStreamDestroy(stream)
hip.hipFree(memory)
"""


HOST_PROGRAM = """
import ctypes, sys
import numpy as np
from hip import hip

kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
stream = hip.hipStreamCreateWithFlags(1)[1]
memory = hip.hipMalloc(4000)[1]
pinned = hip.hipHostMalloc(4000, 0)[1]
address = pinned.as_c_void_p().value if hasattr(pinned, "as_c_void_p") else int(pinned)
host = np.ctypeslib.as_array((ctypes.c_float * 1000).from_address(address))

def read():
    return host.sum()

hip.hipMemsetAsync(memory, 0, 4000, stream)
hip.hipMemcpyAsync(pinned, memory, 4000, kind, stream)
if sys.argv[1:]:
    hip.hipStreamSynchronize(stream)
print(read())
hip.hipStreamDestroy(stream)
hip.hipHostFree(pinned)
hip.hipFree(memory)
"""


@pytest.fixture(scope="session")
def installed() -> dict[str, Path]:
    """Return where each version is unpacked: beside the device's cache, so once a machine."""
    return {version: _install(version) for version in VERSIONS}


def _install(version: str) -> Path:
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = toolchain.cache_folder() / "hip-python" / f"{version}-{python}"
    if (folder / "hip").is_dir():
        return folder
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(folder), f"hip-python=={version}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.fail(f"hip-python {version} cannot be installed:\n{result.stderr}")
    return folder


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.matrix
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("arch", ["gfx942", "gfx1100"])
def test_a_program_runs_unchanged(
    installed: dict[str, Path], tmp_path: Path, version: str, arch: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    folder = installed[version]
    result = _run(folder, str(program), arch, str(folder))
    assert result.returncode == 0, result.stderr
    assert result.stdout == "1\n"


@pytest.mark.matrix
@pytest.mark.parametrize("version", VERSIONS)
def test_exec_serves_a_program_that_knows_nothing_of_us(
    installed: dict[str, Path], tmp_path: Path, version: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from hip import hip\n"
        "status, count = hip.hipGetDeviceCount()\n"
        "status, memory = hip.hipMalloc(64)\n"
        "hip.hipMemset(memory, 7, 64)\n"
        "print(count, int(status.value), int(hip.hipFree(memory)[0].value))\n"
    )
    result = _run(installed[version], "-m", "hipaudit", "exec", "--", sys.executable, str(program))
    assert result.stdout.startswith("1 0 0\n"), result.stdout + result.stderr
    assert result.returncode == 0, "its use of memory was checked"


@pytest.mark.matrix
@pytest.mark.parametrize("version", VERSIONS)
def test_its_structures_are_the_headers(installed: dict[str, Path], version: str) -> None:
    command = ("-m", "hipaudit", "layouts", "hip-python", "--json", "-")
    outcome = json.loads(_run(installed[version], *command).stdout)
    assert outcome["void"] is None
    wrong = {
        (entry["kernel"], entry["message"].split()[0])
        for entry in outcome["findings"]
        if entry["severity"] == "error"
    }
    assert wrong <= HIP_PYTHON_S_OWN, sorted(wrong)


def _under_ledger(
    folder: Path, tmp_path: Path, text: str, *words: str
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    program, journal = tmp_path / "program.py", tmp_path / "journal.jsonl"
    program.write_text(text)
    journal.unlink(missing_ok=True)
    environment = device.child_environment("emulated", {"journal": str(journal)})
    paths = [str(folder), *filter(None, [environment.get("PYTHONPATH")])]
    result = subprocess.run(
        [sys.executable, str(program), *words],
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return result, device.read_journal(journal)


@pytest.mark.matrix
@pytest.mark.parametrize("version", VERSIONS)
def test_the_host_s_own_loads_are_seen(
    installed: dict[str, Path], tmp_path: Path, version: str
) -> None:
    result, records = _under_ledger(installed[version], tmp_path, HOST_PROGRAM)
    assert (result.returncode, result.stdout) == (0, "0.0\n"), result.stderr
    (finding,) = (r for r in records if r["record"] == "finding")
    assert (finding["kind"], finding["access"]) == ("missing-synchronisation", "read")
    assert "read" in [frame["function"] for frame in finding["stack"]]
    result, records = _under_ledger(installed[version], tmp_path, HOST_PROGRAM, "waits")
    assert (result.returncode, result.stdout) == (0, "0.0\n"), result.stderr
    assert [r for r in records if r["record"] == "finding"] == []


@pytest.mark.matrix
@pytest.mark.parametrize("version", VERSIONS)
def test_the_ledger_follows_threads_and_host_functions(
    installed: dict[str, Path], tmp_path: Path, version: str
) -> None:
    result, records = _under_ledger(installed[version], tmp_path, LEDGER_PROGRAM)
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr
    found = {r["kind"]: r for r in records if r["record"] == "finding"}
    assert set(found) == {"double-free", "leak"}
    assert [f["function"] for f in found["leak"]["allocation"]["born"]] == ["make", "<module>"]
    assert found["double-free"]["other_stack"][0]["function"] == "release"
    (sums,) = (r for r in records if r["record"] == "memory")
    assert (sums["allocations"], sums["frees"]) == (4802, 4801)
