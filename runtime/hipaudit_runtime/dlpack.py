"""Tensors to and from other libraries by DLPack, without a copy.

The structures are those of dlpack.h 1.1: the managed tensor, and the versioned one that libraries
ask for with ``max_version``. A capsule lends the memory; the buffer keeps it until the library
calls the deleter, or the capsule goes without anybody having taken it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, Protocol, final

import ml_dtypes
import numpy as np

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.elements import Elements, row_major, span
from hipaudit_runtime.streams import current_handle

ROCM: Final = 10
"""DLPack's number for memory of an AMD device."""

_VERSION = (1, 1)
_READ_ONLY = 1
_CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}
_BFLOAT = 4
_NATIVE = [np.dtype(code) for code in "bhilqBHILQefdFD?"]
_DTYPES: Final[dict[tuple[int, int], np.dtype[Any]]] = {
    (_CODES[dtype.kind], 8 * dtype.itemsize): dtype for dtype in _NATIVE
} | {(_BFLOAT, 16): np.dtype(ml_dtypes.bfloat16)}


class _Device(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("ordinal", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("axes", ctypes.c_int32),
        ("type", _Type),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class _Versioned(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_FORMS: Final[dict[bytes, type[_Managed | _Versioned]]] = {
    b"dltensor": _Managed,
    b"dltensor_versioned": _Versioned,
}
# A capsule does not copy its name.
_USED: Final = {name: b"used_" + name for name in _FORMS}
_NAMES: Final = {form: name for name, form in _FORMS.items()}
_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# A capsule's destructor is given an object that nobody owns any more: a plain address here, so that
# Python counts no reference of it.
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
_api = ctypes.pythonapi
_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, _Destructor)(
    ("PyCapsule_New", _api)
)
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", _api)
)
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", _api)
)
_rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_SetName", _api)
)

_lent: dict[int, tuple[HipBuffer, tuple[Any, ...]]] = {}
"""By a managed tensor's address: the buffer it borrows, and what the structure lies in."""


def _delete(address: int) -> None:
    buffer, _ = _lent.pop(address)
    buffer.give_back()


def _dropped(capsule: int) -> None:
    """Nobody took the tensor: one that is taken has another name."""
    for name in _FORMS:
        if _is_valid(capsule, name):
            _delete(_pointer(capsule, name))


_deleter = _Deleter(_delete)
_destructor = _Destructor(_dropped)


def lend(elements: Elements, device: tuple[int, int], *, versioned: bool) -> Any:
    """A capsule that lends elements as lying on *device*: a kind and an ordinal.

    Raises BufferError for a dtype that DLPack does not have, DeviceBufferError for a freed buffer.
    """
    code = _BFLOAT if elements.dtype == ml_dtypes.bfloat16 else _CODES.get(elements.dtype.kind)
    if code is None or not elements.dtype.isnative:
        raise BufferError(f"DLPack has no type for {elements.dtype}")
    numbers = ctypes.c_int64 * len(elements.shape)
    sizes, steps = numbers(*elements.shape), numbers(*elements.strides)
    kind = _Type(code, 8 * elements.dtype.itemsize, 1)
    start = elements.buffer.borrow() + elements.offset
    data = None if 0 in elements.shape else start
    structure = _Tensor(data, _Device(*device), len(sizes), kind, sizes, steps, 0)
    deleter = ctypes.cast(_deleter, ctypes.c_void_p)
    managed = (
        _Versioned(*_VERSION, None, deleter, 0, structure)
        if versioned
        else _Managed(structure, None, deleter)
    )
    address = ctypes.addressof(managed)
    _lent[address] = elements.buffer, (managed, sizes, steps)
    return _new(address, _NAMES[type(managed)], _destructor)


class Lender(Protocol):
    """An array of another library."""

    @property
    def __dlpack__(self) -> Callable[..., Any]:
        """Gives a capsule with its memory."""

    @property
    def __dlpack_device__(self) -> Callable[[], tuple[int, int]]:
        """Gives the kind and ordinal of its device."""


@final
class _Lent:
    """Memory of another library, which is told when it is given back."""

    __slots__ = ("_managed",)

    def __init__(self, managed: _Managed | _Versioned) -> None:
        self._managed = managed

    def allocate(self, size: int) -> int:
        """It has none but what it lent."""
        raise BufferError(f"{size} bytes of memory that belongs to another library")

    def release(self, address: int, size: int) -> None:  # noqa: ARG002 - it is one piece
        """Call the library's deleter."""
        deleter = self._managed.deleter
        if deleter:
            _Deleter(deleter)(ctypes.addressof(self._managed))


def borrow(lender: Lender) -> Elements:
    """Elements in the memory of another library's array; to free their buffer ends the borrowing.

    The array's pending work is ordered before that of the current stream by the other library.
    Raises BufferError where the memory is not an AMD device's, read-only, or of a type that no
    tensor has.
    """
    kind, _ = lender.__dlpack_device__()
    if int(kind) != ROCM:
        raise BufferError(f"memory of a device of DLPack's kind {int(kind)}, not {ROCM} (ROCm)")
    stream = int(current_handle() or 0)
    try:
        found = lender.__dlpack__(stream=stream, max_version=_VERSION)
    except TypeError:  # written before there were versions
        found = lender.__dlpack__(stream=stream)
    managed = _taken(found)
    try:
        return _elements(managed)
    except BaseException:
        _Lent(managed).release(0, 0)
        raise


def _taken(found: Any) -> _Managed | _Versioned:
    """The structure in a capsule, which is marked as taken."""
    for name, form in _FORMS.items():
        if _is_valid(id(found), name):
            address = _pointer(id(found), name)
            _rename(id(found), _USED[name])
            return form.from_address(address)
    raise BufferError("a capsule that is not DLPack's, or was taken before")


def _elements(managed: _Managed | _Versioned) -> Elements:
    """What a structure describes, in a buffer that owns the bytes from the first to the last."""
    if isinstance(managed, _Versioned):
        if managed.major != _VERSION[0]:
            raise BufferError(f"DLPack {managed.major}.{managed.minor}, not {_VERSION[0]}")
        if managed.flags & _READ_ONLY:
            raise BufferError("memory that may only be read")
    found = managed.tensor
    dtype = _dtype(found.type)
    shape = tuple(found.shape[: found.axes])
    strides = tuple(found.strides[: found.axes]) if found.strides else row_major(shape)
    low, high = span(shape, strides)
    first = int(found.data or 0) + found.offset + low * dtype.itemsize
    memory = _Lent(managed)
    if low == high:
        memory.release(0, 0)
        return Elements(HipBuffer(0), shape, dtype, 0, strides)
    buffer = HipBuffer.adopt(first, (high - low) * dtype.itemsize, memory)
    return Elements(buffer, shape, dtype, -low * dtype.itemsize, strides)


def _dtype(kind: _Type) -> np.dtype[Any]:
    """Numpy's type for DLPack's."""
    found = _DTYPES.get((kind.code, kind.bits)) if kind.lanes == 1 else None
    if found is None:
        raise BufferError(f"elements of code {kind.code}, {kind.bits} bits, {kind.lanes} lanes")
    return found
