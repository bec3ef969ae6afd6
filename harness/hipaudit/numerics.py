"""The ``numerics`` decorator: a Hypothesis test whose returned output is judged.

::

    import hipaudit_reference as ref
    from hipaudit.inputs import float32, lengths, logits, matrices
    from hipaudit.numerics import numerics

    @numerics(reference=ref.softmax, bound=ref.bounds.softmax)
    @given(x=matrices(float32, rows=lengths(1, 64), columns=lengths(1, 4096), elements=logits()))
    def test_softmax(device, x):
        return launcher.softmax(x)

The test runs on every part of ``--hip-arch`` (by default one of wave 64 and one of wave 32),
without a deadline. It fails when an output leaves its bound, when the device finds a fault, when
the bound could not have failed, and when nothing ran.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings

from hipaudit.adversary import FIXED, Adversary
from hipaudit.device import Device
from hipaudit.errors import UsageError, hidden
from hipaudit.judge import Builds, Claim, Judge, raise_unless_earned
from hipaudit.property import hypothesis_test
from hipaudit.spec import BOTH_WAVES, Case, Inputs, Outputs, Spec
from hipaudit.verdict import Verdict

__tracebackhide__ = hidden

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(slots=True)
class Active:
    """The pytest item that is running: its judge, once the first example ran.

    blob  run only the input of this Hypothesis token
    name  what the item is called; empty: as its claim is
    """

    blob: tuple[str, str] | None = None
    name: str = ""
    judge: Judge | None = field(default=None)

    def judge_for(self, claim: Claim, device: Device) -> Judge:
        """Return the item's judge, made at its first example."""
        if self.judge is None:
            builds: Builds = "mixed" if self.blob is None else "both"
            self.judge = Judge(claim, device, builds)
        return self.judge

    def verdict(self) -> Verdict | None:
        """Return what the item has shown; None when no example ran."""
        return None if self.judge is None else self.judge.finish()


_active: ContextVar[Active | None] = ContextVar("hipaudit_active", default=None)


@contextmanager
def collecting(blob: tuple[str, str] | None = None, name: str = "") -> Iterator[Active]:
    """Collect what the numerics tests that run inside have shown, under the item's *name*."""
    active = Active(blob, name)
    token = _active.set(active)
    try:
        yield active
    finally:
        _active.reset(token)
        if active.judge is not None:
            active.judge.close()


def numerics(
    *,
    reference: Callable[..., Outputs],
    bound: Callable[..., Outputs] | None = None,
    exact: bool = False,
    u_out: float = 2.0**-24,
    spot: Callable[..., Any] | None = None,
    deterministic: bool = False,
    archs: tuple[str, ...] = BOTH_WAVES,
) -> Callable[[Test], Test]:
    """Judge what a Hypothesis test returns. Stands above ``@given`` and any ``@settings``.

    reference  reference(**drawn): the expected outputs in float64; it gets fixtures and
               parameters of ``pytest.mark.parametrize`` as well, those that it names
    bound      bound(**drawn), and the same: the largest allowed error per element
    exact      instead of a bound: bit for bit, signs of zeros too, NaNs by class. A maximum of
               zeros may be either of them: give it a bound of 0, or 2^-125 to allow for flushing
    u_out      unit roundoff of the output format
    spot       spot(index, **drawn): one element by mpmath, to judge the reference itself
    deterministic  outputs must keep their bits in another order of blocks and waves
    archs      the parts to run on where ``--hip-arch`` does not say

    The test gets arrays of its own: what it writes into them, the reference does not see.

    Raises UsageError for a test that is no Hypothesis test, takes no ``device``, or has neither
    or both of a bound and exact; and where one of the functions does not take what is drawn.
    """
    if exact == (bound is not None):
        raise UsageError("numerics needs either a bound or exact=True")

    def decorate(test: Test) -> Test:
        handle: Any = getattr(test, "hypothesis", None)
        if handle is None:
            raise UsageError(f"{test.__name__}: put @numerics above @given")
        inner = handle.inner_test
        if "device" not in inspect.signature(inner).parameters:
            raise UsageError(f"{test.__name__} must take the fixture `device`")
        drawn = _drawn_by(test, inner)
        functions = {"reference": reference, "bound": bound, "spot": spot}
        for role, function in functions.items():
            if function is not None:
                _require_takes(f"{test.__name__}: the {role}", function, drawn, role == "spot")
        named = {name: _names(function) for name, function in functions.items() if function}
        name = test.__name__.removeprefix("test_")
        judged: dict[str, Any] = {
            role: None if function is None else _given(function, drawn, named[role])
            for role, function in functions.items()
        }
        claim = Claim(name, u_out=u_out, deterministic=deterministic, **judged)
        handle.inner_test = _judged(inner, claim, drawn.union(*named.values()))
        without_deadline(test)
        marked: Test = pytest.mark.numerics(archs=archs)(test)
        return marked

    return decorate


