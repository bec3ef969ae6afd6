"""The engine: requests in, batches through a model, tokens and text out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final, final

from hipaudit_runtime.errors import RuntimeFault
from hipaudit_runtime.generation.requests import Event, Finish, Request, RequestError
from hipaudit_runtime.generation.scheduler import Job, Limits, Scheduler, Work
from hipaudit_runtime.generation.speculative import NO_DRAFT, Draft, Drafter, next_tokens
from hipaudit_runtime.generation.stats import Stats
from hipaudit_runtime.generation.stopping import TextStream
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.kv_pages import KvPages
from hipaudit_runtime.language_model import LanguageModel, Step
from hipaudit_runtime.ownership import Owner
from hipaudit_runtime.tensors import Scope

_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class CacheSize:
    """The size of the cache for keys and values, and how it is stored.

    pages      of page_size tokens; a draft's cache has as many
    kind       one of `kv_pages.FORMATS`
    """

    pages: int = 256
    page_size: int = 16
    kind: str = "float16"


@final
class Engine(Owner):
    """Serves requests with a model; use it as a context manager, in one thread.

    The memory of its caches goes back at its end.

    Raises:
        ValueError: a draft whose vocabulary is of another size.
        HipError: out of device memory; nothing is left allocated.
    """

    __slots__ = (
        "_cache", "_drafter", "_jobs", "_memory", "_model", "_numbers", "_piece", "_scheduler",
        "_stats", "_streams", "capacity",
    )  # fmt: skip

    def __init__(
        self,
        model: LanguageModel,
        piece: Callable[[int], bytes],
        *,
        limits: Limits | None = None,
        cache: CacheSize | None = None,
        draft: LanguageModel | None = None,
    ) -> None:
        """*piece* is the bytes of a token, as `Vocabulary.piece`."""
        size = cache or CacheSize()
        bounds = limits or Limits()
        if draft is None:
            bounds = replace(bounds, drafted=0)
        elif draft.vocabulary_size != model.vocabulary_size:
            raise ValueError(
                f"a draft with {draft.vocabulary_size} tokens for a model with "
                f"{model.vocabulary_size}"
            )
        self._model = model
        self._piece = piece
        self._jobs: dict[int, Job] = {}
        self._streams: dict[int, TextStream] = {}
        self._numbers = 0
        self._stats = Stats()
        self.capacity = min(model.context, size.pages * size.page_size)
        with ExitStack() as memory:
            self._cache = memory.enter_context(_cache(model, size))
            self._drafter = draft and Drafter(draft, memory.enter_context(_cache(draft, size)))
            self._scheduler = Scheduler(self._cache.tables, bounds)
            self._memory = memory.pop_all()

    @property
    def busy(self) -> bool:
        """Whether there is anything for `step` to do."""
        return bool(self._jobs)

    @property
    def stats(self) -> Stats:
        """What was done so far: a copy."""
        failures = self._drafter.failures if self._drafter else 0
        return replace(
            self._stats, preemptions=self._scheduler.preemptions, draft_failures=failures
        )

    def check(self, request: Request) -> None:
        """Refuse what `submit` would; any thread may ask.

        Raises RequestError for a prompt that is empty, too long, or has a token that is none.
        """
        length = len(request.prompt)
        if not length:
            raise RequestError("the prompt has no tokens")
        if length >= self.capacity:
            raise RequestError(
                f"the prompt has {length} tokens, and {self.capacity} is all that it and its "
                f"answer may have (the model's context is {self._model.context})"
            )
        most = self._model.vocabulary_size
        wrong = next((token for token in request.prompt if not 0 <= token < most), None)
        if wrong is not None:
            raise RequestError(
                f"the prompt has the token {wrong}, which is outside 0 to {most - 1}"
            )

    def submit(self, request: Request) -> int:
        """Take a request and return its number; RequestError as `check`."""
        self.check(request)
        number = self._numbers
        self._numbers += 1
        limit = min(self.capacity, len(request.prompt) + (request.max_tokens or self.capacity))
        job = self._jobs[number] = Job(number, request, limit)
        self._streams[number] = TextStream(self._piece, request.stop)
        self._scheduler.add(job)
        self._stats.requests += 1
        return number

    def cancel(self, number: int) -> bool:
        """Call a request off: it has no more events. False when it has ended already."""
        if number not in self._jobs:
            return False
        self._forget(self._jobs[number])
        self._stats.cancelled += 1
        return True

    def step(self) -> list[Event]:
        """Run a batch and return what is new; nothing is new while a prompt is read.

        A batch that fails is taken back, and each of its requests tried once more by itself, so
        one that cannot be served does no harm to the others.
        """
        works = self._scheduler.plan()
        if not works:
            return []
        began = time.perf_counter()
        try:
            chosen = self._run(works)
        except (RuntimeFault, ValueError, MemoryError) as error:
            return self._failed(works, error)
        except BaseException:
            self._rewind(works)
            raise
        share = (time.perf_counter() - began) / sum(work.count for work in works)
        self._stats.batches += 1
        events = []
        for work, tokens in zip(works, chosen, strict=True):
            self._stats.add(work.count, len(tokens), share * work.count)
            self._settle(work.job)
            if work.last:
                events.append(self._advance(work.job, tokens))
        return events

    def close(self) -> None:
        """Drop all requests and give the memory back; a second time does nothing."""
        for job in tuple(self._jobs.values()):
            self._forget(job)
        self._memory.close()

    def _run(self, works: Sequence[Work]) -> list[tuple[int, ...]]:
        """Run a batch: the next tokens of each, none for part of a prompt."""
        drafts: Mapping[Job, Draft] = self._drafter.propose(works) if self._drafter else {}
        steps = []
        for work in works:
            drafted = drafts.get(work.job, NO_DRAFT).tokens
            rows = 1 + len(drafted) if work.last else 0
            steps.append(Step(work.sequence, (*work.tokens, *drafted), rows))
        with Scope() as scope:
            logits = self._model.forward(scope, self._cache, steps)
            chosen = next_tokens(self._model.device, scope, logits, works, drafts)
            call(hip.hipDeviceSynchronize)
        for work, tokens in zip(works, chosen, strict=True):
            if drafted := drafts.get(work.job, NO_DRAFT).tokens:
                self._stats.drafted += len(drafted)
                self._stats.accepted += len(tokens) - 1
        return chosen

    def _settle(self, job: Job) -> None:
        """Note that a job's part of a batch went well."""
        job.failures = 0
        if not job.counted:
            job.counted = True
            self._stats.prompt_tokens += len(job.request.prompt)
            self._stats.reused_tokens += job.reused

    def _advance(self, job: Job, tokens: Sequence[int]) -> Event:
        """Append what was chosen, up to where the request ends."""
        stream = self._streams[job.number]
        text = ""
        finish = None
        taken = []
        for token in tokens:
            job.tokens.append(token)
            taken.append(token)
            if token in job.request.stop_tokens:
                finish = Finish.STOP
            else:
                text += stream.push(token)
                if stream.stopped:
                    finish = Finish.STOP
                elif len(job.tokens) == job.limit:
                    finish = Finish.LENGTH
            if finish is not None:
                break
        self._stats.generated_tokens += len(taken)
        if finish is None:
            self._scheduler.trim(job)
        else:
            text += stream.finish()
            self._forget(job)
        return Event(job.number, tuple(taken), text, finish)

    def _failed(self, works: Sequence[Work], error: Exception) -> list[Event]:
        """Take a batch back; requests that failed before, alone, end with the error."""
        self._rewind(works)
        events = []
        for work in works:
            job = work.job
            job.failures += 1
            if job.failures < _ATTEMPTS:
                self._stats.retries += 1
                continue
            self._stats.failed += 1
            text = self._streams[job.number].finish()
            self._forget(job)
            events.append(Event(job.number, (), text, Finish.ERROR, error))
        return events

    def _rewind(self, works: Sequence[Work]) -> None:
        for work in works:
            self._scheduler.rewind(work)

    def _forget(self, job: Job) -> None:
        self._scheduler.remove(job)
        if self._drafter:
            self._drafter.forget(job)
        del self._jobs[job.number], self._streams[job.number]


def _cache(model: LanguageModel, size: CacheSize) -> KvPages:
    return model.cache(size.pages, size.page_size, size.kind)
