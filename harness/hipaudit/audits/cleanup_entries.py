"""Cleanup, entries: entry points that nothing launches, and functions whose bodies are the same.

What is launched is seen from the specs' inputs and the models' passes. Bodies are compared as the
parser sees them: without comments and layout, each name by where it was first met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_cuda
from tree_sitter import Language, Node, Parser

from hipaudit.audits import launch_usage
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.finding import Finding
from hipaudit.resources import kernels_folder, shown_kernel_path
from hipaudit.text import plural

LEAST = 60
"""Tokens from which on a body that occurs twice is a copy, and no accident of a short one."""

_NAMES = frozenset({"identifier", "field_identifier", "type_identifier", "namespace_identifier"})


@dataclass(frozen=True, slots=True)
class Body:
    """A function's body: where it is, and what it says."""

    file: str
    line: int
    name: str
    tokens: tuple[str, ...]

    @property
    def place(self) -> str:
        """As a reader looks for it."""
        return f"{self.name} at {self.file}:{self.line}"


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return launch_usage.steps() * len(archs[:1])


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Launch everything on the first part; the child's side."""
    arch = payload["archs"][0]
    part = device.with_arch(arch)
    used = launch_usage.collect(part, lambda: progress(1))
    return {
        "entries": [
            {
                "kernel": kernel["name"],
                "source": source,
                "arch": arch,
                "launches": used[kernel["name"]].launches if kernel["name"] in used else 0,
                "by": sorted(used[kernel["name"]].by) if kernel["name"] in used else [],
            }
            for source, kernels in launch_usage.described(part).items()
            for kernel in kernels
        ]
    }


def bodies(files: Sequence[Path], base: Path) -> tuple[Body, ...]:
    """The bodies of all functions of some files; named from *base* on."""
    found = []
    for path in files:
        tree = _parser().parse(path.read_bytes())
        for node in _walk(tree.root_node):
            body = node.child_by_field_name("body")
            if node.type != "function_definition" or body is None:
                continue
            file = str(path.relative_to(base))
            found.append(Body(file, node.start_point[0] + 1, _name(node), _tokens(body)))
    return tuple(found)


def copies(found: Sequence[Body]) -> tuple[tuple[Body, ...], ...]:
    """The bodies that occur more than once, each with its copies; the longest first."""
    groups: dict[tuple[str, ...], list[Body]] = {}
    for body in found:
        if len(body.tokens) >= LEAST:
            groups.setdefault(body.tokens, []).append(body)
    same = [tuple(group) for group in groups.values() if len(group) > 1]
    return tuple(sorted(same, key=lambda group: (-len(group[0].tokens), group[0].place)))


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_cuda.language()))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _name(definition: Node) -> str:
    """The name that a definition gives."""
    at = definition.child_by_field_name("declarator")
    while at is not None and at.type not in _NAMES:
        inner = at.child_by_field_name("declarator") or at.child_by_field_name("name")
        if inner is None:
            return (at.text or b"").decode(errors="replace").partition("(")[0]
        at = inner
    return "?" if at is None else (at.text or b"").decode(errors="replace")


def _tokens(body: Node) -> tuple[str, ...]:
    """A body's tokens without comments; names by the order in which they come."""
    order: dict[bytes, str] = {}
    tokens = []
    for node in _walk(body):
        if node.child_count or node.type == "comment":
            continue
        text = node.text or b""
        if node.type in _NAMES:
            tokens.append(order.setdefault(text, f"${len(order)}"))
        else:
            tokens.append(text.decode(errors="replace"))
    return tuple(tokens)


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Look for entry points that are not launched, and for bodies that occur twice."""
    target = "hipaudit.audits.cleanup_entries:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    folder = kernels_folder()
    files = sorted([*folder.glob("*.hip"), *folder.glob("include/*.h")])
    functions = bodies(files, folder)
    same = copies(functions)
    unused = [one for one in done.entries if not one["launches"]]
    entries = f"{plural(len(done.entries), 'entry point')}, {len(unused)} of them never launched"
    read = f"{plural(len(functions), 'function')} in {plural(len(files), 'file')}"
    twice = plural(len(same), "body", "bodies")
    written = f"{read}: {twice} of {LEAST} tokens or more written twice"
    return Sweep(
        name="cleanup_entries",
        title="Cleanup: entries",
        question="Is there an entry point that nothing launches, or a function written twice?",
        columns=("What", "Where", "Launches", "By"),
        numeric=frozenset({2}),
        rows=(*map(_row, done.entries), *map(_copy_row, same)),
        totals=(entries, written),
        findings=(*done.faults, *map(_unused, unused)),
        launches=done.launches,
        only="entries",
    )


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    users = ", ".join(one["by"]) or "nobody"
    return (one["kernel"], str(shown_kernel_path(one["source"])), f"{one['launches']:,}", users)


def _copy_row(group: tuple[Body, ...]) -> tuple[str, ...]:
    places = ", ".join(body.place for body in group)
    return (f"the same {len(group[0].tokens)} tokens", places, "", "")


def _unused(one: Mapping[str, Any]) -> Finding:
    said = "no spec and no model launches this entry point"
    entry = {**one, "first": said, "wrong": 1, "input": "all specs, a model of every family"}
    replay = "hipaudit audit --only entries"
    return replace(wrong(entry, one["source"], replay, "unused-kernel"), severity="info")
