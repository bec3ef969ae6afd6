"""Data of an audit as the pages take it: one kernel, a model, and what is hostile in names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.model_dequantisation import ModelAudit
from hipaudit.finding import Finding, Findings, Location, identified
from hipaudit.launches import Launches
from hipaudit.outcome import Outcome
from hipaudit.report.pages import AuditData
from hipaudit.spec import Array, Spec

ARCHS = ("gfx942", "gfx1100")
EVIL = "<img src=x onerror=alert(1)> | `a` [x](http://y) \n# forged \x1b[31m\u202e"


def never(*_: Any, **__: Any) -> Array:
    """Stands for functions that a page must not call."""
    raise AssertionError


SPEC = Spec(
    name="softmax",
    source="softmax.hip",
    description="Row-wise softmax.",
    inputs=st.fixed_dictionaries({}),
    launch=never,
    reference=never,
    bound=never,
    formula="g (u d + ...)",
)


def verdict(arch: str, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": "softmax",
        "arch": arch,
        "device": "d",
        "examples": 40,
        "elements": 12345,
    }
    values |= {"adversarial": 20, "repeated": 3}
    values |= {"launches": 40, "worst_ratio": 0.123456, "worst_ulp": 3.14159, "spots": 39}
    nearest: dict[str, Any] = {
        "output": 0,
        "index": [2, 1],
        "actual": 1.375,
        "expected": 1.5,
        "truth": "1.5",
    }
    nearest |= {"error": 0.25, "bound": 0.5, "ratio": 0.5, "inputs": {"x": 3.0}, "adversary": ""}
    nearest["case"] = "x = float32 3 x 2"
    formats = {"name": "float32 to float32", "examples": 40, "elements": 12345}
    values |= {"formats": [{**formats, "worst_ratio": 0.123456, "worst_ulp": 3.14159}]}
    values |= {"survivors": [], "mismatches": [], "worst": [nearest]}
    return {**values, "status": "passed", **changes}


def data(findings: tuple[Finding, ...] = (), **spec: Any) -> AuditData:
    points = {arch: [(64, 0.25), (4096, 0.123456)] for arch in ARCHS}
    launched = (Launches("softmax", "gfx942", "plain", 40, 2560, 0, 1.25),)
    kernel = KernelAudit(
        replace(SPEC, **spec),
        tuple(verdict(arch) for arch in ARCHS),
        points,
        findings,
        launched,
        checked=False,
    )
    formats = ({"format": "Q4_1", "tensors": 2, "elements": 64, "different": 0},)
    model = ModelAudit("m.gguf", ARCHS, formats, {"F32": 3}, (), ())
    outcome = Outcome("emulated device", ",".join(ARCHS), [], Findings(findings), ("a note",))
    return AuditData(outcome, (kernel,), model, "1 library kernel", ARCHS)


def evil_finding(folder: Path) -> Finding:
    source = folder / "k.hip"
    source.write_text(f"one\n```\n{EVIL}\n")
    return identified(
        Finding(
            id="",
            kind="bound-exceeded",
            severity="error",
            kernel=EVIL,
            arch="gfx942",
            message=EVIL,
            location=Location(str(source), 3, EVIL, (0, 0, 0), (1, 0, 0)),
            input=EVIL,
            replay=EVIL,
        )
    )
