"""The specs of reductions and scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.inputs import float32, lengths, matrices
from hipaudit.library.placing import landmarks
from hipaudit.spec import Array, Spec, Sums
from hipaudit_reference import bounds, exact, summation
from hipaudit_runtime import ops
from hipaudit_runtime.ops.reductions import TILE, long_tiles
from hipaudit_runtime.ops.rowwise import scan_height, summation_height

_NARROWEST_WAVE = 32
_ANY = st.sampled_from(families.ALL)
_FINITE = st.sampled_from([*families.WELL_SCALED, *families.PLANTED])


def _tree(x: Array) -> Array:
    return bounds.reduce_sum(x, height=_tree_height(x.shape[-1]))


def _compensated(x: Array) -> Array:
    return bounds.reduce_sum(x, height=summation.Compensated(_tree_height(x.shape[-1])))


def _serial(x: Array) -> Array:
    return bounds.reduce_sum(x)


def _sum_spot(index: tuple[int, ...], x: Array) -> Any:
    return exact.reduce_sum(x, at=index)


def _rows(*shape: int) -> dict[str, Array]:
    return {"x": np.random.default_rng(shape[-1]).uniform(-1, 1, shape).astype(float32)}


def _absorbing() -> dict[str, Array]:
    """Rows whose ones vanish in 2^24: a thread that adds them one by one loses them all."""
    x = np.ones((2, 2048), dtype=float32)
    x[:, :64] = 1 << 24
    return {"x": x}


_CASES = (
    _rows(1, 1),
    _rows(3, 63),
    _rows(3, 65),
    _rows(257, 5),
    _rows(2, 2049),
    _rows(1, 20000),  # as many waves as a block can have
    _absorbing(),
    {"x": np.array([[1e8, 1.0, -1e8, 1.0]], dtype=float32)},
    {"x": np.array([[np.inf, 1.0], [np.inf, -np.inf], [np.nan, 1.0]], dtype=float32)},
)


def _lost_bits() -> dict[str, Array]:
    """A row whose small elements are all rounding error, of more bits than bfloat16 has.

    One thread of 1024 has 2^24 and then 2047 of them; what each loses in a shorter format adds up
    to more than the bound. All of it is scaled by 2^-40, below what fp16 holds.
    """
    x = np.zeros((1, 1 << 21), dtype=float32)
    x[0, ::1024] = (1 - 2.0**-9) * 2.0**-40
    x[0, 0] = 2.0**-16
    return {"x": x}


def _sum(
    name: str,
    launch: Callable[..., Array],
    bound: Callable[..., Array],
    how: str,
    formula: str,
    height: Callable[[int], int] | None,
    cases: tuple[dict[str, Array], ...] = (),
) -> Spec:
    return Spec(
        name=name,
        source=f"{name}.hip",
        description=f"Sum of each row of a row-major float32 matrix, {how}.",
        inputs=st.fixed_dictionaries({"x": matrices(float32, elements=_FINITE)}),
        launch=launch,
        reference=ref.reduce_sum,
        bound=bound,
        spot=_sum_spot,
        formula=formula,
        cases=(*_CASES, *cases),
        sums=Sums(launch, height),
    )


def _serial_height(terms: int) -> int:
    return terms - 1


def _tree_height(terms: int) -> int:
    return summation_height(terms, _NARROWEST_WAVE)


def _scan_height(terms: int) -> int:
    return max(scan_height(terms, wave) for wave in (32, 64))


SUM_SERIAL = _sum(
    "sum_serial",
    ops.sum_serial,
    _serial,
    "one thread a row",
    "(n - 1) u sum |x|; Higham, 4.2",
    _serial_height,
)
SUM_TREE = _sum(
    "sum_tree", ops.sum_tree, _tree, "a block a row", "gamma_h sum |x|; Higham, 4.2", _tree_height
)
SUM_COMPENSATED = _sum(
    "sum_compensated",
    ops.sum_compensated,
    _compensated,
    "with every rounding error carried along",
    "u |sum x| + gamma_h gamma_2h sum |x|; Ogita, Rump and Oishi 2005, in a tree",
    None,
    (_lost_bits(),),
)

ROW_MAX = Spec(
    name="row_max",
    source="row_max.hip",
    description="Largest element of each row of a row-major float32 matrix; NaN if there is one.",
    inputs=st.fixed_dictionaries({"x": matrices(float32, elements=_ANY)}),
    launch=ops.row_max,
    reference=ref.reduce_max,
    bound=bounds.reduce_max,
    formula="0: a maximum is one of the elements; of zeros of both signs it may be either",
    cases=(
        *_CASES,
        {"x": np.full((2, 300), -np.inf, dtype=float32)},
        *({"x": x} for x in landmarks()),
    ),
)


def _scan_bound(x: Array) -> Array:
    return bounds.prefix_sum(x, height=summation.Tree(_scan_height(x.shape[-1])))


def _scan_spot(index: tuple[int, ...], x: Array) -> Any:
    return exact.prefix_sum(x, at=index)


def _last_sums(device: Any, terms: Array) -> Array:
    return ops.prefix_sum(device, terms)[:, -1]


PREFIX_SUM = Spec(
    name="prefix_sum",
    source="prefix_sum.hip",
    description="Running sums of each row of a row-major float32 matrix.",
    inputs=st.fixed_dictionaries({"x": matrices(float32, elements=_FINITE)}),
    launch=ops.prefix_sum,
    reference=ref.prefix_sum,
    bound=_scan_bound,
    spot=_scan_spot,
    formula="gamma_h (|x_0| + ... + |x_k|), h the height of the scan",
    cases=(*_CASES, _rows(1, 20000)),
    sums=Sums(_last_sums, _scan_height),
)


def _long_scan_height(columns: int) -> int:
    """A tile's total, the totals' scan, and the tile's own scan on top of it."""
    tiles, wave = long_tiles(columns), _NARROWEST_WAVE
    scans = max(scan_height(tiles, w) + scan_height(TILE, w) for w in (32, 64))
    return summation_height(TILE, wave) + scans + 1


