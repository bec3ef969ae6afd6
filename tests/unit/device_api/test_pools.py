"""Stream-ordered allocation and memory pools."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Emulated

pytestmark = pytest.mark.usefixtures("no_findings")

SUCCESS, INVALID_VALUE, OUT_OF_MEMORY = 0, 1, 2
THRESHOLD, USED_NOW, USED_HIGH = 4, 7, 8
PINNED, ON_DEVICE = 1, 1
pointer, size_t = ctypes.c_void_p, ctypes.c_size_t


class Properties(ctypes.Structure):
    """hipMemPoolProps."""

    _fields_ = (
        ("allocType", ctypes.c_int),
        ("handleTypes", ctypes.c_int),
        ("location_type", ctypes.c_int),
        ("location_id", ctypes.c_int),
        ("win32SecurityAttributes", pointer),
        ("maxSize", size_t),
        ("reserved", ctypes.c_ubyte * 56),
    )


def new_pool(emulated: Emulated, most: int = 0) -> ctypes.c_void_p:
    pool = pointer()
    wanted = Properties(PINNED, 0, ON_DEVICE, 0, None, most)
    assert emulated.library.hipMemPoolCreate(ctypes.byref(pool), ctypes.byref(wanted)) == SUCCESS
    return pool


def attribute(emulated: Emulated, pool: ctypes.c_void_p, which: int) -> int:
    value = ctypes.c_uint64()
    status = emulated.library.hipMemPoolGetAttribute(pool, which, ctypes.byref(value))
    assert status == SUCCESS
    return value.value


@pytest.mark.memory(provokes=["double-free"])
def test_buffers_come_from_the_current_pool(emulated: Emulated) -> None:
    library = emulated.library
    standard, now = pointer(), pointer()
    assert library.hipDeviceGetDefaultMemPool(ctypes.byref(standard), 0) == SUCCESS
    own = new_pool(emulated)
    assert library.hipDeviceSetMemPool(0, own) == SUCCESS
    assert library.hipDeviceGetMemPool(ctypes.byref(now), 0) == SUCCESS
    assert now.value == own.value
    buffer = pointer()
    assert library.hipMallocAsync(ctypes.byref(buffer), size_t(1000), None) == SUCCESS
    assert attribute(emulated, own, USED_NOW) == 1000
    assert attribute(emulated, standard, USED_NOW) == 0
    assert library.hipMemsetAsync(buffer, 1, size_t(1000), None) == SUCCESS
    assert library.hipFreeAsync(buffer, None) == SUCCESS
    assert library.hipFreeAsync(buffer, None) == INVALID_VALUE
    assert (attribute(emulated, own, USED_NOW), attribute(emulated, own, USED_HIGH)) == (0, 1000)
    assert library.hipMemPoolDestroy(own) == SUCCESS
    assert library.hipDeviceGetMemPool(ctypes.byref(now), 0) == SUCCESS
    assert now.value == standard.value


def test_a_plain_free_counts_too(emulated: Emulated) -> None:
    library = emulated.library
    pool = new_pool(emulated)
    buffer = pointer()
    status = library.hipMallocFromPoolAsync(ctypes.byref(buffer), size_t(64), pool, None)
    assert status == SUCCESS
    assert emulated.free(buffer.value or 0) == SUCCESS
    assert attribute(emulated, pool, USED_NOW) == 0
    assert library.hipMemPoolDestroy(pool) == SUCCESS


def test_a_pool_can_be_limited(emulated: Emulated) -> None:
    library = emulated.library
    pool = new_pool(emulated, most=1000)
    first, second = pointer(), pointer()
    malloc = library.hipMallocFromPoolAsync
    assert malloc(ctypes.byref(first), size_t(600), pool, None) == SUCCESS
    assert malloc(ctypes.byref(second), size_t(600), pool, None) == OUT_OF_MEMORY
    assert second.value is None
    assert library.hipFreeAsync(first, None) == SUCCESS
    assert malloc(ctypes.byref(second), size_t(600), pool, None) == SUCCESS
    assert library.hipFreeAsync(second, None) == SUCCESS
    assert library.hipMemPoolDestroy(pool) == SUCCESS


def test_attributes_are_kept(emulated: Emulated) -> None:
    library = emulated.library
    pool = new_pool(emulated)
    value = ctypes.c_uint64(12345)
    set_attribute = library.hipMemPoolSetAttribute
    assert set_attribute(pool, THRESHOLD, ctypes.byref(value)) == SUCCESS
    assert attribute(emulated, pool, THRESHOLD) == 12345
    assert set_attribute(pool, USED_HIGH, ctypes.byref(value)) == INVALID_VALUE
    assert set_attribute(pool, USED_NOW, ctypes.byref(value)) == INVALID_VALUE
    flag = ctypes.c_int(0)
    assert set_attribute(pool, 1, ctypes.byref(flag)) == SUCCESS
    flag.value = 9
    assert library.hipMemPoolGetAttribute(pool, 1, ctypes.byref(flag)) == SUCCESS
    assert flag.value == 0
    assert library.hipMemPoolTrimTo(pool, size_t(0)) == SUCCESS
    assert library.hipMemPoolDestroy(pool) == SUCCESS


@pytest.mark.memory(provokes=["double-free", "invalid-free"])
def test_a_destroyed_pool_is_no_pool_and_its_buffers_live_on(emulated: Emulated) -> None:
    library = emulated.library
    pool = new_pool(emulated)
    buffer = pointer()
    malloc = library.hipMallocFromPoolAsync
    assert malloc(ctypes.byref(buffer), size_t(64), pool, None) == SUCCESS
    assert library.hipMemPoolDestroy(pool) == SUCCESS
    assert library.hipMemPoolDestroy(pool) == INVALID_VALUE
    assert malloc(ctypes.byref(pointer()), size_t(64), pool, None) == INVALID_VALUE
    assert library.hipMemsetAsync(buffer, 1, size_t(64), None) == SUCCESS
    assert library.hipFreeAsync(buffer, None) == SUCCESS
    standard = pointer()
    library.hipDeviceGetDefaultMemPool(ctypes.byref(standard), 0)
    assert library.hipMemPoolDestroy(standard) == INVALID_VALUE


def test_pools_that_cannot_be(emulated: Emulated) -> None:
    library = emulated.library
    pool = pointer()
    out = ctypes.byref(pool)
    assert library.hipMemPoolCreate(out, None) == INVALID_VALUE
    for wanted in (
        Properties(0, 0, ON_DEVICE, 0),
        Properties(PINNED, 0, ON_DEVICE, 3),
        Properties(PINNED, 0, 2, 0),
    ):
        assert library.hipMemPoolCreate(out, ctypes.byref(wanted)) == INVALID_VALUE
    shareable = Properties(PINNED, 1, ON_DEVICE, 0)
    assert library.hipMemPoolCreate(out, ctypes.byref(shareable)) == 801
