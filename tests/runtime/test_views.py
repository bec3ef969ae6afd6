"""Views with strides: what they show is what numpy's show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hipaudit.device import Device
from hipaudit_runtime import ops
from hipaudit_runtime.errors import DeviceBufferError
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
DTYPES = st.sampled_from(["u1", "f2", "f4"])


@st.composite
def views(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], list[tuple[str, Any]]]:
    """An array, and steps that make a view of it."""
    shape = draw(SHAPES)
    array = np.arange(int(np.prod(shape, dtype=int)), dtype=draw(DTYPES)).reshape(shape)
    steps: list[tuple[str, Any]] = []
    seen = array
    for _ in range(draw(st.integers(1, 3))):
        step: tuple[str, Any]
        if draw(st.booleans()):
            step = "transpose", tuple(draw(st.permutations(range(seen.ndim))))
            seen = seen.transpose(*step[1])
        else:
            indices: st.SearchStrategy[Any] = hnp.basic_indices(
                seen.shape, max_dims=4, allow_newaxis=True
            )
            step = "index", draw(indices)
            seen = np.asarray(seen[step[1] if step[1] != () else ...])
        steps.append(step)
    return array, steps


def both(
    array: np.ndarray[Any, Any], tensor: Tensor, steps: list[tuple[str, Any]]
) -> tuple[np.ndarray[Any, Any], Tensor]:
    for kind, what in steps:
        if kind == "transpose":
            array, tensor = array.transpose(*what), tensor.transpose(*what)
        else:
            parts = what if isinstance(what, tuple) else (what,)
            array = array[parts if ... in parts else (*parts, ...)]
            tensor = tensor[what]
    return array, tensor


@settings(max_examples=150, deadline=None)
@given(drawn=views())
def test_a_view_is_read_and_written_as_numpy_s(drawn: Any) -> None:
    array, steps = drawn
    with Scope() as scope:
        tensor = scope.upload(array)
        want, view = both(array.copy(), tensor, steps)
        assert view.shape == want.shape
        assert np.array_equal(view.download(), want)
        if view.contiguous:
            assert want.flags.c_contiguous or want.size <= 1
        changed = np.ascontiguousarray(want + 1).reshape(want.shape)
        view.upload(changed)
        whole = array.copy()
        both(whole, tensor, steps)[0][...] = changed
        assert np.array_equal(tensor.download(), whole)


@settings(max_examples=40, deadline=None)
@given(drawn=views())
def test_a_kernel_gathers_a_view(device: Device, drawn: Any) -> None:
    array, steps = drawn
    with Scope() as scope:
        want, view = both(array, scope.upload(array), steps)
        if len(view.shape) > 4:
            return
        y = scope.empty(view.shape, view.dtype)
        ops.launch_gather_view(device, view, y)
        assert np.array_equal(y.download(), want)


def test_kernels_refuse_views_with_gaps(device: Device) -> None:
    with Scope() as scope:
        x = scope.upload(np.ones((4, 4), np.float32))
        y = scope.empty((4, 4), np.float32)
        with pytest.raises(ValueError, match=r"strides \(1, 4\): .* with ops.launch_gather_view"):
            ops.launch_add(device, x.transpose(), x.transpose(), y)
        with pytest.raises(ValueError, match="has gaps"):
            y.copy_from(x.transpose())
        with pytest.raises(ValueError, match="has gaps"):
            y.transpose().copy_from(x)
        with pytest.raises(ValueError, match="no view of strides"):
            x.transpose().reshape(16)
        assert x.reshape(2, -1).shape == (2, 8)


def test_what_is_no_view_is_refused() -> None:
    with Scope() as scope:
        x = scope.empty((3, 4), np.float32)
        for index in ([0, 1], True, 1.5, (0, [1])):
            with pytest.raises(IndexError, match="selects no view"):
                x[index]
        with pytest.raises(IndexError, match="out of bounds"):
            x[3]
        with pytest.raises(DeviceBufferError, match="do not fit"):
            Tensor(x.buffer, (3, 4), x.dtype, 0, (5, 1))
        with pytest.raises(DeviceBufferError, match="at -4"):
            Tensor(x.buffer, (2,), x.dtype, 0, (-1,))
        with pytest.raises(ValueError, match=r"strides \(1,\) for the axes"):
            Tensor(x.buffer, (3, 4), x.dtype, 0, (1,))
        twice = Tensor(x.buffer, (2, 3), x.dtype, 0, (0, 1))
        with pytest.raises(
            ValueError, match=r"strides \(0, 1\) of \(2, 3\): elements in one place"
        ):
            twice.upload(np.zeros((2, 3), np.float32))
        windows = Tensor(x.buffer, (3, 4), x.dtype, 0, (2, 1))
        x.upload(np.arange(12, dtype=np.float32).reshape(3, 4))
        assert windows.download().tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
