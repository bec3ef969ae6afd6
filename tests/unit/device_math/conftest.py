"""Compiles the device's math and a file of probes, as a kernel is compiled, into one library."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from native_objects import library_object, run
from numpy.typing import NDArray

from hipaudit import toolchain

PROBES = Path(__file__).parent / "probes"
DEVICE = toolchain.NATIVE / "device"
KERNEL_CODE = ("-mrelocation-model", "pic", "-pic-level", "2", "-ffp-contract=fast-honor-pragmas")
WARNINGS = ("-Wall", "-Wextra", "-Werror")

Array: TypeAlias = NDArray[np.generic]


@dataclasses.dataclass(frozen=True, slots=True)
class Builder:
    """The pinned compiler, and the device's math as objects that a library of probes links."""

    folder: Path
    objects: tuple[Path, ...]

    def kernel(self, source: Path, *options: str) -> Path:
        """The object of a HIP file; raises AssertionError with the compiler's words."""
        tools = toolchain.compiler()
        built = self.folder / f"{source.stem}{len(list(self.folder.iterdir()))}.o"
        headers = ("-I", str(toolchain.NATIVE / "include"))
        mode = (*toolchain.KERNEL_MODE, *tools.includes, *headers, *KERNEL_CODE, *WARNINGS)
        run([*tools.compile, *mode, *options, "-x", "hip", "-emit-obj", "-o", built, source])
        return built

    def library(self, source: Path, *options: str) -> Probes:
        """The probes of a HIP file, linked with the device's math and loaded."""
        built = self.kernel(source, *options)
        shared = built.with_suffix(".so")
        link = [*toolchain.compiler().link, "-shared", "-z", "defs", "-o", str(shared)]
        run([*link, built, *self.objects])
        return Probes(ctypes.CDLL(str(shared)))


@dataclasses.dataclass(frozen=True, slots=True)
class Probes:
    """Functions of one library, each applied element by element to whole arrays."""

    shared: ctypes.CDLL

    def __call__(self, name: str, out: type[np.generic], *inputs: Array) -> Array:
        """``probe_name(count, out, inputs...)`` and what it leaves in ``out``."""
        return self.several(name, (out,), *inputs)[0]

    def several(self, name: str, out: Sequence[type[np.generic]], *inputs: Array) -> list[Array]:
        """The same for a function that stores through pointers too: ``out`` names all the types."""
        arrays = [np.ascontiguousarray(values) for values in inputs]
        results: list[Array] = [np.zeros(len(arrays[0]), dtype=each) for each in out]
        function: Callable[..., None] = getattr(self.shared, f"probe_{name}")
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*results, *arrays)]
        function(ctypes.c_long(len(arrays[0])), *pointers)
        return results


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    folder = tmp_path_factory.mktemp("device_math")
    sources = sorted(DEVICE.glob("math_*.cpp"))
    objects = tuple(library_object(source, folder / f"{source.stem}.o") for source in sources)
    return Builder(folder, objects)


@pytest.fixture(scope="session")
def math(builder: Builder) -> Probes:
    return builder.library(PROBES / "math.hip", "-O2")
