"""Mistakes of control, place and order: bounds, indices, barriers, lanes, guards, lost stores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from hipaudit.mutation.change import NAMESPACE, Change, Operator, grouped, replace
from hipaudit.mutation.syntax import Function, field, text_of

_BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_BARRIER = re.compile(
    r"^(__syncthreads\w*|__syncwarp|__threadfence\w*|__builtin_amdgcn_s_barrier"
    r"|__builtin_amdgcn_fence|.*(\.|->|::)sync|__atomic_thread_fence|__hip_atomic_fence)$"
)
_SHUFFLE = re.compile(r"^__shfl(_xor|_up|_down)?(_sync)?$")
_SHUFFLE_PARTNER = {"_up": "_down", "_down": "_up", "_xor": "_down", "": "_xor"}
_ATOMIC_ADD = re.compile(r"^(atomicAdd\w*|unsafeAtomicAdd|__hip_atomic_fetch_add)$")
_WAVE = frozenset({"warpSize", "__AMDGCN_WAVEFRONT_SIZE", "__AMDGCN_WAVEFRONT_SIZE__"})


def _arguments(call: Node) -> list[Node]:
    listed = call.child_by_field_name("arguments")
    return [] if listed is None else [n for n in listed.named_children if n.type != "comment"]


def _boundary(node: Node, _: Function) -> Iterator[Change]:
    operator = node.child_by_field_name("operator")
    if operator is not None and text_of(operator) in _BOUNDARIES:
        yield replace(operator, _BOUNDARIES[text_of(operator)])


def _negated(node: Node, _: Function) -> Iterator[Change]:
    operator = node.child_by_field_name("operator")
    parent = node.parent
    # A loop that runs where it should not and never where it should: the bound says more.
    if parent is not None and parent.type == "for_statement":
        return
    if operator is not None and text_of(operator) in _NEGATED:
        yield replace(operator, _NEGATED[text_of(operator)])


def _loop_bound(node: Node, _: Function) -> Iterator[Change]:
    condition = node.child_by_field_name("condition")
    if condition is None or condition.type != "binary_expression":
        return
    right = condition.child_by_field_name("right")
    if right is not None and field(condition, "operator") in {"<", "<=", "!="}:
        yield replace(right, f"{grouped(right)} - 1")


def _loop_start(node: Node, _: Function) -> Iterator[Change]:
    initializer = node.child_by_field_name("initializer")
    if initializer is None:
        return
    for part in initializer.named_children:
        value = part.child_by_field_name("value") if part.type == "init_declarator" else None
        if value is not None:
            yield replace(value, f"{grouped(value)} + 1")


def _loop_step(node: Node, _: Function) -> Iterator[Change]:
    update = node.child_by_field_name("update")
    if update is None:
        return
    if update.type == "update_expression":
        sign = "+" if "++" in text_of(update) else "-"
        yield replace(update, f"{field(update, 'argument')} {sign}= 2")
        return
    right = update.child_by_field_name("right")
    if right is not None and field(update, "operator") in {"+=", "-="}:
        yield replace(right, f"2 * {grouped(right)}")


def _index(node: Node, _: Function) -> Iterator[Change]:
    listed = node.child_by_field_name("indices")
    for index in listed.named_children if listed is not None else ():
        if index.type not in {"number_literal", "comment"}:
            yield replace(index, f"{grouped(index)} + 1")


def _barrier(node: Node, _: Function) -> Iterator[Change]:
    call = node.named_children[0] if node.named_children else None
    if call is None or call.type != "call_expression":
        return
    if _BARRIER.match(field(call, "function").replace(" ", "")):
        yield replace(node, ";")


def _shuffle_offset(node: Node, _: Function) -> Iterator[Change]:
    name = field(node, "function")
    if not _SHUFFLE.match(name):
        return
    arguments = _arguments(node)
    position = 2 if name.endswith("_sync") else 1
    if position < len(arguments):
        yield replace(arguments[position], f"{grouped(arguments[position])} + 1")


def _shuffle_kind(node: Node, _: Function) -> Iterator[Change]:
    function = node.child_by_field_name("function")
    match = _SHUFFLE.match(text_of(function))
    if function is None or match is None:
        return
    partner = _SHUFFLE_PARTNER[match[1] or ""]
    yield replace(function, f"__shfl{partner}{match[2] or ''}")


def _atomic(node: Node, _: Function) -> Iterator[Change]:
    arguments = _arguments(node)
    if _ATOMIC_ADD.match(field(node, "function")) and len(arguments) >= 2:
        where, what = text_of(arguments[0]), text_of(arguments[1])
        text = f"{NAMESPACE}::add_plainly({where}, {what})"
        yield Change(node.start_byte, node.end_byte, text, helper=True)


def _wave(node: Node, _: Function) -> Iterator[Change]:
    if text_of(node) in _WAVE:
        yield replace(node, "32")
        yield replace(node, "64")


def _guard(node: Node, _: Function) -> Iterator[Change]:
    """The statement's condition as if it always held, and as if it never did."""
    condition = node.child_by_field_name("condition")
    if condition is None or text_of(condition).startswith("constexpr"):
        return
    yield replace(condition, "(true)")
    yield replace(condition, "(false)")


