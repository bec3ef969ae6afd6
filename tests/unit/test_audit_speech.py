"""The audits of speech recognition and of tiles: what adds up, and what must not."""

from __future__ import annotations

from typing import Any

import pytest

from hipaudit.audits import asr_benchmarks, asr_layers, conformer, tile_waste
from hipaudit.device import Device

ARCHS = {"archs": ["gfx1100"]}


def test_layers_and_the_ledger_agree(device: Device) -> None:
    entries = asr_layers.sweep_in_child(ARCHS, device, lambda _: None)["entries"]
    assert asr_layers.wrongs(entries) == []
    layers = [one for one in entries if one["layer"]]
    assert [one["layer"] for one in layers] == [one.name for one in conformer.layers()]
    assert layers[0]["output"] == [48, conformer.BINS]
    attention = next(one for one in layers if one["layer"] == "block 0: attention")
    # Five square products, two biases for each head, a norm's scale and shift.
    width = conformer.WIDTH
    assert attention["parameters"] == 5 * width * width + 2 * width + 2 * width


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"up": 99}, "up: the layers' 99 bytes, 100 in all"),
        ({"down": 7}, "down: the layers' 7 bytes, 50 in all"),
        ({"weights": 1000}, "a: 100 bytes went up, 1000 bytes of weights and 10 of input"),
        ({"finite": False}, "a: its output is not finite"),
    ],
)
def test_what_does_not_add_up_is_said(change: dict[str, Any], said: str) -> None:
    layer = {"arch": "g", "layer": "a", "up": 100, "down": 50, "weights": 80, "input": 10}
    layer["finite"] = True
    whole = {"arch": "g", "layer": "", "whole": {"host_to_device": 100, "device_to_host": 50}}
    assert asr_layers.wrongs([layer, whole]) == []
    ((_, sentence),) = asr_layers.wrongs([{**layer, **change}, whole])
    assert sentence.startswith(said)


@pytest.mark.parametrize("what", asr_benchmarks.PLANTED)
def test_a_gate_refuses_what_it_must_and_lets_a_steady_series_pass(what: str) -> None:
    gate, series = asr_benchmarks.PLANTED[what]
    assert not asr_benchmarks.GATES[gate](series)
    assert all(each(asr_benchmarks.RIGHT) for each in asr_benchmarks.GATES.values())


def test_work_is_counted_by_length_and_times_stay_out_of_the_page(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr_benchmarks, "SECONDS", (0.1, 0.2))
    monkeypatch.setattr(asr_benchmarks, "_REPEATS", 4)
    entries = asr_benchmarks.sweep_in_child(ARCHS, device, lambda _: None)["entries"]
    short, long = entries
    assert short["launches"] == long["launches"] > 40
    assert short["threads"] < long["threads"] < 2.5 * short["threads"]
    assert len(short["times"]) == 4
    slow = [{**one, "times": [100 * each for each in one["times"]]} for one in entries]
    rows = [asr_benchmarks._row(one) for one in entries]
    assert rows == [asr_benchmarks._row(one) for one in slow]
    assert asr_benchmarks._facts(entries) != asr_benchmarks._facts(slow)


def test_growth_is_the_power_of_the_length() -> None:
    assert asr_benchmarks.growth({n: 3 * n**2 for n in (1.0, 2.0, 4.0)}) == pytest.approx(2)


def test_waste_is_measured_against_the_best_shape(device: Device) -> None:
    entries = tile_waste.sweep_in_child(ARCHS, device, lambda _: None)["entries"]
    shares = tile_waste.waste(entries)
    full, over = (shares["gemm_f32_tiled", "gfx1100", rows, 576] for rows in (64, 65))
    assert full == 0
    # A second row of tiles for one row more: 63 of 128 rows compute nothing.
    assert over == pytest.approx(1 - 65 / 128)
    assert ("quantised_gemm_q8_0", "gfx1100", 1, 576) not in shares
