"""A command line for each kernel of a file that works when it is pasted.

Sizes are guessed and tried: a buffer that is too small grows, one that is read starts with
contents, a shape of blocks that the kernel cannot take gives way to another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from hipaudit import arguments, fitting, job
from hipaudit.arguments import TYPES, Argument
from hipaudit.checking import Request
from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.errors import HipauditError, UsageError

Record: TypeAlias = Mapping[str, Any]
Extent: TypeAlias = tuple[int, int, int]

_COUNT = 1024
_MOST = 1 << 22
_MOST_SHARED = 1 << 16
_TRIALS = 24
"""Launches that are tried for one kernel, at most."""
_BUDGET_S = 25.0
"""What trying may take for a file; kernels after that get a proposal that was not tried."""
_LIMIT_S = 180.0

_FLAT: tuple[tuple[Extent, Extent], ...] = (
    ((4, 1, 1), (256, 1, 1)),
    ((4, 1, 1), (64, 1, 1)),
    ((4, 1, 1), (128, 1, 1)),
    ((1, 1, 1), (256, 1, 1)),
    ((4, 1, 1), (32, 1, 1)),
    ((1, 1, 1), (1024, 1, 1)),
)
_SQUARE: tuple[tuple[Extent, Extent], ...] = (
    ((2, 2, 1), (16, 16, 1)),
    ((4, 4, 1), (8, 8, 1)),
    ((1, 1, 1), (32, 32, 1)),
    ((1, 4, 1), (32, 8, 1)),
)
_FITTING = frozenset(
    {
        "argument-mismatch",
        "barrier-divergence",
        "launch-limit",
        "out-of-bounds-global",
        "out-of-bounds-private",
        "out-of-bounds-shared",
        "uninitialised-read-global",
        "uninitialised-read-shared",
        "wild-access",
    }
)
"""What sizes and shapes that do not fit lead to; anything else is the kernel's own."""
_OVERRUN = 16

_SECOND_AXIS = re.compile(r"\b(?:threadIdx|blockIdx|hipThreadIdx_|hipBlockIdx_)\.?y\b")
_BLOCK_INDEX = re.compile(r"\bblockIdx\b|\bhipBlockIdx_|\bthis_grid\b|\bgrid_group\b")
_BLOCKS = (32, 64, 128, 256, 512, 1024)
_DYNAMIC = re.compile(r"\bextern\s+__shared__|HIP_DYNAMIC_SHARED|__shared__\s+extern")


@dataclass(frozen=True, slots=True)
class Draft:
    """A launch to try."""

    grid: Extent
    block: Extent
    shared: int
    args: tuple[str, ...]


def propose(request: Request, choice: str) -> list[dict[str, Any]]:
    """Return the kernels of a file, each with a ``draft`` where one is known and its ``problem``.

    Raises CompileError, and UsageError where the device cannot describe kernels.
    """
    told: list[dict[str, Any]] = []
    result = run_in_child(
        "hipaudit.proposing:propose_here",
        asdict(request),
        choice=choice,
        settings={"arch": request.archs[0], "timeout": "1"},
        limit_s=_LIMIT_S,
        progress=told.append,
    )
    if not told:
        why = result.death["message"] if result.death else "the child returned nothing"
        raise HipauditError(f"{request.file} could not be described: {why}")
    kernels = {kernel["name"]: kernel for kernel in told[0]["kernels"]}
    for item in told[1:]:
        kernels.pop(item.get("instead_of"), None)
        kernels[item["kernel"]["name"]] = item["kernel"]
    return list(kernels.values())


