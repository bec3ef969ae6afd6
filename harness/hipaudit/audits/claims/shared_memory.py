"""The claims about shared memory: MS-004 (read before it is written) and MS-005 (a race)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hipaudit.audits.claims.claim import Check, Claim, Race, Statement, Table
from hipaudit.audits.claims.running import Trial, Tried, fault, repair_of, shown, try_all
from hipaudit.audits.fault_corpus import ARCH_OF, TWIN, Fault
from hipaudit.audits.kill_matrix import Kill
from hipaudit.finding import Finding
from hipaudit.resources import shown_path
from hipaudit.text import plural

SCORES = "uninitialised-read-shared/scores_unguarded"
FIRST_32 = "bound-exceeded/max_first_32"
NO_BARRIER = "race-shared/max_no_barrier_before"
_BLOCK = 256
_LENGTHS = (1, 2, 96, 255, 256)
_TWIN = TWIN[1:]
Seen = Mapping[str, Mapping[str, Any]]


def command_of(one: Fault, *, twin: bool = False) -> str:
    """Return the command that checks a fault, or its twin."""
    words = [f"'{word}'" if "(" in word or "[" in word else word for word in one.run]
    flags = " -D TWIN=1" if twin else ""
    return f"hipaudit check {shown_path(one.path)} {' '.join(words)}{flags}"


def found_in(kills: Sequence[Kill], one: Fault) -> tuple[Finding, ...]:
    """Return what names a fault in the kill matrix, on every part, with its command."""
    return tuple(
        shown(finding) for kill in kills if kill.fault.name == one.name for finding in kill.found
    )


def twin_silent(kills: Sequence[Kill], one: Fault) -> bool:
    """Tell whether nothing was found in a fault's twin, and the twin was run."""
    rows = [kill for kill in kills if kill.fault.name == one.name]
    return bool(rows) and not any(kill.twin for kill in rows)


def unwritten_scores(kills: Sequence[Kill], archs: Sequence[str], seen: Seen) -> Claim:
    """MS-004: slots of shared memory that nobody wrote."""
    one = fault(SCORES)
    rows, lengths = [], {}
    for arch in archs:
        tried = try_all([_scored(one, n, twin) for n in _LENGTHS for twin in (False, True)], arch)
        for n, wrong, right in zip(_LENGTHS, tried[::2], tried[1::2], strict=True):
            lengths[arch, n] = (len(wrong.findings), len(right.findings))
            rows.append((arch, str(n), _kinds(wrong), _kinds(right)))
    accused = sorted({n for (_, n), (wrong, _) in lengths.items() if wrong})
    quoted_clean = twin_silent(kills, one) and not any(right for _, right in lengths.values())
    findings = found_in(kills, one)
    return Claim(
        id="MS-004",
        component="attention scores in shared memory",
        title="Shared memory that is not cleared",
        reported="defect",
        statements=(
            Statement(
                "the kernel as quoted reads shared memory that nobody wrote",
                not quoted_clean,
                f"its reads stop where its writes do: nothing found at lengths "
                f"{', '.join(map(str, _LENGTHS))}, on {' and '.join(archs)}",
            ),
            Statement(
                "a form that sums all slots reads what threads beyond seq_len left out",
                bool(findings),
                f"{plural(len({f.id for f in findings}), 'root cause')}, at every length below "
                f"{_BLOCK} that was tried",
            ),
            Statement(
                "all shared memory must be cleared before use",
                not quoted_clean,
                "every slot of the quoted form is written before it is read; clearing adds "
                "stores and changes no result",
            ),
        ),
        findings=findings,
        expected="every slot of shared memory is written before it is read",
        observed="in the unguarded form threads from seq_len on read slots that no thread wrote",
        cause="The store is guarded by tid < seq_len and the load is not. Whether memory was "
        "cleared decides nothing by itself: whether a slot is read before it is written does.",
        trigger=f"seq_len {min(accused, default=0)}: the smallest that was tried; every length "
        f"below {_BLOCK} does the same",
        quiet=(
            f"seq_len {_BLOCK}: every slot is written, in either form",
            "the guarded load, at any length",
        ),
        impact=_scores_wrong(one, archs),
        repair="Guard the load as the store is guarded. Clearing the array hides the mistake: "
        "the sum is right only because the cleared value happens to be its identity.",
        diff=repair_of(one),
        here=tuple(_library_checks(seen)),
        verify=(command_of(one), command_of(one, twin=True)),
        tables=(
            Table(
                "Found by length",
                ("Part", "seq_len", "Unguarded form", "As quoted"),
                frozenset({1}),
                tuple(rows),
            ),
        ),
    )


