"""Language models for the harness: tiny ones with random weights, and any one as the oracle's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

import gguf
import ml_dtypes
import numpy as np
import numpy.typing as npt

from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.models import Transformer as ExactTransformer
from hipaudit_runtime.ops.quantised import product_height
from hipaudit_runtime.ops.rowwise import summation_height
from hipaudit_runtime.weights import StoredTensor, Weights

_PLAIN: Final[Mapping[str, Any]] = {
    "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TinyModel:
    """What a tiny random model is like: a llama with two layers unless changed.

    formats  of its matrices, in turn; blocks want columns that are a multiple of 32
    keys     of its metadata, without the architecture, beyond the sizes
    biases   queries, keys and values have them
    normed   heads of queries and keys have norms
    tied     the embedding is the output matrix as well
    """

    architecture: str = "llama"
    formats: tuple[str, ...] = ("F32",)
    layers: int = 2
    width: int = 64
    hidden: int = 96
    heads: int = 4
    key_heads: int = 2
    size: int = 16
    value_size: int = 16
    vocabulary: int = 97
    context: int = 96
    biases: bool = False
    normed: bool = False
    tied: bool = False
    experts: int = 0
    shared: int = 0
    rank: int = 0
    query_rank: int = 0
    factors: bool = False
    keys: Mapping[str, object] = field(default_factory=dict)


TINY: Final[Mapping[str, TinyModel]] = {
    "llama": TinyModel(formats=("Q8_0", "F16", "Q4_1"), factors=True),
    "mistral": TinyModel(formats=("Q5_1",), keys={"attention.sliding_window": 5}, tied=True),
    "qwen2": TinyModel("qwen2", formats=("BF16",), biases=True, tied=True,
                       keys={"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    "qwen3": TinyModel("qwen3", formats=("Q4_0", "F32"), normed=True, size=32, value_size=32,
                       keys={"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                             "rope.scaling.original_context_length": 24}),
    "mixtral": TinyModel(formats=("Q8_0",), experts=4),
    "qwen2moe": TinyModel("qwen2moe", experts=4, shared=64, biases=True),
    "qwen3moe": TinyModel("qwen3moe", formats=("Q5_0",), experts=4, normed=True),
    "deepseek2": TinyModel("deepseek2", formats=("F16",), rank=32, query_rank=48, size=24,
                           value_size=20, experts=4, shared=32,
                           keys={"leading_dense_block_count": 1, "expert_weights_scale": 1.5,
                                 "rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                                 "rope.scaling.original_context_length": 24,
                                 "rope.scaling.yarn_log_multiplier": 0.07}),
    "deepseek2-lite": TinyModel("deepseek2", formats=("Q8_0",), rank=32, size=24),
}  # fmt: skip
"""One of each family that the runtime knows, by the names of those who made them."""

_TURNED: Final = 8
"""Elements of a head that models with latents turn."""


def tiny(model: TinyModel, seed: int = 0) -> Weights:
    """The weights of a tiny model, made of random numbers, as if they came from a file.

    Raises ValueError for a format that `gguf` cannot make blocks of.
    """
    return _Maker(model, np.random.default_rng(seed)).weights()


@final
class _Maker:
    """Draws the tensors of a model one after the other."""

    def __init__(self, model: TinyModel, generator: np.random.Generator) -> None:
        self._model = model
        self._generator = generator
        self._tensors: dict[str, StoredTensor] = {}

    def weights(self) -> Weights:
        model = self._model
        self._matrix("token_embd", model.vocabulary, model.width, spread=1.0)
        self._norm("output_norm", model.width)
        if not model.tied:
            self._matrix("output", model.vocabulary, model.width)
        if model.factors:
            self._add("rope_freqs.weight", self._generator.uniform(1, 8, (model.size // 2,)), "F32")
        for layer in range(model.layers):
            self._norm(f"blk.{layer}.attn_norm", model.width)
            self._norm(f"blk.{layer}.ffn_norm", model.width)
            if model.rank:
                self._latent_attention(f"blk.{layer}.attn")
            else:
                self._attention(f"blk.{layer}.attn")
            self._feed_forward(layer)
        return Weights(Path(f"a tiny {model.architecture}"), _metadata(model), self._tensors)

    def _attention(self, at: str) -> None:
        model = self._model
        rows = {
            "q": model.heads * model.size,
            "k": model.key_heads * model.size,
            "v": model.key_heads * model.value_size,
        }
        for name, count in rows.items():
            self._matrix(f"{at}_{name}", count, model.width)
            if model.biases:
                self._add(f"{at}_{name}.bias", self._generator.normal(0, 0.3, (count,)), "F32")
        for name in ("q", "k") if model.normed else ():
            self._norm(f"{at}_{name}_norm", model.size)
        self._matrix(f"{at}_output", model.width, model.heads * model.value_size)

    def _latent_attention(self, at: str) -> None:
        model = self._model
        into = model.width
        if model.query_rank:
            self._matrix(f"{at}_q_a", model.query_rank, model.width)
            self._norm(f"{at}_q_a_norm", model.query_rank)
            into = model.query_rank
        name = f"{at}_q_b" if model.query_rank else f"{at}_q"
        self._matrix(name, model.heads * model.size, into)
        self._matrix(f"{at}_kv_a_mqa", model.rank + _TURNED, model.width)
        self._norm(f"{at}_kv_a_norm", model.rank)
        plain = model.size - _TURNED
        if model.query_rank:
            self._stack(f"{at}_k_b", model.heads, model.rank, plain)
            self._stack(f"{at}_v_b", model.heads, model.value_size, model.rank)
        else:
            self._matrix(f"{at}_kv_b", model.heads * (plain + model.value_size), model.rank)
        self._matrix(f"{at}_output", model.width, model.heads * model.value_size)

    def _feed_forward(self, layer: int) -> None:
        model, at = self._model, f"blk.{layer}.ffn"
        dense = model.keys.get("leading_dense_block_count", 0)
        if not model.experts or layer < int(str(dense)):
            self._gated(at, "", model.hidden)
            return
        self._matrix(f"{at}_gate_inp", model.experts, model.width, spread=2.0)
        for name, rows, columns in (
            ("gate", model.hidden, model.width),
            ("up", model.hidden, model.width),
            ("down", model.width, model.hidden),
        ):
            self._stack(f"{at}_{name}_exps", model.experts, rows, columns)
        if model.shared:
            self._gated(at, "_shexp", model.shared)
            if model.architecture == "qwen2moe":
                row = self._generator.normal(0, 0.2, (model.width,))
                self._add(f"{at}_gate_inp_shexp.weight", row, "F32")

    def _gated(self, at: str, suffix: str, hidden: int) -> None:
        self._matrix(f"{at}_gate{suffix}", hidden, self._model.width)
        self._matrix(f"{at}_up{suffix}", hidden, self._model.width)
        self._matrix(f"{at}_down{suffix}", self._model.width, hidden)

    def _matrix(self, name: str, rows: int, columns: int, spread: float = 1.0) -> None:
        values = self._generator.normal(0, spread / np.sqrt(columns), (rows, columns))
        self._add(f"{name}.weight", values, self._format(columns))

    def _stack(self, name: str, count: int, rows: int, columns: int) -> None:
        values = self._generator.normal(0, 1 / np.sqrt(columns), (count, rows, columns))
        self._add(f"{name}.weight", values, self._format(columns))

    def _norm(self, name: str, size: int) -> None:
        self._add(f"{name}.weight", self._generator.uniform(0.5, 1.5, (size,)), "F32")

    def _format(self, columns: int) -> str:
        formats = self._model.formats
        kind = formats[len(self._tensors) % len(formats)]
        return kind if kind in _PLAIN or columns % 32 == 0 else "F32"

    def _add(self, name: str, values: npt.NDArray[Any], kind: str) -> None:
        plain = np.asarray(values, dtype=np.float32)
        if kind in _PLAIN:
            data = plain.astype(_PLAIN[kind])
        else:
            data = gguf.quants.quantize(plain, gguf.GGMLQuantizationType[kind])
        self._tensors[name] = StoredTensor(name, kind, kind not in _PLAIN, plain.shape, data)


def _metadata(model: TinyModel) -> dict[str, Any]:
    sizes: dict[str, object] = {
        "block_count": model.layers,
        "context_length": model.context,
        "embedding_length": model.width,
        "feed_forward_length": model.hidden,
        "attention.head_count": model.heads,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.key_length": model.size,
        "attention.value_length": model.value_size,
        "rope.freq_base": 1000.0,
    }
    if model.rank:
        sizes |= {
            "attention.kv_lora_rank": model.rank,
            "attention.q_lora_rank": model.query_rank,
            "rope.dimension_count": _TURNED,
        }
    else:
        sizes["attention.head_count_kv"] = model.key_heads
    if model.experts:
        sizes |= {
            "expert_count": model.experts,
            "expert_used_count": 2,
            "expert_feed_forward_length": model.hidden,
            "expert_shared_feed_forward_length": model.shared,
        }
    keys = {f"{model.architecture}.{key}": value for key, value in {**sizes, **model.keys}.items()}
    return {"general.architecture": model.architecture, **keys}


@final
class _Dequantised(Mapping[str, npt.NDArray[Any]]):
    """A file's tensors by name, each decoded by `gguf` when it is first asked for, in float64."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._decoded: dict[str, npt.NDArray[Any]] = {}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name not in self._decoded:
            stored = self._weights.tensors[name]
            values = stored.data
            if stored.quantised:
                values = gguf.quants.dequantize(values, gguf.GGMLQuantizationType[stored.format])
            self._decoded[name] = values.reshape(stored.shape).astype(np.float64)
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights.tensors)

    def __len__(self) -> int:
        return len(self._weights.tensors)


def exact_model(weights: Weights, wave_size: int, cache: Format = FP32) -> ExactTransformer:
    """The oracle's model of a file: decoded by `gguf`, with the heights of the runtime's sums.

    Products with matrices of plain formats, and of experts, may add serially: then no height is
    promised.
    """
    matrices = [each for each in weights.tensors.values() if len(each.shape) > 1]
    short = all(each.quantised and len(each.shape) == 2 for each in matrices)

    def height(terms: int) -> int:
        return max(product_height(terms), summation_height(terms, wave_size))

    tensors = _Dequantised(weights)
    return ExactTransformer.of(weights.metadata, tensors, height if short else None, cache)
