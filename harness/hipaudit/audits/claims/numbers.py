"""The claims about numbers: NP-001 (sums), NP-002 (accumulators) and NP-003 (half to float)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hipaudit.audits.claims.claim import Check, Claim, Curve, Statement, Table
from hipaudit.audits.claims.running import Trial, fault, repair_of, try_all
from hipaudit.audits.claims.shared_memory import Seen, command_of, found_in, twin_silent
from hipaudit.audits.fault_corpus import TWIN, Fault
from hipaudit.audits.kill_matrix import Kill
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, Studied, study
from hipaudit.spec import Array
from hipaudit_reference.analysis import fit_growth

SUMS = "bound-exceeded/serial_sum"
DOT = "overflow/half_dot"
HALF = "nonfinite-mismatch/half_by_hand"
_TWIN = TWIN[1:]
_KAHAN = ("KAHAN=1",)
_FORMS = {
    "serial": (),
    "serial, Kahan": _KAHAN,
    "8 a thread and a tree, as quoted": _TWIN,
    "as quoted, Kahan": (*_TWIN, *_KAHAN),
}
_QUOTED, _QUOTED_KAHAN = list(_FORMS)[2:]
_SIZES = (256, 1024, 2048, 8192, 32768)
_CLAIMED = 2048
_ROWS = 24
_HIGH = math.log(10)
_U = 2.0**-24
_TOLERANCE = 1e-6
_DEPTH = 128
_PARTS = 4096


@dataclass(frozen=True, slots=True)
class _Sum:
    """A form's errors at one size: root mean square and worst, in ULP of the sum; of a softmax."""

    rms: float
    worst: float
    probability: float


def summed(kills: Sequence[Kill], archs: Sequence[str], seen: Seen) -> Claim:
    """NP-001: naive summation of 2048 terms."""
    one = fault(SUMS)
    errors = {arch: _sums(one, arch) for arch in archs}
    first = errors[archs[0]]
    fits = {form: fit_growth(_SIZES, [first[form, n].rms for n in _SIZES]) for form in _FORMS}
    at = {form: first[form, _CLAIMED] for form in _FORMS}
    code = {form: _code(one, define) for form, define in _FORMS.items()}
    worst = max(each[_QUOTED, _CLAIMED].probability for each in errors.values())
    gained = at[_QUOTED].worst - at[_QUOTED_KAHAN].worst
    return Claim(
        id="NP-001",
        component="softmax, sum of a row",
        title="Naive summation of 2048 terms",
        reported="defect",
        statements=(
            Statement(
                "the error of the quoted sum grows as O(n)",
                fits[_QUOTED].exponent > 0.75,
                f"as n^{fits[_QUOTED].exponent:.2f} ({fits[_QUOTED].law}): 8 serial terms a "
                "thread and a tree of 256 are 16 additions deep",
            ),
            Statement(
                "one accumulator over the row loses accuracy with its length",
                fits["serial"].exponent > 0.25,
                f"as n^{fits['serial'].exponent:.2f} ({fits['serial'].law}); "
                f"{at['serial'].worst:.2g} ULP at {_CLAIMED} terms",
            ),
            Statement(
                f"a tolerance of {_TOLERANCE:g} needs Kahan's summation",
                worst >= _TOLERANCE,
                f"probabilities of the quoted form are off by {worst:.2g} at most",
            ),
            Statement(
                "Kahan's summation makes the sum much more accurate",
                at[_QUOTED].worst > 4 * at[_QUOTED_KAHAN].worst,
                f"it buys the quoted form {gained:.2g} ULP ({at[_QUOTED].worst:.2g} to "
                f"{at[_QUOTED_KAHAN].worst:.2g}), and the serial one "
                f"{at['serial'].worst - at['serial, Kahan'].worst:.2g}",
            ),
        ),
        findings=found_in(kills, one),
        expected="an error that a tree's height explains",
        observed=f"serial: {at['serial'].worst:.2g} ULP; as quoted: {at[_QUOTED].worst:.2g} ULP",
        cause="Each addition rounds once; what counts is how many additions a term passes "
        "through. That is n in the serial form and 16 in the quoted one.",
        trigger=f"{_CLAIMED} equal terms by one thread: the roundings do not average out",
        quiet=(
            "the quoted form on the same input, held against the same bound: "
            + ("silent" if twin_silent(kills, one) else "accused"),
        ),
        impact=f"a probability of a softmax over {_CLAIMED} terms is off by {worst:.2g} as "
        f"quoted, by {max(e['serial', _CLAIMED].probability for e in errors.values()):.2g} with "
        "one accumulator.",
        repair="None is needed in the quoted form. One accumulator over a long row wants a tree.",
        diff=repair_of(one),
        here=tuple(
            Check(
                f"the library's softmax of {_CLAIMED} equal logits, {arch}",
                0 <= float(each.get("softmax_error", np.inf)) < _TOLERANCE,
                f"off by {float(each.get('softmax_error', np.inf)):.2g}",
            )
            for arch, each in seen.items()
        ),
        verify=(command_of(one), command_of(one, twin=True), "pytest -m numerics -k summation"),
        tables=(_errors_table(errors), _cost_table("Instructions in the code", code)),
        curves=(
            Curve(
                "np001_growth",
                "Root mean square error against terms",
                "terms",
                "error in ULP of the sum",
                {form: [(n, first[form, n].rms) for n in _SIZES] for form in _FORMS},
                log=True,
            ),
        ),
        unchecked=("NP-001: time on an AMD GPU; instructions are counted instead.",),
    )


