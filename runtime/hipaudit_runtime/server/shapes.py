"""Answers in OpenAI's two shapes, whole and in parts."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a response, over all its choices."""

    prompt: int
    answer: int

    def data(self) -> dict[str, int]:
        """As clients read it."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.answer,
            "total_tokens": self.prompt + self.answer,
        }


class Shape(Protocol):
    """How a response is written."""

    def whole(
        self, texts: Sequence[str], finishes: Sequence[str | None], usage: Usage
    ) -> dict[str, Any]:
        """All choices at once."""

    def opening(self, choice: int) -> Iterator[dict[str, Any]]:
        """What comes before a choice's text."""

    def part(self, choice: int, text: str, finish: str | None) -> dict[str, Any]:
        """Some of a choice's text, and why it ends if it does."""

    def closing(self, usage: Usage) -> dict[str, Any]:
        """What comes after all choices."""


@dataclass(frozen=True, slots=True)
class Completion:
    """``/v1/completions``."""

    model: str
    name: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(
        self, texts: Sequence[str], finishes: Sequence[str | None], usage: Usage
    ) -> dict[str, Any]:
        """As `Shape.whole`."""
        choices = [_text(at, *each) for at, each in enumerate(zip(texts, finishes, strict=True))]
        return self._object(choices) | {"usage": usage.data()}

    def opening(self, choice: int) -> Iterator[dict[str, Any]]:
        """Nothing."""
        del choice
        return iter(())

    def part(self, choice: int, text: str, finish: str | None) -> dict[str, Any]:
        """As `Shape.part`."""
        return self._object([_text(choice, text, finish)])

    def closing(self, usage: Usage) -> dict[str, Any]:
        """As `Shape.closing`."""
        return self._object([]) | {"usage": usage.data()}

    def _object(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.name, "object": "text_completion", "created": self.created,
            "model": self.model, "choices": choices,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chat:
    """``/v1/chat/completions``."""

    model: str
    name: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(
        self, texts: Sequence[str], finishes: Sequence[str | None], usage: Usage
    ) -> dict[str, Any]:
        """As `Shape.whole`."""
        choices = [
            _choice(at, finish, message={"role": "assistant", "content": text})
            for at, (text, finish) in enumerate(zip(texts, finishes, strict=True))
        ]
        return self._object("chat.completion", choices) | {"usage": usage.data()}

    def opening(self, choice: int) -> Iterator[dict[str, Any]]:
        """Who speaks."""
        yield self._chunk([_choice(choice, None, delta={"role": "assistant", "content": ""})])

    def part(self, choice: int, text: str, finish: str | None) -> dict[str, Any]:
        """As `Shape.part`."""
        return self._chunk([_choice(choice, finish, delta={"content": text} if text else {})])

    def closing(self, usage: Usage) -> dict[str, Any]:
        """As `Shape.closing`."""
        return self._chunk([]) | {"usage": usage.data()}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return self._object("chat.completion.chunk", choices)

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.name, "object": kind, "created": self.created, "model": self.model,
            "choices": choices,
        }  # fmt: skip


def sse(data: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(data)}\n\n"


def _text(choice: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"index": choice, "text": text, "logprobs": None, "finish_reason": finish}


def _choice(choice: int, finish: str | None, **content: Any) -> dict[str, Any]:
    return {"index": choice, "logprobs": None, "finish_reason": finish} | content
