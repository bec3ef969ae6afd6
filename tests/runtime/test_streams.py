"""Streams, events and copies that the host does not wait for."""

from __future__ import annotations

import gc
import weakref

import ml_dtypes
import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit_runtime import ops, streams
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import ClosedError
from hipaudit_runtime.pinned import is_pinned, pinned_array
from hipaudit_runtime.streams import Event, Stream
from hipaudit_runtime.tensors import Scope

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]


def test_work_goes_to_the_current_stream_and_back(device: Device) -> None:
    x = np.arange(1000, dtype=np.float32)
    with Scope() as scope, Stream() as stream, stream.current():
        assert streams.current() is stream
        a, y = scope.upload(x), scope.empty(x.shape, np.float32)
        ops.launch_add(device, a, a, y)
        a.copy_from(y)
        assert np.array_equal(a.download(), 2 * x)
    assert streams.current() is None


def test_the_host_goes_on_while_pinned_memory_is_copied(device: Device) -> None:
    x = pinned_array((64, 3), np.float32)
    x[:] = np.arange(192).reshape(64, 3)
    with Scope() as scope, Stream() as stream, stream.current():
        a, y = scope.empty(x.shape, x.dtype), scope.empty(x.shape, x.dtype)
        a.upload_later(x, stream)
        ops.launch_scale(device, a, y, 3.0)
        result = y.download_later(stream)
        stream.synchronise()
        assert is_pinned(result)
        assert np.array_equal(result, 3 * x)


def test_one_stream_waits_for_a_point_in_another(device: Device) -> None:
    with Scope() as scope, Stream() as first, Stream() as second, Event() as ready:
        with first.current():
            x = scope.upload(np.ones(256, np.float32))
            y = scope.empty((256,), np.float32)
            ops.launch_add(device, x, x, y)
            ready.record(first)
        second.wait(ready)
        with second.current():
            ops.launch_add(device, y, y, x)
            assert (x.download() == 4).all()
        ready.synchronise()
        assert ready.done
        assert second.done


def test_events_measure() -> None:
    with Stream() as stream, Event(timing=True) as begin, Event(timing=True) as end:
        begin.record(stream)
        end.record(stream)
        stream.synchronise()
        assert end.milliseconds_since(begin) >= 0


def test_nothing_is_used_after_it_was_closed() -> None:
    stream, event = Stream(), Event()
    event.close()
    for use in (event.close, event.synchronise, lambda: event.record(stream)):
        with pytest.raises(ClosedError, match="use of a closed event"):
            use()
    stream.close()
    for refused in (stream.close, stream.synchronise, lambda: stream.wait(event)):
        with pytest.raises(ClosedError, match="use of a closed stream"):
            refused()
    with pytest.raises(ClosedError, match="use of a closed stream"):
        _ = stream.done
    with stream.current(), HipBuffer(4) as buffer, pytest.raises(ClosedError, match="stream"):
        buffer.upload(np.zeros(4, np.uint8))


def test_a_forgotten_stream_is_closed_with_a_warning() -> None:
    forgotten = [Stream()]
    with pytest.warns(ResourceWarning, match="never closed: <hipaudit_runtime.streams.Stream"):
        forgotten.clear()


def test_pinned_memory_lives_as_long_as_its_last_view() -> None:
    whole = pinned_array((4, 8), ml_dtypes.bfloat16)
    owner = whole
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    alive = weakref.ref(owner.base)
    view = whole.reshape(-1)[5:9]
    del whole, owner
    gc.collect()
    view[:] = 1.5
    assert alive() is not None
    assert is_pinned(view)
    assert (view == 1.5).all()
    del view
    gc.collect()
    assert alive() is None


def test_a_stream_holds_the_array_of_a_copy_until_it_is_done() -> None:
    with HipBuffer(1 << 16) as buffer, Stream() as stream:
        data = pinned_array((1 << 16,), np.uint8)
        data[:] = 7
        alive = weakref.ref(data)
        buffer.upload_later(data, stream)
        del data
        gc.collect()
        assert alive() is not None
        stream.synchronise()
        gc.collect()
        assert alive() is None
        assert (buffer.download((1 << 16,), np.uint8) == 7).all()


def test_pageable_memory_is_refused_for_what_shall_not_wait() -> None:
    with HipBuffer(64) as buffer, Stream() as stream:
        with pytest.raises(ValueError, match=r"uint8\[64\] array .* make it with pinned_array"):
            buffer.upload_later(np.zeros(64, np.uint8), stream)
        with pytest.raises(ValueError, match="not C-contiguous"):
            buffer.download_later(pinned_array((64,), np.uint8)[::2], stream)
        nothing = pinned_array((0, 3), np.float32)
        assert nothing.shape == (0, 3)
