"""One kernel file compiled, described and launched in a child process, through hip-python."""

from __future__ import annotations

import contextlib
import ctypes
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hipaudit import arguments
from hipaudit.arguments import Argument
from hipaudit.buffers import Buffers, filled
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.diagnostics import explained
from hipaudit.errors import CompileError, UsageError
from hipaudit.fitting import named, pick, require_fit
from hipaudit.hipcalls import HipCallError, call, hip, hiprtc

Mask: TypeAlias = npt.NDArray[np.bool_]

_GRID_BARRIER = re.compile(rb"\bthis_grid\s*\(|\bgrid_group\b")
_STANDARD = re.compile(r"error: no (?:member|template) named '\w+' in namespace 'std'")
_INCLUDED_BY_HIPCC = ("-include", "algorithm", "-include", "complex", "-include", "new")
_MOST_KEPT = 1 << 28
"""Bytes that a launch may leave behind for `widths` to compare."""
_POISONS = (0xFF, 0x5A)
"""What fresh memory is filled with in two runs: an element that keeps both was never written."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A kernel that is compiled and loaded, and the arguments that it will be launched with."""

    function: Any
    kernel: Mapping[str, Any]
    given: tuple[Argument, ...]
    payload: Mapping[str, Any]
    device: Device
    cooperative: bool

    def run(self) -> str | None:
        """Launch on fresh buffers; return the failing call's name and status, None for none."""
        with filled(self.given, int(self.payload["seed"])) as buffers:
            return _run(self, buffers)


def describe(payload: Mapping[str, Any], device: Device, _: Progress) -> Json:
    """Return the kernels of a file: name, symbol, parameters. Raises CompileError."""
    module, _names = _load(payload, device, ())
    kernels = _kernels(module, device)
    return [named(kernel, kernels) for kernel in kernels]


def instance(payload: Mapping[str, Any], device: Device, expression: str) -> Mapping[str, Any]:
    """Return the kernel that a name expression stands for. Raises CompileError."""
    module, names = _load(payload, device, (expression,))
    return _find(module, device, expression, names[expression])


