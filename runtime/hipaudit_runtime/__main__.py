"""``python -m hipaudit_runtime`` is ``hipaudit-run`` on the HIP that is installed."""

from __future__ import annotations

from hipaudit_runtime.cli import main

if __name__ == "__main__":
    main()
