"""Mutants of library kernels: noticed by numbers, by checks, by time; or the same machine code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hipaudit.audits import mutation as runs
from hipaudit.audits import mutation_scores
from hipaudit.audits.mutation import Bench
from hipaudit.device import bind
from hipaudit.errors import UsageError
from hipaudit.mutation.mutant import mutants_of
from hipaudit.mutation.result import KILLED, REFUSED, SAME, SURVIVED, Result
from hipaudit.resources import kernels_folder
from hipaudit.spec import BOTH_WAVES

Try = Callable[[str, str, str], Result]


@pytest.fixture(scope="module")
def try_out(tmp_path_factory: pytest.TempPathFactory) -> Try:
    """Try the mutant of a file whose line becomes the given one."""
    device = bind("emulated")
    control = device.control
    assert control is not None
    benches: dict[str, Bench] = {}

    def bench(file: str) -> Bench:
        if file not in benches:
            folder = tmp_path_factory.mktemp("kernels")
            runs._copy_kernels(folder)
            text = (kernels_folder() / file).read_bytes()
            trials = runs.trials_of(runs.specs_of(file))
            benches[file] = Bench(device, file, text, trials, folder, BOTH_WAVES)
            benches[file].prepare()
        return benches[file]

    def run(file: str, operator: str, line: str) -> Result:
        place = bench(file)
        mutants = mutants_of(place.text, file)
        found = [m for m in mutants if m.operator == operator and m.diff(place.text)[1] == line]
        assert len(found) == 1, sorted({m.diff(place.text)[1] for m in mutants})
        control.set("timeout", "3")
        try:
            result = place.try_out(found[0])
            assert place.healthy()
        finally:
            control.set("timeout", "10")
            control.set("poison", "")
            device.with_build("plain")
        return result

    return run


def test_a_wrong_number_is_noticed(try_out: Try) -> None:
    result = try_out("softmax.hip", "operand-dropped", "const float power = expf(from[i]);")
    assert (result.status, result.spec) == (KILLED, "softmax")
    assert result.by in {"bound-exceeded", "nonfinite-mismatch", "overflow"}


def test_an_access_out_of_bounds_is_noticed_by_the_checks(try_out: Try) -> None:
    line = "__shared__ float scratch[2][block_reduce::kMostWaves - 1];"
    result = try_out("softmax.hip", "array-size", line)
    assert (result.status, result.by) == (KILLED, "out-of-bounds-shared")
    assert result.build == "checked"


def test_a_removed_barrier_is_noticed_by_the_checks(try_out: Try) -> None:
    result = try_out("include/block_reduce.h", "barrier-removed", ";")
    assert (result.status, result.build) == (KILLED, "checked")
    # Without it lanes of one wave and of several race: each of these names the same mistake.
    races = {"race-wave", "wave-size-dependence", "race-shared"}
    assert result.by in {*races, "uninitialised-read-shared"}


def test_a_mistake_of_one_wave_width_is_noticed_on_the_other(try_out: Try) -> None:
    line = "for (int distance = 64 / 2; distance > 0; distance /= 2) {"
    result = try_out("include/block_reduce.h", "wave-width", line)
    assert (result.status, result.arch) == (KILLED, "gfx1100")


def test_an_endless_loop_is_noticed(try_out: Try) -> None:
    line = "for (int i = first; i < singles; i = stride) high = fmaxf(high, from[i]);"
    result = try_out("softmax.hip", "compound-assignment", line)
    assert (result.status, result.by) == (KILLED, "timeout")


def test_what_the_optimiser_proves_equal_is_no_mistake(try_out: Try) -> None:
    line = "float high = hipaudit_mutant::scaled(block_reduce::Max::identity);"
    assert try_out("softmax.hip", "scaled", line).status == SAME


def test_what_does_not_compile_is_no_mutant(try_out: Try) -> None:
    line = "const float* from = (static_cast<size_t>(blockIdx.x) * columns);"
    assert try_out("softmax.hip", "operand-dropped", line).status == REFUSED


def test_what_cancels_survives(try_out: Try) -> None:
    line = "const float power = hipaudit_mutant::scaled(expf(from[i] - high));"
    assert try_out("softmax.hip", "scaled", line).status == SURVIVED


def test_a_file_that_no_spec_runs_is_refused() -> None:
    with pytest.raises(UsageError, match="no spec"):
        runs.specs_of("faults/deadlock/x.hip")


def test_headers_are_tried_with_every_kernel_that_includes_them() -> None:
    names = {spec.name for spec in runs.specs_of("include/block_reduce.h")}
    assert {"softmax", "rms_norm", "sum_tree"} <= names
    assert "gemm_f32_tiled" not in names
    assert "include/block_reduce.h" in mutation_scores.library_files()


def test_a_digest_changes_with_the_kernel_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mutation_scores.digest_of("softmax.hip")
    assert mutation_scores.digest_of("softmax.hip") == before
    assert mutation_scores.digest_of("rms_norm.hip") != before
    runs._copy_kernels(tmp_path)
    path = tmp_path / "include" / "block_reduce.h"
    path.write_text(path.read_text().replace("kMostWaves = 32", "kMostWaves = 33"))
    monkeypatch.setattr(mutation_scores, "kernels_folder", lambda: tmp_path)
    assert mutation_scores.digest_of("softmax.hip") != before
    assert mutation_scores.digest_of("gemm_f32_tiled.hip") != before
