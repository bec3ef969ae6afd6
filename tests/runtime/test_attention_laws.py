"""What attention keeps to the bit, and what its parts make of it."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest

import hipaudit_reference as ref
from hipaudit.device import Device
from hipaudit_reference import bounds
from hipaudit_runtime import ops
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = pytest.mark.runtime

Array = npt.NDArray[Any]
EVERY_KEY = ops.Logits(causal=False)


def normal(*shape: int) -> Array:
    """Normal float32 numbers of a shape, the same ones every time."""
    return np.random.default_rng(sum(shape)).normal(0, 1.5, shape).astype(np.float32)


def heads(query_heads: int, key_heads: int, queries: int, keys: int) -> tuple[Array, Array, Array]:
    """Queries, keys and values of one sequence, 64 elements a head."""
    return (
        normal(1, query_heads, queries, 64),
        normal(1, key_heads, keys, 64),
        normal(1, key_heads, keys + 1, 64)[:, :, 1:].copy(),
    )


def paged(device: Device, q: Array, k: Array, v: Array, splits: int = 1) -> Array:
    """The same over pages of 16 that hold the keys in order."""
    tokens = k.shape[2]
    count = -(-tokens // 16)
    caches = np.zeros((2, count * 16, k.shape[1], 64), np.float32)
    for cache, rows in zip(caches, (k, v), strict=True):
        cache[:tokens] = rows[0].transpose(1, 0, 2)
    pages = caches.reshape(2, count, 16, k.shape[1], 64)
    result = ops.paged_attention(
        device,
        q[0].transpose(1, 0, 2).copy(),
        pages[0],
        pages[1],
        np.arange(count, dtype=np.int32)[None],
        np.array([0, q.shape[2]], np.int32),
        np.array([tokens], np.int32),
        splits=splits,
    )
    return result.transpose(1, 0, 2)[None]


def test_grouped_heads_are_replicated_heads(device: Device) -> None:
    q, k, v = heads(6, 2, 9, 50)
    grouped = ops.flash_attention(device, q, k, v)
    keys, values = (ops.kv_replicate(device, rows, 3) for rows in (k, v))
    assert np.array_equal(grouped, ops.flash_attention(device, q, keys, values))


def test_a_chunk_gives_what_decoding_token_by_token_gives(device: Device) -> None:
    q, k, v = heads(6, 2, 5, 70)
    whole = ops.flash_attention(device, q, k, v)
    assert np.array_equal(whole, paged(device, q, k, v))
    for token in range(5):
        seen = 70 - 4 + token
        one = paged(device, q[:, :, token : token + 1].copy(), k[:, :, :seen], v[:, :, :seen])
        assert np.array_equal(whole[:, :, token], one[:, :, 0])


def test_splits_change_no_more_than_roundings(device: Device) -> None:
    q, k, v = heads(4, 2, 1, 300)
    whole = paged(device, q, k, v)
    limit = 2 * bounds.attention(q, k, v, causal=True, tiles=20)
    for splits in (2, 3, 10, 40):
        assert np.all(np.abs(paged(device, q, k, v, splits) - whole) <= limit)


def test_a_context_of_65536_keys_loses_no_term(device: Device) -> None:
    # Sums in fp16 or bfloat16 would have stopped growing long before.
    q, k, v = (normal(1, 1, tokens, 8) for tokens in (1, 1 << 16, 1 << 16))
    v = np.abs(v) + 1
    limit = bounds.attention(q, k, v, causal=True, tiles=1 << 11)
    error = np.abs(ops.flash_attention(device, q, k, v) - ref.attention(q, k, v, causal=True))
    assert np.all(error <= limit)
    assert np.all(limit < 0.05)


def test_the_order_of_the_keys_does_not_matter(device: Device) -> None:
    q, k, v = heads(2, 1, 7, 90)
    order = np.random.default_rng(1).permutation(90)
    moved = ops.flash_attention(device, q, k[:, :, order], v[:, :, order], EVERY_KEY)
    limit = 2 * bounds.attention(q, k, v, tiles=3)
    assert np.all(np.abs(moved - ops.flash_attention(device, q, k, v, EVERY_KEY)) <= limit)


def test_equal_keys_give_the_mean_of_the_values(device: Device) -> None:
    q, k, v = heads(1, 1, 3, 40)
    k[:] = k[:, :, :1]
    limit = bounds.attention(q, k, v, tiles=2)
    mean = v.astype(np.float64).mean(axis=2, keepdims=True)
    assert np.all(np.abs(ops.flash_attention(device, q, k, v, EVERY_KEY) - mean) <= limit)


def test_products_and_softmax_make_the_same_attention(device: Device) -> None:
    q, k, v = heads(3, 3, 11, 60)
    product = ops.Product(transpose_b=True, alpha=0.125)
    logits = ops.gemm(device, q[0], k[0], product=product)
    weights = ops.softmax_masked(device, logits, ops.Mask(causal=True))
    limit = 2 * bounds.attention(q, k, v, causal=True, tiles=2)
    parts = ops.gemm(device, weights, v[0])
    assert np.all(np.abs(parts[None] - ops.flash_attention(device, q, k, v)) <= limit)


def moved(scope: Scope, array: Array) -> Tensor:
    """A tensor with the array's elements, one element behind a multiple of 16 bytes."""
    buffer = scope.empty((array.size + 1,), array.dtype).buffer
    tensor = Tensor(buffer, array.shape, array.dtype, array.dtype.itemsize)
    tensor.upload(array)
    return tensor


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_addresses_do_not_change_a_bit(device: Device, dtype: Any) -> None:
    a, b = normal(40, 64).astype(dtype), normal(24, 64).astype(dtype)
    x = normal(2, 64)
    q, k, v = (part.astype(dtype) for part in heads(2, 1, 3, 40))
    product = ops.Product(transpose_b=True)
    with Scope() as scope:
        y, c = scope.empty((2, 40), np.float32), scope.empty((40, 24), dtype)
        o = scope.empty(q.shape, dtype)
        ops.launch_gemv(device, moved(scope, a), moved(scope, x), y)
        ops.launch_gemm(device, moved(scope, a), moved(scope, b), c, product)
        parts = (moved(scope, part) for part in (q, k, v))
        ops.launch_flash_attention(device, next(parts), next(parts), next(parts), o)
        assert np.array_equal(y.download(), ops.gemv(device, a, x))
        assert np.array_equal(c.download(), ops.gemm(device, a, b, product=product))
        assert np.array_equal(o.download(), ops.flash_attention(device, q, k, v))
