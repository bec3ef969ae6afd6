"""Guard pages, painted slack, red zones: what happens to a store beside a buffer."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Emulated, Finding

BEYOND_GUARDED = 4200  # more live buffers than have pages of their own


def dies(emulated: Emulated, program: str) -> bool:
    result = emulated.run(program)
    assert result.returncode in {0, -signal.SIGSEGV}, result.stderr
    return result.returncode == -signal.SIGSEGV


@pytest.mark.parametrize(
    ("size", "offset"),
    [(4096, 4096), (4096, -1), (1000, 1024), (1, 256), (1 << 20, 1 << 20), (4097, 4097 + 255)],
)
@pytest.mark.parametrize("access", ["ctypes.string_at(a, 1)", "ctypes.memset(a, 1, 1)"])
def test_running_off_a_buffer_faults(
    emulated: Emulated, size: int, offset: int, access: str
) -> None:
    assert dies(emulated, f"a = malloc({size}) + {offset}\n{access}")


def test_a_wide_stride_does_not_land_in_the_neighbour(emulated: Emulated) -> None:
    assert dies(emulated, "a = malloc(4096); b = malloc(4096)\nctypes.memset(a + 32768, 1, 1)")


@pytest.mark.parametrize("size", [1, 1000, 4096, 10_000_000])
def test_use_after_free_faults(emulated: Emulated, size: int) -> None:
    assert dies(emulated, f"a = malloc({size}); free(a)\nctypes.string_at(a, 1)")


def test_use_after_free_faults_after_many_more_allocations(emulated: Emulated) -> None:
    assert dies(
        emulated,
        """
        a = malloc(1000); free(a)
        for _ in range(20_000): free(malloc(1000))
        ctypes.string_at(a, 1)
        """,
    )


def only(findings: Callable[[], list[Finding]]) -> Finding:
    found = findings()
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(("offset", "said"), [(1000, "at its end"), (1003, "3 bytes past its end")])
def test_slack_after_a_buffer_is_checked_when_it_is_freed(
    emulated: Emulated, findings: Callable[[], list[Finding]], offset: int, said: str
) -> None:
    address = emulated.malloc(1000)
    ctypes.memset(address + offset, 0, 2)
    assert findings() == []
    assert emulated.free(address) == 0
    finding = only(findings)
    assert finding["kind"] == "canary-overwritten"
    assert finding["severity"] == "error"
    assert finding["access"] == "write"
    assert finding["bytes"] == 2
    assert said in finding["message"]
    allocation = finding["allocation"]
    assert (allocation["address"], allocation["size"]) == (address, 1000)
    assert allocation["offset"] == offset


def test_slack_before_a_buffer_is_checked(
    emulated: Emulated, findings: Callable[[], list[Finding]]
) -> None:
    address = emulated.malloc(1000)
    ctypes.memset(address - 8, 0, 4)
    emulated.free(address)
    finding = only(findings)
    assert finding["allocation"]["offset"] == -8
    assert "8 bytes before its start" in finding["message"]


def test_what_lies_between_the_damaged_bytes_counts_as_one(
    emulated: Emulated, findings: Callable[[], list[Finding]]
) -> None:
    address = emulated.malloc(100)
    ctypes.memset(address + 101, 0, 1)
    ctypes.memset(address + 140, 0, 1)
    emulated.free(address)
    assert only(findings)["bytes"] == 40


def test_damage_beside_a_buffer_never_freed_is_found_at_exit(emulated: Emulated) -> None:
    result = emulated.run("a = malloc(100)\nctypes.memset(a + 100, 0, 4)")
    assert result.returncode == 0
    assert result.stderr.count("canary-overwritten") == 1


def test_red_zones_of_slabs(emulated: Emulated) -> None:
    result = emulated.run(
        f"""
        held = [malloc(64) for _ in range({BEYOND_GUARDED})]
        for size in (1, 64, 256, 1000, 5000, 70_000, 1 << 20, 5 << 20):
            a = malloc(size)
            ctypes.memset(a, 1, size)
            assert free(a) == 0
            for offset in (size, size + 255, -1, -256):
                b = malloc(size)
                ctypes.memset(b + offset, 0, 1)
                print(size, offset, b)
                assert free(b) == 0
        """
    )
    assert result.returncode == 0, result.stderr
    stores = len(result.stdout.splitlines())
    assert stores == 8 * 4
    assert result.stderr.count("canary-overwritten") == stores


def test_a_write_to_a_freed_slot_is_found_when_the_slot_is_used_again(emulated: Emulated) -> None:
    result = emulated.run(
        f"""
        held = [malloc(64) for _ in range({BEYOND_GUARDED})]
        a = malloc(64); free(a)
        ctypes.memset(a + 8, 0, 4)
        for _ in range(3000): free(malloc(64))
        """
    )
    assert result.returncode == 0
    assert result.stderr.count("use-after-free") == 1
    assert "4 bytes of device allocation" in result.stderr


def test_large_buffers_beyond_the_guarded_ones_give_their_pages_back(emulated: Emulated) -> None:
    result = emulated.run(
        f"""
        held = [malloc(64) for _ in range({BEYOND_GUARDED})]
        resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
        before = resident()
        a = malloc(256 << 20)
        ctypes.memset(a, 1, 256 << 20)
        assert resident() - before > 200 << 20
        free(a)
        assert resident() - before < 32 << 20
        """
    )
    assert result.returncode == 0, result.stderr
