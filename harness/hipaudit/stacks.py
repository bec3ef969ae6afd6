"""The ledger's stacks: which frames called HIP, and which of them is the user's line."""

from __future__ import annotations

import functools
import linecache
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hipaudit.symbolise import Frame, Symboliser

_BINDING = ("-packages/hip/", "-packages/rocm/", "<frozen")
_BY_THE_HOST = " by the host"
_RUNNERS = ("/sysdeps/", "/_pytest/", "/pluggy/", "/xdist/", "/execnet/", "<frozen")
_STANDARD = sysconfig.get_path("stdlib") + "/"
_HARNESS = str(Path(__file__).parent) + "/"
_QUOTED = _HARNESS + "audits/claims/quoted/"
"""Programs under audit that come with the harness."""


def frames_of(stack: Iterable[Mapping[str, Any]], symboliser: Symboliser) -> tuple[Frame, ...]:
    """Return a stack's frames, innermost first.

    A Python frame says file, function and line; a native one an object and an offset, which its
    debugging information resolves: without any, the object stands for the file, with line 0.
    """
    frames: list[Frame] = []
    for entry in stack:
        if "object" not in entry:
            line = int(entry.get("line") or 0)
            frames.append(Frame(str(entry.get("function") or ""), str(entry["file"]), line))
            continue
        path, function = str(entry["object"]), str(entry.get("function") or "")
        address = _lowest(path) + int(entry.get("offset") or 0)
        inner = symboliser.frames(path, address) if _readable(path) else ()
        frames += inner or (Frame(function, path, 0),)
    return tuple(frames)


@functools.cache
def _lowest(path: str) -> int:
    """Return the address at which an object's first segment wants to be: 0 where it can move."""
    try:
        with Path(path).open("rb") as stream:
            loaded = [s["p_vaddr"] for s in ELFFile(stream).iter_segments("PT_LOAD")]
    except (OSError, ELFError):
        return 0
    return int(min(loaded, default=0)) & ~0xFFF


def _readable(path: str) -> bool:
    """Tell whether an object may have line numbers of the user's: HIP's and the system's do not."""
    name = Path(path).name
    return not name.startswith(("libamdhip64", "libhipaudit", "libc.so", "ld-linux", "libpython"))


def user_frame(frames: Sequence[Frame], call: str) -> Frame:
    """Return the frame that a report names.

    The innermost one whose line names the call: a wrapper that takes the function as an argument
    does not. Else the innermost one outside hip-python and the harness. What an installed library
    loads or stores is the doing of whoever called it.
    """
    outside = [frame for frame in frames if not _is_ours(frame)]
    if call.endswith(_BY_THE_HOST):
        outside = [frame for frame in outside if not _is_installed(frame)] or outside
    for frame in outside:
        if call and call in linecache.getline(frame.file, frame.line):
            return frame
    known = [frame for frame in outside if frame.line] or list(frames)
    return known[0] if known else Frame("", "", 0)


def without_runners(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the frames that are neither the test runner's nor a program's start."""
    return tuple(frame for frame in frames if not any(mark in frame.file for mark in _RUNNERS))


def is_harness_alone(frames: Sequence[Frame]) -> bool:
    """Tell whether a call was the harness's own: no line of a user is in it."""
    return all(_is_ours(frame) or _is_standard(frame) for frame in frames)


def _is_installed(frame: Frame) -> bool:
    return "-packages/" in frame.file or _is_standard(frame)


def _is_standard(frame: Frame) -> bool:
    return frame.file.startswith(_STANDARD) and "site-packages" not in frame.file


def _is_ours(frame: Frame) -> bool:
    binding = any(mark in frame.file for mark in _BINDING)
    return binding or (frame.file.startswith(_HARNESS) and not frame.file.startswith(_QUOTED))
