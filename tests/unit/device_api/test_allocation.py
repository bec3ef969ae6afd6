"""Allocation: alignment, limits, quarantine, pitches, what a pointer is, what is left."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from .conftest import Emulated, Finding

SUCCESS, INVALID_VALUE, OUT_OF_MEMORY = 0, 1, 2
BASE, SPAN = 0x200000000000, 1 << 40
GIB = 1 << 30
HOST, DEVICE, MANAGED, UNREGISTERED = 1, 2, 3, 0


def memory_left(emulated: Emulated) -> int:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    assert emulated.library.hipMemGetInfo(ctypes.byref(free), ctypes.byref(total)) == SUCCESS
    return free.value


def try_malloc(emulated: Emulated, size: int) -> tuple[int, int | None]:
    pointer = ctypes.c_void_p(1)
    status = emulated.library.hipMalloc(ctypes.byref(pointer), ctypes.c_size_t(size))
    return status, pointer.value


@pytest.mark.parametrize("size", [1, 4, 255, 256, 257, 4095, 4096, 4097, 1 << 20, (1 << 21) + 1])
@pytest.mark.usefixtures("no_findings")
def test_buffers_are_aligned_zero_cost_and_wholly_usable(emulated: Emulated, size: int) -> None:
    address = emulated.malloc(size)
    assert address % 256 == 0
    assert BASE <= address < address + size <= BASE + SPAN
    ctypes.memset(address, 0x5A, size)
    assert ctypes.string_at(address, size) == b"\x5a" * size
    assert emulated.free(address) == SUCCESS


def test_no_bytes_are_no_buffer(emulated: Emulated) -> None:
    assert try_malloc(emulated, 0) == (SUCCESS, None)
    assert emulated.library.hipMalloc(None, ctypes.c_size_t(4)) == INVALID_VALUE
    assert emulated.free(0) == SUCCESS


def test_four_gibibytes_cost_nothing_until_touched(emulated: Emulated) -> None:
    before = resident_bytes()
    address = emulated.malloc(4 * GIB)
    ctypes.memset(address + 4 * GIB - 4, 1, 4)
    assert resident_bytes() - before < 64 << 20
    assert emulated.free(address) == SUCCESS


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def test_freed_pages_go_back_to_the_system(emulated: Emulated) -> None:
    size = 256 << 20
    before = resident_bytes()
    address = emulated.malloc(size)
    ctypes.memset(address, 1, size)
    assert resident_bytes() - before > size // 2
    emulated.free(address)
    assert resident_bytes() - before < size // 4


def test_memory_left_counts_live_bytes(emulated: Emulated) -> None:
    before = memory_left(emulated)
    address = emulated.malloc(12345)
    assert memory_left(emulated) == before - 12345
    emulated.free(address)
    assert memory_left(emulated) == before


def test_more_than_the_part_has_is_out_of_memory(emulated: Emulated) -> None:
    left = memory_left(emulated)
    assert try_malloc(emulated, left + 1) == (OUT_OF_MEMORY, None)
    status, address = try_malloc(emulated, left)
    assert status == SUCCESS
    assert address is not None
    assert try_malloc(emulated, 1) == (OUT_OF_MEMORY, None)
    assert emulated.free(address) == SUCCESS
    assert try_malloc(emulated, (1 << 64) - 1)[0] == OUT_OF_MEMORY


def test_a_small_part_has_little_memory(emulated: Emulated) -> None:
    emulated.set("arch", "gfx1201")
    try:
        assert try_malloc(emulated, 20 * GIB)[0] == OUT_OF_MEMORY
    finally:
        emulated.set("arch", "gfx942")
    status, address = try_malloc(emulated, 20 * GIB)
    assert status == SUCCESS
    assert address is not None
    emulated.free(address)


@pytest.mark.usefixtures("no_findings")
@pytest.mark.memory(provokes=["double-free", "invalid-free"])
def test_double_and_invalid_frees_are_refused(emulated: Emulated) -> None:
    address = emulated.malloc(1000)
    assert emulated.free(address + 256) == INVALID_VALUE
    assert emulated.free(address) == SUCCESS
    assert emulated.free(address) == INVALID_VALUE
    assert emulated.free(0x1234) == INVALID_VALUE
    assert emulated.free(BASE + 64) == INVALID_VALUE


def test_addresses_are_not_used_again_soon(emulated: Emulated) -> None:
    seen = set()
    for _ in range(300):
        address = emulated.malloc(5000)
        assert address not in seen
        seen.add(address)
        emulated.free(address)


@pytest.mark.usefixtures("no_findings")
def test_pitched_rows_are_aligned(emulated: Emulated) -> None:
    pointer, pitch = ctypes.c_void_p(), ctypes.c_size_t()
    status = emulated.library.hipMallocPitch(
        ctypes.byref(pointer), ctypes.byref(pitch), ctypes.c_size_t(300), ctypes.c_size_t(7)
    )
    assert status == SUCCESS
    assert pitch.value == 512
    assert attributes(emulated, pointer.value or 0).type == DEVICE
    assert range_of(emulated, pointer.value or 0) == (pointer.value, 512 * 7)
    assert emulated.library.hipFree(pointer) == SUCCESS


class Extent(ctypes.Structure):
    """hipExtent."""

    _fields_ = (
        ("width", ctypes.c_size_t),
        ("height", ctypes.c_size_t),
        ("depth", ctypes.c_size_t),
    )


class Pitched(ctypes.Structure):
    """hipPitchedPtr."""

    _fields_ = (
        ("ptr", ctypes.c_void_p),
        ("pitch", ctypes.c_size_t),
        ("xsize", ctypes.c_size_t),
        ("ysize", ctypes.c_size_t),
    )


def test_boxes_are_pitched(emulated: Emulated) -> None:
    pitched = Pitched()
    assert emulated.library.hipMalloc3D(ctypes.byref(pitched), Extent(100, 5, 3)) == SUCCESS
    assert (pitched.pitch, pitched.xsize, pitched.ysize) == (256, 100, 5)
    assert range_of(emulated, pitched.ptr) == (pitched.ptr, 256 * 5 * 3)
    assert emulated.free(pitched.ptr) == SUCCESS
    huge = Extent(1 << 40, 1 << 40, 1 << 40)
    assert emulated.library.hipMalloc3D(ctypes.byref(pitched), huge) == OUT_OF_MEMORY


class Attributes(ctypes.Structure):
    """hipPointerAttribute_t."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("device", ctypes.c_int),
        ("devicePointer", ctypes.c_void_p),
        ("hostPointer", ctypes.c_void_p),
        ("isManaged", ctypes.c_int),
        ("allocationFlags", ctypes.c_uint),
    )


