"""A conversation as the prompt that a model was trained on, by the template in its file.

A template is a program from the file: it runs in jinja2's sandbox, which also keeps `range` to
100,000 steps, with limits on what it writes, repeats and multiplies. Its time is not limited, nor
what it gathers in variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn, final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hipaudit_runtime.errors import ChatTemplateError

_MOST_CHARACTERS = 1 << 20
_MOST_REPEATED = 1 << 16
_MOST_BITS = 4096


@final
class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox without the operators that make much of little."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset({"*", "**", "%"})  # type: ignore[misc]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse long repetitions, huge numbers, and %-formats with their widths."""
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            count = right if isinstance(right, int) else left
            if operator != "*" or not isinstance(count, int) or count > _MOST_REPEATED:
                raise jinja2.TemplateError(f"{operator} with {count!r} is refused")
        elif isinstance(left, int) and isinstance(right, int) and operator != "%":
            bits = right.bit_length() + left.bit_length() if operator == "*" else right
            if bits > _MOST_BITS or (operator == "**" and left.bit_length() * bits > _MOST_BITS):
                raise jinja2.TemplateError(f"{operator} to a number so large is refused")
        return super().call_binop(context, operator, left, right)


@final
class ChatTemplate:
    """A model's chat template.

    Raises:
        ChatTemplateError: it is no jinja2 template.
    """

    __slots__ = ("_marks", "_template")

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        environment = _Sandbox(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _raise
        self._marks = {"bos_token": bos, "eos_token": eos}
        try:
            self._template = environment.from_string(source)
        except (jinja2.TemplateError, RecursionError) as error:
            raise ChatTemplateError(f"the chat template does not parse: {error}") from error

    def render(self, messages: Sequence[Mapping[str, str]], *, answer: bool = True) -> str:
        """The prompt for a conversation, each message with its ``role`` and ``content``.

        With *answer*, up to where the model's own message begins. Raises ChatTemplateError with
        what the template objects to, or when it writes more than 1 Mi characters beyond the
        messages'.
        """
        most = _MOST_CHARACTERS + sum(len(message.get("content", "")) for message in messages)
        parts: list[str] = []
        written = 0
        try:
            for part in self._template.generate(
                messages=list(messages), add_generation_prompt=answer, **self._marks
            ):
                written += len(part)
                if written > most:
                    raise ChatTemplateError(f"the chat template writes over {most:,} characters")
                parts.append(part)
        except (
            jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError,
            RecursionError, MemoryError,
        ) as error:  # fmt: skip
            raise ChatTemplateError(f"the chat template fails: {error}") from error
        return "".join(parts)


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
