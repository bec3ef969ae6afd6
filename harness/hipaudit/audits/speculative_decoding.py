"""Speculative decoding: drafts change neither distributions nor greedy answers, and pay off.

Two models whose logits are tables by the last token, so that the distribution of an answer is
known exactly. Answers are counted and held against the target's by a chi-square test that a right
sampler fails once in a million times; the draft's own distribution must fail it, or the test could
not tell. A draft's first token is accepted with probability sum min(p, q), which is held too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np

from hipaudit.audits.sweep import Sweep, try_in_child
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding, Location, identified
from hipaudit.resources import shown_path
from hipaudit.spec import Array
from hipaudit_runtime.generation import speculative
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import Request, Sampling
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.generation.stats import Stats
from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.tensors import Scope, Tensor

_TOKENS = 5
_ANSWERS = 600
_LENGTH = 2
_GREEDY, _GREEDY_LENGTH = 12, 16
_RARE = 1e-6
_SIZE = CacheSize(pages=256, page_size=4)
_DRAFTS = {"the model itself": (1, 0.0), "near": (1, 0.6), "another": (2, 0.0)}
_SAMPLINGS = {"temperature 1": Sampling(1.0), "0.8, top-k 3": Sampling(0.8, top_k=3)}


@dataclass(slots=True)
class TableModel:
    """A language model whose logits are a table's row, by the last token."""

    device: Device
    table: Array
    context: int = 64
    batches: list[int] = field(default_factory=list)

    @property
    def vocabulary_size(self) -> int:
        """Tokens of the table."""
        return len(self.table)

    def cache(self, pages: int, page_size: int, kind: str = "float32") -> KvPages:
        """One layer, one head, one number."""
        del kind
        return KvPages(CacheShape(1, pages, page_size, 1, 1, 1, "float32"))

    def forward(self, scope: Scope, cache: KvPages, steps: Sequence[Step]) -> Tensor:
        """As `hipaudit_runtime.language_model.LanguageModel.forward`."""
        rows = []
        for step in steps:
            cache.reserve(step.sequence, step.tokens)
            cache.tables.commit(step.sequence)
            rows += [self.table[token] for token in step.tokens[len(step.tokens) - step.logits :]]
        self.batches.append(len(steps))
        return scope.upload(np.array(rows, np.float32).reshape(len(rows), self.vocabulary_size))


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(_DRAFTS) * (len(_SAMPLINGS) + 1)


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Answer with every draft on the payload's parts; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for name, (salt, noise) in _DRAFTS.items():
            for how, sampling in _SAMPLINGS.items():
                entries.append({"arch": arch, "draft": name, "how": how,
                                **_sampled(part, _table(salt, noise), sampling)})  # fmt: skip
                progress(1)
            entries.append({"arch": arch, "draft": name, "how": "greedy",
                            **_greedy(part, _table(salt, noise))})  # fmt: skip
            progress(1)
    return {"entries": entries}


def _table(salt: int, noise: float) -> Array:
    """Logits by token: a salt's own, with some noise."""
    logits = np.random.default_rng(salt).normal(0, 1.2, (_TOKENS, _TOKENS))
    return (logits + noise * np.random.default_rng(9).normal(0, 1, logits.shape)).astype(np.float32)


def _answers(
    part: Device, draft: Array | None, requests: Sequence[Request], drafted: int
) -> tuple[list[tuple[int, ...]], Stats, int]:
    """The tokens of each answer, what the engine counted, and the target's batches."""
    target = TableModel(part, _table(1, 0.0))
    limits = Limits(sequences=50, step_tokens=400, drafted=drafted)
    other = None if draft is None else TableModel(part, draft)
    with Engine(target, _letter, limits=limits, cache=_SIZE, draft=other) as engine:
        said: dict[int, tuple[int, ...]] = {engine.submit(each): () for each in requests}
        while engine.busy:
            for event in engine.step():
                said[event.request] += event.tokens
        return list(said.values()), engine.stats, len(target.batches)


def _letter(token: int) -> bytes:
    return bytes([ord("a") + token])


def _sampled(part: Device, draft: Array, how: Sampling) -> dict[str, Any]:
    """Hold sampled answers against the target's distribution, and against the draft's."""
    requests = [Request((0,), _LENGTH, how, seed=seed) for seed in range(_ANSWERS)]
    said, stats, batches = _answers(part, draft, requests, 1)
    places = [sum(t * _TOKENS**n for n, t in enumerate(reversed(each))) for each in said]
    counts = np.bincount(places, minlength=_TOKENS**_LENGTH)
    p, q = _probabilities(_table(1, 0.0), how), _probabilities(draft, how)
    return {
        "fit": _fit(counts, _joint(p)),
        "other": _fit(counts, _joint(q)),
        "drafted": stats.drafted,
        "accepted": stats.accepted,
        "expected": float(np.minimum(p[0], q[0]).sum()),
        "batches": batches,
        "answers": len(said),
    }