def attributes(emulated: Emulated, address: int) -> Any:
    found = Attributes()
    status = emulated.library.hipPointerGetAttributes(ctypes.byref(found), ctypes.c_void_p(address))
    assert status == SUCCESS
    return found


def range_of(emulated: Emulated, address: int) -> tuple[int | None, int]:
    base, size = ctypes.c_void_p(), ctypes.c_size_t()
    status = emulated.library.hipMemGetAddressRange(
        ctypes.byref(base), ctypes.byref(size), ctypes.c_void_p(address)
    )
    assert status == SUCCESS
    return base.value, size.value


def test_pointers_know_what_they_are(emulated: Emulated) -> None:
    library = emulated.library
    device = emulated.malloc(1000)
    pinned, managed = ctypes.c_void_p(), ctypes.c_void_p()
    assert library.hipHostMalloc(ctypes.byref(pinned), ctypes.c_size_t(1000), 2) == SUCCESS
    assert library.hipMallocManaged(ctypes.byref(managed), ctypes.c_size_t(1000), 1) == SUCCESS
    inside = attributes(emulated, device + 999)
    assert (inside.type, inside.devicePointer, inside.hostPointer) == (DEVICE, device + 999, None)
    host = attributes(emulated, pinned.value or 0)
    assert (host.type, host.hostPointer, host.allocationFlags) == (HOST, pinned.value, 2)
    both = attributes(emulated, managed.value or 0)
    assert (both.type, both.isManaged, both.hostPointer) == (MANAGED, 1, managed.value)
    own = np.zeros(4)
    assert attributes(emulated, own.ctypes.data).type == UNREGISTERED
    assert range_of(emulated, device + 500) == (device, 1000)
    assert library.hipHostFree(pinned) == SUCCESS
    for pointer in (device, managed.value):
        assert pointer is not None
        assert emulated.free(pointer) == SUCCESS
    assert attributes(emulated, device).type == UNREGISTERED


