"""The specs of sampling. Choices are judged by acceptance (see `choices`), numbers by bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import hipaudit_reference as ref
from hipaudit import families
from hipaudit.drawing import composite
from hipaudit.inputs import finite_logits, float32, lengths, matrices
from hipaudit.library.choices import settled
from hipaudit.library.placing import landmarks
from hipaudit.spec import Array, Spec
from hipaudit_reference import acceptance, bounds, exact, summation
from hipaudit_runtime import ops
from hipaudit_runtime.ops.rowwise import summation_height
from hipaudit_runtime.ops.sampling import draw_height

_U = 2.0**-24
_SEEDS = st.integers(0, 2**32 - 1)
_ROWS = lengths(1, 12)
_COLUMNS = lengths(1, 2500)
_LOGITS = matrices(float32, rows=_ROWS, columns=_COLUMNS, elements=finite_logits())
# Of zeros of both signs a quotient keeps the sign, which an exact comparison would want as well.
_ANY = st.sampled_from(families.ALL)


def _mask(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(generator.random(shape) < generator.choice([0.0, 0.1, 0.7, 1.0]))


@composite
def _probabilities(draw: st.DrawFn) -> Array:
    """Rows as a softmax gives them; some with ties, some with zeros, some all but certain."""
    shape = (draw(_ROWS), draw(_COLUMNS))
    generator = np.random.default_rng(draw(_SEEDS))
    logits = generator.normal(0, draw(st.sampled_from([0.5, 3.0, 30.0])), shape)
    if draw(st.booleans()):
        logits = np.round(logits)  # ties
    x: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(x / x.sum(axis=-1, keepdims=True), float32)


def _rows(*rows: list[float]) -> Array:
    return np.array(rows, float32)


_TIES = np.full((2, 300), 1 / 300, float32)
# Zeros of both signs are equal, a NaN comes behind them, and an infinity before all else.
_ODD = _rows(
    [-0.0, 0.0, 0.5, 0.5],
    [np.nan, 0.0, 0.5, -0.0],
    [0.0, np.nan, np.nan, 1.0],
    [0.0, np.inf, 3e38, np.inf],
)
_CERTAIN = _rows([0.0, 1.0, 0.0, 0.0])
_EDGES = (_TIES, _CERTAIN, _rows([1.0]), _rows([0.5, 0.25, 0.25], [0.0, 0.0, 0.0]))


# The first two tokens reach p by 2e-5; the next two lie a thousandth above and below the share of
# the largest: less than fp16 and bf16 tell apart.
_MASS_BORDER = {"probabilities": _rows([0.3001, 0.19995, 0.18, 0.17, 0.14995]), "p": 0.50003}
_SHARE_BORDER = {"probabilities": _rows([0.7515, 0.07522, 0.07508, 0.0982]), "share": 0.1}


@composite
def _with_temperature(draw: st.DrawFn) -> dict[str, Any]:
    return {"logits": draw(_LOGITS), "value": draw(st.sampled_from([1.0, 0.7, 0.5, 1e-3, 3.0]))}


def _temperature_spot(index: tuple[int, ...], logits: Array, value: float) -> Any:
    return exact.temperature(logits, value, at=index)


def _temperature_bound(logits: Array, value: float) -> Array:
    return bounds.temperature(logits, value)


TEMPERATURE = Spec(
    name="temperature",
    source="sampling_logits.hip",
    description="Logits divided by a temperature above 0.",
    inputs=_with_temperature(),
    launch=ops.temperature,
    reference=ref.temperature,
    bound=_temperature_bound,
    spot=_temperature_spot,
    formula="u |y| for the quotient, u |y| more when the temperature rounds",
    examples=20,
)


@composite
def _with_penalty(draw: st.DrawFn) -> dict[str, Any]:
    logits = draw(_LOGITS)
    seen = _mask(np.random.default_rng(draw(_SEEDS)), logits.shape)
    return {"logits": logits, "seen": seen, "penalty": draw(st.sampled_from([1.0, 1.1, 2.0, 0.8]))}


def _penalty_spot(index: tuple[int, ...], logits: Array, seen: Array, penalty: float) -> Any:
    return exact.repetition_penalty(logits, seen, penalty, at=index)


def _penalty_bound(logits: Array, seen: Array, penalty: float) -> Array:
    return bounds.repetition_penalty(logits, seen, penalty)


REPETITION_PENALTY = Spec(
    name="repetition_penalty",
    source="sampling_logits.hip",
    description="Logits of tokens seen before: divided by the penalty when above 0, else times it.",
    inputs=_with_penalty(),
    launch=ops.repetition_penalty,
    reference=ref.repetition_penalty,
    bound=_penalty_bound,
    spot=_penalty_spot,
    formula="u |y|, u |y| more when the penalty rounds; other tokens are copied",
    examples=20,
)

ARGMAX = Spec(
    name="argmax",
    source="argmax.hip",
    description="Index of each row's largest element; the first of equals, or the first NaN.",
    inputs=st.fixed_dictionaries({"x": matrices(float32, columns=_COLUMNS, elements=_ANY)}),
    launch=ops.argmax,
    reference=ref.argmax,
    exact=True,
    formula="exact: an index; of equals the lowest",
    cases=(
        {"x": _rows([0.0, -0.0, 0.0])},
        {"x": _rows([-np.inf, -np.inf])},
        {"x": _rows([1.0, np.nan, np.inf, np.nan])},
        {"x": np.arange(3 * 4097, dtype=float32).reshape(3, 4097)},
        {"x": np.arange(20000, dtype=float32)[np.newaxis]},  # as many waves as a block can have
        *({"x": x} for x in landmarks()),
    ),
    examples=20,
)

_Choice = Callable[..., Array]


def _filter_spec(
    name: str,
    what: str,
    inputs: st.SearchStrategy[dict[str, Any]],
    launch: _Choice,
    reference: _Choice,
    cases: tuple[dict[str, Any], ...],
) -> Spec:
    return Spec(
        name=name,
        source="sampling_filters.hip",
        description=what,
        inputs=inputs,
        launch=launch,
        reference=reference,
        exact=True,
        formula="the set itself; where the device's sums leave a choice, any that they allow",
        cases=cases,
        examples=15,
    )


@composite
def _with_k(draw: st.DrawFn) -> dict[str, Any]:
    x = draw(_probabilities())
    return {"probabilities": x, "k": draw(lengths(1, x.shape[-1]))}


TOP_K = _filter_spec(
    "keep_top_k",
    "The k most probable tokens of each row; of equals those with the lower index.",
    _with_k(),
    ops.top_k,
    ref.top_k,
    (
        *({"probabilities": x, "k": 1} for x in _EDGES),
        *({"probabilities": _ODD, "k": k} for k in (1, 2, 3)),
        {"probabilities": _TIES, "k": 137},
    ),
)


def _top_p(device: Any, probabilities: Array, p: float) -> Array:
    kept = ops.top_p(device, probabilities, p)
    return settled(kept, ref.top_p(probabilities, p), _top_p_excess(probabilities, kept, p))


def _top_p_excess(probabilities: Array, kept: Array, p: float) -> Array:
    """What the set's sum is off by more than the device's additions and p's rounding explain."""
    height = summation_height(probabilities.shape[-1], 32)
    error = (summation.gamma(height, _U) + _U) * probabilities.astype(np.float64)
    return acceptance.top_p(probabilities, kept, p, error)