def _probabilities(table: Array, how: Sampling) -> Array:
    """The distribution behind each token, in float64."""
    scaled = table.astype(np.float64) / how.temperature
    p = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    if how.top_k:
        p[np.argsort(np.argsort(-p, axis=1), axis=1) >= how.top_k] = 0
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _joint(p: Array) -> Array:
    """The probability of each answer of `_LENGTH` tokens behind token 0."""
    every = itertools.product(range(_TOKENS), repeat=_LENGTH)
    return np.array([math.prod(p[a, b] for a, b in itertools.pairwise((0, *e))) for e in every])


def _fit(counts: Array, expected: Array) -> float:
    """The chance of counts at least as far from a distribution; 0 where they are impossible."""
    wanted = expected * counts.sum()
    if counts[wanted == 0].any():
        return 0.0
    some = wanted > 0
    statistic = float(((counts[some] - wanted[some]) ** 2 / wanted[some]).sum())
    freedom = int(some.sum()) - 1
    return float(mpmath.gammainc(freedom / 2, statistic / 2, regularized=True))


def _greedy(part: Device, draft: Array) -> dict[str, Any]:
    """Greedy answers with a draft, against those without."""
    prompts = [
        tuple(1 + (n * 7 + i) % (_TOKENS - 1) for i in range(n % 5 + 1)) for n in range(_GREEDY)
    ]
    requests = [Request(prompt, _GREEDY_LENGTH) for prompt in prompts]
    plain, _, without = _answers(part, None, requests, 0)
    said, stats, batches = _answers(part, draft, requests, 4)
    differing = sum(a != b for a, b in zip(plain, said, strict=True))
    return {
        "differing": differing,
        "drafted": stats.drafted,
        "accepted": stats.accepted,
        "batches": batches,
        "without": without,
        "answers": len(said),
    }


def _wrong(one: Mapping[str, Any]) -> str:
    """What is wrong with an entry, in words; empty when nothing is."""
    if one["how"] == "greedy":
        return f"{one['differing']} greedy answers differ" if one["differing"] else ""
    if one["fit"] < _RARE:
        return f"answers do not follow the target's distribution: p = {one['fit']:.2g}"
    count, chance = one["drafted"], one["expected"]
    far = abs(one["accepted"] - count * chance)
    if far > 5 * math.sqrt(count * chance * (1 - chance)) + 0.5:
        return f"{one['accepted']} of {count} drafts accepted, {count * chance:.0f} expected"
    return ""


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Answer with drafts that are the model, near to it, and another."""
    target = "hipaudit.audits.speculative_decoding:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    blind = sum(
        one["draft"] == "another" and one["how"] != "greedy" and one["other"] >= _RARE
        for one in done.entries
    )
    greedy = [one for one in done.entries if one["how"] == "greedy"]
    count, changed = (sum(one[name] for one in greedy) for name in ("answers", "differing"))
    return Sweep(
        name="speculative_decoding",
        title="Speculative decoding",
        question="Do drafts leave every answer's distribution as it was, and are they accepted?",
        columns=("Draft", "Sampling", "Part", "Answers", "p of the target", "p of the draft",
                 "Drafted", "Accepted", "Share", "Expected", "Batches"),
        numeric=frozenset(range(3, 11)),
        rows=tuple(_row(one) for one in done.entries),
        totals=(
            f"a distribution is refused below p = {_RARE:g}: a right sampler is, once in a million",
            "the draft's own distribution is told from the target's "
            + ("in every run of another draft" if not blind else f"but for {blind} runs"),
            f"{count} greedy answers, {changed} of them changed by a draft",
        ),
        findings=(*done.faults, *(_finding(one) for one in done.entries if _wrong(one))),
        launches=done.launches,
        only="speculative",
    )  # fmt: skip


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    fits = [f"{one[name]:.2g}" if name in one else "-" for name in ("fit", "other")]
    share = one["accepted"] / max(one["drafted"], 1)
    expected = f"{one['expected']:.2f}" if "expected" in one else "-"
    batches = f"{one['batches']} of {one['without']}" if "without" in one else str(one["batches"])
    counts = (str(one["drafted"]), str(one["accepted"]), f"{share:.2f}", expected, batches)
    return (one["draft"], one["how"], one["arch"], str(one["answers"]), *fits, *counts)


def _finding(one: Mapping[str, Any]) -> Finding:
    path = str(shown_path(speculative.__file__))
    draft = Finding(
        id="", kind="bound-exceeded", severity="error", kernel="verify", arch=one["arch"],
        message=_wrong(one), location=Location(path, 0, "verify"),
        input=f"draft: {one['draft']}; sampling: {one['how']}",
        replay="hipaudit audit --only speculative",
    )  # fmt: skip
    return identified(draft)
