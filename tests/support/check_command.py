"""The command ``hipaudit check`` on a kernel file of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

KERNEL_FILE = "my kernel.hip"


def hipaudit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hipaudit", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return hipaudit("check", KERNEL_FILE, *arguments, cwd=folder)


def found(folder: Path, *arguments: str) -> dict[str, Any]:
    result = check(folder, *arguments, "--json", "-")
    assert result.returncode in {0, 1, 3}, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document
