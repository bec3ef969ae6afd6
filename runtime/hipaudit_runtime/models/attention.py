"""Attention of a layer with heads of keys, shared among groups of heads of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from hipaudit_runtime import ops
from hipaudit_runtime.models.batch import Batch
from hipaudit_runtime.models.config import ModelConfig
from hipaudit_runtime.models.matrices import Loader, Matrix, launch_linear
from hipaudit_runtime.tensors import Tensor


@dataclass(frozen=True, slots=True)
class HeadsWeights:
    """A layer's matrices, and the norms of each head of queries and keys that Qwen3 has."""

    query: Matrix
    key: Matrix
    value: Matrix
    output: Matrix
    query_norm: Tensor | None
    key_norm: Tensor | None


def load_heads(loader: Loader, config: ModelConfig, layer: int) -> HeadsWeights:
    """The attention of a layer; WeightsError for a tensor that is missing or of another shape."""
    at = f"blk.{layer}.attn"
    norms = [
        loader.vector(f"{at}_{name}_norm.weight", config.size)
        if loader.has(f"{at}_{name}_norm.weight")
        else None
        for name in ("q", "k")
    ]
    return HeadsWeights(
        loader.matrix(f"{at}_q", config.heads * config.size, config.width),
        loader.matrix(f"{at}_k", config.key_heads * config.size, config.width),
        loader.matrix(f"{at}_v", config.key_heads * config.value_size, config.width),
        loader.matrix(f"{at}_output", config.width, config.heads * config.value_size),
        *norms,
    )


@final
class HeadsAttention:
    """Attention of one pass, with space that its layers share."""

    __slots__ = ("_batch", "_config", "_logits", "_output", "_rope", "_spaces")

    def __init__(self, batch: Batch, config: ModelConfig, rope: Tensor, scale: float) -> None:
        self._batch = batch
        self._config = config
        self._rope = rope
        self._logits = ops.Logits(scale=scale, window=config.window)
        self._spaces = (
            batch.space(config.heads, config.size),
            batch.space(config.key_heads, config.size),
            batch.space(config.key_heads, config.value_size),
        )
        self._output = batch.space(config.heads, config.value_size)

    def launch(
        self, layer: HeadsWeights, pages: tuple[Tensor, Tensor], x: Tensor, y: Tensor
    ) -> None:
        """Launch y = the layer's attention of x, (tokens, width) both; keys and values are kept."""
        batch, config = self._batch, self._config
        device, tokens = batch.device, batch.tokens
        q, k, v = self._spaces
        for matrix, into in ((layer.query, q), (layer.key, k), (layer.value, v)):
            launch_linear(device, matrix, batch.ones, x, into.reshape(tokens, matrix.rows))
        for weight, heads in ((layer.query_norm, q), (layer.key_norm, k)):
            if weight is not None:
                ops.launch_rms_norm(device, heads, weight, heads, config.epsilon)
        turn = config.interleaved
        ops.launch_rope(device, q, batch.positions, self._rope, q, interleaved=turn)
        where = (batch.slots, batch.positions, self._rope)
        ops.launch_kv_append(device, k, v, *where, *pages, interleaved=turn)
        ops.launch_paged_attention(device, q, *pages, batch.sequences, self._output, self._logits)
        heads = self._output.reshape(tokens, config.heads * config.value_size)
        launch_linear(device, layer.output, batch.ones, heads, y)
