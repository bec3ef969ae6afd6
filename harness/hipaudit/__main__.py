"""``hipaudit`` and ``python -m hipaudit``: the command line."""

from __future__ import annotations


def main() -> None:
    """Run the command line; it is imported here, so that Ctrl-C is heard meanwhile."""
    try:
        from hipaudit.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
