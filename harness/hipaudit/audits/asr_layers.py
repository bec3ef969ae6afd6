"""Speech recognition by layer: parameters, bytes and launches of each, and whether they add up.

What a layer says of itself (its weights) is held against what the ledger saw while it ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hipaudit.audits import conformer
from hipaudit.audits.sweep import Sweep, try_in_child
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.errors import DeviceError
from hipaudit.finding import Finding, identified
from hipaudit.launches import launches
from hipaudit.ledger import Ledger

_SECONDS = 0.5


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * len(conformer.layers())


def ledger_of(device: Device) -> Ledger:
    """Return the device's ledger; DeviceError when it has none."""
    if device.ledger is None:
        raise DeviceError("this device has no ledger to count copies with")
    return device.ledger


def copied(ledger: Ledger) -> dict[str, int]:
    """Return the bytes that were copied so far, by direction."""
    total = {"host_to_device": 0, "device_to_host": 0}
    for site in ledger.report()["copies"]["sites"]:
        total[site["direction"]] = total.get(site["direction"], 0) + int(site["bytes"])
    return total


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Run the encoder on the payload's parts, layer by layer; the child's side."""
    entries: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        ledger = ledger_of(part)
        x = conformer.signal(_SECONDS)
        first = copied(ledger)
        for layer in conformer.layers():
            before, records = copied(ledger), part.journal_size()
            given = x
            x = layer.run(part, given, layer.weights)
            after = copied(ledger)
            ran = launches(part.records_since(records))
            entries.append(
                {
                    "arch": arch,
                    "layer": layer.name,
                    "parameters": layer.parameters,
                    "weights": sum(weight.nbytes for weight in layer.weights.values()),
                    "input": given.nbytes,
                    "output": list(x.shape),
                    "up": after["host_to_device"] - before["host_to_device"],
                    "down": after["device_to_host"] - before["device_to_host"],
                    "launches": sum(one.launches for one in ran),
                    "finite": bool(np.isfinite(x).all()),
                }
            )
            progress(1)
        last = copied(ledger)
        whole = {name: last[name] - first[name] for name in first}
        entries.append({"arch": arch, "layer": "", "whole": whole})
    return {"entries": entries}


def wrongs(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return what does not add up: the part, and a sentence."""
    found = []
    for arch in dict.fromkeys(one["arch"] for one in entries):
        mine = [one for one in entries if one["arch"] == arch and one["layer"]]
        (whole,) = (one["whole"] for one in entries if one["arch"] == arch and not one["layer"])
        for what, name in (("up", "host_to_device"), ("down", "device_to_host")):
            added = sum(one[what] for one in mine)
            if added != whole[name]:
                found.append((arch, f"{what}: the layers' {added} bytes, {whole[name]} in all"))
        for one in mine:
            if one["up"] < one["weights"] + one["input"]:
                said = f"{one['weights']} bytes of weights and {one['input']} of input"
                found.append((arch, f"{one['layer']}: {one['up']} bytes went up, {said} are there"))
            if not one["finite"]:
                found.append((arch, f"{one['layer']}: its output is not finite"))
    return found


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Tabulate the encoder's layers."""
    target = "hipaudit.audits.asr_layers:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    layers = [one for one in done.entries if one["layer"]]
    each = [one for one in layers if one["arch"] == archs[0]]
    parameters = sum(one["parameters"] for one in each)
    up, weights = (sum(one[name] for one in each) for name in ("up", "weights"))
    wrong = wrongs(done.entries)
    return Sweep(
        name="asr_layers",
        title="Speech recognition by layer",
        question="What do a conformer's layers hold and move, and do their sums add up?",
        columns=("Layer", "Part", "Parameters", "Bytes of weights", "Output", "Bytes up",
                 "Bytes down", "Launches"),
        numeric=frozenset({2, 3, 5, 6, 7}),
        rows=tuple(_row(one) for one in layers),
        totals=(
            (f"{len(each)} layers, {parameters:,} parameters, {weights:,} bytes of weights; "
            f"{_SECONDS:g} s of sound at {conformer.RATE:,} Hz, weights drawn"),
            (f"{up:,} bytes go up for a pass, {up / weights:.2g} times the weights: operations "
            "bring their operands from the host each time"),
            (f"{len(wrong)} sums do not add up: by layer against the ledger's totals, weights and "
            "input against what went up"),
        ),
        findings=(*done.faults, *(_finding(*one) for one in wrong)),
        launches=done.launches,
        only="asr_layers",
    )  # fmt: skip


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (one["up"], one["down"], one["launches"])
    return (
        one["layer"],
        one["arch"],
        f"{one['parameters']:,}",
        f"{one['weights']:,}",
        " x ".join(map(str, one["output"])),
        *(f"{count:,}" for count in counts),
    )


def _finding(arch: str, said: str) -> Finding:
    replay = "hipaudit audit --only asr_layers"
    draft = Finding("", "argument-mismatch", "error", "conformer", arch, said, replay=replay)
    return identified(draft)
