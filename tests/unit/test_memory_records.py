"""From the ledger's records to data, findings, terminal, SARIF and plots: on records made here."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from hipaudit.audits import buffer_copies, hidden_synchronisation, storage_modes
from hipaudit.audits.decoding import Decoding
from hipaudit.finding import Findings, Reader, grouped
from hipaudit.layouts.facts import compile_unit
from hipaudit.memory import MemoryUse, memory_use
from hipaudit.memory_hygiene import hygiene_findings
from hipaudit.outcome import Outcome
from hipaudit.report import plots
from hipaudit.report.sarif import sarif
from hipaudit.report.terminal import console, show
from hipaudit.stacks import frames_of, user_frame
from hipaudit.symbolise import Frame, Symboliser
from hipaudit.text import inert

PROGRAM = """def call(function, *arguments):
    return function(*arguments)

class Buffer:
    def __init__(self, size):
        self.memory = call(hip.hipMalloc, size)

def work():
    first = Buffer(64)
    second = Buffer(64)
    hip.hipFree(first.memory)
"""


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return str(path)


def frame(file: str, function: str, line: int) -> dict[str, Any]:
    return {"file": file, "function": function, "line": line}


def birth(file: str, line: int) -> list[dict[str, Any]]:
    return [
        frame(file, "call", 2),
        frame(file, "Buffer.__init__", 6),
        frame(file, "work", line),
    ]


def leak(file: str, line: int) -> dict[str, Any]:
    memory = {
        "name": "device allocation 3",
        "address": 4096,
        "size": 64,
        "offset": 0,
        "kind": "device",
        "born": birth(file, line),
        "born_call": "hipMalloc",
        "freed": None,
    }
    return {
        "record": "finding",
        "source": "ledger",
        "kind": "leak",
        "severity": "error",
        "kernel": None,
        "message": "1 device allocation of 64 bytes was never freed",
        "count": 1,
        "bytes": 64,
        "allocation": memory,
        "location": None,
        "stack": [],
    }


def double_free(file: str) -> dict[str, Any]:
    record = leak(file, 9)
    record |= {"kind": "double-free", "access": "free", "call": "hipFree"}
    record["stack"] = [frame(file, "work", 11)]
    record |= {"other_call": "hipFree", "other_stack": [frame(file, "work", 10)]}
    return record


def uses(**given: int) -> dict[str, int]:
    names = ("copied_to", "copied_to_bytes", "copied_from", "copied_from_bytes")
    return dict.fromkeys((*names, "async_copies", "fills", "launches"), 0) | given


def site(file: str, kind: str = "device", **used: int) -> dict[str, Any]:
    return {
        "stack": birth(file, 9),
        "call": "hipMalloc",
        "kind": kind,
        "allocations": 2,
        "frees": 1,
        "bytes": 128,
        "live_bytes": 64,
        "live_allocations": 1,
        "peak_bytes": 128,
        "uses": uses(**used),
    }


def copies(file: str, **changed: Any) -> dict[str, Any]:
    return {
        "call": "hipMemcpy",
        "stack": [frame(file, "work", 11)],
        "direction": "host_to_device",
        "source": "pageable",
        "destination": "device",
        "stream": "null",
        "async": False,
        "count": 4,
        "bytes": 256,
        "min_bytes": 64,
        "max_bytes": 64,
        "repeats": 0,
        "repeat_bytes": 0,
    } | changed


def waits(file: str, **changed: Any) -> dict[str, Any]:
    return {
        "call": "hipFree",
        "stack": [frame(file, "work", 11)],
        "hidden": True,
        "reason": "it waits for the device",
        "stream": "null",
        "count": 12,
        "needless": 2,
    } | changed


def records(
    file: str, pid: int = 7, lists: dict[str, list[dict[str, Any]]] | None = None
) -> list[dict[str, Any]]:
    lists = lists or {}
    memory = {
        "record": "memory",
        "pid": pid,
        "final": True,
        "allocations": 3,
        "frees": 2,
        "bytes": 192,
        "live": {"allocations": 1, "bytes": 64},
        "peak": {"bytes": 128 * pid, "allocations": 2, "t_ms": 1.5, "owners": []},
        "sites": lists.get("sites", [site(file, launches=1)]),
        "timeline": [[0.0, 0, 0, 0], [1.0, 64, 1, 128], [2.0, 64, 1, 64]],
    }
    return [
        {**memory, "allocations": 1, "final": False},
        memory,
        {"record": "copies", "pid": pid, "sites": lists.get("copies", [])},
        {"record": "synchronisations", "pid": pid, "sites": lists.get("waits", [])},
    ]


def use(file: str, **lists: list[dict[str, Any]]) -> MemoryUse:
    found = memory_use(records(file, lists=lists))
    assert found is not None
    return found


def test_a_leak_is_shown_at_the_line_that_names_the_call(source: str) -> None:
    (one,) = Reader().findings([leak(source, 9)])
    assert one.location is not None
    assert (one.location.line, one.location.function) == (6, "Buffer.__init__")
    assert [step.line for step in one.location.frames] == [2, 6, 9]
    assert one.location.call == "hipMalloc"


def test_leaks_through_one_wrapper_from_two_functions_are_two(source: str) -> None:
    other = leak(source, 10)
    other["allocation"]["born"][-1]["function"] = "more_work"
    found = grouped(Reader().findings([leak(source, 9), leak(source, 9), other])).items
    assert sorted(one.count for one in found) == [1, 2]


def test_a_double_free_names_both_frees_and_the_birth(source: str) -> None:
    (one,) = Reader(replay="hipaudit exec -- p").findings([double_free(source)])
    assert one.location is not None
    assert one.other_location is not None
    assert (one.location.line, one.other_location.line) == (11, 10)
    out = io.StringIO()
    outcome = Outcome("a device", "gfx942", [], Findings((one,)))
    show(outcome, console(out))
    text = out.getvalue()
    assert f"at {source}:11, hipFree" in text
    assert f"against {source}:10, hipFree" in text
    assert f"made at {source}:6, hipMalloc" in text
    assert f"from work at {source}:9" in text
    data = outcome.as_json()["findings"][0]
    assert data["allocation"]["born"]["line"] == 6
    assert data["other_location"]["call"] == "hipFree"
    result = sarif(outcome, exit_code=1)["runs"][0]["results"][0]
    assert [where["message"]["text"] for where in result["relatedLocations"]] == [
        "the other side, hipFree",
        "made at, hipMalloc",
    ]
    assert len(result["stacks"]) == 3
    json.dumps(result)


def test_a_kernel_s_finding_keeps_its_place_and_says_who_launched(source: str) -> None:
    record = double_free(source) | {
        "kind": "out-of-bounds-global",
        "kernel": "k",
        "location": {"file": "k.hip", "line": 3, "thread": [1, 0, 0]},
        "call": "hipModuleLaunchKernel",
        "other_stack": None,
    }
    (one,) = Reader().findings([record])
    assert one.location is not None
    assert one.called is not None
    assert (one.location.file, one.called.line) == ("k.hip", 11)


def test_owners_behind_one_wrapper_are_told_by_their_own_lines(source: str) -> None:
    second = {**site(source), "stack": birth(source, 10), "peak_bytes": 64}
    first, other = use(source, sites=[site(source), second]).owners
    assert [one.location.line for one in (first, other)] == [9, 10]
    (alone,) = use(source, sites=[site(source)]).owners
    assert alone.location.line == 6


def test_the_last_record_of_each_process_counts(source: str) -> None:
    both = memory_use([*records(source, 7), *records(source, 9)])
    assert both is not None
    assert (both.allocations, both.frees, both.live_bytes) == (6, 4, 128)
    assert both.peak_bytes == 128 * 9
    assert [step.peak for step in both.timeline] == [0, 128, 64]
    assert memory_use([{"record": "launch"}]) is None


def test_hygiene_says_which_copies_and_waits_are_too_many(source: str) -> None:
    found = hygiene_findings(
        use(
            source,
            copies=[
                copies(source),
                copies(source, repeats=3, repeat_bytes=192),
                copies(source, **{"async": True}),
                copies(source, **{"async": True}, source="pinned"),
                copies(source, direction="fill", repeats=2),
            ],
            waits=[
                waits(source),
                waits(source, count=3),
                waits(source, needless=12),
                waits(source, hidden=False, call="hipDeviceSynchronize"),
                waits(source, call="hipMemcpy"),
            ],
        ),
        "gfx942",
    )
    assert [(one.kind, one.severity, one.count) for one in found] == [
        ("redundant-copy", "warning", 3),
        ("pageable-async-copy", "warning", 4),
        ("hidden-synchronisation", "info", 10),
    ]
    assert all(one.location is not None and one.location.line == 11 for one in found)
    assert hygiene_findings(use(source, copies=[copies(source)]), "gfx942") == []


def decoded(memory: MemoryUse) -> Decoding:
    return Decoding("model.gguf", "gfx942", 1, 4, memory, (), ())


def test_the_audits_tables(source: str) -> None:
    memory = use(
        source,
        sites=[
            site(source, launches=1),
            site(source, kind="host", copied_to=3),
            site(source, kind="host", async_copies=1),
            site(source, kind="managed", copied_to=2, launches=4),
            site(source, copied_from=1),
            site(source),
        ],
        copies=[copies(source), copies(source, repeats=2)],
        waits=[waits(source), waits(source, needless=12)],
    )
    modes = storage_modes.audit(decoded(memory))
    assert sorted(row[-1].partition(":")[0] for row in modes.rows) == [
        "as it is",
        "as it is",
        "device memory",
        "host memory",
        "nothing",
        "pageable",
    ]
    assert modes.rows[0][1] == "__init__:6 < work"
    bought = buffer_copies.audit(decoded(memory))
    assert {row[-1] for row in bought.rows} == {"", "copy once"}
    assert [one.kind for one in bought.findings] == ["redundant-copy"]
    assert bought.totals[0].startswith("8 copies of 512 bytes to the device: 128 bytes a token")
    hidden = hidden_synchronisation.audit(decoded(memory))
    assert [row[3:5] for row in hidden.rows] == [("12", "2"), ("12", "12")]
    assert "10 times, 2.5 a token: 0 times in a copy" in hidden.totals[0]


def test_a_plot_is_the_same_bytes_twice(source: str, tmp_path: Path) -> None:
    memory = use(source)
    for name in ("a.svg", "b.svg"):
        plots.peak_owners(memory, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    plots.live_memory(memory, tmp_path / "live.svg")
    for name in ("a.svg", "live.svg"):
        assert "program.py:6" in (tmp_path / name).read_text()


@pytest.mark.parametrize(
    "name", ["$\\bad{$.py", "</text><script>&.py", "\u4e2d.py", "a\n\u202e.py"]
)
def test_a_plot_shows_any_name_as_it_is(tmp_path: Path, name: str) -> None:
    file = tmp_path / name.replace("/", "\u2215")
    file.write_text(PROGRAM)
    plots.live_memory(use(str(file)), tmp_path / "live.svg")
    drawn = "".join(ET.parse(tmp_path / "live.svg").getroot().itertext())  # noqa: S314
    assert f"{inert(file.name)}:6" in drawn


def test_native_frames_resolve_by_debugging_information(tmp_path: Path) -> None:
    text = (
        "#include <stddef.h>\nextern int last;\nint last = 0;\nint work(int n) {\n  return n;\n}\n"
    )
    built = compile_unit(text, tmp_path)
    stack = [{"object": str(built), "offset": 1, "function": "work(int)"}]
    (found,) = frames_of(stack, Symboliser())
    assert (Path(found.file).name, found.line in {4, 5}) == ("unit.cpp", True)
    unknown = {"object": "/usr/lib/libnone.so", "offset": 64, "function": "f"}
    assert frames_of([unknown], Symboliser()) == (Frame("f", "/usr/lib/libnone.so", 0),)


def test_the_harness_s_own_frames_are_not_the_user_s() -> None:
    import hipaudit.device

    ours = Frame("call", str(hipaudit.device.__file__), 3)
    theirs = Frame("main", "/somewhere/app.py", 4)
    assert user_frame([ours, theirs], "hipMalloc") == theirs
    assert user_frame([ours], "hipMalloc") == ours
    assert user_frame([], "hipMalloc") == Frame("", "", 0)
