"""A property: a spec's claim tried on many inputs, and a failure shrunk to its smallest case.

The pytest plugin puts a `Judge` inside the user's Hypothesis test; `examine` makes a Hypothesis
test of a library spec and runs it, the same way every time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, given, reproduce_failure, settings
from hypothesis.internal.conjecture import providers

from hipaudit.adversary import FIXED, Adversary
from hipaudit.device import Device
from hipaudit.judge import Claim, Judge, VacuousBound, VoidRun, WrongOutput, raise_unless_earned
from hipaudit.run import KernelFault
from hipaudit.spec import Case, Inputs, Spec
from hipaudit.verdict import Verdict

_BLOB = re.compile(r"reproduce_failure\('([^']+)',\s*(b'[^']*'|b\"[^\"]*\")\)")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a property failed, with its smallest case.

    kind      of the finding; records: the device's findings, when it found the fault itself
    case      the shrunk input in words
    blob      Hypothesis' token for it, with the version it belongs to; None for a fixed case
    """

    kind: str
    message: str
    case: str
    records: tuple[dict[str, Any], ...] = ()
    blob: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """The verdict on a library spec and, when it failed, why.

    points  elements and worst error/bound of each example that passed, for a plot
    """

    verdict: Verdict
    failure: Failure | None
    points: tuple[tuple[int, float], ...] = ()


def examine(
    spec: Spec,
    device: Device,
    *,
    examples: int | None = None,
    blob: tuple[str, str] | None = None,
    adversarial: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> Examination:
    """Run a library spec's fixed cases and its drawn ones; the same ones every time.

    blob      only the one input that this Hypothesis token stands for
    adversarial  whether examples meet a device that uses its freedoms
    progress  called after each example

    Raises HipauditError for a spec that cannot judge, and what a launcher raises of itself.
    """
    judge = Judge(Claim.of(spec), device, adversarial=adversarial)

    def example(inputs: Inputs, adversaries: tuple[Adversary, ...] = ()) -> None:
        judge.run(lambda: spec.launch(device, **inputs), Case(inputs), adversaries)
        progress()

    # The same cases every time, so that two audits of one commit agree in every byte.
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate, Phase.shrink))
    property_test = hypothesis_test(spec, example, fixed, examples=examples, blob=blob)
    try:
        for inputs, adversary in zip(
            spec.cases if blob is None else (), cycle(FIXED), strict=False
        ):
            example(inputs, (adversary,))
        with _numbers_of_no_module():
            property_test()
        if blob is None:
            raise_unless_earned(judge.finish())
    except (WrongOutput, KernelFault, VacuousBound) as error:
        failure = failure_of(error, str(judge.case or ""))
        return Examination(judge.finish(), failure, tuple(judge.tally.points))
    except VoidRun:
        pass  # the verdict says so
    return Examination(judge.finish(), None, tuple(judge.tally.points))


@contextmanager
def _numbers_of_no_module() -> Iterator[None]:
    """Keep Hypothesis from drawing numbers that it read in the modules loaded so far.

    Which ones are loaded is a matter of what ran before in the process, and of where hipaudit is
    installed.
    """
    provider, pool = providers.HypothesisProvider, "_local_constants"
    if not hasattr(provider, pool):  # an older Hypothesis reads no modules
        yield
        return
    from hypothesis.internal.constants_ast import Constants

    providers.CONSTANTS_CACHE.cache.clear()
    try:
        with mock.patch.object(provider, pool, Constants()):
            yield
    finally:
        providers.CONSTANTS_CACHE.cache.clear()


def hypothesis_test(
    spec: Spec,
    example: Callable[[Inputs], None],
    parent: settings | None = None,
    *,
    examples: int | None = None,
    blob: tuple[str, str] | None = None,
) -> Callable[[], None]:
    """Return a Hypothesis test that calls *example* with inputs drawn for a spec.

    parent    settings to start from
    examples  how many inputs; by default as many as the spec says
    blob      only the input that this Hypothesis token stands for
    """

    @settings(
        parent,
        max_examples=examples or spec.examples,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs=spec.inputs)
    def test(inputs: dict[str, Any]) -> None:
        example(inputs)

    # Hypothesis derives a derandomised seed from the name and the code of the test.
    test.__qualname__ = test.__name__ = f"test_{spec.name}"
    return test if blob is None else reproduce_failure(blob[0], blob_bytes(blob[1]))(test)


def failure_of(error: BaseException, case: str) -> Failure:
    """Return why a property failed, from the exception that Hypothesis let through."""
    notes = "\n".join(getattr(error, "__notes__", ()))
    found = _BLOB.search(notes)
    kind = "bound-vacuous"
    records: tuple[dict[str, Any], ...] = ()
    if isinstance(error, WrongOutput):
        kind = error.mismatches[0].kind if error.mismatches else "unwritten-output"
    elif isinstance(error, KernelFault):
        kind, records = str(error.records[0].get("kind")), error.records
    drawn = [line.strip() for line in notes.splitlines() if _is_note(line)]
    case = "; ".join([case, *drawn]) if drawn else case
    return Failure(kind, str(error), case, records, (found[1], found[2]) if found else None)


def _is_note(line: str) -> bool:
    """Recognise what our strategies note about the tensors and the device they drew."""
    return line.strip().startswith(("tensor(", "integers(", "byte_blocks(", "device("))


def blob_bytes(literal: str) -> bytes:
    """Return the bytes that a printed ``b'...'`` of base64 characters stands for."""
    return literal[2:-1].encode("ascii")
