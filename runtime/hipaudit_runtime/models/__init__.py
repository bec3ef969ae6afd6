"""Language models: from a weights file to logits."""

from __future__ import annotations

from hipaudit_runtime.models.config import read_config
from hipaudit_runtime.models.transformer import Transformer

__all__ = ["Transformer", "read_config"]
