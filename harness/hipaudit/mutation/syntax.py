"""The syntax tree of a kernel file, by tree-sitter's CUDA grammar, and what mutation asks of it.

A parse never fails: what the grammar does not know becomes an error node, in which nothing is
mutated.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_cuda
from tree_sitter import Language, Node, Parser

_MARKS = ("__global__", "__device__", "constexpr")
_OPAQUE = frozenset(
    {
        "comment",
        "static_assert_declaration",
        "template_parameter_list",
        "template_argument_list",
        "alignas_qualifier",
        "launch_bounds",
        "attribute_declaration",
        "attribute_specifier",
        "gnu_asm_expression",
        "case_statement_label",
        "preproc_def",
        "preproc_function_def",
        "preproc_call",
        "preproc_include",
        "enumerator",
        "bitfield_clause",
        "type_descriptor",
        "parameter_list",
        "ERROR",
    }
)
"""Nodes in which a change would not be a mistake of the kernel's arithmetic, or cannot be read."""

_INTEGERS = frozenset(
    {"int", "unsigned", "size_t", "bool", "short", "long", "char", "signed", "ptrdiff_t", "dim3"}
)


@dataclass(frozen=True, slots=True)
class Function:
    """What surrounds a node: the function it lies in, or the top of the file.

    name   as it is written; empty at the top of a file
    text   its tokens, without comments: what it says, however it is laid out
    types  the declared type of each of its variables and parameters, with ``*`` for a pointer
    """

    name: str
    text: str
    types: dict[str, str]

    def is_integer(self, name: str) -> bool:
        """Tell whether a variable is declared as an integer, or points at integers."""
        words = self.types.get(name, "").replace("*", " ").split()
        return any(word in _INTEGERS or word.removesuffix("_t")[-2:].isdigit() for word in words)

    def is_pointer(self, name: str) -> bool:
        """Tell whether a variable is declared as a pointer."""
        return "*" in self.types.get(name, "")


@functools.cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_cuda.language()))


def parse(source: bytes) -> Node:
    """Return the root of a file's tree."""
    return _parser().parse(source).root_node


def text_of(node: Node | None) -> str:
    """Return a node's own text; empty for none."""
    return (node.text or b"").decode(errors="replace") if node is not None else ""


def field(node: Node, name: str) -> str:
    """Return the text of a node's field; empty where it has none."""
    return text_of(node.child_by_field_name(name))


def tokens(node: Node) -> str:
    """Return a node's tokens, without comments, one space between them."""
    return " ".join(_leaves(node))


def _leaves(node: Node) -> Iterator[str]:
    if node.type == "comment":
        return
    if not node.children:
        yield text_of(node)
    for child in node.children:
        yield from _leaves(child)


def device_nodes(root: Node) -> Iterator[tuple[Node, Function]]:
    """Yield the nodes of device code, parents before children, with the function around each.

    Device code is what lies in ``__global__``, ``__device__`` and constexpr functions, and the
    constants of the file; host functions are left alone.
    """
    if root.type in _OPAQUE:
        return
    if root.type == "function_definition":
        body = root.child_by_field_name("body")
        if body is not None and _for_the_device(root, body):
            yield from _below(body, _function(root))
    elif root.type in {"declaration", "field_declaration"}:
        yield from _below(root, Function("", tokens(root), {}))
    else:
        for child in root.children:
            yield from device_nodes(child)


def _below(node: Node, around: Function) -> Iterator[tuple[Node, Function]]:
    """Yield a node of device code and those below it."""
    if node.type in _OPAQUE:
        return
    yield node, around
    size = node.child_by_field_name("size") if node.type == "array_declarator" else None
    for child in node.children:
        if child != size:  # more room than needed shows nowhere: `array-size` makes it less
            yield from _below(child, around)


def _for_the_device(node: Node, body: Node) -> bool:
    """Tell whether a function's head has a mark of device code."""
    head = (node.text or b"")[: body.start_byte - node.start_byte].decode(errors="replace")
    return any(mark in head for mark in _MARKS)


def _function(node: Node) -> Function:
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator") or _first_declarator(declarator)
    name = field(declarator, "declarator") if declarator is not None else "?"
    types: dict[str, str] = {}
    _declared(node, types)
    return Function(name or "?", tokens(node), types)


def _first_declarator(node: Node) -> Node | None:
    return next((child for child in node.children if child.type.endswith("declarator")), None)


def _declared(node: Node, types: dict[str, str]) -> None:
    """Add the declarations below a node; of two with one name the first counts."""
    if node.type in {"declaration", "parameter_declaration"}:
        kind = field(node, "type")
        for child in node.children_by_field_name("declarator"):
            stars = "*" * len(re.findall(r"^[\s*&]*\*|\[", text_of(child).split("=")[0]))
            types.setdefault(declared_name(child), f"{kind} {stars}".strip())
    for child in node.children:
        _declared(child, types)


def declared_name(declarator: Node | None) -> str:
    """Return the name that a declarator declares; empty when there is none."""
    while declarator is not None and not declarator.type.endswith("identifier"):
        declarator = declarator.child_by_field_name("declarator") or next(
            (c for c in declarator.children if c.type.endswith(("identifier", "declarator"))), None
        )
    return text_of(declarator)
