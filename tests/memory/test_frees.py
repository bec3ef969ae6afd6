"""What is freed twice, wrongly or never, with the stacks of both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Run

pytestmark = pytest.mark.memory


def test_a_program_that_frees_all_it_made_has_no_findings(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        for size in (1, 255, 4096, 1 << 20):
            hip.hipFree(ok(hip.hipMalloc(size)))
            hip.hipHostFree(ok(hip.hipHostMalloc(size, 0)))
        hip.hipFree(None)
        hip.hipFree(ok(hip.hipMallocManaged(100, 1)))
        hip.hipFree(ok(hip.hipMallocPitch(100, 10))[0])
        """
    )
    assert (ran.code, ran.kinds()) == (0, []), ran.errors
    assert ran.sums()["allocations"] == ran.sums()["frees"] == 10
    assert ran.sums()["live"] == {"bytes": 0, "allocations": 0}


def test_a_leak_names_the_stack_that_made_it(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        def make():
            return ok(hip.hipMalloc(100))
        def lose():
            return make()
        kept = [lose() for _ in range(3)]
        hip.hipFree(kept[0])
        """
    )
    (leak,) = ran.findings("leak")
    assert (leak["count"], leak["bytes"], leak["severity"]) == (2, 200, "error")
    assert ran.lines(leak["allocation"]["born"])[:2] == [
        "return ok(hip.hipMalloc(100))",
        "return make()",
    ]
    assert leak["allocation"]["born"][0]["function"] == "make"
    assert ran.kinds() == ["leak"]


def test_a_leak_is_found_when_the_program_dies_of_an_exception(under_ledger: Run) -> None:
    ran = under_ledger("memory = ok(hip.hipMalloc(64))\nraise ValueError('on purpose')")
    assert ran.code == 1
    assert "on purpose" in ran.errors
    assert ran.kinds() == ["leak"]


def test_a_double_free_names_both_frees_and_the_birth(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        memory = ok(hip.hipMalloc(64))
        first = hip.hipFree(memory)
        second = hip.hipFree(memory)
        print(int(first[0].value), int(second[0].value), hip.hipGetLastError()[0].name)
        """
    )
    assert ran.output == "0 1 hipErrorInvalidValue\n"
    (finding,) = ran.findings("double-free")
    assert ran.lines(finding["stack"]) == ["second = hip.hipFree(memory)"]
    assert ran.lines(finding["other_stack"]) == ["first = hip.hipFree(memory)"]
    assert ran.lines(finding["allocation"]["born"]) == ["memory = ok(hip.hipMalloc(64))"]
    assert ran.kinds() == ["double-free"]


@pytest.mark.parametrize(
    ("make", "free", "kind"),
    [
        ("int(ok(hip.hipMalloc(64))) + 8", "hipFree", "invalid-free"),
        ("ctypes.addressof(host)", "hipFree", "invalid-free"),
        ("ctypes.addressof(host)", "hipHostUnregister", "invalid-free"),
        ("ok(hip.hipHostMalloc(64, 0))", "hipFree", "mismatched-free"),
        ("ok(hip.hipMalloc(64))", "hipHostFree", "mismatched-free"),
        ("ok(hip.hipMallocManaged(64, 1))", "hipHostFree", "mismatched-free"),
    ],
)
def test_a_wrong_free_is_told_by_its_kind(
    under_ledger: Run, make: str, free: str, kind: str
) -> None:
    ran = under_ledger(
        f"""
        host = (ctypes.c_char * 64)()
        address = {make}
        hip.{free}(address)
        """
    )
    (finding,) = ran.findings(kind)
    assert ran.lines(finding["stack"]) == [f"hip.{free}(address)"]
    assert finding["call"] == free


@pytest.mark.parametrize(
    ("make", "wrong", "right"),
    [
        ("ok(hip.hipHostMalloc(64, 0))", "hipFree", "hipHostFree"),
        ("ok(hip.hipMalloc(64))", "hipHostFree", "hipFree"),
    ],
)
def test_the_right_free_behind_a_wrong_one_is_no_second_mistake(
    under_ledger: Run, make: str, wrong: str, right: str
) -> None:
    ran = under_ledger(
        f"""
        address = {make}
        hip.{wrong}(address)
        ok(hip.{right}(address))
        hip.{right}(address)
        """
    )
    assert ran.kinds() == ["double-free", "mismatched-free"]
    assert ran.lines(ran.findings("double-free")[0]["stack"]) == [f"hip.{right}(address)"]


def test_what_many_threads_make_and_free_is_counted(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        import threading
        def work():
            for _ in range(500):
                hip.hipFree(ok(hip.hipMalloc(256)))
        threads = [threading.Thread(target=work) for _ in range(16)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        """
    )
    assert (ran.code, ran.kinds()) == (0, []), ran.errors
    assert ran.sums()["allocations"] == ran.sums()["frees"] == 8000
    (site,) = ran.sums()["sites"]
    assert ran.lines(site["stack"])[0] == "hip.hipFree(ok(hip.hipMalloc(256)))"


def test_a_forked_child_does_not_answer_for_its_parent(under_ledger: Run) -> None:
    ran = under_ledger(
        """
        memory = ok(hip.hipMalloc(64))
        child = os.fork()
        if child == 0:
            own = ok(hip.hipMalloc(32))
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        hip.hipFree(memory)
        """
    )
    (leak,) = ran.findings("leak")
    assert leak["bytes"] == 32
    assert ran.code == 0, ran.errors
