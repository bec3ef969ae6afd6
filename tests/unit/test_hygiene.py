"""Which barriers a launch needs, by what races without them; which shared memory it touches."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit import checking
from hipaudit.checking import Request
from hipaudit.outcome import Outcome

SOURCE = """#include <hip/hip_runtime.h>
__device__ void meet() { __syncthreads(); }
__global__ void tree(const float* x, float* y) {
  __shared__ float s[256];
  __shared__ float spare[1024];
  int t = threadIdx.x;
  s[t] = x[t];
  meet();  // needed
  for (int stride = 128; stride > 0; stride /= 2) {
    if (t < stride) s[t] += s[t + stride];
    __syncthreads();  // needed
  }
  if (t > 256) spare[t] = y[t];
  __syncthreads();  // redundant
  if (t > 256) y[t] = spare[t - 256];
  if (t == 0) y[0] = s[0];
}
constexpr int kBlock = __HIP_MEMORY_SCOPE_WORKGROUP;
__global__ void ticket(unsigned* out) {
  __shared__ unsigned next;
  if (threadIdx.x == 0) __hip_atomic_store(&next, 5u, __ATOMIC_RELAXED, kBlock);
  __syncthreads();  // needed
  unsigned mine = atomicAdd(&next, 1u);
  int odd = __syncthreads_count(mine & 1);  // needed
  out[threadIdx.x] = odd > 0 ? mine : 0;
}
__global__ void weak(const int* x, int* y) {
  __shared__ int s[128];
  s[threadIdx.x] = x[threadIdx.x];
  __work_group_barrier(__CLK_GLOBAL_MEM_FENCE);  // wrong scope
  y[threadIdx.x] = s[127 - threadIdx.x];
}
__global__ void lonely(int* x) {
  __shared__ int s;
  s = 1;
  __syncthreads();  // not tried
  x[0] = s;
}
"""
LAUNCHES = {
    "tree": (256, ("f32[256]=ones", "f32[1]")),
    "ticket": (128, ("u32[128]",)),
    "weak": (128, ("i32[128]=iota", "i32[128]")),
    "lonely": (1, ("i32[1]",)),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    path = tmp_path_factory.mktemp("sources") / "k.hip"
    path.write_text(SOURCE)
    return {
        name: checking.check(
            Request(file=str(path), kernel=name, block=(threads, 1, 1), args=args),
            "emulated",
            "",
            device_title="",
        )
        for name, (threads, args) in LAUNCHES.items()
    }


@pytest.mark.parametrize("kernel", LAUNCHES)
def test_every_barrier_is_classified_as_the_source_says(
    kernel: str, outcomes: dict[str, Outcome]
) -> None:
    lines = SOURCE.splitlines()
    body = SOURCE.split(f"void {kernel}(")[1].split("\n}", maxsplit=1)[0].count("// ")
    for row in outcomes[kernel].kernels:
        assert len(row["barriers"]) == body
        for barrier in row["barriers"]:
            line = 8 if barrier["line"] == 2 else barrier["line"]
            assert lines[line - 1].endswith(f"// {barrier['verdict']}"), (row["arch"], barrier)


def test_the_proof_names_both_accesses(outcomes: dict[str, Outcome]) -> None:
    (loop,) = [b for b in barriers(outcomes["tree"]) if b["line"] == 11]
    assert {loop["location"]["line"], loop["other_location"]["line"]} == {10}
    (order,) = [b for b in barriers(outcomes["ticket"]) if b["line"] == 22]
    assert {order["location"]["line"], order["other_location"]["line"]} == {21, 23}
    assert "in their order" in order["why"]


def barriers(outcome: Outcome) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = outcome.kernels[0]["barriers"]
    return rows


def test_what_a_launch_does_not_need_is_information(outcomes: dict[str, Outcome]) -> None:
    found = {(f.kind, f.severity, f.location.line) for f in outcomes["tree"].findings.items}  # type: ignore[union-attr]
    assert found == {("redundant-barrier", "info", 14), ("unused-shared", "info", 5)}
    assert outcomes["tree"].exit_code() == 0
    assert not outcomes["ticket"].findings.items
    assert not outcomes["lonely"].findings.items
