"""The pinned compiler, how it compiles kernels and the device libraries, and the cache.

The compiler is clang as the ``ziglang`` package carries it; ``HIPAUDIT_CLANG`` names another one.
The cache is a folder that only its owner can write.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hipaudit.errors import ToolchainError

NATIVE = Path(__file__).parent / "native"
TRIPLE = "x86_64-unknown-linux-gnu"
# glibc whose symbols the libraries may use; older than that of any system still supported.
GLIBC_MINOR = 28
CPU = "x86-64-v3"
CPU_FLAGS = frozenset({"avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})

LIBCXX_DEFINES = (
    "_LIBCPP_ABI_VERSION=1",
    "_LIBCPP_ABI_NAMESPACE=__1",
    "_LIBCPP_HAS_THREADS=1",
    "_LIBCPP_HAS_MONOTONIC_CLOCK",
    "_LIBCPP_HAS_TERMINAL",
    "_LIBCPP_HAS_MUSL_LIBC=0",
    "_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS",
    "_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
    "_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0",
    "_LIBCPP_HAS_FILESYSTEM=1",
    "_LIBCPP_HAS_RANDOM_DEVICE",
    "_LIBCPP_HAS_LOCALIZATION",
    "_LIBCPP_HAS_UNICODE",
    "_LIBCPP_HAS_WIDE_CHARACTERS",
    "_LIBCPP_HAS_NO_STD_MODULES",
    "_LIBCPP_HAS_TIME_ZONE_DATABASE",
    "_LIBCPP_PSTL_BACKEND_SERIAL",
    "_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE",
    "_LIBCPP_ASSERTION_SEMANTIC_DEFAULT=_LIBCPP_ASSERTION_SEMANTIC_IGNORE",
)

# Kernels: HIP as the language, this processor as the device.
KERNEL_MODE = (
    *("-triple", TRIPLE, "-aux-triple", TRIPLE),
    *("-fcuda-is-device", "-fhip-new-launch-api", "-fgnuc-version=4.2.1"),
    # Host code in the same file may throw; device code never does.
    *("-fcxx-exceptions", "-fexceptions", "-target-cpu", CPU),
    # On AMD, float to integer saturates, and an endless loop is one.
    *("-fno-strict-float-cast-overflow", "-fno-finite-loops"),
    # A _Float16 operation rounds once, as in hardware.
    "-ffloat16-excess-precision=none",
    # Lanes hand undefined values to shuffles that ignore them: `int x; if (leader) x = ...; x =
    # __shfl(x, 0)`. A compiler that takes every argument for defined would conclude that each lane
    # leads.
    "-no-enable-noundef-analysis",
    *("-std=gnu++20", "-fdeprecated-macro", "-ferror-limit", "50"),
)
PREPROCESS = (
    "-O2",  # for __OPTIMIZE__
    *("-include", "hip/hip_runtime.h", "-include", "hipaudit/describe.h"),
    *("-D__HIP_PLATFORM_AMD__=1", "-D__HIP_ROCclr__=1", "-D__HIPCC__=1", "-DHIPAUDIT=1"),
)
CODE = (
    *("-emit-obj", "-O2"),
    *("-mrelocation-model", "pic", "-pic-level", "2", "-pic-is-pie", "-ftls-model=local-exec"),
    # A call to wait or to a handler is told by its return address: a tail call has none.
    "-fno-optimize-sibling-calls",
    # A frame larger than a guard page must not step over it.
    "-fstack-clash-protection",
    *("-ffunction-sections", "-fdata-sections", "-fstack-size-section"),
    *("-ffp-contract=fast-honor-pragmas", "-fdebug-compilation-dir=."),
    *("-debug-info-kind=line-tables-only", "-dwarf-version=5", "-debugger-tuning=gdb"),
    # Lanes of one wave operation are told by its address: the code generator must neither merge two
    # of them nor split one.
    *("-mllvm", "-enable-tail-merge=0", "-mllvm", "-disable-tail-duplicate"),
    *("-mllvm", "-disable-early-taildup"),
)
PLAIN = (*CODE, "-vectorize-loops", "-vectorize-slp")
UNDEFINED = (
    "array-bounds,alignment,shift-base,shift-exponent,integer-divide-by-zero,"
    "signed-integer-overflow,float-cast-overflow"
)
# A call before every access, nothing vectorised or widened, reads before writes seen as well.
CHECKED = (
    *CODE,
    # As a GPU's compiler does: what stays a call keeps its caller's variables in memory.
    *("-mllvm", "-inline-threshold=10000"),
    # A vector is loaded at once, even if its elements are used apart.
    *("-mllvm", "-disable-vector-combine"),
    *(f"-fsanitize=thread,{UNDEFINED}", f"-fsanitize-recover={UNDEFINED}"),
    # A structure's last array has bounds too, but for those that are declared with one element.
    "-fstrict-flex-arrays=1",
    *("-mllvm", "-tsan-instrument-func-entry-exit=0"),
    *("-mllvm", "-tsan-instrument-read-before-write=1"),
    *("-mllvm", "-tsan-distinguish-volatile"),
    *("-mllvm", "-tsan-omit-by-pointer-capturing=0"),
    "-fno-builtin-memcpy",
)
LIBRARY = (
    *("-triple", TRIPLE, "-target-cpu", CPU, "-std=c++20", "-O2"),
    *("-mrelocation-model", "pic", "-pic-level", "2", "-fno-rtti", "-fvisibility=hidden"),
    # Function-local statics are only made under a lock or before threads start.
    "-fno-threadsafe-statics",
    *("-fgnuc-version=4.2.1", "-D_GNU_SOURCE"),
    # Stacks are walked from inside of the libraries.
    "-funwind-tables=2",
    *("-ffp-contract=off", "-Wall", "-Wextra", "-Werror"),
)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Commands of the compiler proper and of the linker, and the headers that go with them."""

    compile: tuple[str, ...]
    link: tuple[str, ...]
    includes: tuple[str, ...]


