"""Ends of processes, host functions, exceptions, scopes and sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

pytestmark = pytest.mark.memory

CALLBACK = """
import threading
from hip import hip
stream = ok(hip.hipStreamCreate())
memory = ok(hip.hipMalloc(64))
library = ctypes.CDLL("libamdhip64.so")
done = []
@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def release(_):
    done.append(int(hip.hipFree(memory)[0].value))
handle = ctypes.c_void_p(int(stream))
assert library.hipLaunchHostFunc(handle, release, None) == 0
assert library.hipStreamSynchronize(handle) == 0
print(done)
again = hip.hipFree(memory)
hip.hipStreamDestroy(stream)
"""


def test_memory_freed_in_a_host_function_is_freed(under_ledger: Run) -> None:
    ran = under_ledger(CALLBACK)
    assert (ran.code, ran.output) == (0, "[0]\n"), ran.errors
    (finding,) = ran.findings()
    assert finding["kind"] == "double-free"
    assert ran.lines(finding["other_stack"])[0] == "done.append(int(hip.hipFree(memory)[0].value))"


def test_what_the_interpreter_frees_at_its_end_is_no_leak(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        import atexit, weakref
        class Buffer:
            def __init__(self, size):
                self.memory = ok(hip.hipMalloc(size))
                weakref.finalize(self, hip.hipFree, self.memory)
        class Late:
            def __init__(self):
                self.memory, self.free = ok(hip.hipMalloc(32)), hip.hipFree
            def __del__(self):
                self.free(self.memory)
        kept, late = Buffer(64), Late()
        other = ok(hip.hipMalloc(16))
        atexit.register(hip.hipFree, other)
        """
    )
    assert (ran.code, ran.kinds()) == (0, []), ran.errors


def test_findings_are_written_before_a_sudden_end(under_ledger: Run) -> None:
    for end, code in (("os._exit(3)", 3), ("os.abort()", -6), ("os.kill(os.getpid(), 9)", -9)):
        ran = under_ledger(
            f"memory = ok(hip.hipMalloc(64))\nhip.hipFree(memory)\nhip.hipFree(memory)\n{end}"
        )
        assert (ran.code, ran.kinds()) == (code, ["double-free"])


def test_an_exception_in_flight_is_left_alone(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        class Owner:
            def __init__(self):
                self.memory = ok(hip.hipMalloc(64))
            def __exit__(self, *_):
                hip.hipFree(self.memory)
            def __enter__(self):
                return self
        try:
            with Owner():
                raise KeyError("kept")
        except KeyError as error:
            print(error)
        """
    )
    assert (ran.output, ran.kinds()) == ("'kept'\n", [])


def test_repeats_of_a_finding_are_counted_and_not_listed(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        memory = ok(hip.hipMalloc(64))
        hip.hipFree(memory)
        for _ in range(1000):
            hip.hipFree(memory)
        """
    )
    found = ran.findings("double-free")
    assert len(found) == 2
    assert sum(f["count"] for f in found) == 1000


def test_scopes_expectations_and_a_budget(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        from hipaudit import device
        ledger = device.bind("emulated").ledger
        since = ledger.snapshot()
        scope = ledger.scope_begin("work")
        a = ok(hip.hipMalloc(1000))
        b = ok(hip.hipMalloc(500))
        hip.hipFree(a)
        sums = ledger.scope_end(scope)
        assert (sums.allocations, sums.frees, sums.peak_bytes) == (2, 1, 1500), sums
        (item,) = ledger.live(since)
        assert (item["size"], item["kind"], item["expected"]) == (500, "device", None), item
        assert ledger.expect(int(b), "kept on purpose")
        assert not ledger.expect(1, "nothing there")
        assert ledger.live(since)[0]["expected"] == "kept on purpose"
        ledger.budget(600)
        assert int(hip.hipMalloc(200)[0].value) == 2
        hip.hipFree(ok(hip.hipMalloc(100)))
        ledger.budget(0)
        def cache():
            return ok(hip.hipMalloc(64))
        ledger.expect_site("app.py", cache.__code__.co_firstlineno + 1, "a cache")
        kept = cache()
        assert ledger.report()["memory"]["live"]["allocations"] == 2
        """
    )
    assert (ran.code, ran.kinds()) == (0, []), ran.errors


def test_the_allocation_that_was_asked_for_fails(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        def status(answer):
            return int(answer[0].value)
        calls = (
            lambda: hip.hipMalloc(0), lambda: hip.hipMalloc(64), lambda: hip.hipHostMalloc(64, 0),
            lambda: hip.hipMallocManaged(64, 1), lambda: hip.hipMallocPitch(64, 2),
        )
        print([status(call()) for call in calls])
        sys.stdout.flush()
        os._exit(0)
        """,
        ledger_fail="3",
        ledger_leaks="off",
    )
    assert (ran.code, ran.output) == (0, "[0, 0, 0, 2, 0]\n"), ran.errors


def test_copies_and_waits_are_summed_by_site(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        host = bytes(range(256))
        memory = ok(hip.hipMalloc(256))
        for _ in range(3):
            hip.hipMemcpy(memory, host, 256, hip.hipMemcpyKind.hipMemcpyHostToDevice)
        hip.hipMemset(memory, 0, 256)
        hip.hipMemcpy(memory, host, 256, hip.hipMemcpyKind.hipMemcpyHostToDevice)
        hip.hipDeviceSynchronize()
        hip.hipFree(memory)
        """
    )
    sites = {
        site["count"]: site for site in ran.sums("copies")["sites"] if site["call"] == "hipMemcpy"
    }
    looped = sites[3]
    assert (looped["direction"], looped["source"], looped["bytes"]) == (
        "host_to_device",
        "pageable",
        768,
    )
    assert (looped["repeats"], sites[1]["repeats"]) == (2, 0)
    waits = {site["call"]: site for site in ran.sums("synchronisations")["sites"]}
    assert waits["hipFree"]["hidden"]
    assert not waits["hipDeviceSynchronize"]["hidden"]
    assert waits["hipDeviceSynchronize"]["needless"] == 1


@pytest.mark.parametrize(
    ("program", "accused"),
    [
        ("hip.hipMalloc(1 << 60)", True),
        ("hip.hipStreamSynchronize(0x40)", True),
        ("status = hip.hipStreamSynchronize(0x40)", False),
        ("if int(hip.hipStreamSynchronize(0x40)[0].value): pass", False),
        ("hip.hipStreamSynchronize(0x40)\nhip.hipGetLastError()", False),
        ("hip.hipDeviceSynchronize()", False),
    ],
)
def test_an_error_that_is_dropped_is_told_from_one_that_is_looked_at(
    under_ledger: Run, program: str, accused: bool
) -> None:
    ran = under_ledger(program)
    found = ran.findings()
    assert ran.code == 0, ran.errors
    if not accused:
        assert found == []
        return
    (finding,) = found
    assert ran.lines(finding["stack"]) == [program.splitlines()[0]]
