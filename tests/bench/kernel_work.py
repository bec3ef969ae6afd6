"""Benchmarks' kernels that choose: sampling, lookups, and the parts of a mixture of experts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kernel_inputs import WIDTH, Array, Run, normal

from hipaudit_runtime import ops
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.tensors import Scope


def shares(size: int) -> Array:
    """A row of probabilities."""
    powers = np.exp(normal(1, size))
    return np.asarray(powers / powers.sum(), np.float32)


def _top_p(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, kept = scope.upload(shares(size)), scope.empty((1, size), np.uint8)
    return lambda: ops.launch_top_p(device, x, kept, 0.9)


def _numpy_top_p(size: int) -> Run:
    x = shares(size)[0]

    def run() -> Array:
        order = np.argsort(-x)
        return np.asarray(order[: int((np.cumsum(x[order]) < 0.9).sum()) + 1])

    return run


def _multinomial(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(shares(size)), scope.empty((1,), np.int32)
    keys = scope.upload(np.array([[1, 2]], np.uint64))
    return lambda: ops.launch_multinomial(device, x, keys, y)


def _numpy_multinomial(size: int) -> Run:
    x = shares(size)[0]
    return lambda: np.searchsorted(np.cumsum(x), 0.5)


def _top_k(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, kept = scope.upload(shares(size)), scope.empty((1, size), np.uint8)
    return lambda: ops.launch_top_k(device, x, kept, 40)


def _numpy_top_k(size: int) -> Run:
    x = shares(size)[0]
    return lambda: np.argpartition(-x, 40)[:40]


def _temperature(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(1, size)), scope.empty((1, size), np.float32)
    return lambda: ops.launch_temperature(device, x, y, 0.7)


def _numpy_temperature(size: int) -> Run:
    x = normal(size)
    return lambda: x / np.float32(0.7)


def _router(device: DeviceLike, scope: Scope, size: int) -> Run:
    x = scope.upload(normal(size, 64))
    weights, indices = scope.empty((size, 8), np.float32), scope.empty((size, 8), np.int32)
    return lambda: ops.launch_router(device, x, weights, indices)


def _numpy_router(size: int) -> Run:
    x = normal(size, 64)

    def run() -> Array:
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        chosen = np.argsort(-powers, axis=-1)[:, :8]
        weights = np.take_along_axis(powers, chosen, -1)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    return run


def _grouped(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, w = scope.upload(normal(size, WIDTH)), scope.upload(normal(8, WIDTH, 256))
    offsets = scope.upload(np.arange(0, size + 1, size // 8, dtype=np.int32))
    y = scope.empty((size, 256), np.float32)
    return lambda: ops.launch_grouped_gemm(device, x, w, offsets, y)


def _numpy_grouped(size: int) -> Run:
    x, w = normal(8, size // 8, WIDTH), normal(8, WIDTH, 256)
    return lambda: x @ w


def _argmax(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(8, size)), scope.empty((8,), np.int32)
    return lambda: ops.launch_argmax(device, x, y)


def _numpy_argmax(size: int) -> Run:
    x = normal(8, size)
    return lambda: x.argmax(axis=-1)


def _min_p(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, kept = scope.upload(shares(size)), scope.empty((1, size), np.uint8)
    return lambda: ops.launch_min_p(device, x, kept, 0.05)


def _numpy_min_p(size: int) -> Run:
    x = shares(size)
    return lambda: x >= np.float32(0.05) * x.max(axis=-1, keepdims=True)


def _penalty(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(1, size)), scope.empty((1, size), np.float32)
    seen = scope.upload(_every_fourth(size))
    return lambda: ops.launch_repetition_penalty(device, x, seen, y, 1.1)


def _numpy_penalty(size: int) -> Run:
    x, seen = normal(1, size), _every_fourth(size) != 0
    factor = np.float32(1.1)
    return lambda: np.where(seen, np.where(x > 0, x / factor, x * factor), x)


def _every_fourth(size: int) -> Array:
    return np.asarray((np.arange(size) % 4 == 0).astype(np.uint8))[None]


def _renormalise(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(shares(size)), scope.empty((1, size), np.float32)
    kept = scope.upload(_every_fourth(size))
    return lambda: ops.launch_renormalise(device, x, kept, y)


def _numpy_renormalise(size: int) -> Run:
    x, kept = shares(size), _every_fourth(size) != 0
    return lambda: np.where(kept, x, 0) / x.sum(where=kept)


EXPERTS, CHOSEN = 64, 8


def _choices(tokens: int) -> Array:
    generator = np.random.default_rng(tokens)
    return np.asarray(generator.integers(0, EXPERTS, (tokens, CHOSEN), dtype=np.int32))


def _permute(device: DeviceLike, scope: Scope, size: int) -> Run:
    chosen, pairs = scope.upload(_choices(size)), size * CHOSEN
    source, position = (scope.empty((pairs,), np.int32) for _ in range(2))
    offsets = scope.empty((EXPERTS + 1,), np.int32)
    scratch = scope.empty((ops.permute_scratch(pairs, EXPERTS),), np.int32)
    return lambda: ops.launch_permute(device, chosen, source, position, offsets, scratch)


def _numpy_permute(size: int) -> Run:
    chosen = _choices(size).reshape(-1)
    return lambda: np.argsort(chosen, kind="stable")


def _combine(device: DeviceLike, scope: Scope, size: int) -> Run:
    y, weights = scope.upload(normal(size * CHOSEN, WIDTH)), scope.upload(normal(size, CHOSEN))
    order = np.random.default_rng(size).permutation(size * CHOSEN).astype(np.int32)
    position, out = scope.upload(order), scope.empty((size, WIDTH), np.float32)
    return lambda: ops.launch_combine(device, y, weights, position, out)


def _numpy_combine(size: int) -> Run:
    y, weights = normal(size * CHOSEN, WIDTH), normal(size, CHOSEN)
    order = np.random.default_rng(size).permutation(size * CHOSEN)
    return lambda: np.einsum("tc,tcn->tn", weights, y[order].reshape(size, CHOSEN, WIDTH))


def _lookup(device: DeviceLike, scope: Scope, size: int) -> Run:
    """Rows of a vocabulary's table in Q8_0."""
    table = np.random.default_rng(1).integers(0, 60, (49152, WIDTH // 32 * 34), dtype=np.uint8)
    indices, y = scope.upload(_tokens(size)), scope.empty((size, WIDTH), np.float32)
    blocks = scope.upload(table)
    return lambda: ops.launch_quantised_embedding(device, "Q8_0", blocks, indices, y)


def _tokens(size: int) -> Array:
    return np.random.default_rng(size).integers(0, 49152, size, dtype=np.int32)


def _numpy_lookup(size: int) -> Run:
    table, tokens = normal(49152, WIDTH), _tokens(size)
    return lambda: table[tokens]


def _quantised_experts(device: DeviceLike, scope: Scope, size: int) -> Run:
    """As many rows as for the float32 ones, each expert's matrix in Q8_0."""
    blocks = np.random.default_rng(1).integers(0, 60, (8, 256, WIDTH // 32 * 34), dtype=np.uint8)
    x, w = scope.upload(normal(size, WIDTH)), scope.upload(blocks)
    offsets = scope.upload(np.arange(0, size + 1, size // 8, dtype=np.int32))
    y = scope.empty((size, 256), np.float32)
    return lambda: ops.launch_quantised_grouped_gemm(device, "Q8_0", w, x, offsets, y)


CHOICES_AND_EXPERTS: dict[
    str, tuple[Callable[[DeviceLike, Scope, int], Run], Callable[[int], Run]]
] = {
    "keep_top_p": (_top_p, _numpy_top_p),
    "keep_top_k": (_top_k, _numpy_top_k),
    "keep_min_p": (_min_p, _numpy_min_p),
    "temperature": (_temperature, _numpy_temperature),
    "repetition_penalty": (_penalty, _numpy_penalty),
    "renormalise": (_renormalise, _numpy_renormalise),
    "argmax": (_argmax, _numpy_argmax),
    "multinomial": (_multinomial, _numpy_multinomial),
    "quantised_embedding": (_lookup, _numpy_lookup),
    "moe_router": (_router, _numpy_router),
    "moe_permute": (_permute, _numpy_permute),
    "grouped_gemm": (_grouped, _numpy_grouped),
    "quantised_grouped_gemm": (_quantised_experts, _numpy_grouped),
    "moe_combine": (_combine, _numpy_combine),
}