def zig() -> Path:
    """The compiler driver of the ``ziglang`` package.

    Raises:
        ToolchainError: the package is not installed.
    """
    spec = importlib.util.find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        raise ToolchainError("the compiler is missing: pip install ziglang")
    path = Path(next(iter(spec.submodule_search_locations))) / "zig"
    if not path.is_file():
        raise ToolchainError(f"the ziglang package has no compiler at {path}: reinstall it")
    return path


@functools.cache
def compiler() -> Compiler:
    """The pinned compiler, or the one that ``HIPAUDIT_CLANG`` names.

    Raises:
        ToolchainError: there is none.
    """
    library = zig().parent / "lib"
    resources = library
    builtin_headers = library / "include"
    compile_command: tuple[str, ...] = (str(zig()), "clang", "-cc1")
    link_command: tuple[str, ...] = (str(zig()), "ld.lld")
    if other := os.environ.get("HIPAUDIT_CLANG"):
        found = shutil.which(other)
        if found is None:
            raise ToolchainError(f"HIPAUDIT_CLANG={other} is not a program")
        answer = subprocess.run(
            [found, "-print-resource-dir"], capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise ToolchainError(f"HIPAUDIT_CLANG={other} does not answer as clang does")
        resources = Path(answer.stdout.strip())
        builtin_headers = resources / "include"
        compile_command = (found, "-cc1")
    folders = [
        library / "libcxx/include",
        library / "libcxxabi/include",
        builtin_headers,
        library / "libc/include/x86-linux-gnu",
        library / "libc/include/generic-glibc",
        library / "libc/include/x86-linux-any",
        library / "libc/include/any-linux-any",
    ]
    includes = ["-nostdsysteminc", "-nobuiltininc", "-resource-dir", str(resources)]
    for folder in folders:
        includes += ["-isystem", str(folder)]
    includes += [f"-D__GLIBC_MINOR__={GLIBC_MINOR}", *(f"-D{name}" for name in LIBCXX_DEFINES)]
    return Compiler(compile_command, link_command, tuple(includes))


def check_processor() -> None:
    """Refuses processors on which the compiled code would not run.

    Raises:
        ToolchainError: an instruction set of x86-64-v3 is missing.
    """
    text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    missing = CPU_FLAGS - set(flags.split())
    if missing:
        raise ToolchainError(
            f"the emulated device needs a processor of level {CPU}; this one lacks "
            + ", ".join(sorted(missing))
        )


def cache_folder() -> Path:
    """The cache: ``HIPAUDIT_CACHE``, else the user's cache folder, else a temporary one.

    Raises:
        ToolchainError: it cannot be made, or others could write it.
    """
    candidates = [Path(tempfile.gettempdir()) / f"hipaudit-{os.getuid()}"]
    if os.environ.get("HIPAUDIT_CACHE"):
        candidates = [Path(os.environ["HIPAUDIT_CACHE"])]
    elif os.environ.get("XDG_CACHE_HOME"):
        candidates.insert(0, Path(os.environ["XDG_CACHE_HOME"]) / "hipaudit")
    elif os.environ.get("HOME"):
        candidates.insert(0, Path(os.environ["HOME"]) / ".cache" / "hipaudit")
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        status = folder.stat()
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o022:
            raise ToolchainError(
                f"the cache folder {folder} belongs to somebody else or can be written by others: "
                f"chmod 700 it, or name another in HIPAUDIT_CACHE"
            )
        if os.access(folder, os.W_OK):
            return folder.resolve()
    raise ToolchainError(f"no cache folder can be made at {candidates[0]}: set HIPAUDIT_CACHE")
