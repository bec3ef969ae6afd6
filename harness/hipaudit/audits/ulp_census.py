"""The error of a device's float functions over all 2^32 arguments, in ULP.

    python -m hipaudit.audits.ulp_census [FUNCTION ...]    all, minutes each; writes the table

The device judges itself, with its double function as the reference; mpmath decides what lies too
near to the middle of two floats for that, and judges the reference on samples and on the worst
arguments found. The tables are kept in ulp_census.json, one a device, and shown in the reports.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from hipaudit.adversary import NATURAL, Adversary
from hipaudit.device import Device, bind
from hipaudit.errors import HipauditError, UsageError
from hipaudit.toolchain import NATIVE
from hipaudit_runtime import modules, sources
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.ops.arguments import packed
from hipaudit_runtime.tensors import Scope

Bits = npt.NDArray[np.uint32]

EDGES = (0.5, 0.5001, 0.501, 0.51, 0.55, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, float("inf"))
"""Upper edges of the table's columns in ULP: those of native/tools/ulp_census.hip."""

FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.power(2, x),
    "log": mpmath.log,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
}
"""The functions that are judged, with the oracle of each for finite arguments in its domain."""

ALL = 1 << 32
TABLE = Path(__file__).with_name("ulp_census.json")
REFERENCE_LIMIT = 2.0**-49
"""How far off, relatively, the double reference may be: 8 of its ULP; the kernel allows 16."""

_LAUNCH = 1 << 26
_RUN = 1 << 10
_BLOCK = 256
_MOST_LISTED = 1 << 20
_SAMPLES = 2000


class CensusError(HipauditError):
    """A census that cannot judge: its reference is too far off, or too much was undecided."""


@dataclass(frozen=True, slots=True)
class Census:
    """What was found of one function on one device.

    arguments  how many bit patterns were tried
    bins       how many have an error up to each of EDGES; the first are correctly rounded
    wrong      how many are wrong in kind: NaN, infinity or the sign of a zero
    decided    how many of them mpmath had to decide
    worst      the largest error in ULP, at the argument worst_at (a hexadecimal float)
    reference  the largest relative error that mpmath found of the double reference
    """

    function: str
    device: str
    adversary: str
    arguments: int
    bins: tuple[int, ...]
    wrong: int
    decided: int
    worst: float
    worst_at: str
    reference: float


