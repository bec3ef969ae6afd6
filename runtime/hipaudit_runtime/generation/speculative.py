"""Tokens drafted by a small model and verified by a large one, several at once.

What comes out has the large model's distribution exactly: a drafted token x is accepted with
probability min(1, p(x) / q(x)), where p and q are the distributions that the two models' logits
make under the request's sampling, and a token that takes the place of one refused is drawn from
max(p - q, 0), normalised. A greedy request gets the tokens that it would have had without a draft.
Source: Leviathan, Kalman and Matias, "Fast inference from transformers via speculative decoding",
ICML 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.errors import CacheFullError, HipError
from hipaudit_runtime.generation.requests import LogitsError
from hipaudit_runtime.generation.sampler import (
    Draw,
    Purpose,
    draw,
    element,
    sample,
    shape,
    uniforms,
)
from hipaudit_runtime.generation.scheduler import Job, Work
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.kv_pages import KvPages
from hipaudit_runtime.language_model import LanguageModel, Step
from hipaudit_runtime.tensors import Scope, Tensor

Floats = npt.NDArray[np.float32]
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class Draft:
    """Tokens that are likely to follow.

    distributions  what each was drawn from; none for greedy requests
    """

    tokens: tuple[int, ...] = ()
    distributions: tuple[Floats, ...] = ()


NO_DRAFT: Final = Draft()


@final
class Drafter:
    """A small model with a cache of its own, which follows the requests of an engine.

    Its errors cost the draft and nothing else: *failures* counts them.
    """

    __slots__ = ("_cache", "_model", "_sequences", "failures")

    def __init__(self, model: LanguageModel, cache: KvPages) -> None:
        self._model = model
        self._cache = cache
        self._sequences: dict[Job, int] = {}
        self.failures = 0

    def propose(self, works: Sequence[Work]) -> Mapping[Job, Draft]:
        """Drafts for those of a batch that there is room to verify."""
        wanted = {
            work.job: min(work.drafted, self._model.context - len(work.job.tokens))
            for work in works
            if work.drafted
        }
        wanted = {job: count for job, count in wanted.items() if count > 0}
        if not wanted:
            return {}
        try:
            return self._drafts(wanted)
        except (CacheFullError, HipError, LogitsError, MemoryError):
            self.failures += 1
            for job in tuple(self._sequences):
                self.forget(job)
            return {}

    def forget(self, job: Job) -> None:
        """Give a job's pages back, if it has any."""
        sequence = self._sequences.pop(job, None)
        if sequence is not None:
            self._cache.tables.remove(sequence)

    def _drafts(self, wanted: Mapping[Job, int]) -> Mapping[Job, Draft]:
        drafts = dict.fromkeys(wanted, NO_DRAFT)
        pending = {job: self._follow(job) for job in wanted}
        while any(len(tokens) > _CHUNK for tokens in pending.values()):
            steps = {
                job: tokens[:_CHUNK] for job, tokens in pending.items() if len(tokens) > _CHUNK
            }
            with Scope() as scope:
                self._forward(scope, steps, 0)
                call(hip.hipDeviceSynchronize)
            pending |= {job: pending[job][_CHUNK:] for job in steps}
        for done in range(max(wanted.values())):
            active = {job: tokens for job, tokens in pending.items() if wanted[job] > done}
            with Scope() as scope:
                logits = self._forward(scope, active, 1)
                for row, job in enumerate(active):
                    drafts[job] = self._extend(scope, logits[row : row + 1], job, drafts[job])
            pending = {job: drafts[job].tokens[-1:] for job in active}
        return drafts

    def _follow(self, job: Job) -> tuple[int, ...]:
        """Bring a job's sequence to the longest beginning that it shares with the job.

        Returns the tokens behind it, at least one.
        """
        tables = self._cache.tables
        sequence = self._sequences.get(job)
        if sequence is None:
            sequence = self._sequences[job] = tables.add(job.tokens)
        have = tables.tokens(sequence)
        most = min(len(have), len(job.tokens) - 1)
        same = next((at for at in range(most) if have[at] != job.tokens[at]), most)
        tables.truncate(sequence, same)
        return tuple(job.tokens[same:])

    def _forward(self, scope: Scope, tokens: Mapping[Job, tuple[int, ...]], logits: int) -> Tensor:
        steps = [Step(self._sequences[job], each, logits) for job, each in tokens.items()]
        return self._model.forward(scope, self._cache, steps)

    def _extend(self, scope: Scope, logits: Tensor, job: Job, draft: Draft) -> Draft:
        """One more token of a draft, from one row of logits."""
        device = self._model.device
        each = replace(next_draw(job, draft.tokens), purpose=Purpose.DRAFT)
        if each.sampling.greedy:
            return Draft((*draft.tokens, *sample(device, scope, logits, [each])))
        shape(device, scope, logits, [each])
        tokens = draw(device, scope, logits, [each])
        return Draft(
            (*draft.tokens, *tokens), (*draft.distributions, logits.download().reshape(-1))
        )


