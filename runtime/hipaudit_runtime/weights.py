"""Reading weights files: the keys of a GGUF file, and its tensors as they lie on disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import gguf
import ml_dtypes
import numpy as np
import numpy.typing as npt

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.gguf_header import DamagedError, Header, TensorEntry, Value, read_header

_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
_DTYPES: Mapping[str, Any] = {
    "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "F64": np.float64,
    "I8": np.int8, "I16": np.int16, "I32": np.int32, "I64": np.int64,
}  # fmt: skip
_Kind = TypeVar("_Kind", bound=Value)


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


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's file, or the files it is split into.

    path      of the first file
    metadata  its keys
    tensors   of all files, by name
    """

    path: Path
    metadata: Mapping[str, Value]
    tensors: Mapping[str, StoredTensor]

    def value(self, key: str, kind: type[_Kind], default: _Kind | None = None) -> _Kind:
        """The value of a key; WeightsError when it is missing without default, or not a *kind*."""
        found = self.metadata.get(key, default)
        if found is None:
            raise WeightsError(f"{self.path} has no {key}")
        if not isinstance(found, kind) or isinstance(found, bool) != (kind is bool):
            raise WeightsError(
                f"{key} of {self.path} is {type(found).__name__}, not {kind.__name__}"
            )
        return found

    def tensor(self, name: str) -> StoredTensor:
        """A tensor, or WeightsError."""
        if name not in self.tensors:
            raise WeightsError(f"{self.path} has no tensor {name}: it has {len(self.tensors)}")
        return self.tensors[name]


def open_gguf(path: Path) -> Weights:
    """Map a GGUF file, and the other parts when it is the first of several.

    Nothing but the header is read; a tensor's pages are when its data is. Raises WeightsError,
    naming the file, when one is missing, truncated, damaged or not GGUF.
    """
    first, mapped = _open(path)
    tensors: dict[str, StoredTensor] = {}
    _collect(tensors, path, first, mapped)
    weights = Weights(path, first.metadata, tensors)
    count = weights.value("split.count", int, 1)
    if count > 1:
        for number, other in enumerate(_other_parts(weights, count), 1):
            header, mapped = _open(other)
            part = Weights(other, header.metadata, {})
            if (part.value("split.no", int), part.value("split.count", int)) != (number, count):
                raise WeightsError(f"{other} is not part {number + 1} of {count} of {path}")
            _collect(tensors, other, header, mapped)
        promised = weights.value("split.tensors.count", int, len(tensors))
        if promised != len(tensors):
            raise WeightsError(f"{path} and its parts have {len(tensors)} tensors, not {promised}")
    return weights


def read_gguf(path: Path) -> Iterator[StoredTensor]:
    """Yield the tensors of a GGUF file in its order; raises as `open_gguf`."""
    yield from open_gguf(path).tensors.values()


def _other_parts(weights: Weights, count: int) -> Iterator[Path]:
    """The files behind the first, which says that there are *count*."""
    path = weights.path
    name = _PART.fullmatch(path.name)
    if name is None or int(name["count"]) != count:
        raise WeightsError(
            f"{path} is one of {count} parts: they are called NAME-00001-of-{count:05}.gguf, ..."
        )
    number = weights.value("split.no", int)
    if number != 0 or int(name["number"]) != 1:
        raise WeightsError(f"{path} is part {number + 1} of {count}: open the first")
    for part in range(2, count + 1):
        yield path.with_name(f"{name['stem']}-{part:05}-of-{count:05}.gguf")


def _collect(
    tensors: dict[str, StoredTensor], path: Path, header: Header, mapped: npt.NDArray[np.uint8]
) -> None:
    for entry in header.tensors:
        if entry.name in tensors:
            raise WeightsError(f"{path} has the tensor {entry.name} of an earlier part")
        tensors[entry.name] = _stored(entry, mapped)


def _stored(entry: TensorEntry, mapped: npt.NDArray[np.uint8]) -> StoredTensor:
    raw = mapped[entry.start : entry.start + entry.nbytes]
    quantised = gguf.GGML_QUANT_SIZES[entry.kind][0] > 1
    name = str(entry.kind.name)
    shape = (*entry.shape[:-1], -1)
    data = raw.reshape(shape) if quantised else raw.view(_DTYPES[name]).reshape(shape)
    return StoredTensor(entry.name, name, quantised, entry.shape, data)


def _open(path: Path) -> tuple[Header, npt.NDArray[np.uint8]]:
    if not path.is_file():
        raise WeightsError(f"no weights file {path}")
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise WeightsError(f"{path} is not a GGUF file")
            mapped = np.memmap(file, dtype=np.uint8, mode="r").view(np.ndarray)
        return read_header(mapped), mapped
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    except DamagedError as error:
        raise WeightsError(f"{path} is truncated or damaged: {error}") from error
