"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from hipaudit_runtime.errors import RuntimeFault
from hipaudit_runtime.generation.requests import Sampling


class UsageError(RuntimeFault):
    """The command line asks for something that cannot be."""


class CacheFormat(str, Enum):
    """How the cache stores keys and values."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    Q8_0 = "q8_0"


ModelFile: TypeAlias = Annotated[
    Path, typer.Option("--model", metavar="FILE", help="A GGUF file, the first of its parts.")
]
DraftFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--draft-model",
        metavar="FILE",
        help="A smaller model with the same vocabulary, which guesses tokens ahead; what comes "
        "out is as without it.",
    ),
]
DraftTokens: TypeAlias = Annotated[
    int, typer.Option(min=1, max=64, help="Tokens that the draft model guesses at a time.")
]
CacheStorage: TypeAlias = Annotated[
    CacheFormat, typer.Option(help="How keys and values are stored.")
]
CacheTokens: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=16, max=1 << 40, help="Tokens that the cache has room for, over all sequences."
    ),
]
Temperature: TypeAlias = Annotated[
    float, typer.Option(min=0, help="0: always the most probable token.")
]
TopK: TypeAlias = Annotated[int, typer.Option(min=0, help="Most probable tokens only; 0: all.")]
TopP: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="The most probable tokens that sum to this only.")
]
MinP: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Tokens with this share of the best's probability only.")
]
Penalty: TypeAlias = Annotated[
    float, typer.Option("--repetition-penalty", help="Above 1: tokens seen before are less likely.")
]
Seed: TypeAlias = Annotated[
    int, typer.Option(min=0, max=(1 << 64) - 1, help="Of the random numbers.")
]
ShowStats: TypeAlias = Annotated[
    bool,
    typer.Option("--stats", help="Counts and times on standard error, not on a terminal alone."),
]


def sampling(
    temperature: float, top_k: int, top_p: float, min_p: float, penalty: float
) -> Sampling:
    """The options together; UsageError for one outside its range."""
    try:
        return Sampling(temperature, top_k, top_p, min_p, penalty)
    except ValueError as error:
        raise UsageError(str(error)) from error
