"""The specs of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import bfloat16, float16, float32, lengths, logits, matrices, tensors
from hipaudit.library.placing import SHIFTS, empty, placed
from hipaudit.spec import Array, Spec
from hipaudit_reference import bounds, exact, formats
from hipaudit_runtime import ops
from hipaudit_runtime.ops.rowwise import softmax_height, summation_height
from hipaudit_runtime.tensors import Scope

_NARROWEST_WAVE = 32
"""The bound is called without a device; the narrower wave has the higher summation tree."""


def _softmax(device: Any, x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    """Softmax of a matrix and to one so many elements behind aligned addresses."""
    with Scope() as scope:
        result = empty(scope, x.shape, x.dtype, shifts[1])
        ops.launch_softmax(device, placed(scope, x, shifts[0]), result)
        return result.download()


def _reference(x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    del shifts
    return ref.softmax(x)


def _bound(x: Array, shifts: tuple[int, int] = (0, 0)) -> Array:
    del shifts
    return bounds.softmax(x, height=softmax_height(x.shape[-1], _NARROWEST_WAVE))


def _spot(index: tuple[int, ...], x: Array, shifts: tuple[int, int] = (0, 0)) -> Any:
    del shifts
    return exact.softmax(x, at=index)


def _row(*values: float) -> dict[str, Any]:
    return {"x": np.array([values], dtype=float32)}


def _high(columns: int, shifts: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """Zeros but for one element a row, whose exponential overflows unless it is the maximum."""
    x = np.zeros((5, columns), dtype=float32)
    x[np.arange(5), [*(np.arange(4) * columns // 4 + 1), columns - 1]] = 200.0
    return {"x": x, "shifts": shifts}


_ROWS = matrices(
    float32,
    columns=st.one_of(lengths(1, 4096), st.integers(1, 1024).map(lambda fours: 4 * fours)),
    elements=logits(),
)
_PLACES = st.one_of(st.just((0, 0)), st.tuples(SHIFTS, SHIFTS))

SOFTMAX = Spec(
    name="softmax",
    source="softmax.hip",
    description=(
        "Softmax of each row of a row-major float32 matrix. -inf masks an element, in a row of "
        "-inf alone as well (0 everywhere); NaN or +inf makes its row NaN."
    ),
    inputs=st.fixed_dictionaries({"x": _ROWS, "shifts": _PLACES}),
    launch=_softmax,
    reference=_reference,
    bound=_bound,
    spot=_spot,
    formula=(
        "g (u d + u sum g d + 2 eps_exp + gamma_h + u) + underflow, d = max x - x; Blanchard, "
        "Higham and Higham, 2021"
    ),
    cases=(
        _row(7.0),
        _row(-np.inf),
        _row(-np.inf, -np.inf, -np.inf),
        _row(-np.inf, 0.0, -np.inf),
        _row(np.nan, -np.inf),
        _row(133120.0, 133120.0, 133120.0),  # a head's logits in a bfloat16 failure report
        _row(-6e4, -5.0001e4, -5.5e4),  # below the finite sentinel of some masks
        _row(3.4e38, -3.4e38),
        _high(257),  # in each round of a block's threads, by single elements
        _high(1024),  # and by fours
        *(_high(1024, shifts) for shifts in ((1, 0), (0, 1))),
        {"x": np.linspace(-20, 20, 3 * 1025, dtype=float32).reshape(3, 1025)},
        {"x": np.linspace(-20, 20, 3 * 1024, dtype=float32).reshape(3, 1024)},
        {"x": np.zeros((1, 1 << 17), dtype=float32)},
        {"x": np.zeros((1, (1 << 17) - 1), dtype=float32)},
    ),
)

_LOGITS = st.sampled_from([*families.WELL_SCALED, *families.LOGITS, *families.PLANTED])


@composite
def _masked_inputs(draw: st.DrawFn) -> dict[str, Any]:
    batch, queries, columns = draw(lengths(1, 3)), draw(lengths(1, 9)), draw(lengths(1, 2100))
    dtype = draw(st.sampled_from([float32, float16, bfloat16]))
    window = draw(st.sampled_from([None, None, 1, 17, columns]))
    padding = None
    if draw(st.booleans()):
        generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        padding = generator.integers(0, columns + 1, batch, dtype=np.int32)
    return {
        "x": draw(tensors(dtype, (batch, queries, columns), _LOGITS)),
        "causal": draw(st.booleans()) or window is not None,
        "window": window,
        "lengths": padding,
        "scale": draw(st.sampled_from([1.0, 0.125, float(float32.type(0.1))])),
    }


def _masked_launch(
    device: Any, x: Array, lengths: Array | None, scale: float, **mask: Any
) -> Array:
    return ops.softmax_masked(device, x, ops.Mask(**mask), lengths, scale)


def _keep(x: Array, causal: bool, window: int | None, lengths: Array | None) -> Array:
    """Which elements each row sees, in x's shape."""
    queries, columns = x.shape[-2:]
    keep = np.ones((queries, columns), dtype=bool)
    if causal:
        keep = ref.causal_mask(queries, columns, window)
    if lengths is not None:
        keep = keep & (np.arange(columns) < lengths[:, None, None])
    return np.broadcast_to(keep, x.shape)


