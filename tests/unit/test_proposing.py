"""Proposed launches: what is guessed, and what trying makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit.checking import Request
from hipaudit.proposing import guess, propose


@pytest.mark.parametrize(
    ("parameters", "expression"),
    [
        ("typename T, int N", "k<float, 16>"),
        ("class T, unsigned BLOCK_SIZE, bool Causal", "k<float, 256, true>"),
        ("int width = 32", "k<>"),
        ("typename T, template <class> class Op", ""),
        ("typename... T", ""),
        ("", ""),
    ],
)
def test_template_arguments_are_guessed_from_parameters(parameters: str, expression: str) -> None:
    assert guess("k", parameters) == expression


SOURCE = """#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
#define WIDTH 64
template <typename T, int N, typename U> __global__ void widen(const T* x, U* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = static_cast<U>(x[i]) * N;
}
__global__ void rows(const __half* x, float* sums, int columns) {
  extern __shared__ float partial[];
  partial[threadIdx.x] = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    partial[threadIdx.x] += __half2float(x[blockIdx.x * columns + i]);
  __syncthreads();
  if (threadIdx.x != 0) return;
  float sum = 0.0f;
  for (unsigned i = 0; i < blockDim.x; ++i) sum += partial[i];
  sums[blockIdx.x] = sum;
}
__global__ void count(const int* keys, unsigned* bins, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&bins[keys[i] % 16], 1u);
}
__global__ void past_the_end(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i + 1] = 1.0f;
}
void launch(const float* x, double* y) { widen<float, WIDTH><<<1, 64>>>(x, y, 64); }
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    path = tmp_path_factory.mktemp("sources") / "k.hip"
    path.write_text(SOURCE)
    return {k["name"]: k for k in propose(Request(file=str(path)), "emulated")}


def test_an_instance_takes_what_the_launch_names_and_the_template_s_parameter_names(
    kernels: dict[str, dict[str, Any]],
) -> None:
    kernel = kernels["widen<float, 64, float>"]
    assert [p["name"] for p in kernel["params"]] == ["x", "y", "n"]
    assert kernel["problem"] == ""
    assert "widen" not in kernels


def test_buffers_grow_outputs_shrink_and_shared_memory_fits(
    kernels: dict[str, dict[str, Any]],
) -> None:
    kernel = kernels["rows"]
    assert kernel["problem"] == ""
    assert kernel["draft"]["shared"] == 4 * kernel["draft"]["block"][0]
    assert list(kernel["draft"]["args"]) == ["f16[4096]=uniform(-1,1)", "f32[4]", "i32=1024"]


def test_counters_start_at_zero(kernels: dict[str, dict[str, Any]]) -> None:
    assert kernels["count"]["draft"]["args"][1] == "u32[1024]=zeros"


def test_an_index_off_by_one_is_no_reason_for_a_larger_buffer(
    kernels: dict[str, dict[str, Any]],
) -> None:
    assert kernels["past_the_end"]["problem"] == "out-of-bounds-global"
    assert kernels["past_the_end"]["draft"]["args"][0].startswith("f32[1024]")
