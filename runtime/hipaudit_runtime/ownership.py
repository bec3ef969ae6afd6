"""What owns something of the device gives it back at the end of a block."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

_Owner = TypeVar("_Owner", bound="Owner")


class Owner:
    """A context manager that closes at its end, unless that was done before."""

    __slots__ = ()

    @property
    def live(self) -> bool:
        """Whether there is something to give back; true where to close twice does no harm."""
        return True

    def close(self) -> None:
        """Give back what is owned."""
        raise NotImplementedError

    def __enter__(self: _Owner) -> _Owner:  # noqa: PYI019 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.close()
