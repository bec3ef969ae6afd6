"""Rotary embedding's frequencies, scaled for contexts beyond those that were trained on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.models.config import ModelConfig
from hipaudit_runtime.weights import Weights

_FAST, _SLOW = 32.0, 1.0
"""YaRN: turns within the original context, above which a pair stays and below which it slows."""


def turning(config: ModelConfig, weights: Weights) -> npt.NDArray[np.float32]:
    """The angle of each pair per position, (turned / 2,), computed in float64.

    Linear scaling divides all by the factor. YaRN (Peng et al. 2023) leaves fast pairs, divides
    slow ones, and blends between. A tensor ``rope_freqs.weight`` divides them one by one, which is
    how Llama 3's scaling is stored.
    """
    pairs = np.arange(config.turned // 2)
    angles = np.float64(config.base) ** (-2.0 * pairs / max(config.turned, 1))
    scaling = config.scaling
    if scaling.kind == "linear":
        angles /= scaling.factor
    elif scaling.kind == "yarn":
        low, high = (_pair_of(turns, config) for turns in (_FAST, _SLOW))
        low, high = max(math.floor(low), 0), min(math.ceil(high), config.turned - 1)
        slowed = np.clip((pairs - low) / max(high - low, 0.001), 0.0, 1.0)
        angles = angles * (1 - slowed) + angles / scaling.factor * slowed
    if "rope_freqs.weight" in weights.tensors:
        angles = angles / _factors(config, weights)
    return np.asarray(angles, dtype=np.float32)


def logit_scale(config: ModelConfig) -> float:
    """The factor of q k^T: 1 / sqrt(size), and YaRN's, which grows with the context.

    YaRN turns by a matrix with that factor; on q and k alike it is its square here.
    """
    scaling = config.scaling
    scale = 1 / math.sqrt(config.size)
    if scaling.kind != "yarn":
        return scale
    if config.latent is not None:
        growth = 1 + scaling.logarithm * math.log(scaling.factor)
    elif config.turned == config.size:
        growth = 1 + 0.1 * math.log(scaling.factor)
    else:
        raise WeightsError(
            f"YaRN on {config.turned} of a head's {config.size} elements is not supported"
        )
    return scale * (scaling.attention * growth) ** 2


def _pair_of(turns: float, config: ModelConfig) -> float:
    """The pair, as a real number, that makes so many turns in the original context."""
    per_context = config.scaling.original / (turns * 2 * math.pi)
    return config.turned * math.log(per_context) / (2 * math.log(config.base))


def _factors(config: ModelConfig, weights: Weights) -> npt.NDArray[np.float64]:
    stored = weights.tensor("rope_freqs.weight")
    if stored.shape != (config.turned // 2,) or stored.quantised:
        raise WeightsError(
            f"rope_freqs.weight of {weights.path} is {stored.format}{list(stored.shape)}, "
            f"not {config.turned // 2} numbers"
        )
    factors = stored.data.astype(np.float64)
    if not np.all(np.isfinite(factors) & (factors > 0)):
        raise WeightsError(f"rope_freqs.weight of {weights.path} has a factor that is not above 0")
    return factors
