"""How accurate a device's elementary operations are: the table that bounds take as `device`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from hipaudit_reference.arrays import quiet
from hipaudit_reference.formats import Format

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class DeviceErrors:
    """Largest relative errors of a device's fp32 functions, in units of u = 2^-24.

    One ULP is at most 2 u of the value. Functions that are correctly rounded have 1.
    `exp_slope` is what exp adds for each unit of its argument's size: an exp made of exp2 and a
    product rounds x log2 e first.
    `flushes_subnormals`: subnormal arguments and results may become zero. `truncates`: additions
    and products round towards zero, which doubles their u.
    """

    name: str
    exp: float
    exp2: float
    log: float
    log2: float
    log10: float
    rsqrt: float
    sqrt: float
    reciprocal: float
    divide: float
    sin: float
    cos: float
    tanh: float
    erf: float
    erfc: float
    pow: float
    exp_slope: float = 0.0
    flushes_subnormals: bool = False
    truncates: bool = False

    def unit(self, working: Format) -> float:
        """The unit roundoff on this device: doubled on a truncating one."""
        return working.unit_roundoff * (2 if self.truncates else 1)

    def underflow(self, working: Format) -> float:
        """Absolute error of one operation whose result lies below the normal range."""
        if self.flushes_subnormals:
            return working.min_normal
        return working.min_subnormal if self.truncates else working.min_subnormal / 2

    def input_flush(self, working: Format) -> float:
        """Absolute error that reading a subnormal argument may bring."""
        return working.min_normal if self.flushes_subnormals else 0.0

    def flushing(self) -> DeviceErrors:
        """The same device with subnormals flushed."""
        return replace(self, name=f"{self.name}-flushing", flushes_subnormals=True)

    def truncating(self) -> DeviceErrors:
        """The same device with a truncating adder and multiplier."""
        return replace(self, name=f"{self.name}-truncating", truncates=True)

    def quotient(self) -> float:
        """A division, or a product with a reciprocal: the worse of the two."""
        return max(self.divide, self.reciprocal + 1)

    def inverse_root(self) -> float:
        """1 / sqrt(x), by rsqrt or by a square root and a division: the worse of the two."""
        return max(self.rsqrt, self.sqrt + max(self.divide, self.reciprocal))


_CORRECT = 1.0
_NEARLY = 2 * 0.501

# The emulated device's own functions: at most 0.501 ULP; the arithmetic is correctly rounded.
EMULATED = DeviceErrors(
    name="emulated",
    exp=_NEARLY,
    exp2=_NEARLY,
    log=_NEARLY,
    log2=_NEARLY,
    log10=_NEARLY,
    rsqrt=_NEARLY,
    sqrt=_CORRECT,
    reciprocal=_CORRECT,
    divide=_CORRECT,
    sin=_NEARLY,
    cos=_NEARLY,
    tanh=_NEARLY,
    erf=_NEARLY,
    erfc=_NEARLY,
    pow=_NEARLY,
)


def _documented(steps: float) -> float:
    """A distance of so many ULP from the correctly rounded result, in units of u."""
    return 2 * (steps + 0.5)


# HIP's documented table ("HIP math API", maximum ULP differences of the single precision device
# functions). It counts steps from the host's correctly rounded result, and covers limited
# ranges only: expf on [-10, 10], sinf and cosf on [-pi, pi], tanhf on [-5, 5], erff on [-4, 4].
AMD = DeviceErrors(
    name="amd",
    exp=_documented(1),
    exp2=_documented(1),
    log=_documented(2),
    log2=_documented(1),
    log10=_documented(2),
    rsqrt=_documented(1),
    sqrt=_documented(1),
    reciprocal=_CORRECT,
    divide=_CORRECT,
    sin=_documented(1),
    cos=_documented(1),
    tanh=_documented(2),
    erf=_documented(4),
    erfc=_documented(2),
    pow=_documented(1),
)

# The same with the fast intrinsics (__expf, __logf, __sinf, __cosf, __frcp, v_rsq) where HIP
# documents them, division by a reciprocal and a product (2.5 ULP, as OpenCL asks of it), and
# subnormals flushed: for a kernel that calls those, or is compiled with fast math.
AMD_FAST = DeviceErrors(
    name="amd-fast",
    exp=_documented(6),
    exp2=_documented(1),
    log=_documented(2),
    log2=_documented(1),
    log10=_documented(2),
    rsqrt=_documented(1),
    sqrt=_documented(1),
    reciprocal=_documented(1),
    divide=_documented(2),
    sin=_documented(18),
    cos=_documented(4),
    tanh=_documented(2),
    erf=_documented(4),
    erfc=_documented(2),
    pow=_documented(1),
    exp_slope=2.0,
    flushes_subnormals=True,
)

DEVICES: dict[str, DeviceErrors] = {table.name: table for table in (EMULATED, AMD, AMD_FAST)}

_assumed: ContextVar[DeviceErrors] = ContextVar("hipaudit_assumed_device", default=AMD)


@contextmanager
def assuming(device: DeviceErrors) -> Iterator[None]:
    """Make *device* the one that bounds inside take when they are not given one."""
    token = _assumed.set(device)
    try:
        yield
    finally:
        _assumed.reset(token)


def derived(bound: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a function a bound: its `device` is the assumed one unless given, numpy is quiet."""
    silent = quiet(bound)

    @functools.wraps(bound)
    def complete(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        kwargs.setdefault("device", _assumed.get())
        return silent(*args, **kwargs)

    return complete


__all__ = ["AMD", "AMD_FAST", "DEVICES", "EMULATED", "DeviceErrors", "assuming", "derived"]
