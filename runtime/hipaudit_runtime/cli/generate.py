"""hipaudit-run generate: a prompt, and what a model goes on with."""

from __future__ import annotations

from typing import Annotated

import typer

from hipaudit_runtime.cli.opening import Drafting, Opened, opened
from hipaudit_runtime.cli.options import (
    CacheFormat,
    CacheStorage,
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
    UsageError,
    sampling,
)
from hipaudit_runtime.cli.terminal import end_line, interruptible, note, put, status, summary
from hipaudit_runtime.generation.engine import Engine
from hipaudit_runtime.generation.requests import Event, Request

_EPILOG = (
    "Examples:\n\n"
    "hipaudit-run generate --model m.gguf --prompt 'The capital of France is' --max-tokens 8\n\n"
    "hipaudit-run generate --model m.gguf --prompt 'Once' --temperature 0.8 --seed 7 --stop '.'"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    context: typer.Context,
    model: ModelFile,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="Taken as it stands.")],
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of the answer; to the end of the context without.")
    ] = None,
    temperature: Temperature = 0.0,
    top_k: TopK = 0,
    top_p: TopP = 1.0,
    min_p: MinP = 0.0,
    penalty: Penalty = 1.0,
    seed: Seed = 0,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Ends the answer; may be repeated.")
    ] = None,
    markers: Annotated[
        bool,
        typer.Option(
            "--markers", help="Control tokens written in the prompt, <|im_end|>, are those tokens."
        ),
    ] = False,
    cache_format: CacheStorage = CacheFormat.FLOAT16,
    draft_model: DraftFile = None,
    draft_tokens: DraftTokens = 4,
    stats: ShowStats = False,
) -> None:
    """Go on from a prompt; the continuation, and nothing else, is written to standard output."""
    chosen = sampling(temperature, top_k, top_p, min_p, penalty)
    with opened(context, model, Drafting(draft_model, draft_tokens)) as ready:
        tokens = ready.language.prompt(prompt, markers=markers)
        ends = ready.language.vocabulary.ends
        try:
            request = Request(tokens, max_tokens, chosen, seed, tuple(stop or ()), ends)
        except ValueError as error:
            raise UsageError(str(error)) from error
        with ready.engine(_room(ready, request), cache_format) as engine:
            event = _answer(engine, request)
            if stats:
                note(summary(engine.stats))
    if event is None:
        raise KeyboardInterrupt
    if event.error is not None:
        raise event.error


def _room(ready: Opened, request: Request) -> int:
    """Tokens that the request can come to."""
    most = ready.model.context
    if request.max_tokens is None:
        return most
    return min(most, len(request.prompt) + request.max_tokens)


def _answer(engine: Engine, request: Request) -> Event | None:
    """Write an answer as it comes; its last event, None when it was interrupted."""
    number = engine.submit(request)
    events: list[Event] = []
    with interruptible() as wish:
        with status(f"Reading {len(request.prompt)} tokens"):
            while not events and not wish.asked:
                events = engine.step()
        while not wish.asked:
            for event in events:
                put(event.text)
                if event.finish is not None:
                    end_line()
                    return event
            events = engine.step()
    engine.cancel(number)
    end_line()
    return None
