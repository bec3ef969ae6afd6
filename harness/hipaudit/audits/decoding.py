"""The workload of the memory audits: tokens decoded through a model's first layers.

Real weights, quantised as the file has them, through the runtime's operations, one token after
another with a growing key-value cache: what a program that calls these operations does with memory.
The numbers are the business of the operations' own specs; here they only have to be finite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit.finding import Finding, Reader
from hipaudit.launches import Launches, launches
from hipaudit.memory import MemoryUse, memory_use

LAYERS = 2
TOKENS = 4
_PARTS = (
    *("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"),
    *("ffn_norm", "ffn_gate", "ffn_up", "ffn_down"),
)

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Decoding:
    """A run of the workload: what the ledger saw, and what it found to be wrong.

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
    """Return how many decoder layers of Llama's form a GGUF file has, as the runtime takes them.

    Zero for a file without a count of heads, or with weights of a format that no kernel multiplies.
    Raises ModelError for a file that is missing, truncated or not GGUF.
    """
    from hipaudit_runtime import ops
    from hipaudit_runtime.errors import WeightsError
    from hipaudit_runtime.weights import read_gguf

    try:
        tensors = list(read_gguf(model))
    except WeightsError as error:
        raise ModelError(str(error)) from error
    usable = {t.name for t in tensors if len(t.shape) == 1 or t.format in ops.FORMATS}
    if "token_embd.weight" not in usable or not _head_count(model):
        return 0
    count = 0
    while all(f"blk.{count}.{part}.weight" in usable for part in _PARTS):
        count += 1
    return count


def _head_count(model: Path) -> int:
    """Return how many query heads a GGUF file says that it has; 0 when it does not say."""
    from gguf import GGUFReader

    for name, field in GGUFReader(str(model)).fields.items():
        if name.endswith(".attention.head_count"):
            return int(field.contents())
    return 0


def run(model: Path, choice: str, arch: str, tick: Callable[[], None] = lambda: None) -> Decoding:
    """Decode in a child and return what its ledger says; *tick* is called for each token.

    Raises ModelError for a file that is not GGUF or has no such layers.
    """
    payload = {"model": str(model), "layers": LAYERS, "tokens": TOKENS}
    result = run_in_child(
        "hipaudit.audits.decoding:decode_in_child",
        payload,
        choice=choice,
        settings={"arch": arch, "build": "plain"},
        progress=lambda _: tick(),
    )
    records = [*result.records, *([result.death] if result.death else [])]
    reader = Reader(replay="hipaudit audit --only memory")
    return Decoding(
        model.name,
        arch,
        LAYERS,
        TOKENS,
        memory_use(records, reader.symboliser),
        reader.findings(records),
        launches(records),
    )


def decode_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Decode *tokens* tokens through the first *layers* layers; the child's side of `run`."""
    from hipaudit_runtime.weights import read_gguf

    weights = {tensor.name: tensor for tensor in read_gguf(Path(payload["model"]))}
    heads = _head_count(Path(payload["model"]))
    layers = [_Layer(weights, index, heads) for index in range(int(payload["layers"]))]
    table = weights["token_embd.weight"]
    for step in range(int(payload["tokens"])):
        state = _embedded(device, table, step)
        for layer in layers:
            state = layer.forward(device, state, step)
        if not np.isfinite(state).all():
            raise ModelError(f"token {step} is not finite after {len(layers)} layers")
        progress(1)
    if device.control is not None:
        device.control.flush()
    return {"tokens": payload["tokens"]}


def _embedded(device: Device, table: Any, token: int) -> Array:
    """Return a token's row of the embedding."""
    from hipaudit_runtime import ops

    at = (1000 + token) % len(table.data)  # behind the tokens of control
    row = np.ascontiguousarray(table.data[at : at + 1])
    return ops.dequantise(device, table.format, row)


class _Layer:
    """One decoder layer: its stored weights and its cache."""

    def __init__(self, weights: Mapping[str, Any], index: int, heads: int) -> None:
        prefix = f"blk.{index}."
        self.weights = {
            name.removeprefix(prefix).removesuffix(".weight"): tensor
            for name, tensor in weights.items()
            if name.startswith(prefix)
        }
        self.size = int(self.weights["attn_q"].shape[0]) // heads
        self.keys: list[Array] = []
        self.values: list[Array] = []

    def forward(self, device: Device, x: Array, position: int) -> Array:
        """Return the layer's output for one token, (1, width)."""
        from hipaudit_runtime import ops

        normed = ops.rms_norm(device, x, self._floats("attn_norm"))
        places = np.array([position], np.int32)
        query = ops.rope(device, self._heads(device, "attn_q", normed), places)
        self.keys.append(ops.rope(device, self._heads(device, "attn_k", normed), places))
        self.values.append(self._heads(device, "attn_v", normed))
        mixed = self._attention(device, query)
        attended = self._times(device, "attn_output", mixed.reshape(1, -1))
        inner, carried = ops.residual_rms_norm(device, attended, x, self._floats("ffn_norm"))
        gate = self._times(device, "ffn_gate", inner)
        up = self._times(device, "ffn_up", inner)
        down = self._times(device, "ffn_down", ops.swiglu(device, gate, up))
        return ops.add(device, carried, down)

    def _attention(self, device: Device, query: Array) -> Array:
        """Return each head's mix of the values so far, (1, heads, size)."""
        from hipaudit_runtime import ops

        keys, values = np.concatenate(self.keys), np.concatenate(self.values)
        return ops.flash_attention(device, _batched(query), _batched(keys), _batched(values))

    def _heads(self, device: Device, name: str, x: Array) -> Array:
        return self._times(device, name, x).reshape(1, -1, self.size)

    def _times(self, device: Device, name: str, x: Array) -> Array:
        """Return the product with a quantised weight, (1, rows)."""
        from hipaudit_runtime import ops

        weight = self.weights[name]
        return ops.quantised_gemm(device, weight.format, np.ascontiguousarray(weight.data), x)

    def _floats(self, name: str) -> Array:
        return np.ascontiguousarray(self.weights[name].data, np.float32)


def _batched(heads: Array) -> Array:
    """Return (tokens, heads, size) as attention takes it: (1, heads, tokens, size)."""
    return np.ascontiguousarray(heads.transpose(1, 0, 2)[None])
