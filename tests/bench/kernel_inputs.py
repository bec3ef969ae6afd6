"""Inputs that the benchmarks' kernels share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Run = Callable[[], object]

HEADS, KEY_HEADS, HEAD, WIDTH, HIDDEN = 9, 3, 64, 576, 1536
"""SmolLM2-135M's sizes."""


def normal(*shape: int) -> Array:
    """Normal float32 numbers of a shape, the same ones every time."""
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)
