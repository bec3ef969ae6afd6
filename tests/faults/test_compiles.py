"""Every kernel of the fault corpus compiles for the emulated device, as fault and as twin."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hipaudit import toolchain
from hipaudit.audits.fault_corpus import TWIN, Fault, read_corpus

CORPUS = read_corpus(Path(__file__).parents[2] / "kernels" / "faults")
BUILDS = [(fault, False) for fault in CORPUS]
BUILDS += [(fault, True) for fault in CORPUS if fault.has_twin]
pytestmark = pytest.mark.faults


def build_name(value: object) -> str:
    return value.name if isinstance(value, Fault) else "twin" if value else "fault"


@pytest.mark.parametrize(("fault", "twin"), BUILDS, ids=build_name)
def test_compiles_without_a_warning(fault: Fault, twin: bool) -> None:
    compiler = toolchain.compiler()
    command = [
        *compiler.compile,
        *toolchain.KERNEL_MODE,
        *compiler.includes,
        *("-isystem", str(toolchain.NATIVE / "include")),
        *toolchain.PREPROCESS,
        *("-D__gfx942__=1", "-D__AMDGCN_WAVEFRONT_SIZE__=64", "-D__AMDGCN_WAVEFRONT_SIZE=64"),
        *(TWIN if twin else ()),
        *("-Wall", "-Werror", "-x", "hip", "-fsyntax-only", str(fault.path)),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
