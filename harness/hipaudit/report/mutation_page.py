"""The page of mutation scores: what the tests notice, what they miss, and what is no mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hipaudit import __version__
from hipaudit.mutation.mutant import HINTS, Mutant
from hipaudit.mutation.result import Score
from hipaudit.report import rendering

PAGE = "mutation.md"
_BY_OUTPUT = frozenset(
    {
        "bound-exceeded",
        "nonfinite-mismatch",
        "overflow",
        "unwritten-output",
        "conversion-inexact",
    }
)


def write_page(
    scores: Sequence[Score], arguments: Mapping[str, str], archs: Sequence[str], folder: Path
) -> Path:
    """Write the page of the library's scores; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    path.write_text(
        rendering.page("mutation.md.j2", values(scores, arguments, archs)), encoding="utf-8"
    )
    return path


def values(
    scores: Sequence[Score], arguments: Mapping[str, str], archs: Sequence[str]
) -> dict[str, Any]:
    """Return what the template prints."""
    ordered = sorted(scores, key=lambda score: score.file)
    killed = sum(sum(score.killed.values()) for score in ordered)
    gaps = [(score.file, mutant) for score in ordered for mutant in score.gaps(arguments)]
    argued = [
        {**_row(score.file, mutant), "reason": arguments[mutant.id]}
        for score in ordered
        for mutant in score.survivors
        if mutant.id in arguments
    ]
    return {
        "version": __version__,
        "archs": archs,
        "rows": [_score(score, arguments) for score in ordered],
        "killed": killed,
        "mistakes": killed + len(gaps),
        "worst": min((score.share(arguments) for score in ordered), default=1.0),
        "operators": _operators(ordered, argued),
        "gaps": [_row(file, mutant) for file, mutant in gaps],
        "argued": argued,
    }


def _score(score: Score, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return a file's line of the table."""
    by_output = sum(count for kind, count in score.killed.items() if kind in _BY_OUTPUT)
    killed = sum(score.killed.values())
    gaps = len(score.gaps(arguments))
    return {
        "file": score.file,
        "score": f"{100 * score.share(arguments):.1f} %",
        "killed": killed,
        "mistakes": killed + gaps,
        "by_output": by_output,
        "by_check": killed - by_output,
        "gaps": gaps,
        "argued": len(score.survivors) - gaps,
        "same": score.same,
        "refused": score.refused,
        "tried": score.tried,
        "mutants": score.mutants,
    }


def _row(file: str, mutant: Mutant) -> dict[str, Any]:
    return {
        "place": f"{file}:{mutant.line}",
        "id": mutant.id,
        "what": mutant.sentence(),
        "hint": HINTS[mutant.operator],
    }


def _operators(
    scores: Sequence[Score], argued: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the operators' lines: how many mutants each made, how many were noticed."""
    sums: dict[str, list[int]] = {}
    for score in scores:
        for name, (killed, tried) in score.operators.items():
            entry = sums.setdefault(name, [0, 0, 0])
            entry[0] += killed
            entry[1] += tried
    for row in argued:
        sums[row["what"].partition(":")[0]][2] += 1
    return [
        {"name": name, "killed": killed, "argued": argued, "gaps": tried - killed - argued}
        for name, (killed, tried, argued) in sorted(sums.items())
    ]
