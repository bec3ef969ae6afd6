"""One kernel file compiled, described and launched in a child process, through hip-python."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hipaudit import arguments
from hipaudit.arguments import Argument
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.errors import CompileError, UsageError
from hipaudit.fitting import pick, require_fit
from hipaudit.hipcalls import HipCallError, call, hip, hiprtc


def describe(payload: Mapping[str, Any], device: Device, _: Progress) -> Json:
    """Return the kernels of a file: name, symbol, parameters. Raises CompileError."""
    module, _names = _load(payload, device, ())
    return _kernels(module, device)


def launch(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Launch the kernel of a payload once; return where its arguments lay and how it ended.

    Raises CompileError for the source, UsageError for a name or an argument that does not fit.
    """
    if payload["build"] == "checked" and not device.with_build("checked"):
        return {"unsupported": True}
    wanted = str(payload["kernel"] or "")
    expressions = (wanted,) if "<" in wanted else ()
    module, names = _load(payload, device, expressions)
    kernel = _find(module, device, wanted, names.get(wanted))
    given = [arguments.parse(text) for text in payload["args"]]
    require_fit(kernel, given)
    function = call(hip().hipModuleGetFunction, module, str(kernel["symbol"]).encode())
    progress({"launching": kernel["name"]})
    return _launch(function, kernel, given, payload, device)


def _kernels(module: Any, device: Device) -> list[dict[str, Any]]:
    if device.control is None:
        raise UsageError("a ROCm device does not describe kernels: give --kernel and --arg")
    return device.control.describe(int(module))


def _find(module: Any, device: Device, wanted: str, symbol: str | None) -> Mapping[str, Any]:
    """Return the kernel to launch; on ROCm by its symbol alone, its parameters unknown."""
    if device.control is None and wanted:
        return {"name": wanted, "symbol": symbol or wanted, "params": None}
    return pick(_kernels(module, device), wanted, symbol)


def _load(
    payload: Mapping[str, Any], device: Device, expressions: tuple[str, ...]
) -> tuple[Any, dict[str, str]]:
    """Compile the payload's file for the device; return the module and the lowered names."""
    path = Path(payload["file"])
    rtc = hiprtc()
    program = call(rtc.hiprtcCreateProgram, path.read_bytes(), str(path).encode(), 0, None, None)
    for expression in expressions:
        call(rtc.hiprtcAddNameExpression, program, expression.encode())
    folders = [str(path.parent), *payload["include"]]
    options = [f"--offload-arch={device.arch}", *(f"-I{folder}" for folder in folders)]
    options += [f"-D{define}" for define in payload["define"]]
    encoded = [option.encode() for option in options]
    try:
        call(rtc.hiprtcCompileProgram, program, len(encoded), encoded)
    except HipCallError as error:
        raise CompileError(_log(program) or str(error)) from error
    names = {
        expression: _text(call(rtc.hiprtcGetLoweredName, program, expression.encode()))
        for expression in expressions
    }
    code = bytearray(call(rtc.hiprtcGetCodeSize, program))
    call(rtc.hiprtcGetCode, program, code)
    try:
        return call(hip().hipModuleLoadData, bytes(code)), names
    except HipCallError as error:
        raise CompileError(f"{path} compiles but does not load: {error}") from error


def _log(program: Any) -> str:
    size = call(hiprtc().hiprtcGetProgramLogSize, program)
    log = bytearray(size)
    call(hiprtc().hiprtcGetProgramLog, program, log)
    return log.rstrip(b"\0").decode(errors="replace").strip()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _launch(
    function: Any,
    kernel: Mapping[str, Any],
    given: list[Argument],
    payload: Mapping[str, Any],
    device: Device,
) -> Json:
    """Fill the buffers, launch, wait, fetch the buffers, free them."""
    addresses = [_allocate(argument) for argument in given]
    seed = int(payload["seed"])
    for index, (argument, address) in enumerate(zip(given, addresses, strict=True)):
        if argument.is_buffer:
            _upload(address, arguments.contents(argument, seed, index))
    packed = tuple(
        ctypes.c_void_p(address) if argument.is_buffer else _value(argument)
        for argument, address in zip(given, addresses, strict=True)
    )
    status = _run(function, payload, packed)
    if status is None and payload.get("save"):
        _save(given, addresses, kernel, Path(payload["save"]), device.arch)
    for address in addresses:
        if address:
            hip().hipFree(address)
    return {
        "kernel": kernel["name"],
        "arch": device.arch,
        "status": status,
        "names": {
            str(address): name
            for address, name in zip(addresses, _names(kernel, given), strict=True)
            if address
        },
    }


def _names(kernel: Mapping[str, Any], given: list[Argument]) -> list[str]:
    """Return what to call each argument: its parameter's name, else its number from 0."""
    if kernel["params"] is None:
        return [f"arg{index}" for index in range(len(given))]
    return [str(parameter["name"]) for parameter in kernel["params"]]


def _allocate(argument: Argument) -> int:
    size = (argument.count or 0) * argument.dtype.itemsize if argument.is_buffer else 0
    if not size:
        return 0
    try:
        return int(call(hip().hipMalloc, size))
    except HipCallError as error:
        raise UsageError(f"--arg {argument.text!r}: no memory for {size:,} bytes") from error


def _upload(address: int, data: Any) -> None:
    if data is not None and data.nbytes:
        kind = hip().hipMemcpyKind.hipMemcpyHostToDevice
        call(hip().hipMemcpy, address, data.ctypes.data, data.nbytes, kind)


def _value(argument: Argument) -> Any:
    """Return a scalar as ctypes passes it: with the size and alignment of its type."""
    sized = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
    if argument.type == "hex":
        return (ctypes.c_uint8 * len(argument.value)).from_buffer_copy(argument.value)
    return sized[len(argument.value)](int.from_bytes(argument.value, "little"))


def _run(function: Any, payload: Mapping[str, Any], packed: tuple[Any, ...]) -> str | None:
    """Launch and wait; return the failing call's name and status, None when all went well."""
    try:
        call(
            hip().hipModuleLaunchKernel,
            function,
            *payload["grid"],
            *payload["block"],
            int(payload["shared"]),
            None,
            None,
            packed,
        )
        call(hip().hipDeviceSynchronize)
    except HipCallError as error:
        return str(error)
    return None


def _save(
    given: list[Argument],
    addresses: list[int],
    kernel: Mapping[str, Any],
    folder: Path,
    arch: str,
) -> None:
    """Write every buffer as it is after the run: KERNEL.ARCH.PARAMETER.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "".join(c if c.isalnum() else "_" for c in str(kernel["name"]))
    kind = hip().hipMemcpyKind.hipMemcpyDeviceToHost
    for argument, address, name in zip(given, addresses, _names(kernel, given), strict=True):
        if not address:
            continue
        data = np.empty(argument.count or 0, argument.dtype)
        call(hip().hipMemcpy, data.ctypes.data, address, data.nbytes, kind)
        np.save(folder / f"{stem}.{arch}.{name}.npy", data)
