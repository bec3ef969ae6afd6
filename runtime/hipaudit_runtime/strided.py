"""Copies between the host and views with gaps: a row of elements that lie together at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hipaudit_runtime.elements import Elements, span
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.streams import current, current_handle


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of *width* bytes, *pitch* apart on the device and *width* apart on the host."""

    device: int
    host: int
    pitch: int
    width: int
    count: int


def write_view(place: Elements, data: npt.NDArray[Any]) -> None:
    """Copy a C-contiguous host array of the view's shape and dtype into it, and wait.

    Raises ValueError for an array that is not C-contiguous, and for a view that has elements in the
    same place: which of them it holds in the end would be left to chance.
    """
    if not data.flags.c_contiguous:
        raise ValueError(f"upload needs a C-contiguous array, its strides are {data.strides}")
    if _overlaps(place):
        raise ValueError(f"strides {place.strides} of {place.shape}: elements in one place")
    turned = tuple(slice(None, None, -1 if step < 0 else 1) for step in place.strides)
    ordered = np.ascontiguousarray(data[turned])
    kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
    for rows in _rows(place):
        source = ordered.ctypes.data + rows.host
        _copy(rows.device, rows.pitch, source, rows.width, rows, kind)


def read_view(place: Elements) -> npt.NDArray[Any]:
    """A host copy of a view, and wait."""
    once = [1 if step == 0 else n for n, step in zip(place.shape, place.strides, strict=True)]
    single = Elements(place.buffer, tuple(once), place.dtype, place.offset, place.strides)
    data = np.empty(once, place.dtype)
    kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
    for rows in _rows(single):
        _copy(data.ctypes.data + rows.host, rows.width, rows.device, rows.pitch, rows, kind)
    turned = tuple(slice(None, None, -1 if step < 0 else 1) for step in place.strides)
    return np.ascontiguousarray(np.broadcast_to(data[turned], place.shape))


def _rows(place: Elements) -> Iterator[_Rows]:
    """The rows of a view as if no stride were negative, in the order of the host's elements."""
    if 0 in place.shape:
        return
    item = place.dtype.itemsize
    lowest, _ = span(place.shape, place.strides)
    start = place.buffer.address + place.offset + lowest * item
    axes = [(n, abs(step)) for n, step in zip(place.shape, place.strides, strict=True) if n > 1]
    together = 1
    while axes and axes[-1][1] == together:
        together *= axes.pop()[0]
    # HIP's rows do not overlap.
    count, pitch = axes.pop() if axes and axes[-1][1] >= together else (1, together)
    width = together * item
    for turn, at in enumerate(itertools.product(*(range(n) for n, _ in axes))):
        moved = sum(each * step for each, (_, step) in zip(at, axes, strict=True))
        yield _Rows(start + moved * item, turn * count * width, pitch * item, width, count)


def _copy(
    target: int, target_pitch: int, source: int, source_pitch: int, rows: _Rows, kind: Any
) -> None:
    """Copy rows behind what the current stream has pending, and wait."""
    if current() is not None:
        call(hip.hipStreamSynchronize, current_handle())
    call(hip.hipMemcpy2D, target, target_pitch, source, source_pitch, rows.width, rows.count, kind)


def _overlaps(place: Elements) -> bool:
    """Whether two elements may lie in the same place, which views of row-major arrays never do."""
    reach = 0
    axes = zip(place.shape, place.strides, strict=True)
    for step, n in sorted((abs(step), n) for n, step in axes):
        if n > 1 and step <= reach:
            return True
        reach += (n - 1) * step
    return False
