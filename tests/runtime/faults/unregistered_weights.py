"""Weights of a mapped file, unregistered while the device still copies from them."""

from __future__ import annotations

import mmap

import numpy as np
from variant import TWIN

from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.streams import Stream

pages = mmap.mmap(-1, 1 << 16)
weights = np.frombuffer(pages, np.uint8)
with HipBuffer(weights.nbytes) as buffer, Stream() as stream:
    address, kind = weights.ctypes.data, hip.hipMemcpyKind.hipMemcpyHostToDevice
    call(hip.hipHostRegister, address, weights.nbytes, 0)
    call(
        hip.hipMemcpyAsync, buffer.address, address, weights.nbytes, kind, stream.handle
    )  # FAULT: free-in-flight other
    if TWIN:
        stream.synchronise()
    call(hip.hipHostUnregister, address)  # FAULT: free-in-flight at
