"""The specs of the dequantisations: exact, whatever the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit.inputs import byte_blocks, lengths
from hipaudit.spec import Array, Spec
from hipaudit_runtime import ops

_HALVES = 1 << 16


def _reference(kind: str, blocks: Array) -> Array:
    return ref.dequantise(blocks, kind).reshape(len(blocks), -1)


def _every_scale(block_bytes: int, scales: Sequence[int]) -> dict[str, Array]:
    """A block for each fp16 code as scale; a second field runs through its own codes."""
    generator = np.random.default_rng(block_bytes)
    blocks = generator.integers(0, 256, (_HALVES, block_bytes), dtype=np.uint8)
    for turn, offset in enumerate(scales):
        # Multiplying by an odd number permutes the codes: every pair of fields differs.
        codes = (np.arange(_HALVES, dtype=np.uint32) * (1 + 40502 * turn)).astype("<u2")
        blocks[:, offset : offset + 2] = codes.view(np.uint8).reshape(-1, 2)
    return {"blocks": blocks}


def _spec(
    kind: str, launch: Callable[..., Array], block_bytes: int, scales: Sequence[int], formula: str
) -> Spec:
    name = ops.FORMATS[kind].kernel
    return Spec(
        name=name,
        source=f"{name}.hip",
        description=f"GGML's {kind} ({block_bytes} bytes for 32 values) to float32: {formula}.",
        inputs=st.fixed_dictionaries(
            {"blocks": byte_blocks(block_bytes, blocks=lengths(1, 4096), scales=scales)}
        ),
        launch=launch,
        reference=partial(_reference, kind),
        exact=True,
        formula="bit exact: every product fits into a float32, one rounding at most",
        cases=(_every_scale(block_bytes, scales),),
    )


SPECS = (
    _spec("Q4_0", ops.dequantise_q4_0, 18, (0,), "scale * (q - 8), q in 0..15"),
    _spec("Q4_1", ops.dequantise_q4_1, 20, (0, 2), "scale * q + minimum, q in 0..15"),
    _spec("Q5_0", ops.dequantise_q5_0, 22, (0,), "scale * (q - 16), q in 0..31"),
    _spec("Q5_1", ops.dequantise_q5_1, 24, (0, 2), "scale * q + minimum, q in 0..31"),
    _spec("Q8_0", ops.dequantise_q8_0, 34, (0,), "scale * q, q in -128..127"),
)
