"""What happens before what: streams, events, waiting, stream-ordered memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

pytestmark = pytest.mark.memory

# Two streams that wait for nobody, device memory, and two kernels.
START = """
from hip import hiprtc
source = b'''extern "C" __global__ void fill(int* out, int value) { out[threadIdx.x] = value; }
extern "C" __global__ void twice(const int* in, int* out) {
  out[threadIdx.x] = 2 * in[threadIdx.x];
}
extern "C" __global__ void column(float* matrix, int at) {
  for (int i = 0; i < 4; ++i) matrix[threadIdx.x / 32 * 8 + at + i] = at + 1.0f;
}
struct Target { int value; int* out; int* other; };
extern "C" __global__ void into(Target to) { to.out[threadIdx.x] = to.value; }'''
NAMES = (b"fill", b"twice", b"column", b"into")

class Target(ctypes.Structure):
    _fields_ = [("value", ctypes.c_int), ("out", ctypes.c_void_p), ("other", ctypes.c_void_p)]

def launch_into(stream, out, other):
    target = Target(3 if stream is one else 4, int(out), int(other))
    words = (ctypes.c_void_p * 1)(ctypes.addressof(target))
    library = ctypes.CDLL("libamdhip64.so")
    function, handle = (ctypes.c_void_p(int(item)) for item in (into, stream))
    status = library.hipModuleLaunchKernel(function, 1, 1, 1, N, 1, 1, 0, handle, words, None)
    assert status == 0, status

program = ok(hiprtc.hiprtcCreateProgram(source, b"k.hip", 0, None, None))
assert int(hiprtc.hiprtcCompileProgram(program, 0, None)[0].value) == 0
code = bytearray(ok(hiprtc.hiprtcGetCodeSize(program)))
hiprtc.hiprtcGetCode(program, code)
module = ok(hip.hipModuleLoadData(bytes(code)))
fill, twice, column, into = (ok(hip.hipModuleGetFunction(module, name)) for name in NAMES)
N = 256
one, two = (ok(hip.hipStreamCreateWithFlags(1)) for _ in range(2))
event = ok(hip.hipEventCreate())
a, b, c = (ok(hip.hipMalloc(4 * N)) for _ in range(3))
pinned = ok(hip.hipHostMalloc(4 * N, 0))

def launch(function, stream, *arguments):
    assert int(hip.hipModuleLaunchKernel(
        function, 1, 1, 1, N, 1, 1, 0, stream, None, arguments)[0].value) == 0

def set_a(stream, value=1):
    launch(fill, stream, a, ctypes.c_int(value))

def end():
    hip.hipDeviceSynchronize()
    for memory in (a, b, c):
        hip.hipFree(memory)
    hip.hipHostFree(pinned)
    for stream in (one, two):
        hip.hipStreamDestroy(stream)
    hip.hipEventDestroy(event)
    hip.hipModuleUnload(module)
"""


def cases(text: str) -> dict[str, str]:
    """Return programs by the headings above them."""
    parts = [part.partition("\n") for part in text.split("== ")[1:]]
    return {heading: program.rstrip() for heading, _, program in parts}


RIGHT = cases("""
== one stream
set_a(one)
launch(twice, one, a, b)

== stream synchronised
set_a(one)
hip.hipStreamSynchronize(one)
launch(twice, two, a, b)

== device synchronised
set_a(one)
hip.hipDeviceSynchronize()
launch(twice, two, a, b)

== queried
set_a(one)
hip.hipStreamQuery(one)
launch(twice, two, a, b)

== event
set_a(one)
hip.hipEventRecord(event, one)
hip.hipStreamWaitEvent(two, event, 0)
launch(twice, two, a, b)

== event on the host
set_a(one)
hip.hipEventRecord(event, one)
hip.hipEventSynchronize(event)
launch(twice, two, a, b)

