"""A conversation as the prompt that a model was trained on, by the template in its file."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import final

import jinja2

from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.sandbox import Sandbox

_MOST_CHARACTERS = 1 << 20


@final
class ChatTemplate:
    """A model's chat template.

    Raises:
        ChatTemplateError: it is no jinja2 template.
    """

    __slots__ = ("_lock", "_marks", "_sandbox", "_template")

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        self._sandbox = Sandbox()
        self._lock = threading.Lock()
        self._marks = {"bos_token": bos, "eos_token": eos}
        try:
            self._template = self._sandbox.template(source)
        except (jinja2.TemplateError, RecursionError) as error:
            raise ChatTemplateError(f"the chat template does not parse: {error}") from error

    def render(self, messages: Sequence[Mapping[str, str]], *, answer: bool = True) -> str:
        """The prompt for a conversation, each message with its ``role`` and ``content``.

        With *answer*, up to where the model's own message begins. Raises ChatTemplateError with
        what the template objects to, or when it does too much: writes more than 1 Mi characters
        beyond the messages', repeats or gathers without end.
        """
        said = sum(len(message.get("content", "")) for message in messages)
        most = _MOST_CHARACTERS + said
        parts: list[str] = []
        written = 0
        with self._lock:
            self._sandbox.begin(said)
            try:
                for part in self._template.generate(
                    messages=list(messages), add_generation_prompt=answer, **self._marks
                ):
                    written += len(part)
                    if written > most:
                        raise ChatTemplateError(
                            f"the chat template writes over {most:,} characters"
                        )
                    part.encode()  # what is no Unicode is a ValueError
                    parts.append(part)
            except (
                jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError,
                ValueError, RecursionError, MemoryError,
            ) as error:  # fmt: skip
                raise ChatTemplateError(f"the chat template fails: {error}") from error
        return "".join(parts)
