"""hipaudit audits HIP kernels and the ROCm runtimes that launch them."""

from __future__ import annotations

from hipaudit.errors import HipauditError, ToolchainError, UsageError

__version__ = "0.1.0"

__all__ = ["HipauditError", "ToolchainError", "UsageError", "__version__"]
