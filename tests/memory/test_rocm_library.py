"""AMD's own library below the ledger: without a GPU its calls say so, and nothing crashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hipaudit import device, native_build, rocm

pytestmark = pytest.mark.memory

NO_DEVICE = 100

PROGRAM = """
import ctypes, json, os, sys
library = ctypes.CDLL(sys.argv[1])
out = ctypes.c_void_p()
answers = [
    library.hipMalloc(ctypes.byref(out), ctypes.c_size_t(64)),
    library.hipHostMalloc(ctypes.byref(out), ctypes.c_size_t(64), 0),
    library.hipStreamCreate(ctypes.byref(out)),
    library.hipDeviceSynchronize(),
    library.hipMemset(None, 0, ctypes.c_size_t(4)),
    library.hipGetDeviceCount(ctypes.byref(ctypes.c_int())),
    library.hipDeviceGetCacheConfig(ctypes.byref(ctypes.c_int())),
]
if len(sys.argv) > 2:
    from hip import hip
    answers += [int(hip.hipMalloc(64)[0].value), int(hip.hipGetDeviceCount()[0].value)]
library.hipGetErrorName.restype = ctypes.c_char_p
name = library.hipGetErrorName(100).decode()
print(json.dumps([answers, name, open("/proc/self/maps").read()]))
"""


def answers(
    path: str, *words: str, environment: dict[str, str] | None = None
) -> tuple[list[int], str, str]:
    """Return the statuses of HIP calls, an error's name, and what the process had mapped."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    statuses, name, maps = json.loads(result.stdout)
    return statuses, name, maps


@pytest.fixture(scope="module")
def real() -> Path:
    found = rocm.library()
    if found is None:
        pytest.skip("no ROCm is installed: apt-get install libamdhip64-5")
    if Path("/dev/kfd").exists():
        pytest.skip("a GPU may be there: this is about what is said without one")
    return found


def test_its_calls_answer_as_they_do_without_the_ledger(real: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    environment = device.child_environment("rocm", {"journal": str(journal)})
    bare, name, _ = answers(str(real))
    seen, same_name, maps = answers("libamdhip64.so", "hip-python", environment=environment)
    assert 0 not in bare
    assert NO_DEVICE in bare
    assert seen == [*bare, bare[0], NO_DEVICE]
    assert name == same_name == "hipErrorNoDevice"
    assert str(real) in maps
    ignored, *records = device.read_journal(journal)
    assert ignored["kind"] == "api-error-ignored", "hipMalloc failed, and its pointer was used"
    assert [r["record"] for r in records] == ["memory", "copies", "synchronisations"]
    assert records[0]["allocations"] == 0


def test_the_ledger_has_no_call_that_the_library_lacks(real: Path) -> None:
    offered = rocm.exported_names(native_build.ledger_for(real))
    below = set(rocm.exported_names(real))
    ours = [name for name in offered if not name.startswith("hipaudit_")]
    assert len(ours) > 80
    assert set(ours) <= below


def test_binding_to_rocm_without_a_gpu_says_so(real: Path) -> None:
    script = "from hipaudit.device import bind\nbind('rocm')"
    environment = {**os.environ, "ROCM_PATH": str(real.parent.parent)}
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 1
    assert "no AMD GPU answers: HIP sees no device" in result.stderr
