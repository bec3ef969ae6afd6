"""What IEEE 754 and C's annex F say of zeros, infinities, NaN and the edges, in double."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

Probes = Any  # conftest's: with importlib mode there is no module to import the class from

EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 0.5, 5e-324, -5e-324,
                  1.7976931348623157e308, -1.7976931348623157e308])  # fmt: skip
NUMPY = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sinh", "cosh"),
    *("tanh", "sin", "cos", "tan", "fabs", "floor", "ceil", "trunc", "rint"),
)
RENAMED = {"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "asin": "arcsin",
           "acos": "arccos", "atan": "arctan"}  # fmt: skip
INF, NAN = np.inf, np.nan
# Pairs of argument and result: a dictionary would take -0.0 for 0.0.
TABLE: dict[str, list[tuple[float, float]]] = {
    "rsqrt": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (4.0, 0.5), (0.25, 2.0)],
    "rcbrt": [(0.0, INF), (INF, 0.0), (-INF, -0.0), (8.0, 0.5), (-0.125, -2.0)],
    "sinpi": [(1.0, 0.0), (-1.0, -0.0), (0.5, 1.0), (1.5, -1.0), (INF, NAN), (1e300, 0.0),
        (-0.0, -0.0)],
    "cospi": [(0.5, 0.0), (1.5, 0.0), (1.0, -1.0), (2.0, 1.0), (INF, NAN), (1e300, 1.0)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0)],
    "erfc": [(0.0, 1.0), (INF, 0.0), (-INF, 2.0), (30.0, 0.0)],
    "erfcx": [(0.0, 1.0), (INF, 0.0), (-INF, INF), (-30.0, INF)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN)],
    "erfcinv": [(1.0, 0.0), (0.0, INF), (2.0, -INF), (-0.1, NAN), (2.1, NAN)],
    "normcdf": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0)],
    "normcdfinv": [(0.5, 0.0), (0.0, -INF), (1.0, INF), (1.5, NAN)],
    "tgamma": [(1.0, 1.0), (5.0, 24.0), (0.0, INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN),
        (INF, INF), (200.0, INF), (-200.5, -0.0)],
    "lgamma": [(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-3.0, INF), (INF, INF), (-INF, INF),
        (1e306, INF)],
    "j0": [(0.0, 1.0), (INF, 0.0), (-INF, 0.0)],
    "j1": [(0.0, 0.0), (-0.0, -0.0), (INF, 0.0)],
    "y0": [(0.0, -INF), (-1.0, NAN), (INF, 0.0)],
    "y1": [(0.0, -INF), (-1.0, NAN), (INF, 0.0)],
    "cyl_bessel_i0": [(0.0, 1.0), (INF, INF), (-INF, INF)],
    "cyl_bessel_i1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "exp10": [(0.0, 1.0), (2.0, 100.0), (22.0, 1e22), (308.3, INF), (-324.0, 0.0), (-INF, 0.0)],
    "exp": [(709.782712893384, 1.7976931348622732e308), (709.782712893385, INF),
        (-745.1332191019411, 5e-324), (-745.1332191019412, 0.0)],
    "log10": [(1000.0, 3.0), (1e22, 22.0), (0.001, -3.0)],
    "log2": [(8.0, 3.0), (5e-324, -1074.0)],
    "round": [(0.5, 1.0), (-0.5, -1.0), (2.5, 3.0), (0.49999999999999994, 0.0),
        (4503599627370497.0, 4503599627370497.0)],
    "logb": [(0.0, -INF), (5e-324, -1074.0), (-INF, INF), (8.5, 3.0)],
}  # fmt: skip


def same(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal values with equal signs, any NaN for any."""
    number = ~np.isnan(expected)
    return (
        np.array_equal(np.isnan(got), ~number)
        and np.array_equal(got[number], expected[number])
        and np.array_equal(np.signbit(got[number]), np.signbit(expected[number]))
    )


@pytest.mark.parametrize("name", [*NUMPY, *RENAMED])
def test_edges_as_numpy_has_them(math: Probes, name: str) -> None:
    inputs = EDGES[np.abs(EDGES) < 1e300] if name in {"sin", "cos", "tan"} else EDGES
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        expected = getattr(np, RENAMED.get(name, name))(inputs)
    got = math(name, np.float64, inputs)
    near = np.isclose(got, expected, rtol=4e-16, atol=0, equal_nan=True)
    assert near.all(), list(zip(inputs[~near], got[~near], expected[~near], strict=True))
    special = ~np.isfinite(expected) | (expected == 0)
    assert same(got[special], expected[special])


@pytest.mark.parametrize("name", sorted(TABLE))
def test_edges_of_what_numpy_lacks(math: Probes, name: str) -> None:
    inputs = np.array([*(x for x, _ in TABLE[name]), NAN])
    expected = np.array([*(y for _, y in TABLE[name]), NAN])
    assert same(math(name, np.float64, inputs), expected), math(name, np.float64, inputs)


@pytest.mark.parametrize(
    ("name", "twin"), [("pow", "power"), ("atan2", "arctan2"), ("hypot", "hypot"), ("fmod", "fmod")]
)
def test_pairs_of_edges(math: Probes, name: str, twin: str) -> None:
    wide = np.concatenate([EDGES, [3.0, -3.0, 0.25, -1.5, 1e300]])
    x, y = np.repeat(wide, len(wide)), np.tile(wide, len(wide))
    with np.errstate(all="ignore"):
        expected = getattr(np, twin)(x, y)
    got = math(name, np.float64, x, y)
    special = ~np.isfinite(expected) | (expected == 0) | np.isin(np.abs(expected), [1, 2, 3])
    wrong = [
        (a, b, g, e)
        for a, b, g, e in zip(x[special], y[special], got[special], expected[special], strict=True)
        if not same(np.array([g]), np.array([e]))
    ]
    assert not wrong
