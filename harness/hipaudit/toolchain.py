"""Builds the device libraries with the pinned compiler, and tells them how to compile kernels.

The compiler is clang as the ``ziglang`` package carries it; ``HIPAUDIT_CLANG`` names another one.
Results are cached by content in a folder that only its owner can write. Nothing goes through a
shell.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipaudit import rocm
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
    *("-std=gnu++20", "-fdeprecated-macro", "-ferror-limit", "50"),
)
PREPROCESS = (
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
    *("-mllvm", "-inline-threshold=1000"),
    # A vector is loaded at once, even if its elements are used apart.
    *("-mllvm", "-disable-vector-combine"),
    *(f"-fsanitize=thread,{UNDEFINED}", f"-fsanitize-recover={UNDEFINED}"),
    *("-mllvm", "-tsan-instrument-func-entry-exit=0"),
    *("-mllvm", "-tsan-instrument-read-before-write=1"),
    *("-mllvm", "-tsan-distinguish-volatile"),
    *("-mllvm", "-tsan-omit-by-pointer-capturing=0"),
    "-fno-builtin-memcpy",
)
DEVICE_SOURCES = ("device", "check", "include", "front")
LEDGER_SOURCES = ("ledger", "device", "include", "front")
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
class Libraries:
    """Where the device libraries are; ``folder`` serves as ``ROCM_PATH``."""

    folder: Path
    front: Path
    hiprtc: Path
    emulated: Path


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


def _c_strings(words: Sequence[str]) -> str:
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "".join(f'    "{word}",\n' for word in escaped) + "    nullptr,\n"


def _config_header(fingerprint: str) -> str:
    """What the device library knows of the toolchain: how to start it and with which flags."""
    include = ("-isystem", str(NATIVE / "include"))
    lists = {
        "kKernelCompiler": compiler().compile,
        "kPreprocessorFlags": (*KERNEL_MODE, *compiler().includes, *include, *PREPROCESS),
        "kPlainFlags": (*KERNEL_MODE, *PLAIN),
        "kCheckedFlags": (*KERNEL_MODE, *CHECKED),
    }
    text = "// Generated by the build.\n#pragma once\n\nnamespace hipaudit {\n\n"
    text += f'inline constexpr char kToolchainFingerprint[] = "{fingerprint}";\n'
    for name, words in lists.items():
        text += f"inline const char* const {name}[] = {{\n{_c_strings(words)}}};\n"
    return text + "\n}  // namespace hipaudit\n"


def _fingerprint(identity: str, *folders: str) -> str:
    """Return a name for what the sources in some folders, the compiler and its flags give."""
    digest = hashlib.sha256(identity.encode())
    found = (path for folder in folders for path in (NATIVE / folder).rglob("*"))
    for path in sorted(path for path in found if path.is_file()):
        digest.update(str(path.relative_to(NATIVE)).encode() + b"\0")
        digest.update(path.read_bytes())
    words = (*compiler().compile, *compiler().link, *compiler().includes)
    for word in (*words, *KERNEL_MODE, *PREPROCESS, *PLAIN, *CHECKED, *LIBRARY, str(NATIVE)):
        digest.update(word.encode() + b"\0")
    driver = Path(compiler().compile[0]).stat()
    digest.update(f"{driver.st_size} {driver.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip()
        raise ToolchainError(f"the device library does not build:\n{output}")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(objects: Path, places: Sequence[Path]) -> list[Path]:
    """Compile sources, or all those of a folder, into *objects*.

    The cache keeps every object with the files it was made from: after an edit, the objects that
    it touches are made again and no others.
    """
    tools = compiler()
    search = ("-iquote", str(objects), "-I", str(NATIVE / "include"), "-I", str(NATIVE))
    command = (*tools.compile, *LIBRARY, *tools.includes, *search)
    parent = cache_folder() / "objects"
    parent.mkdir(mode=0o700, exist_ok=True)

    @functools.cache
    def precompiled() -> tuple[str, ...]:
        headers = objects / "precompiled.pch"
        first = ("-x", "c++-header", "-emit-pch", "-o", str(headers))
        _run([*command, *first, str(NATIVE / "device" / "precompiled.h")])
        return ("-include-pch", str(headers))

    once = threading.Lock()

    def build(source: Path) -> Path:
        target = objects / f"{source.parent.name}.{source.stem}.o"
        flags = "\0".join((*tools.compile, *LIBRARY, *tools.includes))
        name = f"{source.relative_to(NATIVE)}\0{NATIVE}\0{flags}"
        kept = parent / hashlib.sha256(name.encode()).hexdigest()[:32]
        if _up_to_date(kept, objects):
            shutil.copyfile(kept / "object", target)
            return target
        # The math's sources declare C's names themselves, which the library headers would bring in.
        parsed: tuple[str, ...] = ()
        if not source.stem.startswith("math"):
            with once:
                parsed = precompiled()
        rule = target.with_suffix(".d")
        emit = ("-x", "c++", "-emit-obj", "-dependency-file", str(rule), "-MT", "object")
        _run([*command, *emit, *parsed, "-o", str(target), str(source)])
        _keep(kept, target, rule, objects)
        return target

    sources = [
        path
        for place in places
        for path in (sorted(place.glob("*.cpp")) if place.is_dir() else [place])
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(build, sources))


def _digest(path: Path, objects: Path) -> str:
    """Return what a dependency holds; generated headers lie beside the *objects*."""
    place = objects / path.name if path.name.endswith("_config.h") else path
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except OSError:
        return ""


def _up_to_date(kept: Path, objects: Path) -> bool:
    try:
        lines = (kept / "made_from").read_text().splitlines()
    except OSError:
        return False
    pairs = (line.split(" ", 1) for line in lines)
    return (kept / "object").is_file() and all(
        _digest(Path(path), objects) == digest for digest, path in pairs
    )


def _keep(kept: Path, target: Path, rule: Path, objects: Path) -> None:
    """Keep an object with the files that its make rule names, in place of an older one."""
    text = rule.read_text().replace("\\\n", " ").partition(": ")[2]
    paths = [word.replace("\\ ", " ") for word in re.findall(r"(?:\\ |\S)+", text)]
    used = [Path(path) for path in paths if not path.endswith(".pch")]
    lines = [f"{_digest(path, objects)} {path}" for path in used]
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="new.") as temporary:
        fresh = Path(temporary) / "kept"
        fresh.mkdir(mode=0o700)
        shutil.copyfile(target, fresh / "object")
        (fresh / "made_from").write_text("\n".join(lines))
        with contextlib.suppress(OSError):  # another process has just made the same
            if kept.is_dir():
                kept.rename(Path(temporary) / "old")
            fresh.rename(kept)


def _empty_object(objects: Path) -> Path:
    target = objects / "front.o"
    tools = compiler()
    source = NATIVE / "front" / "front.c"
    flags = (*LIBRARY, *tools.includes, "-x", "c++", "-emit-obj")
    _run([*tools.compile, *flags, "-o", str(target), str(source)])
    return target


def _link(
    objects: Path, target: Path, inputs: Sequence[Path], below: Path | None, exports: str
) -> None:
    """Link a shared library that needs the one *below* it and the system's C library."""
    tools = compiler()
    empty = _empty_object(objects)
    # Stand-ins under the names of the system's C library, so that the loader sees to it first.
    system = [objects / name for name in ("libc.so.6", "libpthread.so.0", "libdl.so.2")]
    for path in system:
        _run([*tools.link, "-shared", "-soname", path.name, "-o", str(path), str(empty)])
    script = objects / "exports"
    script.write_text(f"{{ global: {exports} local: *; }};\n")
    folder = "$ORIGIN" if below is None or below.parent == target.parent else str(below.parent)
    link = (*tools.link, "-shared", "--build-id=none", "--eh-frame-hdr", "-z", "now")
    link = (*link, "-rpath", folder)
    named = ("-soname", target.name, f"--version-script={script}", "--undefined-version")
    needed = ("--no-as-needed", *([str(below)] if below else []), *map(str, system))
    _run([*link, *named, "-o", str(target), *map(str, inputs or [empty]), *needed])