def _long_scan_bound(x: Array) -> Array:
    return bounds.prefix_sum(x, height=summation.Tree(_long_scan_height(x.shape[-1])))


def _long_sum_bound(x: Array) -> Array:
    tiles = long_tiles(x.shape[-1])
    height = summation_height(TILE, _NARROWEST_WAVE) + summation_height(tiles, _NARROWEST_WAVE)
    return bounds.reduce_sum(x, height=summation.Tree(height))


_LONG = st.fixed_dictionaries(
    {"x": matrices(float32, rows=lengths(1, 3), columns=lengths(1, 40000), elements=_FINITE)}
)
_LONG_CASES = (
    *(_rows(1, TILE), _rows(2, TILE + 1), _rows(1, 3 * TILE - 1)),
    _rows(2, 2 * TILE),  # whole tiles: the second row's first tile follows another row's last
    *_CASES[-2:],
)

PREFIX_SUM_LONG = Spec(
    name="prefix_sum_long",
    source="prefix_sum.hip",
    description="Running sums of long rows of a float32 matrix, in three steps by many blocks.",
    inputs=_LONG,
    launch=ops.prefix_sum_long,
    reference=ref.prefix_sum,
    bound=_long_scan_bound,
    spot=_scan_spot,
    formula="gamma_h (|x_0| + ... + |x_k|), h the height of a tile's sum and both scans",
    cases=_LONG_CASES,
    examples=12,
    kernels=("tile_totals", "prefix_sum", "prefix_sum_tiles"),
)

SUM_LONG = Spec(
    name="sum_long",
    source="prefix_sum.hip",
    description="Sums of long rows of a float32 matrix, each by many blocks, in two steps.",
    inputs=_LONG,
    launch=ops.sum_long,
    reference=ref.reduce_sum,
    bound=_long_sum_bound,
    spot=_sum_spot,
    formula="gamma_h sum |x|, h the height of a tile's sum and of the totals'; Higham, 4.2",
    cases=_LONG_CASES,
    examples=12,
    kernels=("tile_totals", "sum_tree"),
)

SPECS = (SUM_SERIAL, SUM_TREE, SUM_COMPENSATED, ROW_MAX, PREFIX_SUM, PREFIX_SUM_LONG, SUM_LONG)
