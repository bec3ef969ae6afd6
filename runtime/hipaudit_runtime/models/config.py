"""What a weights file says about its model: sizes, attention, experts, positions.

Names and meanings are those of GGUF's keys, ``ARCHITECTURE.KEY``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.ops.norms import check_epsilon
from hipaudit_runtime.weights import Weights

_MOST: Final = 1 << 24
"""No count in a model's description is larger."""
_BASE: Final = 10000.0
"""Of the frequencies of positions, where a file has none."""


@dataclass(frozen=True, slots=True)
class _Family:
    """What an architecture's name says and its keys do not.

    interleaved  rotary embedding turns pairs (2 i, 2 i + 1), not halves
    normalised   the chosen experts' weights are divided by their sum, unless the file says
    latent       attention is over latents
    """

    interleaved: bool = False
    normalised: bool = True
    latent: bool = False


FAMILIES: Final = {
    "llama": _Family(interleaved=True),
    "mistral": _Family(interleaved=True),
    "qwen2": _Family(),
    "qwen3": _Family(),
    "qwen2moe": _Family(normalised=False),
    "qwen3moe": _Family(),
    "deepseek2": _Family(interleaved=True, normalised=False, latent=True),
}
"""By ``general.architecture``. Mistral's and Mixtral's files say llama."""


@dataclass(frozen=True, slots=True)
class Experts:
    """A mixture of experts.

    count, used   experts, and how many of them a token sees
    width         of one's hidden layer
    shared_width  of the hidden layer that all tokens go through as well, 0 for none
    dense_layers  the first layers, which have one feed-forward network instead
    normalised    whether the used ones' weights are divided by their sum
    scale         factor of the weights afterwards
    """

    count: int
    used: int
    width: int
    shared_width: int
    dense_layers: int
    normalised: bool
    scale: float


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention.

    rank        elements of a latent
    query_rank  of the queries' own, 0 when they have none
    plain       elements of a head's key before the turned ones
    """

    rank: int
    query_rank: int
    plain: int


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """How positions beyond those trained on are reached.

    kind      ``none``, ``linear`` or ``yarn``
    factor    by how much the context has grown
    original  the context that was trained on
    attention factor of YaRN's attention
    logarithm of YaRN's growth of the logits with the factor, 0 when the file has none
    """

    kind: str = "none"
    factor: float = 1.0
    original: int = 0
    attention: float = 1.0
    logarithm: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A model's sizes.

    size, value_size  elements of a head's key and value
    turned            elements of a head that rotary embedding turns
    window            keys that a query sees, itself among them; None for all
    """

    architecture: str
    layers: int
    context: int
    width: int
    hidden: int
    heads: int
    key_heads: int
    size: int
    value_size: int
    vocabulary: int
    epsilon: float
    turned: int
    base: float
    interleaved: bool
    scaling: RopeScaling
    window: int | None
    experts: Experts | None
    latent: Latent | None