@composite
def _with_p(draw: st.DrawFn) -> dict[str, Any]:
    p = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.95, 0.99]))
    return {"probabilities": draw(_probabilities()), "p": p}


TOP_P = _filter_spec(
    "keep_top_p",
    "The nucleus of each row: the fewest most probable tokens whose sum reaches p.",
    _with_p(),
    _top_p,
    ref.top_p,
    (*({"probabilities": x, "p": 0.5} for x in _EDGES[:3]), _MASS_BORDER),
)


def _min_p(device: Any, probabilities: Array, share: float) -> Array:
    kept = ops.min_p(device, probabilities, share)
    # The product share * max rounds once, and share to float32 before.
    error = 2 * _U * probabilities.max(axis=-1, keepdims=True).astype(np.float64)
    excess = acceptance.min_p(probabilities, kept, share, error)
    return settled(kept, ref.min_p(probabilities, share), excess)


@composite
def _with_share(draw: st.DrawFn) -> dict[str, Any]:
    share = draw(st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0]))
    return {"probabilities": draw(_probabilities()), "share": share}


MIN_P = _filter_spec(
    "keep_min_p",
    "Tokens at least a share as probable as the most probable one of their row.",
    _with_share(),
    _min_p,
    ref.min_p,
    (
        *({"probabilities": x, "share": 0.5} for x in _EDGES),
        _SHARE_BORDER,
        # As many waves as a block can have.
        {"probabilities": np.ones((1, 20000), float32) / float32.type(20000), "share": 0.5},
    ),
)


@composite
def _with_kept(draw: st.DrawFn) -> dict[str, Any]:
    x = draw(_probabilities())
    return {"probabilities": x, "kept": _mask(np.random.default_rng(draw(_SEEDS)), x.shape)}


def _renormalise_bound(probabilities: Array, kept: Array) -> Array:
    height = summation.Tree(summation_height(probabilities.shape[-1], 32))
    return bounds.renormalise(probabilities, kept, height=height)


def _renormalise_spot(index: tuple[int, ...], probabilities: Array, kept: Array) -> Any:
    return exact.renormalise(probabilities, kept, at=index)


def _kept_of(columns: int) -> dict[str, Any]:
    x = np.linspace(1, 3, columns, dtype=float32)[np.newaxis] / np.float32(2 * columns)
    return {"probabilities": x, "kept": np.arange(columns)[np.newaxis] % 3 > 0}


