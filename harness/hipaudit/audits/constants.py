"""Constants against comments: the numbers that a kernel's header comment states, in its code.

A header says how to launch a kernel (threads of a block) and how it divides its work (tiles,
steps). Each such number is looked for among the launch bounds, constants and literals of the code
and of its own headers. A block larger than the bounds is refused by HIP: that is a finding.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.audits.sweep import Sweep
from hipaudit.finding import Finding, Location, identified
from hipaudit.resources import kernels_folder, shown_path
from hipaudit_runtime import sources

_THREADS = re.compile(r"(?P<most>at most |up to )?(?P<count>\d+) threads")
_DIVIDED = re.compile(r"ceil\([^()]*?/ (?P<count>\d+)\)")
_TILE = re.compile(r"(?P<one>\d+) x (?P<two>\d+)\b")
_CONSTANT = re.compile(r"constexpr\s+(?:int|unsigned|size_t)\s+(\w+)\s*=\s*([^;]+);")
_BOUNDS = re.compile(r"__launch_bounds__\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_OPERATORS: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A number that a comment states: of threads, or of elements or steps.

    found  where the code has it; empty: nowhere
    limit  the launch bounds that it goes beyond; None: none
    """

    file: str
    line: int
    text: str
    number: int
    found: str
    limit: int | None = None


def stated_in(path: Path) -> Iterator[Stated]:
    """Yield the numbers of a kernel file's header comment."""
    source = sources.read(path)
    everything = "\n".join([*source.headers.values(), source.text])
    code = _COMMENT.sub("", everything)
    names = _constants(code)
    bounds = [value for text in _BOUNDS.findall(code) if (value := _value(text, names))]
    literals = {int(text) for text in re.findall(r"(?<![\w.])(\d+)(?![\w.])", code)}
    for line, text in _header(source.text):
        for match in _THREADS.finditer(text):
            count = int(match["count"])
            over = max(bounds) if bounds and count > max(bounds) else None
            found = "launch bounds" if count in bounds else _place(count, names, literals)
            yield Stated(path.name, line, match[0], count, found, over)
        for match in (*_DIVIDED.finditer(text), *_TILE.finditer(text)):
            for number in (int(each) for each in match.groups()):
                found = _place(number, names, literals)
                yield Stated(path.name, line, match[0], number, found)


def _header(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of the comment that a file begins with."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("//"):
            return
        yield number, line


def _constants(code: str) -> dict[str, list[int]]:
    """Return the values of integer constants by name: several where headers differ."""
    known: dict[str, list[int]] = {}
    for name, text in _CONSTANT.findall(code):
        value = _value(text, known)
        if value is not None:
            known.setdefault(name, []).append(value)
    return known


def _value(text: str, known: Mapping[str, Sequence[int]]) -> int | None:
    """Return the value of a constant expression; None for one that is not understood."""
    plain = re.sub(r"\w+::", "", text).replace("/", "//").strip()
    try:
        return _evaluated(ast.parse(plain, mode="eval").body, known)
    except (SyntaxError, KeyError, ZeroDivisionError, ValueError):
        return None


def _evaluated(node: ast.expr, known: Mapping[str, Sequence[int]]) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return known[node.id][-1]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = (_evaluated(side, known) for side in (node.left, node.right))
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError(ast.dump(node))


def _place(number: int, names: Mapping[str, Sequence[int]], literals: set[int]) -> str:
    """Where the code has a number: the first constant of that value, or a literal."""
    named = sorted(name for name, values in names.items() if number in values)
    return named[0] if named else "a literal" if number in literals else ""


def planned(archs: Sequence[str]) -> int:
    """Steps of progress: this looks at sources alone."""
    del archs
    return 1


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Look for the numbers of every kernel's header comment in its code."""
    del archs, device
    stated = [one for path in sorted(kernels_folder().glob("*.hip")) for one in stated_in(path)]
    missing = [one for one in stated if not one.found]
    tick()
    return Sweep(
        name="constants",
        title="Constants against comments",
        question="Are the numbers that a kernel's header states those of its code?",
        columns=("File", "Line", "The comment says", "Number", "The code has it as"),
        numeric=frozenset({1, 3}),
        rows=tuple(
            (one.file, str(one.line), one.text, str(one.number), one.found or "nothing")
            for one in stated
        ),
        totals=(_total(len(stated), len(missing)),),
        findings=tuple(_finding(one) for one in stated if one.limit is not None),
        launches=(),
        only="constants",
        steps=len(stated),
    )


def _total(stated: int, missing: int) -> str:
    said = f"{stated} numbers of threads, tiles and divisions"
    return f"{said}; {missing} of them are not in the code as they stand"


def _finding(one: Stated) -> Finding:
    place: Any = Location(str(shown_path(kernels_folder() / one.file)), one.line)
    message = f"the header says {one.text}, and the kernel's launch bounds allow {one.limit}"
    draft = Finding(
        "", "launch-limit", "error", Path(one.file).stem, "", message, location=place,
        replay="hipaudit audit --only constants",
    )  # fmt: skip
    return identified(draft)
