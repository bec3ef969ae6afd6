"""hipaudit check on kernels of every kind: what is found, what is counted, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from check_command import check, found, hipaudit


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('__attribute__((no_sanitize("thread"))) void k(int* p) { p[threadIdx.x] = 1; }',
         "no memory access was instrumented"),
        ("void k(int* p) {}", "no memory access was instrumented"),
        ("void k(int* p) { if (blockIdx.x > 5) p[0] = 1; }", "the threads that ran accessed no"),
    ],
)  # fmt: skip
def test_a_run_that_checked_nothing_is_void(tmp_path: Path, body: str, says: str) -> None:
    (tmp_path / "k.hip").write_text(f"#include <hip/hip_runtime.h>\n__global__ {body}\n")
    result = hipaudit("check", "k.hip", "--block", "64", "--arg", "i32[64]=zeros", cwd=tmp_path)
    assert result.returncode == 3, result.stdout
    assert f"void: gfx942: {says}" in result.stdout


def test_more_root_causes_than_are_listed_are_counted(tmp_path: Path) -> None:
    reads = "\n".join(f"  s += p[{index}];" for index in range(1500))
    head = "#include <hip/hip_runtime.h>\n__global__ void k(float* p, float* q) {\n  float s = 0;\n"
    source = f"{head}{reads}\n  q[0] = s;\n}}\n"
    (tmp_path / "k.hip").write_text(source)
    arguments = ("--arg", "f32[1500]", "--arg", "f32[1]", "--arch", "gfx942", "--json", "-")
    document = json.loads(hipaudit("check", "k.hip", *arguments, cwd=tmp_path).stdout)
    assert len(document["findings"]) == 200
    assert document["findings_not_listed"] == 1300


def test_many_threads_at_one_line_are_one_finding(tmp_path: Path) -> None:
    source = "__global__ void k(float* p, float* q) {\n  q[threadIdx.x] = p[threadIdx.x];\n}\n"
    (tmp_path / "k.hip").write_text("#include <hip/hip_runtime.h>\n" + source)
    arguments = ("--block", "1000", "--arg", "f32[1000]", "--arg", "f32[1000]", "--json", "-")
    document = json.loads(hipaudit("check", "k.hip", *arguments, cwd=tmp_path).stdout)
    kinds = {(one["kind"], one["count"], one["location"]["line"]) for one in document["findings"]}
    assert kinds == {("uninitialised-read-global", 1000, 3)}


def test_a_kernel_that_waits_for_the_grid_is_launched_cooperatively(tmp_path: Path) -> None:
    (tmp_path / "k.hip").write_text(
        "#include <hip/hip_runtime.h>\n#include <hip/hip_cooperative_groups.h>\n"
        "__global__ void k(int* p, int* q) {\n  p[blockIdx.x] = 1;\n"
        "  cooperative_groups::this_grid().sync();\n"
        "  q[blockIdx.x] = p[gridDim.x - 1 - blockIdx.x];\n}\n"
    )
    big = ("--grid", "100000", "--arg", "i32[100000]", "--arg", "i32[100000]")
    refused = hipaudit("check", "k.hip", *big, cwd=tmp_path)
    assert "launch-limit" in refused.stdout
    assert "a cooperative launch of 100000 blocks" in refused.stdout
    small = ("--grid", "8", "--arg", "i32[8]", "--arg", "i32[8]")
    assert hipaudit("check", "k.hip", *small, cwd=tmp_path).returncode == 0


def test_gaps_that_move_with_the_inputs_are_a_warning_unless_all_was_promised(
    tmp_path: Path,
) -> None:
    (tmp_path / "k.hip").write_text(
        "#include <hip/hip_runtime.h>\n__global__ void k(const float* x, float* y) {\n"
        "  if (x[threadIdx.x] > 0.0f) y[threadIdx.x] = x[threadIdx.x];\n}\n"
    )
    given = ("--block", "64", "--arg", "f32[64]=uniform(-1,1)", "--arg")
    compacted = hipaudit("check", "k.hip", *given, "f32[64]", cwd=tmp_path)
    assert compacted.returncode == 0
    assert "warning: unwritten-output" in compacted.stdout
    promised = hipaudit("check", "k.hip", *given, "f32[64]=uninit", cwd=tmp_path)
    assert promised.returncode == 1
    assert "error: unwritten-output" in promised.stdout


def test_structures_arrive_whole_and_paths_may_hold_anything(tmp_path: Path) -> None:
    folder = tmp_path / "a b é"
    folder.mkdir()
    (folder / "own.h").write_text("struct Pair { int a; double b; };\n")
    text = (
        '\ufeff#include <hip/hip_runtime.h>\r\n#include "own.h"\r\n'
        "__global__ void k(char c, Pair p, double* y) {\r\n  y[0] = p.a + p.b + c;\r\n}\r\n"
    )
    (folder / "kernel ü.hip").write_bytes(text.encode())
    link = tmp_path / "link.hip"
    link.symlink_to(folder / "kernel ü.hip")
    pair = "hex=0200000000000000" + np.array(0.5).tobytes().hex()
    given = ("--arg", "i8=1", "--arg", pair, "--arg", "f64[1]", "--save", "out")
    result = hipaudit("check", "link.hip", *given, "--arch", "gfx942", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    (saved,) = (tmp_path / "out").glob("*.y.npy")
    assert np.load(saved) == 3.5


ASSEMBLY = """#include <hip/hip_runtime.h>
__global__ void wait(int* out) {
  asm volatile("s_waitcnt vmcnt(0)" ::: "memory");
  out[threadIdx.x] = 1;
}
"""


def test_assembly_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "wait.hip").write_text(ASSEMBLY)
    done = hipaudit("check", "wait.hip", "--block", "64", "--arg", "i32[64]", cwd=tmp_path)
    assert done.returncode == 2
    assert "wait.hip:3:" in done.stderr
    assert "inline assembly is not emulated" in done.stderr


WIDTHS = """#include <hip/hip_runtime.h>
__global__ void total(const float* in, float* out, int* ranks) {
  float sum = in[threadIdx.x];
  __shared__ float partial[4];
  __shared__ int taken;
  if (threadIdx.x == 0) taken = 0;
  for (int step = LARGEST; step > 0; step /= 2) sum += __shfl_xor(sum, step);
  if (threadIdx.x % warpSize == 0) partial[threadIdx.x / warpSize] = sum;
  __syncthreads();
  if (threadIdx.x % 32 == 0) ranks[atomicAdd(&taken, 1)] = threadIdx.x;
  if (threadIdx.x > 0) return;
  sum = 0;
  for (int wave = 0; wave < blockDim.x / warpSize; ++wave) sum += partial[wave];
  *out = sum;
}
"""


@pytest.mark.parametrize(("largest", "count"), [("warpSize / 2", 0), ("32", 1)])
def test_results_that_differ_between_widths_are_told(
    tmp_path: Path, largest: str, count: int
) -> None:
    (tmp_path / "my kernel.hip").write_text(WIDTHS.replace("LARGEST", largest))
    arguments = ("--block", "128", "--arg", "f32[128]=uniform(0,1)", "--arg", "f32[1]")
    seen = found(tmp_path, *arguments, "--arg", "i32[4]=zeros")["findings"]
    assert [one["kind"] for one in seen] == ["wave-size-dependence"] * count
    assert all(one["severity"] == "info" for one in seen)
    assert all(one["location"]["line"] == 2 for one in seen)
    assert all("elements of out differ" in one["message"] for one in seen)


PARTIALS = """#include <hip/hip_runtime.h>
__global__ void total(const int* in, int* out) {
  __shared__ int partial[2];
  int sum = in[threadIdx.x];
  for (int step = warpSize / 2; step > 0; step /= 2) sum += __shfl_xor(sum, step);
  if (threadIdx.x % warpSize == 0) partial[threadIdx.x / warpSize] = sum;
  __syncthreads();
  if (threadIdx.x == 0) *out = partial[0] + (warpSize == 32 ? partial[1] : 0);
}
"""


def test_a_barrier_that_one_width_needs_is_not_redundant(tmp_path: Path) -> None:
    (tmp_path / "my kernel.hip").write_text(PARTIALS)
    document = found(tmp_path, "--block", "64", "--arg", "i32[64]=iota", "--arg", "i32[1]")
    assert document["findings"] == []
    verdicts = {row["arch"]: row["barriers"][0]["verdict"] for row in document["kernels"]}
    assert verdicts == {"gfx942": "redundant", "gfx1100": "needed"}


STANDARD = """#include <hip/hip_runtime.h>
__global__ void clamp(float* x) {
  float low = std::min(x[threadIdx.x], 1.0f), high = std::max(low, 0.0f);
  std::swap(low, high);
  x[threadIdx.x] = low + high;
}
"""


def test_what_hipcc_includes_by_itself_is_there(tmp_path: Path) -> None:
    (tmp_path / "my kernel.hip").write_text(STANDARD)
    arguments = ("--block", "64", "--arg", "f32[64]=ones")
    document = found(tmp_path, *arguments)
    assert document["findings"] == []
    (tmp_path / "my kernel.hip").write_text(STANDARD.replace("std::swap", "std::exchange_all"))
    done = check(tmp_path, *arguments)
    assert done.returncode == 2
    assert "my kernel.hip:4:" in done.stderr
    assert "exchange_all" in done.stderr
