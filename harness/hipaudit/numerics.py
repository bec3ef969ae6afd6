"""The ``numerics`` decorator: a Hypothesis test whose returned output is judged.

::

    from hipaudit.inputs import float32, lengths, logits, matrices
    from hipaudit.numerics import numerics

    @numerics(reference=ref.softmax, bound=bounds.softmax)
    @given(x=matrices(float32, rows=lengths(1, 64), columns=lengths(1, 4096), elements=logits()))
    def test_softmax(device, x):
        return ops.softmax(device, x)

The test runs on every part of ``--hip-arch`` (by default one of wave 64 and one of wave 32),
without a deadline. It fails when an output leaves its bound, when the device finds a fault, when
the bound could not have failed, and when nothing ran.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from hipaudit.adversary import FIXED, Adversary
from hipaudit.device import Device
from hipaudit.errors import UsageError
from hipaudit.judge import Builds, Claim, Judge, raise_unless_earned
from hipaudit.property import hypothesis_test
from hipaudit.spec import BOTH_WAVES, Case, Inputs, Outputs, Spec
from hipaudit.verdict import Verdict

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(slots=True)
class Active:
    """The pytest item that is running: its judge, once the first example ran.

    blob  run only the input of this Hypothesis token
    """

    blob: tuple[str, str] | None = None
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
def collecting(blob: tuple[str, str] | None = None) -> Iterator[Active]:
    """Collect what the numerics tests that run inside have shown."""
    active = Active(blob)
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

    reference  reference(**drawn): the expected outputs in float64
    bound      bound(**drawn): the largest allowed error per element; or exact=True
    u_out      unit roundoff of the output format
    spot       spot(index, **drawn): one element by mpmath, to judge the reference itself
    deterministic  outputs must keep their bits in another order of blocks and waves
    archs      the parts to run on where ``--hip-arch`` does not say

    Raises UsageError for a test that is no Hypothesis test, takes no ``device``, or has neither
    or both of a bound and exact.
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
        name = test.__name__.removeprefix("test_")
        claim = Claim(name, reference, bound, u_out, spot, deterministic)
        handle.inner_test = _judged(inner, claim)
        without_deadline(test)
        marked: Test = pytest.mark.numerics(archs=archs)(test)
        return marked

    return decorate


def _judged(inner: Callable[..., Any], claim: Claim) -> Callable[..., None]:
    """Return the test's body as Hypothesis calls it, which consumes the returned outputs."""

    @functools.wraps(inner)
    def body(device: Device, **drawn: Any) -> None:
        active = _active.get() or Active()
        judge = active.judge_for(claim, device)
        judge.run(lambda: inner(device=device, **drawn), Case(drawn))

    return body


def without_deadline(test: Any) -> None:
    """Lift Hypothesis' deadline: a device may compile a kernel, or be shared; print the token.

    The attribute is where Hypothesis keeps a test's settings; ``@settings`` would refuse a test
    that has its own already.
    """
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    lifted = settings(own, deadline=None, print_blob=True)
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
