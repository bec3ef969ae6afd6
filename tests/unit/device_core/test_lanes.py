"""Moves between lanes in fixed patterns, and declarations as HIP kernels write them."""

from __future__ import annotations

import ctypes

import ml_dtypes
import numpy as np
import pytest

from hipaudit import hipcalls
from hipaudit.device import Device

LANES = np.arange(64)
ROW = LANES // 16 * 16
PLACE = LANES % 16

MOVES = """#include <hip/hip_runtime.h>
extern "C" __global__ void moves(int* out) {
  const int lane = threadIdx.x;
  const int mine = 100 + lane;
  out[lane] = __builtin_amdgcn_update_dpp(-1, mine, 0x113, 0xf, 0xf, true);
  out[64 + lane] = __builtin_amdgcn_update_dpp(-1, mine, 0x102, 0xf, 0xf, false);
  out[128 + lane] = __builtin_amdgcn_update_dpp(-1, mine, 0x1b, 0x5, 0xf, true);
  out[192 + lane] = __builtin_amdgcn_mov_dpp(mine, 0x140, 0xf, 0xf, true);
  out[256 + lane] = __builtin_amdgcn_ds_swizzle(mine, 0x401f);
  out[320 + lane] = __builtin_amdgcn_ds_permute(4 * (63 - lane), mine);
}
"""
EXPECTED = (
    np.where(PLACE >= 3, 97 + LANES, 0),
    np.where(PLACE + 2 < 16, 102 + LANES, -1),
    np.where(LANES // 16 % 2 == 0, 100 + (LANES ^ 3), -1),
    100 + ROW + 15 - PLACE,
    100 + (LANES ^ 16),
    163 - LANES,
)

DECLARATIONS = """#include <hip/hip_runtime.h>
struct alignas(16) Four { int a[4]; };
extern "C" __global__ void declared(int* out) {
  __shared__ alignas(16) float first[30];
  __shared__ __align__(16) volatile float second[30];
  alignas(Four) __shared__ char third[17];
  __shared__ alignas(Four) alignas(64) char fourth[17];
  static __shared__ float fifth[4];
  extern __shared__ __align__(16) unsigned char rest[];
  const uint32_t high = UINT_MAX;
  fifth[0] = FLT_MAX < INFINITY && M_PI > 3.0 ? 1.0f : 0.0f;
  out[0] = static_cast<int>(reinterpret_cast<uintptr_t>(first) % 16 +
                            reinterpret_cast<uintptr_t>(second) % 16 +
                            reinterpret_cast<uintptr_t>(third) % 16 +
                            reinterpret_cast<uintptr_t>(fourth) % 64 +
                            reinterpret_cast<uintptr_t>(rest) % 16);
  out[1] = static_cast<int>(fifth[0]) + (high == 0xffffffffu);
}
"""

PROCESSOR = """#include <hip/hip_runtime.h>
extern "C" __global__ void asked(int* out) {
  const int lane = threadIdx.x;
  out[lane] = static_cast<int>(
      __builtin_amdgcn_workitem_id_x() + 100 * __builtin_amdgcn_workgroup_size_x() +
      __builtin_amdgcn_workgroup_id_y() + __builtin_amdgcn_grid_size_z());
  out[64 + lane] = __builtin_amdgcn_writelane(-5, 3, lane);
  out[128 + lane] = __hip_move_dpp(lane, 0x140, 0xf, 0xf, true);
  out[192 + lane] = static_cast<int>(__hip_ds_bpermutef(4 * (63 - lane), 0.5f * lane) +
                                     __hip_ds_swizzle(lane, 0x401f));
  int packed = __builtin_amdgcn_cvt_pk_fp8_f32(1.0f + lane, -0.5f, 0, false);
  packed = __builtin_amdgcn_cvt_pk_bf8_f32(3.0f, 16.0f, packed, true);
  out[256 + lane] = static_cast<int>(8 * __builtin_amdgcn_cvt_f32_fp8(packed, 1) +
                                     __builtin_amdgcn_cvt_pk_f32_bf8(packed, true).y);
  out[320 + lane] = packed & 0xff;
}
"""


def results(source: str, kernel: str, threads: int, count: int) -> list[int]:
    """Return what a kernel leaves in a buffer of integers, its only argument."""
    hip, rtc = hipcalls.hip(), hipcalls.hiprtc()
    program = hipcalls.call(rtc.hiprtcCreateProgram, source.encode(), b"lanes.hip", 0, None, None)
    hipcalls.call(rtc.hiprtcCompileProgram, program, 0, None)
    code = bytearray(hipcalls.call(rtc.hiprtcGetCodeSize, program))
    hipcalls.call(rtc.hiprtcGetCode, program, code)
    module = hipcalls.call(hip.hipModuleLoadData, code)
    function = hipcalls.call(hip.hipModuleGetFunction, module, kernel.encode())
    buffer = hipcalls.call(hip.hipMalloc, 4 * count)
    hipcalls.call(
        hip.hipModuleLaunchKernel, function, 1, 1, 1, threads, 1, 1, 16, None, None, (buffer,)
    )
    host = (ctypes.c_int * count)()
    kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
    hipcalls.call(hip.hipMemcpy, host, buffer, 4 * count, kind)
    hipcalls.call(hip.hipFree, buffer)
    hipcalls.call(hip.hipModuleUnload, module)
    return list(host)


def test_lanes_move_as_the_patterns_say(device: Device) -> None:
    if device.wave_size != 64:
        pytest.skip("the patterns are written for a wave of 64 lanes")
    found = np.array(results(MOVES, "moves", 64, 384)).reshape(6, 64)
    for row, expected in zip(found, EXPECTED, strict=True):
        assert row.tolist() == expected.tolist()


def test_shared_memory_is_declared_and_aligned_in_every_form(device: Device) -> None:
    assert device.choice
    assert results(DECLARATIONS, "declared", 1, 2) == [0, 2]


def test_builtins_say_where_a_lane_is_and_convert_fp8(device: Device) -> None:
    if device.arch != "gfx942":
        pytest.skip("gfx942 has waves of 64 lanes and the fnuz formats")
    found = np.array(results(PROCESSOR, "asked", 64, 384)).reshape(6, 64)
    fnuz = (1.0 + LANES).astype(ml_dtypes.float8_e4m3fnuz).view(np.uint8)
    expected = (
        LANES + 6401,
        np.where(LANES == 3, -5, LANES),
        ROW + 15 - PLACE,
        ((63 - LANES) * 0.5 + (LANES ^ 16)).astype(int),
        np.full(64, 8 * -0.5 + 16),
        fnuz.astype(int),
    )
    for row, wanted in zip(found, expected, strict=True):
        assert row.tolist() == wanted.tolist()
