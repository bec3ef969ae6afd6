"""Tensors lent to other libraries and borrowed from them: no copy, and memory that stays."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from hipaudit_runtime import dlpack
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.elements import Elements
from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]

CPU = (1, 0)


class Host:
    """A tensor of the emulated device, whose memory is the host's, as numpy takes it."""

    def __init__(self, tensor: Tensor, *, versioned: bool) -> None:
        self.tensor, self.versioned = tensor, versioned

    def __dlpack__(self, **options: Any) -> Any:
        if not self.versioned and "max_version" in options:
            raise TypeError("written before there were versions")
        tensor = self.tensor
        place = Elements(tensor.buffer, tensor.shape, tensor.dtype, tensor.offset, tensor.strides)
        return dlpack.lend(place, CPU, versioned=self.versioned)

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU


def free_bytes() -> int:
    return int(call(hip.hipMemGetInfo)[0])


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("dtype", ["f4", "f2", "i1", "u4", "i8", "?", "c8"])
def test_another_library_sees_the_same_elements(dtype: str, versioned: bool) -> None:
    data = np.arange(24).reshape(2, 3, 4).astype(dtype)
    with Scope() as scope:
        tensor = scope.upload(data)
        for view, want in (
            (tensor, data),
            (tensor.transpose(2, 0, 1), data.transpose(2, 0, 1)),
            (tensor[1, ::2, ::-1], data[1, ::2, ::-1]),
            (tensor[:, :0], data[:, :0]),
            (tensor[0, 0, 0], data[0, 0, 0]),
        ):
            seen = np.from_dlpack(Host(view, versioned=versioned))
            assert seen.dtype == data.dtype
            assert np.array_equal(seen, want)
        del seen


@pytest.mark.parametrize("versioned", [True, False])
def test_lent_memory_outlives_its_buffer(versioned: bool) -> None:
    before = free_bytes()
    buffer = HipBuffer(1 << 16)
    buffer.upload(np.full(1 << 16, 5, np.uint8))
    tensor = Tensor(buffer, (1 << 16,), np.dtype(np.uint8))
    seen, again = (np.from_dlpack(Host(tensor, versioned=versioned)) for _ in range(2))
    with pytest.raises(DeviceBufferError, match="another library borrows"):
        buffer.move()
    buffer.free()
    assert not buffer.live
    assert free_bytes() < before
    assert (seen == 5).all()
    del seen
    gc.collect()
    assert (again == 5).all()
    del again
    gc.collect()
    assert free_bytes() == before
    with pytest.raises(DeviceBufferError, match="nobody borrows"):
        buffer.give_back()


@pytest.mark.parametrize("version", [None, (1, 0)])
def test_a_capsule_that_nobody_takes_gives_the_memory_back(version: Any) -> None:
    before = free_bytes()
    with Scope() as scope:
        tensor = scope.empty((4096,), np.float32)
        capsule = tensor.__dlpack__(max_version=version)
        buffer = tensor.buffer
    assert free_bytes() < before
    assert not buffer.live
    del capsule
    gc.collect()
    assert free_bytes() == before


def test_a_tensor_goes_round_without_a_copy() -> None:
    with Scope() as scope:
        tensor = scope.upload(np.arange(12, dtype=np.float32).reshape(3, 4))
        view = tensor[::-1, 1:3]
        taken = Tensor.from_dlpack(view)
        assert tensor.__dlpack_device__() == (10, 0)
        assert (taken.address, taken.shape, taken.strides) == (view.address, (3, 2), (-4, 1))
        assert np.array_equal(taken.download(), view.download())
        tensor.upload(np.zeros((3, 4), np.float32))
        assert not taken.download().any()
        taken.buffer.free()
        nothing = Tensor.from_dlpack(tensor[:0])
        assert nothing.shape == (0, 4)
        half = scope.empty((5,), ml_dtypes.bfloat16)
        again = Tensor.from_dlpack(half)
        assert again.dtype == ml_dtypes.bfloat16
        again.buffer.free()
        nothing.buffer.free()


def test_pending_work_is_done_before_memory_is_lent() -> None:
    with Scope() as scope, Stream() as stream, stream.current():
        x = scope.upload(np.ones(1 << 16, np.float32))
        y = scope.empty(x.shape, x.dtype)
        y.copy_from(x)
        capsule = y.__dlpack__()
        assert stream.done
        assert y.__cuda_array_interface__["stream"] == int(stream.handle)
        del capsule


def test_what_cannot_be_lent_or_borrowed() -> None:
    with Scope() as scope:
        tensor = scope.empty((2,), np.float32)
        with pytest.raises(BufferError, match="lent as it is, on device"):
            tensor.__dlpack__(copy=True)
        with pytest.raises(BufferError, match="lent as it is"):
            tensor.__dlpack__(dl_device=CPU)
        with pytest.raises(BufferError, match="no type for float8_e4m3fn"):
            scope.empty((2,), ml_dtypes.float8_e4m3fn).__dlpack__()
        with pytest.raises(BufferError, match="kind 1, not 10"):
            Tensor.from_dlpack(np.zeros(3))
        with pytest.raises(BufferError, match="is not DLPack's"):
            dlpack._taken(object())
    with pytest.raises(DeviceBufferError, match="use of a freed buffer"):
        tensor.__dlpack__()


class Altered:
    """A tensor whose capsule says something else of it."""

    def __init__(self, tensor: Tensor, field: str, value: int) -> None:
        self.tensor, self.field, self.value = tensor, field, value

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.tensor.__dlpack__(max_version=options["max_version"])
        address = dlpack._pointer(id(capsule), b"dltensor_versioned")
        managed = dlpack._Versioned.from_address(address)
        owner: ctypes.Structure = managed.tensor.type if self.field == "lanes" else managed
        setattr(owner, self.field, self.value)
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 10, 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("major", 2, "DLPack 2.1, not 1"),
        ("flags", 1, "may only be read"),
        ("lanes", 4, "4 lanes"),
    ],
)
def test_a_refused_loan_is_given_back(field: str, value: int, said: str) -> None:
    before = free_bytes()
    with Scope() as scope, pytest.raises(BufferError, match=said):
        Tensor.from_dlpack(Altered(scope.empty((8,), np.float32), field, value))
    gc.collect()
    assert free_bytes() == before
