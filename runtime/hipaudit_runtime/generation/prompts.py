"""From what a user writes to the tokens that a model is given."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipaudit_runtime.chat import ChatTemplate
from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.generation.requests import RequestError
from hipaudit_runtime.tokens import Vocabulary
from hipaudit_runtime.weights import Weights


@dataclass(frozen=True, slots=True)
class Language:
    """What a model's file says about text.

    name      of the model, for people: the file's, without its ending
    template  of conversations, None when the file has none
    """

    name: str
    vocabulary: Vocabulary
    template: ChatTemplate | None

    def prompt(self, text: str, *, markers: bool = False) -> tuple[int, ...]:
        """The tokens of a text as it stands, with the model's first token where it wants one.

        With *markers*, control tokens written in the text are those tokens. Raises RequestError
        for what is no text.
        """
        _require_text(text)
        return self._begun(self.vocabulary.encode(text, markers=markers))

    def conversation(self, messages: Sequence[Mapping[str, str]]) -> tuple[int, ...]:
        """The tokens of a conversation, up to where the model's answer begins.

        Control tokens are the template's alone: the same letters in a message are text. Raises
        ChatTemplateError when the file has no template, or the template objects, RequestError for
        a message that is no text.
        """
        for message in messages:
            for value in message.values():
                _require_text(value)
        if self.template is None:
            raise ChatTemplateError(f"{self.name} has no chat template: give it plain text")
        marker = re.compile("|".join(map(re.escape, self.vocabulary.markers)) or "(?!)")
        found: dict[str, str] = {}

        def hide(match: re.Match[str]) -> str:
            name = f"\ue000{secrets.token_hex(8)}\ue001"
            found[name] = match[0]
            return name

        hidden = [
            {key: marker.sub(hide, value) for key, value in message.items()} for message in messages
        ]
        text = self.template.render(hidden)
        tokens: list[int] = []
        for part in re.split("(" + ("|".join(found) or "(?!)") + ")", text):
            typed = part in found
            tokens += self.vocabulary.encode(found.get(part, part), markers=not typed)
        return self._begun(tokens)

    def _begun(self, tokens: list[int]) -> tuple[int, ...]:
        bos = self.vocabulary.bos
        if bos is None or not self.vocabulary.adds_bos or tokens[:1] == [bos]:
            return tuple(tokens)
        return (bos, *tokens)


def _require_text(text: str) -> None:
    """Refuse what Unicode cannot write, as Python reads bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            f"character {error.start} of the text is no Unicode: {text[error.start]!a}"
        ) from None


def read_language(weights: Weights) -> Language:
    """The vocabulary and the chat template of a file; WeightsError, ChatTemplateError."""
    vocabulary = Vocabulary(weights)
    template = None
    if "tokenizer.chat_template" in weights.metadata:
        source = weights.value("tokenizer.chat_template", str)
        marks = {
            name: "" if token is None else vocabulary.name(token)
            for name, token in (("bos", vocabulary.bos), ("eos", vocabulary.eos))
        }
        template = ChatTemplate(source, **marks)
    return Language(Path(weights.path).stem, vocabulary, template)