def read_config(weights: Weights) -> ModelConfig:
    """The configuration in a file's metadata.

    Raises WeightsError for an architecture that is not known, and for a key that is missing, of
    another type, or without sense.
    """
    architecture = weights.value("general.architecture", str)
    if architecture not in FAMILIES:
        raise WeightsError(
            f"{weights.path} is a {architecture} model; known are {', '.join(FAMILIES)}"
        )
    family = FAMILIES[architecture]
    keys = _Keys(weights, architecture)
    heads, width = keys.count("attention.head_count"), keys.count("embedding_length")
    latent = _latent(keys) if family.latent else None
    size = keys.count("attention.key_length", width // heads)
    value_size = keys.count("attention.value_length", size)
    turned = keys.count("rope.dimension_count", size)
    if latent is not None:
        size, value_size = latent.plain + turned, keys.head_size("value")
    key_heads = 1 if latent is not None else keys.count("attention.head_count_kv", heads)
    if heads % key_heads:
        raise WeightsError(f"{weights.path} has {heads} heads for {key_heads} of keys")
    if turned % 2 or turned > size:
        raise WeightsError(f"{weights.path} turns {turned} of a head's {size} elements")
    window = keys.count("attention.sliding_window", 0, least=0)
    return ModelConfig(
        architecture=architecture,
        layers=keys.count("block_count"),
        context=keys.count("context_length"),
        width=width,
        hidden=keys.count("feed_forward_length", 0, least=0),
        heads=heads,
        key_heads=key_heads,
        size=size,
        value_size=value_size,
        vocabulary=weights.tensor("token_embd.weight").shape[0],
        epsilon=_epsilon(keys),
        turned=turned,
        base=keys.real("rope.freq_base", _BASE),
        interleaved=family.interleaved,
        scaling=_scaling(keys),
        window=window or None,
        experts=_experts(keys, family),
        latent=latent,
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of one architecture."""

    weights: Weights
    architecture: str

    def has(self, name: str) -> bool:
        return f"{self.architecture}.{name}" in self.weights.metadata

    def count(self, name: str, default: int | None = None, least: int = 1) -> int:
        """A count; of an array with one a layer, the one that all have."""
        key = f"{self.architecture}.{name}"
        found = self.weights.metadata.get(key)
        if isinstance(found, np.ndarray):
            each = set(found.tolist())
            if len(each) != 1 or found.dtype.kind not in "iu":
                raise WeightsError(f"{key} of {self.weights.path} differs between layers: {each}")
            number = int(each.pop())
        else:
            number = self.weights.value(key, int, default)
        if not least <= number <= _MOST:
            raise WeightsError(
                f"{key} of {self.weights.path} is {number}, outside {least} to {_MOST}"
            )
        return number

    def real(self, name: str, default: float | None = None) -> float:
        """A finite number above 0."""
        key = f"{self.architecture}.{name}"
        number = self.weights.value(key, float, default)
        if not (math.isfinite(number) and number > 0):
            raise WeightsError(f"{key} of {self.weights.path} is {number}")
        return number

    def head_size(self, what: str) -> int:
        """The elements of a head's key or value before they are absorbed into latents."""
        absorbed = f"attention.{what}_length_mla"
        return self.count(absorbed if self.has(absorbed) else f"attention.{what}_length")

    def text(self, name: str, default: str) -> str:
        return self.weights.value(f"{self.architecture}.{name}", str, default)

    def flag(self, name: str, *, default: bool) -> bool:
        return self.weights.value(f"{self.architecture}.{name}", bool, default)


def _epsilon(keys: _Keys) -> float:
    number = keys.real("attention.layer_norm_rms_epsilon")
    try:
        check_epsilon(number)
    except ValueError as error:
        raise WeightsError(f"{keys.weights.path}: {error}") from error
    return number


def _scaling(keys: _Keys) -> RopeScaling:
    kind = keys.text("rope.scaling.type", "none")
    if kind == "none":
        return RopeScaling()
    if kind not in {"linear", "yarn"}:
        raise WeightsError(f"{keys.weights.path} scales positions by {kind}, not linear or yarn")
    if kind == "yarn" and keys.real("rope.freq_base", _BASE) == 1:
        raise WeightsError(f"{keys.weights.path} has a rope.freq_base of 1, by which YaRN divides")
    return RopeScaling(
        kind,
        keys.real("rope.scaling.factor"),
        keys.count("rope.scaling.original_context_length", keys.count("context_length")),
        keys.real("rope.scaling.attn_factor", 1.0),
        keys.real("rope.scaling.yarn_log_multiplier", 0.0)
        if keys.has("rope.scaling.yarn_log_multiplier")
        else 0.0,
    )


def _experts(keys: _Keys, family: _Family) -> Experts | None:
    count = keys.count("expert_count", 0, least=0)
    if count == 0:
        return None
    softmax = 1
    gating = keys.count("expert_gating_func", softmax, least=0)
    if gating not in {0, softmax}:
        raise WeightsError(f"{keys.weights.path} gates experts by function {gating}, not a softmax")
    groups = keys.count("expert_group_count", 1, least=0)
    if groups > 1:
        raise WeightsError(f"{keys.weights.path} chooses among {groups} groups of experts")
    used = keys.count("expert_used_count")
    if used > count:
        raise WeightsError(f"{keys.weights.path} uses {used} of {count} experts")
    width = keys.count("expert_feed_forward_length", keys.count("feed_forward_length", 0, least=0))
    shared = keys.count("expert_shared_count", 0, least=0) * width
    return Experts(
        count,
        used,
        width,
        keys.count("expert_shared_feed_forward_length", shared, least=0),
        keys.count("leading_dense_block_count", 0, least=0),
        keys.flag("expert_weights_norm", default=family.normalised),
        keys.real("expert_weights_scale", 1.0),
    )


def _latent(keys: _Keys) -> Latent:
    plain = keys.head_size("key") - keys.count("rope.dimension_count")
    if plain < 0:
        raise WeightsError(f"{keys.weights.path} turns more of a key than there is")
    return Latent(
        keys.count("attention.kv_lora_rank"),
        keys.count("attention.q_lora_rank", 0, least=0),
        plain,
    )
