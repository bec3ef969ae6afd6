"""A model's sizes, read from the metadata of a GGUF file.

Written from the format's description alone, so that a runtime's own reading of the same keys is
held against an independent one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hipaudit_reference.arrays import Float64, require

_INTERLEAVED = frozenset({"llama", "mistral", "deepseek2"})
_HALVES = frozenset({"qwen2", "qwen3", "qwen2moe", "qwen3moe"})


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """What a forward pass needs to know besides the tensors.

    frequencies  angle a position of each turned pair, (turned / 2,)
    scale        factor of q k^T
    rank         of a latent, 0 without latents; query_rank likewise for queries'
    experts      of which `used` see a token, 0 without
    """

    layers: int
    heads: int
    key_heads: int
    size: int
    value_size: int
    epsilon: float
    interleaved: bool
    frequencies: Float64
    scale: float
    window: int | None
    rank: int
    query_rank: int
    experts: int
    used: int
    dense_layers: int
    normalised: bool
    expert_scale: float


def read_sizes(metadata: Mapping[str, object], factors: Float64 | None = None) -> ModelSizes:
    """The sizes; *factors* is the tensor ``rope_freqs.weight`` of files that have one.

    Raises ValueError for an architecture that is not known and KeyError for a missing key.
    """
    name = str(metadata["general.architecture"])
    require(name in _INTERLEAVED | _HALVES, f"architecture: {name} is not known")

    def number(key: str, default: float | None = None) -> float:
        value = metadata.get(f"{name}.{key}", default)
        if value is None:
            raise KeyError(f"{name}.{key}")
        return float(np.max(np.asarray(value, dtype=np.float64)))

    heads = int(number("attention.head_count"))
    size = int(number("attention.key_length", number("embedding_length") // heads))
    value_size = int(number("attention.value_length", size))
    turned = int(number("rope.dimension_count", size))
    rank = int(number("attention.kv_lora_rank", 0)) if name == "deepseek2" else 0
    if rank:
        size = int(number("attention.key_length_mla", size))
        value_size = int(number("attention.value_length_mla", value_size))
    return ModelSizes(
        layers=int(number("block_count")),
        heads=heads,
        key_heads=1 if rank else int(number("attention.head_count_kv", heads)),
        size=size,
        value_size=value_size,
        epsilon=number("attention.layer_norm_rms_epsilon"),
        interleaved=name in _INTERLEAVED,
        frequencies=_frequencies(number, _scaling(metadata, name), turned, factors),
        scale=_scale(number, _scaling(metadata, name), size, latent=rank > 0),
        window=int(number("attention.sliding_window", 0)) or None,
        rank=rank,
        query_rank=int(number("attention.q_lora_rank", 0)) if rank else 0,
        experts=int(number("expert_count", 0)),
        used=int(number("expert_used_count", 0)),
        dense_layers=int(number("leading_dense_block_count", 0)),
        normalised=bool(
            metadata.get(f"{name}.expert_weights_norm", name not in {"qwen2moe", "deepseek2"})
        ),
        expert_scale=number("expert_weights_scale", 1.0),
    )


class _Number(Protocol):
    """Reads a key of the architecture."""

    def __call__(self, key: str, default: float | None = None) -> float: ...


def _scaling(metadata: Mapping[str, object], name: str) -> str:
    return str(metadata.get(f"{name}.rope.scaling.type", "none"))


def _frequencies(number: _Number, scaling: str, turned: int, factors: Float64 | None) -> Float64:
    """base^(-2 i / turned), scaled: all by the factor, or as Peng et al. 2023, section 3.2."""
    base = number("rope.freq_base", 10000.0)
    plain = np.array([base ** (-2 * i / turned) for i in range(turned // 2)], dtype=np.float64)
    if factors is not None:
        plain = plain / factors
    if scaling == "linear":
        return plain / number("rope.scaling.factor")
    if scaling != "yarn":
        return plain
    factor = number("rope.scaling.factor")
    context = number("rope.scaling.original_context_length", number("context_length"))

    def pair(turns: float) -> float:
        return turned * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(base))

    first = max(math.floor(pair(32.0)), 0)
    last = min(math.ceil(pair(1.0)), turned - 1)
    ramp = [min(max((i - first) / max(last - first, 0.001), 0.0), 1.0) for i in range(turned // 2)]
    slow = np.array(ramp)
    return np.asarray(plain * (1 - slow) + plain / factor * slow)


def _scale(number: _Number, scaling: str, size: int, *, latent: bool) -> float:
    """1 / sqrt(size), with YaRN's growth squared: once for the query, once for the key."""
    if scaling != "yarn":
        return 1 / math.sqrt(size)
    slope = number("rope.scaling.yarn_log_multiplier", 0.0) if latent else 0.1
    growth = 1 + slope * math.log(number("rope.scaling.factor"))
    return (number("rope.scaling.attn_factor", 1.0) * growth) ** 2 / math.sqrt(size)
