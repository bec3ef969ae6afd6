"""Reading weights files: the tensors of a GGUF file as they lie on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy.typing as npt

from hipaudit_runtime.errors import WeightsError


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a weights file.

    name       as in the file, such as ``blk.0.ffn_up.weight``
    format     GGML's name of its format: ``F32``, ``Q4_1``, ``Q8_0``, ...
    quantised  whether elements share blocks, with a scale for each block
    shape      elements, slowest axis first (GGUF itself stores the fastest first)
    data       the stored values, mapped from the file and read only: the blocks' bytes with rows
               along the last axis when quantised, else the elements
    """

    name: str
    format: str
    quantised: bool
    shape: tuple[int, ...]
    data: npt.NDArray[Any]


def read_gguf(path: Path) -> Iterator[StoredTensor]:
    """Yield the tensors of a GGUF file in its order.

    Raises WeightsError, naming the file, when it is missing, truncated or not GGUF.
    """
    for tensor in _open(path).tensors:
        shape = tuple(int(n) for n in reversed(tensor.shape))
        quantised = gguf.GGML_QUANT_SIZES[tensor.tensor_type][0] > 1
        yield StoredTensor(tensor.name, tensor.tensor_type.name, quantised, shape, tensor.data)


def _open(path: Path) -> gguf.GGUFReader:
    if not path.is_file():
        raise WeightsError(f"no weights file {path}")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise WeightsError(f"{path} is not a GGUF file")
    try:
        return gguf.GGUFReader(path)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
        # The reader has no error of its own: past the end of the file its array views fail.
        raise WeightsError(f"{path} is truncated or damaged: {error}") from error
