"""Language models in float64: what a runtime's logits should be, and how far off they may be."""

from hipaudit_reference.models.deviation import Deviation, deviation
from hipaudit_reference.models.sizes import ModelSizes, read_sizes
from hipaudit_reference.models.transformer import Transformer

__all__ = ["Deviation", "ModelSizes", "Transformer", "deviation", "read_sizes"]
