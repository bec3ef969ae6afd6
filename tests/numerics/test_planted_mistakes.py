"""Each spec finds what its kernel's authors could get wrong.

Among these are all that the most used test suite of such kernels lets live: a lost factor of one
per mille, a result rounded to fp16, one element that was never written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hipaudit.device import Device
from hipaudit.library import SPECS
from hipaudit.property import Examination

Planted = Callable[[str, str, str, str], Examination]

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


NORM = "lanes8::widen(from[i]) * scale * lanes8::widen(weight[i])"
SOFT = "to[i] /= sum;"
STORE = "column + j + x] = sums[y][x];"
WAVES = "wave < waves; ++wave) value"
FIRST_WAVE = "wave < min(waves, 1); ++wave) value"
REDUCE = "include/block_reduce.h"
ATTEND = "include/attention_tiles.h"
SHIFT = "= peak == kNone ? 0.0f : peak;"
GGML = "include/ggml_blocks.h"
SUPER = "include/ggml_super_blocks.h"
BEST = "include/best.h"
ROW_TILE = "include/row_tile.h"
SMALL = "include/small_floats.h"
PRODUCT = "include/quantised_product.h"

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
        "i < singles; i += stride) to[i] /=",
        "i < singles - 1; i += stride) to[i] /=",
    ),
    Mistake("softmax", "no maximum of a vector", "v.z - high", "v.z"),
    Mistake("softmax", "a vector's last not in the sum", "+ (powers.z + powers.w)", "+ powers.z"),
    Mistake("softmax", "a vector's last not in the maximum", "fmaxf(v.z, v.w)", "v.z"),
    Mistake("softmax", "last vector is lost", "columns / 4 : 0", "columns / 4 - 1 : 0"),
    Mistake("softmax", "rest of a vector is lost", " && columns % 4 == 0;", ";"),
    Mistake("softmax", "masked row is NaN", "high == block_reduce::Max::identity", "false"),
    Mistake("softmax", "one wave's sum only", WAVES, FIRST_WAVE, REDUCE),
    Mistake("softmax", "32 lanes assumed", "warpSize / 2", "16", REDUCE, only="gfx942"),
    Mistake("softmax", "64 lanes assumed", "warpSize / 2", "32", REDUCE, only="gfx1100"),
    Mistake(
        "rms_norm",
        "squares in fp16",
        "value * value",
        "static_cast<_Float16>(value) * static_cast<_Float16>(value)",
    ),
    Mistake("rms_norm", "0.3 per mille", NORM, f"{NORM} * 1.0003f"),
    Mistake("rms_norm", "first is zero", NORM, f"i == 0 ? 0.0f : {NORM}"),
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
        "sums[y] += rows[y] * columns;",
        "for (int x = 0; x < kSide; ++x)"
        " sums[y][x] += static_cast<_Float16>(rows[y]) * static_cast<_Float16>(columns[x]);",
    ),
    Mistake(
        "gemm_f32_tiled", "tail not written", "column + j + x < n;", "column + j + x < n / 4 * 4;"
    ),
    Mistake("gemm_f32_tiled", "tail of k lost", "depth < k;", "depth + kDepth <= k;"),
    Mistake(
        "gemm_f32_tiled",
        "rounded to bf16",
        STORE,
        "column + j + x] = __uint_as_float((__float_as_uint(sums[y][x]) + 0x8000u) & 0xffff0000u);",
    ),
    Mistake(
        "gemm_f32_tiled",
        "first is zero",
        "if (inside) c[",
        "if (inside && row + column + i + y + j + x) c[",
    ),
    Mistake("flash_attention_f32", "no running maximum", SHIFT, "= 0.0f;", ATTEND),
    Mistake(
        "flash_attention_f32",
        "sums not scaled to the new maximum",
        "shrink = expf(state.peak - shift)",
        "shrink = 1.0f",
        ATTEND,
    ),
    Mistake(
        "flash_attention_f32",
        "one per mille",
        "state.total += weight;",
        "state.total += weight * 0.999f;",
        ATTEND,
    ),
    Mistake(
        "flash_attention_f32",
        "weights in fp16",
        "= expf(logits[i] - shift);",
        "= static_cast<_Float16>(expf(logits[i] - shift));",
        ATTEND,
    ),
    Mistake(
        "layer_norm",
        "one-pass variance",
        "centred * centred",
        "(centred + mean) * (centred + mean) - mean * mean",
    ),
    Mistake("layer_norm", "no bias", " + lanes8::widen(bias[i])", ""),
    Mistake("layer_norm", "divided by n - 1", "squares / count", "squares / (count - 1.0f)"),
    Mistake(
        "residual_rms_norm",
        "norm of x alone",
        "squares += sum * sum",
        "squares += lanes8::widen(x[row + i]) * lanes8::widen(x[row + i])",
    ),
    Mistake(
        "residual_rms_norm",
        "sum not stored",
        "lanes8::widen(x[row + i]) + lanes8::widen(residual[row + i])",
        "lanes8::widen(x[row + i])",
    ),
    Mistake("silu", "sigmoid only", "return value / (1", "return 1.0f / (1"),
    Mistake("silu", "exp in fp16", "expf(-value)", "static_cast<_Float16>(expf(-value))"),
    Mistake(
        "swiglu", "sides exchanged", "count, y, gated, gate, up)", "count, y, gated, up, gate)"
    ),
    Mistake(
        "gelu",
        "1 + erf",
        "0.5f * value * erfcf(-kRootOfHalf * value)",
        "0.5f * value * (1.0f + erff(kRootOfHalf * value))",
    ),
    Mistake("gelu_tanh", "short constant", "0.797884561f", "0.7979f"),
    Mistake("add", "subtraction", "left + right", "left - right"),
    Mistake("scale", "tail lost", "i < count; ++i", "i < count - 1; ++i", "include/elementwise.h"),
    Mistake("convert_f16", "towards zero", "__float2half(value)", "__float2half_rz(value)"),
    Mistake(
        "convert_bf16",
        "cut off",
        "__float2bfloat16(value)",
        "__ushort_as_bfloat16(__float_as_uint(value) >> 16)",
    ),
    Mistake("sum_serial", "first twice", "float sum = from[0];", "float sum = from[0] + from[0];"),
    Mistake("sum_tree", "strides of 32", "i += blockDim.x", "i += 32"),
    Mistake(
        "sum_compensated", "no compensation", "finite ? sum.value + sum.error", "finite ? sum.value"
    ),
    Mistake("row_max", "NaN passed over", "a != a || a > b ? a : b", "fmaxf(a, b)"),
    Mistake("row_max", "starts at zero", "block_reduce::Max::identity", "0.0f"),
    Mistake(
        "prefix_sum",
        "exclusive",
        "sums[j] = total;",
        "sums[j] = total - from[first + j < columns ? first + j : 0];",
    ),
    Mistake("prefix_sum", "pieces not carried", "before += piece_total;", ""),
    Mistake(
        "prefix_sum", "exclusive by difference", "below += lanes_below", "below += through - total"
    ),
    Mistake("embedding", "next row", "(inside ? index : 0)", "(inside ? (index + 1) % rows : 0)"),
    Mistake(
        "transpose",
        "rest of a tile lost",
        "column + j < n && row + lane < m",
        "column + j < n / 32 * 32 && row + lane < m",
    ),
    Mistake(
        "rope",
        "position mod 512",
        "positions[head / shape.heads])",
        "positions[head / shape.heads] % 512)",
    ),
    Mistake(
        "rope",
        "position in fp16",
        "static_cast<float>(positions[head / shape.heads])",
        "static_cast<_Float16>(positions[head / shape.heads])",
    ),
    Mistake("rope", "other direction", "x0 * cosine - x1 * sine", "x0 * cosine + x1 * sine"),
    Mistake("rope", "rest not copied", "to[i + pairs] = from[i + pairs];", ""),
    Mistake("moe_router", "not normalised", "weight[rank] /= chosen", "weight[rank] /= 1.0f"),
    Mistake("moe_router", "taken not marked", "taken |= 1u <<", "taken |= 0u <<"),
    Mistake("moe_router", "last tokens lost", "token >= tokens", "token >= tokens - 1"),
    Mistake("moe_permute", "not stable", "i < static_cast<int>(threadIdx.x); ++i", "i < 0; ++i"),
    Mistake("moe_permute", "inclusive", "+ through - own", "+ through"),
    Mistake("grouped_gemm", "next group", ".group) * k * n", ".group + 1) * k * n % (2 * k * n)"),
    Mistake("grouped_gemm", "into the next group", "if (row >= place.end) return;", ""),
    Mistake(
        "grouped_gemm", "tail of k lost", "depth < k;", "depth + kDepth <= k;", "include/row_tile.h"
    ),
    Mistake("grouped_gemv", "first group for all", "place.group) * m * k", "0) * m * k"),
    Mistake("quantised_grouped_gemm", "first group for all", "place.group) *", "0) *"),
    Mistake(
        "quantised_grouped_gemm",
        "into the next group",
        "min(place.end - place.row, kRowsAtOnce)",
        "kRowsAtOnce",
    ),
    Mistake("quantised_embedding", "next row", "(inside ? index : 0)", "((index + 1) % rows)"),
    Mistake("moe_combine", "last expert lost", "c < count; ++c", "c < count - 1; ++c"),
    Mistake("moe_combine", "sorted order taken", "position[first + c]", "(first + c)"),
    Mistake("temperature", "a product", "logit / value", "logit * value"),
    Mistake("repetition_penalty", "negative ones too", "logit > 0.0f ?", "true ?"),
    Mistake("argmax", "last of equals", "a.index < b.index", "a.index > b.index", BEST),
    Mistake("argmax", "NaN passed over", "a.is_nan != b.is_nan ?", "false ?"),
    Mistake("argmax", "late NaN passed over", "from[i] != from[i]", "i < 64 && from[i] != from[i]"),
    Mistake(
        "argmax",
        "late infinity passed over",
        "0.0f : from[i]",
        "0.0f : i < 64 ? from[i] : fminf(from[i], 1e30f)",
    ),
    Mistake("keep_top_k", "NaN a zero", "return -1;", "return 0;"),
    Mistake(
        "keep_top_k",
        "zeros ordered",
        "probability > 0.0f ? __float",
        "probability >= 0.0f ? __float",
    ),
    Mistake(
        "moe_router",
        "largest in fp16",
        "fmaxf(high, logits[i])",
        "static_cast<float>(static_cast<_Float16>(fmaxf(high, logits[i])))",
    ),
    Mistake(
        "relative_attention",
        "largest in fp16",
        "if (high == block_reduce::Max::identity)",
        "if ((high = static_cast<_Float16>(high)) == block_reduce::Max::identity)",
    ),
    Mistake(
        "paged_attention",
        "page behind the cache",
        "page < 0 || page >= cache.pages",
        "page < 0",
        "include/paged_keys.h",
    ),
    Mistake("sum_compensated", "terms taken as ordered", "= value - a.value;", "= 0.0f;"),
    Mistake("keep_top_k", "ties all kept", "{low, last}", "{low, columns}"),
    Mistake("keep_top_k", "one too many", "columns, k, one", "columns, k + 1, one"),
    Mistake("keep_top_p", "the last one left out", "? last : first", "? first : last"),
    Mistake("keep_min_p", "border left out", ">= share * high", "> share * high"),
    Mistake("renormalise", "sum of all", "if (kept[row + i] != 0) sum", "sum"),
    Mistake("multinomial", "first token above", "sum > point", "row[i] > point"),
    Mistake("multinomial", "no mass", "sums.total > 0.0f ? token : -1", "token"),
    Mistake("multinomial", "seed lost", "draw_of(0, key[0],", "draw_of(0, 0,"),
    Mistake("uniform", "nine rounds", "round < 10", "round < 9", "include/philox.h"),
    Mistake("power_spectrum", "no window", "signal[j] * frames.window[j]", "signal[j]"),
    Mistake("power_spectrum", "conjugate twiddle", "+= value.re * w.im +", "-= value.re * w.im +"),
    Mistake("power_spectrum", "next hop lost", "frame) * frames.hop", "frame) * 1"),
    Mistake("log_mel", "natural logarithm", "log10f(", "logf("),
    Mistake("log_mel", "last bin of power lost", "k <= n / 2; ++k", "k < n / 2; ++k"),
    Mistake("log_mel", "no floor", "sum > floor ||", "true ||"),
    Mistake(
        "conv1d_depthwise", "no padding on the left", "max(padding - t, 0)", "max(padding - t, 1)"
    ),
    Mistake("conv1d_depthwise", "reversed taps", "taken[j]", "taken[taps - 1 - j]"),
    Mistake("conv1d_pointwise", "bias of the first output", "+ bias[output]", "+ bias[0]"),
    Mistake("glu", "gate by itself", "return v / (1.0f", "return g / (1.0f"),
    Mistake(
        "relative_attention",
        "distance off by one",
        "sizes.t - 1 - i + j",
        "max(sizes.t - 2 - i + j, 0)",
    ),
    Mistake(
        "relative_attention", "no position bias", " + position_bias[", " + 0.0f * position_bias["
    ),
    Mistake("relative_attention", "one group of keys", "g < groups; ++g", "g < 1; ++g"),
    Mistake(
        "prefix_sum_long", "tiles by themselves", "first ? 0.0f : totals", "true ? 0.0f : totals"
    ),
    Mistake("prefix_sum_long", "own total added", "totals[blockIdx.x - 1]", "totals[blockIdx.x]"),
    Mistake(
        "sum_long", "last tile cut", "min(tile, columns - start)", "min(tile, columns - start - 1)"
    ),
    Mistake("dequantise_q4_0", "offset 7", "& 15) - 8", "& 15) - 7", GGML),
    Mistake("dequantise_q4_0", "last block lost", "(block_count) *", "(block_count - 1) *"),
    Mistake("dequantise_q4_1", "no minimum", "& 15) + minimum;", "& 15);", GGML),
    Mistake("dequantise_q5_0", "no fifth bit", "(code - 16)", "((code & 15) - 16)", GGML),
    Mistake("dequantise_q5_1", "no fifth bit", "(five_bits)", "(five_bits & 15)", GGML),
    Mistake("dequantise_q8_0", "unsigned codes", "<signed char>(codes", "<int>(codes", GGML),
    Mistake("dequantise_q3_k", "no top bits", "(low | top << 4)", "low", SUPER),
    Mistake("dequantise_q4_k", "late scales cut", "(shared & 15) | packed", "15 & packed", SUPER),
    Mistake("dequantise_q6_k", "offset 31", "(code - 32)", "(code - 31)", SUPER),
    Mistake(
        "dequantise_mxfp4",
        "scale is NaN at 255",
        "(block.exponent) - 128",
        "(block.exponent) % 255 - 128",
        GGML,
    ),
    Mistake(
        "dequantise_mxfp6_e3m2",
        "no NaN scale",
        "block.scale == 255",
        "false",
        "include/mx_blocks.h",
    ),
    Mistake(
        "dequantise_mxfp8_e4m3",
        "an IEEE NaN",
        "(code & 0x7f) == 0x7f",
        "(code & 0x78) == 0x78",
        SMALL,
    ),
    Mistake(
        "dequantise_mxfp8_e5m2", "no infinity", "magnitude == 0x7c", "magnitude == 0x80", SMALL
    ),
    Mistake(
        "quantised_gemv_q4_0",
        "last run lost",
        "column < columns;",
        "column < columns - kUnit;",
        PRODUCT,
    ),
    Mistake("quantised_gemv_q8_0", "one lane lost", "l < p.lanes", "l < p.lanes - 1", PRODUCT),
    Mistake(
        "quantised_gemv_q4_k",
        "product in fp16",
        "+= values[j] * with[j / 4][j % 4]",
        "+= static_cast<_Float16>(values[j] * with[j / 4][j % 4])",
        PRODUCT,
    ),
    Mistake(
        "quantised_gemm_q6_k",
        "first rows again",
        "static_cast<size_t>(first + i) * p.rows",
        "static_cast<size_t>(i) * p.rows",
        PRODUCT,
    ),
    Mistake(
        "quantised_gemm_q5_0",
        "one row of x",
        "min(first + i, p.m - 1)",
        "min(first, p.m - 1)",
        PRODUCT,
    ),
)


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: f"{mistake.spec}: {mistake.what}".replace(" ", "-")
)
def test_a_planted_mistake_is_found(mistake: Mistake, part: Device, planted: Planted) -> None:
    if mistake.only not in {"", part.arch}:
        pytest.skip(f"no mistake on {part.arch}")
    examination = planted(mistake.spec, mistake.path, mistake.old, mistake.new)
    assert examination.failure is not None
