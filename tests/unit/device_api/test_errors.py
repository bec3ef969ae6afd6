"""Error codes: names, texts, and the thread's last error."""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Emulated

INVALID_VALUE = 1
UNKNOWN = 999
FIRST_MOVING = 1054  # ends the enumeration in 7.2, and is a code since then


@pytest.fixture(autouse=True)
def _typed_texts(emulated: Emulated) -> None:
    emulated.library.hipGetErrorName.restype = ctypes.c_char_p
    emulated.library.hipGetErrorString.restype = ctypes.c_char_p


def test_every_code_has_its_name(emulated: Emulated) -> None:
    from hip import hip

    for name, member in hip.hipError_t.__members__.items():
        if member.value >= FIRST_MOVING or member.name != name:
            continue  # or a second name for one value
        assert emulated.library.hipGetErrorName(member.value).decode() == name


def test_every_code_has_a_text_of_its_own_in_both_forms(emulated: Emulated) -> None:
    from hip import hip

    text = ctypes.c_char_p()
    for member in hip.hipError_t:
        if member.value > FIRST_MOVING:
            continue
        told = emulated.library.hipGetErrorString(member.value)
        assert told
        if member.value not in {FIRST_MOVING, UNKNOWN}:
            assert told != b"unknown error", member
        assert emulated.library.hipDrvGetErrorString(member.value, ctypes.byref(text)) == 0
        assert text.value == told
        assert emulated.library.hipDrvGetErrorName(member.value, ctypes.byref(text)) == 0
        assert text.value == emulated.library.hipGetErrorName(member.value)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, b"no error"),
        (1, b"invalid argument"),
        (2, b"out of memory"),
        (101, b"invalid device ordinal"),
        (400, b"invalid resource handle"),
        (700, b"an illegal memory access was encountered"),
        (719, b"unspecified launch failure"),
    ],
)
def test_texts_are_those_of_rocm(emulated: Emulated, code: int, text: bytes) -> None:
    assert emulated.library.hipGetErrorString(code) == text


def test_a_number_that_is_no_code(emulated: Emulated) -> None:
    text = ctypes.c_char_p()
    assert emulated.library.hipGetErrorName(31337) == b"hipErrorUnknown"
    assert emulated.library.hipGetErrorString(31337) == b"unknown error"
    assert emulated.library.hipDrvGetErrorName(31337, ctypes.byref(text)) == INVALID_VALUE
    assert emulated.library.hipDrvGetErrorString(31337, None) == INVALID_VALUE


def test_last_error_stays_until_it_is_asked_for(emulated: Emulated) -> None:
    library = emulated.library
    library.hipGetLastError()
    assert library.hipGetDeviceCount(None) == INVALID_VALUE
    assert library.hipDeviceSynchronize() == 0
    assert library.hipPeekAtLastError() == INVALID_VALUE
    assert library.hipGetLastError() == INVALID_VALUE
    assert library.hipGetLastError() == 0


def test_the_status_of_the_last_call_is_another_matter(emulated: Emulated) -> None:
    library = emulated.library
    assert library.hipGetDeviceCount(None) == INVALID_VALUE
    assert library.hipDeviceSynchronize() == 0
    assert library.hipExtGetLastError() == 0
    assert library.hipGetLastError() == INVALID_VALUE


def test_each_thread_has_its_own_last_error(emulated: Emulated) -> None:
    library = emulated.library
    library.hipGetLastError()
    seen: list[int] = []

    def fail_elsewhere() -> None:
        library.hipGetDeviceCount(None)
        seen.append(library.hipPeekAtLastError())

    thread = threading.Thread(target=fail_elsewhere)
    thread.start()
    thread.join()
    assert seen == [INVALID_VALUE]
    assert library.hipPeekAtLastError() == 0