def _choice(node: Node, _: Function) -> Iterator[Change]:
    for name in ("consequence", "alternative"):
        kept = node.child_by_field_name(name)
        if kept is not None:
            yield replace(node, grouped(kept))


def _deleted(node: Node, _: Function) -> Iterator[Change]:
    child = node.named_children[0] if node.named_children else None
    if child is None or child.type == "comment":
        return
    if child.type == "call_expression" and _BARRIER.match(field(child, "function")):
        return  # an operator of its own
    parent = node.parent
    if parent is not None and parent.type == "for_statement" and _is_loop_head(parent, node):
        return
    yield replace(node, ";")


def _is_loop_head(loop: Node, node: Node) -> bool:
    body = loop.child_by_field_name("body")
    return body is not None and node.start_byte < body.start_byte


def _element_lost(node: Node, _: Function) -> Iterator[Change]:
    """A store to an array that leaves out the array's first element."""
    left = node.child_by_field_name("left")
    if left is None or left.type != "subscript_expression" or field(node, "operator") != "=":
        return
    listed = left.child_by_field_name("indices")
    parent = node.parent
    if listed is None or parent is None or parent.type != "expression_statement":
        return
    indices = [index for index in listed.named_children if index.type != "comment"]
    # An index with an effect, or one that never changes, is no element of many.
    if len(indices) != 1 or re.search(r"\+\+|--|^\d", text_of(indices[0])):
        return
    yield replace(node, f"if ({grouped(indices[0])} != 0) {text_of(node)}")


def _array_size(node: Node, _: Function) -> Iterator[Change]:
    size = node.child_by_field_name("size")
    if size is not None:
        yield replace(size, f"{grouped(size)} - 1")


OPERATORS = (
    Operator(
        "comparison-boundary",
        ("binary_expression",),
        _boundary,
        "an input on which both sides of the comparison are equal",
    ),
    Operator(
        "comparison-negated",
        ("binary_expression",),
        _negated,
        "an input on which the comparison decides something that shows",
    ),
    Operator(
        "loop-bound", ("for_statement",), _loop_bound, "the loop's last element made to count"
    ),
    Operator(
        "loop-start", ("for_statement",), _loop_start, "the loop's first element made to count"
    ),
    Operator("loop-step", ("for_statement",), _loop_step, "a loop of at least two rounds"),
    Operator(
        "index-offset",
        ("subscript_expression",),
        _index,
        "neighbouring elements that differ, and the array's last element",
    ),
    Operator(
        "barrier-removed",
        ("expression_statement",),
        _barrier,
        "the checked build, with more than one wave a block",
    ),
    Operator(
        "shuffle-offset", ("call_expression",), _shuffle_offset, "lanes with different values"
    ),
    Operator("shuffle-kind", ("call_expression",), _shuffle_kind, "lanes with different values"),
    Operator(
        "atomic-made-plain",
        ("call_expression",),
        _atomic,
        "the checked build, with two threads at one address",
    ),
    Operator(
        "wave-width", ("identifier",), _wave, "a part of the other wave width, and a full wave"
    ),
    Operator(
        "guard", ("if_statement",), _guard, "an input on which the guard holds, and one where not"
    ),
    Operator(
        "choice",
        ("conditional_expression",),
        _choice,
        "an input for either side of the choice, with a result that shows it",
    ),
    Operator(
        "statement-deleted",
        ("expression_statement",),
        _deleted,
        "an input on which the statement's effect reaches an output",
    ),
    Operator(
        "element-lost",
        ("assignment_expression",),
        _element_lost,
        "poisoned outputs, and a first element that is not zero",
    ),
    Operator(
        "array-size", ("array_declarator",), _array_size, "the checked build, and a full array"
    ),
)
