"""The specs of quantised blocks: dequantisation, exact whatever the bytes, and products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import byte_blocks, float32, lengths, tensors
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, summation
from hipaudit_runtime import ops
from hipaudit_runtime.ops.quantised import product_height, values_shape
from hipaudit_runtime.tensors import Scope

_HALVES = 1 << 16
_FINITE = st.sampled_from([*families.WELL_SCALED, families.PLANTED[0]])


@dataclass(frozen=True, slots=True)
class Kind:
    """A format as its specs need it: its name, where its fp16 fields are, its formula in words."""

    name: str
    scales: tuple[int, ...]
    formula: str

    @property
    def block(self) -> ops.BlockFormat:
        """Sizes and entry points."""
        return ops.FORMATS[self.name]

    @property
    def words(self) -> str:
        """What a block is."""
        return f"{self.name} ({self.block.block_bytes} bytes for {self.block.elements} values)"


KINDS = (
    Kind("Q4_0", (0,), "scale * (q - 8), q in 0..15"),
    Kind("Q4_1", (0, 2), "scale * q + minimum, q in 0..15"),
    Kind("Q5_0", (0,), "scale * (q - 16), q in 0..31"),
    Kind("Q5_1", (0, 2), "scale * q + minimum, q in 0..31"),
    Kind("Q8_0", (0,), "scale * q, q in -128..127"),
    Kind("Q2_K", (80, 82), "d s q - dmin m, q in 0..3, s and m in 0..15 a run of 16"),
    Kind("Q3_K", (108,), "d (s - 32) (q - 4), q in 0..7, s in 0..63 a run of 16"),
    Kind("Q4_K", (0, 2), "d s q - dmin m, q in 0..15, s and m in 0..63 a run of 32"),
    Kind("Q5_K", (0, 2), "d s q - dmin m, q in 0..31, s and m in 0..63 a run of 32"),
    Kind("Q6_K", (208,), "d s (q - 32), q in 0..63, s in -128..127 a run of 16"),
    Kind("MXFP4", (), "2^(e - 127) * e2m1(q), as GGML reads it: no NaN"),
    Kind("MXFP4_E2M1", (), "2^(e - 127) * e2m1(q), e = 255 NaN; OCP MX"),
    Kind("MXFP6_E2M3", (), "2^(e - 127) * e2m3(q), e = 255 NaN; OCP MX"),
    Kind("MXFP6_E3M2", (), "2^(e - 127) * e3m2(q), e = 255 NaN; OCP MX"),
    Kind("MXFP8_E4M3", (), "2^(e - 127) * e4m3(q), e = 255 NaN; OCP MX"),
    Kind("MXFP8_E5M2", (), "2^(e - 127) * e5m2(q), e = 255 NaN; OCP MX"),
)


def _every_code(kind: Kind) -> Array:
    """Blocks that go through every code of their scales: fp16 fields, or the E8M0 byte."""
    size = kind.block.block_bytes
    generator = np.random.default_rng(size)
    if not kind.scales:
        blocks = generator.integers(0, 256, (1 << 14, size), dtype=np.uint8)
        blocks[:, 0] = np.arange(len(blocks))
        return blocks
    count = _HALVES if kind.block.elements == 32 else _HALVES // 8
    blocks = generator.integers(0, 256, (count, size), dtype=np.uint8)
    for turn, offset in enumerate(kind.scales):
        # Multiplying by an odd number permutes the codes: every pair of fields differs.
        codes = np.arange(count, dtype=np.uint32) * (_HALVES // count) * (1 + 40502 * turn) + turn
        blocks[:, offset : offset + 2] = codes.astype("<u2").view(np.uint8).reshape(-1, 2)
    return blocks


def _dequantised(kind: str, blocks: Array) -> Array:
    return ref.dequantise(blocks, kind).reshape(len(blocks), -1)


def _dequantise(kind: Kind) -> Spec:
    most = 4096 if kind.block.elements == 32 else 512
    drawn = byte_blocks(kind.block.block_bytes, blocks=lengths(1, most), scales=kind.scales)

    def launch(device: Any, blocks: Array) -> Array:
        return ops.dequantise(device, kind.name, blocks)

    return Spec(
        name=f"dequantise_{kind.block.name}",
        source="dequantise.hip",
        description=f"{kind.words} to float32: {kind.formula}.",
        inputs=st.fixed_dictionaries({"blocks": drawn}),
        launch=launch,
        reference=partial(_dequantised, kind.name),
        exact=True,
        formula="bit exact: every product fits into a float32, one rounding at most",
        cases=({"blocks": _every_code(kind)},),
    )


def finite_blocks(kind: Kind, seed: int, rows: int, row_blocks: int) -> Array:
    """Random rows whose weights are finite and of ordinary size: (rows, bytes of a row)."""
    size = kind.block.block_bytes
    generator = np.random.default_rng(seed)
    blocks = generator.integers(0, 256, (rows * row_blocks, size), dtype=np.uint8)
    for offset in kind.scales:
        halves = generator.normal(scale=0.05, size=len(blocks)).astype("<f2")
        blocks[:, offset : offset + 2] = halves.view(np.uint8).reshape(-1, 2)
    if not kind.scales:
        blocks[:, 0] = generator.integers(115, 135, len(blocks))
    if kind.name.startswith("MXFP8"):
        blocks[:, 1:] &= 0xBB  # no element is NaN or infinite
    return blocks.reshape(rows, row_blocks * size)


@composite
def _factors(draw: st.DrawFn, kind: Kind, m: int, most_blocks: int) -> dict[str, Array]:
    """Draw quantised rows and up to m rows of x."""
    rows, row_blocks = draw(lengths(1, 150)), draw(lengths(1, most_blocks))
    blocks = finite_blocks(kind, draw(st.integers(0, 2**32 - 1)), rows, row_blocks)
    columns = row_blocks * kind.block.elements
    shape = (columns,) if m == 1 else (draw(lengths(2, m)), columns)
    return {"blocks": blocks, "x": draw(tensors(float32, shape, _FINITE))}


def _case(kind: Kind, m: int, rows: int, row_blocks: int) -> dict[str, Array]:
    generator = np.random.default_rng(rows)
    columns = row_blocks * kind.block.elements
    x = generator.uniform(-1, 1, (columns,) if m == 1 else (m, columns)).astype(float32)
    return {"blocks": finite_blocks(kind, rows, rows, row_blocks), "x": x}


def _product(
    kind: Kind,
    what: str,
    launch: Callable[..., Array],
    drawn: st.SearchStrategy[dict[str, Array]],
    cases: Sequence[dict[str, Array]],
) -> Spec:
    def bound(blocks: Array, x: Array) -> Array:
        height = summation.Tree(product_height(x.shape[-1]))
        return bounds.quantised_gemm(blocks, kind.name, x, height=height)

    def spot(index: tuple[int, ...], blocks: Array, x: Array) -> Any:
        return exact.quantised_gemm(blocks, kind.name, x, at=index)

    def reference(blocks: Array, x: Array) -> Array:
        return ref.quantised_gemm(blocks, kind.name, x)

    def run(device: Any, blocks: Array, x: Array) -> Array:
        return launch(device, kind.name, blocks, x)

    return Spec(
        name=f"{what}_{kind.block.name}",
        source=f"{what}.hip",
        description=f"Product with a matrix in {kind.words}, float32 accumulation.",
        inputs=drawn,
        launch=run,
        reference=reference,
        bound=bound,
        spot=spot,
        formula="gamma_{h+1} |x||w|, h = 4 ceil(k / 32 / lanes) + 2 + lanes; Higham, 3.5",
        cases=tuple(cases),
        examples=10,
    )


def _products(kind: Kind) -> tuple[Spec, Spec]:
    most = 40 if kind.block.elements == 32 else 5
    few = 9 if kind.block.elements == 32 else 2
    return (
        _product(
            kind,
            "quantised_gemv",
            ops.quantised_gemv,
            _factors(kind, 1, most),
            # The last: as few lanes a row, and so as many rows a block, as there can be.
            (_case(kind, 1, 1, 1), _case(kind, 1, 300, most), _case(kind, 1, 300, 1)),
        ),
        _product(
            kind,
            "quantised_gemm",
            ops.quantised_gemm,
            _factors(kind, 9, few),
            (_case(kind, 2, 1, 1), _case(kind, 5, 130, few)),
        ),
    )


def _table(kind: Kind, rows: int, row_blocks: int) -> Array:
    """Random rows of a table."""
    size = row_blocks * kind.block.block_bytes
    generator = np.random.default_rng(rows)
    return generator.integers(0, 256, (rows, size), dtype=np.uint8)


@composite
def _lookups(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    rows, row_blocks = draw(lengths(1, 100)), draw(lengths(1, 3))
    size = kind.block.block_bytes
    blocks = draw(byte_blocks(size, blocks=rows * row_blocks, scales=kind.scales))
    beyond = draw(st.sampled_from((0, 1, rows)))  # how far indices leave the table, either way
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    indices = generator.integers(-beyond, rows + beyond, draw(lengths(1, 64)), dtype=np.int32)
    return {"kind": kind.name, "table": blocks.reshape(rows, -1), "indices": indices}


def _embedded(kind: str, table: Array, indices: Array) -> Array:
    inside = (indices >= 0) & (indices < len(table))
    rows = _dequantised(kind, table)[np.where(inside, indices, 0)]
    return np.where(inside[..., np.newaxis], rows, np.nan)


def _embed(device: Any, kind: str, table: Array, indices: Array) -> Array:
    """Look up without the host's check of the indices: the kernel has a policy of its own."""
    with Scope() as scope:
        shape = (*indices.shape, values_shape(kind, table)[1])
        result = scope.empty(shape, float32)
        tensors = scope.upload(table), scope.upload(indices), result
        ops.launch_quantised_embedding(device, kind, *tensors)
        return result.download()


def _picked(kind: Kind, rows: int, row_blocks: int, *indices: int) -> dict[str, Any]:
    table = _table(kind, rows, row_blocks)
    return {"kind": kind.name, "table": table, "indices": np.array(indices, np.int32)}


EMBEDDING = Spec(
    name="quantised_embedding",
    source="quantised_embedding.hip",
    description=(
        "Rows of a table of quantised blocks in float32, picked by int32 index; an index outside "
        "the table gives NaN."
    ),
    inputs=_lookups(),
    launch=_embed,
    reference=_embedded,
    exact=True,
    formula="bit exact: as dequantisation",
    cases=(
        *(_picked(kind, 5, 3, 4, 0, 3, 3) for kind in KINDS),
        _picked(KINDS[0], 1, 40, 0),
        _picked(KINDS[0], 5, 1, -1, 0, 4, 5, 2**31 - 1, -(2**31)),
    ),
    kernels=tuple(f"quantised_embedding_{kind.block.name}" for kind in KINDS),
)

SPECS = (
    *(_dequantise(kind) for kind in KINDS),
    EMBEDDING,
    *(spec for kind in KINDS for spec in _products(kind)),
)
