"""The process that forks children: it imports what their tasks need, once, and nothing else.

It has no device and no threads of its own when it forks. Each child starts with the environment,
the folder and the output that its parent asks for, and ends as any Python process ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import warnings
from pathlib import Path

from hipaudit.child import function_named, main
from hipaudit.forked import START


def serve(descriptor: int) -> int:
    """Fork children until the other end of the socket is closed; return a child's exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the children and their parent
    with socket.socket(fileno=descriptor) as line:
        while True:
            message, given, _, _ = socket.recv_fds(line, 4096, 1)
            if not message:
                return 0
            folder = Path(os.fsdecode(message))
            _import_for(folder)
            child = _fork()
            if child == 0:
                break
            os.close(given[0])
            line.send(str(child).encode())
            line.recv(1)  # the parent has a handle: until then the child's number must stay taken
            _, status = os.waitpid(child, 0)
            line.send(str(os.waitstatus_to_exitcode(status)).encode())
    return _begin(folder, given[0])


def _import_for(folder: Path) -> None:
    """Import what the task needs; what goes wrong goes wrong again in the child, which says so."""
    with contextlib.suppress(Exception):
        function_named(json.loads((folder / "task.json").read_text(encoding="utf-8"))["target"])


def _fork() -> int:
    gc.collect()
    gc.freeze()  # else a child's collections would copy every page
    with warnings.catch_warnings():
        # Newer Pythons warn of the threads of numpy's BLAS, which it ends and starts round a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _begin(folder: Path, descriptor: int) -> int:
    """Become the child that the parent asks for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no keyword
    start = json.loads((folder / START).read_text(encoding="utf-8"))
    os.environ.clear()
    os.environ.update(start["environment"])
    os.chdir(start["cwd"])
    output = os.open(start["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    return main(str(folder), descriptor)


if __name__ == "__main__":
    raise SystemExit(serve(int(sys.argv[1])))