== event reused
for i in range(3):
    set_a(one, i + 1)
    hip.hipEventRecord(event, one)
    hip.hipStreamWaitEvent(two, event, 0)
    launch(twice, two, a, b)
    hip.hipEventRecord(event, two)
    hip.hipStreamWaitEvent(one, event, 0)

== through a third stream
three = ok(hip.hipStreamCreateWithFlags(1))
set_a(one)
hip.hipEventRecord(event, one)
hip.hipStreamWaitEvent(three, event, 0)
launch(fill, three, c, ctypes.c_int(1))
hip.hipEventRecord(event, three)
hip.hipStreamWaitEvent(two, event, 0)
launch(twice, two, a, b)
hip.hipStreamDestroy(three)

== blocking streams and the null stream
s = ok(hip.hipStreamCreate())
t = ok(hip.hipStreamCreate())
set_a(s)
launch(fill, None, c, ctypes.c_int(2))
launch(twice, t, a, b)
hip.hipStreamDestroy(s)
hip.hipStreamDestroy(t)

== both only read
launch(twice, one, a, b)
launch(twice, two, a, c)

== not const, yet only read
hip.hipMemset(a, 0, 4 * N)
set_a(one, 0)
set_a(two, 0)

== two halves
hip.hipMemsetAsync(int(a), 1, 2 * N, one)
hip.hipMemsetAsync(int(a) + 2 * N, 2, 2 * N, two)

== columns of one matrix
hip.hipMemset2DAsync(int(a), 64, 1, 32, 8, one)
hip.hipMemset2DAsync(int(a) + 32, 64, 2, 32, 8, two)

== columns of one matrix by kernels
hip.hipMemset(a, 0, 4 * N)
launch(column, one, a, ctypes.c_int(0))
launch(column, two, a, ctypes.c_int(4))

== members of a structure that each stream uses its own of
launch_into(one, a, b)
launch_into(two, b, a)

== hipFree waits
set_a(one)
d = ok(hip.hipMalloc(64))
hip.hipFree(d)
launch(twice, two, a, b)

== stream-ordered
m = ok(hip.hipMallocAsync(4 * N, one))
launch(twice, one, a, m)
hip.hipFreeAsync(m, one)

== stream-ordered across an event
m = ok(hip.hipMallocAsync(4 * N, one))
hip.hipEventRecord(event, one)
hip.hipStreamWaitEvent(two, event, 0)
launch(twice, two, a, m)
hip.hipEventRecord(event, two)
hip.hipStreamWaitEvent(one, event, 0)
hip.hipFreeAsync(m, one)

== copied and waited for
hip.hipMemcpyAsync(pinned, a, 4 * N, hip.hipMemcpyKind.hipMemcpyDeviceToHost, one)
hip.hipStreamSynchronize(one)

== pageable copies wait
host = bytearray(4 * N)
set_a(one)
hip.hipMemcpyAsync(host, a, 4 * N, hip.hipMemcpyKind.hipMemcpyDeviceToHost, one)
launch(twice, two, a, b)
""")

# Name: kind of the finding: what the other operation is called.
WRONG = cases("""
== no order: missing-synchronisation: fill
set_a(one)
launch(twice, two, a, b)

== columns that overlap: missing-synchronisation: column
hip.hipMemset(a, 0, 4 * N)
launch(column, one, a, ctypes.c_int(0))
launch(column, two, a, ctypes.c_int(3))

== floats, whose low bytes stay as they were: missing-synchronisation: column
hip.hipMemset(a, 0, 4 * N)
launch(column, one, a, ctypes.c_int(0))
launch(twice, two, a, b)

== through a structure: missing-synchronisation: into
launch_into(one, a, b)
launch_into(two, a, c)

== write after read: missing-synchronisation: twice
launch(twice, one, a, b)
set_a(two)

== copied too early: missing-synchronisation: fill
set_a(one)
host = bytearray(4 * N)
hip.hipMemcpy(host, a, 4 * N, hip.hipMemcpyKind.hipMemcpyDeviceToHost)