def next_draw(job: Job, drafted: Sequence[int] = ()) -> Draw:
    """The draw of the token that follows a job's, and what is drafted for it."""
    request = job.request
    position = len(job.tokens) + len(drafted)
    return Draw(request.sampling, request.seed, position, (*job.tokens, *drafted))


def next_tokens(
    device: DeviceLike,
    scope: Scope,
    logits: Tensor,
    works: Sequence[Work],
    drafts: Mapping[Job, Draft],
) -> list[tuple[int, ...]]:
    """The next tokens of each part of a batch, none for part of a prompt.

    *logits* has a row for each token that is to be chosen or verified; it is overwritten. Raises
    LogitsError, HipError.
    """
    if not drafts:
        draws = [next_draw(work.job) for work in works if work.last]
        tokens = iter(sample(device, scope, logits, draws))
        return [(next(tokens),) if work.last else () for work in works]
    chosen: list[tuple[int, ...]] = []
    row = 0
    for work in works:
        draft = drafts.get(work.job, NO_DRAFT)
        rows = 1 + len(draft.tokens) if work.last else 0
        part = logits[row : row + rows]
        chosen.append(verify(device, scope, part, work.job, draft) if work.last else ())
        row += rows
    return chosen


def verify(
    device: DeviceLike, scope: Scope, logits: Tensor, job: Job, draft: Draft
) -> tuple[int, ...]:
    """The next tokens of a job: those of its draft that are accepted, and one more.

    *logits* has a row behind the job's last token and behind each of the draft's; it is
    overwritten. Raises LogitsError, HipError.
    """
    draws = [next_draw(job, draft.tokens[:count]) for count in range(len(draft.tokens) + 1)]
    if not draws[0].sampling.greedy:
        shape(device, scope, logits, draws)
        return _accepted(device, scope, logits, draws, draft)
    penalised = sample(device, scope, logits, draws)
    agreed = next(
        (at for at, token in enumerate(draft.tokens) if penalised[at] != token), len(draft.tokens)
    )
    return tuple(penalised[: agreed + 1])


def _accepted(
    device: DeviceLike, scope: Scope, rows: Tensor, draws: Sequence[Draw], draft: Draft
) -> tuple[int, ...]:
    """The rejection scheme, over the distributions in *rows*."""
    count = len(draft.tokens)
    numbers = uniforms(device, scope, replace(draws[0], purpose=Purpose.ACCEPT), count)
    for at, (token, proposed) in enumerate(zip(draft.tokens, draft.distributions, strict=True)):
        if not numbers[at] * float(proposed[token]) < element(rows, at, token):
            row = rows[at : at + 1]
            last = _residual(device, scope, row, draws[at], proposed)
            return (*draft.tokens[:at], last)
    return (*draft.tokens, *draw(device, scope, rows[count:], [draws[count]]))


def _residual(device: DeviceLike, scope: Scope, row: Tensor, place: Draw, proposed: Floats) -> int:
    """A token of max(p - q, 0); of p where rounding leaves nothing of it."""
    left = np.maximum(row.download() - proposed, np.float32(0))
    source = scope.upload(left) if left.sum() > 0 else row
    return draw(device, scope, source, [replace(place, purpose=Purpose.RESIDUAL)])[0]
