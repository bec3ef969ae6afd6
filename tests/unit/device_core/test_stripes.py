"""Memory that one worker checks by itself, until another worker comes to it."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest
from check_command import findings
from native_objects import library_object, run

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


def stretches(folder: Path, length: int, looks: int, workers: int) -> list[dict[str, Any]]:
    """The findings of 64 stretches of that many words."""
    data = f"f32[{64 * length}]=zeros"
    arguments = (data, "f32[64]", f"i32={length}", f"i32={looks}")
    return findings(folder, STRETCHES, 64, 64, *arguments, workers=workers)


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
    arguments = (f"f32[{256 * 64 + 1}]=zeros", "f32[256]=zeros")
    (race,) = findings(tmp_path, ACROSS, 4, 64, *arguments, workers=workers)
    sides = {race["location"]["line"], race["other_location"]["line"]}
    expected = {line_of(ACROSS, "both->value = 1.0"), line_of(ACROSS, "= both->value;")}
    assert (race["kind"], sides) == ("race-grid", expected)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The stripes themselves, with threads that use them."""
    folder = tmp_path_factory.mktemp("stripes")
    sources = (toolchain.NATIVE / "check" / "stripes.cpp", PROBE)
    objects = [library_object(source, folder / f"{source.parent.name}.o") for source in sources]
    library = folder / "stripes.so"
    run([*toolchain.compiler().link, "-shared", "-o", library, *objects])
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_nothing_is_lost_when_a_stripe_is_taken(probe: ctypes.CDLL, workers: int) -> None:
    probe.lost.restype = ctypes.c_long
    assert probe.lost(LAUNCHES, workers, COUNTS) == 0
