"""Oclgrind on the same kernels: how fast is the interpreter that we replace?"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="oclgrind")]

OPENCL = Path(__file__).parent / "opencl"
CHECKS = ("--data-races", "--uninitialized")
# Oclgrind dies of what its optimiser makes of a vector's exponential.
NOT_OPTIMISED = ("--build-options", "-cl-opt-disable")
EDGE = 64
ROWS, COLUMNS = 8, 2048
ROUNDS = 3
OUR_ROUNDS = 20


@pytest.fixture
def oclgrind() -> str:
    """Oclgrind's kernel runner."""
    found = shutil.which("oclgrind-kernel")
    if found is None:
        pytest.skip("oclgrind-kernel is not installed")
    return found


def gemm_simulation(depth: int) -> str:
    """A simulation file: 64 x 64 = 64 x depth times depth x 64."""
    last = EDGE * EDGE - 1
    matrix = f"<size={4 * EDGE * EDGE} float range=0:1:{last}>"
    sizes = "\n".join(f"<size=4 int> {size}" for size in (EDGE, EDGE, depth))
    kernel = f"{OPENCL / 'gemm_f32_tiled.cl'}\ngemm_f32_tiled\n256 1 1\n256 1 1\n"
    return f"{kernel}{matrix}\n{matrix}\n<size={4 * EDGE * EDGE} float fill=0>\n{sizes}\n"


def softmax_simulation(rows: int) -> str:
    """A simulation file: softmax of rows of 2048."""
    size, last = 4 * rows * COLUMNS, rows * COLUMNS - 1
    buffers = f"<size={size} float range=0:1:{last}>\n<size={size} float fill=0>\n"
    kernel = f"{OPENCL / 'softmax.cl'}\nsoftmax\n{64 * rows} 1 1\n64 1 1\n"
    return f"{kernel}{buffers}<size=4 int> {COLUMNS}\n"


def seconds(oclgrind: str, simulation: str, folder: Path, options: tuple[str, ...]) -> float:
    """Seconds of one run; the simulation must end without a word from Oclgrind."""
    file = folder / "kernel.sim"
    file.write_text(simulation)
    start = time.perf_counter()
    command = [oclgrind, "--num-threads", "1", *options, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    taken = time.perf_counter() - start
    assert not result.stdout.strip() + result.stderr.strip()
    return taken


@pytest.mark.parametrize("options", [(), CHECKS], ids=["unchecked", "checked"])
def test_gemm(
    benchmark: Any,
    table: Any,
    children: Any,
    oclgrind: str,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    # The same launch without depth is Oclgrind's start and its compiler: not the kernel's time.
    start = min(seconds(oclgrind, gemm_simulation(0), tmp_path, options) for _ in range(ROUNDS))
    taken: list[float] = []

    def run() -> None:
        taken.append(seconds(oclgrind, gemm_simulation(EDGE), tmp_path, options))

    benchmark.pedantic(run, rounds=ROUNDS)
    rate = EDGE**3 / (min(taken) - start) / 1e6
    build = "checked" if options else "plain"
    ours = 256**3 / children.emulated("gemm_f32_tiled", build=build).best(OUR_ROUNDS) / 1e6
    title = f"gemm 64 x 64 x 64, Oclgrind {' '.join(options) or 'without checks'}"
    table.add(benchmark, title, rate, "M multiply-adds/s", ours / rate, f"{build} build faster")


def test_softmax(benchmark: Any, table: Any, children: Any, oclgrind: str, tmp_path: Path) -> None:
    options = (*CHECKS, *NOT_OPTIMISED)
    one = min(seconds(oclgrind, softmax_simulation(1), tmp_path, options) for _ in range(ROUNDS))
    taken: list[float] = []

    def run() -> None:
        taken.append(seconds(oclgrind, softmax_simulation(1 + ROWS), tmp_path, options))

    benchmark.pedantic(run, rounds=ROUNDS)
    row = (min(taken) - one) / ROWS
    ours = children.emulated("softmax", build="checked").best(OUR_ROUNDS) / 256
    title = f"softmax, a row of {COLUMNS}, Oclgrind {' '.join((*CHECKS, NOT_OPTIMISED[-1]))}"
    table.add(benchmark, title, row * 1e3, "ms", row / ours, "checked build faster")