def launch(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Launch the kernel of a payload once; return where its arguments lay and how it ended.

    Raises CompileError for the source, UsageError for a name or an argument that does not fit.
    """
    if payload["build"] == "checked" and not device.with_build("checked"):
        return {"unsupported": True}
    return launched(prepare(payload, device, progress))


def prepare(payload: Mapping[str, Any], device: Device, progress: Progress) -> Prepared:
    """Compile a payload's kernel, and see that its arguments fit. Raises as `launch` does."""
    wanted = str(payload["kernel"] or "")
    expressions = (wanted,) if "<" in wanted else ()
    module, names = _load(payload, device, expressions)
    kernel = _find(module, device, wanted, names.get(wanted))
    given = tuple(arguments.parse(text) for text in payload["args"])
    require_fit(kernel, given)
    function = call(hip().hipModuleGetFunction, module, str(kernel["symbol"]).encode())
    progress({"launching": kernel["name"]})
    return Prepared(function, kernel, given, payload, device, _cooperative(kernel, payload))


def _cooperative(kernel: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    """Tell whether all blocks must be there at once: the kernel waits for the whole grid.

    Where the device does not describe kernels, the source tells.
    """
    if "grid_sync" in kernel:
        return bool(kernel["grid_sync"])
    return _GRID_BARRIER.search(Path(payload["file"]).read_bytes()) is not None


def _kernels(module: Any, device: Device) -> list[dict[str, Any]]:
    if device.control is None:
        raise UsageError("a ROCm device does not describe kernels: give --kernel and --arg")
    return device.control.describe(int(module))


def _find(module: Any, device: Device, wanted: str, symbol: str | None) -> Mapping[str, Any]:
    """Return the kernel to launch; on ROCm by its symbol alone, its parameters unknown."""
    if device.control is None and wanted:
        return {"name": wanted, "symbol": symbol or wanted, "params": None}
    kernels = _kernels(module, device)
    return named(pick(kernels, wanted, symbol), kernels)


def _load(
    payload: Mapping[str, Any], device: Device, expressions: tuple[str, ...]
) -> tuple[Any, dict[str, str]]:
    """Compile the payload's file for the device; return the module and the lowered names."""
    path = Path(payload["file"])
    rtc = hiprtc()
    beside = dict.fromkeys((str(path.parent), str(path.resolve().parent)))
    folders = [*beside, *payload["include"]]
    options = [f"--offload-arch={device.arch}", *(f"-I{folder}" for folder in folders)]
    options += [f"-D{define}" for define in payload["define"]]
    program, log = _compiled(path, options, expressions)
    if log is not None and _STANDARD.search(log):
        # It may compile with what hipcc includes before any file.
        program, still = _compiled(path, [*options, *_INCLUDED_BY_HIPCC], expressions)
        log = log if still is not None else None
    if log is not None:
        raise CompileError(explained(log) or log)
    names = {
        expression: _text(call(rtc.hiprtcGetLoweredName, program, expression.encode()))
        for expression in expressions
    }
    code = bytearray(call(rtc.hiprtcGetCodeSize, program))
    call(rtc.hiprtcGetCode, program, code)
    try:
        return call(hip().hipModuleLoadData, bytes(code)), names
    except HipCallError as error:
        why = _unresolved(program) or str(error)
        raise CompileError(f"{path} compiles but does not load: {why}") from error


def _compiled(
    path: Path, options: Sequence[str], expressions: tuple[str, ...]
) -> tuple[Any, str | None]:
    """Compile a file; return the program, and the log where it does not compile."""
    rtc = hiprtc()
    program = call(rtc.hiprtcCreateProgram, path.read_bytes(), str(path).encode(), 0, None, None)
    for expression in expressions:
        call(rtc.hiprtcAddNameExpression, program, expression.encode())
    encoded = [option.encode() for option in options]
    try:
        call(rtc.hiprtcCompileProgram, program, len(encoded), encoded)
    except HipCallError as error:
        return program, _log(program) or str(error)
    return program, None


def _unresolved(program: Any) -> str:
    """Return what the linker missed; empty where that is not what went wrong."""
    with contextlib.suppress(HipCallError):  # any name will do: to look one up links the object
        call(hiprtc().hiprtcGetLoweredName, program, b"")
    return next((line for line in _log(program).splitlines() if "does not offer" in line), "")


def _log(program: Any) -> str:
    size = call(hiprtc().hiprtcGetProgramLogSize, program)
    log = bytearray(size)
    call(hiprtc().hiprtcGetProgramLog, program, log)
    return log.rstrip(b"\0").decode(errors="replace").strip()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def launched(prepared: Prepared) -> dict[str, Any]:
    """Launch, and look for outputs that were never written."""
    payload, device, kernel = prepared.payload, prepared.device, prepared.kernel
    names = _names(kernel, prepared.given)
    # To the shadow of the checked build poison is memory that nobody has written.
    poisoned = device.with_poison(_POISONS[0])
    with filled(prepared.given, int(payload["seed"])) as buffers:
        status = _run(prepared, buffers)
        suspects: dict[int, Mask] = {}
        kept: dict[str, str] = {}
        if status is None:
            if poisoned:
                suspects = _holding(buffers, kernel, _POISONS[0])
            if payload.get("save"):
                _save(buffers, names, Path(payload["save"]), f"{kernel['name']}.{device.arch}")
            if payload.get("keep"):
                kept = _keep(buffers, kernel, names, Path(payload["keep"]))
    return {
        "kernel": kernel["name"],
        "arch": device.arch,
        "status": status,
        "instrumented": bool(kernel.get("instrumented", True)),
        "unwritten": _confirmed(prepared, suspects, names),
        "kept": kept,
        "names": {
            str(address): name
            for address, name in zip(buffers.addresses, names, strict=True)
            if address
        },
    }


def _names(kernel: Mapping[str, Any], given: Sequence[Argument]) -> list[str]:
    """Return what to call each argument: its parameter's name, else its number from 0."""
    if kernel["params"] is None:
        return [f"arg{index}" for index in range(len(given))]
    return [str(parameter["name"]) for parameter in kernel["params"]]


def _holding(buffers: Buffers, kernel: Mapping[str, Any], poison: int) -> dict[int, Mask]:
    """Return, for each output, which elements hold nothing but poison.

    An output is a buffer that was given no contents, for a parameter that is not const.
    """
    found: dict[int, Mask] = {}
    for index, argument in enumerate(buffers.given):
        constant = kernel["params"] is not None and kernel["params"][index]["const"]
        if argument.is_buffer and argument.init == "uninit" and not constant:
            data = buffers.fetch(index)
            held = _poisoned(data, poison)
            if held.any():
                found[index] = held
    return found


def _confirmed(
    prepared: Prepared, suspects: Mapping[int, Mask], names: list[str]
) -> list[dict[str, Any]]:
    """Return the outputs with unwritten elements: those that hold another run's poison, too.

    The first poison may be what the kernel wrote: -1, say. ``moves`` tells whether other inputs
    leave other elements out, as where the inputs say where to write.
    """
    if not suspects:
        return []
    seed = int(prepared.payload["seed"])
    again = _unwritten(prepared, suspects, seed)
    found = []
    for index, held in suspects.items():
        still = held & again[index] if index in again else np.zeros_like(held)
        if still.any():
            entry = {"name": names[index], "count": int(still.sum()), "of": int(still.size)}
            size = prepared.given[index].dtype.itemsize * int(still.size)
            entry |= {"first": int(still.argmax()), "size": size}
            entry["promised"] = "=" in prepared.given[index].text
            found.append((index, still, entry))
    others = _unwritten(prepared, suspects, seed + 1) if found else {}
    for index, still, entry in found:
        entry["moves"] = index in others and not np.array_equal(others[index], still)
    return [entry for _, _, entry in found]


def _unwritten(prepared: Prepared, outputs: Iterable[int], seed: int) -> dict[int, Mask]:
    """Return, for each output, the elements that a run with the second poison leaves alone."""
    if not prepared.device.with_poison(_POISONS[1]):
        return {}
    with filled(prepared.given, seed) as buffers, prepared.device.aside():
        if _run(prepared, buffers) is not None:
            return {}
        return {index: _poisoned(buffers.fetch(index), _POISONS[1]) for index in outputs}


def _poisoned(data: npt.NDArray[Any], poison: int) -> Mask:
    """Return which elements hold nothing but poison."""
    held: Mask = (data.view(np.uint8).reshape(data.size, -1) == poison).all(axis=1)
    return held


def _run(prepared: Prepared, buffers: Buffers) -> str | None:
    """Launch and wait; return the failing call's name and status, None when all went well."""
    payload = prepared.payload
    grid, block, shared = payload["grid"], payload["block"], int(payload["shared"])
    api = hip()
    shape = (prepared.function, *grid, *block, shared, None)
    values = buffers.values()
    # By address, and not packed by hip-python, which takes a structure's bytes for a pointer.
    places = (ctypes.c_void_p * max(1, len(values)))(*map(ctypes.addressof, values))
    where = ctypes.c_void_p(ctypes.addressof(places))
    try:
        if prepared.cooperative:
            call(api.hipModuleLaunchCooperativeKernel, *shape, where)
        else:
            call(api.hipModuleLaunchKernel, *shape, where, None)
        call(api.hipDeviceSynchronize)
    except HipCallError as error:
        return str(error)
    return None


def _save(buffers: Buffers, names: list[str], folder: Path, stem: str) -> None:
    """Write every buffer as it is after the run: KERNEL.ARCH.PARAMETER.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = "".join(c if c.isalnum() or c == "." else "_" for c in stem)
    for index, name in enumerate(names):
        if buffers.addresses[index]:
            np.save(folder / f"{plain}.{name}.npy", buffers.fetch(index))


def _keep(
    buffers: Buffers, kernel: Mapping[str, Any], names: list[str], folder: Path
) -> dict[str, str]:
    """Write what the kernel may have changed as NUMBER.bin; return the names by number.

    Nothing where it is too much, or where parameters are not known.
    """
    params = kernel["params"] or ()
    changed = [
        index
        for index, parameter in enumerate(params)
        if buffers.addresses[index] and not parameter["const"]
    ]
    size = sum((buffers.given[i].count or 0) * buffers.given[i].dtype.itemsize for i in changed)
    if size > _MOST_KEPT:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    for index in changed:
        buffers.fetch(index).tofile(folder / f"{index}.bin")
    return {str(index): names[index] for index in changed}
