"""Spec and Case: what a kernel must compute, and one input it must compute it on.

A library kernel's spec is written once, in ``hipaudit.library``; ``pytest -m numerics`` and
``hipaudit audit`` both run it. A user's test makes the same object through the ``numerics``
decorator. A spec names plain functions, all called with the same keyword arguments, the drawn
inputs::

    SOFTMAX = Spec(
        name="softmax",
        source="softmax.hip",
        description="Row-wise softmax of a row-major float32 matrix.",
        inputs=st.fixed_dictionaries({"x": matrices(float32, elements=logits())}),
        launch=ops.softmax,                # launch(device, x=x) -> array or tuple of arrays
        reference=ref.softmax,             # reference(x=x) -> float64, the same shapes
        bound=bounds.softmax,              # bound(x=x) -> float64 >= 0, the same shapes
        u_out=2.0**-24,
    )
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from hypothesis.strategies import SearchStrategy

from hipaudit.errors import UsageError

Array: TypeAlias = npt.NDArray[Any]
Outputs: TypeAlias = Array | tuple[Array, ...]
Inputs: TypeAlias = Mapping[str, Any]

BOTH_WAVES: tuple[str, ...] = ("gfx942", "gfx1100")
"""The parts every property runs on: wave 64 and wave 32."""


class DeviceLike(Protocol):
    """What a launcher may ask of the device it is given; ``hipaudit.device.Device`` fits."""

    @property
    def ordinal(self) -> int:
        """The device's number for ``hipSetDevice``."""

    @property
    def arch(self) -> str:
        """The part, such as ``gfx942``: the ``--offload-arch`` to compile for."""

    @property
    def wave_size(self) -> int:
        """Threads in a wave: 64 or 32."""


@dataclass(frozen=True, slots=True)
class Sums:
    """A kernel seen as a summation, to find out how it adds.

    launch  launch(device, terms): the sum of each row of a float32 matrix (m, n), as (m,)
    height  height(n): the additions that a term passes through at most, which the bound rests
            on; None: the bound rests on something else, such as compensation
    """

    launch: Callable[[Any, Array], Array]
    height: Callable[[int], int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One kernel's contract.

    name         identifier in reports and test names, ``[a-z0-9_]+``
    source       the kernel's file in ``kernels/``
    description  one or two sentences for the report page: formula, layout, limits
    inputs       strategy for the keyword arguments of launch, reference and bound:
                 numpy arrays and Python scalars
    launch       launch(device, **inputs): runs the kernel through HIP, returns host arrays
    reference    reference(**inputs): the expected outputs in float64 (integers for an exact
                 integer output), each of the same shape as launch's
    bound        bound(**inputs): the largest allowed |output - expected| per element, float64,
                 finite and >= 0; None for an exact spec
    u_out        unit roundoff of the output format: 2^-24, 2^-11 or 2^-8
    exact        outputs must equal the reference bit for bit (NaNs by class)
    spot         spot(index, **inputs): one element of the (first) output as an mpmath number, or
                 anything ``float`` takes; judges the reference itself at the worst element,
                 which must be nearer to it than bound/100. None for an exact spec
    formula      the bound in words, with its source, for the report page
    cases        inputs that are always run, before the drawn ones
    archs        the parts to run on
    examples     drawn inputs a run
    kernels      entry points the launcher uses; empty means ``(name,)``
    deterministic  whether outputs have the same bits however blocks and waves are ordered
    sums         the kernel as a summation; None for one that is none
    """

    name: str
    source: str
    description: str
    inputs: SearchStrategy[dict[str, Any]]
    launch: Callable[..., Outputs]
    reference: Callable[..., Outputs]
    bound: Callable[..., Outputs] | None = None
    u_out: float = 2.0**-24
    exact: bool = False
    spot: Callable[..., Any] | None = None
    formula: str = ""
    cases: tuple[Inputs, ...] = ()
    archs: tuple[str, ...] = BOTH_WAVES
    examples: int = 40
    kernels: tuple[str, ...] = ()
    deterministic: bool = True
    sums: Sums | None = None

    def __post_init__(self) -> None:
        """Refuse a spec that could not judge anything."""
        if self.exact == (self.bound is not None):
            given = "both" if self.exact else "neither"
            raise UsageError(f"spec {self.name!r}: give exact=True or a bound, not {given}")

    @property
    def entry_points(self) -> tuple[str, ...]:
        """The kernels this spec covers."""
        return self.kernels or (self.name,)


@dataclass(frozen=True, slots=True)
class Case:
    """One concrete input: the keyword arguments of launch, reference and bound."""

    inputs: Inputs

    def __str__(self) -> str:
        """Return the inputs in words, with the first elements of each array."""
        return ", ".join(f"{name} = {_in_words(value)}" for name, value in self.inputs.items())

    def leaves(self) -> Iterator[Any]:
        """Yield the arrays and other values of all inputs, those in containers too."""
        return leaves(list(self.inputs.values()))

    def digest(self) -> int:
        """Return a number that is the same for the same inputs, and spread over its range."""
        value = 0
        for name, item in sorted(self.inputs.items()):
            value = zlib.crc32(name.encode(), value)
            for leaf in leaves(item):
                data = leaf.tobytes() if isinstance(leaf, np.ndarray) else repr(leaf).encode()
                value = zlib.crc32(data, value)
        return value

    def copied(self) -> dict[str, Any]:
        """Return the inputs in memory of their own, so that who writes there spoils no others."""
        return {name: _copied(item) for name, item in self.inputs.items()}


def leaves(value: Any) -> Iterator[Any]:
    """Yield the arrays and other values that tuples, lists and dictionaries hold, nested or not."""
    if isinstance(value, Mapping):
        value = [part for pair in value.items() for part in pair]
    if not isinstance(value, (tuple, list)):
        yield value
        return
    for part in value:
        yield from leaves(part)


def _copied(value: Any) -> Any:
    """Return a value whose arrays, nested or not, are copies in the same layout."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(_copied, value))
    return value


def _in_words(value: Any) -> str:
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {_in_words(part)}" for key, part in value.items()) + "}"
    if type(value) in (tuple, list):
        return f"({', '.join(map(_in_words, value))})"
    if not isinstance(value, np.ndarray):
        return repr(value)
    shape = " x ".join(map(str, value.shape))
    listed = np.array2string(value.reshape(-1)[:8], separator=", ", floatmode="unique")
    more = ", ..." if value.size > 8 else ""
    return f"{value.dtype.name} {shape} {' '.join(listed.split())[:-1]}{more}]"


def as_outputs(value: Outputs, *, who: str) -> tuple[Array, ...]:
    """Return what a launcher, reference or bound gave as a tuple of arrays.

    Raises UsageError naming *who* when it is None or has no array in it.
    """
    items = value if isinstance(value, tuple) else (value,)
    if not items or any(item is None for item in items):
        raise UsageError(f"{who} returned no array")
    return tuple(np.asarray(item) for item in items)
