"""How kernels end that do not end well: a finding with its line, and the next kernel runs right."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hipaudit import hipcalls
from hipaudit.device import Device, read_journal
from hipaudit.finding import Finding, Reader

SOURCE = """#include <hip/hip_runtime.h>
extern "C" {
__global__ void null_pointer(int* x) { x[0] = *reinterpret_cast<int*>(0x10); }
__global__ void past_the_end(int* x) { x[4096 + threadIdx.x] = 1; }
__device__ __attribute__((noinline)) int deeper(int n, int* x) {
  volatile int frame[100];
  frame[n % 100] = n;
  return x[0] == 7 ? 0 : deeper(n + 1, x) + frame[(n + 1) % 100];
}
__global__ void recursion(int* x) { x[0] = deeper(0, x); }
__global__ void division(int* x) { x[0] = x[1] / x[2]; }
__global__ void aborts(int* x) { if (threadIdx.x == 3) abort(); }
__global__ void asserts(int* x) { assert(x[0] == 77); }
__global__ void traps(int*) { __builtin_trap(); }
__global__ void endless(int* x) { while (true) x[0] += 1; }
__global__ void waits_for_ever(volatile int* x) { while (x[0] == 0) {} }
__global__ void two_barriers(int* x) {
  if (threadIdx.x < 64) __syncthreads();
  else while (__shfl_down(1, 0)) {}
  x[0] = 1;
}
__global__ void waits_for_a_block(volatile int* x) {
  if (blockIdx.x == 0) { while (x[0] == 0) {} x[1] = 5; } else { x[0] = 1; }
}
__global__ void waits_for_a_thread(volatile int* x) {
  if (threadIdx.x == 0) { while (x[0] == 0) {} x[1] = 6; } else if (threadIdx.x == 63) { x[0] = 1; }
}
__global__ void numbers(int* x) { x[threadIdx.x] = threadIdx.x; }
}
"""

# Kernel: threads, kind of the finding, line; 0 where the innermost frame is not the kernel's.
ENDINGS = {
    "null_pointer": (4, "wild-access", 3),
    "past_the_end": (64, "out-of-bounds-global", 4),
    "recursion": (1, "stack-overflow", 0),
    "division": (1, "undefined-behaviour", 11),
    "aborts": (64, "abort", 12),
    "asserts": (64, "abort", 13),
    "traps": (1, "abort", 14),
    "endless": (1, "timeout", 15),
    "waits_for_ever": (64, "timeout", 16),
    "two_barriers": (128, "timeout", 0),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A module of kernels over one buffer of 1024 zeros, and what the device journals."""

    device: Device
    build: str
    module: object
    buffer: object
    journal: Path

    def run(self, kernel: str, *, blocks: int = 1, threads: int = 1) -> int:
        """Return the status of a launch over fresh zeros."""
        hip = hipcalls.hip()
        hipcalls.call(hip.hipMemset, self.buffer, 0, 4096)
        function = hipcalls.call(hip.hipModuleGetFunction, self.module, kernel.encode())
        arguments = (self.buffer,)
        (status,) = hip.hipModuleLaunchKernel(
            function, blocks, 1, 1, threads, 1, 1, 0, None, None, arguments
        )
        return int(status)

    def values(self, count: int) -> list[int]:
        """Return the buffer's first values."""
        hip = hipcalls.hip()
        host = (ctypes.c_int * count)()
        kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
        hipcalls.call(hip.hipMemcpy, host, self.buffer, 4 * count, kind)
        return list(host)

    def findings(self) -> tuple[Finding, ...]:
        """Return what was journaled since the last call."""
        found = Reader().findings(read_journal(self.journal))
        self.journal.write_text("")
        return found


@pytest.fixture(params=["plain", "checked"])
def bench(device: Device, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Load the kernels and end a launch without progress early."""
    if device.control is None:
        pytest.skip("only the emulated device survives what these kernels do")
    journal = tmp_path / "journal"
    journal.write_text("")
    assert device.control.set("journal", str(journal))
    assert device.control.set("timeout", "0.3")
    assert device.control.set("build", request.param)
    hip, rtc = hipcalls.hip(), hipcalls.hiprtc()
    program = hipcalls.call(rtc.hiprtcCreateProgram, SOURCE.encode(), b"endings.hip", 0, None, None)
    hipcalls.call(rtc.hiprtcCompileProgram, program, 0, None)
    code = bytearray(hipcalls.call(rtc.hiprtcGetCodeSize, program))
    hipcalls.call(rtc.hiprtcGetCode, program, code)
    module = hipcalls.call(hip.hipModuleLoadData, code)
    buffer = hipcalls.call(hip.hipMalloc, 4096)
    yield Bench(device, request.param, module, buffer, journal)
    hipcalls.call(hip.hipFree, buffer)
    hipcalls.call(hip.hipModuleUnload, module)
    assert device.control.set("timeout", "10")
    assert device.control.set("build", "plain")
    assert device.control.set("journal", str(device.journal or ""))


@pytest.mark.parametrize("kernel", ENDINGS)
def test_a_bad_end_is_a_finding_and_the_next_kernel_runs_right(bench: Bench, kernel: str) -> None:
    threads, kind, line = ENDINGS[kernel]
    assert bench.run(kernel, threads=threads) != 0
    found = bench.findings()
    assert [one.kind for one in found] == [kind]
    if line:
        assert found[0].location is not None
        assert found[0].location.line == line
    assert bench.run("numbers", threads=64) == 0
    assert bench.values(64) == list(range(64))
    assert bench.findings() == ()


@pytest.mark.parametrize(
    ("kernel", "blocks", "answer"),
    [("waits_for_a_block", 8, 5), ("waits_for_a_thread", 1, 6)],
)
def test_a_spin_on_what_another_sets_is_progress(
    bench: Bench, kernel: str, blocks: int, answer: int
) -> None:
    assert bench.run(kernel, blocks=blocks, threads=64) == 0
    assert bench.values(2) == [1, answer]
    kinds = {one.kind for one in bench.findings()}
    races = {"race-global", "race-grid", "wave-size-dependence"}
    assert bool(kinds) == (bench.build == "checked")  # volatile makes no flag of a plain word
    assert kinds <= races
