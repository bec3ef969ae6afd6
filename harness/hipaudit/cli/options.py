"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from hipaudit import baseline, history
from hipaudit.errors import UsageError


def repeated(option: str, values: Iterable[object] | None) -> list[str]:
    """Return the words that give an option once for each of its values."""
    return [word for value in values or () for word in (option, str(value))]


class DeviceChoice(str, Enum):
    """What answers HIP calls."""

    EMULATED = "emulated"
    ROCM = "rocm"


class Level(str, Enum):
    """What fails a command: the least severity, or every finding that is not accepted."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEW = "new"


HipDevice: TypeAlias = Annotated[
    DeviceChoice | None,
    typer.Option(
        "--hip-device",
        help="What answers HIP calls; rocm fails without an AMD GPU. Default: HIPAUDIT_DEVICE, "
        "else a real GPU if there is one, else emulated.",
    ),
]
JsonTo: TypeAlias = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE|-", help="Write JSON there; - is standard output."),
]
SarifTo: TypeAlias = Annotated[
    str | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 there.")
]
FailOn: TypeAlias = Annotated[
    Level,
    typer.Option(
        "--fail-on",
        help="What gives exit code 1: the least severity, or new: any finding that the baseline "
        "does not accept.",
    ),
]
BaselineFrom: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help=f"Accepted findings; see hipaudit baseline. Default: {baseline.DEFAULT}, where it is.",
    ),
]
HistoryTo: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--history",
        metavar="FILE",
        help=f"Keep there when findings come and go, as {history.DEFAULT}; see hipaudit history.",
    ),
]


def choice(device: DeviceChoice | None) -> str | None:
    """Return the device as the lower layers take it."""
    return None if device is None else device.value


def extent(text: str, option: str) -> tuple[int, int, int]:
    """Return ``X[,Y[,Z]]`` as three numbers.

    Raises UsageError for anything else, and for a number below 1.
    """
    parts = text.split(",")
    if len(parts) > 3 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text!r}: it takes X, X,Y or X,Y,Z, each at least 1")
    numbers = [int(part) for part in parts] + [1, 1]
    return numbers[0], numbers[1], numbers[2]
