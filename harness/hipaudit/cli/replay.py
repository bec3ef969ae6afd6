"""hipaudit replay: one finding again, from its token."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from hipaudit import replaytoken
from hipaudit.cli.options import FailOn, HipDevice, JsonTo, Level, SarifTo, choice
from hipaudit.errors import EXIT_USAGE, UsageError
from hipaudit.report.output import write


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example:\n\nhipaudit replay hip1-eNqrVi..."
    app.command("replay", epilog=epilog, help=_command.__doc__)(_command)


def _command(
    token: Annotated[str, typer.Argument(help="As printed beside the finding.")],
    json_to: JsonTo = None,
    sarif_to: SarifTo = None,
    fail_on: FailOn = Level.ERROR,
    hip_device: HipDevice = None,
) -> None:
    """Run what led to a finding again. Exit code 1 while it is still there, 0 when it is gone."""
    task = replaytoken.decode(token)
    replays: dict[str, Callable[[Mapping[str, Any], str | None], int]] = {
        "check": lambda task, device: _check(task, device, json_to, sarif_to, fail_on.value),
        "spec": lambda task, device: _spec(task, device, json_to, sarif_to, fail_on.value),
        "test": _test,
    }
    what = str(task["what"])
    if what not in replays:
        raise UsageError(f"this version replays {', '.join(replays)}, not {what!r}")
    raise SystemExit(replays[what](task, choice(hip_device)))


def _check(
    task: Mapping[str, Any],
    device: str | None,
    json_to: str | None,
    sarif_to: str | None,
    level: str,
) -> int:
    """Run a ``check`` again, as it was typed."""
    argv = [str(word) for word in task["argv"]] + ["--fail-on", level]
    argv += ["--hip-device", device or str(task.get("device") or "emulated")]
    argv += ["--json", json_to] if json_to else []
    argv += ["--sarif", sarif_to] if sarif_to else []
    command = [sys.executable, "-c", "from hipaudit.cli import main; main()", *argv]
    return subprocess.run(command, check=False).returncode


def _spec(
    task: Mapping[str, Any],
    device: str | None,
    json_to: str | None,
    sarif_to: str | None,
    level: str,
) -> int:
    """Run one input of a library spec again."""
    from hipaudit.audits import kernels  # the library is for this kind alone

    outcome = kernels.replay(task, device)
    return write(outcome, json_to=json_to, sarif_to=sarif_to, fail_on=level)


def _test(task: Mapping[str, Any], device: str | None) -> int:
    """Run one example of a pytest test again."""
    node = str(task["node"])
    if node.startswith("-"):
        raise UsageError(f"{node!r} is not a test")
    command = [sys.executable, "-m", "pytest", node, "-p", "no:cacheprovider"]
    command += ["--hipaudit-replay", f"{task['version']}:{task['blob']}"]
    command += ["--hip-device", device] if device else []
    code = subprocess.run(command, check=False).returncode
    return code if code in {0, 1} else EXIT_USAGE
