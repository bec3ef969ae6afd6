"""Ctrl-C where Python loses it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from hipaudit.interrupts import EXIT_INTERRUPTED, interruptible


@pytest.fixture(autouse=True)
def _own_handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Finalised:
    """Somebody presses Ctrl-C while it is let go."""

    def __del__(self) -> None:
        """Lose what is raised."""
        signal.raise_signal(signal.SIGINT)


def in_a_finaliser() -> None:
    Finalised()


def in_the_body_of_a_class() -> None:
    class Member:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(signal.SIGINT)

    class Owner:
        member = Member()


def at_any_place() -> None:
    signal.raise_signal(signal.SIGINT)


def before_it_ends_well() -> None:
    Finalised()
    raise SystemExit(0)


@pytest.mark.parametrize(
    "command", [in_a_finaliser, in_the_body_of_a_class, at_any_place, before_it_ends_well]
)
def test_an_interrupt_is_never_lost(
    command: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        interruptible(lambda: command)
    assert end.value.code == EXIT_INTERRUPTED
    assert not capsys.readouterr().err


def test_a_failure_of_its_own_counts() -> None:
    def command() -> None:
        Finalised()
        raise SystemExit(1)

    with pytest.raises(SystemExit) as end:
        interruptible(lambda: command)
    assert end.value.code == 1


def test_without_an_interrupt_nothing_changes() -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    interruptible(lambda: lambda: None)
    with pytest.raises(RuntimeError, match="broken"):
        interruptible(lambda: broken)
