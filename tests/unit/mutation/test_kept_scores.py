"""The kept mutation scores of the library: what its specs notice of small mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.audits.mutation_scores import library_files, read_scores
from hipaudit.mutation.result import Score, arguments_for
from hipaudit.resources import kernels_folder

REPORTS = Path(__file__).resolve().parents[3] / "reports"
SCORES = read_scores(REPORTS)
ARGUMENTS = arguments_for(kernels_folder() / "any")


def test_most_of_the_library_has_a_score() -> None:
    files = library_files()
    assert len([file for file in files if file in SCORES]) >= len(files) // 2


def test_at_least_95_of_100_mistakes_are_noticed() -> None:
    killed = sum(sum(score.killed.values()) for score in SCORES.values())
    gaps = sum(len(score.gaps(ARGUMENTS)) for score in SCORES.values())
    assert killed / (killed + gaps) >= 0.95


@pytest.mark.parametrize("score", SCORES.values(), ids=lambda score: score.file)
def test_every_file_s_tests_notice_nearly_all(score: Score) -> None:
    """Of a small sample one or two may live: 95 of 100 cannot be told from 90 of 100 there."""
    mistakes = sum(score.killed.values()) + len(score.gaps(ARGUMENTS))
    allowed = 0.05 * mistakes if mistakes >= 40 else 2
    assert score.killed
    assert len(score.gaps(ARGUMENTS)) <= allowed, [gap.sentence() for gap in score.gaps(ARGUMENTS)]


def test_every_argument_gives_a_reason() -> None:
    assert all(len(reason.split()) >= 5 for reason in ARGUMENTS.values())
