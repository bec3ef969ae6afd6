"""What launchers of attention, its cache and decoding's products refuse, and what they keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import hipaudit_reference as ref
from hipaudit.device import Device
from hipaudit_reference import bounds
from hipaudit_runtime import ops
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.attention_tiles import SHARED_BYTES, tile_shape
from hipaudit_runtime.ops.rowwise import summation_height
from hipaudit_runtime.tensors import Scope

Softmax = Callable[[Device, checks.Host], checks.Host]

pytestmark = pytest.mark.runtime

ONE_PAGE = (np.zeros((1, 1), np.int32), np.array([0, 1], np.int32))


def ones(*shape: int) -> checks.Host:
    """Ones of a shape."""
    return np.ones(shape, np.float32)


def test_tiles_fit_into_shared_memory() -> None:
    for rows in (1, 4, 5, 16, 1000):
        for size in (1, 64, 128, 129, 256):
            for value_size in (1, 64, 128, 256):
                tile = tile_shape(rows, size, value_size)
                assert tile.shared_bytes <= SHARED_BYTES
                assert tile.threads in {64, 128, 256}


def test_attention_names_what_does_not_fit(device: Device) -> None:
    q, k = ones(1, 3, 4, 8), ones(1, 2, 4, 8)
    with pytest.raises(ValueError, match="3 query heads are no multiple of 2 key heads"):
        ops.flash_attention(device, q, k, k)
    with pytest.raises(ValueError, match="size is 257, outside 1 to 256"):
        ops.flash_attention(device, ones(1, 1, 1, 257), ones(1, 1, 1, 257), ones(1, 1, 1, 8))
    with pytest.raises(TypeError, match="k is float32, not float16"):
        ops.flash_attention(device, q.astype(np.float16), k, k)
    with pytest.raises(TypeError, match="q is float64, not one of float32"):
        ops.flash_attention(device, q.astype(float), k.astype(float), k.astype(float))
    with pytest.raises(ValueError, match="window is 0, outside 1"):
        ops.flash_attention(device, k, k, k, ops.Logits(window=0))
    with pytest.raises(ValueError, match="scale is inf"):
        ops.flash_attention(device, k, k, k, ops.Logits(scale=float("inf")))
    with pytest.raises(ValueError, match="softcap is nan"):
        ops.flash_attention(device, k, k, k, ops.Logits(softcap=float("nan")))


def test_attention_of_nothing_needs_no_launch(device: Device) -> None:
    assert (
        ops.flash_attention(device, ones(1, 2, 0, 8), ones(1, 1, 3, 8), ones(1, 1, 3, 8)).size == 0
    )


def test_a_page_outside_the_cache_is_refused(device: Device) -> None:
    table, starts = ONE_PAGE
    pages = ones(2, 4, 1, 8)
    with pytest.raises(ValueError, match="a page of sequence 0 is 2, outside 0 to 1"):
        ops.paged_attention(device, ones(1, 1, 8), pages, pages, table + 2, starts, ones_int(3))
    with pytest.raises(ValueError, match=r"lengths\[0\] is 5, outside 0 to 4"):
        ops.paged_attention(device, ones(1, 1, 8), pages, pages, table, starts, ones_int(5))
    with pytest.raises(ValueError, match="not ascending from 0 to 2"):
        ops.paged_attention(device, ones(2, 1, 8), pages, pages, table, starts, ones_int(3))


def test_a_page_that_only_the_kernel_sees_makes_nan(device: Device) -> None:
    pages, length = ones(2, 4, 1, 8), np.array([3], np.int32)
    for page, wrong in ((1, False), (2, True), (-1, True)):
        with Scope() as scope:
            q, o = scope.upload(ones(1, 1, 8)), scope.empty((1, 1, 8), np.float32)
            table = scope.upload(np.full((1, 1), page, np.int32))
            sequences = ops.Sequences(table, scope.upload(ONE_PAGE[1]), scope.upload(length))
            caches = scope.upload(pages), scope.upload(pages)
            ops.launch_paged_attention(device, q, *caches, sequences, o)
            assert bool(np.all(np.isnan(o.download()))) == wrong


def test_a_slot_outside_the_cache_is_not_stored(device: Device) -> None:
    cache, heads = np.full((3, 1, 4), 7, np.float32), ones(3, 1, 4)
    slots, positions = np.array([-1, 1, 3], np.int32), np.zeros(3, np.int32)
    keys, values = ops.kv_append(device, cache, cache, heads, heads, slots, positions)
    expected = np.array([7, 1, 7], np.float32)
    assert np.array_equal(keys[:, 0, 0], expected)
    assert np.array_equal(values[:, 0, 3], expected)


def test_a_slot_that_is_named_twice_is_refused(device: Device) -> None:
    cache, heads = ones(3, 1, 4), ones(2, 1, 4)
    with pytest.raises(ValueError, match="two tokens go to one slot"):
        ops.kv_append(
            device, cache, cache, heads, heads, np.ones(2, np.int32), np.zeros(2, np.int32)
        )


def test_a_vector_that_does_not_fit_is_named(device: Device) -> None:
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\), not \(..., 3\)"):
        ops.gemv(device, ones(5, 3), ones(2, 4))
    assert np.array_equal(ops.gemv(device, ones(5, 3), ones(3)), np.full(5, 3, np.float32))
    assert np.array_equal(ops.gemv(device, ones(5, 0), ones(2, 0)), np.zeros((2, 5), np.float32))


@pytest.mark.parametrize("launch", [ops.softmax, ops.softmax_masked])
def test_a_row_of_a_million_elements_stays_within_its_bound(
    device: Device, launch: Softmax
) -> None:
    x = np.random.default_rng(1).normal(0, 3, (1, 1, 1 << 20)).astype(np.float32)
    height = summation_height(x.shape[-1], device.wave_size)
    bound = bounds.softmax(x, height=height, tiles=height + 1)
    assert np.all(np.abs(launch(device, x) - ref.softmax(x)) <= bound)


def test_a_mask_that_does_not_fit_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match="a length is 6, outside 0 to 5"):
        ops.softmax_masked(device, ones(1, 2, 5), lengths=ones_int(6))
    with pytest.raises(ValueError, match=r"lengths has shape \(1,\), not \(2,\)"):
        ops.softmax_masked(device, ones(2, 2, 5), lengths=ones_int(5))
    with pytest.raises(ValueError, match="window is 0, outside 1"):
        ops.softmax_masked(device, ones(2, 2, 5), ops.Mask(window=0))


def test_products_that_do_not_fit_are_refused(device: Device) -> None:
    with pytest.raises(ValueError, match=r"a \(2, 3\) and b \(4, 5\) have inner sizes 3 and 4"):
        ops.gemm(device, ones(2, 3), ones(4, 5))
    with pytest.raises(ValueError, match="different batches"):
        ops.gemm(device, ones(2, 2, 3), ones(3, 3, 5))
    with pytest.raises(TypeError, match="no kernel multiplies float16 by float32"):
        ops.gemm(device, ones(2, 3).astype(np.float16), ones(3, 5))
    with pytest.raises(ValueError, match=r"c has shape \(2, 2\), not \(2, 5\)"):
        ops.gemm(device, ones(2, 3), ones(3, 5), ones(2, 2), ops.Product(beta=1.0))


def test_a_product_does_not_read_what_beta_leaves_out(device: Device) -> None:
    before = np.full((2, 2), np.nan, np.float32)
    for splits in (1, 2):
        product = ops.gemm(device, ones(2, 40), ones(40, 2), before, splits=splits)
        assert np.array_equal(product, np.full((2, 2), 40, np.float32))


def test_a_latent_that_does_not_fit_is_refused(device: Device) -> None:
    starts, table = ONE_PAGE[1], ONE_PAGE[0]
    latents, q = ones(1, 4, 12), ones(1, 2, 12)
    with pytest.raises(ValueError, match="size is 12, outside 13 to 640"):
        ops.mla_attention(device, q, latents, table, starts, ones_int(3), 13, 0.1)
    slots, cache = np.zeros(1, np.int32), ones(3, 9)
    with pytest.raises(ValueError, match=r"cache has shape \(3, 9\), not \(..., 10\)"):
        ops.latent_append(device, cache, ones(1, 10), ones(4), slots, slots)
    with pytest.raises(ValueError, match="rotated is 5, not an even number"):
        ops.latent_append(device, cache, ones(1, 9), ones(4), slots, slots)


def test_heads_that_do_not_come_out_even_are_refused(device: Device) -> None:
    with Scope() as scope:
        x, y = scope.upload(ones(2, 3, 4)), scope.upload(ones(5, 3, 4))
        with pytest.raises(ValueError, match="5 query heads are no multiple of 2 key heads"):
            ops.launch_kv_replicate(device, x, y)


def ones_int(length: int) -> checks.Host:
    """The lengths of one sequence."""
    return np.array([length], np.int32)


def test_a_part_of_a_block_is_no_row_of_a_cache(device: Device) -> None:
    table, starts = ONE_PAGE
    pages = np.zeros((1, 4, 1, 34), np.uint8)
    with pytest.raises(ValueError, match="48 values are no multiple of Q8_0's 32"):
        ops.paged_attention(device, ones(1, 1, 48), pages, pages, table, starts, ones_int(3))
    with pytest.raises(ValueError, match=r"k_pages has shape .*, not \(1, 4, 1, 68\)"):
        ops.paged_attention(device, ones(1, 1, 64), pages, pages, table, starts, ones_int(3))


def test_what_no_scale_holds_makes_its_block_nan(device: Device) -> None:
    cache, heads = np.zeros((1, 1, 34), np.uint8), ones(1, 1, 32)
    zero = np.zeros(1, np.int32)
    for special in (np.nan, np.inf):
        heads[0, 0, 5] = special
        _, values = ops.kv_append(device, cache, cache, ones(1, 1, 32), heads, zero, zero)
        assert np.all(np.isnan(ref.dequantise(values[0], "Q8_0")))
