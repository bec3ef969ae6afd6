"""HIP calls of the harness itself, through plain hip-python; every status is looked at.

hip-python is imported late: the device must be bound before its first call.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from hipaudit.errors import DeviceError


class HipCallError(DeviceError):
    """A HIP call of the harness did not succeed.

    call    the function's name; status: the status' name, such as ``hipErrorInvalidValue``
    """

    def __init__(self, call: str, status: str, code: int) -> None:
        super().__init__(f"{call} failed with {status} ({code})")
        self.call = call
        self.status = status


def hip() -> ModuleType:
    """The module ``hip.hip``; DeviceError when hip-python is not installed."""
    return _module("hip")


def hiprtc() -> ModuleType:
    """The module ``hip.hiprtc``; DeviceError when hip-python is not installed."""
    return _module("hiprtc")


def _module(name: str) -> ModuleType:
    try:
        import hip as package
    except ImportError as error:
        raise DeviceError(f"hip-python does not load ({error}): pip install hip-python") from error
    module: ModuleType = getattr(package, name)
    return module


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a hip-python function; return its results without the status.

    Raises HipCallError when the status is not success.
    """
    answer = function(*arguments)
    status, *results = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise HipCallError(function.__name__, str(status.name), int(status.value))
    if not results:
        return None
    return results[0] if len(results) == 1 else tuple(results)


def device_count() -> int:
    """How many devices HIP sees; 0 also when it says there is none."""
    try:
        return int(call(hip().hipGetDeviceCount))
    except HipCallError:
        return 0


def properties(ordinal: int = 0) -> Any:
    """The ``hipDeviceProp_t`` of a device: hip-python 10 returns it, before one passes it."""
    function = hip().hipGetDeviceProperties
    try:
        return call(function, ordinal)
    except TypeError:
        filled = hip().hipDeviceProp_t()
        call(function, filled, ordinal)
        return filled


def text(value: Any) -> str:
    """A C string of a structure, which hip-python gives as bytes or as str."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
