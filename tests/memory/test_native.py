"""Native programs with the ledger before their HIP library, which is a plain one made for this."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hipaudit import device, native_build, rocm

pytestmark = pytest.mark.memory

SOURCES = Path(__file__).parent / "native"


@dataclass(frozen=True, slots=True)
class Native:
    """A HIP library, a program linked against it, and the ledger over it."""

    library: Path
    program: Path
    ledger: Path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the program with these words, under the ledger."""
        environment = {**os.environ, "LD_PRELOAD": str(self.ledger), **variables}
        environment["LD_LIBRARY_PATH"] = str(self.library.parent)
        return subprocess.run(
            [self.program, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


def compiled(*words: str | Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-O1",
        "-g",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pthread",
    ]
    result = subprocess.run(
        [*command, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    folder = tmp_path_factory.mktemp("plain-hip")
    library = folder / "libamdhip64.so.7"
    shared = ("-shared", "-fPIC", f"-Wl,-soname,{library.name}")
    compiled(*shared, "-o", library, SOURCES / "plain_hip.c")
    program = folder / "program"
    compiled("-o", program, SOURCES / "program.c", library)
    return Native(library, program, native_build.ledger_for(library))


CLEAN = (
    "copy-right-way",
    "threads",
    "forks",
    "clean",
    "guarded",
    "streams",
    "per-thread",
    "graph",
    "array",
    "ipc",
)


@pytest.mark.parametrize("what", CLEAN)
def test_a_right_program_is_not_accused(native: Native, what: str) -> None:
    result = native.run(what)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("what", "kind", "part"),
    [
        ("leak", "leak", "64 bytes"),
        ("inside", "invalid-free", "16 bytes inside"),
        ("double-free", "double-free", "which hipFree freed before"),
        ("copy-too-long", "copy-out-of-bounds", "32 too many"),
        ("copy-beside", "copy-out-of-bounds", "outside of device allocation 1"),
        ("copy-freed", "use-after-free", "which hipFree freed"),
        ("copy-wrong-way", "argument-mismatch", "direction says host memory"),
        ("past-the-end", "canary-overwritten", "at its end"),
        ("before-the-start", "canary-overwritten", "1 bytes before its start"),
        ("after-free", "use-after-free", "the first at offset 10"),
        ("streams-unordered", "missing-synchronisation", "nothing orders the two"),
        ("per-thread-unordered", "missing-synchronisation", "the per-thread stream"),
        ("graph-of-freed", "use-after-free", "of a graph in which hipMemsetAsync uses"),
        ("array-kept", "leak", "array 1"),
        ("ipc-kept", "leak", "memory of another process"),
        ("ipc-closed-twice", "double-free", "which hipIpcCloseMemHandle freed before"),
        ("ipc-freed", "mismatched-free", "which hipIpcOpenMemHandle made"),
        ("ipc-used-after", "use-after-free", "which hipIpcCloseMemHandle freed"),
    ],
)
def test_a_mistake_is_reported_and_the_exit_code_says_so(
    native: Native, what: str, kind: str, part: str
) -> None:
    result = native.run(what)
    assert result.returncode == 1, result.stderr
    first = result.stderr.splitlines()[0]
    assert first.startswith(f"hipaudit: {kind}: ")
    assert part in first
    assert "program+0x" in result.stderr


def test_a_double_free_never_reaches_the_library(native: Native) -> None:
    assert native.run("double-free").stdout == "free 1\nfrees below 0\n"


@pytest.mark.parametrize(("redzone", "below"), [("0", 1), ("256", 0)], ids=["bare", "held back"])
def test_the_right_free_behind_a_wrong_one_does_not_reach_the_library_either(
    native: Native, redzone: str, below: int
) -> None:
    result = native.run("wrong-free", HIPAUDIT_LEDGER_REDZONE=redzone)
    assert result.stdout == f"frees 0 0, below {below}\n"
    assert result.stderr.count("hipaudit: mismatched-free: ") == 1
    assert "double-free" not in result.stderr


def test_a_copy_out_of_bounds_is_not_made(native: Native) -> None:
    assert native.run("copy-too-long").stdout == "copy 1, copies below 0\n"


def test_the_program_s_own_exit_code_is_passed_on(native: Native) -> None:
    result = native.run("leak-and-fail")
    assert result.returncode == 5
    assert "leak" in result.stderr


def test_with_a_journal_nothing_is_printed(native: Native, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    result = native.run("leak", HIPAUDIT_JOURNAL=str(journal))
    assert (result.returncode, result.stderr) == (0, "")
    (leak,) = [r for r in device.read_journal(journal) if r["record"] == "finding"]
    assert leak["kind"] == "leak"
    made = leak["allocation"]["born"]
    assert [Path(frame["object"]).name for frame in made[:2]] == ["program", "program"]


def test_off_is_off(native: Native) -> None:
    result = native.run("leak", HIPAUDIT_LEDGER="off")
    assert (result.returncode, result.stderr) == (0, "")


def test_only_what_the_library_has_is_offered(native: Native) -> None:
    offered = rocm.exported_names(native.ledger)
    assert "hipMalloc" in offered
    assert "hipMallocAsync" not in offered
    assert "hipRuntimeGetVersion" not in offered, "what is not tracked passes through"


def test_a_million_events_take_no_more_memory(native: Native) -> None:
    result = native.run("busy", HIPAUDIT_LEDGER_REDZONE="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout.split()[0]) < 4096