@pytest.mark.memory(provokes=["double-free"])
def test_host_memory_is_the_device_s_at_its_own_address(emulated: Emulated) -> None:
    library = emulated.library
    pinned, seen, flags = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint()
    assert library.hipHostAlloc(ctypes.byref(pinned), ctypes.c_size_t(64), 1) == SUCCESS
    assert library.hipHostGetDevicePointer(ctypes.byref(seen), pinned, 0) == SUCCESS
    assert seen.value == pinned.value
    assert library.hipHostGetFlags(ctypes.byref(flags), pinned) == SUCCESS
    assert flags.value == 1
    assert library.hipHostFree(pinned) == SUCCESS
    assert library.hipHostFree(pinned) == INVALID_VALUE
    coherent_and_not = 0xC0000000
    assert library.hipHostMalloc(ctypes.byref(pinned), ctypes.c_size_t(64), coherent_and_not) == 1


@pytest.mark.memory(provokes=["double-free"])
def test_host_memory_can_be_registered_once(emulated: Emulated) -> None:
    library = emulated.library
    own = np.zeros(1000, np.uint8)
    start, size = ctypes.c_void_p(own.ctypes.data), ctypes.c_size_t(own.nbytes)
    seen = ctypes.c_void_p()
    assert library.hipHostGetDevicePointer(ctypes.byref(seen), start, 0) == INVALID_VALUE
    assert library.hipHostRegister(start, size, 0) == SUCCESS
    assert library.hipHostRegister(start, size, 0) == 712
    assert library.hipHostRegister(ctypes.c_void_p(own.ctypes.data + 500), size, 0) == 712
    assert library.hipHostGetDevicePointer(ctypes.byref(seen), start, 0) == SUCCESS
    assert seen.value == own.ctypes.data
    assert attributes(emulated, own.ctypes.data + 10).type == HOST
    assert library.hipHostUnregister(start) == SUCCESS
    assert library.hipHostUnregister(start) == 713
    assert library.hipHostRegister(ctypes.c_void_p(0x10000), size, 0) == INVALID_VALUE
    assert library.hipHostRegister(ctypes.c_void_p(0), size, 0) == INVALID_VALUE


def test_reset_gives_everything_back(emulated: Emulated) -> None:
    result = emulated.run(
        """
        addresses = [malloc(100) for _ in range(5000)]
        stream = ctypes.c_void_p()
        assert library.hipStreamCreate(ctypes.byref(stream)) == 0
        assert library.hipDeviceReset() == 0
        free_bytes, total = ctypes.c_size_t(), ctypes.c_size_t()
        library.hipMemGetInfo(ctypes.byref(free_bytes), ctypes.byref(total))
        assert free_bytes.value == total.value
        assert all(free(address) == 1 for address in addresses)
        assert library.hipStreamSynchronize(stream) == 400
        assert malloc(100) not in addresses
        """
    )
    assert result.returncode == 0, result.stderr


