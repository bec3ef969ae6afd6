"""The ledger in pytest, black box: what a suite sees of leaks, limits, keep-lists and fixtures."""

from __future__ import annotations

import pytest

HEAD = """
import pytest
from hip import hip

def malloc(size):
    status, pointer = hip.hipMalloc(size)
    assert int(status.value) == 0, status
    return pointer

def free(pointer):
    assert int(hip.hipFree(pointer)[0].value) == 0
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester


def run(suite: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    suite.makepyfile(test_it=HEAD + body)
    return suite.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_a_leak_fails_the_test_that_made_it_and_no_other(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def test_clean(device):
    free(malloc(64))

def test_leaks(device):
    buffer = malloc(4096)  # the leak

def test_clean_too(device):
    free(malloc(64))
""",
    )
    result.assert_outcomes(passed=3, errors=1)
    out = result.stdout.str()
    assert "ERROR at teardown of test_leaks" in out
    assert "left behind on the device:" in out
    assert "of 4.0 KiB, hipMalloc at" in out
    assert "test_leaks at" in out, "the stack goes up to the test"
    assert "malloc at" in out


def test_a_leak_of_every_kind_is_seen(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
@pytest.mark.parametrize("make", [
    lambda: hip.hipHostMalloc(64, 0), lambda: hip.hipStreamCreate(), lambda: hip.hipEventCreate(),
    lambda: hip.hipMallocManaged(64, 1), lambda: hip.hipMallocPitch(64, 4),
])
def test_leaks(device, make):
    assert int(make()[0].value) == 0
""",
    )
    result.assert_outcomes(passed=5, errors=5)


def test_without_the_ledger_nothing_is_asked(suite: pytest.Pytester) -> None:
    body = "def test_leaks(device):\n    malloc(64)\n"
    run(suite, body, "--hip-ledger", "off").assert_outcomes(passed=1)
    run(suite, body).assert_outcomes(passed=1, errors=1)


def test_a_wider_fixture_is_asked_when_it_ends(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
@pytest.fixture(scope="module")
def good(device):
    buffer = malloc(128)
    yield buffer
    free(buffer)

@pytest.fixture(scope="module")
def bad(device):
    return malloc(256)

def test_one(good, bad):
    pass

def test_two(good, bad):
    free(malloc(64))
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    out = result.stdout.str()
    assert "ERROR at teardown of test_two" in out
    assert "left behind by the module fixture bad" in out
    assert "fixture good" not in out


def test_a_function_fixture_frees_before_it_is_asked(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
@pytest.fixture
def buffer(device):
    pointer = malloc(128)
    yield pointer
    free(pointer)

def test_one(buffer):
    pass
""",
    )
    result.assert_outcomes(passed=1)


def test_a_cycle_is_collected_before_anyone_is_accused(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
class Buffer:
    def __init__(self):
        self.memory = malloc(64)
        self.me = self
    def __del__(self):
        free(self.memory)

def test_cycle(device):
    Buffer()
""",
    )
    result.assert_outcomes(passed=1)


def test_limits_are_held_over_the_test_s_body(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
@pytest.fixture
def big():
    pointer = malloc(10_000_000)
    yield
    free(pointer)

@pytest.mark.memory(limit="1 MB")
def test_within(device, big):
    for _ in range(4):
        free(malloc(900_000))

@pytest.mark.memory(limit="1 MB")
def test_beyond(device):
    buffers = [malloc(400_000) for _ in range(3)]
    for buffer in buffers:
        free(buffer)
""",
    )
    result.assert_outcomes(passed=1, failed=1)
    assert "live device memory rose by 1.1 MiB, the limit is 976.6 KiB" in result.stdout.str()


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("limit='many'", "a memory limit of 'many'"),
        ("size=3", "takes limit, keep, provokes by name, not size"),
        ("3", "not 3"),
    ],
)
def test_a_mark_that_cannot_be_meant_is_an_error(
    suite: pytest.Pytester, mark: str, words: str
) -> None:
    body = f"@pytest.mark.memory({mark})\ndef test_one(device):\n    pass\n"
    result = run(suite, body)
    assert words in result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_what_is_kept_on_purpose_has_a_reason(suite: pytest.Pytester) -> None:
    body = """
CACHE = []

def cached():
    CACHE.append(malloc(64))

def test_one(device):
    cached()

@pytest.mark.memory(keep="the cache lives as long as the process")
def test_two(device):
    malloc(64)

def test_three(hip_ledger):
    hip_ledger.expect(malloc(64), "handed to the driver")
"""
    suite.makeini("[pytest]\nhip_ledger_keep =\n    test_it.py:15: the cache lives on\n")
    run(suite, body).assert_outcomes(passed=3)
    suite.makeini("[pytest]\nhip_ledger_keep =\n    test_it.py:15\n")
    result = run(suite, body)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "is not 'FILE[:LINE]: REASON'" in result.stderr.str()
    suite.makeini("[pytest]\n")
    run(suite, body).assert_outcomes(passed=3, errors=1)


