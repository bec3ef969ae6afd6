"""``hipaudit`` and ``python -m hipaudit``: the command line."""

from __future__ import annotations

from collections.abc import Callable

from hipaudit.interrupts import interruptible


def main() -> None:
    """Run the command line."""
    interruptible(_load)


def _load() -> Callable[[], None]:
    from hipaudit.cli import main as command_line

    return command_line


if __name__ == "__main__":
    main()
