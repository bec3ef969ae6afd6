"""Arenas, pools and buffers against simple models: every live range is whole, none is lost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hipaudit_runtime.accounting import Accounts, Usage
from hipaudit_runtime.arenas import Arena
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.errors import ArenaFullError, ClosedError, DeviceBufferError, HipError
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.memory import DEVICE, Memory
from hipaudit_runtime.pools import StreamPool
from hipaudit_runtime.streams import Stream
from hipaudit_runtime.tensors import Scope

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("device")]

CAPACITY = 2048


class Buffers(RuleBasedStateMachine):
    """Buffers of some memory beside the bytes that each must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.before = int(call(hip.hipMemGetInfo)[0])
        self.stream = Stream()
        self.accounts = Accounts()
        self.closed: list[Any] = []
        self.model: list[tuple[HipBuffer, bytes]] = []
        self.taken = self.peak = 0
        self.memory = self.accounts.of("here", self.source())

    def source(self) -> Memory:
        return DEVICE

    def fits(self, size: int) -> bool:
        del size
        return True

    @rule(size=st.integers(0, 700), byte=st.integers(0, 255))
    def take(self, size: int, byte: int) -> None:
        if not self.fits(size):
            before = self.accounts.usage()
            with pytest.raises(ArenaFullError):
                HipBuffer(size, self.memory)
            assert self.accounts.usage() == before
            return
        buffer = HipBuffer(size, self.memory)
        self.write(buffer, bytes([byte]) * size)

    def write(self, buffer: HipBuffer, data: bytes) -> None:
        with self.stream.current():
            buffer.upload(np.frombuffer(data, np.uint8))
        self.model.append((buffer, data))
        self.taken += bool(data)
        self.peak = max(self.peak, self.live())

    def live(self) -> int:
        return sum(len(data) for _, data in self.model)

    def draw(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.model) - 1), label="which")

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        buffer, _ = self.model.pop(self.draw(data))
        buffer.free()
        with pytest.raises(DeviceBufferError, match="use of a freed buffer"):
            buffer.free()

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        at = self.draw(data)
        buffer, held = self.model[at]
        self.model[at] = buffer.move(), held
        with pytest.raises(DeviceBufferError, match="use of a moved buffer"):
            buffer.free()

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        buffer, held = self.model[self.draw(data)]
        with self.stream.current(), buffer.deep_copy() as twin:
            assert bytes(twin.download((len(held),), np.uint8)) == held

    @invariant()
    def every_buffer_holds_its_bytes(self) -> None:
        with self.stream.current():
            for buffer, held in self.model:
                assert bytes(buffer.download((len(held),), np.uint8)) == held
        ranges = sorted((b.address, b.address + b.size) for b, held in self.model if held)
        for (_, end), (start, _) in itertools.pairwise(ranges):
            assert end <= start

    @invariant()
    def what_is_counted_is_what_lives(self) -> None:
        usage = self.accounts.usage().get("here", Usage())
        assert usage == Usage(self.live(), self.peak, self.taken)

    def teardown(self) -> None:
        for buffer, _ in self.model:
            buffer.free()
        for each in (*self.closed, self.stream):
            each.close()
        assert int(call(hip.hipMemGetInfo)[0]) == self.before


class OfAnArena(Buffers):
    """The same, cut from one buffer; the mark is that of the highest that lives."""

    def source(self) -> Memory:
        self.arena = Arena(CAPACITY)
        self.closed.append(self.arena)
        return self.arena

    def mark(self) -> int:
        start = self.arena._buffer.address
        return max((b.address + b.size - start for b, held in self.model if held), default=0)

    def fits(self, size: int) -> bool:
        return not size or -(-self.mark() // 256) * 256 + size <= CAPACITY

    @invariant()
    def the_mark_is_that_of_the_highest(self) -> None:
        assert self.arena.used == self.mark()
        assert self.arena.used <= self.arena.peak <= self.arena.capacity
        if self.model and self.mark():
            with pytest.raises(DeviceBufferError, match="closed while"):
                self.arena.close()


class OfAPool(Buffers):
    """The same, in the order of a stream."""

    def source(self) -> Memory:
        self.pool = StreamPool(self.stream)
        self.closed.append(self.pool)
        return self.pool

    @invariant()
    def the_pool_counts_the_same(self) -> None:
        assert self.pool.used == self.live()
        assert self.pool.peak >= self.pool.used
        if self.live():
            with pytest.raises(DeviceBufferError, match="closed while"):
                self.pool.close()


@pytest.mark.parametrize("machine", [Buffers, OfAnArena, OfAPool])
def test_buffers_against_a_model(machine: type[Buffers]) -> None:
    class Here(machine):  # type: ignore[valid-type,misc]
        pass

    few = settings(max_examples=25, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Here, settings=few)


def test_a_copy_in_an_arena_comes_from_the_device() -> None:
    with Arena(256) as arena, HipBuffer(256, arena) as buffer, buffer.deep_copy() as twin:
        assert twin.address != buffer.address


def test_scopes_leave_an_arena_empty() -> None:
    with Arena(4096) as arena:
        for _ in range(3):
            with Scope(arena) as outer:
                x = outer.upload(np.arange(100, dtype=np.float32))
                with Scope(arena) as inner:
                    inner.empty((200,), np.float16)
                assert arena.used == 400
                assert np.array_equal(x.download(), np.arange(100))
            assert arena.used == 0
        assert arena.peak == 912
        with Scope(arena) as scope, pytest.raises(ArenaFullError, match="8192 bytes are needed"):
            scope.empty((2048,), np.float32)


def test_an_arena_takes_back_only_what_it_gave() -> None:
    with Arena(1024) as arena:
        address = arena.allocate(16)
        for wrong in ((address + 1, 16), (address, 8)):
            with pytest.raises(DeviceBufferError, match="are not of this arena"):
                arena.release(*wrong)
        arena.release(address, 16)
    with pytest.raises(DeviceBufferError, match="freed"):
        arena.allocate(16)


def test_a_closed_pool_is_refused() -> None:
    with Stream() as stream:
        with StreamPool(stream) as pool:
            buffer = HipBuffer(64, pool)
            buffer.free()
        for use in (pool.close, lambda: pool.allocate(4), lambda: pool.used):
            with pytest.raises(ClosedError, match="use of a closed pool"):
                use()


def test_owners_are_told_apart() -> None:
    accounts = Accounts()
    weights, cache = accounts.of("weights"), accounts.of("cache")
    with Scope(weights) as one, Scope(cache) as other:
        one.empty((10,), np.float32)
        other.empty((100,), np.float32)
        with pytest.raises(HipError, match="OutOfMemory"):
            other.empty((1 << 60,), np.uint8)
        assert accounts.usage() == {"cache": Usage(400, 400, 1), "weights": Usage(40, 40, 1)}
        assert next(iter(accounts.usage())) == "cache"
    assert accounts.usage() == {"cache": Usage(0, 400, 1), "weights": Usage(0, 40, 1)}
