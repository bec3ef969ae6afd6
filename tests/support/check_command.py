"""The command ``hipaudit check`` on a kernel file of a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

KERNEL_FILE = "my kernel.hip"


def hipaudit(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", *arguments]
    environment = {**os.environ, **settings}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return hipaudit("check", KERNEL_FILE, *arguments, cwd=folder)


def found(folder: Path, *arguments: str) -> dict[str, Any]:
    result = check(folder, *arguments, "--json", "-")
    assert result.returncode in {0, 1, 3}, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def findings(
    folder: Path, source: str, blocks: int, threads: int, *arguments: str, workers: int
) -> list[dict[str, Any]]:
    """What a launch of the one kernel in *source* on so many workers finds; it must not be void."""
    (folder / KERNEL_FILE).write_text(source)
    shape = ("--grid", str(blocks), "--block", str(threads), "--arch", "gfx942", "--timeout", "2")
    words = [word for argument in arguments for word in ("--arg", argument)]
    command = ("check", KERNEL_FILE, *shape, *words, "--json", "-")
    done = hipaudit(*command, cwd=folder, HIPAUDIT_WORKERS=str(workers))
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)["findings"]  # type: ignore[no-any-return]