== event recorded too early: missing-synchronisation: fill
hip.hipEventRecord(event, one)
set_a(one)
hip.hipStreamWaitEvent(two, event, 0)
launch(twice, two, a, b)

== event on the wrong stream: missing-synchronisation: fill
set_a(one)
hip.hipEventRecord(event, two)
hip.hipStreamWaitEvent(two, event, 0)
launch(twice, two, a, b)

== wrong stream synchronised: missing-synchronisation: fill
set_a(one)
hip.hipStreamSynchronize(two)
launch(twice, two, a, b)

== fill against kernel: missing-synchronisation: hipMemsetAsync
hip.hipMemsetAsync(a, 1, 4 * N, one)
launch(twice, two, a, b)

== non-blocking against null: missing-synchronisation: fill
set_a(None)
launch(twice, two, a, b)

== used before it is there: missing-synchronisation: hipMallocAsync
m = ok(hip.hipMallocAsync(4 * N, one))
launch(twice, two, a, m)
hip.hipStreamSynchronize(two)
hip.hipFreeAsync(m, one)

== freed while used: free-in-flight: twice
m = ok(hip.hipMallocAsync(4 * N, one))
hip.hipStreamSynchronize(one)
launch(twice, two, a, m)
hip.hipFreeAsync(m, one)

== unregistered while used: free-in-flight: hipMemcpyAsync
host = (ctypes.c_char * (4 * N))()
address = ctypes.addressof(host)
hip.hipHostRegister(address, 4 * N, 0)
hip.hipMemcpyAsync(a, address, 4 * N, hip.hipMemcpyKind.hipMemcpyHostToDevice, one)
hip.hipHostUnregister(address)
""")


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_ordered_is_not_accused(under_ledger: Run, case: str) -> None:
    ran = under_ledger(START + RIGHT[case] + "\nend()\n")
    assert ran.code == 0, ran.errors
    assert [(f["kind"], f["message"]) for f in ran.findings()] == []


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_ordered_names_both_operations(under_ledger: Run, case: str) -> None:
    program = WRONG[case]
    _, kind, other = case.split(": ")
    ran = under_ledger(START + program + "\nend()\n")
    assert ran.code == 0, ran.errors
    (finding,) = ran.findings()
    assert finding["kind"] == kind
    assert other in finding["message"]
    last = program.splitlines()
    assert ran.lines(finding["stack"])[-1] in last
    assert ran.lines(finding["other_stack"])[-1] in last
    assert finding["stack"] != finding["other_stack"]
    assert finding["allocation"]["born"]


def test_pinned_memory_that_is_freed_before_anybody_waited(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + """
host = ok(hip.hipHostMalloc(4 * N, 0))
hip.hipMemcpyAsync(host, a, 4 * N, hip.hipMemcpyKind.hipMemcpyDeviceToHost, one)
hip.hipHostFree(host)
end()
"""
    )
    (finding,) = ran.findings()
    assert (finding["kind"], finding["severity"]) == ("missing-synchronisation", "warning")
    assert "the host never waited" in finding["message"]


def test_a_function_of_an_unloaded_module_is_not_launched(under_ledger: Run) -> None:
    ran = under_ledger(
        START
        + """
hip.hipModuleUnload(module)
status = hip.hipModuleLaunchKernel(fill, 1, 1, 1, N, 1, 1, 0, None, None, (a, ctypes.c_int(1)))
print(int(status[0].value))
hip.hipModuleUnload(module)
end()
"""
    )
    assert (ran.code, ran.output) == (0, "1\n"), ran.errors
    assert ran.kinds() == ["double-free", "double-free", "use-after-free"]
    (launched,) = ran.findings("use-after-free")
    assert ran.lines(launched["other_stack"]) == ["hip.hipModuleUnload(module)"]
