"""Occupancy by the parts' rules, and the reading of assembly names."""

from __future__ import annotations

import pytest

from hipaudit.device import ARCHES
from hipaudit.isa.assembly import plain_name
from hipaudit.isa.parts import PARTS, occupancy


def test_there_is_a_part_for_every_emulated_one() -> None:
    assert tuple(PARTS) == ARCHES


@pytest.mark.parametrize(
    ("arch", "vgprs", "sgprs", "lds", "block", "waves", "limit"),
    [
        ("gfx942", 64, 32, 0, 256, 8, ""),
        ("gfx942", 65, 32, 0, 256, 7, "vector registers"),
        ("gfx942", 512, 32, 0, 256, 1, "vector registers"),
        ("gfx942", 513, 32, 0, 256, 0, "vector registers"),
        ("gfx942", 32, 108, 0, 64, 7, "scalar registers"),
        ("gfx942", 32, 32, 32 * 1024, 256, 2, "LDS"),
        ("gfx942", 32, 32, 65 * 1024, 256, 0, "LDS"),
        ("gfx950", 32, 32, 65 * 1024, 256, 2, "LDS"),
        ("gfx942", 32, 32, 0, 1024, 8, ""),
        ("gfx942", 129, 32, 0, 1024, 0, "vector registers"),
        ("gfx942", 32, 32, 0, 832, 6, "block size"),
        ("gfx1100", 96, 20, 0, 256, 16, ""),
        ("gfx1100", 97, 20, 0, 256, 12, "vector registers"),
        ("gfx1100", 256, 20, 0, 128, 5, "vector registers"),
        ("gfx1201", 24, 108, 0, 32, 16, ""),
    ],
)
def test_occupancy(
    arch: str, vgprs: int, sgprs: int, lds: int, block: int, waves: int, limit: str
) -> None:
    fits = occupancy(PARTS[arch], vgprs=vgprs, sgprs=sgprs, lds_bytes=lds, block=block)
    assert (fits.waves, fits.limit) == (waves, limit)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("softmax", "softmax"),
        ("_Z5scalePfi", "scale"),
        ("_Z5scaleIfEvPT_", "scale<...>"),
        ("_ZN3app5twiceIfEEvPT_", "app::twice<...>"),
        ("_ZN3app5plainEPf", "app::plain"),
        ("_ZN12_GLOBAL__N_16insideEPf", "inside"),
    ],
)
def test_plain_names(symbol: str, name: str) -> None:
    assert plain_name(symbol) == name
