"""Whole models in files that are cut or changed at random: an answer, or an error that says why."""

from __future__ import annotations

import struct
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny_file import write_tiny

from hipaudit.device import Device
from hipaudit_runtime.errors import RuntimeFault
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.prompts import read_language
from hipaudit_runtime.generation.requests import Request
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.weights import open_gguf

if TYPE_CHECKING:
    from hipaudit.plugin_ledger import TestLedger

pytestmark = pytest.mark.runtime

MOST_HOST = 128 << 20
"""Of Python memory: positions' angles of the largest head that a file may claim, in float64."""
MOST_DEVICE = 16 << 20
NUMBERS = (0, 1, 7, 1 << 16, 1 << 24, (1 << 32) - 1, 1 << 60, (1 << 63) - 1, (1 << 64) - 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_tiny(tmp_path_factory.mktemp("whole") / "tiny.gguf").read_bytes()


def answer(device: Device, path: Path) -> str:
    """What becomes of a file: "answered", or the error's class."""
    try:
        weights = open_gguf(path)
        language = read_language(weights)
        with (
            Transformer(weights, device) as model,
            Engine(model, language.vocabulary.piece, cache=CacheSize(4, 8)) as engine,
        ):
            prompt = language.prompt("ab é")
            engine.submit(Request(prompt, 2, stop_tokens=language.vocabulary.ends))
            while engine.busy:
                for event in engine.step():
                    if event.error is not None:
                        raise event.error
    except RuntimeFault as error:
        return type(error).__name__
    return "answered"


def judged(device: Device, ledger: TestLedger, path: Path, data: bytes) -> str:
    """The same, with what it may take and leave."""
    path.write_bytes(data)
    before = ledger.snapshot()
    tracemalloc.start()
    try:
        with ledger.scope() as seen:
            outcome = answer(device, path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_HOST
    assert seen[0].growth < MOST_DEVICE
    left = [one for one in ledger.diff(before).made if one.kind != "module"]
    assert left == [], "kernels are kept, and nothing else"
    return outcome


def changes(whole: bytes, count: int) -> Iterator[bytes]:
    """The file with a bit, a number or a key's value changed before its tensors."""
    rng = np.random.default_rng(8)
    end = whole.index(b"output_norm.weight") + 800
    keys = [at for at in range(end) if whole.startswith(b"llama.", at)]
    for _ in range(count):
        data = bytearray(whole)
        way, at = int(rng.integers(4)), int(rng.integers(end))
        if way == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif way == 1:
            struct.pack_into("<Q", data, at, NUMBERS[rng.integers(len(NUMBERS))])
        else:
            value = whole.index(b"\0", int(rng.choice(keys))) if way == 2 else at
            data[value - 1 + int(rng.integers(6))] = int(rng.choice([0, 1, 2, 63, 127, 128, 255]))
        yield bytes(data)


def test_files_that_are_changed(
    device: Device, hip_ledger: TestLedger, whole: bytes, tmp_path: Path
) -> None:
    assert judged(device, hip_ledger, tmp_path / "model.gguf", whole) == "answered"
    seen = Counter(
        judged(device, hip_ledger, tmp_path / "model.gguf", data) for data in changes(whole, 200)
    )
    assert seen["answered"] > 20, "some changes do no harm"
    assert seen["WeightsError"] > 100, seen


def test_files_that_are_cut(
    device: Device, hip_ledger: TestLedger, whole: bytes, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    # The padding behind the last tensor is nobody's.
    places = [0, 3, 4, 23, 24, *rng.integers(len(whole) - 32, size=35).tolist()]
    path = tmp_path / "model.gguf"
    seen = {judged(device, hip_ledger, path, whole[:place]) for place in places}
    assert seen == {"WeightsError"}