def _scored(one: Fault, length: int, twin: bool, build: str = "checked") -> Trial:
    scores = np.linspace(-1, 1, length, dtype=np.float32)
    given = (scores, "f32[1]=uninit", f"i32={length}")
    return Trial(one, given, 1, _BLOCK, _TWIN if twin else (), build)


def _scores_wrong(one: Fault, archs: Sequence[str]) -> str:
    """What the unguarded sum is, against the right one."""
    said = []
    for arch in archs:
        wrong, right = try_all([_scored(one, 96, twin, "plain") for twin in (False, True)], arch)
        got, want = float(wrong.output[0]), float(right.output[0])
        off = "not finite" if not np.isfinite(got) else f"{abs(got - want) / want:.2g} off"
        said.append(f"{arch}: the sum of 96 scores over poisoned memory is {off}, relatively")
    return "; ".join(said) + "."


def racing_maximum(kills: Sequence[Kill], archs: Sequence[str], seen: Seen) -> Claim:
    """MS-005: the reduction of a softmax row's maximum."""
    quoted, racing = fault(FIRST_32), fault(NO_BARRIER)
    tried = {arch: _maxima(quoted, arch) for arch in archs}
    races = {arch: tried[arch]["checked"].findings for arch in archs}
    reduced = {arch: tried[arch]["places"] for arch in archs}
    least = {arch: tried[arch]["least"] for arch in archs}
    seen_by_tree = max(reduced.values())
    findings = found_in(kills, racing)
    wrong = found_in(kills, quoted)
    quoted_races = any(finding.kind.startswith("race") for f in races.values() for finding in f)
    return Claim(
        id="MS-005",
        component="softmax, maximum of a row",
        title="Race in the reduction of a softmax row",
        reported="defect",
        statements=(
            Statement(
                "the reduction as quoted, barriers in place, has a race",
                quoted_races,
                f"none found on {' and '.join(archs)}",
            ),
            Statement(
                "without the barrier between the partial maxima and the tree it races",
                bool(findings),
                f"{plural(len({f.id for f in findings}), 'root cause')}, named by both lines",
            ),
            Statement(
                f"the tree reduces all {_BLOCK} partial maxima",
                seen_by_tree == _BLOCK,
                f"it starts at stride 16: {seen_by_tree} of {_BLOCK} places of the maximum are "
                "found",
            ),
            Statement(
                "the proposed repair (a barrier before the loop) makes it right",
                not wrong,
                "the quoted form has that barrier and is wrong with it",
            ),
        ),
        findings=(*findings, *wrong),
        expected=f"the maximum of a row, wherever among its {_BLOCK} partial maxima it lies",
        observed=f"as quoted: no race, and {_BLOCK - seen_by_tree} of {_BLOCK} partial maxima are "
        "never looked at; with the barrier removed: a race",
        cause="The first stride is 16, half of a wave of 32, where half of the block is needed: "
        "the loop was written for one wave and runs in blocks of eight.",
        trigger=f"a row of {max(least.values())} columns whose last one is the largest",
        quiet=(
            f"rows of up to {min(least.values()) - 1} columns",
            f"longer rows whose maximum lies in the first {seen_by_tree} partial maxima",
            "the twin, which starts at stride 128, with its barriers",
        ),
        impact=f"a maximum that lies elsewhere, {_BLOCK - seen_by_tree} of {_BLOCK} times, is "
        "missed: the exponent of the largest logit is then positive, and may overflow.",
        repair="Start the tree at half the block. Keep the barrier between the partial maxima and "
        "the tree; the barriers audit shows that it is needed.",
        diff=repair_of(quoted),
        here=(
            *_library_checks(seen),
            *(
                Check(
                    f"the library's row_max finds the maximum at each of {_BLOCK} places, {arch}",
                    each.get("places") == _BLOCK,
                    f"{each.get('places', 0)} of {_BLOCK}",
                )
                for arch, each in seen.items()
            ),
        ),
        verify=(
            command_of(quoted),
            command_of(racing),
            command_of(racing, twin=True),
        ),
        tables=(_maxima_table(tried),),
        race=race_of(racing, findings),
    )