def _drawn_by(test: Callable[..., Any], inner: Callable[..., Any]) -> frozenset[str]:
    """Return the arguments that Hypothesis draws; UsageError when the device is one of them."""
    left = inspect.signature(test).parameters
    drawn = frozenset(inspect.signature(inner).parameters) - frozenset(left)
    if "device" in drawn:
        raise UsageError(f"{test.__name__}: name what @given draws, such as @given(x=...)")
    return drawn


def _names(function: Callable[..., Any]) -> frozenset[str]:
    """Return the arguments that a function can be given by name; none where nobody knows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(parameter.name for parameter in parameters if parameter.kind in kinds)


def _require_takes(
    who: str, function: Callable[..., Any], drawn: Collection[str], indexed: bool
) -> None:
    """Raise UsageError when a function cannot be called with what is drawn, by name."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    others = _names(function) - set(drawn)
    given = dict.fromkeys(drawn) | dict.fromkeys(others)
    try:
        signature.bind_partial(**given) if indexed else signature.bind(**given)
    except TypeError as error:
        name = getattr(function, "__name__", "the function")
        wants = ", ".join(f"{name}=..." for name in sorted(drawn))
        raise UsageError(f"{who} is called as {name}({wants}): {error}") from None


def _given(
    function: Callable[..., Any], drawn: Collection[str], named: Collection[str]
) -> Callable[..., Any]:
    """Return a function that is given what is drawn, and of all else what it names."""

    @functools.wraps(function)
    def call(*index: Any, **inputs: Any) -> Any:
        taken = {key: value for key, value in inputs.items() if key in drawn or key in named}
        return function(*index, **taken)

    return call


def _judged(
    inner: Callable[..., Any], claim: Claim, judged_on: Collection[str]
) -> Callable[..., None]:
    """Return the test's body as Hypothesis calls it, which consumes the returned outputs.

    judged_on  the arguments that the claim's functions take
    """

    @functools.wraps(inner)
    def body(device: Device, **arguments: Any) -> None:
        active = _active.get() or Active()
        judge = active.judge_for(replace(claim, name=active.name or claim.name), device)
        case = Case({name: arguments[name] for name in arguments if name in judged_on})
        judge.run(lambda: inner(device=device, **{**arguments, **case.copied()}), case)

    return body


def without_deadline(test: Any) -> None:
    """Lift Hypothesis' deadline: a device may compile a kernel, or be shared; print the token.

    One failure is reported, the one that has the token: several are mostly one mistake seen twice.
    Hypothesis' explanations are left out: they would name lines of this package.

    The attribute is where Hypothesis keeps a test's settings; ``@settings`` would refuse a test
    that has its own already.
    """
    own = getattr(test, "_hypothesis_internal_use_settings", None) or settings()
    lifted = settings(
        own,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=tuple(phase for phase in own.phases if phase is not Phase.explain),
    )
    test._hypothesis_internal_use_settings = lifted  # noqa: SLF001


def run_spec(spec: Spec, device: Device) -> None:
    """Try a spec inside a pytest test: its fixed cases, then drawn ones.

    Raises as `hipaudit.judge.Judge.run` does.
    """
    collected = _active.get()
    active = collected or Active()
    judge = active.judge_for(Claim.of(spec), device)

    def example(inputs: Inputs, adversaries: tuple[Adversary, ...] = ()) -> None:
        judge.run(lambda: spec.launch(device, **inputs), Case(inputs), adversaries)

    test = hypothesis_test(spec, example, blob=active.blob)
    cases = spec.cases if active.blob is None else ()
    for inputs, adversary in zip(cases, cycle(FIXED), strict=False):
        example(inputs, (adversary,))
    test()
    if collected is None:
        raise_unless_earned(judge.finish())
