"""Weights on the device, and the products and lookups that work on whatever they are stored in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from hipaudit_runtime import ops
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.tensors import Scope, Tensor
from hipaudit_runtime.uploading import upload
from hipaudit_runtime.weights import StoredTensor, Weights

_FEW_ROWS: Final = 16
"""From here on a tiled product reads the matrix less often than a product a row."""

_PLAIN: Final = ("F32", "F16", "BF16")
"""Formats of elements stored one by one that products read."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix by rows, one row an output, or several of one shape.

    kind  the format of its blocks, None when its elements are stored one by one
    data  (..., rows, columns), or (..., rows, bytes of a row)
    bias  (1, rows) float32, None without
    """

    kind: str | None
    data: Tensor
    columns: int
    bias: Tensor | None = None

    @property
    def rows(self) -> int:
        """Outputs."""
        return self.data.shape[-2]


@final
class Loader:
    """Brings a file's tensors to the device, each checked against the shape it must have.

    biased  whether any matrix so far has a bias
    """

    __slots__ = ("biased", "device", "scope", "weights")

    def __init__(self, weights: Weights, device: DeviceLike, scope: Scope) -> None:
        self.weights = weights
        self.device = device
        self.scope = scope
        self.biased = False

    def has(self, name: str) -> bool:
        """Whether the file has a tensor of that name."""
        return name in self.weights.tensors

    def matrix(self, name: str, rows: int, columns: int) -> Matrix:
        """``NAME.weight``, with ``NAME.bias`` where there is one."""
        bias = None
        if self.has(f"{name}.bias"):
            bias = self.vector(f"{name}.bias", rows).reshape(1, rows)
            self.biased = True
        return self._matrix(f"{name}.weight", (rows, columns), bias)

    def stack(self, name: str, count: int, rows: int, columns: int) -> Matrix:
        """``NAME.weight``: as many matrices of one shape."""
        return self._matrix(f"{name}.weight", (count, rows, columns), None)

    def _matrix(self, name: str, shape: tuple[int, ...], bias: Tensor | None) -> Matrix:
        stored = self._stored(name, shape)
        if not stored.quantised and stored.format not in _PLAIN:
            raise WeightsError(
                f"{stored.name} of {self.weights.path} is {stored.format}, not {', '.join(_PLAIN)} "
                "or in blocks"
            )
        kind = stored.format if stored.quantised else None
        return Matrix(kind, self._upload(stored), shape[-1], bias)

    def vector(self, name: str, size: int) -> Tensor:
        """A tensor of one axis, as float32."""
        stored = self._stored(name, (size,))
        if stored.quantised:
            raise WeightsError(f"{name} of {self.weights.path} is in blocks of {stored.format}")
        return self.scope.upload(np.asarray(stored.data, dtype=np.float32))

    def plain(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """A tensor of any number of axes as float32, its blocks decoded on the device."""
        stored = self._stored(name, shape)
        if not stored.quantised:
            return self.scope.upload(np.asarray(stored.data, dtype=np.float32))
        values = self.scope.empty(shape, np.float32)
        with self.scratch() as scratch:
            blocks = upload(scratch.scope, stored)
            ops.launch_dequantise(self.device, stored.format, blocks, values)
        return values

    @contextmanager
    def scratch(self) -> Iterator[Loader]:
        """A loader whose tensors end with the block."""
        with Scope() as scope:
            yield Loader(self.weights, self.device, scope)

    def _stored(self, name: str, shape: tuple[int, ...]) -> StoredTensor:
        stored = self.weights.tensor(name)
        if stored.shape != shape:
            raise WeightsError(
                f"{name} of {self.weights.path} has shape {list(stored.shape)}, "
                f"not {list(shape)} as its metadata asks for"
            )
        return stored

    def _upload(self, stored: StoredTensor) -> Tensor:
        try:
            return upload(self.scope, stored)
        except ValueError as error:
            raise WeightsError(f"{self.weights.path}: {error}") from error


def launch_linear(
    device: DeviceLike, matrix: Matrix, ones: Tensor | None, x: Tensor, y: Tensor
) -> None:
    """Launch y = x matrix^T + bias: x (rows, columns), y (rows, matrix rows), float32.

    ones  float32, (at least the rows of x,), all 1: a bias is added as their product with it; None
          where no matrix has one
    """
    if matrix.kind is not None:
        ops.launch_quantised_gemm(device, matrix.kind, matrix.data, x, y)
    elif x.shape[0] < _FEW_ROWS:
        ops.launch_gemv(device, matrix.data, x, y)
    else:
        ops.launch_gemm(device, x, matrix.data, y, ops.Product(transpose_b=True))
    if matrix.bias is not None and ones is not None:
        column = ones[: x.shape[0]].reshape(x.shape[0], 1)
        ops.launch_gemm(device, column, matrix.bias, y, ops.Product(beta=1.0))


def launch_grouped(
    device: DeviceLike, matrices: Matrix, x: Tensor, offsets: Tensor, y: Tensor
) -> None:
    """Launch y = each group of x's rows times the transpose of its matrix.

    x (rows, columns) and y (rows, matrix rows) float32; offsets as in `ops.launch_grouped_gemm`.
    """
    if matrices.kind is None:
        ops.launch_grouped_gemm(device, x, matrices.data, offsets, y, transposed=True)
    else:
        ops.launch_quantised_grouped_gemm(device, matrices.kind, matrices.data, x, offsets, y)


def launch_lookup(device: DeviceLike, matrix: Matrix, rows: Tensor, y: Tensor) -> None:
    """Launch y = the rows of the matrix that *rows* (int32) name, as float32."""
    if matrix.kind is None:
        ops.launch_embedding(device, matrix.data, rows, y)
    else:
        ops.launch_quantised_embedding(device, matrix.kind, matrix.data, rows, y)
