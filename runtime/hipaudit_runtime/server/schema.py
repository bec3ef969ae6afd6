"""What clients send: OpenAI's completions and chat completions, and a few common extensions.

Fields that would change the answer and are not served are refused, not ignored; others that are
not listed here, such as ``user``, make no difference and are ignored.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, model_validator

from hipaudit_runtime.generation.requests import Request, RequestError, Sampling

_NEUTRAL: Final[dict[str, tuple[Any, ...]]] = {
    "best_of": (None, 1),
    "echo": (None, False),
    "frequency_penalty": (None, 0),
    "function_call": (None, "none"),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "logprobs": (None, False),
    "modalities": (None, ["text"]),
    "presence_penalty": (None, 0),
    "response_format": (None, {"type": "text"}),
    "suffix": (None, ""),
    "tool_choice": (None, "none", "auto"),
    "tools": (None, []),
    "top_logprobs": (None, 0),
}
"""Fields that are not served, with the values that ask for nothing."""

_SEEDS: Final = 1 << 64
_Text = Annotated[str, Field(min_length=1, max_length=1000)]


class StreamOptions(BaseModel):
    """Of a streamed answer."""

    include_usage: bool = False


class Common(BaseModel):
    """What both kinds of request have."""

    model: str = ""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: _Text | Annotated[list[_Text], Field(max_length=16)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=16)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name, neutral in _NEUTRAL.items():
                if name in data and data[name] not in neutral:
                    raise ValueError(f"{name} is not supported")
        return data

    def requests(
        self, prompts: list[tuple[int, ...]], most: int, default: int, ends: frozenset[int]
    ) -> list[Request]:
        """The engine's requests, the answers to the first prompt first.

        Raises RequestError for a value outside its range.
        """
        wanted = self.max_tokens if self.max_tokens is not None else default
        if wanted > most:
            raise RequestError(f"max_tokens is {wanted}, and this server gives at most {most}")
        given = {
            "temperature": 1.0 if self.temperature is None else self.temperature,
            "top_k": None if self.top_k is None else max(self.top_k, 0),
            "top_p": self.top_p,
            "min_p": self.min_p,
            "repetition_penalty": self.repetition_penalty,
        }
        chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        seed = secrets.randbits(64) if self.seed is None else self.seed
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        answers = self.n or 1
        try:
            sampling = Sampling(**chosen)
            return [
                Request(prompt, wanted, sampling, (seed + at) % _SEEDS, stop, ends)
                for at, prompt in enumerate(each for each in prompts for _ in range(answers))
            ]
        except ValueError as error:
            raise RequestError(str(error)) from error


class CompletionRequest(Common):
    """A prompt to go on from: text or tokens, or several."""

    prompt: str | Annotated[list[int] | list[str | list[int]], Field(min_length=1)]

    def prompts(self) -> list[str | list[int]]:
        """The prompts, each text or tokens."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        tokens = [each for each in self.prompt if isinstance(each, int)]
        return [tokens] if tokens else [each for each in self.prompt if not isinstance(each, int)]


class TextPart(BaseModel):
    """A part of a message; text is all that is served."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a conversation."""

    role: str
    content: str | list[TextPart] | None = None

    def flat(self) -> dict[str, str]:
        """The message as a template sees it."""
        content = self.content or ""
        if not isinstance(content, str):
            content = "".join(part.text for part in content)
        return {"role": self.role, "content": content}


class ChatRequest(Common):
    """A conversation to answer."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _newer_name(self) -> ChatRequest:
        if self.max_completion_tokens is not None:
            self.max_tokens = self.max_completion_tokens
        return self
