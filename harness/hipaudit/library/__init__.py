"""The library kernels' specs: what ``pytest -m numerics`` and ``hipaudit audit`` both run.

The one place beside the audits where the oracle and the runtime meet.
"""

from __future__ import annotations

from hipaudit.library import (
    attention,
    audio,
    conversions,
    elementwise,
    experts,
    gemm,
    grouped,
    latent,
    movement,
    norms,
    paged,
    paged_q8,
    quantised,
    reductions,
    rotary,
    sampling,
    softmax,
)
from hipaudit.spec import Spec

SPECS: tuple[Spec, ...] = (
    *quantised.SPECS,
    *norms.SPECS,
    *softmax.SPECS,
    *gemm.SPECS,
    *attention.SPECS,
    *paged.SPECS,
    *paged_q8.SPECS,
    *latent.SPECS,
    *elementwise.SPECS,
    *conversions.SPECS,
    *reductions.SPECS,
    *movement.SPECS,
    *rotary.SPECS,
    *experts.SPECS,
    *grouped.SPECS,
    *sampling.SPECS,
    *audio.SPECS,
)
"""Every library kernel's spec."""

__all__ = ["SPECS"]
