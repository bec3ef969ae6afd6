"""hipaudit audits HIP kernels and the ROCm runtimes that launch them."""

from __future__ import annotations

from hipaudit.errors import HipauditError, ToolchainError, UsageError
from hipaudit.spec import Case, Spec

__version__ = "0.1.0"

__all__ = ["Case", "HipauditError", "Spec", "ToolchainError", "UsageError", "__version__"]
