"""A decoder-only transformer in float64, one sequence at a time, without any cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference import bounds
from hipaudit_reference.arrays import Float64, as_float64, require
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.models.sizes import ModelSizes, read_sizes
from hipaudit_reference.references import attentions, elementwise, experts, norms

Rounding: TypeAlias = Callable[[Float64, Callable[[], Float64]], Float64]
"""What becomes of an operation's result: takes it, and what gives the bound of its error."""


def exact(result: Float64, error: Callable[[], Float64]) -> Float64:
    """The result as it is."""
    del error
    return result


@dataclass(frozen=True, slots=True)
class Transformer:
    """A model: its sizes, and its tensors by GGUF's names.

    tensors  dequantised, slowest axis first; any type that `as_float64` takes
    height   additions on the longest path of a sum of so many terms, as the runtime's kernels add
    cache    the format that keys and values are kept in
    """

    sizes: ModelSizes
    tensors: Mapping[str, ArrayLike]
    height: Callable[[int], int] | None = None
    cache: Format = FP32

    @staticmethod
    def of(
        metadata: Mapping[str, object],
        tensors: Mapping[str, ArrayLike],
        height: Callable[[int], int] | None = None,
        cache: Format = FP32,
    ) -> Transformer:
        """The model of a GGUF file's metadata and dequantised tensors."""
        factors = tensors.get("rope_freqs.weight")
        sizes = read_sizes(metadata, None if factors is None else as_float64(factors))
        return Transformer(sizes, tensors, height, cache)

    def logits(self, tokens: Sequence[int], rounding: Rounding = exact) -> Float64:
        """The logits of each token's successor, (tokens, vocabulary).

        Sources: Touvron et al. 2023 (Llama); Shazeer 2020 (SwiGLU); Su et al. 2021 (RoPE);
        Zhang & Sennrich 2019 (RMSNorm); Shazeer et al. 2017 (experts); DeepSeek-V2, 2024 (latents).
        """
        table = self.tensors["token_embd.weight"]
        stream = as_float64(np.asarray(table)[np.asarray(tokens, dtype=np.int64)])
        run = _Pass(self, rounding)
        for layer in range(self.sizes.layers):
            at = f"blk.{layer}."
            attend = run.latent_attention if self.sizes.rank else run.attention
            stream = run.add(stream, attend(at, run.norm(stream, f"{at}attn_norm")))
            stream = run.add(stream, run.feed_forward(layer, run.norm(stream, f"{at}ffn_norm")))
        name = "output" if "output.weight" in self.tensors else "token_embd"
        return run.linear(run.norm(stream, "output_norm"), name)