def _sums(one: Fault, arch: str) -> dict[tuple[str, int], _Sum]:
    """Return the errors of every form and size on a part."""
    trials, drawn = [], {}
    for n in _SIZES:
        x = np.random.default_rng(n).uniform(-8, 2, (_ROWS, n)).astype(np.float32)
        drawn[n] = x
        given = (x, f"f32[{_ROWS}]=uninit", f"i32={n}", f"f32={_HIGH!r}")
        trials += [Trial(one, given, _ROWS, 256, define) for define in _FORMS.values()]
    outputs = iter(try_all(trials, arch))
    return {(form, n): _sum_of(drawn[n], next(outputs).output) for n in _SIZES for form in _FORMS}


def _sum_of(x: Array, got: Array) -> _Sum:
    """Hold sums of exp(x - high) against float64."""
    terms = np.exp(x.astype(np.float64) - np.float64(np.float32(_HIGH)))
    exact = terms.sum(axis=1)
    relative = np.abs(got - exact) / exact
    ulp = np.abs(got - exact) / np.spacing(exact.astype(np.float32)).astype(np.float64)
    share = terms.max(axis=1) / exact * relative
    return _Sum(float(np.sqrt(np.mean(ulp**2))), float(ulp.max()), float(share.max()))


def _errors_table(errors: Mapping[str, Mapping[tuple[str, int], _Sum]]) -> Table:
    rows = tuple(
        (arch, form, f"{n:,}", f"{one.rms:.2g}", f"{one.worst:.2g}", f"{one.probability:.2g}")
        for arch, each in errors.items()
        for (form, n), one in each.items()
    )
    columns = ("Part", "Form", "Terms", "RMS error, ULP", "Worst, ULP", "Of a probability")
    return Table("Errors of the sum", columns, frozenset({2, 3, 4, 5}), rows)


def _code(one: Fault, define: tuple[str, ...]) -> list[Studied]:
    """Return what AMD's backend makes of a form."""
    return list(study(Question(one.path, tuple(PARTS.values()), define=define)).rows)


def _cost_table(title: str, code: Mapping[str, Sequence[Studied]]) -> Table:
    rows = []
    for form, studied in code.items():
        for row in studied:
            counted = row.code.instructions
            numbers = (counted.total, counted.fused, counted.products, counted.sums, counted.double)
            rows.append((form, row.part.name, *map(str, numbers), str(row.code.vgprs)))
    columns = (
        *("Form", "Part", "Instructions", "Fused", "Products", "Sums", "fp64"),
        "Vector registers",
    )
    return Table(title, columns, frozenset(range(2, 8)), tuple(rows))


_ACCUMULATORS = {
    "half, as the fault has it": ((), np.float16),
    "float, half inputs": (_TWIN, np.float16),
    "float, as quoted": ((*_TWIN, "INPUT=float"), np.float32),
    "double": (("ACCUMULATOR=double", "INPUT=float"), np.float32),
}


