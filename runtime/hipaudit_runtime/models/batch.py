"""What one forward pass works on: its tokens, where they go, and space for what layers compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import Sequences
from hipaudit_runtime.tensors import Scope, Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """New tokens of some sequences, one behind the other.

    positions  int32 (tokens,), in their sequences
    slots      int32 (tokens,), in the cache
    sequences  their pages, for attention
    ones       float32 (tokens,), None for a model without biases
    scope      owns what layers ask for; the caller ends it when the pass is done
    """

    device: DeviceLike
    tokens: int
    positions: Tensor
    slots: Tensor
    sequences: Sequences
    ones: Tensor | None
    scope: Scope

    def space(self, *shape: int) -> Tensor:
        """Float32 space for each token; layers make theirs once and use it in every layer."""
        return self.scope.empty((self.tokens, *shape), np.float32)
