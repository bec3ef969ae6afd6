"""Every header of the types parses alone and with the others, as device code and as host code."""

from __future__ import annotations

from typing import Any

import pytest

Compiler = Any

HEADERS = [
    "host_defines.h",
    "hip_vector_types.h",
    "hip_fp16.h",
    "hip_bf16.h",
    "hip_bfloat16.h",
    "hip_fp8.h",
    "hip_fp6.h",
    "hip_fp4.h",
    "hip_complex.h",
    "hip_cooperative_groups.h",
]

# Host code beside a kernel, as one file has it.
PROGRAM = """
#include <hip/hip_bf16.h>
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_fp16.h>
#include <hip/hip_fp8.h>
#include <hip/hip_runtime.h>

template <int kWidth>
__global__ __launch_bounds__(kWidth, 2) void sum(const __half2* in, float4* out, dim3 size) {
  __shared__ float4 totals[kWidth];
  __shared__ __half2 pairs[4];
  __shared__ __hip_bfloat162 others[4];
  __shared__ __hip_fp8_e4m3 small[4];
  auto tile = cooperative_groups::tiled_partition<32>(cooperative_groups::this_thread_block());
  pairs[0] = in[threadIdx.x] * in[blockIdx.x];
  others[0].x = __hip_bfloat16(__half2float(pairs[0].x));
  small[0] = pairs[0].y;
  const float2 wide = __half22float2(pairs[0]);
  totals[threadIdx.x] = make_float4(wide.x, wide.y, float(others[0].x), float(small[0]));
  out[size.x] = cooperative_groups::reduce(tile, totals[0] * 2.0f,
                                           cooperative_groups::plus<float4>());
}

template __global__ void sum<64>(const __half2*, float4*, dim3);

int main() {
  __half host = 1.5f;
  host += __half(2.0f);
  __hip_bfloat16 other = __float2bfloat16(__half2float(host));
  const float4 four = make_float4(host, other, 1, 2) + 1.0f;
  const __hip_fp8_e5m2 code(four.x);
  return static_cast<int>(float(code)) + int4{1, 2}.y;
}
"""


def parsed(compiler: Compiler, source: str, *, device: bool, standard: str) -> str:
    done = compiler.parse(source, device=device, standard=standard)
    return "" if done.returncode == 0 else str(done.stderr)


@pytest.mark.parametrize("device", [True, False], ids=["device", "host"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_stands_alone(compiler: Compiler, header: str, device: bool) -> None:
    source = f"#include <hip/{header}>\n#include <hip/{header}>\n"
    for standard in ("c++17", "gnu++20", "gnu++23"):
        assert not parsed(compiler, source, device=device, standard=standard)


@pytest.mark.parametrize("device", [True, False], ids=["device", "host"])
def test_the_headers_go_together_in_either_order(compiler: Compiler, device: bool) -> None:
    for order in (HEADERS, HEADERS[::-1]):
        source = "".join(f"#include <hip/{header}>\n" for header in order)
        assert not parsed(compiler, source, device=device, standard="gnu++20")


@pytest.mark.parametrize("device", [True, False], ids=["device", "host"])
def test_a_whole_program_parses(compiler: Compiler, device: bool) -> None:
    for standard in ("c++17", "gnu++20"):
        assert not parsed(compiler, PROGRAM, device=device, standard=standard)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            """
            #include <hip/hip_runtime.h>
            __global__ void k(hipTextureObject_t t, float* x) { *x = tex2D<float>(t, 1.0f, 2.0f); }
            """,
            "textures are not emulated",
        ),
        (
            """
            #include <hip/hip_cooperative_groups.h>
            __global__ void k() { cooperative_groups::this_thread_block().barrier_arrive(); }
            """,
            "split barriers are not emulated",
        ),
        (
            """
            #include <hip/hip_cooperative_groups.h>
            __global__ void k() { cooperative_groups::this_multi_grid(); }
            """,
            "no multi-grid launches",
        ),
        (
            """
            #include <hip/hip_cooperative_groups.h>
            __global__ void k() {
              cooperative_groups::tiled_partition<24>(cooperative_groups::this_thread_block());
            }
            """,
            "power of two",
        ),
    ],
    ids=["managed", "split-barrier", "multi-grid", "tile-size"],
)
def test_what_is_not_emulated_is_refused_by_name(
    compiler: Compiler, source: str, message: str
) -> None:
    assert message in parsed(compiler, source, device=True, standard="gnu++20")


def test_vectors_of_different_sizes_cannot_be_mixed_up(compiler: Compiler) -> None:
    bad = "#include <hip/hip_vector_types.h>\n__device__ float4 f(float2 a) { return a; }"
    assert "no viable conversion" in parsed(compiler, bad, device=True, standard="gnu++20")