def test_misuse_fails_the_test_unless_it_is_provoked(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def twice():
    pointer = malloc(64)
    free(pointer)
    hip.hipFree(pointer)

def test_twice(device):
    twice()

@pytest.mark.memory(provokes=["double-free"])
def test_on_purpose(device):
    twice()
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    out = result.stdout.str()
    assert "ERROR at teardown of test_twice" in out
    assert "double-free" in out
    assert "hip.hipFree(pointer)" in out


def test_a_test_that_failed_is_not_accused_twice(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def test_fails(device):
    buffer = malloc(64)
    assert False

def test_after(device):
    free(malloc(64))
""",
    )
    result.assert_outcomes(passed=1, failed=1)


def test_the_fixture_s_snapshots_scopes_and_budgets(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def test_it(hip_ledger):
    before = hip_ledger.snapshot()
    first = malloc(1000)
    after = hip_ledger.snapshot()
    second = malloc(500)
    change = hip_ledger.diff(before)
    assert [one.size for one in change.made] == [1000, 500]
    assert change.gone == () and change.bytes == 1500
    assert change.made[0].born.function == "malloc"
    assert "+1.5 KiB: 2 made, 0 given back" in change.text()
    free(first)
    assert [one.size for one in hip_ledger.diff(after).gone] == [1000]
    with hip_ledger.scope("inner") as seen:
        free(malloc(2000))
    assert (seen[0].allocations, seen[0].frees, seen[0].growth) == (1, 1, 2000)
    with hip_ledger.budget("1 MiB"):
        status, _ = hip.hipMalloc(2 << 20)
        assert status.name == "hipErrorOutOfMemory"
    free(malloc(2 << 20))
    free(second)
    assert hip_ledger.findings() == ()
""",
    )
    result.assert_outcomes(passed=1)


def test_each_allocation_of_a_function_fails_once(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
class Two:
    def __init__(self, tidy=True):
        self.memory = []
        try:
            for size in (100, 200):
                self.memory.append(malloc(size))
        except Exception:
            if tidy:
                self.close()
            raise
    def close(self):
        for one in self.memory:
            free(one)

@pytest.mark.parametrize("tidy", [True, False])
def test_two(hip_ledger, tidy):
    assert hip_ledger.fail_each(lambda: Two(tidy).close(), AssertionError) == 2

def test_an_error_that_is_lost(hip_ledger):
    def careless():
        status, memory = hip.hipMalloc(64)
        if status.name == "hipSuccess":
            free(memory)
    hip_ledger.fail_each(careless, AssertionError)

def test_another_error_goes_through(hip_ledger):
    with pytest.raises(AssertionError, match="hipErrorOutOfMemory"):
        hip_ledger.fail_each(lambda: free(malloc(8)), KeyError)
    with hip_ledger.failing(2):
        first = malloc(8)
        assert hip.hipMalloc(8)[0].name == "hipErrorOutOfMemory"
        for pointer in (first, malloc(8)):
            free(pointer)
""",
    )
    result.assert_outcomes(passed=2, failed=2)
    said = result.stdout.str()
    assert "allocation 2 failed: left behind on the device:" in said
    assert "allocation 1 failed, and no error was raised" in said


def test_each_copy_and_stream_of_a_function_fails_once(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def checked(answer):
    if answer[0].name != "hipSuccess":
        raise MemoryError(answer[0].name)
    return answer[-1]

def work():
    memory = malloc(64)
    try:
        host = bytearray(64)
        checked(hip.hipMemset(memory, 0, 64))
        checked(hip.hipMemcpy(memory, host, 64, hip.hipMemcpyKind.hipMemcpyHostToDevice))
        stream = checked(hip.hipStreamCreate())
        try:
            checked(hip.hipEventDestroy(checked(hip.hipEventCreate())))
        finally:
            checked(hip.hipStreamDestroy(stream))
    finally:
        free(memory)

def test_it(hip_ledger):
    assert hip_ledger.fail_each(work, MemoryError, "copies") == 2
    assert hip_ledger.fail_each(work, MemoryError, "streams") == 2
    assert hip_ledger.fail_each(work, MemoryError, "launches") == 0

def test_a_copy_that_is_not_looked_at(hip_ledger):
    def careless():
        memory = malloc(64)
        status = hip.hipMemset(memory, 0, 64)
        free(memory)
    hip_ledger.fail_each(careless, MemoryError, "copies")

def test_what_cannot_fail(hip_ledger):
    hip_ledger.fail_each(work, MemoryError, "frees")
""",
    )
    result.assert_outcomes(passed=1, failed=2)
    said = result.stdout.str()
    assert "copy 1 failed, and no error was raised" in said
    assert "'frees' cannot be made to fail: allocations, launches, copies or streams" in said


def test_workers_of_xdist_see_the_same(suite: pytest.Pytester) -> None:
    body = """
@pytest.mark.parametrize("n", range(6))
def test_it(device, n):
    pointer = malloc(64)
    if n != 4:
        free(pointer)
"""
    result = run(suite, body, "-n", "2")
    result.assert_outcomes(passed=6, errors=1)
    assert "test_it[4]" in result.stdout.str()


def test_a_suite_without_a_device_pays_nothing(suite: pytest.Pytester) -> None:
    body = """
def test_it():
    import sys
    assert "hipaudit.finding" not in sys.modules
    assert "hipaudit.live" not in sys.modules
"""
    suite.makepyfile(test_it="import pytest\n" + body)
    suite.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