RENORMALISE = Spec(
    name="renormalise",
    source="renormalise.hip",
    description="Probabilities of the kept tokens, summing to 1; a row of 0 where none has mass.",
    inputs=_with_kept(),
    launch=ops.renormalise,
    reference=ref.renormalise,
    bound=_renormalise_bound,
    spot=_renormalise_spot,
    formula="|y| (gamma_h + u), h the height of the sum",
    cases=(
        *({"probabilities": x, "kept": x > 0.3} for x in _EDGES),
        {"probabilities": _rows([0.0, 0.0, 1.0]), "kept": np.array([[True, True, False]])},
        _kept_of(20000),  # as many waves as a block can have
    ),
    examples=20,
)


def _draws(rows: int, seed: int, offset: int) -> Array:
    """The random numbers 0, 1, ... of a seed and an offset."""
    counter = np.zeros((rows, 4), np.uint64)
    counter[:, 0], counter[:, 1] = offset & 0xFFFFFFFF, offset >> 32
    counter[:, 2] = np.arange(rows)
    key = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)
    return ref.uniform(ref.philox4x32_10(counter, key)[:, 0])


def _first_draws(keys: Array) -> Array:
    """The number that decides each row: the first of its seed and offset."""
    return np.array([_draws(1, int(seed), int(offset))[0] for seed, offset in keys])


def _multinomial(device: Any, probabilities: Array, keys: Array) -> Array:
    token = ops.multinomial(device, probabilities, keys)
    draws = _first_draws(keys)
    columns = probabilities.shape[-1]
    height = summation.Tree(max(draw_height(columns, wave) for wave in (32, 64)))
    excess = acceptance.multinomial(probabilities, draws, token, height=height)
    return settled(token, ref.multinomial(probabilities, draws), excess)


def _drawn(probabilities: Array, keys: Array) -> Array:
    return ref.multinomial(probabilities, _first_draws(keys))


_KEYS = st.integers(0, 2**64 - 1)


def _keys(rows: int, seed: int, *, step: int = 1 << 32) -> Array:
    """Keys of requests: some of one seed at places that follow, some of seeds of their own."""
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 2**64, (rows, 2), dtype=np.uint64)
    same = generator.random(rows) < 0.5
    places = np.arange(rows, dtype=np.uint64) * np.uint64(step)
    keys[same] = np.stack([np.full(rows, seed, np.uint64), places], axis=-1)[same]
    return keys


@composite
def _with_keys(draw: st.DrawFn) -> dict[str, Any]:
    x = draw(_probabilities())
    step = draw(st.sampled_from([1, 1 << 31, 1 << 32]))  # in either word of the offset
    return {"probabilities": x, "keys": _keys(len(x), draw(_SEEDS), step=step)}


def _uneven(rows: int, columns: int) -> Array:
    x = np.random.default_rng(columns).uniform(0.1, 1.0, (rows, columns))
    return np.asarray(x / x.sum(axis=-1, keepdims=True), float32)


def _highest() -> dict[str, Any]:
    """The highest draw there is, 1 - 2^-24: many a row's running sums end before it."""
    x = _uneven(200, 64)
    x[:, -4:] = 0.0
    return {"probabilities": x, "keys": np.tile(np.array([0, 38471471], np.uint64), (200, 1))}


MULTINOMIAL = Spec(
    name="multinomial",
    source="multinomial.hip",
    description="A token of each row drawn with its probability, from Philox4x32-10 by its key.",
    inputs=_with_keys(),
    launch=_multinomial,
    reference=_drawn,
    exact=True,
    formula="the draw lies in the token's interval of running sums, give or take their rounding",
    cases=(
        *({"probabilities": x, "keys": _keys(len(x), 7)} for x in _EDGES),
        {"probabilities": np.tile(_CERTAIN, (200, 1)), "keys": _keys(200, 1)},
        {"probabilities": _uneven(1500, 257), "keys": _keys(1500, 3)},  # draws near every edge
        {"probabilities": 3 * _uneven(1500, 33), "keys": _keys(1500, 9)},  # of another sum
        _highest(),
    ),
    examples=20,
)


def _uniform(count: int, seed: int, offset: int) -> Array:
    return _draws(count, seed, offset)


UNIFORM = Spec(
    name="uniform",
    source="multinomial.hip",
    description="Random numbers in [0, 1) from Philox4x32-10, by counter and key.",
    inputs=st.fixed_dictionaries({"count": lengths(1, 3000), "seed": _KEYS, "offset": _KEYS}),
    launch=ops.uniform,
    reference=_uniform,
    exact=True,
    formula="bit exact: 24 bits of a random word",
    examples=15,
)

SPECS = (
    TEMPERATURE,
    REPETITION_PENALTY,
    ARGMAX,
    TOP_K,
    TOP_P,
    MIN_P,
    RENORMALISE,
    MULTINOMIAL,
    UNIFORM,
)
