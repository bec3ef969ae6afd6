"""The host's own loads and stores of memory that an asynchronous copy may still use."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hipaudit import device, native_build
from hipaudit.stacks import frames_of
from hipaudit.symbolise import Symboliser

if TYPE_CHECKING:
    from .conftest import Record, Run

pytestmark = pytest.mark.memory

SOURCE = Path(__file__).parent / "native" / "host_access.c"


@dataclass(frozen=True, slots=True)
class Host:
    """A native program, linked against the emulated device."""

    program: Path
    journal: Path

    def run(self, what: str, **variables: str) -> tuple[int, list[Record]]:
        """Run a part of the program; its exit code and the ledger's findings."""
        self.journal.unlink(missing_ok=True)
        environment = device.child_environment("emulated", {"journal": str(self.journal)})
        result = subprocess.run(
            [self.program, what], env=environment | variables, timeout=60, check=False
        )
        records = device.read_journal(self.journal)
        return result.returncode, [r for r in records if r["record"] == "finding"]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    folder = tmp_path_factory.mktemp("host")
    libraries = native_build.device_libraries()
    words = ("-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-fno-optimize-sibling-calls")
    beside = ("-Wl,--allow-shlib-undefined", f"-Wl,-rpath,{libraries.emulated.parent}")
    command = [sys.executable, "-m", "ziglang", "cc", *words, *beside, str(SOURCE)]
    program = folder / "host"
    subprocess.run([*command, str(libraries.front), "-o", str(program)], check=True)
    return Host(program, folder / "journal.jsonl")


@pytest.mark.parametrize(
    ("what", "line", "other"),
    [
        ("load", "load", "hipMemcpyAsync"),
        ("store", "store", "hipMemcpyAsync"),
        ("wrong-stream", "wrong_stream", "hipMemcpyAsync"),
        ("early-event", "early_event", "hipMemcpyAsync"),
        ("filled", "filled", "hipMemsetAsync"),
        ("managed", "managed", "hipMemcpyAsync"),
        ("registered", "registered", "hipMemcpyAsync"),
        ("in-thread", "thread_load", "hipMemcpyAsync"),
        ("callback-of-other", "called_back", "hipMemcpyAsync"),
        ("library-call", "library_call", "hipMemcpyAsync"),
        ("to-file", "to_file", "hipMemcpyAsync"),
        ("from-file", "from_file", "hipMemcpyAsync"),
    ],
)
def test_an_access_before_any_wait_is_found_where_it_is(
    host: Host, what: str, line: str, other: str
) -> None:
    code, findings = host.run(what)
    assert code == 0
    (finding,) = findings
    store = what in {"store", "from-file"}
    assert finding["kind"] == "missing-synchronisation"
    assert finding["access"] == ("write" if store else "read")
    assert finding["call"] == f"a {'store' if store else 'load'} by the host"
    assert (finding["other_call"], finding["severity"]) == (other, "error")
    symboliser = Symboliser()
    assert line in [frame.function for frame in frames_of(finding["stack"], symboliser)]
    assert frames_of(finding["other_stack"], symboliser)


@pytest.mark.parametrize(
    "what",
    [
        *("waited", "queried", "event-queried", "through-two", "reads-while-sent", "other-half"),
        *("chained", "blocking-copy", "callback", "written-out", "forks", "threads"),
    ],
)
def test_an_access_in_its_order_is_not_accused(host: Host, what: str) -> None:
    assert host.run(what) == (0, [])


def test_it_can_be_turned_off(host: Host) -> None:
    assert host.run("load", HIPAUDIT_LEDGER_HOST="off") == (0, [])


# A non-blocking stream, device memory of two pages, and pinned memory as an array.
START = """
import numpy as np
N = 8192
stream = ok(hip.hipStreamCreateWithFlags(1))
device = ok(hip.hipMalloc(N))
pinned = ok(hip.hipHostMalloc(N, 0))
at = pinned.as_c_void_p().value if hasattr(pinned, "as_c_void_p") else int(pinned)
host = np.frombuffer((ctypes.c_uint8 * N).from_address(at), np.uint8)
hip.hipMemset(device, 7, N)
hip.hipDeviceSynchronize()

def fetch():
    ok(hip.hipMemcpyAsync(pinned, device, N, hip.hipMemcpyKind.hipMemcpyDeviceToHost, stream))

def end():
    hip.hipDeviceSynchronize()
    hip.hipStreamDestroy(stream)
    hip.hipFree(device)
    hip.hipHostFree(pinned)
"""

