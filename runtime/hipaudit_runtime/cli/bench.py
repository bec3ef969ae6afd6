"""hipaudit-run bench: how fast a model reads and writes."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hipaudit_runtime.cli.opening import Drafting, Opened, opened
from hipaudit_runtime.cli.options import (
    CacheFormat,
    CacheStorage,
    DraftFile,
    DraftTokens,
    ModelFile,
    Seed,
    UsageError,
)
from hipaudit_runtime.cli.terminal import status
from hipaudit_runtime.generation.engine import Engine
from hipaudit_runtime.generation.requests import Finish, Request

_EPILOG = (
    "The numbers are medians over the repetitions, after one that does not count.\n\nExamples:\n\n"
    "hipaudit-run bench --model m.gguf\n\n"
    "hipaudit-run bench --model m.gguf --requests 8 --json -"
)


@dataclass(frozen=True, slots=True)
class Result:
    """Medians; rates are over all requests together."""

    model: str
    arch: str
    requests: int
    prompt_tokens: int
    new_tokens: int
    repeat: int
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    accepted: int
    drafted: int


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    context: typer.Context,
    model: ModelFile,
    requests: Annotated[int, typer.Option(min=1, max=1024, help="At the same time.")] = 1,
    prompt_tokens: Annotated[int, typer.Option(min=2, help="Of each prompt.")] = 128,
    new_tokens: Annotated[int, typer.Option(min=2, help="Of each answer.")] = 32,
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 3,
    seed: Seed = 0,
    cache_format: CacheStorage = CacheFormat.FLOAT16,
    draft_model: DraftFile = None,
    draft_tokens: DraftTokens = 4,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write JSON there.")
    ] = None,
) -> None:
    """Measure tokens a second, of prompts and of answers, with prompts of random tokens."""
    if json_to not in {None, "-"} and not Path(str(json_to)).parent.is_dir():
        raise UsageError(f"--json {json_to}: there is no such folder")
    with opened(context, model, Drafting(draft_model, draft_tokens)) as ready:
        each = prompt_tokens + new_tokens
        if each > ready.model.context:
            raise UsageError(
                f"prompts of {prompt_tokens} tokens and answers of {new_tokens} are {each}, and "
                f"the model's context is {ready.model.context}: give fewer with --prompt-tokens "
                "and --new-tokens"
            )
        room = requests * (each + 16)
        with ready.engine(room, cache_format, requests) as engine:
            rng = np.random.default_rng(seed)
            runs = []
            for at in range(1 + repeat):
                with status(f"Repetition {at} of {repeat}"):
                    prompts = rng.integers(0, len(ready.language.vocabulary), (requests, each))
                    runs.append(_run(engine, prompts[:, :prompt_tokens].tolist(), new_tokens))
            result = _result(ready, engine, runs[1:], prompt_tokens, new_tokens)
    _write(result, json_to)


def _run(engine: Engine, prompts: list[list[int]], new_tokens: int) -> tuple[float, float]:
    """Tokens a second of prompts and of answers."""
    before = engine.stats
    for prompt in prompts:
        engine.submit(Request(tuple(prompt), new_tokens))
    while engine.busy:
        for event in engine.step():
            if event.finish is Finish.ERROR and event.error is not None:
                raise event.error
    after = engine.stats
    prefill = after.prefill_seconds - before.prefill_seconds
    decode = after.decode_seconds - before.decode_seconds
    said = after.decode_tokens - before.decode_tokens
    return (after.prefill_tokens - before.prefill_tokens) / prefill, said / decode


def _result(
    ready: Opened,
    engine: Engine,
    runs: list[tuple[float, float]],
    prompt_tokens: int,
    new_tokens: int,
) -> Result:
    stats = engine.stats
    return Result(
        model=ready.language.name,
        arch=ready.device.arch,
        requests=stats.requests // (1 + len(runs)),
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        repeat=len(runs),
        prefill_tokens_per_second=statistics.median(prefill for prefill, _ in runs),
        decode_tokens_per_second=statistics.median(decode for _, decode in runs),
        accepted=stats.accepted,
        drafted=stats.drafted,
    )


def _write(result: Result, json_to: str | None) -> None:
    text = json.dumps(asdict(result), indent=2) + "\n"
    if json_to == "-":
        sys.stdout.write(text)
        return
    prompt = result.prompt_tokens
    lines = [
        f"{result.model} on {result.arch}, {result.requests} at a time",
        f"prefill {result.prefill_tokens_per_second:8.1f} tokens/s, prompts of {prompt}",
        f"decode  {result.decode_tokens_per_second:8.1f} tokens/s, answers of {result.new_tokens}",
    ]
    if result.drafted:
        lines.append(f"draft   {result.accepted} of {result.drafted} tokens accepted")
    sys.stdout.write("\n".join(lines) + "\n")
    if json_to is not None:
        try:
            Path(json_to).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--json {json_to}: {error.strerror}") from error
