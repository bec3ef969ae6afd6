"""The thread in which an engine serves the requests of many clients."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import final

from hipaudit_runtime.errors import RuntimeFault
from hipaudit_runtime.generation.engine import Engine
from hipaudit_runtime.generation.requests import Event, Finish, Request
from hipaudit_runtime.generation.stats import Stats
from hipaudit_runtime.hip import call, hip


class BusyError(RuntimeFault):
    """As many requests are waiting as may."""


class StoppedError(RuntimeFault):
    """The engine no longer runs."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A request that was handed in.

    listener  hears its events, in the worker's thread
    number    the engine's, once it has one
    ended     whether the last event was heard, or the request called off
    """

    request: Request
    listener: Callable[[Event], None]
    number: int | None = None
    ended: bool = False


@final
class Worker:
    """Runs an engine; use it as a context manager. Any thread may submit and cancel.

    *most* requests may be open at a time, those that run among them.
    """

    __slots__ = (
        "_commands", "_engine", "_error", "_lock", "_open", "_ordinal", "_running", "_stopping",
        "_thread", "most",
    )  # fmt: skip

    def __init__(self, engine: Engine, ordinal: int, most: int) -> None:
        self._engine = engine
        self._ordinal = ordinal
        self.most = most
        self._lock = threading.Lock()
        self._open: set[Ticket] = set()
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._running: dict[int, Ticket] = {}
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="engine", daemon=True)

    @property
    def error(self) -> BaseException | None:
        """What ended the worker, None while it runs."""
        return self._error

    @property
    def open(self) -> int:
        """Requests that have not ended."""
        return len(self._open)

    @property
    def stats(self) -> Stats:
        """What the engine has done so far."""
        return self._engine.stats

    def submit(self, request: Request, listener: Callable[[Event], None]) -> Ticket:
        """Hand a request in.

        Raises RequestError when the engine cannot serve it, BusyError, StoppedError.
        """
        self._engine.check(request)
        ticket = Ticket(request, listener)
        with self._lock:
            if self._error is not None or self._stopping:
                raise StoppedError(f"the engine has stopped: {self._error or 'shutting down'}")
            if self.open >= self.most:
                raise BusyError(f"{self.open} requests are open, and no more may be: try again")
            self._open.add(ticket)
        self._commands.put(lambda: self._begin(ticket))
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Call a request off; nothing happens when it has ended."""
        self._commands.put(lambda: self._cancel(ticket))

    def _begin(self, ticket: Ticket) -> None:
        if not ticket.ended:
            ticket.number = self._engine.submit(ticket.request)
            self._running[ticket.number] = ticket

    def _cancel(self, ticket: Ticket) -> None:
        if ticket.ended:
            return
        if ticket.number is not None:
            self._engine.cancel(ticket.number)
        self._end(ticket)

    def _end(self, ticket: Ticket) -> None:
        ticket.ended = True
        if ticket.number is not None:
            self._running.pop(ticket.number)
        with self._lock:
            self._open.discard(ticket)

    def _serve(self) -> None:
        try:
            call(hip.hipSetDevice, self._ordinal)
            while not self._stopping:
                self._take_commands()
                for event in self._engine.step():
                    self._deliver(event)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            with self._lock:
                self._error = error
            fault = error if isinstance(error, Exception) else StoppedError(repr(error))
            for ticket in tuple(self._open):
                ticket.listener(Event(ticket.number or 0, (), "", Finish.ERROR, fault))
                self._end(ticket)

    def _take_commands(self) -> None:
        """Do what was asked for; wait for it when there is nothing else to do."""
        if not self._engine.busy:
            self._commands.get()()
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            command()

    def _deliver(self, event: Event) -> None:
        ticket = self._running[event.request]
        if event.finish is not None:
            self._end(ticket)
        ticket.listener(event)

    def _stop(self) -> None:
        self._stopping = True

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the batch that runs, and stop."""
        self._commands.put(self._stop)
        self._thread.join()
