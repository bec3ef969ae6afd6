"""What an operator is, the changes it makes, and the helpers that replaced expressions call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from hipaudit.mutation.syntax import Function, text_of

NAMESPACE = "hipaudit_mutant"

PRELUDE = (
    f"namespace {NAMESPACE} {{\n"
    "template <class T> constexpr bool is_real = !__is_integral(T) && !__is_pointer(T) && "
    "!__is_enum(T);\n"
    "template <class T> __device__ inline T scaled(T v) { static_assert(is_real<T>); "
    "return T(v * T(sizeof(T) > 2 ? 1.0003f : 1.05f)); }\n"
    "template <class T> __device__ inline T negated(T v) { static_assert(is_real<T>); "
    "return T(-v); }\n"
    "template <class T> __device__ inline T zero(T v) { static_assert(is_real<T>); "
    "return T(0.0f); }\n"
    "template <class T> __device__ inline T in_fp16(T v) { "
    "static_assert(is_real<T> && sizeof(T) > 2); return T(static_cast<_Float16>(v)); }\n"
    "template <class T> __device__ inline T in_bf16(T v) { "
    "static_assert(is_real<T> && sizeof(T) > 2); "
    "unsigned bits = __builtin_bit_cast(unsigned, static_cast<float>(v)); "
    "bits = (bits & 0x7fffffffu) > 0x7f800000u ? bits : bits + 0x7fffu + (bits >> 16 & 1u); "
    "return T(__builtin_bit_cast(float, bits & 0xffff0000u)); }\n"
    "template <class T, class V> __device__ inline T add_plainly(T* to, V v) { "
    "T before = *to; *to = T(before + v); return before; }\n"
    f"}}  // namespace {NAMESPACE}\n"
    "#line 1\n"
)
"""Stands before a mutated file whose replacement calls one of these.

A helper that does not fit a value's type does not compile, and the mutant is none: so types need
not be known where mutants are made.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes of the source and what stands there instead."""

    start: int
    end: int
    replacement: str
    helper: bool = False


Changes = Callable[[Node, Function], Iterator[Change]]


@dataclass(frozen=True, slots=True)
class Operator:
    """One kind of mistake.

    node_types  the syntax nodes it looks at; changes: what it makes of one
    hint        what a test must do to notice such a mistake
    """

    name: str
    node_types: tuple[str, ...]
    changes: Changes
    hint: str


def replace(node: Node, text: str) -> Change:
    """Return the change of a node's whole text."""
    return Change(node.start_byte, node.end_byte, text)


def wrap(node: Node, helper: str) -> Change:
    """Return the change of an expression into a helper's value of it."""
    return Change(
        node.start_byte, node.end_byte, f"{NAMESPACE}::{helper}({text_of(node)})", helper=True
    )


def grouped(node: Node) -> str:
    """Return an expression's text so that it can stand beside any operator."""
    atoms = {
        "identifier",
        "number_literal",
        "call_expression",
        "subscript_expression",
        "field_expression",
        "parenthesized_expression",
        "qualified_identifier",
    }
    text = text_of(node)
    return text if node.type in atoms else f"({text})"