def _masked_reference(x: Array, scale: float, **mask: Any) -> Array:
    keep = _keep(x, **mask)
    # Where the oracle makes all of a row NaN, the kernel's hidden elements are 0 all the same.
    return np.where(keep, ref.softmax(x, keep, scale), 0.0)


def _masked_bound(x: Array, scale: float, **mask: Any) -> Array:
    height = summation_height(x.shape[-1], _NARROWEST_WAVE)
    out = formats.format_of(x)
    # No term's sum is rescaled more often than it is added to.
    return bounds.softmax(x, _keep(x, **mask), scale, height=height, tiles=height + 1, out=out)


def _masked_spot(index: tuple[int, ...], x: Array, scale: float, **mask: Any) -> Any:
    keep = _keep(x, **mask)[index[:-1]]
    if not keep[index[-1]]:
        return 0.0
    return exact.softmax(x[index[:-1]], keep, scale, at=index[-1:])


def _masked_case(
    *shape: int, dtype: np.dtype[Any] = float32, lengths: Any = None, **how: Any
) -> dict[str, Any]:
    x = np.random.default_rng(sum(shape)).normal(0, 4, shape).astype(dtype)
    padding = None if lengths is None else np.array(lengths, np.int32)
    plain = {"causal": True, "window": None, "scale": 1.0}
    return {"x": x, "lengths": padding, **plain, **how}


def _poisoned() -> dict[str, Any]:
    """An infinity and a NaN that are seen make their rows NaN, but for what the mask hides."""
    case = _masked_case(1, 3, 5)
    case["x"][0, 0, 1], case["x"][0, 1, 0] = np.inf, np.nan
    return case


def _wholly_masked() -> dict[str, Any]:
    """Rows of -inf, alone and with a NaN that the mask hides."""
    case = _masked_case(1, 3, 5)
    x = np.full((1, 3, 5), -np.inf, float32)
    x[0, 0, 4] = np.nan
    return {**case, "x": x}


def _rising(columns: int) -> dict[str, Any]:
    """Every element a new maximum: an online sum is rescaled each time."""
    case = _masked_case(1, 1, columns, causal=False)
    return {**case, "x": np.linspace(-300, 300, columns, dtype=float32).reshape(1, 1, columns)}


SOFTMAX_MASKED = Spec(
    name="softmax_masked",
    source="softmax_masked.hip",
    description=(
        "Softmax of logits of float32, fp16 or bfloat16 with causal, window and padding masks, in "
        "its online form. Hidden elements, and rows that see nothing, are 0."
    ),
    inputs=_masked_inputs(),
    launch=_masked_launch,
    reference=_masked_reference,
    bound=_masked_bound,
    u_out=2.0**-8,
    spot=_masked_spot,
    formula=(
        "softmax's, and h (u + eps_exp) for the rescaling of the running sum; u_out g where it is "
        "stored shorter"
    ),
    cases=(
        _masked_case(1, 1, 1),
        _masked_case(2, 5, 70),
        _masked_case(1, 6, 4),  # the first two queries see nothing
        _masked_case(1, 3, 300, window=17, dtype=float16),
        _masked_case(3, 2, 65, lengths=[0, 65, 7], dtype=bfloat16),
        _masked_case(2, 1, 20, causal=False),
        _wholly_masked(),
        _poisoned(),
        _rising(5000),
        _masked_case(1, 1, 20000, causal=False),
    ),
    kernels=("softmax_masked_f32", "softmax_masked_f16", "softmax_masked_bf16"),
)

SPECS = (SOFTMAX, SOFTMAX_MASKED)