KERNEL = """
from hip import hiprtc
source = b'''extern "C" __global__ void copy(const int* in, int* out) {
  out[threadIdx.x] = in[threadIdx.x];
}
extern "C" __global__ void hidden(const long* in, int* out) {
  out[threadIdx.x] = ((const int*)~*in)[threadIdx.x];
}
extern "C" __global__ void listed(int* const* flags, int* unused) { *flags[1] = 5; }
'''
program = ok(hiprtc.hiprtcCreateProgram(source, b"k.hip", 0, None, None))
assert int(hiprtc.hiprtcCompileProgram(program, 0, None)[0].value) == 0
code = bytearray(ok(hiprtc.hiprtcGetCodeSize(program)))
hiprtc.hiprtcGetCode(program, code)
module = ok(hip.hipModuleLoadData(bytes(code)))

def launch(name, source, target):
    kernel = ok(hip.hipModuleGetFunction(module, name))
    arguments = (ctypes.c_void_p(source), ctypes.c_void_p(target))
    assert int(hip.hipModuleLaunchKernel(
        kernel, 1, 1, 1, 256, 1, 1, 0, stream, None, arguments)[0].value) == 0
"""


def findings(ran: object) -> list[tuple[str, str]]:
    return [(f["kind"], f["call"]) for f in ran.findings()]  # type: ignore[attr-defined]


def test_a_kernel_may_use_the_memory_and_the_host_still_may_not(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + KERNEL
        + """
fetch()
launch(b"copy", at, int(device))
pointer = ok(hip.hipMalloc(8))
code = (~at & (1 << 64) - 1).to_bytes(8, "little")
hip.hipMemcpy(pointer, code, 8, hip.hipMemcpyKind.hipMemcpyHostToDevice)
launch(b"hidden", int(pointer), int(device))
print(host[5])
hip.hipDeviceSynchronize()
hip.hipFree(pointer)
hip.hipModuleUnload(module)
end()
"""
    )
    assert (ran.code, ran.output) == (0, "7\n"), ran.errors
    assert findings(ran) == [("missing-synchronisation", "a load by the host")]
    assert ran.lines(ran.findings()[0]["stack"]) == ["print(host[5])"]


def test_what_a_later_kernel_writes_may_tell_the_host(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + KERNEL
        + """
flag = ok(hip.hipHostMalloc(1024, 0))
fetch()
launch(b"copy", int(device), flag.as_c_void_p().value)
polled = (ctypes.c_int * 256).from_address(flag.as_c_void_p().value)
while polled[0] == 0:
    pass
print(host[5])
hip.hipDeviceSynchronize()
hip.hipHostFree(flag)
hip.hipModuleUnload(module)
end()
"""
    )
    assert (ran.code, ran.output) == (0, "7\n"), ran.errors
    assert findings(ran) == []


def test_a_kernel_may_tell_the_host_through_a_table_of_addresses(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + KERNEL
        + """
flag, table = ok(hip.hipHostMalloc(1024, 0)), ok(hip.hipMalloc(16))
address = flag.as_c_void_p().value
rows = bytes(8) + address.to_bytes(8, "little")
hip.hipMemcpy(table, rows, 16, hip.hipMemcpyKind.hipMemcpyHostToDevice)
polled = ctypes.c_int.from_address(address)
polled.value = 0
fetch()
launch(b"listed", int(table), int(device))
while polled.value != 5:
    pass
print(host[5])
hip.hipDeviceSynchronize()
hip.hipHostFree(flag)
hip.hipFree(table)
hip.hipModuleUnload(module)
end()
"""
    )
    assert (ran.code, ran.output) == (0, "7\n"), ran.errors
    assert findings(ran) == []


def test_an_operation_is_accused_once_and_a_site_counted(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + """
for _ in range(3):
    fetch()
    host.max(); host.min()
hip.hipHostFree(pinned)
hip.hipStreamDestroy(stream)
hip.hipFree(device)
"""
    )
    assert ran.code == 0, ran.errors
    assert {finding["kind"] for finding in ran.findings()} == {"missing-synchronisation"}
    assert {finding["severity"] for finding in ran.findings()} == {"error"}
    assert sum(finding["count"] for finding in ran.findings()) == 3


def test_another_handler_of_faults_goes_before_and_nothing_is_protected(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + """
import faulthandler
fetch()
hip.hipStreamSynchronize(stream)
faulthandler.enable()
fetch()
print(host[5])
end()
"""
    )
    assert (ran.code, ran.output, findings(ran)) == (0, "7\n", []), ran.errors


def test_a_fault_of_the_program_s_own_still_ends_it(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + """
import faulthandler, mmap
faulthandler.enable()
fetch()
hip.hipStreamSynchronize(stream)
libc = ctypes.CDLL(None)
libc.mprotect(ctypes.c_void_p(at // 4096 * 4096), 4096, 0)
print(host[5])
"""
    )
    assert ran.code == -11
    assert "Segmentation fault" in ran.errors


def test_memory_that_is_freed_while_it_is_used_does_not_hang_the_allocator(
    under_ledger: Run,
) -> None:
    ran = under_ledger(
        START
        + """
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
own = libc.malloc(1 << 16)
assert int(hip.hipHostRegister(own, 1 << 16, 0)[0].value) == 0
hip.hipMemcpyAsync(own, device, N, hip.hipMemcpyKind.hipMemcpyDeviceToHost, stream)
libc.free(ctypes.c_void_p(own))
blocks = [libc.malloc(5000) for _ in range(40)]
hip.hipDeviceSynchronize()
hip.hipHostUnregister(own)
end()
"""
    )
    assert ran.code == 0, ran.errors
