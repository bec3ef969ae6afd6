"""Work in a child process whose death is a finding and not the end of the session.

The parent names a function of hipaudit and a JSON payload; the child binds the device, calls
the function and reports on a pipe of its own, so that whatever kernels print stays apart:
one JSON object a line, ``progress``, then ``result`` or ``error``. The device's findings go to a
journal, line by line as they happen, so that a dying child loses none.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

from hipaudit import errors, native_build
from hipaudit.device import bind, read_journal, settings_environment
from hipaudit.errors import DeviceError, HipauditError, UsageError
from hipaudit.forked import Forked, forked

Json: TypeAlias = Any
Progress: TypeAlias = Callable[[Json], None]

_OUTPUT_LIMIT = 1 << 20
_MEMORY = ", as the system does where memory runs out: nothing is known of the kernel; run it again"

DEATHS = {
    signal.SIGSEGV: "wild-access",
    signal.SIGBUS: "wild-access",
    signal.SIGFPE: "undefined-behaviour",
    signal.SIGILL: "undefined-behaviour",
    signal.SIGXCPU: "timeout",
}
"""What a signal that killed the child says about the kernel it ran."""
_FROM_OUTSIDE = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
)
"""Signals that somebody else sends, the system among them where memory runs out."""


class ChildError(HipauditError):
    """The child's function failed by a defect of its own; the message ends in its traceback."""


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What a child left behind.

    value    what the function returned; None when it died before
    records  the device's journal: findings and launches
    output   what kernels and libraries printed, cut at 1 MiB
    death    a finding record for the child's death; None when it ended in order
    """

    value: Json
    records: tuple[dict[str, Any], ...]
    output: str
    death: dict[str, Any] | None


def run_in_child(
    target: str,
    payload: Mapping[str, Any],
    *,
    choice: str,
    settings: Mapping[str, str],
    limit_s: float | None = None,
    progress: Progress | None = None,
) -> ChildResult:
    """Call ``module:function`` of hipaudit in a child: function(payload, device, progress).

    choice    the device; settings: the emulated device's, arch and build among them
    limit_s   seconds until the child is killed, which is a timeout; the emulated device is built
              before they count
    progress  called in this thread with each progress object

    Raises what the child's function raised, when hipaudit raises it on purpose, else ChildError;
    DeviceError when somebody else has killed the child, which says nothing of a kernel.
    """
    if choice == "emulated":
        native_build.device_libraries()
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as name:
        folder = Path(name)
        journal = folder / "journal.jsonl"
        environment = settings_environment(choice, {**settings, "journal": str(journal)})
        task = {"target": target, "payload": dict(payload), "choice": choice}
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        code, answer, killed = _run(folder, environment, limit_s, progress)
        output = (folder / "output.txt").read_bytes()[:_OUTPUT_LIMIT].decode(errors="replace")
        if answer is not None and "error" in answer:
            _raise(answer["error"])
        if not killed and -code in _FROM_OUTSIDE:
            ended = signal.Signals(-code).name
            raise DeviceError(f"the process of a kernel was killed from outside ({ended}){_MEMORY}")
        died = answer is None or code != 0
        how = f"did not end within {limit_s:g} s and was killed" if killed else None
        death = _death(code, how, settings) if died else None
        value = None if answer is None else answer.get("result")
        return ChildResult(value, tuple(read_journal(journal)), output, death)


def _run(
    folder: Path,
    environment: Mapping[str, str],
    limit_s: float | None,
    progress: Progress | None,
) -> tuple[int, dict[str, Any] | None, bool]:
    """Run the child; return its exit code, its last answer, and whether we killed it."""
    killed = threading.Event()
    with forked(folder, environment, folder / "output.txt") as child:
        timer = _timer(child, limit_s, killed)
        try:
            answer = _listen(child.answers, progress)
            code = child.wait()
        finally:
            timer.cancel()
            if timer.is_alive():
                timer.join()  # it may be about to use the child's handle
    return code, answer, killed.is_set()


def _timer(child: Forked, limit_s: float | None, killed: threading.Event) -> threading.Timer:
    """Start the timer that kills the child; without a limit, one that never fires."""

    def kill() -> None:
        killed.set()
        child.kill()

    timer = threading.Timer(limit_s or threading.TIMEOUT_MAX, kill)
    timer.daemon = True
    if limit_s is not None:
        timer.start()
    return timer


def _listen(answers: IO[bytes], progress: Progress | None) -> dict[str, Any] | None:
    """Read the child's lines to the end; return the result or the error."""
    last: dict[str, Any] | None = None
    for line in answers:
        try:
            answer = json.loads(line)
        except ValueError:
            continue  # the line that a dying child did not finish
        if "progress" not in answer:
            last = answer
        elif progress is not None:
            progress(answer["progress"])
    return last


def _raise(error: Mapping[str, str]) -> None:
    """Raise the child's error again in this process."""
    kind = getattr(errors, error["type"], None)
    if isinstance(kind, type) and issubclass(kind, HipauditError):
        raise kind(error["message"])
    raise ChildError(error["message"])


def _death(code: int, killed: str | None, settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the finding record for a child that did not end in order; killed: our doing it."""
    kind = "wild-access"
    how = f"ended with exit code {code} before it could report"
    if killed is not None:
        kind, how = "timeout", killed
    elif code < 0:
        number = signal.Signals(-code)
        kind, how = DEATHS.get(number, "undefined-behaviour"), f"died of {number.name}"
    return {
        "record": "finding",
        "kind": kind,
        "severity": "error",
        "kernel": None,
        "arch": settings.get("arch", ""),
        "build": settings.get("build", "plain"),
        "count": 1,
        "message": f"the process that ran the kernel {how}",
    }


def function_named(target: str) -> Callable[..., Json]:
    """Return the function that ``module:function`` names; only hipaudit's own can be."""
    module, _, name = target.partition(":")
    if module.split(".")[0] != "hipaudit":
        raise UsageError(f"{target} is not a function of hipaudit")
    function: Callable[..., Json] = getattr(importlib.import_module(module), name)
    return function


def _public_class(error: HipauditError) -> str:
    """Return the name of the class in `hipaudit.errors` that an error is one of."""
    return next(c.__name__ for c in type(error).__mro__ if hasattr(errors, c.__name__))


def main(folder: str, descriptor: int) -> int:
    """Do the task in *folder* and answer on the file *descriptor*; the child's side."""
    with os.fdopen(descriptor, "w", encoding="utf-8", buffering=1) as pipe:

        def send(key: str, value: Json) -> None:
            pipe.write(json.dumps({key: value}) + "\n")

        task = json.loads((Path(folder) / "task.json").read_text(encoding="utf-8"))
        try:
            device = bind(task["choice"], os.environ.get("HIPAUDIT_ARCH") or None)
            function = function_named(task["target"])
            send("result", function(task["payload"], device, lambda item: send("progress", item)))
        except HipauditError as error:
            send("error", {"type": _public_class(error), "message": str(error)})
        except Exception as error:  # noqa: BLE001 - the parent must hear of any failure
            detail = "".join(traceback.format_exception(error))
            send("error", {"type": type(error).__name__, "message": detail})
    return 0
