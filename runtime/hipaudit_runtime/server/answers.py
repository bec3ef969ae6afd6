"""The answers to one HTTP request, as they come, for as long as the client is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import final

from fastapi import Request as HttpRequest

from hipaudit_runtime.generation.requests import Event, Finish, Request, RequestError
from hipaudit_runtime.server.worker import Ticket, Worker


class DisconnectedError(Exception):
    """The client has gone."""


@final
class Answers:
    """Requests that were handed in together; an async context manager, iterated once.

    What has not ended when it is left is called off: so it is when a client goes away. Raises
    RequestError, BusyError or StoppedError, with none of the requests handed in.

    texts, finishes  of each answer, so far
    tokens           of all answers, so far
    error            what ended the first of them that failed
    """

    __slots__ = (
        "_http", "_loop", "_news", "_tickets", "_watcher", "_worker", "error", "finishes", "texts",
        "tokens",
    )  # fmt: skip

    def __init__(self, worker: Worker, requests: Sequence[Request], http: HttpRequest) -> None:
        self._worker = worker
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._news: asyncio.Queue[tuple[int, Event] | None] = asyncio.Queue()
        self.tokens = 0
        self.texts = [""] * len(requests)
        self.finishes: list[str | None] = [None] * len(requests)
        self.error: Exception | None = None
        self._tickets: list[Ticket] = []
        if len(requests) > worker.most:
            raise RequestError(
                f"{len(requests)} answers are asked for, and {worker.most} is all that this server "
                "has room for"
            )
        try:
            for choice, request in enumerate(requests):
                self._tickets.append(worker.submit(request, self._listener(choice)))
        except BaseException:
            self._cancel()
            raise
        self._watcher = asyncio.create_task(self._watch())

    async def events(self) -> AsyncIterator[tuple[int, str, str | None]]:
        """New text by choice, and why a choice ended; ends with the last, or with an error.

        Raises DisconnectedError.
        """
        while None in self.finishes:
            news = await self._news.get()
            if news is None:
                raise DisconnectedError
            choice, event = news
            self.tokens += len(event.tokens)
            if event.finish is Finish.ERROR:
                self.error = event.error
                return
            self.texts[choice] += event.text
            self.finishes[choice] = event.finish.value if event.finish else None
            yield choice, event.text, self.finishes[choice]

    async def __aenter__(self) -> Answers:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cancel()
        self._watcher.cancel()

    def _listener(self, choice: int) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._news.put_nowait, (choice, event))

        return hear

    def _cancel(self) -> None:
        for ticket in self._tickets:
            self._worker.cancel(ticket)

    async def _watch(self) -> None:
        """Wait for the client to go, and call everything off then."""
        while (await self._http.receive())["type"] != "http.disconnect":
            pass
        self._cancel()
        self._news.put_nowait(None)
