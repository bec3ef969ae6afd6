"""hipaudit-run chat: a conversation on a terminal, or from a file of lines."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hipaudit_runtime.cli.opening import Drafting, opened
from hipaudit_runtime.cli.options import (
    CacheFormat,
    CacheStorage,
    CacheTokens,
    DraftFile,
    DraftTokens,
    MinP,
    ModelFile,
    Penalty,
    Seed,
    ShowStats,
    Temperature,
    TopK,
    TopP,
    sampling,
)
from hipaudit_runtime.cli.terminal import interruptible, note, put, summary
from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.generation.engine import Engine
from hipaudit_runtime.generation.prompts import Language
from hipaudit_runtime.generation.requests import Request, RequestError, Sampling

_TOKENS = 4096
_EPILOG = (
    "Each line is a message; its answer goes to standard output. Ctrl-C ends an answer, /new the "
    "conversation, Ctrl-D the program.\n\nExample:\n\n"
    "hipaudit-run chat --model m.gguf --system 'Answer in one sentence.'"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chat", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    context: typer.Context,
    model: ModelFile,
    system: Annotated[str, typer.Option(metavar="TEXT", help="What the model is told first.")] = "",
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of an answer.")] = None,
    temperature: Temperature = 0.7,
    top_k: TopK = 0,
    top_p: TopP = 0.95,
    min_p: MinP = 0.0,
    penalty: Penalty = 1.0,
    seed: Seed = 0,
    cache_tokens: CacheTokens = None,
    cache_format: CacheStorage = CacheFormat.FLOAT16,
    draft_model: DraftFile = None,
    draft_tokens: DraftTokens = 4,
    stats: ShowStats = False,
) -> None:
    """Talk with a model, in the words of its file's chat template."""
    chosen = sampling(temperature, top_k, top_p, min_p, penalty)
    with opened(context, model, Drafting(draft_model, draft_tokens)) as ready:
        if ready.language.template is None:
            raise ChatTemplateError(f"{model} has no chat template: use generate")
        room = cache_tokens or min(ready.model.context, _TOKENS)
        with ready.engine(room, cache_format) as engine:
            talk = Conversation(engine, ready.language, chosen, seed, max_tokens, system)
            talk.run(show=stats)


class Conversation:
    """Messages so far, and the engine that answers."""

    def __init__(
        self,
        engine: Engine,
        language: Language,
        how: Sampling,
        seed: int,
        most: int | None,
        system: str,
    ) -> None:
        self._engine = engine
        self._language = language
        self._how = how
        self._seed = seed
        self._most = most
        self._first = [{"role": "system", "content": system}] if system else []
        self._messages = list(self._first)

    def run(self, *, show: bool) -> None:
        """Answer lines until there are no more; *show* the counts at the end."""
        while (line := _line()) is not None:
            if line == "/new":
                self._messages = list(self._first)
            elif line.strip():
                self._answer(line)
        if show:
            note(summary(self._engine.stats))

    def _answer(self, line: str) -> None:
        """Answer a message, which is forgotten when there is no answer."""
        messages = [*self._messages, {"role": "user", "content": line}]
        try:
            request = Request(
                self._language.conversation(messages), self._most, self._how, self._seed,
                stop_tokens=self._language.vocabulary.ends,
            )  # fmt: skip
            number = self._engine.submit(request)
        except RequestError as error:
            note(f"{error}: /new begins another conversation")
            return
        text = self._say(number)
        self._messages = [*messages, {"role": "assistant", "content": text}]

    def _say(self, number: int) -> str:
        """Write an answer as it comes, until it ends or somebody presses Ctrl-C."""
        text = ""
        with interruptible() as wish:
            while self._engine.busy and not wish.asked:
                for event in self._engine.step():
                    text += event.text
                    put(event.text)
                    if event.error is not None:
                        note(f"\n{event.error}")
        self._engine.cancel(number)
        put("\n")
        return text


def _line() -> str | None:
    """The next message, None at the end."""
    if sys.stdin.isatty():
        import readline  # noqa: F401 - gives input() its editing

        try:
            return input("> ")
        except EOFError:
            sys.stderr.write("\n")
            return None
    line = sys.stdin.readline()
    return line.removesuffix("\n") if line else None
