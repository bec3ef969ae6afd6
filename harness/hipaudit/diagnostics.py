"""A compiler's log in the terms of the file that the user wrote.

The device compiles what the preprocessor left, with names of its own in it and for a CPU; the
user sees the lines of the file, and what to do where hipaudit knows it.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(r"^(?P<file>.+?):(?P<line>\d+):\d+: (?P<level>error|fatal error|warning|note): ")
_QUOTE = re.compile(r"^ *\d+ \| (?P<text>.*)$")
_POINTER = re.compile(r"^ *\| ")
_TOTAL = re.compile(r"^(\d+ (?:warnings?|errors?).*generated) when compiling for \S+$")
_MISSING = re.compile(r"'([^']+)' file not found")
_ASSEMBLY = re.compile(r"\b(?:__asm__|__asm|asm)\b")
_BUILTIN = re.compile(r"undeclared identifier '(__builtin_amdgcn_(\w+?)_\w+)'")
_INTRINSIC = re.compile(r"@llvm\.amdgcn\.[\w.]+")
_EXPRESSION = "<name expression>"
_OURS = (_EXPRESSION, "<inline asm>", "/hipaudit/describe.h", "/hipaudit/kernel_record.h")

_LIBRARIES = (
    "hipblas", "hipblaslt", "hipcub", "hipfft", "hiprand", "hipsolver", "hipsparse", "miopen",
    "rccl", "rocblas", "rocfft", "rocprim", "rocrand", "rocsolver", "rocsparse", "rocthrust",
    "rocwmma", "thrust", "cub", "ck", "composable_kernel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Message:
    """One diagnostic: its first line, and what the compiler printed below it."""

    file: str
    line: int
    head: str
    below: tuple[str, ...]


def explained(log: str) -> str:
    """Return the log with the user's lines, without ours, and with the way out where there is one.

    Empty for an empty log.
    """
    messages, rest = _messages(log)
    shown: list[str] = []
    for message in messages:
        if not any(mark in message.file for mark in _OURS):
            shown += [part for part in _shown(message) if part not in shown or not part.strip()]
    expression = next((m for m in messages if m.file == _EXPRESSION and " error: " in m.head), None)
    if expression is not None:
        why = expression.head.partition(" error: ")[2]
        shown.insert(0, f"the kernel's name cannot be compiled: {why}")
    intrinsics = dict.fromkeys(_INTRINSIC.findall("\n".join(rest)))
    if intrinsics:
        names = ", ".join(name.removeprefix("@") for name in intrinsics)
        return (
            f"{names}: intrinsics that a source declares by name are not emulated. Give "
            "the kernel a C++ path beside them, and choose it with -D."
        )
    shown += [_TOTAL.sub(r"\1", line) for line in rest if expression is None]
    return "\n".join([*shown, *dict.fromkeys(_ways_out(messages))]).strip()


def _messages(log: str) -> tuple[list[_Message], list[str]]:
    """Split a log into its diagnostics and the lines that belong to none."""
    messages: list[_Message] = []
    rest: list[str] = []
    for line in log.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            messages.append(_Message(head["file"], int(head["line"]), line, ()))
        elif messages and not _TOTAL.match(line) and line.startswith(" "):
            last = messages[-1]
            messages[-1] = _Message(last.file, last.line, last.head, (*last.below, line))
        else:
            rest.append(line)
    return messages, rest


def _shown(message: _Message) -> Iterator[str]:
    """Yield a diagnostic's lines, quoting the file and not what the preprocessor made of it."""
    own = linecache.getline(message.file, message.line).rstrip()
    if _ASSEMBLY.search(own) and " error: " in message.head:
        yield f"{message.head.partition(' error: ')[0]} error: inline assembly is not emulated"
        yield f"{message.line:5} | {own}"
        return
    yield message.head
    replaced = False
    for line in message.below:
        quote = _QUOTE.match(line)
        if quote is not None and own and quote["text"].rstrip() != own:
            replaced = True
            yield f"{message.line:5} | {own}"
        elif not (replaced and _POINTER.match(line)):
            yield line


def _ways_out(messages: list[_Message]) -> Iterator[str]:
    """Yield what to do about errors whose cause is known."""
    for message in messages:
        missing = _MISSING.search(message.head)
        builtin = _BUILTIN.search(message.head)
        if missing is not None:
            yield _about_header(missing[1])
        elif builtin is not None:
            cores = builtin[2] in {"mfma", "wmma", "smfmac", "swmmac"}
            why = "Matrix cores are not emulated" if cores else f"{builtin[1]} is not emulated here"
            yield f"{why}: give the kernel a C++ path beside it, and choose it with -D."
        elif _ASSEMBLY.search(linecache.getline(message.file, message.line)):
            yield (
                "The emulated device is not an AMD processor: give the kernel a C++ path beside "
                "its assembly, and choose it with -D."
            )


def _about_header(name: str) -> str:
    top = name.partition("/")[0].removesuffix(".h")
    if top.startswith(("cuda", "cooperative_groups", "curand", "cublas")):
        return (
            "This is CUDA: convert it first, with hipify-perl or hipify-clang, "
            "so that it includes <hip/hip_runtime.h>."
        )
    if top in _LIBRARIES:
        return (
            f"hipaudit brings HIP's own headers and not {top}: keep kernels in a file without it, "
            "or name the folder that has it with -I DIR."
        )
    return f"Name the folder that {name} lies in with -I DIR."
