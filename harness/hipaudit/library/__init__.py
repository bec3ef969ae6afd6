"""The library kernels' specs: what ``pytest -m numerics`` and ``hipaudit audit`` both run.

The one place beside the audits where the oracle and the runtime meet.
"""

from __future__ import annotations

from hipaudit.library.gemm import GEMM_F32_TILED
from hipaudit.library.norms import RMS_NORM
from hipaudit.library.quantised import DEQUANTISE_Q4_1, DEQUANTISE_Q8_0
from hipaudit.library.softmax import SOFTMAX
from hipaudit.spec import Spec

SPECS: tuple[Spec, ...] = (
    DEQUANTISE_Q4_1,
    DEQUANTISE_Q8_0,
    RMS_NORM,
    SOFTMAX,
    GEMM_F32_TILED,
)
"""Every library kernel's spec."""

__all__ = ["SPECS"]
