"""Running one case of a spec on the bound device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hipaudit.device import Device
from hipaudit.errors import HipauditError
from hipaudit.spec import Array, Inputs, Spec, as_outputs


class KernelFault(HipauditError):  # noqa: N818 - a fault of the kernel, not of the harness
    """The device found a fault while a case ran; *records* are the journal's findings."""

    def __init__(self, records: tuple[dict[str, Any], ...]) -> None:
        first = records[0]
        super().__init__(f"{first.get('kind')}: {first.get('kernel')}: {first.get('message')}")
        self.records = records


@dataclass(frozen=True, slots=True)
class Run:
    """What came of running one case: the outputs, on the host."""

    inputs: Inputs
    outputs: tuple[Array, ...]


def run_case(spec: Spec, inputs: Inputs, device: Device) -> Run:
    """Launch *spec* on *inputs* and return its outputs.

    Raises KernelFault when the device reported a finding meanwhile, whatever the launcher made
    of it; otherwise what the launcher raises.
    """
    before = device.journal_size()
    try:
        outputs = as_outputs(spec.launch(device, **inputs), who=f"the launcher of {spec.name}")
    except Exception as error:
        raise_on_findings(device, before, error)
        raise
    raise_on_findings(device, before, None)
    return Run(inputs, outputs)


def raise_on_findings(device: Device, before: int, cause: Exception | None) -> None:
    """Raise KernelFault when the journal has grown findings since it was *before* bytes long."""
    if device.journal_size() == before:
        return
    records = device.records_since(before)
    findings = tuple(record for record in records if record.get("record") == "finding")
    if findings:
        raise KernelFault(findings) from cause