def test_a_million_live_buffers(emulated: Emulated) -> None:
    result = emulated.run(
        """
        import time
        mappings = lambda: sum(1 for _ in open("/proc/self/maps"))
        began, before = time.monotonic(), mappings()
        pointer = ctypes.c_void_p()
        out, size = ctypes.byref(pointer), ctypes.c_size_t(64)
        addresses = []
        for _ in range(1_000_000):
            assert library.hipMalloc(out, size) == 0
            addresses.append(pointer.value)
        assert len(set(addresses)) == 1_000_000
        assert all(address % 256 == 0 for address in addresses)
        assert mappings() - before < 20_000, mappings()
        for address in addresses[::1000]:
            base, length = ctypes.c_void_p(), ctypes.c_size_t()
            found = ctypes.byref(base), ctypes.byref(length)
            assert library.hipMemGetAddressRange(*found, ctypes.c_void_p(address + 63)) == 0
            assert (base.value, length.value) == (address, 64)
        for address in addresses:
            assert library.hipFree(ctypes.c_void_p(address)) == 0
        assert mappings() - before < 1000, mappings()
        print(time.monotonic() - began)
        """
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 30
    assert result.stderr == ""


def test_threads_share_the_memory(
    emulated: Emulated, findings: Callable[[], list[Finding]]
) -> None:
    faults: list[str] = []

    def churn(seed: int) -> None:
        held: dict[int, int] = {}
        sizes = np.random.default_rng(seed).integers(1, 20000, 400)
        for turn, size in enumerate(sizes):
            address = emulated.malloc(int(size))
            ctypes.memset(address, seed, int(size))
            held[address] = int(size)
            if turn % 3:
                victim, length = held.popitem()
                if ctypes.string_at(victim, length) != bytes([seed]) * length:
                    faults.append(f"thread {seed} lost its bytes")
                if emulated.free(victim) != SUCCESS:
                    faults.append(f"thread {seed} could not free")
        for address in held:
            emulated.free(address)

    threads = [threading.Thread(target=churn, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert findings() == []


def test_a_forked_child_has_a_memory_of_its_own(emulated: Emulated) -> None:
    result = emulated.run(
        """
        import os, threading
        address = malloc(4096)
        ctypes.memset(address, 1, 4096)
        stop = threading.Event()
        def churn():
            while not stop.is_set():
                free(malloc(100))
        thread = threading.Thread(target=churn)
        thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                ctypes.memset(address, 2, 4096)
                ok = free(malloc(1000)) == 0 and free(address) == 0
                os._exit(0 if ok else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        thread.join()
        assert ctypes.string_at(address, 4096) == bytes([1]) * 4096
        """
    )
    assert result.returncode == 0, result.stderr


def test_an_occupied_range_is_said_in_words(emulated: Emulated) -> None:
    result = emulated.run(
        """
        libc = ctypes.CDLL(None)
        libc.mmap.restype = ctypes.c_void_p
        PRIVATE_ANONYMOUS_FIXED = 0x02 | 0x20 | 0x100000
        at = libc.mmap(ctypes.c_void_p(0x200000100000), ctypes.c_size_t(4096), 0,
                       PRIVATE_ANONYMOUS_FIXED, -1, ctypes.c_long(0))
        assert at == 0x200000100000
        pointer = ctypes.c_void_p()
        for _ in range(2):
            assert library.hipMalloc(ctypes.byref(pointer), ctypes.c_size_t(4)) == 2
        assert library.hipInit(0) == 3
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("the emulated device cannot have its memory") == 1
    assert "Something else is mapped there" in result.stderr


def test_fresh_buffers_can_be_poisoned(emulated: Emulated) -> None:
    emulated.set("poison", "a5")
    try:
        address = emulated.malloc(5000)
        assert ctypes.string_at(address, 5000) == b"\xa5" * 5000
        emulated.free(address)
    finally:
        emulated.set("poison", "")
    address = emulated.malloc(5000)
    assert ctypes.string_at(address, 5000) == bytes(5000)
    emulated.free(address)
    for nonsense in ("xy", "100", "-2"):
        assert not emulated.control.set("poison", nonsense)
