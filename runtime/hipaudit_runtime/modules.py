"""Kernels compiled by HIPRTC, kept for the life of the process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hipaudit_runtime import sources, streams
from hipaudit_runtime.device import DeviceLike
from hipaudit_runtime.errors import HipError, KernelCompileError, KernelNotFoundError
from hipaudit_runtime.hip import call, hip, hiprtc
from hipaudit_runtime.streams import Stream


@dataclass(frozen=True, slots=True)
class Kernel:
    """An entry point of a loaded module.

    name      as in the source
    function  HIP's handle
    module    the module's handle; the module lives as long as the process
    """

    name: str
    function: Any
    module: Any

    def launch(
        self,
        grid: int | tuple[int, int, int],
        block: int | tuple[int, int, int],
        arguments: tuple[Any, ...],
        *,
        shared_bytes: int = 0,
        stream: Stream | None = None,
    ) -> None:
        """Launch in *stream* and return at once; None: the current one.

        *arguments* are ctypes values in the order of the kernel's parameters, addresses as
        ``c_void_p``. Raises HipError when HIP refuses the launch.
        """
        watch = _WATCH.get()
        if watch is not None:
            with watch(self, arguments):
                self._enqueue(grid, block, arguments, shared_bytes, stream)
        else:
            self._enqueue(grid, block, arguments, shared_bytes, stream)

    def _enqueue(
        self,
        grid: int | tuple[int, int, int],
        block: int | tuple[int, int, int],
        arguments: tuple[Any, ...],
        shared_bytes: int,
        stream: Stream | None,
    ) -> None:
        across = (grid, 1, 1) if isinstance(grid, int) else grid
        threads = (block, 1, 1) if isinstance(block, int) else block
        launch = hip.hipModuleLaunchKernel
        queue = streams.current_handle() if stream is None else stream.handle
        detail = f"{self.name}, grid {across}, block {threads}"
        call(
            launch, self.function, *across, *threads, shared_bytes, queue, None, arguments,
            detail=detail,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Key:
    """What makes a loaded kernel another one: a changed file is compiled anew."""

    path: Path
    digest: str
    ordinal: int
    arch: str
    options: tuple[str, ...]


_modules: dict[_Key, Any] = {}
_kernels: dict[tuple[_Key, str], Kernel] = {}


Watch: TypeAlias = Callable[[Kernel, tuple[Any, ...]], AbstractContextManager[object]]
"""Wraps a launch; among the arguments, `ops.arguments.Pointer` tells its tensor."""

_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched_by(watch: Watch) -> Iterator[None]:
    """Wrap each launch of this context, to look at what is given to it and what it makes of it."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


_EXTRA: ContextVar[tuple[str, ...]] = ContextVar("compiler_options", default=())


@contextmanager
def compiled_with(*options: str) -> Iterator[None]:
    """Compile what launchers ask for with these options as well, in this context."""
    token = _EXTRA.set((*_EXTRA.get(), *options))
    try:
        yield
    finally:
        _EXTRA.reset(token)


def kernel(device: DeviceLike, file: str, name: str, options: tuple[str, ...] = ()) -> Kernel:
    """The entry point *name* of kernel file *file*, compiled for the device when first asked for.

    Raises KernelNotFoundError, KernelCompileError with the compiler's log, or HipError.
    """
    source = sources.read(sources.locate(file))
    options = (*options, *_EXTRA.get())
    key = _Key(source.path, source.digest, device.ordinal, device.arch, options)
    found = _kernels.get((key, name))
    if found is None:
        if key not in _modules:
            _modules[key] = load_module(compile_source(source, device.arch, options))
        found = _kernels[key, name] = entry_point(_modules[key], name)
    return found


def compile_source(source: sources.KernelSource, arch: str, options: tuple[str, ...] = ()) -> bytes:
    """Compile with HIPRTC for *arch* and return the code object.

    Raises KernelCompileError with HIPRTC's log.
    """
    program = call(
        hiprtc.hiprtcCreateProgram,
        source.text.encode(),
        f"kernels/{source.path.name}".encode(),
        len(source.headers),
        [text.encode() for text in source.headers.values()],
        [name.encode() for name in source.headers],
    )
    try:
        flags = [f"--offload-arch={arch}", *_rocm_include(), *options]
        encoded = [flag.encode() for flag in flags]
        call(hiprtc.hiprtcCompileProgram, program, len(encoded), encoded)
        code = bytearray(call(hiprtc.hiprtcGetCodeSize, program))
        call(hiprtc.hiprtcGetCode, program, code)
        return bytes(code)
    except HipError as error:
        if error.call != "hiprtcCompileProgram":
            raise
        raise KernelCompileError(f"{source.path} for {arch}:\n{_log(program)}") from error
    finally:
        call(hiprtc.hiprtcDestroyProgram, program.createRef())


def load_module(code: bytes) -> Any:
    """Load a code object into the current device; HipError when it is not for that part."""
    return call(hip.hipModuleLoadData, code)


def entry_point(module: Any, name: str) -> Kernel:
    """The kernel *name* of a loaded module, or KernelNotFoundError."""
    try:
        function = call(hip.hipModuleGetFunction, module, name.encode())
    except HipError as error:
        raise KernelNotFoundError(f"no kernel {name} in the module: {error}") from error
    return Kernel(name, function, module)


def _log(program: Any) -> str:
    size = call(hiprtc.hiprtcGetProgramLogSize, program)
    log = bytearray(size)
    call(hiprtc.hiprtcGetProgramLog, program, log)
    return log.rstrip(b"\0").decode(errors="replace")


def _rocm_include() -> list[str]:
    """HIPRTC has HIP's device functions built in, but finds <hip/...> only where ROCm is."""
    headers = Path(os.environ.get("ROCM_PATH", "/opt/rocm")) / "include"
    return [f"-I{headers}"] if (headers / "hip" / "hip_runtime.h").is_file() else []
