"""Device memory has one owner, and leaves it once."""

from __future__ import annotations

import copy
import gc
import pickle

import ml_dtypes
import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]

BYTES = np.arange(64, dtype=np.uint8)


def test_bytes_come_back_as_they_went() -> None:
    with HipBuffer(64) as buffer:
        buffer.upload(BYTES)
        assert np.array_equal(buffer.download((16,), np.uint8, offset=8), BYTES[8:24])


def test_a_buffer_is_freed_once() -> None:
    buffer = HipBuffer(16)
    buffer.free()
    with pytest.raises(DeviceBufferError, match="use of a freed buffer: <HipBuffer of 16 bytes"):
        buffer.free()


def test_leaving_the_block_frees() -> None:
    with HipBuffer(16) as buffer:
        assert buffer.address
    assert not buffer.live
    with pytest.raises(DeviceBufferError, match="freed"):
        _ = buffer.address


def test_freeing_inside_the_block_is_fine() -> None:
    with HipBuffer(16) as buffer:
        buffer.free()
    assert not buffer.live


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_of_the_handle_are_refused(duplicate: object) -> None:
    assert callable(duplicate)
    with HipBuffer(16) as buffer, pytest.raises(TypeError, match=r"free it twice; use deep_copy"):
        duplicate(buffer)


def test_deep_copy_has_memory_of_its_own() -> None:
    with HipBuffer(64) as buffer:
        buffer.upload(BYTES)
        with buffer.deep_copy() as twin:
            buffer.upload(BYTES[::-1].copy())
            assert twin.address != buffer.address
            assert np.array_equal(twin.download((64,), np.uint8), BYTES)


def test_a_move_leaves_one_owner() -> None:
    first = HipBuffer(64)
    first.upload(BYTES)
    view = Tensor(first, (64,), np.dtype(np.uint8))
    with first.move() as second:
        assert (first.live, second.live, second.size) == (False, True, 64)
        for use in (first.free, first.move, first.deep_copy, view.download):
            with pytest.raises(DeviceBufferError, match=r"use of a moved buffer: .* moved>"):
                use()
        assert np.array_equal(second.download((64,), np.uint8), BYTES)


def test_a_view_keeps_its_buffer_alive() -> None:
    def view_of_a_local() -> Tensor:
        buffer = HipBuffer(64)
        buffer.upload(BYTES)
        return Tensor(buffer, (64,), np.dtype(np.uint8))

    view = view_of_a_local()
    gc.collect()
    assert np.array_equal(view.download(), BYTES)
    view.buffer.free()


def test_bytes_are_copied_on_the_device() -> None:
    with HipBuffer(64) as buffer, HipBuffer(16) as other:
        buffer.upload(BYTES)
        other.copy_from(buffer, 8, offset=8, source_offset=40)
        buffer.copy_from(buffer, 8, offset=0, source_offset=8)
        assert np.array_equal(other.download((8,), np.uint8, 8), BYTES[40:48])
        assert np.array_equal(buffer.download((8,), np.uint8), BYTES[8:16])
        with pytest.raises(DeviceBufferError, match="write of bytes 9 to 17 of a buffer of 16"):
            other.copy_from(buffer, 8, offset=9)
        with pytest.raises(DeviceBufferError, match="read of bytes 60 to 68 of a buffer of 64"):
            other.copy_from(buffer, 8, source_offset=60)
        with pytest.raises(DeviceBufferError, match="write of bytes 4 to 3"):
            other.copy_from(buffer, -1, offset=4)
        with pytest.raises(ValueError, match="copy of 8 bytes from 0 to 7 in a buffer"):
            buffer.copy_from(buffer, 8, offset=7)


def test_a_forgotten_buffer_is_freed_with_a_warning() -> None:
    forgotten = [HipBuffer(48)]
    with pytest.warns(ResourceWarning, match="never freed: <HipBuffer of 48 bytes"):
        forgotten.clear()


def test_copies_beyond_the_end_are_refused() -> None:
    with HipBuffer(63) as buffer:
        with pytest.raises(DeviceBufferError, match="write of bytes 0 to 64 of a buffer of 63"):
            buffer.upload(BYTES)
        with pytest.raises(DeviceBufferError, match="read of bytes 60 to 64 of a buffer of 63"):
            buffer.download((4,), np.uint8, offset=60)
        with pytest.raises(DeviceBufferError, match="read of bytes -1 to 3"):
            buffer.download((4,), np.uint8, offset=-1)


def test_a_strided_array_is_not_uploaded() -> None:
    with HipBuffer(64) as buffer, pytest.raises(ValueError, match=r"strides are \(2,\)"):
        buffer.upload(BYTES[::2])


def test_a_buffer_of_nothing() -> None:
    with HipBuffer(0) as buffer:
        assert buffer.address == 0
        buffer.upload(BYTES[:0])
        assert buffer.download((0,), np.uint8).size == 0
        with buffer.deep_copy() as twin:
            assert twin.size == 0


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a buffer of -1 bytes"):
        HipBuffer(-1)


def test_dropping_a_tensor_frees_nothing() -> None:
    with HipBuffer(64) as buffer:
        buffer.upload(BYTES)
        view = Tensor(buffer, (4, 2), np.dtype(np.float32), 32)
        assert view.address == buffer.address + 32
        del view
        gc.collect()
        assert np.array_equal(buffer.download((64,), np.uint8), BYTES)


def test_a_tensor_is_offered_to_other_libraries() -> None:
    with HipBuffer(64) as buffer:
        view = Tensor(buffer, (4, 2), np.dtype(np.float32), 32)
        assert view.__cuda_array_interface__ == {
            "shape": (4, 2),
            "typestr": "<f4",
            "data": (buffer.address + 32, False),
            "strides": None,
            "stream": 1,
            "version": 3,
        }
        assert view.transpose().__cuda_array_interface__["strides"] == (4, 8)
        assert not hasattr(
            Tensor(buffer, (4,), np.dtype(ml_dtypes.bfloat16)), "__cuda_array_interface__"
        )
    with pytest.raises(DeviceBufferError, match="use of a freed buffer"):
        _ = view.__cuda_array_interface__


def test_a_tensor_stays_inside_its_buffer() -> None:
    with HipBuffer(64) as buffer, pytest.raises(DeviceBufferError, match="36 bytes at 32"):
        Tensor(buffer, (9,), np.dtype(np.float32), 32)


def test_a_tensor_takes_its_own_shape_only() -> None:
    with Scope() as scope:
        tensor = scope.empty((2, 3), np.float32)
        with pytest.raises(ValueError, match=r"upload of float32\[3, 2\] to float32\[2, 3\]"):
            tensor.upload(np.zeros((3, 2), np.float32))


def test_a_scope_frees_all_even_on_an_error(device: Device) -> None:
    del device
    free_before, _ = call(hip.hipMemGetInfo)
    tensors: list[Tensor] = []

    def fail() -> None:
        with Scope() as scope:
            tensors.extend(scope.empty((1 << 20,), np.float32) for _ in range(3))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert not any(tensor.buffer.live for tensor in tensors)
    assert call(hip.hipMemGetInfo)[0] == free_before
