"""A real model: SmolLM2-135M-Instruct, against the same weights in float64."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit.library.models import exact_model
from hipaudit_reference.models import Transformer as ExactTransformer
from hipaudit_reference.models import deviation
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.tensors import Scope
from hipaudit_runtime.tokens import Vocabulary
from hipaudit_runtime.weights import Weights, open_gguf

pytestmark = pytest.mark.runtime

PROMPTS = (
    "The three primary colours are red, yellow and blue. Mixing red and yellow paint gives",
    "def factorial(n):\n    if n == 0:\n        return 1\n    return n *",
    "Once upon a time, in a small village at the foot of the mountains, there lived an old",
)
NEW = 20


@pytest.fixture(scope="module")
def weights() -> Weights:
    try:
        return open_gguf(default_model())
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def model(device: Device, weights: Weights) -> Iterator[Transformer]:
    with Transformer(weights, device) as loaded:
        yield loaded


def continued(model: Transformer, prompt: list[int]) -> tuple[list[int], np.ndarray]:
    """The prompt with what greedy decoding adds, and the logits that it was chosen by."""
    tokens, logits = list(prompt), []
    with model.cache(8, 16, "float32") as cache:
        sequence = cache.tables.add()
        step = Step(sequence, tuple(prompt), len(prompt))
        while True:
            with Scope() as scope:
                logits.append(model.forward(scope, cache, [step]).download())
            if len(tokens) == len(prompt) + NEW:
                return tokens, np.concatenate(logits)
            tokens.append(int(np.argmax(logits[-1][-1])))
            step = Step(sequence, (tokens[-1],))


@pytest.fixture(scope="module")
def exact(weights: Weights, device: Device) -> ExactTransformer:
    return exact_model(weights, device.wave_size)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_tokens_are_those_of_float64(
    model: Transformer, weights: Weights, exact: ExactTransformer, prompt: str
) -> None:
    start = Vocabulary(weights).encode(prompt)
    assert len(start) >= 16
    tokens, _ = continued(model, start)
    # Equal choices up to a token make the next one's logits those of the same text.
    chosen = np.argmax(exact.logits(tokens), axis=-1)[len(start) - 1 : -1]
    assert tokens[len(start) :] == chosen.tolist()


def test_logits_are_within_the_bound(
    model: Transformer, weights: Weights, exact: ExactTransformer
) -> None:
    tokens, logits = continued(model, Vocabulary(weights).encode(PROMPTS[0]))
    truth = deviation(exact, tokens)
    assert truth.worst(logits) <= 1
    assert truth.worst(logits * np.float32(1.02)) > 1


def test_a_checked_run_finds_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    here, there = ([sys.executable, "-m", name] for name in ("hipaudit", "hipaudit_runtime"))
    asked = ["--model", str(default_model()), "--prompt", "The capital of France is"]
    program = [*there, "generate", *asked, "--max-tokens", "3", "--temperature", "0"]
    ran = subprocess.run(
        [*here, "exec", "--timeout", "60", "--json", str(report), "--", *program],
        capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(" Paris.")
    found = json.loads(report.read_text())
    assert [one["kind"] for one in found["findings"] if one["severity"] != "info"] == []
    assert sum(kernel["accesses"] for kernel in found["kernels"]) > 100_000_000
