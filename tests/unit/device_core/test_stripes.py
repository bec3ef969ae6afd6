"""Memory that one worker checks by itself, until another worker comes to it."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hipaudit import toolchain

PROBE = Path(__file__).parent / "probes" / "stripes.cpp"
LAUNCHES, COUNTS = 3000, 2000
# Every block adds to a stretch of its own, again and again; those that look then read a word of
# the next one's, while that one is still at it or is not.
STRETCHES = """#include <hip/hip_runtime.h>

__global__ void stretches(float* data, float* out, int length, int looks) {
  float* own = data + static_cast<size_t>(blockIdx.x) * length;
  for (int round = 0; round < 8; ++round)
    for (int i = threadIdx.x; i < length; i += blockDim.x)
      own[i] += 1.0f;
  const size_t next = (blockIdx.x + 1) % gridDim.x;
  if (threadIdx.x == 0)
    out[blockIdx.x] = looks != 0 ? data[next * length + 5] : own[0];
}
"""
# A double that lies across the end of 1024 bytes, as no number of another size can.
ACROSS = """#include <hip/hip_runtime.h>

struct __attribute__((packed)) Packed {
  double value;
};

__global__ void across(float* data, float* out) {
  const size_t first = 255 + 256 * threadIdx.x;
  auto* both = reinterpret_cast<Packed*>(data + first);
  if (blockIdx.x == 3)
    both->value = 1.0;
  else
    out[blockIdx.x * blockDim.x + threadIdx.x] = both->value;
}
"""


def line_of(source: str, text: str) -> int:
    """The number of the one line with *text*."""
    (number,) = (i for i, line in enumerate(source.splitlines(), 1) if text in line)
    return number


def check(
    folder: Path, source: str, grid: int, *arguments: str, workers: int
) -> list[dict[str, Any]]:
    """The findings of a run of so many blocks of 64 threads on so many workers."""
    (folder / "k.hip").write_text(source)
    words = [word for argument in arguments for word in ("--arg", argument)]
    shape = ("--grid", str(grid), "--block", "64", "--arch", "gfx942")
    done = subprocess.run(
        [sys.executable, "-m", "hipaudit", "check", "k.hip", *shape, *words, "--json", "-"],
        cwd=folder, env={**os.environ, "HIPAUDIT_WORKERS": str(workers)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)["findings"]  # type: ignore[no-any-return]


def stretches(folder: Path, length: int, looks: int, workers: int) -> list[dict[str, Any]]:
    """The findings of 64 stretches of that many words."""
    data = f"f32[{64 * length}]=zeros"
    return check(
        folder, STRETCHES, 64, data, "f32[64]", f"i32={length}", f"i32={looks}", workers=workers
    )


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("length", [1024, 999, 7])
def test_neighbours_are_not_confused(tmp_path: Path, workers: int, length: int) -> None:
    assert not stretches(tmp_path, length, looks=0, workers=workers)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [1024, 999])
def test_a_look_at_a_neighbour_is_a_race(tmp_path: Path, workers: int, length: int) -> None:
    (race,) = stretches(tmp_path, length, looks=1, workers=workers)
    sides = {race["location"]["line"], race["other_location"]["line"]}
    expected = {line_of(STRETCHES, "own[i] +="), line_of(STRETCHES, "out[blockIdx.x] =")}
    assert (race["kind"], sides) == ("race-grid", expected)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_an_access_across_two_stripes(tmp_path: Path, workers: int) -> None:
    size = 256 * 64 + 1
    (race,) = check(tmp_path, ACROSS, 4, f"f32[{size}]=zeros", "f32[256]=zeros", workers=workers)
    sides = {race["location"]["line"], race["other_location"]["line"]}
    expected = {line_of(ACROSS, "both->value = 1.0"), line_of(ACROSS, "= both->value;")}
    assert (race["kind"], sides) == ("race-grid", expected)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The stripes themselves, with threads that use them."""
    folder = tmp_path_factory.mktemp("stripes")
    tools = toolchain.compiler()
    headers = ("-I", str(toolchain.NATIVE / "include"), "-I", str(toolchain.NATIVE))
    objects = []
    for source in (toolchain.NATIVE / "check" / "stripes.cpp", PROBE):
        objects.append(str(folder / f"{source.parent.name}.o"))
        emit = ("-x", "c++", "-emit-obj", "-o", objects[-1], str(source))
        command = [*tools.compile, *toolchain.LIBRARY, *tools.includes, *headers, *emit]
        subprocess.run(command, check=True)
    library = folder / "stripes.so"
    subprocess.run([*tools.link, "-shared", "-o", str(library), *objects], check=True)
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_nothing_is_lost_when_a_stripe_is_taken(probe: ctypes.CDLL, workers: int) -> None:
    probe.lost.restype = ctypes.c_long
    assert probe.lost(LAUNCHES, workers, COUNTS) == 0
