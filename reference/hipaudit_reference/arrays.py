"""Arrays in and out of the oracle: what is accepted, and how it becomes float64.

Every reference and every bound starts here, so a wrong argument is refused in one way: a sentence
that names the argument and shows the value.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64: TypeAlias = NDArray[np.float64]
Float32: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[Any]

# Overflow, 0 * inf and the like are part of the answer here, never a warning. Use as @quiet.
quiet = np.errstate(all="ignore")

_SMALL_FLOATS = frozenset(
    {
        "bfloat16",
        "float8_e4m3fn",
        "float8_e4m3fnuz",
        "float8_e5m2",
        "float8_e5m2fnuz",
        "float8_e8m0fnu",
        "float6_e2m3fn",
        "float6_e3m2fn",
        "float4_e2m1fn",
    }
)


def as_float64(values: ArrayLike, name: str = "x") -> Float64:
    """The values as a float64 array, exactly.

    Accepts float64, float32, float16, the types of `ml_dtypes`, booleans, and integers that
    float64 holds exactly. Anything else (object, complex, text, long double) is a TypeError: it
    would be judged after a silent rounding.
    """
    array = np.asarray(values)
    kind = array.dtype.kind
    if (kind == "f" and array.dtype.itemsize <= 8) or array.dtype.name in _SMALL_FLOATS:
        return np.asarray(array, dtype=np.float64)
    if kind in "biu":
        exact = np.asarray(array, dtype=np.float64)
        if array.dtype.itemsize == 8 and np.any(np.abs(exact) >= 2.0**53):
            msg = f"{name}: integers from 2^53 on are not exact in float64"
            raise TypeError(msg)
        return exact
    msg = f"{name}: dtype {array.dtype} is not a real number type that float64 holds exactly"
    raise TypeError(msg)


def as_integers(values: ArrayLike, name: str) -> Integers:
    """The values as an int64 array; a TypeError unless they are integers."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size > 0:
        msg = f"{name}: dtype {array.dtype} is not an integer type"
        raise TypeError(msg)
    return array.astype(np.int64)


def as_booleans(values: ArrayLike, name: str) -> Booleans:
    """The values as a boolean array; a TypeError unless they are booleans."""
    array = np.asarray(values)
    if array.dtype.kind != "b":
        msg = f"{name}: dtype {array.dtype} is not bool"
        raise TypeError(msg)
    return array


def require(condition: bool, message: str) -> None:
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_rank(array: AnyArray, rank: int, name: str) -> None:
    """Raise ValueError unless the array has at least this many dimensions."""
    if array.ndim < rank:
        msg = f"{name}: needs at least {rank} dimension(s), its shape is {array.shape}"
        raise ValueError(msg)
