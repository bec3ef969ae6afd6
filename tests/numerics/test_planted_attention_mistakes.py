"""The specs of attention, its cache and the products of decoding find what could go wrong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hipaudit.device import Device
from hipaudit.library import SPECS
from hipaudit.property import Examination
from hipaudit.spec import BOTH_WAVES

pytestmark = pytest.mark.numerics

Planted = Callable[[str, str, str, str], Examination]
SOURCES = {spec.name: spec.source for spec in SPECS}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A change of a kernel's source, or of *file*: *old*, which is there once, becomes *new*."""

    spec: str
    what: str
    old: str
    new: str
    file: str = ""


TILES = "include/attention_tiles.h"
PAGES = "include/paged_keys.h"
PEAK = "fmaxf(state.peak, largest(tiles.peaks + row * kLanes))"
MEAN = "state.sums[c][i] / state.total"
GROUPED = "static_cast<size_t>(pair) * group + row % group"
ALTERNATING = (
    "static_cast<size_t>(pair / problem.key_heads) * problem.query_heads + "
    "row % group * problem.key_heads + pair % problem.key_heads"
)

MISTAKES = (
    Mistake("flash_attention_f32", "no running maximum", PEAK, "0.0f", TILES),
    Mistake("flash_attention_f32", "sums not rescaled", "sums[c] *= shrink", "sums[c] *= 1", TILES),
    Mistake("flash_attention_f32", "total not rescaled", "total *= shrink", "total *= 1", TILES),
    Mistake("flash_attention_f32", "0.9 per mille", MEAN, f"{MEAN} * 1.0009f", TILES),
    Mistake("flash_attention_f32", "first is zero", MEAN, f"(element ? {MEAN} : 0.0f)", TILES),
    Mistake(
        "flash_attention_f32",
        "weights in fp16",
        "const float weight = expf(logits[i] - shift);",
        "const float weight = static_cast<_Float16>(expf(logits[i] - shift));",
        TILES,
    ),
    Mistake(
        "flash_attention_f32",
        "sums in fp16",
        "state.sums[c] = sum;",
        "state.sums[c] = __builtin_convertvector(__builtin_convertvector(sum, "
        "_Float16 __attribute__((ext_vector_type(4)))), lanes8::Quad);",
        TILES,
    ),
    Mistake(
        "flash_attention_f32",
        "tail of the head lost",
        "p < tiles.size; p",
        "p + lanes8::kWidth <= tiles.size; p",
        TILES,
    ),
    Mistake(
        "flash_attention_f32",
        "hidden values counted",
        "max(seen.begin - start, 0), min(seen.end - start, count)",
        "0, count",
        TILES,
    ),
    Mistake("flash_attention_f32", "no soft cap", "softcap > 0.0f ?", "softcap < 0.0f ?", TILES),
    Mistake("flash_attention_f32", "diagonal masked", "max(position + 1, 0)", "max(position, 0)"),
    Mistake("flash_attention_f32", "one key ahead", "max(position + 1, 0)", "max(position + 2, 0)"),
    Mistake("flash_attention_f32", "window wider by one", "+ 1 - window", "- window"),
    Mistake("flash_attention_f32", "window narrower by one", "+ 1 - window", "+ 2 - window"),
    Mistake("flash_attention_f32", "aligned at the start", "query + keys - queries", "query"),
    Mistake("flash_attention_f32", "heads not in groups", GROUPED, ALTERNATING),
    Mistake("flash_attention_bf16", "no running maximum", PEAK, "0.0f", TILES),
    Mistake(
        "paged_attention",
        "pages in order",
        "static_cast<size_t>(sequence) * cache.table_width + entry]",
        "entry]",
        PAGES,
    ),
    Mistake(
        "paged_attention", "window wider by one", "end - window, 0", "end - window - 1, 0", PAGES
    ),
    Mistake(
        "paged_attention", "own key hidden", "queries + query + 1, 0", "queries + query, 0", PAGES
    ),
    Mistake(
        "paged_attention",
        "last of each page lost",
        "% cache.page_size;",
        "% max(cache.page_size - 1, 1);",
        PAGES,
    ),
    Mistake(
        "paged_attention",
        "heads not in groups",
        "key_head * group +\n            row % group",
        "row % group * cache.key_heads +\n            key_head",
        PAGES,
    ),
    Mistake(
        "paged_attention",
        "last split lost",
        "s < splits; ++s) {",
        "s < splits - 1; ++s) {",
        "attention_combine.hip",
    ),
    Mistake(
        "paged_attention",
        "splits not weighed",
        "expf(row[s * width + value_size] - shift)",
        "1.0f",
        "attention_combine.hip",
    ),
    Mistake(
        "paged_attention",
        "tile lost between splits",
        "from + each, tiles",
        "from + each - 1, tiles",
        PAGES,
    ),
    Mistake("kv_append", "position mod 512", "(positions[token])", "(positions[token] % 512)"),
    Mistake("kv_append", "first element zero", "to + first, x0", "to + first, i == 0 ? 0.0f : x0"),
    Mistake(
        "kv_append", "slots one on", "slots[token];", "(slots[token] + 1) % shape.cache_slots;"
    ),
    Mistake("kv_append", "values turned", "v[head * shape.value_size + i]", "k[head * shape.size]"),
    Mistake(
        "kv_append",
        "cut off",
        "*to = __float2bfloat16(value)",
        "*to = __ushort_as_bfloat16(__float_as_uint(value) >> 16)",
        "include/lanes8.h",
    ),
    Mistake("gemv", "tail of k lost", "for (; p < k;", "for (; p + lanes8::kWidth <= k;"),
    Mistake("gemv", "last lane lost", "i < kLanes; ++i", "i < kLanes - 1; ++i"),
    Mistake("gemv", "last row lost", "block_row + row >= m", "block_row + row >= m - 1"),
    Mistake("gemv", "two per cent", "row] = total;", "row] = total * 1.02f;"),
    Mistake(
        "gemv",
        "bf16 as fp16",
        "__builtin_convertvector(codes, Words) << 16",
        "__builtin_convertvector(codes, Words) << 15",
        "include/lanes8.h",
    ),
    Mistake(
        "gemv",
        "first vector for all",
        "static_cast<size_t>(t) * k;",
        "static_cast<size_t>(0) * k;",
    ),
    Mistake(
        "softmax_masked",
        "sum not rescaled",
        "running.sum * expf(running.peak - logit)",
        "running.sum",
    ),
    Mistake("softmax_masked", "parts not rescaled", "a.sum * expf(a.peak - shift)", "a.sum"),
    Mistake(
        "softmax_masked",
        "no maximum taken off",
        "lanes8::widen(from[i]) - running.peak)",
        "lanes8::widen(from[i]))",
    ),
    Mistake(
        "softmax_masked",
        "diagonal masked",
        "max(row + columns - queries + 1, 0)",
        "max(row + columns - queries, 0)",
    ),
    Mistake("softmax_masked", "window wider by one", "after - window, 0", "after - window - 1, 0"),
    Mistake(
        "softmax_masked",
        "padding counted",
        "min(after, length)",
        "min(after, max(length, columns))",
    ),
    Mistake(
        "softmax_masked",
        "hidden not written",
        "for (int i = thread; i < mask.columns;",
        "for (int i = seen.x + thread; i < seen.y;",
    ),
    Mistake("softmax_masked", "masked row is NaN", "!visible || sum == 0.0f", "!visible"),
    Mistake("softmax_masked", "no scale", "add(running, scale *", "add(running, 1.0f *"),
    Mistake(
        "mla_attention",
        "value one element on",
        "tiles.values + j * stride + element",
        "tiles.values + j * stride + element + 4",
        TILES,
    ),
    Mistake(
        "mla_attention", "own key hidden", "queries + query + 1, 0", "queries + query, 0", PAGES
    ),
    Mistake("mla_attention", "no running maximum", PEAK, "0.0f", TILES),
    Mistake("mla_attention", "next keys too early", "if (kSharedTile) __syncthreads();", "", TILES),
    Mistake(
        "latent_append",
        "mean over the whole row",
        "static_cast<float>(shape.rank)",
        "static_cast<float>(width)",
    ),
    Mistake("latent_append", "no weight", "* scale * weight[i]", "* scale"),
    Mistake(
        "latent_append",
        "position in fp16",
        "static_cast<float>(positions[blockIdx.x])",
        "static_cast<_Float16>(positions[blockIdx.x])",
    ),
    Mistake("latent_append", "other direction", "cosine - from[second]", "cosine + from[second]"),
    Mistake(
        "kv_replicate",
        "heads alternate",
        "x[i / span / groups * span + i % span]",
        "x[i % (count / groups)]",
    ),
    Mistake(
        "kv_replicate", "tail lost", "min(first + kEach, count)", "min(first + kEach, count - 1)"
    ),
    Mistake(
        "gemm", "two per cent", "problem.alpha * sums[y][x]", "problem.alpha * sums[y][x] * 1.02f"
    ),
    Mistake("gemm", "no beta", "problem.beta * lanes8::widen(to[at])", "lanes8::widen(to[at])"),
    Mistake(
        "gemm",
        "a tail of k lost",
        "first + each * kDepth);",
        "first + each * kDepth) / kDepth * kDepth;",
    ),
    Mistake(
        "gemm",
        "last columns not written",
        "column + x >= problem.n) continue",
        "column + x >= problem.n / 4 * 4) continue",
    ),
    Mistake(
        "gemm",
        "next batch's b",
        "from(from + blockIdx.z * step)",
        "from(from + (blockIdx.z ? blockIdx.z - 1 : 0) * step)",
    ),
    Mistake("gemm", "a's transpose ignored", "(transposed & 1) == 0", "true"),
    Mistake(
        "gemm",
        "last split lost",
        "split < splits; ++split",
        "split < splits - 1; ++split",
        "gemm_combine.hip",
    ),
    Mistake(
        "gemm",
        "cut off to bf16",
        "lanes8::store(to + at, product + before)",
        "lanes8::store(to + at, __uint_as_float(__float_as_uint(product + before) & 0xffff0000u))",
    ),
    Mistake(
        "convert_e4m3fn",
        "through fp16",
        "const float wide = lanes8::widen(value);",
        "const float wide = static_cast<_Float16>(lanes8::widen(value));",
    ),
    Mistake("convert_e5m2", "saturates always", "if (!saturate)", "if (false)"),
    Mistake(
        "convert_e5m2", "infinity stays", "infinite ? copysignf(kLargest, wide) : wide", "wide"
    ),
    Mistake(
        "convert_e5m2fnuz", "other format", "halfraw(code, kFormat)", "halfraw(code, __HIP_E5M2)"
    ),
    Mistake(
        "convert_halves",
        "cut off",
        "return __float2bfloat16(__half2float(v));",
        "return __ushort_as_bfloat16(__float_as_uint(__half2float(v)) >> 16);",
    ),
    Mistake(
        "silu_halves", "tail lost", "i < count; ++i", "i < count - 1; ++i", "include/elementwise.h"
    ),
    Mistake(
        "rms_norm_halves",
        "squares in fp16",
        "value * value",
        "static_cast<_Float16>(value) * static_cast<_Float16>(value)",
    ),
    Mistake("layer_norm_halves", "no bias", " + lanes8::widen(bias[i])", ""),
    Mistake(
        "residual_rms_norm_halves",
        "norm of what was not rounded",
        "const float sum = lanes8::widen(s[row + i]);",
        "const float sum = 1.01f * lanes8::widen(x[row + i]) + lanes8::widen(residual[row + i]);",
    ),
    Mistake("transpose", "one matrix of all", "blockIdx.y) * m * n", "0) * m * n"),
    Mistake("copy_strided", "axes exchanged", "i / n3 % n2", "i / n2 % n3"),
    Mistake("copy_strided", "first axis lost", "i0 * stride0 + i1", "i1"),
    Mistake("copy_strided", "last lost", "if (i < count)", "if (i + 1 < count)"),
    Mistake(
        "kv_append_q8_0", "towards zero", "rintf(values[j] / scale)", "truncf(values[j] / scale)"
    ),
    Mistake("kv_append_q8_0", "sign lost", "fabsf(values[j])", "values[j]"),
    Mistake("kv_append_q8_0", "other pair", "key[i + distance]", "key[i]"),
    Mistake("kv_append_q8_0", "values a block late", "(block - key_blocks) * kValues", "block * 0"),
    Mistake(
        "paged_attention_q8_0",
        "first of each run",
        "offset % Q8_0::kElements",
        "0 * offset",
        "include/q8_rows.h",
    ),
    Mistake(
        "paged_attention_q8_0", "first value for all", "v_pages, j, value", "v_pages, 0 * j, value"
    ),
)

