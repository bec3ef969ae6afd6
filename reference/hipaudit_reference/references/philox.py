"""Counter-based random numbers: Philox4x32-10.

A pure function of (counter, key): the draw of any thread, token or retry is reproducible, and
the oracle draws the same bits as the kernel. Source: Salmon, Moraes, Dror & Shaw, "Parallel
random numbers: as easy as 1, 2, 3", SC 2011; its known-answer vectors are in the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hipaudit_reference.arrays import Float64

_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)


def philox4x32_10(counter: ArrayLike, key: ArrayLike) -> NDArray[np.uint32]:
    """Four random words per counter: counter (..., 4), key (..., 2) of 32-bit words > (..., 4)."""
    c0, c1, c2, c3 = (_words(counter)[..., i] for i in range(4))
    k0, k1 = (_words(key)[..., i] for i in range(2))
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (second >> _WORD) ^ c1 ^ k0,
            second & _LOW,
            (first >> _WORD) ^ c3 ^ k1,
            first & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype(np.uint32)


def uniform(words: ArrayLike) -> Float64:
    """Random words to [0, 1): the top 24 bits times 2^-24, exact in fp32 and never 1."""
    return (_words(words) >> np.uint64(8)).astype(np.float64) * 2.0**-24


def _words(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "ui":
        raise TypeError(f"random words: dtype {array.dtype} is not an integer type")
    if array.size and (int(array.min()) < 0 or int(array.max()) > int(_LOW)):
        raise ValueError("random words: a value does not fit 32 bits")
    return array.astype(np.uint64)