def _maxima_table(tried: Mapping[str, Mapping[str, Any]]) -> Table:
    """What the quoted tree finds on each part."""
    return Table(
        "What the quoted tree finds",
        ("Part", "Maxima found", "of", "Smallest row that is wrong", "Races"),
        frozenset({1, 2, 3}),
        tuple(
            (arch, str(each["places"]), str(_BLOCK), str(each["least"]),
             _kinds_of(each["checked"].findings))
            for arch, each in tried.items()
        ),
    )  # fmt: skip


def _maxima(one: Fault, arch: str) -> dict[str, Any]:
    """Try the quoted maximum: races, places of the maximum that it finds, the least wrong row."""
    places = np.zeros((_BLOCK, _BLOCK), np.float32)
    np.fill_diagonal(places, 1)
    output = f"f32[{_BLOCK}]=uninit"
    trials = [
        Trial(one, (places, output, f"i32={_BLOCK}"), _BLOCK, _BLOCK),
        Trial(one, (places[:8], "f32[8]=uninit", f"i32={_BLOCK}"), 8, _BLOCK, (), "checked"),
    ]
    widths = range(1, 65)
    for width in widths:
        row = np.zeros(width, np.float32)
        row[-1] = 1
        trials.append(Trial(one, (row, "f32[1]=uninit", f"i32={width}"), 1, _BLOCK))
    every, checked, *rows = try_all(trials, arch)
    wrong = [width for width, row in zip(widths, rows, strict=True) if row.output[0] != 1]
    return {
        "places": int((every.output == 1).sum()),
        "checked": checked,
        "least": min(wrong, default=0),
    }


def race_of(one: Fault, findings: Sequence[Finding]) -> Race | None:
    """Return the first race of a fault's findings as a picture shows it; None without one."""
    shared = [f for f in findings if f.kind == "race-shared" and f.location and f.other_location]
    if not shared:
        return None
    finding = shared[0]
    text = one.path.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(text, 1) if "__global__" in line)
    inside = False
    missing: list[int] = []
    barriers: list[int] = []
    for number, line in enumerate(text[start:], start + 1):
        inside = line.startswith("#ifdef TWIN") or (inside and not line.startswith("#endif"))
        if "__syncthreads" in line:
            (missing if inside else barriers).append(number)
    wave = next(int(width) for width, arch in ARCH_OF.items() if arch == finding.arch)
    lines = tuple((n, line.strip()) for n, line in enumerate(text[start:], start + 1))
    return Race(finding, lines, tuple(barriers), tuple(missing), wave, _BLOCK // wave)


def _library_checks(seen: Seen) -> list[Check]:
    """The library's softmax and maxima under the access checks."""
    return [
        Check(
            f"the library's softmax and row_max under the access checks, {arch}",
            not each["findings"] and bool(each["accesses"]) and bool(each.get("maxima")),
            f"{', '.join(each['findings']) or 'nothing found'}; {each['accesses']:,} accesses",
        )
        for arch, each in seen.items()
    ]


def _kinds(tried: Tried) -> str:
    return _kinds_of(tried.findings)


def _kinds_of(findings: Sequence[Finding]) -> str:
    return ", ".join(sorted({one.kind for one in findings})) or "nothing"
