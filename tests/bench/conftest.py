"""What the benchmarks share: children that time one kernel, and the table of ratios at the end.

A figure in seconds says as much about the machine as about us, so each is set against another of
the same run: one worker against two, the emulated device against PoCL, NumPy and Oclgrind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hipaudit import device

_HERE = Path(__file__).parent
_NOT_INSTALLED = 77


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: what was measured, in which unit, and what its ratio is to."""

    title: str
    value: float
    unit: str
    ratio: float | None
    to: str

    def line(self) -> str:
        """The row as it is printed."""
        ratio = "" if self.ratio is None else f"{self.ratio:9.3g} x {self.to}"
        return f"{self.title:62} {self.value:9.4g} {self.unit:18}{ratio}"


class Table:
    """The figures of one run."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def add(
        self,
        benchmark: Any,
        title: str,
        value: float,
        unit: str,
        ratio: float | None = None,
        to: str = "",
    ) -> None:
        """Keep a figure for the table and in the benchmark's extra information."""
        self.figures.append(Figure(title, value, unit, ratio, to))
        benchmark.extra_info[f"{title}, {unit}"] = value
        if ratio is not None:
            benchmark.extra_info[f"{title}, x {to}"] = ratio


class Child:
    """A process that times one kernel whenever it is asked to."""

    def __init__(self, script: str, *arguments: str, environment: dict[str, str]) -> None:
        command = [sys.executable, str(_HERE / script), *arguments]
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def seconds(self) -> float:
        """One run's seconds, as the child's own clock has them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._give_up()
        answer = self._process.stdout.readline()
        if not answer:
            self._give_up()
        return float(answer)

    def best(self, rounds: int) -> float:
        """The least of some runs' seconds: what else this machine does only ever adds."""
        return min(self.seconds() for _ in range(rounds))

    def _give_up(self) -> None:
        _, problem = self._process.communicate()
        if self._process.returncode == _NOT_INSTALLED:
            pytest.skip(problem.strip())
        pytest.fail(f"the child ended with {self._process.returncode}:\n{problem}")

    def close(self) -> None:
        """End the child."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


class Children:
    """Starts children and ends them when the test does."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def emulated(
        self, kernel: str, *, workers: int = 1, build: str = "plain", live: int = 0
    ) -> Child:
        """A child that runs a kernel of `emulated_child`, beside so many live buffers."""
        settings = {"workers": str(workers), "build": build, "ledger_stacks": "off"}
        environment = device.child_environment("emulated", settings)
        return self._keep(Child("emulated_child.py", kernel, str(live), environment=environment))

    def kernel(self, name: str, size: int, how: str) -> Child:
        """A child that runs a kernel of `kernel_child` at a size on one core, or NumPy's way."""
        environment = device.child_environment("emulated", {"workers": "1", "build": "plain"})
        environment["OPENBLAS_NUM_THREADS"] = "1"
        return self._keep(Child("kernel_child.py", name, str(size), how, environment=environment))

    def pocl(self, kernel: str) -> Child:
        """A child that runs the kernel's OpenCL form on PoCL, on one core."""
        environment = {**os.environ, "POCL_MAX_PTHREAD_COUNT": "1"}
        return self._keep(Child("opencl_child.py", kernel, environment=environment))

    def ledger(self, library: Path, live: int, stacks: str) -> Child:
        """Start a child that times malloc/free pairs of a library while so many others live."""
        ours = {"HIPAUDIT_LEDGER": "on", "HIPAUDIT_LEDGER_REDZONE": "0"}
        environment = {**os.environ, **ours, "HIPAUDIT_LEDGER_STACKS": stacks}
        return self._keep(
            Child("ledger_child.py", str(library), str(live), environment=environment)
        )

    def _keep(self, child: Child) -> Child:
        self._children.append(child)
        return child

    def close(self) -> None:
        """End all of them."""
        for child in self._children:
            child.close()


@pytest.fixture
def children() -> Iterator[Children]:
    """Children that end with the test."""
    started = Children()
    yield started
    started.close()


_TABLE = pytest.StashKey[Table]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's table."""
    config.stash[_TABLE] = Table()


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """The run's table of figures."""
    return request.config.stash[_TABLE]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, when anything was measured."""
    figures = config.stash[_TABLE].figures
    if not figures:
        return
    terminalreporter.section("figures of this run")
    for figure in figures:
        terminalreporter.write_line(figure.line())
