"""Inputs on which real projects' kernels failed: ours must be right on every one of them.

The projects' reports are named; the inputs are ours. What a spec's own cases hold already (rows
of -inf, a finite mask sentinel, N % 64 = 4) is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit.judge import Claim, Judge
from hipaudit.library import SPECS
from hipaudit.spec import Case

pytestmark = pytest.mark.numerics
BY_NAME = {spec.name: spec for spec in SPECS}
Inputs = dict[str, Any]


def pytorch_121558() -> Inputs:
    """Equal queries, keys and values of 133120 in bfloat16 gave NaN."""
    like = {name: np.full((1, 1, 7, 64), 133120, ml_dtypes.bfloat16) for name in "qkv"}
    return {**like, "scale": None, "window": None, "softcap": None, "causal": True}


def ik_llama_1196() -> Inputs:
    """64k keys of one weight each: an fp16 sum of the values stands still or overflows."""
    keys = 1 << 16
    return {
        "q": np.zeros((1, 1, 1, 8), np.float16),
        "k": np.ones((1, 1, keys, 8), np.float16),
        "v": np.tile(np.array([1.5, 0.25, 2.0, -3.0], np.float16), keys * 2).reshape(1, 1, keys, 8),
        "scale": None,
        "window": None,
        "softcap": None,
        "causal": False,
    }


def rocm_libraries_8645() -> Inputs:
    """More than two million rows: a grid of tiles that must not be cut off at 65,535 of them."""
    rows = 65_536 * 64 + 1
    return {
        "a": (np.arange(rows, dtype=np.float32) % 251 - 125).reshape(rows, 1),
        "b": np.array([[0.5]], np.float32),
    }


def rocm_libraries_9055() -> Inputs:
    """NaN in C, beta = 0 and k split in parts: nothing of C may show, nothing be left unzeroed."""
    generator = np.random.default_rng(9055)
    return {
        "a": generator.normal(size=(33, 200)).astype(np.float32),
        "b": generator.normal(size=(200, 41)).astype(np.float32),
        "c": np.full((33, 41), np.nan, np.float32),
        "alpha": 1.0,
        "beta": 0.0,
        "splits": 5,
        "transpose_a": False,
        "transpose_b": False,
    }


def rope_at_131071() -> Inputs:
    """The last position of a context of 128k."""
    return {
        "x": np.linspace(-2, 2, 128, dtype=np.float32).reshape(1, 1, 128),
        "positions": np.array([131071], np.int32),
        "base": 500000.0,
        "rotated": 128,
        "interleaved": False,
    }


def triton_10745() -> Inputs:
    """0x80, which is NaN in fnuz formats and not the negative zero it looks like."""
    codes = np.array([0x80, 0x00, 0x01, 0x81, 0x7F, 0xFF], np.uint8)
    return {"x": codes.view(ml_dtypes.float8_e4m3fnuz), "to": "float32"}


def triton_10846() -> Inputs:
    """Just above the middle of two fp8 numbers, by less than fp16 has digits for."""
    middle = np.array([1.0625, 17.0, -1.1875, 0.0009765625], np.float32)
    beyond = np.nextafter(middle, np.float32(np.inf), dtype=np.float32)
    short = np.nextafter(middle, np.float32(-np.inf), dtype=np.float32)
    values = np.concatenate([middle, beyond, short])
    return {"x": values, "to": "float8_e4m3fn"}


def sglang_25519() -> Inputs:
    """E8M0 scales of 255, which is NaN, and of 0, which is 2^-127 and not zero."""
    blocks = np.full((4, 17), 0x53, np.uint8)
    blocks[:, 0] = [255, 0, 1, 254]
    return {"blocks": blocks}


def aprender_2115() -> Inputs:
    """Q3_K blocks that are not zero: every scale byte and every bit of the high mask differs."""
    generator = np.random.default_rng(2115)
    blocks = generator.integers(0, 256, (64, 110), dtype=np.uint8)
    blocks[:, 108:110] = np.array([0.0078125], "<f2").view(np.uint8)
    return {"blocks": blocks}


def cupy_9977() -> Inputs:
    """A maximum in each lane in turn: what folds 64 lanes of 32, or 32 of 256, misses some."""
    x = np.full((256, 256), -1.0, np.float32)
    np.fill_diagonal(x, np.arange(1, 257))
    return {"x": x}


def flashinfer_3774() -> Inputs:
    """Equal probabilities across the k-th place: k of them are kept, neither more nor fewer."""
    probabilities = np.full((3, 40), 1 / 40, np.float32)
    return {"probabilities": probabilities, "k": 7}


FAILURES: tuple[tuple[str, Callable[[], Inputs]], ...] = (
    ("flash_attention_bf16", pytorch_121558),
    ("flash_attention_f16", ik_llama_1196),
    ("gemm_f32_tiled", rocm_libraries_8645),
    ("gemm", rocm_libraries_9055),
    ("rope", rope_at_131071),
    ("convert_e4m3fnuz", triton_10745),
    ("convert_e4m3fn", triton_10846),
    ("dequantise_mxfp4", sglang_25519),
    ("dequantise_q3_k", aprender_2115),
    ("row_max", cupy_9977),
    ("keep_top_k", flashinfer_3774),
)


@pytest.mark.parametrize(("name", "inputs"), FAILURES, ids=[f[1].__name__ for f in FAILURES])
def test_a_kernel_is_right_where_another_was_not(
    part: Device, name: str, inputs: Callable[[], Inputs]
) -> None:
    spec, case = BY_NAME[name], Case(inputs())
    judge = Judge(Claim.of(spec), part, adversarial=False)
    try:
        judge.run(lambda: spec.launch(part, **case.inputs), case)
    finally:
        judge.close()
    assert judge.tally.elements > 0
