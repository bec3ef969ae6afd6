"""hipaudit doctor: what is there, what is missing, and how to get it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hipaudit.cli import doctor


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-m", "hipaudit", "doctor", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_a_usable_machine_says_so() -> None:
    result = run("--hip-device", "emulated")
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "ready"
    assert "emulated device gfx942" in result.stdout


def test_json_is_data() -> None:
    document: dict[str, Any] = json.loads(run("--json").stdout)
    assert document["usable"] is True
    names = [check["what"] for check in document["checks"]]
    assert {"processor", "compiler", "cache", "hip-python", "device"} <= set(names)


def test_a_missing_gpu_is_missing_when_it_was_asked_for() -> None:
    result = run("--hip-device", "rocm")
    assert result.returncode == 2
    assert "no AMD GPU answers" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("not usable")


def test_a_cache_that_others_can_write_is_refused_with_a_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    result = run(HIPAUDIT_CACHE=str(tmp_path))
    assert result.returncode == 2
    assert "HIPAUDIT_CACHE" in result.stdout


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    line = doctor._package("hip-python", "hip", "pip install hip-python", needed=True)
    assert (line.state, line.fix) == ("missing", "pip install hip-python")
    assert doctor._package("x", "x", "fix", needed=False).state == "optional"


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.2])
def test_ctrl_c_while_it_starts(seconds: float) -> None:
    """Importing takes longer than that."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from hipaudit.__main__ import main; print('up', flush=True); main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, output + errors
    assert b"Traceback" not in errors
