"""The runtime on a real model: requests served by its engine, with every access checked.

What the memory audits look at, and what shows that the whole of it leaves nothing behind. The
numbers are the business of the operations' specs and of the model's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit.finding import Finding, Reader
from hipaudit.launches import Launches, launches
from hipaudit.memory import MemoryUse, memory_use

REQUESTS = 2
NEW = 3
TOKENS = REQUESTS * NEW
_PROMPT = 6
_PATIENCE = 120.0
"""Processor seconds without progress: a large model's product is checked on few cores."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """A run of the engine: what the ledger saw, and what was found to be wrong.

    tokens  that were generated
    memory  None when the child died before it could report
    """

    model: str
    arch: str
    layers: int
    tokens: int
    memory: MemoryUse | None
    findings: tuple[Finding, ...]
    launches: tuple[Launches, ...]

    @property
    def void(self) -> str | None:
        """Why this shows nothing; None when it does."""
        if self.memory is None or not self.memory.calls:
            return f"{self.model}: no HIP call was seen"
        return None if any(entry.launches for entry in self.launches) else "no kernel ran"


def layers_of(model: Path) -> int:
    """Return how many layers a GGUF file's model has; 0 for one that the runtime does not know.

    Raises ModelError for a file that is missing, truncated or not GGUF.
    """
    from hipaudit_runtime.errors import WeightsError
    from hipaudit_runtime.models import read_config
    from hipaudit_runtime.weights import open_gguf

    try:
        weights = open_gguf(model)
    except WeightsError as error:
        raise ModelError(str(error)) from error
    try:
        return read_config(weights).layers
    except WeightsError:
        return 0


def run(model: Path, choice: str, arch: str, tick: Callable[[], None] = lambda: None) -> Decoding:
    """Serve requests in a child and return what was seen; *tick* is called for each token.

    Raises ModelError for a file that is not GGUF or that no model can be made of.
    """
    result = run_in_child(
        "hipaudit.audits.decoding:decode_in_child",
        {"model": str(model)},
        choice=choice,
        settings={"arch": arch, "build": "checked", "timeout": f"{_PATIENCE:g}"},
        progress=lambda _: tick(),
    )
    records = [*result.records, *([result.death] if result.death else [])]
    reader = Reader(replay="hipaudit audit --only memory")
    return Decoding(
        model.name,
        arch,
        layers_of(model),
        TOKENS,
        memory_use(records, reader.symboliser),
        reader.findings(records),
        launches(records),
    )


def decode_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Serve requests, of which the second shares the first's prompt; the child's side of `run`."""
    from hipaudit_runtime.errors import RuntimeFault
    from hipaudit_runtime.generation.engine import CacheSize, Engine
    from hipaudit_runtime.generation.requests import Finish, Request
    from hipaudit_runtime.models import Transformer
    from hipaudit_runtime.weights import open_gguf

    try:
        weights = open_gguf(Path(payload["model"]))
        with (
            Transformer(weights, device) as model,
            Engine(model, lambda _: b"", cache=CacheSize(pages=8, page_size=4)) as engine,
        ):
            prompt = tuple(number % model.vocabulary_size for number in range(1, _PROMPT + 1))
            for number in range(REQUESTS):
                engine.submit(Request((*prompt, number), NEW))
            while engine.busy:
                for event in engine.step():
                    if event.finish is Finish.ERROR:
                        raise ModelError(f"a request failed: {event.error}")
                    progress(len(event.tokens))
    except RuntimeFault as error:
        raise ModelError(str(error)) from error
    if device.control is not None:
        device.control.flush()
    return {"tokens": TOKENS}
