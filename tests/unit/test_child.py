"""Children: results, errors that come back as themselves, and deaths that are findings."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hipaudit import child, forked
from hipaudit.child import function_named, run_in_child
from hipaudit.errors import CompileError, DeviceError, HipauditError, UsageError

SETTINGS = {"arch": "gfx942", "build": "plain"}


def run(target: str, payload: Mapping[str, Any] | None = None, **options: Any) -> child.ChildResult:
    return run_in_child(target, payload or {}, choice="emulated", settings=SETTINGS, **options)


def test_only_functions_of_hipaudit_can_be_called() -> None:
    with pytest.raises(UsageError, match="not a function of hipaudit"):
        function_named("os:system")
    with pytest.raises(UsageError, match="not a function of hipaudit"):
        run("os:system")


def test_an_error_raised_on_purpose_comes_back_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "broken.hip"
    path.write_text('extern "C" __global__ void k() { undeclared(); }\n')
    payload = {"file": str(path), "include": [], "define": []}
    with pytest.raises(CompileError, match=r"broken\.hip:1:.*undeclared"):
        run("hipaudit.job:describe", payload)


def test_a_defect_comes_back_with_its_traceback() -> None:
    with pytest.raises(child.ChildError, match="KeyError: 'file'"):
        run("hipaudit.job:describe")


def test_progress_and_result_arrive(tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text('extern "C" __global__ void k(int* p) { p[threadIdx.x] = 1; }\n')
    seen: list[Any] = []
    payload: dict[str, Any] = {"file": str(path), "include": [], "define": [], "kernel": ""}
    payload |= {"args": ["i32[64]"], "grid": [1, 1, 1], "block": [64, 1, 1], "shared": 0}
    payload |= {"seed": 0, "build": "plain", "save": None}
    result = run("hipaudit.job:launch", payload, progress=seen.append)
    assert seen == [{"launching": "k"}]
    assert result.value["status"] is None
    assert result.death is None
    assert [r["kernel"] for r in result.records if r["record"] == "launch"] == ["k"]


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (-signal.SIGSEGV, "wild-access", "died of SIGSEGV"),
        (-signal.SIGFPE, "undefined-behaviour", "died of SIGFPE"),
        (-signal.SIGABRT, "undefined-behaviour", "died of SIGABRT"),
        (-signal.SIGXCPU, "timeout", "died of SIGXCPU"),
        (3, "wild-access", "exit code 3"),
    ],
)
def test_a_death_names_what_it_says_about_the_kernel(code: int, kind: str, says: str) -> None:
    record = child._death(code, None, SETTINGS)
    assert (record["kind"], record["severity"], record["arch"]) == (kind, "error", "gfx942")
    assert says in record["message"]


IMPOSTOR = """
import os, sys
from hipaudit import fork_server

def impostor(folder, descriptor):
    os.set_inheritable(descriptor, True)
    os.execv("/bin/sh", ["sh", "-c", {script!r}, "sh", "", "", folder, str(descriptor)])

fork_server.main = impostor
raise SystemExit(fork_server.serve(int(sys.argv[3])))
"""


@pytest.fixture
def impostor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return what replaces the child by a shell script: $3 is its folder, $4 its pipe."""
    python = sys.executable

    def replace(script: str) -> None:
        server = tmp_path / "server.py"
        server.write_text(IMPOSTOR.format(script=script))
        path = tmp_path / "child.sh"
        path.write_text(f'#!/bin/sh\nexec {python} {server} "$@"\n')
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return replace


JOURNAL = '{"record": "finding", "kind": "timeout", "message": "m"}'


def test_a_child_that_dies_is_a_finding_and_loses_none(impostor: Callable[[str], None]) -> None:
    impostor(f"echo '{JOURNAL}' > $3/journal.jsonl; echo seen; kill -SEGV $$")
    result = run("hipaudit.job:describe")
    assert result.value is None
    assert result.death is not None
    assert result.death["kind"] == "wild-access"
    assert [record["kind"] for record in result.records] == ["timeout"]
    assert result.output == "seen\n"


def test_a_child_that_dies_in_the_middle_of_a_line_is_dead(impostor: Callable[[str], None]) -> None:
    impostor('printf \'{"progress": 1}\\n{"resu\' > /proc/self/fd/$4; exit 0')
    seen: list[Any] = []
    result = run("hipaudit.job:describe", progress=seen.append)
    assert seen == [1]
    assert result.death is not None


