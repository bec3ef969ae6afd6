"""Weights on the device, as they are stored."""

from __future__ import annotations

from hipaudit_runtime.ops.quantised import block_format
from hipaudit_runtime.tensors import Scope, Tensor
from hipaudit_runtime.weights import StoredTensor


def upload(scope: Scope, stored: StoredTensor) -> Tensor:
    """Copy a stored tensor to the device, straight from the file: blocks stay blocks.

    Raises ValueError, with the tensor's name, for blocks of a format that no kernel reads.
    """
    if stored.quantised:
        try:
            block_format(stored.format)
        except ValueError as error:
            raise ValueError(f"{stored.name}: {error}") from error
    return scope.upload(stored.data)