def census(
    function: str,
    device: Device,
    *,
    step: int = 1,
    adversary: Adversary = NATURAL,
    progress: Callable[[int], None] = lambda _: None,
) -> Census:
    """Judge a function on every step-th of all 2^32 bit patterns; *progress* gets their number.

    Raises UsageError for a function there is no oracle of, CensusError when the device's double
    function is no reference, HipError when a launch fails.
    """
    if function not in FUNCTIONS:
        raise UsageError(f"no census of {function!r}; there is one of {', '.join(FUNCTIONS)}")
    device.with_adversary(adversary)
    counted = _Count(function, device)
    try:
        arguments = -(-ALL // step)
        for done in range(0, arguments, _LAUNCH):
            count = min(_LAUNCH, arguments - done)
            counted.add(done * step, step, count)
            progress(count)
        return counted.finish(str(adversary), arguments)
    finally:
        counted.close()
        device.with_adversary(NATURAL)


class _Count:
    """A census under way."""

    def __init__(self, function: str, device: Device) -> None:
        self.function, self.device = function, device
        self.bins = np.zeros(len(EDGES) + 1, dtype=np.uint64)
        self.undecided: list[Bits] = []
        self.worst: list[tuple[float, int]] = []
        source = sources.read(NATIVE / "tools" / "ulp_census.hip")
        options = (f"-DFUNCTION={function}f", f"-DREFERENCE={function}")
        self.module = modules.load_module(modules.compile_source(source, device.arch, options))

    def close(self) -> None:
        """Give the module back."""
        call(hip.hipModuleUnload, self.module)

    def add(self, first: int, step: int, count: int) -> None:
        """Count *count* bit patterns from *first* on."""
        blocks = -(-count // (_RUN * _BLOCK))
        threads = blocks * _BLOCK
        with Scope() as scope:
            bins = scope.upload(np.zeros(len(self.bins), dtype=np.uint64))
            errors = scope.empty((threads,), np.float64)
            places = scope.empty((threads,), np.uint32)
            undecided = scope.empty((_MOST_LISTED,), np.uint32)
            listed = scope.upload(np.zeros(1, dtype=np.uint32))
            kernel = modules.entry_point(self.module, "census")
            sizes = [ctypes.c_uint(value) for value in (first, step, count, _RUN)]
            where = packed(bins, errors, places, undecided, listed)
            kernel.launch(blocks, _BLOCK, (*sizes, *where, ctypes.c_uint(_MOST_LISTED)))
            self.bins += bins.download()
            found = int(listed.download()[0])
            if found > _MOST_LISTED:
                raise CensusError(f"{found} results of {self.function} cannot be decided")
            self.undecided.append(undecided.download()[:found])
            worst = errors.download()
            at = int(np.argmax(worst))
            self.worst.append((float(worst[at]), int(places.download()[at])))

    def finish(self, adversary: str, arguments: int) -> Census:
        """Have mpmath decide the rest, judge the reference, and add everything up."""
        bins = [int(value) for value in self.bins]
        undecided = np.concatenate(self.undecided)
        got, _ = self._sample(undecided)
        for bits, value in zip(undecided.tolist(), got.tolist(), strict=True):
            error = exact_ulp(self.function, bits, value)
            bins[next(k for k, edge in enumerate(EDGES) if error <= edge)] += 1
            self.worst.append((error, bits))
        reference = self._judge_reference(np.array([bits for _, bits in self.worst], np.uint32))
        if reference > REFERENCE_LIMIT:
            raise CensusError(
                f"{self.function} of a double is off by {reference:.3g}: it is no reference"
            )
        worst, at = max(self.worst)
        place = float(np.uint32(at).view(np.float32)).hex()
        return Census(
            self.function,
            self.device.arch if self.device.choice == "rocm" else self.device.choice,
            adversary,
            arguments,
            tuple(bins[:-1]),
            bins[-1],
            len(undecided),
            round(worst, 6),
            place,
            reference,
        )

    def _judge_reference(self, worst: Bits) -> float:
        """Return the largest relative error of the double reference on samples and *worst*."""
        drawn = np.random.default_rng(1).integers(0, ALL, _SAMPLES, dtype=np.uint32)
        usual = np.random.default_rng(2).uniform(-20, 20, _SAMPLES).astype(np.float32)
        bits = np.concatenate([drawn, usual.view(np.uint32), worst])
        _, values = self._sample(bits)
        return max(_relative(self.function, *pair) for pair in zip(bits, values, strict=True))

    def _sample(self, bits: Bits) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Return the function and its reference at single arguments."""
        if not bits.size:
            return np.zeros(0, np.float32), np.zeros(0)
        with Scope() as scope:
            got, reference = scope.empty(bits.shape, np.float32), scope.empty(bits.shape, float)
            kernel = modules.entry_point(self.module, "sample")
            blocks = -(-bits.size // _BLOCK)
            kernel.launch(
                blocks, _BLOCK, packed(scope.upload(bits), got, reference, int(bits.size))
            )
            return got.download(), reference.download()


def exact(function: str, bits: int) -> Any:
    """Return the function of the float with these bits, by mpmath; None where it has no value."""
    x = float(np.uint32(bits).view(np.float32))
    if not np.isfinite(x) or (x <= 0 and function in {"log", "rsqrt"}):
        return None
    with mpmath.workprec(250):
        return FUNCTIONS[function](mpmath.mpf(x))


def exact_ulp(function: str, bits: int, got: float) -> float:
    """Return the error of a float result in ULP of the exact one, gradual underflow included.

    Results that are correctly rounded have at most 0.5, whatever the digits say.
    """
    value = exact(function, bits)
    if value is None:
        raise CensusError(f"{function} of the bits {bits:#x} has no exact value to decide by")
    with mpmath.workprec(250):
        exponent = max(int(mpmath.floor(mpmath.log(abs(value), 2))) - 23, -149)
        return float(abs(mpmath.mpf(got) - value) / mpmath.mpf(2) ** exponent)


def _relative(function: str, bits: np.uint32, value: np.float64) -> float:
    """Return the relative error of the double reference; 0 where the exact result is no double."""
    truth = exact(function, int(bits))
    if truth is None or truth == 0 or not 1e-300 < abs(truth) < 1e300:
        return 0.0
    with mpmath.workprec(250):
        return float(abs(mpmath.mpf(float(value)) - truth) / abs(truth))


def table() -> dict[str, dict[str, Any]]:
    """Return the committed tables: a device and adversary to functions to censuses as data."""
    if not TABLE.exists():
        return {}
    read: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return read


def record(found: Census) -> None:
    """Put a census into the committed tables."""
    tables = table()
    tables.setdefault(f"{found.device}, {found.adversary}", {})[found.function] = asdict(found)
    text = json.dumps(tables, indent=1, sort_keys=True) + "\n"
    TABLE.write_text(text, encoding="utf-8")


def _ticks(function: str) -> Iterator[Callable[[int], None]]:
    """Yield what shows progress on a terminal."""
    started, done = time.monotonic(), 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        seconds = time.monotonic() - started
        sys.stderr.write(f"\r{function}: {done / ALL:4.0%}, {seconds:.0f} s ")

    yield tick
    sys.stderr.write("\n")


def main(names: Sequence[str]) -> int:
    """Take the censuses that are named, or all, and write them down; the exit code."""
    device = bind()
    for name in names or FUNCTIONS:
        for tick in _ticks(name):
            found = census(name, device, progress=tick)
        record(found)
        sys.stdout.write(f"{name}: worst {found.worst} ULP at {found.worst_at}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
