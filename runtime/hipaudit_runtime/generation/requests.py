"""What a caller asks of an engine, and what it hears back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hipaudit_runtime.errors import RuntimeFault

_LEAST_TEMPERATURE: Final = 1e-5
_MOST: Final = 1e4
_SEEDS: Final = 1 << 64
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""No character: how Python reads a byte that is not UTF-8."""


def _require(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside the range, NaN too."""
    if not low <= value <= high:
        ends = f"{low} to {high}" if isinstance(high, int) else f"{low:g} to {high:g}"
        raise ValueError(f"{name} is {value}, outside {ends}")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How logits become a token, in the order of these steps.

    repetition_penalty  logits of tokens seen before are made smaller by it; 1: not
    temperature         logits are divided by it; 0: the most probable token is taken
    top_k               only so many of the most probable tokens; 0: all
    top_p               only the fewest most probable tokens whose sum reaches it; 1: all
    min_p               only tokens at least that share as probable as the best; 0: all

    Raises:
        ValueError: a value outside its range, with both.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is outside its range."""
        _require("temperature", self.temperature, 0.0, _MOST)
        _require("top_k", self.top_k, 0, (1 << 31) - 1)
        _require("top_p", self.top_p, 0.0, 1.0)
        _require("min_p", self.min_p, 0.0, 1.0)
        _require("repetition_penalty", self.repetition_penalty, 1 / _MOST, _MOST)

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is taken; so it is below a temperature of 1e-5."""
        return self.temperature < _LEAST_TEMPERATURE


GREEDY: Final = Sampling()
"""The most probable token each time."""


@dataclass(frozen=True, slots=True)
class Request:
    """A continuation that is wanted.

    prompt       tokens, at least one
    max_tokens   the most new tokens, at least 1; None: to the end of the context
    seed         of its random numbers, which do not depend on what else runs
    stop         texts that end it; they are not part of the answer
    stop_tokens  tokens that end it; they have no text

    Raises:
        ValueError: a value outside its range.
    """

    prompt: tuple[int, ...]
    max_tokens: int | None = None
    sampling: Sampling = GREEDY
    seed: int = 0
    stop: tuple[str, ...] = ()
    stop_tokens: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what is outside its range."""
        if self.max_tokens is not None:
            _require("max_tokens", self.max_tokens, 1, 1 << 31)
        _require("seed", self.seed, 0, _SEEDS - 1)
        if not all(self.stop):
            raise ValueError("a stop text is empty")
        wrong = [stop for stop in self.stop if _SURROGATE.search(stop)]
        if wrong:
            raise ValueError(f"the stop text {wrong[0]!a} is no Unicode")


class Finish(Enum):
    """Why a request ended."""

    STOP = "stop"
    LENGTH = "length"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """Something new of a request.

    request  its number, from `Engine.submit`
    tokens   new tokens, one that ended it among them
    text     what of the answer is certain now and was not before: it may lag behind the tokens
    finish   why it ended, None while it goes on
    error    what ended it, for `Finish.ERROR`
    """

    request: int
    tokens: tuple[int, ...]
    text: str
    finish: Finish | None = None
    error: Exception | None = None


class RequestError(RuntimeFault):
    """A request cannot be served by this engine; the message says what would be."""


class LogitsError(RuntimeFault):
    """A model's logits leave no token to choose: they are NaN, or infinite, or all -inf."""
