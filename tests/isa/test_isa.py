"""hipaudit isa: figures and findings of generated code, for every part, with no GPU."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipaudit.audits import generated_code
from hipaudit.cli import app
from hipaudit.errors import CompileError, UsageError, VoidError
from hipaudit.isa import backend
from hipaudit.isa.assembly import Traffic
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Question, Studied, Study, notes, study
from hipaudit.report.code_page import code_page
from hipaudit.resources import kernels_folder

pytestmark = pytest.mark.isa

HERE = Path(__file__).parent
ALL = tuple(PARTS.values())
CDNA3 = (PARTS["gfx942"],)
RDNA3 = (PARTS["gfx1100"],)
FINDINGS = Question(HERE / "findings.hip", ALL)


@pytest.fixture(scope="module")
def found() -> Study:
    """The study of the kernels that have findings, and of their twins."""
    return study(FINDINGS)


@pytest.fixture(scope="module")
def program() -> Study:
    """The study of a whole program."""
    return study(Question(HERE / "program.hip", (*CDNA3, PARTS["gfx1201"]), block=64, shared=256))


def kinds(done: Study, kernel: str) -> set[tuple[str, str]]:
    """Kinds and parts of the findings in a kernel."""
    return {(one.kind, one.arch) for one in done.findings.items if one.kernel == kernel}


def row(done: Study, kernel: str, arch: str) -> Studied:
    """The figures of a kernel on a part."""
    return next(one for one in done.rows if (one.code.name, one.part.name) == (kernel, arch))


@pytest.mark.parametrize("source", sorted(kernels_folder().glob("*.hip")), ids=lambda p: p.stem)
def test_every_library_kernel_compiles_for_every_part_without_warnings(source: Path) -> None:
    done = study(Question(source, ALL))
    assert {one.part.name for one in done.rows} == set(PARTS)
    assert done.findings.at_or_above("warning") == ()
    for one in done.rows:
        assert one.code.scratch_bytes == 0, one.code.name
        assert not one.code.instructions.called, one.code.name
        assert one.code.instructions.total > 0
        if one.lds_bytes == 0 and one.code.backend_occupancy is not None:
            assert one.occupancy.waves == one.code.backend_occupancy


def test_spills_are_found_at_a_line_of_the_kernel(found: Study) -> None:
    assert ("register-spill", "gfx942") in kinds(found, "spilling")
    assert kinds(found, "not_spilling") == set()
    spill = next(one for one in found.findings.items if one.kernel == "spilling")
    assert spill.severity == "warning"
    assert spill.location is not None
    assert Path(spill.location.file).name == "findings.hip"
    assert "values[" in spill.location.text() or "x[" in spill.location.text()


def test_an_array_in_memory_is_found(found: Study) -> None:
    kernel = row(found, "indexing", "gfx1100")
    assert kernel.code.scratch_bytes >= 160
    assert ("register-spill", "gfx1100") in kinds(found, "indexing")


def test_low_occupancy_names_what_limits_it(found: Study) -> None:
    assert kinds(found, "crowded") >= {("low-occupancy", "gfx942"), ("low-occupancy", "gfx1100")}
    assert kinds(found, "roomy") == set()
    assert row(found, "crowded", "gfx942").occupancy.limit == "LDS"
    low = next(one for one in found.findings.items if one.kernel == "crowded")
    assert (low.severity, "61,440 bytes of LDS" in low.message) == ("info", True)


def test_lds_beyond_the_part_is_a_launch_limit_there_only() -> None:
    done = study(Question(HERE / "too_much.hip", ALL))
    assert {one.part.name for one in done.rows} == {"gfx950"}
    assert kinds(done, "too_much") == {("launch-limit", arch) for arch in PARTS if arch != "gfx950"}
    assert all(one.location and one.location.line == 5 for one in done.findings.items)


def test_a_launch_beyond_the_kernels_bounds_is_found() -> None:
    small = Question(HERE / "findings.hip", CDNA3, kernel="roomy")
    assert study(replace(small, block=32)).findings.items == ()
    over = study(replace(small, block=256)).findings.items
    assert [(one.kind, one.severity) for one in over] == [("launch-limit", "error")]
    assert "a block of 256 threads: the kernel allows 32" in over[0].message
    dynamic = study(replace(small, block=32, shared=64 * 1024)).findings.items
    assert "69,632 bytes of LDS a block: gfx942 has 65,536" in dynamic[0].message


def test_a_whole_program_is_read(program: Study) -> None:
    names = {one.code.name for one in program.rows}
    assert names == {"app::twice<...>", "everything", "calling"}
    everything = row(program, "everything", "gfx942")
    counted = everything.code.instructions
    assert (everything.lds_bytes, everything.block) == (256, 64)
    assert counted.barriers == 2
    assert counted.double > 0
    assert counted.transcendental > 0
    assert counted.traffic[Traffic("LDS", "load", 4)] == 1
    assert counted.traffic[Traffic("global", "atomic", 4)] == 3
    assert counted.traffic[Traffic("global", "load", 8)] == 1
    assert row(program, "app::twice<...>", "gfx942").code.threads == 256


def test_calls_that_nothing_resolves_are_named(program: Study) -> None:
    calls = row(program, "calling", "gfx1201").code.instructions.called
    assert calls == {"__ocml_lgamma_f32"}
    assert any("__ocml_lgamma_f32" in line for line in notes(program.rows, program.math))


def test_contraction_and_widths_show() -> None:
    done = study(Question(kernels_folder() / "gemm_f32_tiled.hip", (*CDNA3, *RDNA3)))
    for arch in ("gfx942", "gfx1100"):
        counted = row(done, "gemm_f32_tiled", arch).code.instructions
        assert counted.fused >= 32
        assert counted.sums == 0
        assert counted.barriers == 2
        assert counted.traffic[Traffic("LDS", "load", 16)] == 8


def test_the_audits_page_has_every_kernel_and_is_the_same_every_time() -> None:
    steps: list[int] = []
    done = generated_code.audit(generated_code.sources()[:1], lambda: steps.append(1))
    page = code_page(done)
    assert len(steps) == len(PARTS)
    assert [kernel["name"] for kernel in page["kernels"]] == ["add", "add_bf16", "add_f16"]
    assert [row["part"] for row in page["kernels"][0]["parts"]] == list(PARTS)
    assert [row["part"] for row in page["kernels"][0]["instructions"]] == ["gfx942", "gfx1100"]
    assert page == code_page(generated_code.audit(generated_code.sources()[:1]))


def test_a_source_that_does_not_compile_gives_the_compilers_words(tmp_path: Path) -> None:
    source = tmp_path / "broken.hip"
    source.write_text("__global__ void k(float* x) { x[0] = missing; }\n")
    with pytest.raises(CompileError, match=r"broken.hip:1:\d+: error: use of undeclared"):
        study(Question(source, CDNA3))


def test_a_file_without_kernels_is_void(tmp_path: Path) -> None:
    source = tmp_path / "host.hip"
    source.write_text("int main() { return 0; }\n")
    with pytest.raises(VoidError, match="defines no __global__ function"):
        study(Question(source, CDNA3))


def test_a_kernel_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"'absent': .* has .*crowded, indexing"):
        study(replace(FINDINGS, parts=CDNA3, kernel="absent"))


def test_the_command_writes_json_and_fails_on_what_it_is_told(tmp_path: Path) -> None:
    runner, target = CliRunner(), tmp_path / "isa.json"
    command = ["isa", str(HERE / "findings.hip"), "--arch", "gfx942", "--json", str(target)]
    command += ["--sarif", str(tmp_path / "isa.sarif")]
    assert runner.invoke(app, command).exit_code == 0
    document = json.loads(target.read_text())
    spilling = next(one for one in document["kernels"] if one["name"] == "spilling")
    assert spilling["vgpr_spills"] > 0
    assert spilling["arch"] == "gfx942"
    assert {one["kind"] for one in document["findings"]} == {"register-spill", "low-occupancy"}
    assert any("math functions" in note for note in document["notes"])
    (log,) = json.loads((tmp_path / "isa.sarif").read_text())["runs"]
    assert log["automationDetails"]["id"].startswith("hipaudit/isa/")
    assert runner.invoke(app, [*command, "--fail-on", "warning"]).exit_code == 1
    missing = runner.invoke(app, ["isa", str(HERE / "absent.hip")])
    assert isinstance(missing.exception, UsageError)


def test_device_libraries_are_taken_from_rocm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bitcode = tmp_path / "amdgcn" / "bitcode"
    bitcode.mkdir(parents=True)
    monkeypatch.setenv("ROCM_PATH", str(tmp_path))
    backend.device_libraries.cache_clear()
    assert backend.device_libraries() != bitcode
    for name in ("ocml", "ockl"):
        (bitcode / f"{name}.bc").touch()
    backend.device_libraries.cache_clear()
    assert backend.device_libraries() == bitcode
    assert str(bitcode) in backend.math_source(bitcode)
    backend.device_libraries.cache_clear()


def test_amds_own_math_is_linked() -> None:
    libraries = backend.device_libraries()
    if libraries is None:
        pytest.skip("AMD's device libraries (amdgcn/bitcode/ocml.bc) are not installed")
    question = Question(HERE / "program.hip", CDNA3, kernel="calling")
    own, theirs = study(question), study(question, libraries=libraries)
    assert row(own, "calling", "gfx942").code.instructions.called
    linked = row(theirs, "calling", "gfx942").code.instructions
    assert "__ocml_lgamma_f32" not in linked.called
    assert linked.total > 100
