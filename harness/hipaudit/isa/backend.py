"""From a .hip file to AMD assembly, by the pinned compiler's own AMDGPU backend.

Math functions are AMD's where its device libraries (ocml, ockl) are installed: under
``$ROCM_PATH``, ``/opt/rocm`` or the distribution's folder; else the backend's own lowering and, for
a few, stand-ins of similar cost (``native/include/hipaudit/amdgcn_float.h``).
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hipaudit import toolchain
from hipaudit.errors import CompileError
from hipaudit.isa.parts import Part

_MODE = (
    *("-triple", "amdgcn-amd-amdhsa", "-aux-triple", toolchain.TRIPLE),
    *("-fcuda-is-device", "-fhip-new-launch-api", "-fgnuc-version=4.2.1"),
    *("-fcxx-exceptions", "-fexceptions", "-fcuda-allow-variadic-functions"),
    *("-std=gnu++20", "-fdeprecated-macro", "-ferror-limit", "50"),
    *("-fvisibility=hidden", "-fapply-global-visibility-to-externs"),
    *("-mllvm", "-amdgpu-internalize-symbols"),
    *("-mrelocation-model", "pic", "-pic-level", "2"),
    *("-O3", "-vectorize-loops", "-vectorize-slp", "-ffp-contract=fast-honor-pragmas"),
    *("-debug-info-kind=line-tables-only", "-dwarf-version=5", "-debugger-tuning=gdb"),
    *("-include", "hip/hip_runtime.h", "-S"),
    *("-D__HIP_PLATFORM_AMD__=1", "-D__HIP_ROCclr__=1", "-D__HIPCC__=1"),
)
_LIBRARIES = ("ocml", "ockl")
# ocml reads its settings from one-line libraries: exact functions, subnormals kept.
_SETTINGS = (
    "oclc_daz_opt_off",
    "oclc_finite_only_off",
    "oclc_unsafe_math_off",
    "oclc_correctly_rounded_sqrt_on",
    "oclc_abi_version_500",
)
_TOO_MUCH_LDS = re.compile(r"local memory \((\d+)\) exceeds limit \((\d+)\) in '([^']+)'")


@dataclass(frozen=True, slots=True)
class TooMuchMemory:
    """A kernel whose LDS the part does not have: the backend refuses it."""

    kernel: str
    wanted: int
    limit: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """A file compiled for one part: assembly, or the kernels that keep it from being any."""

    part: Part
    assembly: str
    refused: tuple[TooMuchMemory, ...] = ()


@functools.cache
def device_libraries() -> Path | None:
    """The folder of AMD's device libraries; None when none is installed."""
    roots = [Path(os.environ["ROCM_PATH"])] if os.environ.get("ROCM_PATH") else []
    roots += [
        Path("/opt/rocm"),
        Path("/usr/lib/x86_64-linux-gnu"),
        Path("/usr/lib64"),
        Path("/usr"),
    ]
    for root in roots:
        folder = root / "amdgcn" / "bitcode"
        if all((folder / f"{name}.bc").is_file() for name in _LIBRARIES):
            return folder
    return None


def math_source(folder: Path | None) -> str:
    """Where math functions come from, in words."""
    if folder is not None:
        return f"AMD's device libraries in {folder}"
    return (
        "the backend's own lowering, and stand-ins of similar cost for tanh, erf, erfc, pow and "
        "hypot: AMD's device libraries are not linked"
    )


def compile_for(
    part: Part,
    source: Path,
    *,
    define: Sequence[str] = (),
    include: Sequence[str] = (),
    libraries: Path | None = None,
) -> Compiled:
    """Compile a file for a part.

    libraries  the folder of AMD's device libraries, to link them in

    Raises CompileError with the compiler's log.
    """
    compiler = toolchain.compiler()
    command = [*compiler.compile, *_MODE, "-target-cpu", part.name, *compiler.includes]
    command += ["-isystem", str(toolchain.NATIVE / "include"), "-I", str(source.parent)]
    command += [f"-D__AMDGCN_WAVEFRONT_SIZE{tail}={part.wave}" for tail in ("", "__")]
    command += [word for text in define for word in ("-D", text)]
    command += [word for folder in include for word in ("-I", folder)]
    command += _linked(part, libraries) if libraries is not None else []
    command += ["-x", "hip", str(source), "-o", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode == 0:
        return Compiled(part, done.stdout)
    refused = tuple(
        TooMuchMemory(name, int(wanted), int(limit))
        for wanted, limit, name in _TOO_MUCH_LDS.findall(done.stderr)
    )
    if refused and len(refused) == done.stderr.count(" error: "):
        return Compiled(part, "", refused)
    raise CompileError(f"{source} for {part.name}:\n{done.stderr.strip()}")


def _linked(part: Part, folder: Path) -> list[str]:
    """The flags that link AMD's device libraries with the settings for a part.

    A library file of these settings that a version of ROCm does not have is left out.
    """
    width = f"oclc_wavefrontsize64_{'on' if part.wave == 64 else 'off'}"
    names = [*_LIBRARIES, *_SETTINGS, width, f"oclc_isa_version_{part.name.removeprefix('gfx')}"]
    present = [folder / f"{name}.bc" for name in names if (folder / f"{name}.bc").is_file()]
    flags = [word for path in present for word in ("-mlink-builtin-bitcode", str(path))]
    return ["-DHIPAUDIT_DEVICE_LIBRARIES", *flags]
