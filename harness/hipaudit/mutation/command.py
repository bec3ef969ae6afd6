"""Mutants of any kernel file against a program of the user's own, such as a pytest run.

The program is left as it is. The emulated device it runs on puts the mutant in place: wherever
the file's text is handed to hiprtc, as a source or as a header, the mutant's text is compiled
instead. So it does not matter how the program finds the file, nor in which process it does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hipaudit.device import child_environment, read_journal
from hipaudit.errors import UsageError, VoidError
from hipaudit.mutation.mutant import Mutant
from hipaudit.mutation.result import KILLED, REFUSED, SURVIVED, Result

_PATIENCE = 5.0
"""A program may take so many times as long as with the file as it is."""
_LEAST_S = 20.0
_OUTPUT_BYTES = 3000


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the program.

    code     its exit code; None when it was ended for taking too long
    kinds    of the device's findings meanwhile
    used     whether the text in place of the file's was compiled; refused: was not accepted
    seconds  how long it took; output: the end of what it printed
    """

    code: int | None
    kinds: tuple[str, ...]
    used: bool
    refused: bool
    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class Program:
    """The program that tests a file, and the device it runs on.

    settings  of the emulated device: arch, build, timeout
    running   its processes, to end them with ours
    """

    command: tuple[str, ...]
    source: bytes
    settings: dict[str, str]
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def end(self) -> None:
        """End what runs now, with all its processes."""
        for child in tuple(self.running):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    def run(self, text: bytes, limit_s: float | None = None) -> Trial:
        """Run the program with *text* in place of the file's."""
        with tempfile.TemporaryDirectory(prefix="hipaudit-") as name:
            folder = Path(name)
            (folder / "original").write_bytes(self.source.strip())
            (folder / "mutant").write_bytes(text.strip())
            journal = folder / "journal.jsonl"
            settings = {**self.settings, "journal": str(journal), "substitute": name}
            environment = child_environment("emulated", settings)
            # One failure is enough. Programs other than pytest do not read this.
            environment["PYTEST_ADDOPTS"] = f"{environment.get('PYTEST_ADDOPTS', '')} -x".strip()
            began = time.monotonic()
            code = self._wait(environment, folder / "output", limit_s)
            records = read_journal(journal)
            found = [str(r.get("kind")) for r in records if r.get("record") == "finding"]
            return Trial(
                code,
                tuple(found),
                (folder / "used").exists(),
                (folder / "refused").exists(),
                time.monotonic() - began,
                (folder / "output").read_bytes()[-_OUTPUT_BYTES:].decode(errors="replace"),
            )

    def _wait(self, environment: dict[str, str], output: Path, limit_s: float | None) -> int | None:
        """Run the command in a process group of its own; None when it had to be ended."""
        with output.open("wb") as file:
            try:
                child = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise UsageError(f"{self.command[0]} does not start: {error.strerror}") from error
            self.running.add(child)
            try:
                return child.wait(limit_s)
            except subprocess.TimeoutExpired:
                return None
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
                self.running.discard(child)


def baseline(program: Program) -> Trial:
    """Run the program with the file as it is.

    Raises UsageError when it fails, VoidError when it never compiles the file's text.
    """
    trial = program.run(program.source)
    if trial.code != 0:
        raise UsageError(
            f"{program.command[0]} fails with the file as it is (exit code {trial.code}): mutants "
            f"would prove nothing\n{trial.output}"
        )
    if not trial.used:
        raise VoidError(
            f"{program.command[0]} never handed the file's text to hiprtc: either it does not "
            "test this file, or it changes the text first"
        )
    return trial


def try_all(
    program: Program,
    mutants: Sequence[Mutant],
    before: Trial,
    *,
    jobs: int,
    tick: Callable[[Result], None],
) -> dict[str, Result]:
    """Run the program with each mutant, so many at once; return results by id."""
    limit_s = max(_LEAST_S, _PATIENCE * jobs * before.seconds)

    def attempt(mutant: Mutant) -> Result:
        trial = program.run(mutant.apply(program.source), limit_s)
        result = _judged(mutant, trial, before, program.settings)
        tick(result)
        return result

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(attempt, mutant) for mutant in mutants]
        try:
            results = [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            program.end()
            raise
    return {result.id: result for result in results}


def _judged(mutant: Mutant, trial: Trial, before: Trial, settings: dict[str, str]) -> Result:
    """Say what a run has shown of a mutant."""
    where = (settings["build"], settings["arch"])
    if trial.code is None:
        return Result(mutant.id, KILLED, "timeout", *where)
    if trial.refused and not trial.used:
        return Result(mutant.id, REFUSED)
    if trial.kinds and not before.kinds:
        return Result(mutant.id, KILLED, trial.kinds[0], *where)
    if trial.code != 0:
        return Result(mutant.id, KILLED, "tests", *where)
    return Result(mutant.id, SURVIVED)
