"""HIP calls that raise: every answer of hip-python passes through `call`.

hip-python's functions return a tuple whose first item is the status. A status that nobody looks at
is how errors get lost, so nothing else in this package calls hip-python directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hip import hip, hiprtc

from hipaudit_runtime.errors import HipError

__all__ = ["call", "device_properties", "hip", "hiprtc"]


def call(function: Callable[..., Any], *arguments: Any, detail: str = "") -> Any:
    """Call a hip-python function and return its results without the status.

    Nothing, one result, or a tuple of several, as the function has them. *detail* goes into the
    error's message.

    Raises:
        HipError: the status is not success.
    """
    answer = function(*arguments)
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise HipError(function.__name__, str(status.name), int(status.value), detail)
    if not results:
        return None
    return results[0] if len(results) == 1 else tuple(results)


def device_properties(ordinal: int) -> Any:
    """The ``hipDeviceProp_t`` of a device.

    hip-python 10 returns the structure; before, the caller passes one to be filled.
    """
    try:
        return call(hip.hipGetDeviceProperties, ordinal)
    except TypeError:
        properties = hip.hipDeviceProp_t()
        call(hip.hipGetDeviceProperties, properties, ordinal)
        return properties
