"""Compiles the headers that kernels include, as a kernel is compiled, into a library of probes."""

from __future__ import annotations

import ctypes
import dataclasses
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import ziglang
from numpy.typing import NDArray

HEADERS = Path(__file__).parents[3] / "harness" / "hipaudit" / "native" / "include"
PROBES = Path(__file__).parent / "probes"

COMMON = [
    "-triple", "x86_64-unknown-linux-gnu", "-aux-triple", "x86_64-unknown-linux-gnu",
    "-target-cpu", "x86-64-v3", "-fgnuc-version=4.2.1", "-fhip-new-launch-api",
    "-nostdsysteminc", "-nobuiltininc", "-I", str(HEADERS),
    # The compiler's own <stddef.h> and <stdint.h>; no library's.
    "-isystem", str(Path(ziglang.__file__).with_name("lib") / "include"),
    "-ffp-contract=fast-honor-pragmas", "-ffloat16-excess-precision=none",
    "-fdeclspec", "-D__AMDGCN_WAVEFRONT_SIZE=64",
    # HIP's own clang takes these too; the warnings are about nvcc.
    "-Wall", "-Wextra", "-Werror", "-Wno-cuda-compat", "-Wno-unused-parameter", "-x", "hip",
]  # fmt: skip

Array: TypeAlias = NDArray[np.generic]


@dataclasses.dataclass(frozen=True, slots=True)
class Compiler:
    """The pinned clang in HIP mode, with no headers but ours: as under hiprtc."""

    zig: Path
    folder: Path

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [self.zig, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def parse(
        self, source: str, *, device: bool, standard: str = "gnu++20"
    ) -> subprocess.CompletedProcess[str]:
        """Parses a translation unit as device code, or as the host's half of the same file."""
        unit = self.folder / f"parse{abs(hash((source, device, standard)))}.hip"
        unit.write_text(textwrap.dedent(source))
        side = ["-fcuda-is-device", "-D__HIP_DEVICE_COMPILE__=1"] if device else []
        return self._run("clang", "-cc1", *COMMON, *side, f"-std={standard}", "-fsyntax-only", unit)

    def library(self, probe: Path) -> ctypes.CDLL:
        """Compiles a probe file as device code and loads it."""
        built = self.folder / f"{probe.stem}.o"
        shared = self.folder / f"{probe.stem}.so"
        steps: list[list[str | Path]] = [
            ["clang", "-cc1", *COMMON, "-fcuda-is-device", "-std=gnu++20", "-O2",
             "-mrelocation-model", "pic", "-pic-level", "2", "-emit-obj", "-o", built, probe],
            ["ld.lld", "-shared", "-o", shared, built],
        ]  # fmt: skip
        for step in steps:
            done = self._run(*step)
            assert done.returncode == 0, done.stderr
        return ctypes.CDLL(str(shared))


@dataclasses.dataclass(frozen=True, slots=True)
class Probes:
    """Functions of one probe library, each applied element by element to whole arrays."""

    library: ctypes.CDLL

    def __call__(self, name: str, out: type[np.generic], *inputs: Array) -> Array:
        """Calls ``name(count, out, inputs...)`` and gives the ``out`` array.

        Args:
            name: The probe.
            out: Type of an output element.
            inputs: One-dimensional arrays of one length.
        """
        arrays = [np.ascontiguousarray(values) for values in inputs]
        result = np.zeros(len(arrays[0]), dtype=out)
        function: Callable[..., None] = getattr(self.library, name)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (result, *arrays)]
        function(ctypes.c_long(len(result)), *pointers)
        return result

    @staticmethod
    def same(got: Array, expected: Array) -> bool:
        """Equal bit for bit, where one NaN counts as any other."""
        with np.errstate(invalid="ignore"):  # a signalling NaN is cast
            nan = np.isnan(expected.astype(np.float64))
            same_nan = np.array_equal(np.isnan(got.astype(np.float64)), nan)
        bits = f"u{expected.dtype.itemsize}"
        return same_nan and np.array_equal(got.view(bits)[~nan], expected.view(bits)[~nan])


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    zig = Path(ziglang.__file__).with_name("zig")
    return Compiler(zig=zig, folder=tmp_path_factory.mktemp("device_types"))


@pytest.fixture(scope="session")
def half(compiler: Compiler) -> Probes:
    return Probes(compiler.library(PROBES / "half.hip"))


@pytest.fixture(scope="session")
def bfloat(compiler: Compiler) -> Probes:
    return Probes(compiler.library(PROBES / "bfloat.hip"))


@pytest.fixture(scope="session")
def fp8(compiler: Compiler) -> Probes:
    return Probes(compiler.library(PROBES / "fp8.hip"))


@pytest.fixture(scope="session")
def mx(compiler: Compiler) -> Probes:
    return Probes(compiler.library(PROBES / "mx.hip"))


@pytest.fixture(scope="session")
def vectors(compiler: Compiler) -> Probes:
    return Probes(compiler.library(PROBES / "vectors.hip"))
