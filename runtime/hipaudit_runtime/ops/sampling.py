"""Sampling of the next token, a step a kernel: logits, filters, probabilities, the draw.

The order of an engine's steps: repetition penalty, temperature, softmax, the filters (each gives
the tokens it keeps), `renormalise`, `multinomial`. Greedy choice is `argmax` of the logits.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np

from hipaudit_runtime import modules
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Size, packed
from hipaudit_runtime.ops.rowwise import row_geometry, summation_height
from hipaudit_runtime.tensors import Scope, Tensor

_THREADS = 256
_EACH = 4
_WORD = 1 << 64


def draw_height(columns: int, wave_size: int) -> int:
    """Additions on the longest path of a running sum in multinomial.hip."""
    return summation_height(columns, wave_size) + 2


def launch_temperature(device: DeviceLike, x: Tensor, y: Tensor, value: float) -> None:
    """Launch y = x / value for a temperature above 0; float32, equal shapes; y may be x."""
    checks.within("temperature", value, 2.0**-100, 2.0**100)
    _launch_logits(device, "temperature", x, (), y, value)


def launch_repetition_penalty(
    device: DeviceLike, x: Tensor, seen: Tensor, y: Tensor, penalty: float
) -> None:
    """Launch the penalty of logits of tokens *seen* (uint8, x's shape); y may be x."""
    checks.within("penalty", penalty, 2.0**-100, 2.0**100)
    _check_flags("seen", seen, x)
    checks.disjoint("seen", seen, "y", y)
    _launch_logits(device, "repetition_penalty", x, (seen,), y, penalty)


def launch_argmax(device: DeviceLike, x: Tensor, y: Tensor) -> None:
    """Launch y (int32) = the index of each row's largest element; at least one column."""
    rows, columns = _check_choice(x, y)
    if rows:
        _launch_rows(device, "argmax.hip", "argmax", rows, columns, (x, y, columns))


def launch_top_k(device: DeviceLike, x: Tensor, kept: Tensor, k: int) -> None:
    """Launch kept (uint8) = the k most probable tokens of each row, 1 <= k <= columns."""
    rows, columns = _check_filter(x, kept)
    if rows and columns:
        checks.within("k", k, 1, columns)
        _launch_filter(device, "keep_top_k", rows, columns, (x, kept, columns, k))


def launch_top_p(device: DeviceLike, x: Tensor, kept: Tensor, p: float) -> None:
    """Launch kept (uint8) = the nucleus of each row, 0 < p <= 1; probabilities sum to 1."""
    rows, columns = _check_filter(x, kept)
    checks.within("p", p, 0.0, 1.0)
    if rows and columns:
        _launch_filter(device, "keep_top_p", rows, columns, (x, kept, columns, float(p)))


def launch_min_p(device: DeviceLike, x: Tensor, kept: Tensor, share: float) -> None:
    """Launch kept (uint8) = tokens at least *share* times as probable as the row's best."""
    rows, columns = _check_filter(x, kept)
    checks.within("share", share, 0.0, 1.0)
    if rows and columns:
        _launch_filter(device, "keep_min_p", rows, columns, (x, kept, columns, float(share)))


def launch_renormalise(device: DeviceLike, x: Tensor, kept: Tensor, y: Tensor) -> None:
    """Launch y = the kept probabilities, summing to 1 a row; y may be x."""
    checks.floats(x=x, y=y)
    checks.shape("y", y, x.shape)
    _check_flags("kept", kept, x)
    checks.same_or_disjoint("x", x, "y", y)
    checks.disjoint("kept", kept, "y", y)
    rows, columns = checks.rows_and_columns(x)
    if x.size:
        arguments = (x, kept, y, columns)
        _launch_rows(device, "renormalise.hip", "renormalise", rows, columns, arguments)


def launch_multinomial(device: DeviceLike, x: Tensor, keys: Tensor, y: Tensor) -> None:
    """Launch y (int32) = a token of each row drawn with its probability; -1 for no mass.

    *keys* (uint64, y's shape and 2 behind it) is each row's seed and offset. What a row draws is a
    function of its probabilities and its key, whatever rows are beside it.
    """
    rows, columns = _check_choice(x, y)
    checks.dtype("keys", keys, np.uint64)
    checks.shape("keys", keys, (*y.shape, 2))
    checks.disjoint("keys", keys, "y", y)
    if rows:
        arguments = (x, keys, y, columns)
        _launch_rows(device, "multinomial.hip", "multinomial", rows, columns, arguments)


def launch_uniform(device: DeviceLike, y: Tensor, seed: int, offset: int) -> None:
    """Launch y (float32) = random numbers in [0, 1), y[i] a function of (seed, offset, i).

    Seed and offset are in [0, 2^64); y[0] is what decides a row of `launch_multinomial` with them.
    """
    checks.floats(y=y)
    key = _key(seed, offset)
    if y.size:
        grid = checks.blocks_for(f"{y.size} random numbers", y.size, _THREADS)
        kernel = modules.kernel(device, "multinomial.hip", "uniform")
        kernel.launch(grid, _THREADS, packed(y, Size(y.size), *key))


def temperature(device: DeviceLike, logits: checks.Host, value: float) -> checks.Host:
    """Logits divided by a temperature above 0."""
    checks.host("logits", logits, np.float32)
    with Scope() as scope:
        result = scope.upload(logits)
        launch_temperature(device, result, result, value)
        return result.download()


def repetition_penalty(
    device: DeviceLike, logits: checks.Host, seen: checks.Host, penalty: float
) -> checks.Host:
    """Logits of tokens seen before (bool), made smaller."""
    checks.host("logits", logits, np.float32)
    checks.host("seen", seen, np.bool_)
    with Scope() as scope:
        result = scope.empty(logits.shape, np.float32)
        flags = scope.upload(seen.view(np.uint8))
        launch_repetition_penalty(device, scope.upload(logits), flags, result, penalty)
        return result.download()


def argmax(device: DeviceLike, x: checks.Host) -> checks.Host:
    """Index of the largest element of each row; the first of equals; NaN is the largest."""
    checks.host("x", x, np.float32)
    with Scope() as scope:
        result = scope.empty(x.shape[:-1], np.int32)
        launch_argmax(device, scope.upload(x), result)
        return result.download()


def top_k(device: DeviceLike, probabilities: checks.Host, k: int) -> checks.Host:
    """The k most probable tokens of each row, as booleans."""
    return _filtered(device, launch_top_k, probabilities, k)


def top_p(device: DeviceLike, probabilities: checks.Host, p: float) -> checks.Host:
    """The fewest most probable tokens whose sum reaches p, as booleans."""
    return _filtered(device, launch_top_p, probabilities, p)


def min_p(device: DeviceLike, probabilities: checks.Host, share: float) -> checks.Host:
    """Tokens at least *share* times as probable as the best of their row, as booleans."""
    return _filtered(device, launch_min_p, probabilities, share)


def renormalise(device: DeviceLike, probabilities: checks.Host, kept: checks.Host) -> checks.Host:
    """Probabilities of the kept tokens (bool), summing to 1; a row of 0 where none has mass."""
    checks.host("probabilities", probabilities, np.float32)
    checks.host("kept", kept, np.bool_)
    with Scope() as scope:
        result = scope.empty(probabilities.shape, np.float32)
        flags = scope.upload(kept.view(np.uint8))
        launch_renormalise(device, scope.upload(probabilities), flags, result)
        return result.download()


def multinomial(device: DeviceLike, probabilities: checks.Host, keys: checks.Host) -> checks.Host:
    """A token of each row drawn with its probability; -1 for a row without mass.

    keys (uint64): the seed and the offset of each row.
    """
    checks.host("probabilities", probabilities, np.float32)
    checks.host("keys", keys, np.uint64)
    with Scope() as scope:
        result = scope.empty(probabilities.shape[:-1], np.int32)
        launch_multinomial(device, scope.upload(probabilities), scope.upload(keys), result)
        return result.download()


def uniform(device: DeviceLike, count: int, seed: int, offset: int = 0) -> checks.Host:
    """Random numbers in [0, 1): float32 (count,)."""
    with Scope() as scope:
        result = scope.empty((count,), np.float32)
        launch_uniform(device, result, seed, offset)
        return result.download()


def _filtered(device: DeviceLike, launch: Any, x: checks.Host, limit: float) -> checks.Host:
    checks.host("probabilities", x, np.float32)
    with Scope() as scope:
        kept = scope.empty(x.shape, np.uint8)
        launch(device, scope.upload(x), kept, limit)
        return kept.download().view(np.bool_)


def _key(seed: int, offset: int) -> tuple[Any, Any]:
    """Seed and offset as the kernel takes them."""
    for name, value in (("seed", seed), ("offset", offset)):
        checks.within(name, value, 0, _WORD - 1)
    return ctypes.c_uint64(seed), ctypes.c_uint64(offset)


def _check_flags(name: str, flags: Tensor, x: Tensor) -> None:
    checks.dtype(name, flags, np.uint8)
    checks.shape(name, flags, x.shape)


def _check_choice(x: Tensor, y: Tensor) -> tuple[int, int]:
    checks.floats(x=x)
    checks.integers(y=y)
    checks.shape("y", y, x.shape[:-1])
    checks.disjoint("x", x, "y", y)
    return checks.rows_and_columns(x)


def _check_filter(x: Tensor, kept: Tensor) -> tuple[int, int]:
    checks.floats(x=x)
    _check_flags("kept", kept, x)
    checks.disjoint("x", x, "kept", kept)
    return checks.rows_and_columns(x)


def _launch_filter(
    device: DeviceLike, name: str, rows: int, columns: int, arguments: tuple[Any, ...]
) -> None:
    _launch_rows(device, "sampling_filters.hip", name, rows, columns, arguments)


def _launch_rows(
    device: DeviceLike, file: str, name: str, rows: int, columns: int, arguments: tuple[Any, ...]
) -> None:
    """Launch a kernel that gives each row a block."""
    block = row_geometry(name, rows, columns)
    modules.kernel(device, file, name).launch(rows, block, packed(*arguments))


def _launch_logits(
    device: DeviceLike, name: str, x: Tensor, more: tuple[Tensor, ...], y: Tensor, value: float
) -> None:
    """Launch an elementwise step on logits."""
    checks.floats(x=x, y=y)
    checks.shape("y", y, x.shape)
    checks.same_or_disjoint("x", x, "y", y)
    count = math.prod(x.shape)
    if count == 0:
        return
    grid = checks.blocks_for(f"{name} of {count} logits", -(-count // _EACH), _THREADS)
    kernel = modules.kernel(device, "sampling_logits.hip", name)
    kernel.launch(grid, _THREADS, packed(x, *more, y, Size(count), float(value)))
