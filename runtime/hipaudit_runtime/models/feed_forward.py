"""Feed-forward networks of a layer: SwiGLU, alone or as a mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from hipaudit_runtime import ops
from hipaudit_runtime.models.batch import Batch
from hipaudit_runtime.models.config import Experts, ModelConfig
from hipaudit_runtime.models.matrices import Loader, Matrix, launch_grouped, launch_linear
from hipaudit_runtime.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Gated:
    """Down(silu(gate x) * up x)."""

    gate: Matrix
    up: Matrix
    down: Matrix


@dataclass(frozen=True, slots=True)
class Mixture:
    """Experts, and what all tokens go through as well.

    router       (experts, width)
    gates, ups   of each expert (expert width, width), downs (width, expert width)
    shared       None without
    shared_gate  (1, width): how much of the shared network a token takes, None for all of it
    """

    router: Matrix
    gates: Matrix
    ups: Matrix
    downs: Matrix
    shared: Gated | None
    shared_gate: Matrix | None


def load_feed_forward(loader: Loader, config: ModelConfig, layer: int) -> Gated | Mixture:
    """The feed-forward part of a layer; WeightsError for what is missing or of another shape."""
    at, experts = f"blk.{layer}.ffn", config.experts
    if experts is None or layer < experts.dense_layers:
        return _gated(loader, config.width, config.hidden, at, "")
    shared = shared_gate = None
    if experts.shared_width:
        shared = _gated(loader, config.width, experts.shared_width, at, "_shexp")
        if loader.has(f"{at}_gate_inp_shexp.weight"):
            row = loader.vector(f"{at}_gate_inp_shexp.weight", config.width)
            shared_gate = Matrix(None, row.reshape(1, config.width), config.width)
    return Mixture(
        loader.matrix(f"{at}_gate_inp", experts.count, config.width),
        loader.stack(f"{at}_gate_exps", experts.count, experts.width, config.width),
        loader.stack(f"{at}_up_exps", experts.count, experts.width, config.width),
        loader.stack(f"{at}_down_exps", experts.count, config.width, experts.width),
        shared,
        shared_gate,
    )


def _gated(loader: Loader, width: int, hidden: int, at: str, suffix: str) -> Gated:
    return Gated(
        loader.matrix(f"{at}_gate{suffix}", hidden, width),
        loader.matrix(f"{at}_up{suffix}", hidden, width),
        loader.matrix(f"{at}_down{suffix}", width, hidden),
    )


@final
class FeedForward:
    """The feed-forward parts of one pass, with space that its layers share."""

    __slots__ = ("_batch", "_hidden", "_mixing")

    def __init__(self, batch: Batch, config: ModelConfig) -> None:
        self._batch = batch
        experts = config.experts
        widths = {config.hidden} if experts is None else {config.hidden, experts.shared_width}
        self._hidden = {width: (batch.space(width), batch.space(width)) for width in widths}
        self._mixing = None if experts is None else _Mixing(batch, experts, config.width)

    def launch(self, layer: Gated | Mixture, x: Tensor, y: Tensor) -> None:
        """Launch y = the layer's network of x, (tokens, width) both."""
        if isinstance(layer, Gated):
            self._launch_gated(layer, x, y)
            return
        assert self._mixing is not None  # noqa: S101 - a mixture is loaded for experts alone
        self._mixing.launch(layer, x, y)
        if layer.shared is None:
            return
        extra = self._mixing.extra
        self._launch_gated(layer.shared, x, extra)
        if layer.shared_gate is not None:
            self._mixing.launch_gate(layer.shared_gate, x)
        ops.launch_add(self._batch.device, y, extra, y)

    def _launch_gated(self, layer: Gated, x: Tensor, y: Tensor) -> None:
        device, ones = self._batch.device, self._batch.ones
        gate, up = self._hidden[layer.gate.rows]
        launch_linear(device, layer.gate, ones, x, gate)
        launch_linear(device, layer.up, ones, x, up)
        ops.launch_swiglu(device, gate, up, gate)
        launch_linear(device, layer.down, ones, gate, y)


@final
class _Mixing:
    """Space and steps of a mixture: choose, sort tokens by expert, multiply, put together.

    extra  (tokens, width), for what the shared network adds
    """

    __slots__ = ("_batch", "_chosen", "_experts", "_gate", "_inner", "_sorted", "_spread", "extra")

    def __init__(self, batch: Batch, experts: Experts, width: int) -> None:
        self._batch = batch
        self._experts = experts
        pairs = batch.tokens * experts.used

        def integers(*shape: int) -> Tensor:
            return batch.scope.empty(shape, np.int32)

        self._chosen = (
            batch.space(experts.count), batch.space(experts.used),
            integers(batch.tokens, experts.used),
        )  # fmt: skip
        self._sorted = (
            integers(pairs), integers(pairs), integers(experts.count + 1),
            integers(ops.permute_scratch(pairs, experts.count)),
        )  # fmt: skip
        self._spread = batch.space(experts.used, width), batch.space(experts.used, width)
        inner = experts.used, experts.width
        self._inner = batch.space(*inner), batch.space(*inner)
        self._gate = batch.space(1), batch.space(width)
        self.extra = batch.space(width)

    def launch(self, layer: Mixture, x: Tensor, y: Tensor) -> None:
        """Launch y = the weighted sum of what each token's experts make of its row of x."""
        device, experts = self._batch.device, self._experts
        tokens, width = x.shape
        pairs = tokens * experts.used
        logits, weights, indices = self._chosen
        source, position, offsets, scratch = self._sorted
        launch_linear(device, layer.router, self._batch.ones, x, logits)
        ops.launch_router(device, logits, weights, indices, normalised=experts.normalised)
        ops.launch_permute(device, indices, source, position, offsets, scratch)
        repeated, rows = self._spread
        ops.launch_copy_strided(device, x, repeated, (width, 0, 1))
        repeated, rows = repeated.reshape(pairs, width), rows.reshape(pairs, width)
        ops.launch_embedding(device, repeated, source, rows)
        gate, up = (space.reshape(pairs, experts.width) for space in self._inner)
        launch_grouped(device, layer.gates, rows, offsets, gate)
        launch_grouped(device, layer.ups, rows, offsets, up)
        ops.launch_swiglu(device, gate, up, gate)
        launch_grouped(device, layer.downs, gate, offsets, rows)
        ops.launch_combine(device, rows, weights, position, y)
        if experts.scale != 1.0:
            ops.launch_scale(device, y, y, experts.scale)

    def launch_gate(self, gate: Matrix, x: Tensor) -> None:
        """Launch extra = extra * sigmoid(gate x)."""
        device = self._batch.device
        share, spread = self._gate
        launch_linear(device, gate, self._batch.ones, x, share)
        ops.launch_copy_strided(device, share, spread, (1, 0))
        ops.launch_glu(device, self.extra, spread, self.extra)
