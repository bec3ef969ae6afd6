"""Running one case on the bound device, with what the device found meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hipaudit.device import Device
from hipaudit.errors import HipauditError, UsageError, hidden
from hipaudit.spec import Array, Case, Outputs, as_outputs

__tracebackhide__ = hidden


class KernelFault(HipauditError):  # noqa: N818 - a fault of the kernel, not of the harness
    """The device found a fault while a case ran; *records* are the journal's findings."""

    def __init__(self, records: tuple[dict[str, Any], ...]) -> None:
        first = records[0]
        super().__init__(f"{first.get('kind')}: {first.get('kernel')}: {first.get('message')}")
        self.records = records


@dataclass(frozen=True, slots=True)
class Run:
    """What came of running a case: its outputs, on the host."""

    case: Case
    outputs: tuple[Array, ...]


def run_case(case: Case, launch: Callable[[], Outputs | None], device: Device, who: str) -> Run:
    """Run *launch*, which runs *case*; *who* is named in errors.

    Raises KernelFault when the device reported a finding meanwhile, whatever the launcher made
    of it; otherwise what the launcher raises; UsageError when it returns nothing.
    """
    before = device.journal_size()
    try:
        outputs = launch()
    except Exception as error:
        _raise_on_findings(device, before, error)
        raise
    _raise_on_findings(device, before, None)
    if outputs is None:
        raise UsageError(f"{who} returned nothing: end it with the outputs")
    return Run(case, as_outputs(outputs, who=who))


def _raise_on_findings(device: Device, before: int, cause: Exception | None) -> None:
    """Raise KernelFault when the journal has grown findings since it was *before* bytes long."""
    if device.journal_size() == before:
        return
    records = device.records_since(before)
    findings = tuple(record for record in records if record.get("record") == "finding")
    if findings:
        raise KernelFault(findings) from cause
