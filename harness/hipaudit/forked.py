"""Children that start at once: forked by a process that has imported what they need.

A fork server (`hipaudit.fork_server`) forks one child after another, with one under way at a
time; as many servers run as children do. They end with this process. A server never binds a
device, so that each child starts as a fresh process would.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hipaudit.errors import HipauditError

START = "start.json"
"""The file in a child's folder that says how to start it: environment, folder, output."""


@dataclass(frozen=True, slots=True)
class _Server:
    """A running fork server.

    line   carries a child's folder and descriptor there, its process id and exit code back
    world  what the server was started from; it serves no other
    """

    process: subprocess.Popen[bytes]
    line: socket.socket
    world: tuple[Any, ...]

    def close(self) -> None:
        """End the server, at once where a child of its own holds it up."""
        self.line.close()
        self.process.kill()
        self.process.wait()


_idle: list[_Server] = []
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Forked:
    """A child under way; *answers* is the end of its pipe."""

    answers: IO[bytes]
    line: socket.socket
    handle: int

    def kill(self) -> None:
        """Kill the child; nothing happens where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def wait(self) -> int:
        """Return the child's exit code; the negative number of a signal that ended it."""
        answer = self.line.recv(64)
        # A server that is gone was killed, as where memory runs out, and its child may be too.
        return int(answer) if answer else -int(signal.SIGKILL)


@contextlib.contextmanager
def forked(folder: Path, environment: Mapping[str, str], output: Path) -> Iterator[Forked]:
    """Fork a child for the task in *folder*, which prints to *output*; kill it on an error."""
    start = {"environment": dict(environment), "cwd": str(Path.cwd()), "output": str(output)}
    (folder / START).write_text(json.dumps(start), encoding="utf-8")
    server = _taken()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answers:
        try:
            child = Forked(answers, server.line, _begun(server, folder, writing))
            server.line.send(b".")
        except BaseException:
            server.close()
            raise
        try:
            yield child
        except BaseException:
            child.kill()
            server.close()
            raise
        finally:
            os.close(child.handle)
    _put_back(server)


def _begun(server: _Server, folder: Path, descriptor: int) -> int:
    """Have a child begin, that answers on the descriptor; return a handle on it."""
    number = b""
    with contextlib.suppress(ConnectionError):
        socket.send_fds(server.line, [os.fsencode(folder)], [descriptor])
        number = server.line.recv(64)
    os.close(descriptor)
    if not number:
        raise HipauditError("the process that starts children was killed while it began one")
    return os.pidfd_open(int(number))


def _world() -> tuple[Any, ...]:
    """Return what a server inherits, and a fresh process would inherit as well."""
    return os.getpid(), sys.executable, tuple(sorted(os.environ.items())), tuple(sys.path)


def _taken() -> _Server:
    """Return an idle server of this world, or a new one; end those of another, and what died."""
    world = _world()
    with _lock:
        same = [one for one in _idle if one.world == world and one.process.poll() is None]
        stale = [one for one in _idle if one not in same]
        _idle[:] = same[:-1]
    for server in stale:
        server.close()
    return same[-1] if same else _started(world)


def _started(world: tuple[Any, ...]) -> _Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "hipaudit.fork_server", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    return _Server(process, ours, world)


def _put_back(server: _Server) -> None:
    """Keep a server whose child has ended for the next."""
    if server.process.poll() is not None:
        server.close()
        return
    with _lock:
        _idle.append(server)


@atexit.register
def _end() -> None:
    """End the servers of this process."""
    with _lock:
        servers = [server for server in _idle if server.world[0] == os.getpid()]
        _idle.clear()
    for server in servers:
        server.close()
