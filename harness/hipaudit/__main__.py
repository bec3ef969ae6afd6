"""``hipaudit`` and ``python -m hipaudit``: the command line."""

from __future__ import annotations

from hipaudit.interrupts import interruptible


def main() -> None:
    """Run the command line; it is imported here, so that Ctrl-C is heard meanwhile."""
    interruptible(_run)


def _run() -> None:
    from hipaudit.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