@dataclass(frozen=True, slots=True)
class _Pass:
    """The operations of one forward pass, each rounded as asked for."""

    model: Transformer
    rounding: Rounding

    def tensor(self, name: str) -> Float64:
        require(name in self.model.tensors, f"tensors: there is no {name}")
        return as_float64(self.model.tensors[name], name)

    def product(self, x: Float64, matrix: Float64) -> Float64:
        """X matrix^T."""
        turned, height = matrix.T, self.model.height
        return self.rounding(
            x @ turned,
            lambda: bounds.gemm(x, turned, height=height and height(x.shape[-1])),
        )

    def linear(self, x: Float64, name: str) -> Float64:
        result = self.product(x, self.tensor(f"{name}.weight"))
        if f"{name}.bias" in self.model.tensors:
            result = self.add(result, self.tensor(f"{name}.bias")[None, :])
        return result

    def norm(self, x: Float64, name: str) -> Float64:
        weight, epsilon = self.tensor(f"{name}.weight"), self.model.sizes.epsilon
        height = self.model.height
        return self.rounding(
            norms.rms_norm(x, weight, epsilon),
            lambda: bounds.rms_norm(x, weight, epsilon, height=height and height(x.shape[-1])),
        )

    def add(self, a: Float64, b: Float64) -> Float64:
        a, b = np.broadcast_arrays(a, b)
        return self.rounding(a + b, lambda: bounds.add(a, b))

    def turn(self, x: Float64) -> Float64:
        """Rotary embedding of (tokens, heads, turned).

        Error: (|x0| + |x1|) (2 u |theta| + eps_sincos + 2 u), the frequency being a table's.
        """
        pairs = self.model.sizes.frequencies.size
        angle = (np.arange(x.shape[0])[:, None] * self.model.sizes.frequencies)[:, None, :]
        if self.model.sizes.interleaved:
            first, second = slice(0, None, 2), slice(1, None, 2)
        else:
            first, second = slice(0, pairs), slice(pairs, 2 * pairs)
        result, error = np.empty_like(x), np.empty_like(x)
        cosine, sine = np.cos(angle), np.sin(angle)
        result[..., first] = x[..., first] * cosine - x[..., second] * sine
        result[..., second] = x[..., second] * cosine + x[..., first] * sine

        def bound() -> Float64:
            u, device = FP32.unit_roundoff, bounds.AMD
            each = np.minimum(2 * u * np.abs(angle), 2.0) + (max(device.sin, device.cos) + 2) * u
            size = np.abs(x[..., first]) + np.abs(x[..., second])
            error[..., first] = error[..., second] = size * each
            return error

        return self.rounding(result, bound)

    def turn_heads(self, x: Float64) -> Float64:
        """Of each head the first elements, as many as are turned."""
        turned = 2 * self.model.sizes.frequencies.size
        return np.concatenate([self.turn(x[..., :turned]), x[..., turned:]], axis=-1)

    def keep(self, x: Float64) -> Float64:
        """What a cache makes of keys and values."""
        unit = self.model.cache.unit_roundoff
        return x if self.model.cache == FP32 else self.rounding(x, lambda: unit * np.abs(x))

    def attention(self, at: str, x: Float64) -> Float64:
        """Heads of queries in groups, each group with one head of keys and values."""
        sizes, tokens = self.model.sizes, x.shape[0]
        q = self.linear(x, f"{at}attn_q").reshape(tokens, sizes.heads, sizes.size)
        k = self.linear(x, f"{at}attn_k").reshape(tokens, sizes.key_heads, sizes.size)
        v = self.linear(x, f"{at}attn_v").reshape(tokens, sizes.key_heads, sizes.value_size)
        if f"{at}attn_q_norm.weight" in self.model.tensors:
            q = self.norm(q, f"{at}attn_q_norm")
        if f"{at}attn_k_norm.weight" in self.model.tensors:
            k = self.norm(k, f"{at}attn_k_norm")
        k, v = self.keep(self.turn_heads(k)), self.keep(v)
        mixed = self.mix(self.turn_heads(q), k, v, sizes.scale)
        return self.linear(mixed.reshape(tokens, -1), f"{at}attn_output")

    def mix(self, q: Float64, k: Float64, v: Float64, scale: float) -> Float64:
        """Causal attention of (tokens, heads, size) each, (tokens, heads, value size)."""
        heads = [np.swapaxes(each, 0, 1) for each in (q, k, v)]
        asked = {"scale": scale, "causal": True, "window": self.model.sizes.window}
        result = self.rounding(
            attentions.attention(*heads, **asked),  # type: ignore[arg-type]
            lambda: bounds.attention(*heads, **asked, tiles=-(-len(k) // 16)),  # type: ignore[arg-type]
        )
        return np.swapaxes(result, 0, 1)

    def latent_attention(self, at: str, x: Float64) -> Float64:
        """Attention whose keys and values are made of one latent a token, as it is defined.

        A runtime multiplies the matrices that make them into queries and outputs instead; products
        in another order have the same bounds with the heights added, so theirs are applied twice.
        """
        sizes, tokens = self.model.sizes, x.shape[0]
        turned = 2 * sizes.frequencies.size
        plain = sizes.size - turned
        query = x
        if sizes.query_rank:
            query = self.norm(self.linear(x, f"{at}attn_q_a"), f"{at}attn_q_a_norm")
        name = f"{at}attn_q_b" if sizes.query_rank else f"{at}attn_q"
        q = self.linear(query, name).reshape(tokens, sizes.heads, sizes.size)
        q = np.concatenate([q[..., :plain], self.turn(q[..., plain:])], axis=-1)
        down = self.linear(x, f"{at}attn_kv_a_mqa")
        latent = self.keep(self.norm(down[:, : sizes.rank], f"{at}attn_kv_a_norm"))
        shared = self.keep(self.turn(down[:, None, sizes.rank :]))
        key_up, value_up = self.ups(at, plain)
        keys = np.stack([self.twice(latent, up) for up in key_up], axis=1)
        values = np.stack([self.twice(latent, up) for up in value_up], axis=1)
        k = np.concatenate([keys, np.repeat(shared, sizes.heads, axis=1)], axis=-1)
        mixed = self.mix(q, k, values, sizes.scale)
        return self.linear(mixed.reshape(tokens, -1), f"{at}attn_output")

    def twice(self, x: Float64, matrix: Float64) -> Float64:
        """A product whose errors are made twice."""
        turned, height = matrix.T, self.model.height
        return self.rounding(
            x @ turned,
            lambda: 2 * bounds.gemm(x, turned, height=height and height(x.shape[-1])),
        )

    def ups(self, at: str, plain: int) -> tuple[Float64, Float64]:
        """What makes heads of a latent: keys (heads, plain, rank), values (heads, size, rank)."""
        if f"{at}attn_k_b.weight" in self.model.tensors:
            keys = np.swapaxes(self.tensor(f"{at}attn_k_b.weight"), -1, -2)
            return keys, self.tensor(f"{at}attn_v_b.weight")
        sizes = self.model.sizes
        both = self.tensor(f"{at}attn_kv_b.weight").reshape(sizes.heads, -1, sizes.rank)
        return both[:, :plain], both[:, plain:]

    def feed_forward(self, layer: int, x: Float64) -> Float64:
        at, sizes = f"blk.{layer}.ffn_", self.model.sizes
        if not sizes.experts or layer < sizes.dense_layers:
            return self.gated(x, *(self.tensor(f"{at}{part}.weight") for part in _PARTS))
        result = self.mixture(x, at)
        if f"{at}gate_shexp.weight" in self.model.tensors:
            shared = self.gated(x, *(self.tensor(f"{at}{part}_shexp.weight") for part in _PARTS))
            if f"{at}gate_inp_shexp.weight" in self.model.tensors:
                row = self.tensor(f"{at}gate_inp_shexp.weight").reshape(1, -1)
                gate = np.broadcast_to(self.product(x, row), shared.shape)
                value = shared
                shared = self.rounding(
                    elementwise.glu(value, gate), lambda: bounds.glu(value, gate)
                )
            result = self.add(result, shared)
        return result

    def gated(self, x: Float64, gate: Float64, up: Float64, down: Float64) -> Float64:
        """SwiGLU: down (silu(gate x) * up x)."""
        left, right = self.product(x, gate), self.product(x, up)
        hidden = self.rounding(elementwise.swiglu(left, right), lambda: bounds.swiglu(left, right))
        return self.product(hidden, down)

    def mixture(self, x: Float64, at: str) -> Float64:
        """Each token through the experts that its router likes best."""
        sizes = self.model.sizes
        scores = self.linear(x, f"{at}gate_inp")
        shares, chosen = experts.router(scores, sizes.used, sizes.normalised)
        shares = self.rounding(
            shares, lambda: bounds.router(scores, sizes.used, sizes.normalised)[0]
        )
        gates, ups, downs = (self.tensor(f"{at}{part}_exps.weight") for part in _PARTS)
        outputs = np.stack([
            np.concatenate([
                self.gated(row[None, :], gates[e], ups[e], downs[e]) for e in chosen[token]
            ])
            for token, row in enumerate(x)
        ])  # fmt: skip
        order = np.arange(shares.size)
        rows = outputs.reshape(shares.size, -1)
        mixed = self.rounding(
            experts.combine(rows, shares, order), lambda: bounds.combine(rows, shares, order)
        )
        if sizes.expert_scale == 1.0:
            return mixed
        scale = sizes.expert_scale
        return self.rounding(mixed * scale, lambda: bounds.scale(mixed, scale))


_PARTS = ("gate", "up", "down")
