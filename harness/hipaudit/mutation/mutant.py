"""Mutants: one change of one place in a kernel's source, with a name that outlasts other edits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tree_sitter import Node

from hipaudit.mutation import places, values
from hipaudit.mutation.change import PRELUDE, Change, Operator
from hipaudit.mutation.syntax import Function, device_nodes, parse

OPERATORS: tuple[Operator, ...] = (*places.OPERATORS, *values.OPERATORS)
"""Every way in which a mutant is made."""

HINTS = {operator.name: operator.hint for operator in OPERATORS}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted mistake.

    id           the same as long as the function around it says the same
    file         the name of the file it is in
    operator     what kind of mistake
    line         and column of the change, from 1
    original     and replacement: the text at that place, before and after
    start, end   the bytes that are replaced
    helper       whether the replacement calls the helpers of `change.PRELUDE`
    function     the one around it; empty at the top of the file
    """

    id: str
    file: str
    operator: str
    line: int
    column: int
    original: str
    replacement: str
    start: int
    end: int
    helper: bool
    function: str

    def apply(self, source: bytes) -> bytes:
        """Return the source with the mistake; every line keeps its number."""
        changed = source[: self.start] + self.replacement.encode() + source[self.end :]
        return PRELUDE.encode() + changed if self.helper else changed

    def sentence(self) -> str:
        """Say what was changed, in one line."""
        return f"{self.operator}: `{_flat(self.original)}` became `{_flat(self.replacement)}`"

    def diff(self, source: bytes) -> tuple[str, str]:
        """Return the line of the change, before and after; of several lines the first."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        end = source.find(b"\n", self.end)
        end = len(source) if end < 0 else end
        before = source[begin:end].decode(errors="replace")
        changed = source[begin : self.start] + self.replacement.encode() + source[self.end : end]
        return _flat(before), _flat(changed.decode(errors="replace"))

    def as_json(self) -> dict[str, Any]:
        """Return plain data; `Mutant(**data)` makes it again."""
        return asdict(self)


def _flat(text: str) -> str:
    return " ".join(text.split())


def mutants_of(source: bytes, file: str) -> tuple[Mutant, ...]:
    """Return every mutant of a file's device code, in the order of the text; always the same."""
    found = sorted(_changes(parse(source)), key=lambda item: (item[0].start, item[0].end))
    counts: Counter[tuple[str, ...]] = Counter()
    seen: set[tuple[int, int, str]] = set()
    made = []
    for change, operator, function in found:
        if (change.start, change.end, change.replacement) in seen:
            continue
        seen.add((change.start, change.end, change.replacement))
        original = source[change.start : change.end].decode(errors="replace")
        # The replaced lines must stay as many, or every finding would name the wrong one.
        text = change.replacement + "\n" * (original.count("\n") - change.replacement.count("\n"))
        key = (file, operator.name, function.text, original, change.replacement)
        digest = hashlib.sha256("\0".join((*key, str(counts[key]))).encode()).hexdigest()
        counts[key] += 1
        line_start = source.rfind(b"\n", 0, change.start) + 1
        made.append(
            Mutant(
                f"{file.rpartition('/')[2].partition('.')[0]}-{digest[:10]}",
                file,
                operator.name,
                source.count(b"\n", 0, change.start) + 1,
                change.start - line_start + 1,
                original,
                text,
                change.start,
                change.end,
                change.helper,
                function.name,
            )
        )
    return tuple(made)


def _changes(root: Node) -> Iterator[tuple[Change, Operator, Function]]:
    """Yield what every operator makes of every node that it looks at."""
    by_type: dict[str, list[Operator]] = {}
    for operator in OPERATORS:
        for node_type in operator.node_types:
            by_type.setdefault(node_type, []).append(operator)
    for node, function in device_nodes(root):
        for operator in by_type.get(node.type, ()):
            for change in operator.changes(node, function):
                yield change, operator, function
