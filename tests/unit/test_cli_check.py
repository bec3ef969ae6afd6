"""hipaudit check, as a newcomer types it: every way to end, and what is said."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from check_command import KERNEL_FILE, check, found, hipaudit

from hipaudit import history
from hipaudit.cli import main

SOURCE = """#include <hip/hip_runtime.h>
#include <vector>
__global__ void scale(const float* x, float* y, float a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + BIAS;
}
template <typename T> __global__ void fill(T* p, T v) { p[threadIdx.x] = v; }
extern "C" __global__ void wild(int* p) {
  __shared__ int s[64];
  s[threadIdx.x] = 1;
  __syncthreads();
  p[threadIdx.x + 2000000000L] = s[63 - threadIdx.x];
}
extern "C" __global__ void spin(volatile int* p) {
  while (p[0] == 0) {}
}
extern "C" __global__ void divide(int* p) { p[0] = 7 / p[1]; }
int main() {
  std::vector<float> v(4);
  float* d = nullptr;
  scale<<<1, 4>>>(d, d, 1.0f, 4);
  return hipDeviceSynchronize() != hipSuccess;
}
"""
SCALE = ["--kernel", "scale", "--grid", "2", "--block", "64", "-D", "BIAS=0.5f"]
ARGS = ["--arg", "f32[128]=iota", "--arg", "f32[128]", "--arg", "f32=2", "--arg", "i32=128"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / KERNEL_FILE).write_text(SOURCE)
    return tmp_path


def test_without_arguments_it_lists_kernels_and_proposes_a_command(folder: Path) -> None:
    result = check(folder, "-D", "BIAS=0")
    assert result.returncode == 3
    assert "scale(const float* x, float* y, float a, int n)" in result.stdout
    assert "fill<float>(T* p, T v)" in result.stdout
    (proposal,) = [line for line in result.stdout.splitlines() if "--kernel scale" in line]
    assert proposal.strip().startswith("hipaudit check 'my kernel.hip' --kernel scale --grid 4")
    assert "'f32[1024]=uniform(-1,1)'" in proposal
    assert "i32=1024" in proposal
    pasted = hipaudit(*shlex.split(proposal)[1:], cwd=folder)
    assert pasted.returncode == 0, pasted.stdout + pasted.stderr


def test_a_right_kernel_is_clean_on_both_waves(folder: Path) -> None:
    document = found(folder, *SCALE, *ARGS)
    assert document["findings"] == []
    assert document["void"] is None
    assert document["arch"] == "gfx942,gfx1100"
    assert [(k["name"], k["arch"], k["threads"]) for k in document["kernels"]] == [
        ("scale", "gfx1100", 128),
        ("scale", "gfx942", 128),
    ]
    assert check(folder, *SCALE, *ARGS).returncode == 0


def test_buffers_can_be_saved_after_the_run(folder: Path) -> None:
    result = check(folder, *SCALE, *ARGS, "--arch", "gfx1201", "--save", "out")
    assert result.returncode == 0, result.stderr
    saved = np.load(folder / "out" / "scale.gfx1201.y.npy")
    assert (saved == 2 * np.arange(128, dtype=np.float32) + 0.5).all()


def test_a_template_is_instantiated_by_its_name(folder: Path) -> None:
    document = found(
        folder, "--kernel", "fill<double>", "--block", "32", "-D", "BIAS=0", "--arch", "gfx90a",
        "--arg", "f64[32]", "--arg", "f64=1.5",
    )  # fmt: skip
    assert document["findings"] == []
    assert document["kernels"][0]["arch"] == "gfx90a"


def test_a_wild_store_is_a_finding_with_its_thread_and_a_replay(folder: Path) -> None:
    arguments = ["--kernel", "wild", "--block", "64", "-D", "BIAS=0", "--arg", "i32[64]=zeros"]
    document = found(folder, *arguments)
    assert {finding["arch"] for finding in document["findings"]} == {"gfx942", "gfx1100"}
    for finding in document["findings"]:
        assert finding["severity"] == "error"
        assert finding["kernel"] == "wild"
        assert finding["location"]["file"].endswith("my kernel.hip")
        assert finding["location"]["block"] == [0, 0, 0]
    assert len({finding["id"] for finding in document["findings"]}) == 1
    token = document["findings"][0]["replay"].split()[-1]
    again = hipaudit("replay", token, cwd=folder)
    assert again.returncode == 1
    assert document["findings"][0]["id"] in again.stdout


GAPS = """
extern "C" __global__ void gaps(int* p, const int* q, int n) {
  int i = threadIdx.x;
  if (i < n - 2) p[i] = -1;
}
"""


def test_an_output_with_gaps_is_a_finding_at_its_first_gap(folder: Path) -> None:
    (folder / "gaps.hip").write_text(GAPS)
    arguments = ["check", "gaps.hip", "--block", "64", "--arg", "i32[64]", "--arg", "i32[1]"]
    whole = hipaudit(*arguments, "--arg", "i32=66", "--json", "-", cwd=folder)
    assert json.loads(whole.stdout)["findings"] == [], "-1 looks like poison and is not"
    result = hipaudit(*arguments, "--arg", "i32=64", "--arch", "gfx942", "--json", "-", cwd=folder)
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["kind"], finding["severity"]) == ("unwritten-output", "error")
    assert (finding["location"]["file"], finding["location"]["line"]) == ("gaps.hip", 2)
    assert (finding["allocation"]["name"], finding["allocation"]["offset"]) == ("p", 4 * 62)
    assert "2 of 64 elements of p were never written, from element 62 on" in finding["message"]


def test_a_buffer_that_starts_as_zeros_may_keep_gaps(folder: Path) -> None:
    (folder / "gaps.hip").write_text(GAPS)
    arguments = ["--block", "64", "--arg", "i32[64]=zeros", "--arg", "i32[1]", "--arg", "i32=64"]
    assert hipaudit("check", "gaps.hip", *arguments, cwd=folder).returncode == 0


def test_a_kernel_without_end_is_a_timeout(folder: Path) -> None:
    arguments = ["--kernel", "spin", "--timeout", "1", "-D", "BIAS=0", "--arg", "i32[1]=zeros"]
    document = found(folder, *arguments, "--arch", "gfx942")
    assert [finding["kind"] for finding in document["findings"]] == ["timeout"]


def test_a_division_by_zero_is_undefined_behaviour(folder: Path) -> None:
    arguments = ["--kernel", "divide", "-D", "BIAS=0", "--arg", "i32[2]=zeros", "--arch", "gfx942"]
    document = found(folder, *arguments)
    assert [finding["kind"] for finding in document["findings"]] == ["undefined-behaviour"]


def test_a_launch_beyond_the_part_s_limits_is_a_finding(folder: Path) -> None:
    arguments = ["--kernel", "spin", "-D", "BIAS=0", "--block", "2048", "--arg", "i32[1]=ones"]
    document = found(folder, *arguments, "--arch", "gfx942")
    assert [finding["kind"] for finding in document["findings"]] == ["launch-limit"]


def test_sarif_and_json_go_to_files(folder: Path) -> None:
    result = check(folder, *SCALE, *ARGS, "--json", "o.json", "--sarif", "o.sarif")
    assert "clean" in result.stdout
    assert json.loads((folder / "o.json").read_text())["findings"] == []
    assert json.loads((folder / "o.sarif").read_text())["version"] == "2.1.0"
    result = check(folder, *SCALE, *ARGS, "--json", "absent/o.json")
    assert result.returncode == 2
    assert "absent/o.json cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*SCALE, "--arg", "f32[4]=odd"], "--arg 'f32[4]=odd': there is no INIT 'odd'"),
        ([*SCALE, *ARGS[:4]], "scale takes 4 arguments"),
        ([*SCALE, *ARGS[:6], "--arg", "f32=1"], "--arg 4 ('f32=1')"),
        (["--kernel", "absent", "-D", "BIAS=0", "--arg", "i32=1"], "no kernel is called 'absent'"),
        (["-D", "BIAS=0", "--arg", "i32=1"], "name one with --kernel"),
        ([*SCALE[:2], *ARGS], "use of undeclared identifier 'BIAS'"),
        ([*SCALE, *ARGS, "--grid", "0"], "--grid '0'"),
        ([*SCALE, *ARGS, "--block", "1,2,3,4"], "--block '1,2,3,4'"),
        ([*SCALE, *ARGS, "--arch", "gfx1"], "--arch 'gfx1'"),
        ([*SCALE, *ARGS, "--timeout", "-1"], "--timeout -1.0"),
        ([*SCALE, *ARGS, "--hip-device", "rocm"], "no AMD GPU answers"),
    ],
)
def test_what_cannot_be_done_is_said_and_exits_2(
    folder: Path, arguments: list[str], says: str
) -> None:
    result = check(folder, *arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_and_a_file_without_kernels_exit_2(folder: Path) -> None:
    result = hipaudit("check", "absent.hip", cwd=folder)
    assert (result.returncode, result.stderr) == (
        2,
        "hipaudit: there is no kernel file absent.hip\n",
    )
    (folder / "empty.hip").write_text("int main() { return 0; }\n")
    result = hipaudit("check", "empty.hip", cwd=folder)
    assert result.returncode == 2
    assert "defines no __global__ function" in result.stderr


def test_a_compile_error_names_file_and_line(folder: Path) -> None:
    (folder / "broken.hip").write_text("__global__ void k() {\n  nonsense;\n}\n")
    result = hipaudit("check", "broken.hip", "--block", "1", cwd=folder)
    assert result.returncode == 2
    assert "broken.hip:2:3: error:" in result.stderr


def test_a_function_that_is_nowhere_is_named(folder: Path) -> None:
    source = "__device__ float far(float);\n__global__ void k(float* p) { *p = far(*p); }\n"
    (folder / "apart.hip").write_text(source)
    result = hipaudit("check", "apart.hip", "--block", "1", "--arg", "f32[1]=ones", cwd=folder)
    assert result.returncode == 2
    assert "does not offer: _Z3farf" in result.stderr


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--history", "bad.sqlite"), "bad.sqlite cannot be used as a history"),
        (("--history", "absent/h.sqlite"), "absent/h.sqlite cannot be used as a history"),
        (("--json", "absent/f.json"), "absent/f.json cannot be written: there is no folder"),
        (("--sarif", "."), ". cannot be written: it is a folder"),
    ],
)
def test_what_could_not_be_kept_is_said_before_anything_runs(
    folder: Path, option: tuple[str, str], says: str
) -> None:
    (folder / "bad.sqlite").write_text("no database" * 100)
    # Neither is the kernel compiled: it has no BIAS.
    result = check(folder, "--kernel", "scale", *ARGS, *option)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"hipaudit: {says}")


def test_a_history_that_breaks_meanwhile_costs_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["hipaudit", "check", "my kernel.hip", *SCALE, *ARGS])
    sys.argv += ["--json", "found.json", "--sarif", "found.sarif", "--history", "h.sqlite"]
    ready = history.check

    def ready_once(path: Path | None) -> None:
        ready(path)
        (folder / "h.sqlite").write_text("overwritten" * 1000)

    monkeypatch.setattr(history, "check", ready_once)
    with pytest.raises(SystemExit) as left:
        main()
    out, error = capsys.readouterr()
    assert left.value.code == 2
    assert "h.sqlite cannot be used as a history" in error
    assert "clean: no findings" in out
    assert json.loads((folder / "found.json").read_text())["findings"] == []
    assert (folder / "found.sarif").is_file()


def test_errors_give_githubs_runner_no_commands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = hipaudit("check", "a\n::error::forged", cwd=folder).stderr.splitlines()
    assert lines[1:3] == ["hipaudit: there is no kernel file a", "::error::forged"]
    word = lines[0].removeprefix("::stop-commands::")
    assert lines[3:] == [f"::{word}::"]


WIDE = """extern "C" __global__ void k(const float* x, float* y, int n) {
  __shared__ float s[256];  // one
  __shared__ float t[256];
  int i = threadIdx.x;
  s[i] = x[i];
  t[i] = x[i];
  y[i] = s[255 - i] + 1.0f;
  if (i < n) { y[i + n] = t[255 - i]; y[i] = 0; }
}
"""


def test_an_id_is_that_of_the_statement_however_the_code_is_formatted(tmp_path: Path) -> None:
    short = "#include <hip/hip_runtime.h>\n/* \u00e4; */ " + " ".join(
        WIDE.replace("  // one", "").split()
    )
    tall = WIDE.replace("; ", ";\n\n").replace(" + ", "\n+ ").replace("{ ", "{\n// why\n")
    ids = []
    for name, text in (("wide", WIDE), ("short", short), ("tall", tall)):
        place = tmp_path / name / "k.hip"
        place.parent.mkdir()
        place.write_text(text)
        arguments = ("--block", "256", "--arg", "f32[512]=iota", "--arg", "f32[512]=zeros")
        result = hipaudit(
            *("check", "k.hip", *arguments, "--arg", "i32=250", "--arch", "gfx942"),
            *("--json", "-"),
            cwd=place.parent,
        )
        ids.append([one["id"] for one in json.loads(result.stdout)["findings"]])
    assert sorted(ids[0]) == sorted(ids[1]) == sorted(ids[2])
    kinds = [one.rpartition("-")[0] for one in set(ids[0])]
    assert kinds.count("race-shared") == 2
    assert "race-global" in kinds


@pytest.mark.parametrize(
    "name", ['quo"te.hip', "back\\slash.hip", "new\nline.hip", "#%41 \u202e.hip"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(WIDE)
    arguments = ("--block", "256", "--arg", "f32[512]=iota", "--arg", "f32[512]=zeros")
    last = ("--arg", "i32=256", "--arch", "gfx942", "--json", "-")
    result = hipaudit("check", name, *arguments, *last, cwd=tmp_path)
    places = [one["location"] for one in json.loads(result.stdout)["findings"]]
    assert places
    assert {place["file"] for place in places} == {name}
    assert {place["line"] for place in places} <= {5, 6, 7, 8}


def test_help_has_examples(folder: Path) -> None:
    result = hipaudit("check", "--help", cwd=folder)
    assert result.returncode == 0
    for word in ("Examples", "uniform(a,b)", "--fail-on", "--sarif", "-D", "--seed"):
        assert word in result.stdout
    overview = hipaudit("--help", cwd=folder).stdout
    for command in ("check", "exec", "audit", "replay", "doctor"):
        assert command in overview


def test_hostile_names_and_comments_stay_inert(folder: Path) -> None:
    name = "k\u202e\x1b[31m.hip"
    (folder / name).write_text(
        'extern "C" __global__ void k(int* p) {\n'
        "  __shared__ int s[2]; s[0] = 1; __syncthreads();\n"
        "  p[threadIdx.x + 2000000000L] = s[0];  // \u202e \x1b]8;;http://x\x07 <b>|`\n}\n"
    )
    result = hipaudit("check", name, "--arg", "i32[1]=zeros", "--arch", "gfx942", cwd=folder)
    assert result.returncode == 1
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_a_template_without_arguments_says_what_it_takes(folder: Path) -> None:
    result = check(folder, "-D", "BIAS=0", "--kernel", "fill", "--grid", "1", "--arg", "i32=1")
    assert result.returncode == 2
    assert "fill is a template of <typename T>: name its arguments, as in" in result.stderr
