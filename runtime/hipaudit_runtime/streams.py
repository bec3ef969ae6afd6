"""Streams and events with one owner, and the stream that work goes to."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, final

from hipaudit_runtime.errors import ClosedError, HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.ownership import Owner


class _Owned(Owner):
    """A handle of HIP's that is given back once; use it as a context manager."""

    __slots__ = ("_handle",)
    _handle: Any

    @property
    def handle(self) -> Any:
        """HIP's handle; ClosedError when it was given back."""
        if self._handle is None:
            raise ClosedError(f"use of a closed {type(self).__name__.lower()}")
        return self._handle

    @property
    def live(self) -> bool:
        """Whether the handle is still owned."""
        return self._handle is not None

    def __del__(self) -> None:
        if self.live:
            warnings.warn(f"never closed: {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()


@final
class Stream(_Owned):
    """A queue of work on the device, in order, beside those of other streams.

    It does not wait for the null stream, nor that one for it.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._handle = None
        self._held: list[object] = []
        self._handle = call(hip.hipStreamCreateWithFlags, hip.hipStreamNonBlocking)

    @property
    def done(self) -> bool:
        """Whether nothing is pending."""
        return _succeeded(hip.hipStreamQuery, self.handle)

    def synchronise(self) -> None:
        """Wait for all work in it."""
        call(hip.hipStreamSynchronize, self.handle)
        self._held.clear()

    def wait(self, event: Event) -> None:
        """What is enqueued from now on runs after what the event was recorded behind."""
        call(hip.hipStreamWaitEvent, self.handle, event.handle, 0)

    def hold(self, needed: object) -> None:
        """Keep an object alive until the work that is enqueued now is known to be done."""
        self._held.append(needed)

    @contextmanager
    def current(self) -> Iterator[Stream]:
        """Launches and copies of buffers go to this stream, in this context and no other."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)

    def close(self) -> None:
        """Wait for its work and give it back; ClosedError when that was done before."""
        self.synchronise()
        handle, self._handle = self._handle, None
        call(hip.hipStreamDestroy, handle)


@final
class Event(_Owned):
    """A point in a stream that others can wait for."""

    __slots__ = ()

    def __init__(self, *, timing: bool = False) -> None:
        self._handle = None
        flags = hip.hipEventDefault if timing else hip.hipEventDisableTiming
        self._handle = call(hip.hipEventCreateWithFlags, flags)

    @property
    def done(self) -> bool:
        """Whether all that it was recorded behind is done."""
        return _succeeded(hip.hipEventQuery, self.handle)

    def record(self, stream: Stream) -> None:
        """Mark the point behind all that is in the stream now."""
        call(hip.hipEventRecord, self.handle, stream.handle)

    def synchronise(self) -> None:
        """Wait until it is done."""
        call(hip.hipEventSynchronize, self.handle)

    def milliseconds_since(self, earlier: Event) -> float:
        """Time between two points; both were made with timing, and are done."""
        return float(call(hip.hipEventElapsedTime, earlier.handle, self.handle))

    def close(self) -> None:
        """Give it back; ClosedError when that was done before."""
        handle = self.handle
        self._handle = None
        call(hip.hipEventDestroy, handle)


_CURRENT: ContextVar[Stream | None] = ContextVar("current_stream", default=None)


def current() -> Stream | None:
    """The stream that launches and copies go to; None: the null stream."""
    return _CURRENT.get()


def current_handle() -> Any:
    """HIP's handle of that stream; None for the null stream."""
    stream = _CURRENT.get()
    return None if stream is None else stream.handle


def _succeeded(query: Any, handle: Any) -> bool:
    """Whether nothing is pending; HipError for any other answer than that or "not yet"."""
    try:
        call(query, handle)
    except HipError as error:
        if error.status != "hipErrorNotReady":
            raise
        return False
    return True
