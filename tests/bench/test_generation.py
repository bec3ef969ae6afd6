"""Tokens a second of a real model on the emulated device, plain and with every access checked."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.errors import ModelError

pytestmark = pytest.mark.bench

ROUNDS = 8


@pytest.fixture(autouse=True)
def _model() -> None:
    try:
        default_model()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.benchmark(group="generation")
@pytest.mark.parametrize("build", ["plain", "checked"])
def test_decode(benchmark: Any, children: Any, table: Any, build: str) -> None:
    one = children.emulated("decode", workers=1, build=build)
    two = children.emulated("decode", workers=2, build=build)
    alone = one.best(ROUNDS)
    took: list[float] = []
    benchmark.pedantic(lambda: took.append(two.seconds()), rounds=ROUNDS)
    named = f"SmolLM2-135M Q4_1, decode, {build}, two workers"
    table.add(benchmark, named, 1 / min(took), "tokens/s", alone / min(took), "one worker")