def accumulated(kills: Sequence[Kill], archs: Sequence[str], seen: Seen) -> Claim:
    """NP-002: the accumulator of a dot product."""
    one = fault(DOT)
    limits = {
        arch: {
            name: _threshold(one, arch, define, dtype)
            for name, (define, dtype) in _ACCUMULATORS.items()
        }
        for arch in archs
    }
    first = limits[archs[0]]
    single, half = first["float, as quoted"], first["half, as the fault has it"]
    names = ("float, as quoted", "double")
    code = {name: _code(one, _ACCUMULATORS[name][0]) for name in names}
    ratio, doubles = _dearer(code)
    expected = math.sqrt(np.finfo(np.float32).max / _DEPTH)
    same = len({tuple(each.values()) for each in limits.values()}) == 1
    return Claim(
        id="NP-002",
        component="attention, dot product of queries and keys",
        title="Overflow of the accumulator",
        reported="defect",
        statements=(
            Statement(
                "the quoted float accumulator overflows for queries and keys of a model",
                single is not None and single < 1e6,
                f"with {_DEPTH} equal products it does from {_shown(single)} on; "
                f"sqrt(FLT_MAX / {_DEPTH}) is {expected:.3g}",
            ),
            Statement(
                "half inputs can overflow a float accumulator",
                first["float, half inputs"] is not None,
                "no half is large enough: 65504 still gives a finite sum",
            ),
            Statement(
                "a half accumulator overflows",
                half is not None,
                f"from inputs of {_shown(half)} on: their sum of {_DEPTH} squares passes 65504",
            ),
            Statement(
                "a double accumulator, converted back to float, prevents the overflow",
                first["double"] is None,
                f"the result overflows from {_shown(first['double'])} on, as before",
            ),
            Statement(
                "double accumulators cost next to nothing on AMD GPUs",
                ratio < 1.1,
                f"the loop has {doubles} fp64 instructions and {ratio:.2g} times the code of the "
                f"float form, in the mean of {_parts(code)}; how fast a part runs fp64 is "
                "not in these counts",
            ),
        ),
        findings=found_in(kills, one),
        expected="a finite score for finite queries and keys of any size that a model has",
        observed=f"half accumulators overflow from {_shown(half)} on, float ones from "
        f"{_shown(single)} on",
        cause="The range of the accumulator, and not its precision: 65504 for half, 3.4e38 for "
        "float. The number of keys has no part in it: each score is its own sum.",
        trigger=f"{_DEPTH} equal inputs of {_shown(half)} with a half accumulator",
        quiet=(
            "a float accumulator with the same input: "
            + ("silent" if twin_silent(kills, one) else "accused"),
            "the analysis' own test, queries and keys of 1000, with a float accumulator",
        ),
        impact=f"thresholds are the same on {' and '.join(archs)}."
        if same
        else "thresholds differ between parts.",
        repair="Accumulate half products in float. A double accumulator whose result goes back "
        "to float overflows where a float one does.",
        diff=repair_of(one),
        here=_finite_attention(seen),
        verify=(command_of(one), command_of(one, twin=True)),
        tables=(
            _limits_table(limits),
            _cost_table("Instructions in the code", code),
        ),
        unchecked=("NP-002: what PyTorch accumulates in: no PyTorch was run.",),
    )


def _limits_table(limits: Mapping[str, Mapping[str, float | None]]) -> Table:
    """From which input on each accumulator overflows."""
    return Table(
        f"The smallest input whose sum of {_DEPTH} squares is not finite",
        ("Accumulator", *limits),
        frozenset(range(1, 1 + len(limits))),
        tuple((name, *(_shown(each[name]) for each in limits.values())) for name in _ACCUMULATORS),
    )


def _finite_attention(seen: Seen) -> tuple[Check, ...]:
    """Whether the library's own attention stays finite."""
    return tuple(
        Check(
            f"the library's attention in half precision, queries and keys of 1000, {arch}",
            bool(each.get("attention_finite")),
            "finite" if each.get("attention_finite") else "not finite",
        )
        for arch, each in seen.items()
    )


def _parts(code: Mapping[str, Sequence[Studied]]) -> str:
    return f"{len(next(iter(code.values())))} parts"


def _dearer(code: Mapping[str, Sequence[Studied]]) -> tuple[float, str]:
    """How much longer the double form's code is, and its fp64 instructions by part."""
    single, double = (code[name] for name in ("float, as quoted", "double"))
    ratios = [
        two.code.instructions.total / max(one.code.instructions.total, 1)
        for one, two in zip(single, double, strict=True)
    ]
    counts = sorted({row.code.instructions.double for row in double})
    shown = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return sum(ratios) / len(ratios), shown


def _shown(limit: float | None) -> str:
    if limit is None:
        return "no input"
    return f"{limit:g}" if limit < 1e6 else f"{limit:.3g}"


def _threshold(one: Fault, arch: str, define: tuple[str, ...], dtype: type) -> float | None:
    """Return the smallest equal input whose sum of squares is not finite; None without one.

    The rows of a launch divide the codes that are left into as many parts.
    """
    bits = np.dtype(np.uint16 if dtype is np.float16 else np.uint32)
    low, high = 0, int(np.array(np.finfo(dtype).max, dtype).view(bits))
    while high - low > 1:
        codes = np.unique(np.linspace(low, high, _PARTS).astype(np.int64)).astype(bits)
        sums = _squares(one, arch, define, np.resize(codes, _PARTS).view(dtype))[: codes.size]
        if np.isfinite(sums).all():
            return None
        at = int(np.argmin(np.isfinite(sums)))
        low, high = int(codes[at - 1]), int(codes[at])
    return float(np.array(high, bits).view(dtype))


