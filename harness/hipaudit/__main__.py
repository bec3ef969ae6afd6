"""``python -m hipaudit``: the command line."""

from __future__ import annotations

from hipaudit.cli import main

main()
