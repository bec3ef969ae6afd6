"""Whether what a launch leaves in memory depends on how many lanes a wave has.

Some results may: what belongs to a wave, and what the order of atomics decides. So a difference
is information and no error, it is told only where every order of blocks and waves that was tried
gives the same on each part, and of floating-point numbers only where no other order of a sum can
explain it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from hipaudit import arguments
from hipaudit.finding import definition_line

Array: TypeAlias = npt.NDArray[Any]

ORDERS: Final = (1, 2, 3)
"""The orders of blocks and waves that a part's results must not change with."""

_SHARE: Final = 0.125
"""How far apart floating-point numbers count as different, in shares of their buffer's largest:
what a lost half of a wave takes away or counts twice, and what no order of a sum comes near to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A buffer that two parts leave differently: how many elements, the first, and its values."""

    index: int
    count: int
    of: int
    first: int
    one: str
    other: str


def differences(texts: Sequence[str], one: Path, other: Path) -> Iterator[Difference]:
    """Yield the buffers that two runs left differently.

    texts  the launch's arguments; the folders hold what `job.launch` kept of them, by number
    """
    for index, text in enumerate(texts):
        name = f"{index}.bin"
        if not ((one / name).exists() and (other / name).exists()):
            continue
        dtype = arguments.parse(text).dtype
        left, right = (np.fromfile(folder / name, dtype) for folder in (one, other))
        apart = _apart(left, right)
        if apart.any():
            first = int(apart.argmax())
            count = int(apart.sum())
            yield Difference(index, count, apart.size, first, str(left[first]), str(right[first]))


def _apart(left: Array, right: Array) -> npt.NDArray[np.bool_]:
    """Return which elements differ by more than the order of a sum explains."""
    if left.dtype.kind in "iub":
        different: npt.NDArray[np.bool_] = left != right
        return different
    with np.errstate(invalid="ignore", over="ignore"):
        a, b = left.astype(np.float64), right.astype(np.float64)
        finite = np.isfinite(a) & np.isfinite(b)
        both = np.abs(np.concatenate([a[finite], b[finite]]))
        far = finite & (np.abs(a - b) > _SHARE * np.max(both, initial=0.0))
        alike = (a == b) | (np.isnan(a) & np.isnan(b))
        return np.asarray(far | (~finite & ~alike))


def record(
    file: str, value: Mapping[str, Any], parts: tuple[str, str], found: Difference
) -> dict[str, Any]:
    """Return the finding's record for a buffer that differs between two *parts*."""
    kernel = str(value["kernel"])
    name = value["kept"][str(found.index)]
    line = definition_line(Path(file), kernel.partition("<")[0].rpartition("::")[2])
    one, other = (f"waves of {_lanes(part)}" for part in parts)
    return {
        "record": "finding",
        "kind": "wave-size-dependence",
        "severity": "info",
        "kernel": kernel,
        "arch": parts[0],
        "build": "plain",
        "message": f"{found.count:,} of {found.of:,} elements of {name} differ between {one} and "
        f"{other}, in every order of blocks and waves that was tried: element {found.first:,} is "
        f"{found.one} with {one}, {found.other} with {other}; right only where it holds what "
        "belongs to a wave",
        "address_space": "global",
        "location": {"file": file, "line": line},
    }


def _lanes(part: str) -> int:
    return 64 if part.startswith("gfx9") else 32
