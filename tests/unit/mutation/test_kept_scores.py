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


def test_every_file_of_the_library_has_a_score() -> None:
    assert set(SCORES) == set(library_files())


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_95_of_100_mistakes_in_a_file_are_noticed(score: Score) -> None:
    """Of a sample of fewer than 20 not one may live."""
    assert score.killed
    assert score.share(ARGUMENTS) >= 0.95, [gap.sentence() for gap in score.gaps(ARGUMENTS)]


def test_every_argument_gives_a_reason() -> None:
    assert all(len(reason.split()) >= 5 for reason in ARGUMENTS.values())
