"""Cooperative groups on the device, on both wave sizes, against plain models of them."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hipaudit_runtime import modules, sources
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.hip import call, hip

PROBE = Path(__file__).parent / "probes" / "groups.hip"
UNWRITTEN = -(2**31)

on_both_wave_sizes = pytest.mark.parametrize(
    "device", ["gfx942", "gfx1100"], indirect=True, scope="session"
)


def rows(
    device: Any, name: str, *, grid: int = 1, block: tuple[int, int, int], columns: int
) -> NDArray[np.int32]:
    """What each thread wrote: one row of `columns` integers a thread."""
    module = modules.load_module(modules.compile_source(sources.read(PROBE), device.arch))
    threads = grid * int(np.prod(block))
    with HipBuffer(4 * threads * columns) as out:
        out.upload(np.full(threads * columns, UNWRITTEN, dtype=np.int32))
        arguments = (ctypes.c_void_p(out.address), ctypes.c_int(columns))
        modules.entry_point(module, name).launch(grid, block, arguments)
        call(hip.hipDeviceSynchronize)
        return out.download((threads, columns), np.int32)


@on_both_wave_sizes
def test_ranks_and_sizes(device: Any) -> None:
    got = rows(device, "shapes", grid=2, block=(10, 10, 1), columns=19)
    rank = np.tile(np.arange(100), 2)
    block = np.repeat([0, 1], 100)
    expected = [
        rank, 100, rank % 10 + 100 * (rank // 10), block,
        rank + 100 * block, 200, block,
        rank % 16, 16, rank // 16, 7,
        rank % 4, rank % 16 // 4, 4, rank % 16 // 4,
        # The last tile of 8 has four threads.
        rank % 8, np.where(rank >= 96, 4, 8),
        rank, 1,
    ]  # fmt: skip
    for column, values in enumerate(expected):
        assert np.array_equal(got[:, column], np.broadcast_to(values, 200)), column


def by_tile(values: NDArray[Any], size: int) -> NDArray[Any]:
    return values.reshape(-1, size)


def bits(flags: NDArray[Any]) -> NDArray[Any]:
    """Rows of flags as integers, the first in the lowest bit."""
    return np.asarray((flags.astype(np.int64) << np.arange(flags.shape[1])).sum(axis=1))


@on_both_wave_sizes
def test_exchanges_within_a_tile(device: Any) -> None:
    got = rows(device, "exchanges", block=(96, 1, 1), columns=23)
    self = np.arange(96)
    place = self % 16
    tiles = by_tile(self, 16)

    def each(per_tile: Any) -> NDArray[Any]:
        return np.repeat(per_tile, 16)

    mates = tiles[self // 16]
    like_me = mates % 4 == (self % 4)[:, None]
    my_half = mates % 2 == (self % 2)[:, None]
    expected = {
        "shfl": self - place + 3,
        "shfl_down": np.where(place + 2 < 16, self + 2, self),
        "shfl_up": np.where(place >= 3, self - 3, self),
        "shfl_xor": self ^ 5,
        "ballot": each(bits(tiles % 3 == 0)),
        "any": each((tiles == 20).any(axis=1)),
        "all": each((tiles < 32).all(axis=1)),
        "match_any": bits(like_me),
        "match_all": np.full(96, 0xFFFF),
        "all the same": np.ones(96),
        "match_all of different": np.zeros(96),
        "not the same": np.zeros(96),
        "sum": each(tiles.sum(axis=1)),
        "maximum": each((tiles ^ 7).max(axis=1)),
        "minimum": each(tiles.min(axis=1)),
        "sum of a wide type": np.full(96, 16),
        "inclusive scan": np.cumsum(tiles, axis=1).reshape(-1),
        "exclusive scan": np.cumsum(tiles, axis=1).reshape(-1) - self,
        "rank in half": place // 2,
        "size of half": np.full(96, 8),
        "which half": self % 2,
        "shfl in half": self - place + 2 + self % 2,
        "sum of half": (mates * my_half).sum(axis=1),
    }
    for column, (what, values) in enumerate(expected.items()):
        assert np.array_equal(got[:, column], values), what


@on_both_wave_sizes
def test_threads_that_are_active_together(device: Any) -> None:
    threads = 90
    got = rows(device, "active", block=(threads, 1, 1), columns=15)
    inactive = np.arange(threads) % 3 != 1
    assert np.all(got[inactive] == UNWRITTEN)
    for first in range(0, threads, device.wave_size):
        wave = np.arange(first, min(first + device.wave_size, threads))
        members = wave[wave % 3 == 1]
        count = len(members)
        rank = np.arange(count)
        tile = rank // 4
        tile_size = np.minimum(4, count - tile * 4)
        expected = [
            rank, count, members[2],
            members[np.minimum(rank + 1, count - 1)], members[np.maximum(rank - 1, 0)],
            bits((members % 2 == 1)[None, :])[0], int(1 in members), 1,
            members.sum(), rank + 1,
            rank % 4, tile_size, tile, (count + 3) // 4, members[tile * 4],
        ]  # fmt: skip
        for column, values in enumerate(expected):
            assert np.array_equal(got[members, column], np.broadcast_to(values, count)), column


@on_both_wave_sizes
def test_the_grid_waits_for_all_blocks(device: Any) -> None:
    module = modules.load_module(modules.compile_source(sources.read(PROBE), device.arch))
    kernel = modules.entry_point(module, "neighbours")
    blocks, rounds = 7, 5
    with HipBuffer(4 * blocks) as out:
        out.upload(np.zeros(blocks, dtype=np.int32))
        address, count = ctypes.c_void_p(out.address), ctypes.c_int(rounds)
        arguments = (ctypes.c_void_p * 2)(ctypes.addressof(address), ctypes.addressof(count))
        launch = hip.hipModuleLaunchCooperativeKernel
        call(launch, kernel.function, blocks, 1, 1, 64, 1, 1, 0, None, arguments)
        call(hip.hipDeviceSynchronize)
        got = out.download((blocks,), np.int32)
    assert np.array_equal(got, (np.arange(blocks) + rounds) % blocks)
