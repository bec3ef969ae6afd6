"""A real model whose allocations, launches and copies fail, each in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit_runtime.errors import HipError
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.requests import Request, Sampling
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.tokens import Vocabulary
from hipaudit_runtime.weights import Weights, open_gguf

if TYPE_CHECKING:
    from hipaudit.plugin_ledger import TestLedger

pytestmark = pytest.mark.runtime

ALL = 30
FEW = 1
"""Layers of the model, all of which launch the same, where to fail in each would take minutes."""
CACHE = CacheSize(pages=2, page_size=8)


@pytest.fixture(scope="module")
def weights() -> Weights:
    try:
        return open_gguf(default_model())
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def asked(weights: Weights) -> Request:
    prompt = tuple(Vocabulary(weights).encode("The capital"))
    return Request(prompt, 2, Sampling(temperature=0.7, top_k=40, top_p=0.9), seed=5)


@contextmanager
def loaded(weights: Weights, device: Device, layers: int) -> Iterator[Transformer]:
    """The model with its first layers alone."""
    metadata = {**weights.metadata, "llama.block_count": layers}
    with Transformer(replace(weights, metadata=metadata), device) as model:
        yield model


def generate(model: Transformer, request: Request) -> list[int]:
    """What a request is answered: it fails once at the most, and is then tried again."""
    answer: list[int] = []
    with Engine(model, lambda token: bytes([token % 256]), cache=CACHE) as engine:
        engine.submit(request)
        while engine.busy:
            for event in engine.step():
                assert not event.error
                answer += event.tokens
    return answer


@pytest.mark.parametrize(
    ("layers", "what"),
    [(ALL, "allocations"), (FEW, "launches"), (FEW, "copies")],
)
def test_every_failure_of_a_generate(
    device: Device,
    weights: Weights,
    asked: Request,
    hip_ledger: TestLedger,
    layers: int,
    what: str,
) -> None:
    with loaded(weights, device, layers) as model:
        wanted = generate(model, asked)
        assert len(wanted) == asked.max_tokens
        number, failed = 0, True
        refused = retried = 0
        while failed:
            number += 1
            since = hip_ledger.snapshot()
            try:
                with hip_ledger.failing(number, what):
                    assert generate(model, asked) == wanted
                    failed = hip_ledger.ledger.asked() >= number
                    retried += failed
            except HipError:
                refused += 1
            assert not hip_ledger.diff(since).made
        assert generate(model, asked) == wanted
    assert retried > 10
    assert refused == (2 if what == "allocations" else 0)  # the cache's keys and values


def test_every_failure_while_it_is_loaded(
    device: Device, weights: Weights, asked: Request, hip_ledger: TestLedger
) -> None:
    def load() -> None:
        with loaded(weights, device, FEW):
            pass

    assert hip_ledger.fail_each(load, HipError) == 3 + 9 * FEW
    assert hip_ledger.fail_each(load, HipError, "copies") == 3 + 9 * FEW
    with loaded(weights, device, FEW) as model:
        assert len(generate(model, asked)) == asked.max_tokens
