"""Copies and fills: every form moves the right bytes, and none leaves its allocation."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from .conftest import Emulated, Finding

SUCCESS, INVALID_VALUE, INVALID_PITCH, INVALID_DIRECTION = 0, 1, 12, 21
HOST_TO_HOST, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE, DEFAULT = range(5)
SIZE = 1000

size_t = ctypes.c_size_t
pointer = ctypes.c_void_p


def host(array: np.ndarray) -> ctypes.c_void_p:
    return pointer(array.ctypes.data)


def contents(address: int, size: int = SIZE) -> np.ndarray:
    return np.frombuffer(ctypes.string_at(address, size), np.uint8)


def pattern(size: int = SIZE, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


@pytest.fixture
def buffers(emulated: Emulated) -> Iterator[tuple[int, int]]:
    pair = emulated.malloc(SIZE), emulated.malloc(SIZE)
    yield pair
    for address in pair:
        assert emulated.free(address) == SUCCESS


@pytest.mark.usefixtures("no_findings")
@pytest.mark.parametrize("kind", [HOST_TO_DEVICE, DEFAULT])
def test_there_and_back(emulated: Emulated, buffers: tuple[int, int], kind: int) -> None:
    library = emulated.library
    first, second = map(pointer, buffers)
    sent, got = pattern(), np.zeros(SIZE, np.uint8)
    assert library.hipMemcpy(first, host(sent), size_t(SIZE), kind) == SUCCESS
    assert library.hipMemcpy(second, first, size_t(SIZE), DEVICE_TO_DEVICE) == SUCCESS
    assert library.hipMemcpy(host(got), second, size_t(SIZE), DEVICE_TO_HOST) == SUCCESS
    assert np.array_equal(sent, got)


def line_copies(
    library: ctypes.CDLL, to: ctypes.c_void_p, source: ctypes.c_void_p, kind: int
) -> dict[str, Callable[[int], int]]:
    """Every call that copies one line in that direction, as a function of the number of bytes."""
    stream = pointer(0)
    forms: dict[str, Callable[[int], int]] = {
        "hipMemcpy": lambda n: library.hipMemcpy(to, source, size_t(n), kind),
        "hipMemcpyAsync": lambda n: library.hipMemcpyAsync(to, source, size_t(n), kind, stream),
        "hipMemcpyWithStream": lambda n: library.hipMemcpyWithStream(
            to, source, size_t(n), kind, stream
        ),
    }
    driver = {HOST_TO_DEVICE: "HtoD", DEVICE_TO_HOST: "DtoH", DEVICE_TO_DEVICE: "DtoD"}[kind]
    plain = getattr(library, f"hipMemcpy{driver}")
    queued = getattr(library, f"hipMemcpy{driver}Async")
    forms[f"hipMemcpy{driver}"] = lambda n: int(plain(to, source, size_t(n)))
    forms[f"hipMemcpy{driver}Async"] = lambda n: int(queued(to, source, size_t(n), stream))
    if kind == DEVICE_TO_DEVICE:
        forms["hipMemcpyPeer"] = lambda n: library.hipMemcpyPeer(to, 0, source, 0, size_t(n))
        forms["hipMemcpyPeerAsync"] = lambda n: library.hipMemcpyPeerAsync(
            to, 0, source, 0, size_t(n), stream
        )
    return forms


@pytest.mark.parametrize("kind", [HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE])
def test_every_form_moves_its_bytes_and_names_itself(
    emulated: Emulated,
    buffers: tuple[int, int],
    findings: Callable[[], list[Finding]],
    kind: int,
) -> None:
    first, second = buffers
    own, sent = np.zeros(2 * SIZE, np.uint8), pattern(2 * SIZE)
    to = own.ctypes.data if kind == DEVICE_TO_HOST else first
    source = sent.ctypes.data if kind == HOST_TO_DEVICE else second
    forms = line_copies(emulated.library, pointer(to), pointer(source), kind)
    for seed, (name, copy) in enumerate(forms.items()):
        expected = pattern(SIZE, seed)
        ctypes.memmove(source, expected.ctypes.data, SIZE)
        assert copy(SIZE) == SUCCESS, name
        assert np.array_equal(contents(to), expected), name
        assert copy(SIZE + 1) == INVALID_VALUE, name
        finding = findings()[-1]
        assert len(findings()) == seed + 1
        assert finding["kind"] == "copy-out-of-bounds"
        assert finding["message"].startswith(f"{name} ")
        assert "1 too many" in finding["message"]
        assert finding["bytes"] == SIZE + 1
        assert finding["allocation"]["size"] == SIZE


def test_a_refused_copy_moves_nothing(
    emulated: Emulated, buffers: tuple[int, int], findings: Callable[[], list[Finding]]
) -> None:
    first, _ = buffers
    before = contents(first)
    too_long = pattern(2 * SIZE)
    status = emulated.library.hipMemcpy(
        pointer(first + 10), host(too_long), size_t(SIZE), HOST_TO_DEVICE
    )
    assert status == INVALID_VALUE
    assert np.array_equal(contents(first), before)
    finding = findings()[0]
    assert finding["allocation"]["offset"] == 10
    assert finding["access"] == "write"
    assert "at offset 10" in finding["message"]
    assert "10 too many" in finding["message"]


def test_freed_and_stray_addresses_are_told_apart(
    emulated: Emulated, findings: Callable[[], list[Finding]]
) -> None:
    own = pattern()
    freed = emulated.malloc(SIZE)
    live = emulated.malloc(SIZE)
    emulated.free(freed)
    for address in (freed + 4, live - 64, 0x20F000000000):
        status = emulated.library.hipMemcpy(host(own), pointer(address), size_t(8), DEVICE_TO_HOST)
        assert status == INVALID_VALUE
    kinds = [finding["kind"] for finding in findings()]
    assert kinds == ["use-after-free", "copy-out-of-bounds", "copy-out-of-bounds"]
    after_free, beside, nowhere = findings()
    assert after_free["allocation"]["address"] == freed
    assert "64 bytes before its start" in beside["message"]
    assert nowhere["allocation"] is None
    emulated.free(live)


@pytest.mark.parametrize(
    ("kind", "to_device", "from_device", "fits"),
    [
        (HOST_TO_HOST, False, False, True),
        (HOST_TO_DEVICE, True, False, True),
        (DEVICE_TO_HOST, False, True, True),
        (DEVICE_TO_DEVICE, True, True, True),
        (HOST_TO_DEVICE, False, False, False),
        (HOST_TO_DEVICE, True, True, False),
        (DEVICE_TO_HOST, True, True, False),
        (DEVICE_TO_DEVICE, True, False, False),
        (HOST_TO_HOST, False, True, False),
        (DEFAULT, True, True, True),
        (DEFAULT, False, True, True),
        (DEFAULT, False, False, True),
    ],
)
def test_the_direction_must_fit_the_pointers(
    emulated: Emulated,
    buffers: tuple[int, int],
    findings: Callable[[], list[Finding]],
    kind: int,
    to_device: bool,
    from_device: bool,
    fits: bool,
) -> None:
    own, other = pattern(), pattern(seed=2)
    to = pointer(buffers[0]) if to_device else host(own)
    source = pointer(buffers[1]) if from_device else host(other)
    status = emulated.library.hipMemcpy(to, source, size_t(SIZE), kind)
    assert status == (SUCCESS if fits else INVALID_VALUE)
    assert [finding["kind"] for finding in findings()] == ([] if fits else ["argument-mismatch"])


@pytest.mark.usefixtures("no_findings")
def test_pinned_managed_and_registered_memory_is_on_both_sides(emulated: Emulated) -> None:
    library = emulated.library
    pinned, managed = pointer(), pointer()
    assert library.hipHostMalloc(ctypes.byref(pinned), size_t(SIZE), 0) == SUCCESS
    assert library.hipMallocManaged(ctypes.byref(managed), size_t(SIZE), 1) == SUCCESS
    registered = pattern()
    assert library.hipHostRegister(host(registered), size_t(SIZE), 0) == SUCCESS
    for kind in range(5):
        for to in (pinned, managed):
            assert library.hipMemcpy(to, host(registered), size_t(SIZE), kind) == SUCCESS
            assert np.array_equal(contents(to.value or 0), registered)
    assert library.hipHostUnregister(host(registered)) == SUCCESS
    assert library.hipHostFree(pinned) == SUCCESS
    assert emulated.free(managed.value or 0) == SUCCESS


@pytest.mark.usefixtures("no_findings")
def test_bad_arguments_have_their_codes(emulated: Emulated, buffers: tuple[int, int]) -> None:
    library = emulated.library
    first, second = map(pointer, buffers)
    assert library.hipMemcpy(first, None, size_t(4), HOST_TO_DEVICE) == INVALID_VALUE
    assert library.hipMemcpy(None, first, size_t(4), DEVICE_TO_HOST) == INVALID_VALUE
    assert library.hipMemcpy(first, second, size_t(4), 5) == INVALID_DIRECTION
    assert library.hipMemcpy(None, None, size_t(0), DEFAULT) == SUCCESS
    assert library.hipMemcpyPeer(first, 1, second, 0, size_t(4)) == 101
    stream = pointer(0x5555)
    assert library.hipMemcpyAsync(first, second, size_t(4), DEFAULT, stream) == 400


def test_host_memory_that_is_not_mapped_is_no_crash(
    emulated: Emulated, buffers: tuple[int, int], findings: Callable[[], list[Finding]]
) -> None:
    wild = pointer(0x10000)
    first = pointer(buffers[0])
    assert emulated.library.hipMemcpy(first, wild, size_t(8), HOST_TO_DEVICE) == INVALID_VALUE
    assert emulated.library.hipMemcpy(wild, first, size_t(8), DEVICE_TO_HOST) == INVALID_VALUE
    assert [finding["kind"] for finding in findings()] == ["copy-out-of-bounds"] * 2
    assert "not mapped" in findings()[0]["message"]


@pytest.mark.usefixtures("no_findings")
def test_overlapping_ranges_move_as_if_through_a_third(
    emulated: Emulated, buffers: tuple[int, int]
) -> None:
    first, _ = buffers
    sent = pattern()
    ctypes.memmove(first, sent.ctypes.data, SIZE)
    status = emulated.library.hipMemcpyDtoD(pointer(first + 100), pointer(first), size_t(800))
    assert status == SUCCESS
    assert np.array_equal(contents(first)[100:900], sent[:800])


FILLS: dict[str, tuple[int, int]] = {
    "hipMemset": (0xAB, 1),
    "hipMemsetD8": (0xCD, 1),
    "hipMemsetD16": (0x1234, 2),
    "hipMemsetD32": (0x12345678, 4),
}


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("queued", [False, True])
def test_fills_repeat_their_value(
    emulated: Emulated,
    buffers: tuple[int, int],
    findings: Callable[[], list[Finding]],
    name: str,
    queued: bool,
) -> None:
    value, width = FILLS[name]
    first, _ = buffers
    call = getattr(emulated.library, name + "Async" * queued)
    stream = [pointer(0)] if queued else []
    count = SIZE // width
    assert call(pointer(first), value, size_t(count), *stream) == SUCCESS
    expected = np.full(count, value, f"<u{width}").view(np.uint8)
    assert np.array_equal(contents(first), expected)
    assert call(pointer(first), value, size_t(count + 1), *stream) == INVALID_VALUE
    assert [finding["kind"] for finding in findings()] == ["copy-out-of-bounds"]
    assert findings()[0]["message"].startswith(name)


def test_a_fill_of_host_memory_is_refused(
    emulated: Emulated, findings: Callable[[], list[Finding]]
) -> None:
    own = pattern()
    assert emulated.library.hipMemset(host(own), 0, size_t(SIZE)) == INVALID_VALUE
    assert findings()[0]["kind"] == "argument-mismatch"
    assert own.any()


@pytest.fixture
def image(emulated: Emulated) -> Iterator[tuple[int, int]]:
    """Eight rows of 100 bytes, 256 apart: the address and the pitch."""
    address, pitch = pointer(), size_t()
    status = emulated.library.hipMallocPitch(
        ctypes.byref(address), ctypes.byref(pitch), size_t(100), size_t(8)
    )
    assert status == SUCCESS
    assert address.value is not None
    ctypes.memset(address.value, 0, pitch.value * 8)
    yield address.value, pitch.value
    emulated.free(address.value)


def rows_of(image: tuple[int, int]) -> np.ndarray:
    address, pitch = image
    return contents(address, pitch * 8).reshape(8, pitch)


def test_rectangles(
    emulated: Emulated, image: tuple[int, int], findings: Callable[[], list[Finding]]
) -> None:
    library = emulated.library
    address, pitch = image
    sent = pattern(8 * 100).reshape(8, 100)
    arguments: list[Any] = [
        pointer(address), size_t(pitch), host(sent), size_t(100), size_t(100), size_t(8), 1,
    ]  # fmt: skip
    assert library.hipMemcpy2D(*arguments) == SUCCESS
    assert np.array_equal(rows_of(image)[:, :100], sent)
    assert not rows_of(image)[:, 100:].any()
    got = np.zeros((8, 120), np.uint8)
    back: list[Any] = [
        host(got), size_t(120), pointer(address), size_t(pitch), size_t(100), size_t(8), 2,
    ]  # fmt: skip
    assert library.hipMemcpy2DAsync(*back, pointer(0)) == SUCCESS
    assert np.array_equal(got[:, :100], sent)
    assert not got[:, 100:].any()
    arguments[4] = size_t(101)
    assert library.hipMemcpy2D(*arguments) == INVALID_PITCH
    assert findings() == []
    arguments[4], arguments[5] = size_t(100), size_t(9)
    more = np.zeros(900, np.uint8)
    arguments[2] = host(more)
    assert library.hipMemcpy2D(*arguments) == INVALID_VALUE
    assert findings()[0]["kind"] == "copy-out-of-bounds"


@pytest.mark.usefixtures("no_findings")
def test_filled_rectangles_leave_the_padding(emulated: Emulated, image: tuple[int, int]) -> None:
    address, pitch = image
    status = emulated.library.hipMemset2D(pointer(address), size_t(pitch), 7, size_t(50), size_t(3))
    assert status == SUCCESS
    expected = np.zeros((8, pitch), np.uint8)
    expected[:3, :50] = 7
    assert np.array_equal(rows_of(image), expected)


class Position(ctypes.Structure):
    """hipPos, and hipExtent, which has the same shape."""

    _fields_ = (("x", size_t), ("y", size_t), ("z", size_t))


class Pitched(ctypes.Structure):
    """hipPitchedPtr."""

    _fields_ = (("ptr", pointer), ("pitch", size_t), ("xsize", size_t), ("ysize", size_t))


class Parameters(ctypes.Structure):
    """hipMemcpy3DParms."""

    _fields_ = (
        ("srcArray", pointer),
        ("srcPos", Position),
        ("srcPtr", Pitched),
        ("dstArray", pointer),
        ("dstPos", Position),
        ("dstPtr", Pitched),
        ("extent", Position),
        ("kind", ctypes.c_int),
    )


def test_boxes(emulated: Emulated, findings: Callable[[], list[Finding]]) -> None:
    library = emulated.library
    box = Pitched()
    assert library.hipMalloc3D(ctypes.byref(box), Position(20, 6, 4)) == SUCCESS
    assert library.hipMemset3D(box, 9, Position(20, 6, 4)) == SUCCESS
    sent = pattern(10 * 5 * 3).reshape(3, 5, 10)
    parameters = Parameters(
        srcPtr=Pitched(sent.ctypes.data, 10, 10, 5),
        srcPos=Position(1, 1, 1),
        dstPtr=box,
        dstPos=Position(4, 2, 1),
        extent=Position(8, 3, 2),
        kind=HOST_TO_DEVICE,
    )
    assert library.hipMemcpy3D(ctypes.byref(parameters)) == SUCCESS
    got = contents(box.ptr, box.pitch * 24).reshape(4, 6, box.pitch)[:, :, :20]
    expected = np.full((4, 6, 20), 9, np.uint8)
    expected[1:3, 2:5, 4:12] = sent[1:3, 1:4, 1:9]
    assert np.array_equal(got, expected)
    assert findings() == []
    parameters.dstPos.z = 3
    assert library.hipMemcpy3DAsync(ctypes.byref(parameters), None) == INVALID_VALUE
    assert findings()[0]["kind"] == "copy-out-of-bounds"
    parameters.srcArray = 1
    assert library.hipMemcpy3D(ctypes.byref(parameters)) == 801
    emulated.free(box.ptr)


class Rectangle(ctypes.Structure):
    """hip_Memcpy2D."""

    _fields_ = (
        ("srcXInBytes", size_t),
        ("srcY", size_t),
        ("srcMemoryType", ctypes.c_int),
        ("srcHost", pointer),
        ("srcDevice", pointer),
        ("srcArray", pointer),
        ("srcPitch", size_t),
        ("dstXInBytes", size_t),
        ("dstY", size_t),
        ("dstMemoryType", ctypes.c_int),
        ("dstHost", pointer),
        ("dstDevice", pointer),
        ("dstArray", pointer),
        ("dstPitch", size_t),
        ("WidthInBytes", size_t),
        ("Height", size_t),
    )


@pytest.mark.usefixtures("no_findings")
def test_driver_rectangles(emulated: Emulated, image: tuple[int, int]) -> None:
    address, pitch = image
    sent = pattern(40 * 4).reshape(4, 40)
    host_type, device_type = 1, 2
    parameters = Rectangle(
        srcXInBytes=5, srcY=1, srcMemoryType=host_type, srcHost=sent.ctypes.data, srcPitch=40,
        dstXInBytes=10, dstY=2, dstMemoryType=device_type, dstDevice=address, dstPitch=pitch,
        WidthInBytes=30, Height=3,
    )  # fmt: skip
    assert emulated.library.hipMemcpyParam2D(ctypes.byref(parameters)) == SUCCESS
    expected = np.zeros((8, pitch), np.uint8)
    expected[2:5, 10:40] = sent[1:4, 5:35]
    assert np.array_equal(rows_of(image), expected)
    array_type = 10
    parameters.srcMemoryType = array_type
    assert emulated.library.hipMemcpyParam2D(ctypes.byref(parameters)) == 801
