"""Errors in OpenAI's shape, and a limit to what a client may send."""

from __future__ import annotations

from typing import Any, final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.generation.requests import RequestError
from hipaudit_runtime.server.worker import BusyError, StoppedError

_STATUS: dict[type[Exception], int] = {
    BusyError: 429,
    StoppedError: 503,
    RequestError: 400,
    ChatTemplateError: 400,
}
_KINDS = {429: "rate_limit_error", 404: "not_found_error"}


def body(status: int, message: str, parameter: str | None = None) -> dict[str, Any]:
    """What an error says."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": parameter, "code": status}}


def answer(status: int, message: str, parameter: str | None = None) -> JSONResponse:
    """An error as a response; one that passes says when to try again."""
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse(body(status, message, parameter), status, headers)


def _says_less(found: dict[str, Any]) -> tuple[bool, int]:
    """Of what may be one of several types, every one that it is not complains.

    The one that got furthest is meant, and first of those that would have had the type.
    """
    return found["type"].endswith("_type"), -len(found["loc"])


def _is_of_the_body(part: int | str) -> bool:
    """Whether part of a place is a client's field or element, not one of the types it may have."""
    return isinstance(part, int) or (part.isidentifier() and part not in {"int", "str"})


def install(app: FastAPI) -> None:
    """Have all errors of an application answered in this shape."""

    def known(request: Request, error: Exception) -> JSONResponse:
        del request
        return answer(
            next(_STATUS[kind] for kind in _STATUS if isinstance(error, kind)), str(error)
        )

    def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
        return answer(error.status_code, f"{error.detail}: {request.method} {request.url.path}")

    def invalid(request: Request, error: Exception) -> JSONResponse:
        del request
        assert isinstance(error, RequestValidationError)  # noqa: S101 - likewise
        first = min(error.errors(), key=_says_less)
        place = ".".join(str(part) for part in first["loc"][1:] if _is_of_the_body(part))
        return answer(400, f"{place}: {first['msg']}" if place else first["msg"], place or None)

    for kind in _STATUS:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


@final
class BodyLimit:
    """Middleware that refuses a body of more than *most* bytes, however it is sent."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a request's body, as far as it may be long, and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        size = 0
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
            size += len(messages[-1].get("body", b""))
            if size > self._most:
                text = f"the request is larger than {self._most:,} bytes"
                await JSONResponse(body(413, text), 413)(scope, receive, send)
                return
        waiting = iter(messages)

        async def again() -> Message:
            return next(waiting, None) or await receive()

        await self._app(scope, again, send)