def _compile_library(folder: Path, fingerprint: str) -> None:
    objects = folder / "objects"
    objects.mkdir()
    (objects / "toolchain_config.h").write_text(_config_header(fingerprint))
    built = _compile(objects, [NATIVE / "device", NATIVE / "check"])
    library = folder / "lib"
    library.mkdir()
    emulated = library / "libhipaudit_emulated.so"
    _link(objects, emulated, built, None, "hip*; __hip*;")
    _link(objects, library / "libhiprtc.so", (), emulated, "hipaudit_front;")
    shutil.rmtree(objects)


def _built(kind: str, fingerprint: str, title: str, build: Callable[[Path], None]) -> Path:
    """Return the cached folder of that content, made by *build* if it is not there yet."""
    parent = cache_folder() / kind
    parent.mkdir(mode=0o700, exist_ok=True)
    folder = parent / fingerprint
    if folder.is_dir():
        return folder
    with _locked(parent / f"{fingerprint}.lock"):
        if folder.is_dir():
            return folder
        sys.stderr.write(f"hipaudit: building {title} (once a version) ...\n")
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=parent, prefix="build.") as temporary:
            place = Path(temporary) / kind
            place.mkdir(mode=0o700)
            build(place)
            place.rename(folder)
        sys.stderr.write(f"hipaudit: built in {time.monotonic() - began:.1f} s\n")
    return folder


