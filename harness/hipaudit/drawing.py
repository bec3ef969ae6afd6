"""Hypothesis strategies whose draws are never copied over one another.

Hypothesis spends five of six generated examples on variants of the one before: it copies what one
strategy drew over what another of the same kind drew. That finds bugs that need two equal values
in a tree. A tensor is a shape, a family of values and a seed: copied over one another they give
the same family again, and of a hundred examples some twenty would show something new. What is
drawn here is of a kind of its own each time, so that every example is a fresh one.

Hypothesis asks not to inherit from its `SearchStrategy`; it has no other way to say this.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from hypothesis.strategies import DrawFn, SearchStrategy

Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")
_kinds = itertools.count(1 << 64)
"""Labels beyond the 64 bits of Hypothesis' own."""

_FAR_FROM_ZERO = 1 << 127


class _Data(Protocol):
    """What of Hypothesis' test case is used here."""

    def draw_integer(self, min_value: int, max_value: int, *, shrink_towards: int = 0) -> int: ...

    def draw(self, strategy: SearchStrategy[Value], label: int) -> Value: ...


class Source:
    """Where a strategy takes its choices from; all of them shrink towards the first one."""

    __slots__ = ("_data",)

    def __init__(self, data: _Data) -> None:
        self._data = data

    def integer(self, low: int, high: int) -> int:
        """Choose an integer in [low, high]."""
        return self._data.draw_integer(low, high) if low < high else low

    def evenly(self, low: int, high: int) -> int:
        """Choose an integer in [low, high], all of them as likely as any other.

        Of a range near 0 Hypothesis prefers the small numbers, of one far from it none.
        """
        far = _FAR_FROM_ZERO
        return low + self._data.draw_integer(far, far + high - low, shrink_towards=far) - far

    def one_of(self, values: Sequence[Value]) -> Value:
        """Choose one of a few values."""
        return values[self.integer(0, len(values) - 1)]

    def value(self, strategy: SearchStrategy[Value]) -> Value:
        """Draw from another strategy."""
        return self._data.draw(strategy, label=next(_kinds))


class Fresh(SearchStrategy[Value], Generic[Value]):
    """The strategy for what *make* makes of the choices it asks its source for."""

    def __init__(self, name: str, make: Callable[[Source], Value]) -> None:
        super().__init__()
        self._name = name
        self._make = make

    def __repr__(self) -> str:
        """Return the name: what Hypothesis prints."""
        return self._name

    @property
    def label(self) -> int:
        """A number that no other draw has."""
        return next(_kinds)

    def do_draw(self, data: _Data) -> Value:
        """Make a value; Hypothesis calls this."""
        return self._make(Source(data))


def composite(
    make: Callable[Concatenate[DrawFn, Arguments], Value],
) -> Callable[Arguments, SearchStrategy[Value]]:
    """Turn make(draw, ...) into a strategy, as ``hypothesis.strategies.composite`` does.

    What it draws is not copied about either: use it where a test draws tensors.
    """

    @functools.wraps(make)
    def strategy(*args: Arguments.args, **kwargs: Arguments.kwargs) -> SearchStrategy[Value]:
        def drawn(source: Source) -> Value:
            return make(cast("DrawFn", source.value), *args, **kwargs)

        return Fresh(f"{getattr(make, '__name__', 'composite')}()", drawn)

    return strategy


def one_of(name: str, values: Sequence[Value]) -> SearchStrategy[Value]:
    """Return a strategy for one of a few values; shrinks towards the first."""
    return Fresh(name, lambda source: source.one_of(values))
