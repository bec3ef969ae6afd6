"""Bounds of rotary position embedding."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hipaudit_reference.arrays import Float64, as_float64
from hipaudit_reference.bounds.assembly import settled, stored
from hipaudit_reference.bounds.device import AMD, DeviceErrors, derived
from hipaudit_reference.formats import FP32, Format
from hipaudit_reference.references import rotary as reference
from hipaudit_reference.references.rotary import Pairing

Frequencies = Literal["table", "pow", "exp"]


@derived
def rope(
    x: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    pairing: Pairing = "half",
    rotated: int | None = None,
    position_scale: float = 1.0,
    *,
    frequencies: Frequencies = "pow",
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> Float64:
    """Error of a rotation, per element: (|x0| + |x1|) (dtheta + eps_sincos + 2 u).

    dtheta = |theta| u (k + 1): linear in the position, k the roundings in the frequency.
    `frequencies`: a "table" rounded from higher precision has k = 1; "pow", base^(-2 i / r) on
    the device, k = eps_pow + |ln frequency| (its exponent is rounded); "exp", the same by
    exp or exp2 of a product, k = eps_exp + 3 |ln frequency|. Positions beyond 2^24, and a
    position scale, add roundings of their own. Elements that are not rotated are exact.
    """
    y = reference.rope(x, positions, base, pairing, rotated, position_scale)
    heads, first, second, angle = reference.prepare(
        x, positions, base, pairing, rotated, position_scale
    )
    u, tiny = device.unit(working), device.underflow(working)
    pairs = angle.shape[-1]
    logarithm = 2 * np.arange(pairs) / max(2 * pairs, 1) * abs(np.log(base))
    roundings = {
        "table": np.ones(pairs),
        "pow": device.pow + logarithm,
        "exp": max(device.exp, device.exp2) + 3 * logarithm,
    }[frequencies]
    large = np.max(np.abs(np.asarray(positions, dtype=np.float64)), initial=0.0) > 2.0**24
    further = 1 + int(large) + (2 if position_scale != 1 else 0)
    turned = np.minimum(np.abs(angle) * u * (roundings + further), 2.0)
    size = np.abs(heads[..., first]) + np.abs(heads[..., second])
    error = size * (turned + max(device.sin, device.cos) * u + 2 * u) * (1 + 4 * u) + 3 * tiny
    error = error + 2 * device.input_flush(working)
    total = np.zeros_like(y)
    total[..., first] = error
    total[..., second] = error
    overflow = np.zeros_like(y, dtype=np.bool_)
    overflow[..., first] = overflow[..., second] = size >= working.max_finite
    rotating = 2 * pairs
    stored_error = stored(total, y, out, working, device)
    if rotating < y.shape[-1] and out.precision >= working.precision:
        stored_error[..., rotating:] = 0.0
    return settled(stored_error, y, overflow & np.isfinite(y))


@derived
def kv_append(
    k_cache: ArrayLike,
    v_cache: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    slots: ArrayLike,
    positions: ArrayLike,
    base: float = 10000.0,
    pairing: Pairing = "half",
    rotated: int | None = None,
    *,
    frequencies: Frequencies = "pow",
    working: Format = FP32,
    out: Format = FP32,
    device: DeviceErrors = AMD,
) -> tuple[Float64, Float64]:
    """Errors of both caches: `rope`'s in the slots written, storing for values, 0 elsewhere."""
    keys = np.zeros_like(as_float64(k_cache, "k_cache"))
    values = np.zeros_like(as_float64(v_cache, "v_cache"))
    rows = reference.checked_slots(slots, keys.shape[0])
    keys[rows] = rope(
        k,
        positions,
        base,
        pairing,
        rotated,
        frequencies=frequencies,
        working=working,
        out=out,
        device=device,
    )
    written = as_float64(v, "v")
    values[rows] = settled(stored(np.zeros_like(written), written, out, working, device), written)
    return keys, values
