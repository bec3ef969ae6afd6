"""Streams, events and host functions: handles, order, time, errors."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Emulated

pytestmark = pytest.mark.usefixtures("no_findings")

SUCCESS, INVALID_VALUE, INVALID_HANDLE, DESTROYED = 0, 1, 400, 709
LEGACY, PER_THREAD = 1, 2
pointer = ctypes.c_void_p


@pytest.fixture
def stream(emulated: Emulated) -> Iterator[ctypes.c_void_p]:
    made = pointer()
    assert emulated.library.hipStreamCreate(ctypes.byref(made)) == SUCCESS
    yield made
    emulated.library.hipStreamDestroy(made)


def new_event(emulated: Emulated, flags: int = 0) -> ctypes.c_void_p:
    made = pointer()
    assert emulated.library.hipEventCreateWithFlags(ctypes.byref(made), flags) == SUCCESS
    return made


@pytest.mark.memory(provokes=["invalid-free"])
@pytest.mark.parametrize("handle", [0, LEGACY, PER_THREAD])
def test_implicit_streams_work_and_cannot_be_destroyed(emulated: Emulated, handle: int) -> None:
    library = emulated.library
    flags = ctypes.c_uint(9)
    assert library.hipStreamSynchronize(pointer(handle)) == SUCCESS
    assert library.hipStreamQuery(pointer(handle)) == SUCCESS
    assert library.hipStreamGetFlags(pointer(handle), ctypes.byref(flags)) == SUCCESS
    assert flags.value == 0
    assert library.hipStreamDestroy(pointer(handle)) == INVALID_HANDLE


def test_a_stream_keeps_its_flags_and_priority(emulated: Emulated) -> None:
    library = emulated.library
    made, flags, priority = pointer(), ctypes.c_uint(), ctypes.c_int()
    for asked, kept in ((-1, -1), (0, 0), (1, 1), (-50, -1), (50, 1)):
        status = library.hipStreamCreateWithPriority(ctypes.byref(made), 1, asked)
        assert status == SUCCESS
        assert library.hipStreamGetFlags(made, ctypes.byref(flags)) == SUCCESS
        assert library.hipStreamGetPriority(made, ctypes.byref(priority)) == SUCCESS
        assert (flags.value, priority.value) == (1, kept)
        assert library.hipStreamDestroy(made) == SUCCESS
    least, greatest = ctypes.c_int(), ctypes.c_int()
    library.hipDeviceGetStreamPriorityRange(ctypes.byref(least), ctypes.byref(greatest))
    assert (least.value, greatest.value) == (1, -1)
    assert library.hipStreamCreateWithFlags(ctypes.byref(made), 2) == INVALID_VALUE
    assert library.hipStreamCreate(None) == INVALID_VALUE


def test_streams_have_identities(emulated: Emulated, stream: ctypes.c_void_p) -> None:
    library = emulated.library
    other, device = pointer(), ctypes.c_int(5)
    assert library.hipStreamCreate(ctypes.byref(other)) == SUCCESS
    numbers = []
    for handle in (pointer(0), stream, other):
        number = ctypes.c_ulonglong()
        assert library.hipStreamGetId(handle, ctypes.byref(number)) == SUCCESS
        numbers.append(number.value)
    assert len(set(numbers)) == 3
    assert library.hipStreamGetDevice(stream, ctypes.byref(device)) == SUCCESS
    assert device.value == 0
    assert library.hipStreamDestroy(other) == SUCCESS


@pytest.mark.memory(provokes=["double-free", "use-after-free"])
def test_a_destroyed_stream_is_no_handle(emulated: Emulated) -> None:
    library = emulated.library
    made = pointer()
    library.hipStreamCreate(ctypes.byref(made))
    assert library.hipStreamDestroy(made) == SUCCESS
    assert library.hipStreamDestroy(made) == INVALID_HANDLE
    assert library.hipStreamSynchronize(made) == INVALID_HANDLE
    assert library.hipStreamQuery(made) == INVALID_HANDLE
    event = new_event(emulated)
    assert library.hipEventRecord(event, made) == INVALID_HANDLE
    library.hipEventDestroy(event)


def test_host_functions_run_in_order_with_their_data(
    emulated: Emulated, stream: ctypes.c_void_p
) -> None:
    library = emulated.library
    ran: list[tuple[str, int | None, int]] = []
    host_function = ctypes.CFUNCTYPE(None, pointer)
    callback = ctypes.CFUNCTYPE(None, pointer, ctypes.c_int, pointer)
    function = host_function(lambda data: ran.append(("function", data, 0)))
    told = callback(lambda _, status, data: ran.append(("callback", data, status)))
    buffer = emulated.malloc(4)
    assert library.hipLaunchHostFunc(stream, function, pointer(11)) == SUCCESS
    assert library.hipMemsetAsync(pointer(buffer), 1, ctypes.c_size_t(4), stream) == SUCCESS
    assert library.hipStreamAddCallback(stream, told, pointer(22), 0) == SUCCESS
    assert library.hipLaunchHostFunc(pointer(0), function, None) == SUCCESS
    assert library.hipStreamSynchronize(stream) == SUCCESS
    assert ran == [("function", 11, 0), ("callback", 22, 0), ("function", None, 0)]
    assert library.hipStreamAddCallback(stream, told, None, 1) == INVALID_VALUE
    assert library.hipLaunchHostFunc(stream, None, None) == INVALID_VALUE
    emulated.free(buffer)


def test_events_measure_real_time(emulated: Emulated, stream: ctypes.c_void_p) -> None:
    library = emulated.library
    start, stop = new_event(emulated), new_event(emulated)
    elapsed = ctypes.c_float()
    assert library.hipEventRecord(start, stream) == SUCCESS
    began = time.monotonic()
    time.sleep(0.02)
    least = 1e3 * (time.monotonic() - began)
    assert library.hipEventRecord(stop, stream) == SUCCESS
    most = 1e3 * (time.monotonic() - began) + 1
    assert library.hipEventSynchronize(stop) == SUCCESS
    assert library.hipEventQuery(stop) == SUCCESS
    assert library.hipEventElapsedTime(ctypes.byref(elapsed), start, stop) == SUCCESS
    assert least * 0.99 <= elapsed.value <= most
    assert library.hipEventElapsedTime(ctypes.byref(elapsed), stop, start) == SUCCESS
    assert elapsed.value < 0
    for event in (start, stop):
        assert library.hipEventDestroy(event) == SUCCESS


def test_two_records_are_never_at_the_same_time(emulated: Emulated) -> None:
    library = emulated.library
    first, second = new_event(emulated), new_event(emulated)
    elapsed = ctypes.c_float()
    for _ in range(100):
        library.hipEventRecord(first, None)
        library.hipEventRecord(second, None)
        library.hipEventElapsedTime(ctypes.byref(elapsed), first, second)
        assert elapsed.value > 0
    library.hipEventDestroy(first)
    library.hipEventDestroy(second)


def test_time_needs_two_recorded_events_with_timing(emulated: Emulated) -> None:
    library = emulated.library
    plain, untimed, fresh = new_event(emulated), new_event(emulated, 2), new_event(emulated)
    out = ctypes.byref(ctypes.c_float())
    library.hipEventRecord(plain, None)
    library.hipEventRecord(untimed, None)
    assert library.hipEventElapsedTime(out, plain, untimed) == INVALID_HANDLE
    assert library.hipEventElapsedTime(out, plain, fresh) == INVALID_HANDLE
    assert library.hipEventElapsedTime(out, plain, None) == INVALID_HANDLE
    assert library.hipEventElapsedTime(None, plain, plain) == INVALID_VALUE
    assert library.hipEventQuery(fresh) == SUCCESS
    for event in (plain, untimed, fresh):
        library.hipEventDestroy(event)


@pytest.mark.parametrize(
    ("flags", "status"),
    [(0, 0), (1, 0), (2, 0), (6, 0), (4, 1), (0x40000000, 0), (0xC0000000, 1), (64, 1)],
)
def test_flags_of_events(emulated: Emulated, flags: int, status: int) -> None:
    made = pointer()
    assert emulated.library.hipEventCreateWithFlags(ctypes.byref(made), flags) == status
    if status == SUCCESS:
        assert emulated.library.hipEventDestroy(made) == SUCCESS


@pytest.mark.memory(provokes=["double-free", "use-after-free"])
def test_waiting_for_an_event(emulated: Emulated, stream: ctypes.c_void_p) -> None:
    library = emulated.library
    event = new_event(emulated)
    assert library.hipStreamWaitEvent(stream, event, 0) == SUCCESS
    library.hipEventRecord(event, None)
    assert library.hipStreamWaitEvent(stream, event, 0) == SUCCESS
    assert library.hipStreamWaitEvent(stream, event, 7) == INVALID_VALUE
    assert library.hipStreamWaitEvent(stream, None, 0) == INVALID_HANDLE
    assert library.hipEventDestroy(event) == SUCCESS
    assert library.hipEventDestroy(event) == DESTROYED
    assert library.hipEventDestroy(None) == INVALID_HANDLE
    assert library.hipStreamWaitEvent(stream, event, 0) == INVALID_HANDLE
    assert library.hipEventSynchronize(event) == INVALID_HANDLE


def test_a_hip_python_program(emulated: Emulated) -> None:
    result = emulated.run(
        """
        import numpy as np
        def check(answer):
            assert answer[0] == hip.hipError_t.hipSuccess, answer
            return answer[1] if len(answer) == 2 else answer[1:]
        stream = check(hip.hipStreamCreate())
        start, stop = check(hip.hipEventCreate()), check(hip.hipEventCreate())
        sent = np.arange(1000, dtype=np.float32)
        got = np.zeros_like(sent)
        buffer = check(hip.hipMalloc(sent.nbytes))
        kind = hip.hipMemcpyKind
        check(hip.hipEventRecord(start, stream))
        check(hip.hipMemcpyAsync(buffer, sent, sent.nbytes, kind.hipMemcpyHostToDevice, stream))
        check(hip.hipMemcpyAsync(got, buffer, sent.nbytes, kind.hipMemcpyDeviceToHost, stream))
        check(hip.hipEventRecord(stop, stream))
        check(hip.hipStreamSynchronize(stream))
        assert np.array_equal(sent, got)
        assert check(hip.hipEventElapsedTime(start, stop)) > 0
        check(hip.hipFree(buffer))
        check(hip.hipStreamDestroy(stream))
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_a_forked_child_has_streams_that_work(emulated: Emulated) -> None:
    result = emulated.run(
        """
        import os, threading
        stream = ctypes.c_void_p()
        assert library.hipStreamCreate(ctypes.byref(stream)) == 0
        stop = threading.Event()
        def churn():
            while not stop.is_set():
                library.hipStreamSynchronize(stream)
                library.hipDeviceSynchronize()
        thread = threading.Thread(target=churn)
        thread.start()
        for _ in range(50):
            child = os.fork()
            if child == 0:
                ok = library.hipStreamSynchronize(stream) == 0
                ok = ok and library.hipDeviceSynchronize() == 0
                os._exit(0 if ok else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        thread.join()
        """
    )
    assert result.returncode == 0, result.stderr


def test_no_stream_captures(emulated: Emulated, stream: ctypes.c_void_p) -> None:
    capturing = ctypes.c_int(9)
    for handle in (pointer(0), stream):
        assert emulated.library.hipStreamIsCapturing(handle, ctypes.byref(capturing)) == SUCCESS
        assert capturing.value == 0
    assert emulated.library.hipStreamIsCapturing(pointer(77), ctypes.byref(capturing)) == 400
