"""Tokens to text as they come, up to the first stop text."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import final


@final
class TextStream:
    """The text of tokens, of which nothing is given out that could still change.

    Bytes of a character that is not whole yet wait for the rest of it, and what may be the
    beginning of a stop text waits until it is one or is not. Of several stop texts that one counts
    which is complete first, and of those the longest: so how text is cut into tokens makes no
    difference.
    """

    __slots__ = ("_decoder", "_held", "_piece", "_stops", "stopped")

    def __init__(self, piece: Callable[[int], bytes], stops: Sequence[str]) -> None:
        self._piece = piece
        self._stops = tuple(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Take the next token and return the text that is certain now; none after a stop text."""
        return self._take(self._decoder.decode(self._piece(token)))

    def finish(self) -> str:
        """Return the rest: no more tokens come. Half a character becomes U+FFFD."""
        text = self._take(self._decoder.decode(b"", final=True))
        rest, self._held = self._held, ""
        return text + rest

    def _take(self, new: str) -> str:
        if self.stopped:
            return ""
        start = len(self._held)
        text = self._held + new
        for end in range(start + 1, len(text) + 1):
            found = max(
                (len(stop) for stop in self._stops if text.endswith(stop, 0, end)), default=0
            )
            if found:
                self.stopped = True
                self._held = ""
                return text[: end - found]
        certain = len(text) - self._beginning(text)
        self._held = text[certain:]
        return text[:certain]

    def _beginning(self, text: str) -> int:
        """Characters at the end of a text with which some stop text begins."""
        longest = max(map(len, self._stops), default=1) - 1
        for count in range(min(longest, len(text)), 0, -1):
            tail = text[-count:]
            if any(stop.startswith(tail) for stop in self._stops):
                return count
        return 0
