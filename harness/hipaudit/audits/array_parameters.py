"""Array parameters: kernels whose functions take arrays, at three levels of optimisation.

Such a function is the usual victim of an optimiser or of a wrong bound: at -O0 its array lives in
memory, at -O3 in registers, if it still exists. Without contraction no level may change a value,
so the builds must agree bit for bit, NaNs by class. And every element of every output must be
written: the same inputs give the same outputs whatever was in the memory before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import Phase, settings

from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.compare import POISON_BYTE, compare
from hipaudit.device import Device
from hipaudit.library import SPECS
from hipaudit.property import hypothesis_test
from hipaudit.resources import kernels_folder
from hipaudit.run import KernelFault, run_case
from hipaudit.spec import Array, Case, Inputs, Spec, as_outputs
from hipaudit_runtime import modules, sources

LEVELS = ("-O0", "-O1", "-O3")
_STRICT = "-ffp-contract=off"
_OTHER_POISON = 0x5A  # of every float format a finite number
_TAKES_ARRAY = re.compile(r"\(&\s*\w*\)\s*\[")
_ELEMENTS = 1 << 13
_CASES = 4


def subjects() -> tuple[Spec, ...]:
    """The specs of the kernel files in which, or in whose headers, a function takes an array."""
    return tuple(spec for spec in SPECS if _takes_arrays(spec.source))


def _takes_arrays(file: str) -> bool:
    found = sources.read(kernels_folder() / file)
    return any(_TAKES_ARRAY.search(text) for text in (found.text, *found.headers.values()))


def planned(_: Sequence[str]) -> int:
    """Steps of progress."""
    return len(subjects())


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Try every subject on the payload's first part: arrays are no matter of waves."""
    part = device.with_arch(payload["archs"][0])
    entries = []
    for spec in subjects():
        entries.append(_entry(spec, part))
        progress(1)
    return {"entries": entries}


def _entry(spec: Spec, part: Device) -> dict[str, Any]:
    """What came of a spec's inputs."""
    entry = {"kernel": spec.entry_points[0], "spec": spec.name, "source": spec.source}
    counts = dict.fromkeys(("elements", "apart", "unwritten", "wrong", "inputs"), 0)
    found: dict[str, Any] = {**entry, **counts, "arch": part.arch, "first": "", "input": ""}
    for inputs in _inputs(spec):
        found["inputs"] += 1
        try:
            for kind, words, count in _judged(spec, part, inputs):
                found[kind] += count
                if count and words and not found["first"]:
                    found |= {"first": f"{spec.name}: {words}", "input": str(Case(inputs))}
        except KernelFault:
            break  # the device's own finding says what and where
    return found


def _inputs(spec: Spec) -> list[Inputs]:
    """A few of the spec's inputs, fixed and drawn, none of them large."""
    drawn: list[Inputs] = list(spec.cases)
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate,), max_examples=8)
    hypothesis_test(spec, drawn.append, fixed)()
    small = [inputs for inputs in drawn if _weight(inputs) <= _ELEMENTS]
    step = max(1, len(small) // _CASES)
    return small[::step][:_CASES]


def _weight(inputs: Inputs) -> int:
    return sum(value.size for value in inputs.values() if isinstance(value, np.ndarray))


def _judged(spec: Spec, part: Device, inputs: Inputs) -> Iterator[tuple[str, str, int]]:
    """Yield what an input shows: the kind of count, words if it is wrong, and how many elements."""
    by_level = {level: _run(spec, part, inputs, level) for level in LEVELS}
    best = by_level[LEVELS[-1]]
    yield "elements", "", sum(output.size for output in best)
    for level in LEVELS[:-1]:
        count, where = _apart(by_level[level], best)
        yield "apart", f"{level} and {LEVELS[-1]} differ at {where}", count
    count, where = _apart(_run(spec, part, inputs, LEVELS[-1], _OTHER_POISON), best)
    yield "unwritten", f"{where} holds what was in memory before", count
    expected = as_outputs(spec.reference(**inputs), who=f"the reference of {spec.name}")
    bounds = None
    if spec.bound is not None:
        bounds = as_outputs(spec.bound(**inputs), who=f"the bound of {spec.name}")
    for level, outputs in by_level.items():
        for one in compare(outputs, expected, bounds, poisoned=True).mismatches:
            kind = "unwritten" if one.kind == "unwritten-output" else "wrong"
            yield kind, f"{level}: {one.sentence()}", one.count


def _run(
    spec: Spec, part: Device, inputs: Inputs, level: str, poison: int = POISON_BYTE
) -> tuple[Array, ...]:
    """The outputs at a level, from memory that was filled with a byte before."""
    part.with_poison(poison)
    with modules.compiled_with(level, _STRICT):
        return run_case(Case(inputs), lambda: spec.launch(part, **inputs), part, spec.name).outputs


def _apart(some: Sequence[Array], others: Sequence[Array]) -> tuple[int, str]:
    """How many elements differ in their bits, but for those that are NaN in both; and the first."""
    total, first = 0, ""
    for output, (one, other) in enumerate(zip(some, others, strict=True)):
        unlike = _bits(one) != _bits(other)
        if one.dtype.kind not in "biu":
            unlike &= ~(np.isnan(one.astype(np.float64)) & np.isnan(other.astype(np.float64)))
        total += int(np.count_nonzero(unlike))
        if unlike.any() and not first:
            at = tuple(int(i) for i in np.argwhere(unlike)[0])
            first = f"output {output}, element {at}: {one[at]!s} and {other[at]!s}"
    return total, first


def _bits(array: Array) -> npt.NDArray[np.uint64]:
    codes = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")
    return codes.reshape(array.shape).astype(np.uint64)


_KINDS = {
    "apart": "nondeterminism",
    "unwritten": "unwritten-output",
    "wrong": "bound-exceeded",
}
"""What an entry counts, and the kind of finding that it is."""


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Run the kernels whose functions take arrays at all levels of optimisation."""
    target = "hipaudit.audits.array_parameters:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    replay = "hipaudit audit --only parameters"
    found = [
        wrong({**one, "wrong": one[count]}, one["source"], replay, kind)
        for one in done.entries
        for count, kind in _KINDS.items()
        if one[count]
    ]
    elements = sum(one["elements"] for one in done.entries)
    return Sweep(
        name="array_parameters",
        title="Array parameters",
        question=(
            f"Do {', '.join(LEVELS)} give the same bits where functions take arrays, and is every "
            "element of every output written?"
        ),
        columns=("Kernel", "File", "Inputs", "Elements", "Apart", "Unwritten", "Out of bound"),
        numeric=frozenset({2, 3, 4, 5, 6}),
        rows=tuple(
            (
                one["spec"],
                one["source"],
                f"{one['inputs']}",
                f"{one['elements']:,}",
                *(f"{one[count]}" for count in _KINDS),
            )
            for one in done.entries
        ),
        totals=(
            f"{elements:,} elements at each of {', '.join(LEVELS)} with {_STRICT}",
            "each input from memory filled with two bytes in turn: what is not written shows",
        ),
        findings=(*done.faults, *found),
        launches=done.launches,
    )
