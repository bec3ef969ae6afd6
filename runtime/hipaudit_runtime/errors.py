"""What this runtime raises on purpose; each message names the call or the value at fault."""

from __future__ import annotations


class RuntimeFault(Exception):  # noqa: N818 - the base; its subclasses end in Error
    """Base of the errors that this package defines."""


class HipError(RuntimeFault):
    """A HIP or HIPRTC call did not succeed.

    call    the function's name, such as ``hipMalloc``
    status  the status' name, such as ``hipErrorOutOfMemory``
    code    its number
    """

    def __init__(self, call: str, status: str, code: int, detail: str = "") -> None:
        self.call = call
        self.status = status
        self.code = code
        suffix = f": {detail}" if detail else ""
        super().__init__(f"{call} failed with {status} ({code}){suffix}")


class KernelCompileError(RuntimeFault):
    """A kernel source did not compile; the message holds the compiler's log with file:line."""


class KernelNotFoundError(RuntimeFault):
    """No kernel source, or no entry point, of that name."""


class DeviceBufferError(RuntimeFault):
    """A device buffer was used after it was freed, copied, or overrun."""


class ClosedError(RuntimeFault):
    """A stream, an event or a pool was used after it was closed."""


class ArenaFullError(RuntimeFault):
    """An arena has too few bytes left for what was asked; nothing has changed.

    needed     bytes that were asked for
    available  bytes above the mark
    """

    def __init__(self, needed: int, available: int, capacity: int) -> None:
        self.needed = needed
        self.available = available
        super().__init__(
            f"{needed} bytes are needed, {available} of an arena of {capacity} are left: "
            "free what is not needed any more, or make the arena larger"
        )


class WeightsError(RuntimeFault):
    """A weights file is missing, truncated, or not GGUF."""


class CacheFullError(RuntimeFault):
    """A cache has too few pages for what was asked; nothing has changed.

    needed     pages that were asked for
    available  pages that are free or can be evicted
    """

    def __init__(self, needed: int, available: int, pages: int) -> None:
        self.needed = needed
        self.available = available
        super().__init__(
            f"{needed} more pages are needed, {available} of {pages} are free or evictable: "
            "remove a sequence, or make the cache larger"
        )


class ChatTemplateError(RuntimeFault):
    """A model's chat template does not parse, fails, or writes without end."""
