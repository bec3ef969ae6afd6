"""Logits on the device to tokens, and to the distributions that tokens are drawn from.

Random numbers are functions of a request's seed and of the place of the token, so nothing that is
sampled depends on what else is in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Final

import numpy as np

from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.generation.requests import LogitsError, Sampling
from hipaudit_runtime.ops.sampling import (
    launch_argmax,
    launch_min_p,
    launch_multinomial,
    launch_renormalise,
    launch_repetition_penalty,
    launch_temperature,
    launch_top_k,
    launch_top_p,
    launch_uniform,
)
from hipaudit_runtime.ops.softmax_rows import launch_softmax
from hipaudit_runtime.tensors import Scope, Tensor

_PLACES: Final = 48


class Purpose(IntEnum):
    """What a random number is for: each has numbers of its own."""

    TOKEN = 0
    DRAFT = 1
    ACCEPT = 2
    RESIDUAL = 3


@dataclass(frozen=True, slots=True)
class Draw:
    """What makes a token of a row of logits.

    seed      of the request
    position  of the token among the request's, the prompt's included
    seen      the tokens before it, for the repetition penalty
    """

    sampling: Sampling
    seed: int
    position: int
    seen: Sequence[int]
    purpose: Purpose = Purpose.TOKEN

    @property
    def offset(self) -> int:
        """Which of the seed's random numbers is used."""
        return self.purpose << _PLACES | self.position


def sample(device: DeviceLike, scope: Scope, logits: Tensor, draws: Sequence[Draw]) -> list[int]:
    """A token for each row of float32 logits (rows, vocabulary), which are overwritten.

    Raises LogitsError for a row without a choice, HipError.
    """
    tokens: list[int] = []
    for greedy, run in groupby(draws, lambda draw: draw.sampling.greedy):
        members = list(run)
        rows = logits[len(tokens) : len(tokens) + len(members)]
        for part, alike in _alike(rows, members):
            (_penalise if greedy else shape)(device, scope, part, alike)
        tokens += best(device, scope, rows) if greedy else draw(device, scope, rows, members)
    return tokens


def _alike(rows: Tensor, draws: Sequence[Draw]) -> Iterator[tuple[Tensor, list[Draw]]]:
    """Rows beside each other that have the same sampling."""
    first = 0
    for _, group in groupby(draws, lambda draw: draw.sampling):
        alike = list(group)
        yield rows[first : first + len(alike)], alike
        first += len(alike)


def shape(device: DeviceLike, scope: Scope, logits: Tensor, draws: Sequence[Draw]) -> None:
    """Turn rows of logits into the distributions that their tokens are drawn from.

    All draws have the same sampling, which is not greedy.
    """
    sampling = draws[0].sampling
    _penalise(device, scope, logits, draws)
    launch_temperature(device, logits, logits, sampling.temperature)
    launch_softmax(device, logits, logits)
    kept = scope.empty(logits.shape, np.uint8)
    if 0 < sampling.top_k < logits.shape[1]:
        launch_top_k(device, logits, kept, sampling.top_k)
        launch_renormalise(device, logits, kept, logits)
    if sampling.top_p < 1:
        launch_top_p(device, logits, kept, sampling.top_p)
        launch_renormalise(device, logits, kept, logits)
    if sampling.min_p > 0:
        launch_min_p(device, logits, kept, sampling.min_p)
        launch_renormalise(device, logits, kept, logits)


def best(device: DeviceLike, scope: Scope, logits: Tensor) -> list[int]:
    """The largest logit of each row; LogitsError where it is no number."""
    chosen = scope.empty(logits.shape[:1], np.int32)
    launch_argmax(device, logits, chosen)
    tokens: list[int] = chosen.download().tolist()
    for row, token in enumerate(tokens):
        value = element(logits, row, token)
        if not np.isfinite(value):
            raise LogitsError(f"the largest logit is {value}, of token {token}")
    return tokens


def draw(
    device: DeviceLike, scope: Scope, probabilities: Tensor, draws: Sequence[Draw]
) -> list[int]:
    """A token of each row with its probability; LogitsError for a row without mass."""
    chosen = scope.empty(probabilities.shape[:1], np.int32)
    keys = scope.upload(np.array([(each.seed, each.offset) for each in draws], np.uint64))
    launch_multinomial(device, probabilities, keys, chosen)
    tokens: list[int] = chosen.download().tolist()
    if min(tokens) < 0:
        raise LogitsError(
            "the probabilities have no mass: the logits are NaN, infinite or all -inf"
        )
    return tokens


def uniforms(device: DeviceLike, scope: Scope, first: Draw, count: int) -> list[float]:
    """Random numbers in [0, 1) for a run of tokens from *first* on."""
    numbers = scope.empty((count,), np.float32)
    launch_uniform(device, numbers, first.seed, first.offset)
    return [float(number) for number in numbers.download()]


def element(rows: Tensor, row: int, column: int) -> float:
    """One float32 of a matrix."""
    return float(rows[row, column : column + 1].download()[0])


def _penalise(device: DeviceLike, scope: Scope, logits: Tensor, draws: Sequence[Draw]) -> None:
    penalty = draws[0].sampling.repetition_penalty
    if penalty == 1:
        return
    seen = np.zeros(logits.shape, np.uint8)
    for row, each in zip(seen, draws, strict=True):
        row[list(each.seen)] = 1
    launch_repetition_penalty(device, logits, scope.upload(seen), logits, penalty)
