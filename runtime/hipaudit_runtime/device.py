"""Which device the launchers run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hipaudit_runtime.hip import call, device_properties, hip


class DeviceLike(Protocol):
    """What a launcher asks of a device."""

    @property
    def ordinal(self) -> int:
        """The number for ``hipSetDevice``."""

    @property
    def arch(self) -> str:
        """The part to compile for, such as ``gfx942``."""

    @property
    def wave_size(self) -> int:
        """Threads in a wave: 64 or 32."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as HIP describes it."""

    ordinal: int
    arch: str
    wave_size: int


def current_device() -> Device:
    """The device that this thread's HIP calls go to.

    Raises HipError when there is none.
    """
    ordinal = int(call(hip.hipGetDevice))
    properties = device_properties(ordinal)
    name = properties.gcnArchName
    text = name.decode() if isinstance(name, bytes) else str(name)
    # gfx942:sramecc+:xnack-: what follows the part are features, which hiprtc finds for itself.
    return Device(ordinal, text.split(":")[0], int(properties.warpSize))
