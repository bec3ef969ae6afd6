"""Scores: what counts, what is argued, what is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hipaudit.audits import mutation_scores
from hipaudit.errors import UsageError
from hipaudit.mutation.mutant import mutants_of
from hipaudit.mutation.result import (
    ARGUMENTS,
    KILLED,
    REFUSED,
    SAME,
    SURVIVED,
    Result,
    Score,
    arguments_for,
    chosen,
)
from hipaudit.report import mutation_page, pages

SOURCE = b"__global__ void k(float* y, int n) { if (threadIdx.x < n) y[threadIdx.x] = 2.0f; }\n"
MUTANTS = mutants_of(SOURCE, "k.hip")
STATUSES = (KILLED, SURVIVED, SURVIVED, SAME, REFUSED)


def score() -> Score:
    tried = [
        (mutant, Result(mutant.id, status, "bound-exceeded" if status == KILLED else ""))
        for mutant, status in zip(MUTANTS, STATUSES, strict=False)
    ]
    return Score.of("k.hip", "d", tried, len(MUTANTS))


def test_only_mistakes_count() -> None:
    counted = score()
    assert dict(counted.killed) == {"bound-exceeded": 1}
    assert (counted.same, counted.refused) == (1, 1)
    assert [mutant.id for mutant in counted.survivors] == [MUTANTS[1].id, MUTANTS[2].id]
    assert (counted.tried, counted.mutants) == (5, len(MUTANTS))
    assert counted.share({}) == pytest.approx(1 / 3)
    assert sum(tried for _, tried in counted.operators.values()) == 3


def test_an_argued_survivor_is_no_mistake() -> None:
    argued = {MUTANTS[1].id: "it is the same"}
    assert score().share(argued) == pytest.approx(1 / 2)
    assert score().gaps(argued) == (MUTANTS[2],)


def test_scores_are_kept_and_read_again(tmp_path: Path) -> None:
    mutation_scores.write_scores({"k.hip": score()}, tmp_path)
    assert mutation_scores.read_scores(tmp_path) == {"k.hip": score()}
    first = (tmp_path / mutation_scores.DATA).read_bytes()
    mutation_scores.write_scores({"k.hip": score()}, tmp_path)
    assert (tmp_path / mutation_scores.DATA).read_bytes() == first
    assert mutation_scores.read_scores(tmp_path / "nothing") == {}


def test_spoiled_data_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / mutation_scores.DATA).write_text('{"scores": [{"file": 1}]}')
    with pytest.raises(UsageError, match=mutation_scores.DATA):
        mutation_scores.read_scores(tmp_path)


def test_arguments_lie_beside_the_file_or_above_it(tmp_path: Path) -> None:
    entry = {"id": "k-1", "mutant": "x", "reason": "because"}
    (tmp_path / ARGUMENTS).write_text(json.dumps([entry]))
    assert arguments_for(tmp_path / "k.hip") == {"k-1": "because"}
    assert arguments_for(tmp_path / "include" / "k.h") == {"k-1": "because"}
    assert arguments_for(tmp_path / "a" / "b" / "k.h") == {}
    (tmp_path / ARGUMENTS).write_text('[{"id": "k-1"}]')
    with pytest.raises(UsageError, match=ARGUMENTS):
        arguments_for(tmp_path / "k.hip")


def test_a_choice_of_mutants_is_even_and_always_the_same() -> None:
    assert chosen(MUTANTS, (), (), 3) == chosen(MUTANTS, (), (), 3)
    assert len(chosen(MUTANTS, (), (), 3)) == 3
    assert chosen(MUTANTS, (), (MUTANTS[2].id,), None) == (MUTANTS[2],)
    assert {m.operator for m in chosen(MUTANTS, ("guard",), (), None)} == {"guard"}


def test_the_page_tells_gaps_from_arguments() -> None:
    argued = {MUTANTS[1].id: "it | is <b>the</b> same"}
    values = mutation_page.values([score()], argued, ("gfx942",))
    assert (values["killed"], values["mistakes"]) == (1, 2)
    assert [row["id"] for row in values["gaps"]] == [MUTANTS[2].id]
    assert [row["reason"] for row in values["argued"]] == [argued[MUTANTS[1].id]]


def test_the_page_is_the_same_every_time_and_its_text_inert(tmp_path: Path) -> None:
    argued = {MUTANTS[1].id: "it | is <b>the</b> same"}
    path = mutation_page.write_page([score()], argued, ("gfx942",), tmp_path)
    first = path.read_text()
    mutation_page.write_page([score()], argued, ("gfx942",), tmp_path)
    assert path.read_text() == first
    assert "<b>" not in first
    assert "1 of 2 mistakes were noticed" in first


def test_the_index_of_reports_says_what_the_scores_add_up_to(tmp_path: Path) -> None:
    assert pages._mutation(mutation_scores.read_scores(tmp_path)) == ""
    mutation_scores.write_scores({"k.hip": score()}, tmp_path)
    said = pages._mutation(mutation_scores.read_scores(tmp_path))
    assert said == "1 of 3 mistakes planted in 1 file were noticed"


def test_results_survive_json() -> None:
    result = Result("k-1", KILLED, "race-shared", "checked", "gfx942", "k")
    assert Result(**json.loads(json.dumps(asdict(result)))) == result
