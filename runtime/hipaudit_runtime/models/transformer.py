"""Decoder-only transformers: embedding, layers of attention and feed-forward networks, logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol, final

import numpy as np

from hipaudit_runtime import ops
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.kv_pages import CacheShape, KvPages
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models.attention import HeadsAttention, HeadsWeights, load_heads
from hipaudit_runtime.models.batch import Batch
from hipaudit_runtime.models.config import ModelConfig, read_config
from hipaudit_runtime.models.feed_forward import FeedForward, Gated, Mixture, load_feed_forward
from hipaudit_runtime.models.latent_attention import LatentAttention, LatentWeights, load_latent
from hipaudit_runtime.models.matrices import Loader, launch_linear, launch_lookup
from hipaudit_runtime.models.positions import logit_scale, turning
from hipaudit_runtime.ownership import Owner
from hipaudit_runtime.tensors import Scope, Tensor
from hipaudit_runtime.weights import Weights


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer's weights; the norms come before what they are named for."""

    attention_norm: Tensor
    attention: HeadsWeights | LatentWeights
    feed_forward_norm: Tensor
    feed_forward: Gated | Mixture


class _Attention(Protocol):
    """Attention of one pass, for layers whose weights are of its kind."""

    def launch(self, layer: Any, pages: tuple[Tensor, Tensor], x: Tensor, y: Tensor) -> None:
        """Launch y = the layer's attention of x."""


