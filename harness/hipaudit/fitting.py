"""Whether arguments fit a kernel's parameters, and arguments that would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hipaudit.arguments import TYPES, Argument
from hipaudit.errors import UsageError
from hipaudit.text import plural

_BYTES = ("i8", "u8")
_FLOATS = ("f16", "bf16", "f32", "f64")


def pick(
    kernels: Sequence[Mapping[str, Any]], wanted: str, symbol: str | None = None
) -> Mapping[str, Any]:
    """Return the kernel of that name, or the only one.

    Raises UsageError when there is none, or several and none was named.
    """
    names = ", ".join(str(kernel["name"]) for kernel in kernels)
    if not kernels:
        raise UsageError("the file defines no __global__ function that can be launched")
    if not wanted:
        if len(kernels) > 1:
            raise UsageError(f"there are {len(kernels)} kernels: name one with --kernel: {names}")
        return kernels[0]
    matches = [k for k in kernels if symbol and k["symbol"] == symbol] or [
        k for k in kernels if wanted in {k["name"], k["symbol"]}
    ]
    if not matches:
        raise UsageError(f"no kernel is called {wanted!r}; the file has {names}")
    if len(matches) > 1:
        symbols = ", ".join(str(kernel["symbol"]) for kernel in matches)
        raise UsageError(f"{len(matches)} kernels are called {wanted!r}: name one of {symbols}")
    return matches[0]


def named(kernel: Mapping[str, Any], kernels: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return an instance of a template with its parameters called as the template calls them."""
    base = str(kernel["name"]).partition("<")[0].rpartition("::")[2]
    for other in kernels:
        written = split(str(other.get("signature") or ""))
        same = str(other["name"]).rpartition("::")[2] == base
        if other.get("template") and same and len(written) == len(kernel["params"]):
            pairs = zip(kernel["params"], written, strict=True)
            return {**kernel, "params": [_called(one, text) for one, text in pairs]}
    return kernel


def _called(parameter: Mapping[str, Any], written: str) -> dict[str, Any]:
    match = re.match(r"^(?P<type>.*[\s*&])(?P<name>\w+)$", written.partition("=")[0].strip())
    if match is None:
        return {**parameter, "type": written or parameter["type"]}
    return {**parameter, "type": match["type"].strip(), "name": match["name"]}


def split(parameters: str) -> list[str]:
    """Split a list of parameters at the commas outside of brackets."""
    parts, depth = [""], 0
    for char in parameters:
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def require_fit(kernel: Mapping[str, Any], given: Sequence[Argument]) -> None:
    """Raise UsageError when the arguments are not those that the kernel takes.

    A kernel without ``params`` is one that the device could not describe: nothing is judged.
    """
    parameters = kernel["params"]
    if parameters is None:
        return
    if kernel.get("template"):
        shown = next(iter(kernel["launched_as"]), f"{kernel['name']}<...>")
        raise UsageError(
            f"{kernel['name']} is a template of <{kernel['of_template']}>: name its arguments, "
            f"as in --kernel '{shown}'"
        )
    if len(given) != len(parameters):
        listed = ", ".join(f"{p['type']} {p['name']}" for p in parameters) or "none"
        raise UsageError(
            f"{kernel['name']} takes {plural(len(parameters), 'argument')} ({listed}), "
            f"{len(given)} given"
        )
    for number, (argument, parameter) in enumerate(zip(given, parameters, strict=True), 1):
        why = mismatch(argument, parameter)
        if why is not None:
            raise UsageError(f"--arg {number} ({argument.text!r}): {why}")


def example(parameter: Mapping[str, Any], count: int) -> str:
    """Return an argument that a parameter would take, for a proposed command line."""
    element = parameter.get("element") or ""
    if parameter["kind"] == "pointer":
        name = element if element in TYPES else "u8"
        fill = "uniform(-1,1)" if name.endswith(_FLOATS) else "iota"
        return f"{name}[{count}]={fill}" if parameter.get("const") else f"{name}[{count}]"
    if parameter["kind"] == "struct" and element not in TYPES:
        return f"hex={'00' * int(parameter['size'])}"
    name = element or {1: "u8", 2: "i16", 4: "i32", 8: "i64"}.get(int(parameter["size"]), "i32")
    if name.endswith(_FLOATS):
        return f"{name}=1.0"
    if name in _BYTES:
        return f"{name}=1"  # a flag, most often
    return f"{name}={count}"


def mismatch(argument: Argument, parameter: Mapping[str, Any]) -> str | None:
    """Return why an argument cannot be passed for a parameter, or None when it can."""
    label = f"parameter {parameter['name']!r} is {parameter['type']}"
    if parameter["kind"] == "pointer":
        if argument.type == "ptr":
            return None
        if not argument.is_buffer:
            return f"{label}, a pointer: give a buffer such as {example(parameter, 1024)}"
        return _element_mismatch(argument, parameter, label)
    return _value_mismatch(argument, parameter, label)


def _value_mismatch(argument: Argument, parameter: Mapping[str, Any], label: str) -> str | None:
    """Judge an argument for a parameter that is passed by value."""
    if argument.is_buffer or argument.type == "ptr":
        return f"{label}, a value: give one such as {example(parameter, 1)}"
    if len(argument.value) != int(parameter["size"]):
        size = parameter["size"]
        return f"{label} of {size} bytes, {argument.text} has {len(argument.value)}"
    if argument.type == "hex" or parameter["kind"] not in {"int", "float"}:
        return None
    if argument.type.endswith(_FLOATS) != (parameter["kind"] == "float"):
        return f"{label}: give a value such as {example(parameter, 1)}"
    return None


def _element_mismatch(argument: Argument, parameter: Mapping[str, Any], label: str) -> str | None:
    element = parameter.get("element") or ""
    if element not in TYPES or argument.type == element:
        return None
    wanted = TYPES[element]
    same_size = wanted.itemsize == argument.dtype.itemsize
    if same_size and wanted.kind in "iu" and argument.dtype.kind in "iu":
        return None
    if argument.type == "u8":
        return None  # bytes: whoever passes them means it
    return f"{label}: give {element}[...], not {argument.type}[...]"
