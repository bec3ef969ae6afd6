"""An asynchronous upload from an ordinary array, which is gone when the call returns."""

from __future__ import annotations

from variant import ONES, TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.pinned import pinned_array
from hipaudit_runtime.streams import Stream


def upload(buffer: HipBuffer, stream: Stream, factor: float) -> None:
    kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
    if TWIN:
        data = pinned_array(ONES.shape, ONES.dtype)
        data[:] = ONES * factor
        buffer.upload_later(data, stream)
        return
    host = (ONES * factor).ctypes.data
    call(
        hip.hipMemcpyAsync, buffer.address, host, buffer.size, kind, stream.handle
    )  # FAULT: pageable-async-copy warning


with Stream() as stream, HipBuffer(ONES.nbytes) as buffer:
    upload(buffer, stream, 3.0)
    stream.synchronise()