@final
class Transformer(Owner):
    """A model whose weights are on a device, as `language_model.LanguageModel` says.

    Use it as a context manager, or call `close`: the weights' memory goes back then.

    Raises:
        WeightsError: the file describes no model that is known, or lacks one of its tensors.
        HipError: out of device memory; nothing is left allocated.
    """

    __slots__ = (
        "_biased", "_config", "_device", "_embedding", "_layers", "_norm", "_output", "_rope",
        "_scale", "_scope",
    )  # fmt: skip

    def __init__(self, weights: Weights, device: DeviceLike) -> None:
        config = read_config(weights)
        self._config: Final = config
        self._device: Final = device
        self._scale = logit_scale(config)
        self._scope = Scope()
        try:
            loader = Loader(weights, device, self._scope)
            self._rope = self._scope.upload(turning(config, weights))
            self._embedding = loader.matrix("token_embd", config.vocabulary, config.width)
            self._layers = tuple(_load_layer(loader, config, n) for n in range(config.layers))
            self._norm = loader.vector("output_norm.weight", config.width)
            self._output = self._embedding
            if loader.has("output.weight"):
                self._output = loader.matrix("output", config.vocabulary, config.width)
            self._biased = loader.biased
        except BaseException:
            self.close()
            raise

    @property
    def device(self) -> DeviceLike:
        """Where it runs."""
        return self._device

    @property
    def config(self) -> ModelConfig:
        """Its sizes."""
        return self._config

    @property
    def vocabulary_size(self) -> int:
        """Logits a token."""
        return self._config.vocabulary

    @property
    def context(self) -> int:
        """The most tokens a sequence may have."""
        return self._config.context

    def cache(self, pages: int, page_size: int, kind: str = "float16") -> KvPages:
        """A new cache for this model's keys and values; *kind* is one of `kv_pages.FORMATS`.

        Latents have no Q8_0 form: ValueError.
        """
        config = self._config
        if config.latent is None:
            sizes = (config.key_heads, config.size, config.value_size)
        elif kind == "q8_0":
            raise ValueError("latents are not stored in q8_0")
        else:
            sizes = (1, config.latent.rank + config.turned, 0)
        return KvPages(CacheShape(config.layers, pages, page_size, *sizes, kind))

    def forward(self, scope: Scope, cache: KvPages, steps: Sequence[Step]) -> Tensor:
        """Run new tokens through the model, as `LanguageModel.forward` says."""
        self._check(cache, steps)
        wanted = sum(step.logits for step in steps)
        logits = scope.empty((wanted, self._config.vocabulary), np.float32)
        if not steps:
            return logits
        with _reserved(cache, steps) as slots:
            batch = self._batch(scope, cache, steps, slots)
            self._run(batch, cache, steps, logits)
        return logits

    def _check(self, cache: KvPages, steps: Sequence[Step]) -> None:
        if len({step.sequence for step in steps}) != len(steps):
            raise ValueError("a sequence has two steps in one batch")
        for step in steps:
            if not 0 <= step.logits <= len(step.tokens) or not step.tokens:
                raise ValueError(f"{step.logits} logits of {len(step.tokens)} tokens")
            before = cache.tables.length(step.sequence)
            if before + len(step.tokens) > self._config.context:
                raise ValueError(
                    f"{before} + {len(step.tokens)} tokens are more than the model's context of "
                    f"{self._config.context}"
                )
            for token in step.tokens:
                if not 0 <= token < self._config.vocabulary:
                    raise ValueError(f"token {token} is outside 0 to {self._config.vocabulary - 1}")

    def _batch(
        self, scope: Scope, cache: KvPages, steps: Sequence[Step], slots: Sequence[int]
    ) -> Batch:
        tables = cache.tables
        positions = np.concatenate([
            np.arange(length - len(step.tokens), length)
            for step in steps
            for length in [tables.length(step.sequence)]
        ])  # fmt: skip
        sequences = cache.batch(scope, {step.sequence: len(step.tokens) for step in steps})
        return Batch(
            self._device,
            len(slots),
            scope.upload(positions.astype(np.int32)),
            scope.upload(np.array(slots, np.int32)),
            sequences,
            scope.upload(np.ones(len(slots), np.float32)) if self._biased else None,
            scope,
        )

    def _run(self, batch: Batch, cache: KvPages, steps: Sequence[Step], logits: Tensor) -> None:
        config, device = self._config, self._device
        tokens = np.concatenate([np.array(step.tokens, np.int32) for step in steps])
        stream, normed, change = (batch.space(config.width) for _ in range(3))
        attention = self._attention(batch)
        feed_forward = FeedForward(batch, config)
        launch_lookup(device, self._embedding, batch.scope.upload(tokens), stream)
        first = self._layers[0].attention_norm
        ops.launch_rms_norm(device, stream, first, normed, config.epsilon)
        after = [layer.attention_norm for layer in self._layers[1:]] + [self._norm]
        for layer, norm, *pages in zip(self._layers, after, cache.keys, cache.values, strict=True):
            attention.launch(layer.attention, (pages[0], pages[1]), normed, change)
            self._add(stream, change, layer.feed_forward_norm, normed)
            feed_forward.launch(layer.feed_forward, normed, change)
            self._add(stream, change, norm, normed)
        rows = _wanted(steps)
        if len(rows) < len(tokens):
            kept = batch.scope.empty((len(rows), config.width), np.float32)
            ops.launch_embedding(device, normed, batch.scope.upload(rows), kept)
            normed = kept
        launch_linear(device, self._output, batch.ones, normed, logits)

    def _attention(self, batch: Batch) -> _Attention:
        if self._config.latent is None:
            return HeadsAttention(batch, self._config, self._rope, self._scale)
        return LatentAttention(batch, self._config, self._config.latent, self._rope, self._scale)

    def _add(self, stream: Tensor, change: Tensor, norm: Tensor, normed: Tensor) -> None:
        """Launch stream += change, and normed = its norm."""
        epsilon = self._config.epsilon
        ops.launch_residual_rms_norm(self._device, change, stream, norm, normed, stream, epsilon)

    def close(self) -> None:
        """Give the weights' memory back; a second time does nothing."""
        self._scope.close()


def _load_layer(loader: Loader, config: ModelConfig, number: int) -> _Layer:
    at = f"blk.{number}"
    return _Layer(
        loader.vector(f"{at}.attn_norm.weight", config.width),
        load_heads(loader, config, number)
        if config.latent is None
        else load_latent(loader, config, config.latent, number),
        loader.vector(f"{at}.ffn_norm.weight", config.width),
        load_feed_forward(loader, config, number),
    )


@contextmanager
def _reserved(cache: KvPages, steps: Sequence[Step]) -> Iterator[list[int]]:
    """The slots of all steps' tokens: committed at the end, and given back on an error."""
    tables = cache.tables
    lengths = [tables.length(step.sequence) for step in steps]
    slots: list[int] = []
    try:
        for step in steps:
            slots += cache.reserve(step.sequence, step.tokens).slots
        yield slots
    except BaseException:
        for step, length in zip(steps, lengths, strict=True):
            tables.truncate(step.sequence, length)
        raise
    for step in steps:
        tables.commit(step.sequence)


def _wanted(steps: Sequence[Step]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The batch's rows whose logits are asked for."""
    ends = np.cumsum([len(step.tokens) for step in steps])
    rows = [np.arange(end - step.logits, end) for end, step in zip(ends, steps, strict=True)]
    return np.concatenate(rows).astype(np.int32)