WHOLE = "size % lanes8::kWidth == 0"
UNALIGNED = (
    Mistake("paged_attention", "queries", "attention::in_vectors(q, size)", WHOLE),
    Mistake("paged_attention", "keys", "attention::in_vectors(k_pages, size)", WHOLE),
    Mistake("paged_attention", "values", "in_vectors(v_pages, value_size)", f"kLanes && {WHOLE}"),
    Mistake("mla_attention", "queries", "attention::in_vectors(q, size)", WHOLE),
    Mistake("mla_attention", "latents", "attention::in_vectors(pages, size)", WHOLE),
    Mistake("mla_project", "operands", "vectors(lanes8::aligned(this->from) &&", "vectors("),
)
"""Vectors are read wherever rows are whole vectors, at whatever address they begin."""


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: f"{mistake.spec}: {mistake.what}".replace(" ", "-")
)
def test_a_planted_mistake_is_found(mistake: Mistake, planted: Planted) -> None:
    file = mistake.file or SOURCES[mistake.spec]
    examination = planted(mistake.spec, file, mistake.old, mistake.new)
    assert examination.failure is not None


@pytest.mark.parametrize(
    "mistake", UNALIGNED, ids=lambda mistake: f"{mistake.spec}: {mistake.what}".replace(" ", "-")
)
@pytest.mark.parametrize("part", BOTH_WAVES[:1], indirect=True)  # addresses know no wave's width
def test_a_vector_at_any_address_is_found_by_the_checks(
    mistake: Mistake, part: Device, planted: Planted
) -> None:
    assert part.with_build("checked")
    try:
        failure = planted(mistake.spec, SOURCES[mistake.spec], mistake.old, mistake.new).failure
    finally:
        part.with_build("plain")
    assert failure is not None
    assert failure.kind == "misaligned-access"
