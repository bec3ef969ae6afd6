"""The watchdog: a test that hangs ends the run with every thread's stack, instead of never."""

from __future__ import annotations

import faulthandler
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
_SECONDS = 300


@pytest.fixture(autouse=True, scope="session")
def _no_runner() -> Iterator[None]:
    """On GitHub's runner, tests see what their commands print elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_ACTIONS", raising=False)
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


@pytest.fixture(autouse=True)
def _watchdog(request: pytest.FixtureRequest) -> Iterator[None]:
    """End a test that takes minutes; exhaustive ones may take hours."""
    if request.node.get_closest_marker("exhaustive") is None:
        faulthandler.dump_traceback_later(_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, without touching a registry."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel"]
    command += ["--outdir", str(folder), str(Path(__file__).resolve().parents[1])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = folder.iterdir()
    return built