def test_a_child_that_hangs_is_killed_as_a_timeout(impostor: Callable[[str], None]) -> None:
    impostor("exec sleep 60")
    began = time.monotonic()
    result = run("hipaudit.job:describe", limit_s=0.5)
    assert time.monotonic() - began < 10
    assert result.death is not None
    assert result.death["kind"] == "timeout"
    assert "did not end within 0.5 s and was killed" in result.death["message"]


def test_the_device_is_built_before_the_child_s_time_counts(
    impostor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[float] = []

    def build() -> None:
        time.sleep(0.8)  # longer than the child has
        built.append(time.monotonic())

    monkeypatch.setattr("hipaudit.native_build.device_libraries", build)
    impostor("echo '{\"result\": 7}' > /proc/self/fd/$4")
    result = run("hipaudit.job:describe", limit_s=0.5)
    assert (result.value, result.death, len(built)) == (7, None, 1)


def test_a_child_that_answers_and_then_crashes_is_still_a_death(
    impostor: Callable[[str], None],
) -> None:
    impostor("echo '{\"result\": 7}' > /proc/self/fd/$4; kill -ABRT $$")
    result = run("hipaudit.job:describe")
    assert result.value == 7
    assert result.death is not None
    assert "SIGABRT" in result.death["message"]


def test_the_child_after_one_that_died_is_right(
    impostor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor("kill -SEGV $$")
    assert run("hipaudit.job:describe").death is not None
    servers = [server.process.pid for server in forked._idle]
    assert run("hipaudit.job:describe").death is not None
    assert [server.process.pid for server in forked._idle] == servers  # the same one forked both
    monkeypatch.undo()
    with pytest.raises(child.ChildError, match="KeyError: 'file'"):
        run("hipaudit.job:describe")


def test_a_child_gets_the_environment_and_folder_of_its_time(
    impostor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impostor("echo $HIPAUDIT_ARCH $MARK $PWD")
    monkeypatch.setenv("MARK", "first")
    assert run("hipaudit.job:describe").output == f"gfx942 first {Path.cwd()}\n"
    monkeypatch.setenv("MARK", "second")
    monkeypatch.chdir(tmp_path)
    assert run("hipaudit.job:describe").output == f"gfx942 second {tmp_path}\n"


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT"])
def test_a_child_that_somebody_else_kills_says_nothing_of_a_kernel(
    impostor: Callable[[str], None], name: str
) -> None:
    impostor(f"echo '{{\"result\": 7}}' > /proc/self/fd/$4; kill -{name} $$")
    with pytest.raises(DeviceError, match=rf"killed from outside \(SIG{name}\), .* run it again"):
        run("hipaudit.job:describe")


def test_a_child_whose_server_is_killed_is_dead_and_the_next_is_not(
    impostor: Callable[[str], None], tmp_path: Path
) -> None:
    mark = tmp_path / "first"
    impostor(
        f"if mkdir {mark} 2> /dev/null; then kill -KILL $PPID; exit; fi\n"
        "echo '{\"result\": 7}' > /proc/self/fd/$4"
    )
    with pytest.raises(DeviceError, match=r"killed from outside \(SIGKILL\)"):
        run("hipaudit.job:describe")
    second = run("hipaudit.job:describe")
    assert (second.value, second.death) == (7, None)


def test_a_server_that_died_while_it_was_idle_is_replaced(impostor: Callable[[str], None]) -> None:
    impostor("echo '{\"result\": 7}' > /proc/self/fd/$4")
    assert run("hipaudit.job:describe").value == 7
    for server in forked._idle:
        server.process.kill()
        server.process.wait()
    assert run("hipaudit.job:describe").value == 7


def test_a_server_that_is_killed_before_it_forks_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = forked._started

    def killed(world: tuple[Any, ...]) -> forked._Server:
        server = start(world)
        server.process.kill()
        server.process.wait()
        return server

    monkeypatch.setattr(forked, "_idle", [])
    monkeypatch.setattr(forked, "_started", killed)
    with pytest.raises(HipauditError, match="was killed while it began"):
        run("hipaudit.job:describe")
