"""Each spec finds what its kernel's authors could get wrong.

Among these are all that the most used test suite of such kernels lets live: a lost factor of one
per mille, a result rounded to fp16, one element that was never written.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from hipaudit.device import Device, bind
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.property import examine
from hipaudit.spec import BOTH_WAVES
from hipaudit_runtime import sources

pytestmark = pytest.mark.numerics

BY_NAME = {spec.name: spec for spec in SPECS}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A change of a kernel's source: *old*, which is there once, becomes *new*.

    file  the file to change; the kernel's own unless said otherwise
    only  the part on which it is a mistake; every one unless said otherwise
    """

    spec: str
    what: str
    old: str
    new: str
    file: str = ""
    only: str = ""

    @property
    def path(self) -> str:
        """The file that has the mistake."""
        return self.file or BY_NAME[self.spec].source


NORM = "to[i] = from[i] * scale * weight[i];"
SOFT = "to[i] /= sum;"
DOT = "sums[y][x] += rows[y] * columns[x];"
STORE = "column + j + x] = sums[y][x];"
WAVES = "wave < waves; ++wave) value"
FIRST_WAVE = "wave < min(waves, 1); ++wave) value"
REDUCE = "include/block_reduce.h"

MISTAKES = (
    Mistake("softmax", "no maximum", "from[i] - high", "from[i]"),
    Mistake("softmax", "one per mille", SOFT, "to[i] = to[i] / sum * 1.0009f;"),
    Mistake("softmax", "rounded to fp16", SOFT, "to[i] = static_cast<_Float16>(to[i] / sum);"),
    Mistake("softmax", "first is zero", SOFT, "to[i] = i == 0 ? 0.0f : to[i] / sum;"),
    Mistake(
        "softmax",
        "finite exp is zero",
        "= expf(from[i] - high)",
        "= from[i] - high < 0.0f ? 0.0f : 1.0f",
    ),
    Mistake(
        "softmax",
        "last not written",
        "i < columns; i += stride) to[i] /=",
        "i < columns - 1; i += stride) to[i] /=",
    ),
    Mistake("softmax", "masked row is NaN", "high == block_reduce::Max::identity", "false"),
    Mistake("softmax", "one wave's sum only", WAVES, FIRST_WAVE, REDUCE),
    Mistake("softmax", "32 lanes assumed", "warpSize / 2", "16", REDUCE, only="gfx942"),
    Mistake("softmax", "64 lanes assumed", "warpSize / 2", "32", REDUCE, only="gfx1100"),
    Mistake(
        "rms_norm",
        "squares in fp16",
        "from[i] * from[i]",
        "static_cast<_Float16>(from[i]) * static_cast<_Float16>(from[i])",
    ),
    Mistake("rms_norm", "0.3 per mille", NORM, "to[i] = from[i] * scale * weight[i] * 1.0003f;"),
    Mistake(
        "rms_norm", "first is zero", NORM, "to[i] = i == 0 ? 0.0f : from[i] * scale * weight[i];"
    ),
    Mistake("rms_norm", "no epsilon", "(columns) + epsilon", "(columns)"),
    Mistake("rms_norm", "no mean", "squares / static_cast<float>(columns)", "squares"),
    Mistake("rms_norm", "one wave's sum only", WAVES, FIRST_WAVE, REDUCE),
    Mistake("gemm_f32_tiled", "two per cent", STORE, "column + j + x] = sums[y][x] * 1.02f;"),
    Mistake(
        "gemm_f32_tiled",
        "cut off to bf16",
        STORE,
        "column + j + x] = __uint_as_float(__float_as_uint(sums[y][x]) & 0xffff0000u);",
    ),
    Mistake(
        "gemm_f32_tiled",
        "product in fp16",
        DOT,
        "sums[y][x] += static_cast<_Float16>(rows[y]) * static_cast<_Float16>(columns[x]);",
    ),
    Mistake(
        "gemm_f32_tiled", "tail not written", "column + j + x < n;", "column + j + x < n / 4 * 4;"
    ),
    Mistake("gemm_f32_tiled", "tail of k lost", "depth < k;", "depth + kDepth <= k;"),
    Mistake("dequantise_q4_1", "nibbles swapped", "part / 4 * 4", "4 - part / 4 * 4"),
    Mistake("dequantise_q4_1", "no minimum", " + minimum; }", "; }"),
    Mistake("dequantise_q8_0", "unsigned codes", "(codes[j])", "(codes[j] & 255)"),
    Mistake("dequantise_q8_0", "last block lost", "block_count) * 8", "block_count - 1) * 8"),
)


@pytest.fixture(params=BOTH_WAVES)
def part(request: pytest.FixtureRequest) -> Device:
    """The device as one part of each wave size; not the `device` of tests that must pass."""
    bound = bind(request.config.getoption("--hip-device"))
    try:
        return bound.with_arch(request.param)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: f"{mistake.spec}: {mistake.what}".replace(" ", "-")
)
def test_a_planted_mistake_is_found(mistake: Mistake, part: Device, tmp_path: Path) -> None:
    if mistake.only not in {"", part.arch}:
        pytest.skip(f"no mistake on {part.arch}")
    folder = tmp_path / "kernels"
    shutil.copytree(sources.kernels_folder(), folder, ignore=shutil.ignore_patterns("faults"))
    path = folder / mistake.path
    text = path.read_text(encoding="utf-8")
    assert text.count(mistake.old) == 1
    path.write_text(text.replace(mistake.old, mistake.new), encoding="utf-8")
    with sources.folder(folder):
        examination = examine(BY_NAME[mistake.spec], part)
    assert examination.failure is not None
