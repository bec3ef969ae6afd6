"""Multi-head latent attention of a layer: keys and values are one latent a token.

The matrices that would make keys and values of a latent are multiplied into queries and outputs
instead ("absorbed"), so the cache holds latents alone (DeepSeek-V2, 2024, section 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from hipaudit_runtime import ops
from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.models.batch import Batch
from hipaudit_runtime.models.config import Latent, ModelConfig
from hipaudit_runtime.models.matrices import Loader, Matrix, launch_linear
from hipaudit_runtime.tensors import Tensor


@dataclass(frozen=True, slots=True)
class LatentWeights:
    """A layer's matrices.

    query_down, query_norm  None where queries have no latent of their own
    down, norm   to a token's latent and the turned part of its key; the norm is the latent's alone
    key_up       float32 (heads, rank, plain): what a head's key is of a latent, transposed
    value_up     float32 (heads, value size, rank)
    """

    query_down: Matrix | None
    query_norm: Tensor | None
    query: Matrix
    down: Matrix
    norm: Tensor
    key_up: Tensor
    value_up: Tensor
    output: Matrix


def load_latent(loader: Loader, config: ModelConfig, latent: Latent, layer: int) -> LatentWeights:
    """The attention of a layer; WeightsError for a tensor that is missing or of another shape."""
    at = f"blk.{layer}.attn"
    into, query_down, query_norm = config.width, None, None
    if latent.query_rank:
        query_down = loader.matrix(f"{at}_q_a", latent.query_rank, config.width)
        query_norm = loader.vector(f"{at}_q_a_norm.weight", latent.query_rank)
        into = latent.query_rank
    key_up, value_up = _ups(loader, config, latent, at)
    return LatentWeights(
        query_down,
        query_norm,
        loader.matrix(f"{at}_q_b" if latent.query_rank else f"{at}_q", _all(config), into),
        loader.matrix(f"{at}_kv_a_mqa", latent.rank + config.turned, config.width),
        loader.vector(f"{at}_kv_a_norm.weight", latent.rank),
        key_up,
        value_up,
        loader.matrix(f"{at}_output", config.width, config.heads * config.value_size),
    )


def _all(config: ModelConfig) -> int:
    return config.heads * config.size


def _ups(loader: Loader, config: ModelConfig, latent: Latent, at: str) -> tuple[Tensor, Tensor]:
    """Both up-projections by heads, from two tensors or from one that has them interleaved."""
    heads, rank, plain = config.heads, latent.rank, latent.plain
    if loader.has(f"{at}_k_b.weight"):
        return (
            loader.plain(f"{at}_k_b.weight", (heads, rank, plain)),
            loader.plain(f"{at}_v_b.weight", (heads, config.value_size, rank)),
        )
    if not loader.has(f"{at}_kv_b.weight"):
        raise WeightsError(
            f"{loader.weights.path} has neither {at}_k_b.weight nor {at}_kv_b.weight"
        )
    each = plain + config.value_size
    both = loader.plain(f"{at}_kv_b.weight", (heads * each, rank))
    key_up = loader.scope.empty((heads, rank, plain), np.float32)
    value_up = loader.scope.empty((heads, config.value_size, rank), np.float32)
    ops.launch_copy_strided(loader.device, both, key_up, (each * rank, 1, rank))
    ops.launch_copy_strided(loader.device, both, value_up, (each * rank, rank, 1), plain * rank)
    return key_up, value_up


@dataclass(frozen=True, slots=True)
class _Space:
    """What a pass computes on the way, float32.

    columns  (rank + turned, tokens, heads): absorbed queries before their axes are put in order
    """

    query_latent: Tensor
    query: Tensor
    turned: Tensor
    by_head_plain: Tensor
    by_head_latent: Tensor
    columns: Tensor
    absorbed: Tensor
    down: Tensor
    mixed: Tensor
    by_head_value: Tensor
    values: Tensor

    @staticmethod
    def of(batch: Batch, config: ModelConfig, latent: Latent) -> _Space:
        heads, rank, turned = config.heads, latent.rank, config.turned

        def empty(*shape: int) -> Tensor:
            return batch.scope.empty(shape, np.float32)

        return _Space(
            query_latent=batch.space(latent.query_rank),
            query=batch.space(heads, config.size),
            turned=batch.space(heads, turned),
            by_head_plain=empty(heads, batch.tokens, latent.plain),
            by_head_latent=empty(heads, batch.tokens, rank),
            columns=empty(rank + turned, batch.tokens, heads),
            absorbed=batch.space(heads, rank + turned),
            down=batch.space(rank + turned),
            mixed=batch.space(heads, rank),
            by_head_value=empty(heads, batch.tokens, config.value_size),
            values=batch.space(heads, config.value_size),
        )


@final
class LatentAttention:
    """Latent attention of one pass, with space that its layers share."""

    __slots__ = ("_batch", "_config", "_latent", "_rope", "_scale", "_space")

    def __init__(
        self, batch: Batch, config: ModelConfig, latent: Latent, rope: Tensor, scale: float
    ) -> None:
        self._batch = batch
        self._config = config
        self._latent = latent
        self._rope = rope
        self._scale = scale
        self._space = _Space.of(batch, config, latent)

    def launch(
        self, layer: LatentWeights, pages: tuple[Tensor, Tensor], x: Tensor, y: Tensor
    ) -> None:
        """Launch y = the layer's attention of x, (tokens, width) both; latents are kept."""
        batch, config, space = self._batch, self._config, self._space
        device, tokens, ones = batch.device, batch.tokens, batch.ones
        turn, rank = config.interleaved, self._latent.rank
        if layer.query_down is not None and layer.query_norm is not None:
            launch_linear(device, layer.query_down, ones, x, space.query_latent)
            ops.launch_rms_norm(
                device, space.query_latent, layer.query_norm, space.query_latent, config.epsilon
            )
            x_q = space.query_latent
        else:
            x_q = x
        launch_linear(device, layer.query, ones, x_q, space.query.reshape(tokens, _all(config)))
        self._absorb(layer)
        launch_linear(device, layer.down, ones, x, space.down)
        cache, _ = pages
        latents = cache.reshape(*cache.shape[:2], rank + config.turned)
        where = (batch.slots, batch.positions, self._rope)
        ops.launch_latent_append(
            device, space.down, layer.norm, *where, latents, config.epsilon, interleaved=turn
        )
        ops.launch_mla_attention(
            device, space.absorbed, latents, batch.sequences, space.mixed, self._scale
        )
        by_head = space.by_head_latent
        ops.launch_permute_axes(device, space.mixed, by_head, (1, 0, 2))
        transposed = ops.Product(transpose_b=True)
        ops.launch_gemm(device, by_head, layer.value_up, space.by_head_value, transposed)
        ops.launch_permute_axes(device, space.by_head_value, space.values, (1, 0, 2))
        heads = space.values.reshape(tokens, config.heads * config.value_size)
        launch_linear(device, layer.output, ones, heads, y)

    def _absorb(self, layer: LatentWeights) -> None:
        """Space.absorbed = (a head's plain part times its key's up-projection, its turned part)."""
        config, space, plain = self._config, self._space, self._latent.plain
        device, size, rank = self._batch.device, config.size, self._latent.rank
        strides = (config.heads * size, size, 1)
        ops.launch_copy_strided(device, space.query, space.turned, strides, plain)
        turn = config.interleaved
        ops.launch_rope(
            device, space.turned, self._batch.positions, self._rope, space.turned, interleaved=turn
        )
        by_head = (size, config.heads * size, 1)
        ops.launch_copy_strided(device, space.query, space.by_head_plain, by_head)
        transposed = ops.Product(transpose_b=True)
        ops.launch_gemm(device, space.by_head_plain, layer.key_up, space.by_head_latent, transposed)
        ops.launch_permute_axes(device, space.by_head_latent, space.columns[:rank], (2, 1, 0))
        ops.launch_permute_axes(device, space.turned, space.columns[rank:], (2, 0, 1))
        ops.launch_permute_axes(device, space.columns, space.absorbed, (1, 2, 0))