def propose_here(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Describe and try the kernels of a file, in a child; each goes out as progress."""
    device.with_build("checked")
    listed = job.describe(payload, device, progress)
    if payload["kernel"]:
        listed = _named(payload, device, listed)
    progress({"kernels": [{**kernel, "draft": _first(kernel)} for kernel in listed]})
    began = time.monotonic()
    for kernel in listed:
        for one in _instances(payload, device, kernel):
            if time.monotonic() - began < _BUDGET_S:
                draft, problem = _fitted(payload, device, one)
                told = {**one, "draft": asdict(draft), "problem": problem}
                instead = kernel["name"] if one is not kernel else None
                progress({"kernel": told, "instead_of": instead})
    return len(listed)


def _named(payload: Mapping[str, Any], device: Device, listed: list[Any]) -> list[Any]:
    wanted = str(payload["kernel"])
    if "<" in wanted:
        return [job.instance(payload, device, wanted)]
    return [dict(fitting.pick(listed, wanted))]


def _instances(
    payload: Mapping[str, Any], device: Device, kernel: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the kernel; for a template, instances that host code launches, else a guess."""
    if not kernel.get("template"):
        yield kernel
        return
    guessed = guess(str(kernel["name"]), str(kernel.get("of_template") or ""))
    scope = str(kernel["name"]).rpartition("::")[0]
    launched = [
        text if "::" in text else f"{scope}::{text}".lstrip(":") for text in kernel["launched_as"]
    ]
    found = False
    for expression in launched:
        # What the launch's arguments tell, a name has to spell out: float, most often.
        longer = (expression, f"{expression[:-1]}, float>")
        one = next((one for text in longer for one in _compiled(payload, device, text)), None)
        if one is not None:
            found = True
            yield one
    if not found and guessed:
        yield from _compiled(payload, device, guessed)


def _compiled(
    payload: Mapping[str, Any], device: Device, expression: str
) -> Iterator[dict[str, Any]]:
    """Yield the instance that an expression names, if it names one."""
    try:
        yield {**job.instance(payload, device, expression), "name": expression}
    except HipauditError:
        return


def guess(name: str, parameters: str) -> str:
    """Return a name expression for a template by its parameters; empty where there is no telling.

    Types are float, sizes small powers of two; parameters with a default are left out.
    """
    chosen = []
    for parameter in fitting.split(parameters):
        words = re.findall(r"\w+", parameter)
        if "=" in parameter:
            break
        if not words or "template" in words or "auto" in words or "..." in parameter:
            return ""
        if words[0] in {"typename", "class"}:
            chosen.append("float")
        elif "bool" in words:
            chosen.append("true")
        elif set(words) & {"int", "unsigned", "size_t", "long", "short", "uint32_t", "int64_t"}:
            large = re.search(r"block|thread", words[-1], re.IGNORECASE)
            chosen.append("256" if large else "16")
        else:
            return ""
    return f"{name}<{', '.join(chosen)}>" if parameters else ""


def _first(kernel: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what would be tried first, as plain data; None for a template."""
    if kernel.get("template"):
        return None
    return asdict(Draft(*_FLAT[0], 0, _arguments(kernel)))


def _arguments(kernel: Mapping[str, Any]) -> tuple[str, ...]:
    """Return arguments of sizes that belong together: one length, or sides of a matrix."""
    sizes = [p for p in kernel["params"] if p["kind"] == "int"]
    value = _COUNT if len(sizes) < 2 else int(_COUNT**0.5)
    return tuple(
        fitting.example(p, _COUNT if p["kind"] == "pointer" else value) for p in kernel["params"]
    )


def _shapes(kernel: Mapping[str, Any], source: str) -> list[tuple[Extent, Extent]]:
    """Return grids and blocks to try, those first that the source hints at."""
    shapes = [*_FLAT, *_SQUARE[:1]]
    if _SECOND_AXIS.search(source):
        shapes = [*_SQUARE, *_FLAT]
    for number in reversed(re.findall(r"\b\d+\b", str(kernel["name"]).partition("<")[2])):
        if int(number) in _BLOCKS:  # the block's size is a template argument, most often
            shapes.insert(0, ((4, 1, 1), (int(number), 1, 1)))
    if not _BLOCK_INDEX.search(source):
        shapes = [((1, 1, 1), block) for _, block in shapes]
    most = int(kernel.get("max_threads") or 0)
    if most:
        bound: tuple[Extent, Extent] = ((4, 1, 1), (most, 1, 1))
        fit = [one for one in shapes if one[1][0] * one[1][1] <= most and one != bound]
        shapes = [bound, *fit] if shapes[0] in _FLAT else [*fit, bound]
    return shapes


def _fitted(
    payload: Mapping[str, Any], device: Device, kernel: Mapping[str, Any]
) -> tuple[Draft, str]:
    """Return the first draft that nothing is wrong with, else the best, and what is wrong."""
    source = Path(payload["file"]).read_text(encoding="utf-8", errors="replace")
    args = _arguments(kernel)
    wanted = {**payload, "kernel": kernel["name"], "args": args, "build": "checked"}
    best: tuple[int, Draft, str] | None = None
    trials = 0
    try:
        prepared = job.prepare(wanted, device, lambda _: None)
        for grid, block in _shapes(kernel, source):
            dynamic = 16 * block[0] * block[1] if _DYNAMIC.search(source) else 0
            draft = Draft(grid, block, dynamic, args)
            while trials < _TRIALS:
                trials += 1
                value, records = _tried(prepared, draft)
                wrong = [record for record in records if _is_wrong(record)]
                if not wrong:
                    return _trimmed(prepared, draft, records), ""
                if best is None or len(wrong) < best[0]:
                    best = (len(wrong), draft, _kinds(wrong))
                better = _mended(prepared, draft, value, wrong)
                if better == draft:
                    break
                if _is_overrun(prepared, draft, better):
                    return draft, _kinds(wrong)
                draft = better
            if any(record["kind"] not in _FITTING for record in wrong):
                return draft, _kinds(wrong)
    except (UsageError, HipauditError) as error:
        return (best[1] if best else Draft(*_FLAT[0], 0, args)), str(error)
    return (best[1], best[2]) if best else (Draft(*_FLAT[0], 0, args), "")


def _is_wrong(record: Record) -> bool:
    return bool(record["record"] == "finding" and record["severity"] != "info")


def _kinds(wrong: Sequence[Record]) -> str:
    return ", ".join(dict.fromkeys(str(record["kind"]) for record in wrong))


def _with(prepared: job.Prepared, draft: Draft, build: str) -> job.Prepared:
    given = tuple(arguments.parse(text) for text in draft.args)
    payload = {**prepared.payload, **asdict(draft), "build": build, "save": None}
    return replace(prepared, given=given, payload=payload)


def _tried(prepared: job.Prepared, draft: Draft) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """Launch a draft in the checked build; return what the launch left, and the journal."""
    with prepared.device.aside(hygiene="1") as records:
        value = job.launched(_with(prepared, draft, "checked"))
    return value, records


def _mended(prepared: job.Prepared, draft: Draft, value: Record, wrong: Sequence[Record]) -> Draft:
    """Return the draft with what the findings ask for."""
    args = [arguments.parse(text) for text in draft.args]
    shared = draft.shared
    names = [str(p["name"]) for p in prepared.kernel["params"]]
    for record in wrong:
        memory = record.get("allocation") or {}
        index = _index(value, names, int(memory.get("address") or 0))
        if record["kind"] == "uninitialised-read-global" and index is not None:
            args[index] = replace(args[index], init=_contents(args[index]))
        elif record["kind"] == "out-of-bounds-global" and index is not None:
            args[index] = _grown(args[index], int(memory["offset"]) + int(record["bytes"] or 0))
        elif record["kind"] == "out-of-bounds-shared" and shared:
            shared = min(4 * shared, _MOST_SHARED)
    return replace(draft, shared=shared, args=tuple(_text(one) for one in args))


def _is_overrun(prepared: job.Prepared, draft: Draft, better: Draft) -> bool:
    """Tell whether a buffer that grew lacks but a few elements: then its size was right.

    A size that was guessed wrong is wrong by a factor; an index off by one is a fault to show.
    """
    before = [arguments.parse(text) for text in draft.args]
    after = [arguments.parse(text) for text in better.args]
    if not any((a.count or 0) < (b.count or 0) for a, b in zip(before, after, strict=True)):
        return False
    few = [
        replace(a, count=(a.count or 0) + _OVERRUN) if a.count != b.count else b
        for a, b in zip(before, after, strict=True)
    ]
    _, records = _tried(prepared, replace(better, args=tuple(_text(one) for one in few)))
    return not any(record.get("kind") == "out-of-bounds-global" for record in records)


def _index(value: Record, names: Sequence[str], address: int) -> int | None:
    name = value["names"].get(str(address))
    return names.index(name) if name in names else None


def _contents(argument: Argument) -> str:
    """Return what a buffer should hold that is read before it is written: counters start at 0."""
    if argument.init != "uninit":
        return argument.init
    return "zeros" if TYPES[argument.type].kind in "iu" else "uniform(-1,1)"


def _grown(argument: Argument, end: int) -> Argument:
    """Return the buffer with room for *end* bytes and a power of two of elements."""
    needed = -(-end // argument.dtype.itemsize)
    count = 1 << max(needed - 1, 0).bit_length()
    if not (argument.count or 0) < count <= _MOST:
        return argument
    return replace(argument, count=count)


def _text(argument: Argument) -> str:
    if not argument.is_buffer:
        return argument.text
    filled = "" if argument.init == "uninit" else f"={argument.init}"
    return f"{argument.type}[{argument.count}]{filled}"


def _trimmed(prepared: job.Prepared, draft: Draft, records: Sequence[Record]) -> Draft:
    """Return a draft without findings as small as it can be: outputs without a rest, less LDS."""
    for record in records:
        if record["record"] == "shared" and record["dynamic"]:
            draft = replace(draft, shared=-(-int(record["end"]) // 4) * 4)
    prepared.device.with_build("plain")
    left = job.launched(_with(prepared, draft, "plain"))
    prepared.device.with_build("checked")
    args = [arguments.parse(text) for text in draft.args]
    names = [str(p["name"]) for p in prepared.kernel["params"]]
    for gap in left["unwritten"]:
        index = names.index(gap["name"])
        tail = gap["first"] > 0 and gap["first"] + gap["count"] == gap["of"]
        one = args[index]
        args[index] = replace(one, count=gap["first"]) if tail else replace(one, init="zeros")
    cut = replace(draft, args=tuple(_text(one) for one in args))
    if cut == draft:
        return draft
    _, again = _tried(prepared, cut)
    return draft if any(_is_wrong(record) for record in again) else cut