def device_libraries() -> Libraries:
    """The device libraries of this version of the sources, built if the cache does not have them.

    Raises:
        ToolchainError: no compiler, no cache folder, an unsuitable processor, or a failed build.
    """
    check_processor()
    fingerprint = _fingerprint("", *DEVICE_SOURCES)

    def build(place: Path) -> None:
        _compile_library(place, fingerprint)

    library = _built("device", fingerprint, "the emulated device", build) / "lib"
    emulated = library / "libhipaudit_emulated.so"
    front = ledger_for(emulated)
    return Libraries(
        folder=front.parent.parent,
        front=front,
        hiprtc=library / "libhiprtc.so",
        emulated=emulated,
    )


def ledger_for(below: Path) -> Path:
    """The ledger over a HIP library, built if the cache does not have it.

    It defines the calls that it tracks, as far as the library *below* has them, and leaves the
    rest to that one. The folder above its own serves as ``ROCM_PATH``.

    Raises:
        ToolchainError: as for the device, or *below* is no HIP library.
    """
    below = below.resolve()
    names = rocm.exported_names(below)
    if "hipMalloc" not in names:
        raise ToolchainError(f"{below} is no HIP library: it has no hipMalloc")
    status = below.stat()
    identity = f"{below} {status.st_size} {status.st_mtime_ns}"

    def build(place: Path) -> None:
        _compile_ledger(place, below, names)

    fingerprint = _fingerprint(identity, *LEDGER_SOURCES)
    return _built("ledger", fingerprint, "the ledger", build) / "lib" / "libamdhip64.so"


def _compile_ledger(folder: Path, below: Path, names: Sequence[str]) -> None:
    objects = folder / "objects"
    objects.mkdir()
    library = folder / "lib"
    library.mkdir()
    loaded_as = rocm.soname(below)
    text = "// Generated by the build.\n#pragma once\n\n"
    (objects / "ledger_config.h").write_text(
        f'{text}inline constexpr char kBelow[] = "{loaded_as}";\n'
    )
    exports = "".join(f"{name};" for name in names) + "hipaudit_ledger_*;"
    shared = [NATIVE / "device" / name for name in ("json.cpp", "runtime_support.cpp")]
    built = _compile(objects, [NATIVE / "ledger", *shared])
    _link(objects, library / "libamdhip64.so", built, below, exports)
    rocm.mirror(below, folder)
    shutil.rmtree(objects)
