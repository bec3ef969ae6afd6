"""Times pairs of hipMalloc and hipFree below ten Python frames: argv: library, live allocations."""

from __future__ import annotations

import ctypes
import os
import sys
import time

PAIRS, FRAMES, SIZE = 5000, 10, 256

library = ctypes.PyDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
malloc, free = library.hipMalloc, library.hipFree
malloc.argtypes, free.argtypes = [ctypes.c_void_p, ctypes.c_size_t], [ctypes.c_void_p]
pointer = ctypes.c_void_p()
reference = ctypes.addressof(pointer)


def pairs() -> float:
    """Return the seconds of one pair."""
    began = time.perf_counter()
    for _ in range(PAIRS):
        malloc(reference, SIZE)
        free(pointer)
    return (time.perf_counter() - began) / PAIRS


def below(frames: int) -> float:
    """Call `pairs` so many frames further down."""
    return below(frames - 1) if frames else pairs()


for _ in range(int(sys.argv[2])):
    malloc(reference, SIZE)
for _line in sys.stdin:
    sys.stdout.write(f"{below(FRAMES - 3)}\n")
    sys.stdout.flush()
# What lives on is on purpose: no report.
os._exit(0)
