"""Listening on a socket until told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from types import FrameType
from typing import NoReturn

import uvicorn
from fastapi import FastAPI

from hipaudit_runtime.errors import RuntimeFault

_GRACE_SECONDS = 5


class ListenError(RuntimeFault):
    """Nothing can listen there."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free. Raises ListenError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def http_server(app: FastAPI) -> uvicorn.Server:
    """A server that gives answers under way 5 seconds to end when it is told to."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return uvicorn.Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a log entry is more than the trace of a request that the server's end called off."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Serve in the main thread until SIGINT or SIGTERM.

    Raises KeyboardInterrupt or SystemExit then.
    """
    signal.signal(signal.SIGTERM, _terminated)
    http_server(app).run(sockets=[listening])


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """End as a program does that was told to, with everything given back on the way."""
    del frame
    raise SystemExit(128 + number)