def _squares(one: Fault, arch: str, define: tuple[str, ...], values: Array) -> Array:
    """Return the kernel's sums of squares of equal inputs, a row each."""
    rows = np.repeat(values, _DEPTH)
    given = (rows, rows, f"f32[{_PARTS}]=uninit", f"i32={_DEPTH}")
    (done,) = try_all([Trial(one, given, _PARTS // 64, 64, define)], arch)
    return done.output


def converted(kills: Sequence[Kill], archs: Sequence[str], seen: Seen) -> Claim:
    """NP-003: half to float, all 65,536 codes."""
    one = fault(HALF)
    tried = {
        arch: try_all([_widened(one, define) for define in ((), _TWIN)], arch) for arch in archs
    }
    counts = {arch: _wrong(done[0].output) for arch, done in tried.items()}
    twin = {arch: sum(_wrong(done[1].output).values()) for arch, done in tried.items()}
    first = counts[archs[0]]
    wrong = sum(first.values())
    special = first["infinity"] + first["NaN"]
    return Claim(
        id="NP-003",
        component="loader, half to float",
        title="Half to float by hand",
        reported="harmless",
        statements=(
            Statement(
                "the conversion as quoted is exact for every code",
                wrong == 0,
                f"{wrong:,} of 65,536 codes are wrong: {special:,} infinities and NaNs come out "
                f"finite, and {first['zero']} zero loses its sign",
            ),
            Statement(
                "normal and subnormal codes are converted exactly",
                first["normal"] + first["subnormal"] == 0,
                f"{first['normal'] + first['subnormal']} of them are wrong",
            ),
        ),
        findings=found_in(kills, one),
        expected="the value of every code, infinities and NaNs among them, and the sign of zero",
        observed=f"{wrong:,} codes differ",
        cause="Exponent 31 is not treated apart: it stands for infinities and NaNs, and comes out "
        "as 65536 times the mantissa. A zero returns before its sign is looked at.",
        trigger="code 0x7c00, infinity, comes out as "
        f"{float(tried[archs[0]][0].output[0x7C00]):g}; code 0x8000, -0, as 0",
        quiet=(f"the intrinsic: {max(twin.values())} codes wrong", "every finite code but -0"),
        impact=f"an overflow in stored weights becomes one of {first['infinity'] + first['NaN']:,} "
        "large finite numbers instead of a value that every later check notices.",
        repair="Use the hardware's conversion, or treat exponent 31 apart and apply the sign to "
        "zeros.",
        diff=repair_of(one),
        here=tuple(
            Check(
                f"the library's conversion of all 65,536 codes, {arch}",
                each.get("codes_wrong") == 0,
                f"{each.get('codes_wrong', 'unknown')} wrong",
            )
            for arch, each in seen.items()
        ),
        verify=(command_of(one), command_of(one, twin=True)),
        tables=(
            Table(
                "Wrong codes by what they stand for",
                ("Part", *first, "in the twin"),
                frozenset(range(1, 2 + len(first))),
                tuple(
                    (arch, *(f"{count:,}" for count in each.values()), str(twin[arch]))
                    for arch, each in counts.items()
                ),
            ),
        ),
    )


def _widened(one: Fault, define: tuple[str, ...]) -> Trial:
    return Trial(one, ("u16[65536]=iota", "f32[65536]=uninit"), 256, 256, define)


def _wrong(got: Array) -> dict[str, int]:
    """Count wrong conversions by what the code stands for; NaNs count by class."""
    codes = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16)
    with np.errstate(invalid="ignore"):
        want = codes.view(np.float16).astype(np.float32)
    same = (got.view(np.uint32) == want.view(np.uint32)) | (np.isnan(got) & np.isnan(want))
    exponent, mantissa = codes >> 10 & 31, codes & 1023
    kinds = {
        "normal": (exponent > 0) & (exponent < 31),
        "subnormal": (exponent == 0) & (mantissa > 0),
        "zero": (exponent == 0) & (mantissa == 0),
        "infinity": (exponent == 31) & (mantissa == 0),
        "NaN": (exponent == 31) & (mantissa > 0),
    }
    return {kind: int(np.count_nonzero(where & ~same)) for kind, where in kinds.items()}
