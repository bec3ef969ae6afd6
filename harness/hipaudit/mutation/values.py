"""Mistakes of arithmetic: operators, operands, constants, formats, signs, factors."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from hipaudit.mutation.change import NAMESPACE, Change, Operator, grouped, replace, wrap
from hipaudit.mutation.syntax import Function, declared_name, field, text_of

_SWAPPED = {
    "+": "-", "-": "+", "*": "/", "/": "*", "%": "/",
    "&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<", "&&": "||", "||": "&&",
}  # fmt: skip
_COMPOUND = {
    "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=",
    "&=": "|=", "|=": "&=", "^=": "&=", "<<=": ">>=", ">>=": "<<=",
}  # fmt: skip
_LEFT_ONLY = frozenset({"-", "/", "%", "<<", ">>"})
_NUMBER = re.compile(r"^(0[xX][0-9a-fA-F']+|[0-9][0-9']*)([uUlLzZ]*)$")
_REAL = re.compile(r"^([0-9.][0-9.']*([eE][-+]?\d+)?|0[xX][0-9a-fA-F.]+[pP][-+]?\d+)([fFlLhH]?)$")
_EXTREME = re.compile(
    r"(^|::)(identity|INFINITY|HUGE_VALF?|FLT_MAX|DBL_MAX|__builtin_huge_valf?"
    r"|__builtin_inff?|infinity|lowest)$"
)
_MIN_MAX = re.compile(r"^(.*?)(min|max|Min|Max)([a-z0-9_]*)$")
_OTHER = {"min": "max", "max": "min", "Min": "Max", "Max": "Min"}
_UNARY = re.compile(
    r"^_*(exp|exp2|exp10|expm1|log|log2|log10|log1p|sqrt|rsqrt|cbrt|sin|cos|tan|tanh|erf|erfc"
    r"|fabs|abs|floor|ceil|round|rint|trunc|frcp_rn|fsqrt_rn)f?$"
)
_WIDE = {"double": "float", "int64_t": "int", "size_t": "unsigned"}
_PART_OF_A_NAME = frozenset({"call_expression", "qualified_identifier", "field_expression"})
_FORMATS = ("in_fp16", "in_bf16")


def _arithmetic(node: Node, _: Function) -> Iterator[Change]:
    operator = node.child_by_field_name("operator")
    if operator is not None and text_of(operator) in _SWAPPED:
        yield replace(operator, _SWAPPED[text_of(operator)])


def _compound(node: Node, _: Function) -> Iterator[Change]:
    operator = node.child_by_field_name("operator")
    if operator is not None and text_of(operator) in _COMPOUND:
        yield replace(operator, _COMPOUND[text_of(operator)])
        if text_of(operator) not in {"<<=", ">>="}:
            yield replace(operator, "=")


def _dropped(node: Node, _: Function) -> Iterator[Change]:
    """One operand of two: the maximum of a softmax not subtracted, the mean not divided by n."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = field(node, "operator")
    if left is None or right is None or operator not in _SWAPPED:
        return
    yield replace(node, grouped(left))
    if operator not in _LEFT_ONLY:
        yield replace(node, grouped(right))


def _call_dropped(node: Node, _: Function) -> Iterator[Change]:
    """A function of one number that is not applied."""
    listed = node.child_by_field_name("arguments")
    arguments = listed.named_children if listed is not None else []
    if len(arguments) == 1 and _UNARY.match(field(node, "function")):
        yield replace(node, f"({text_of(arguments[0])})")


def _constant(node: Node, _: Function) -> Iterator[Change]:
    text = text_of(node)
    if text in {"true", "false"}:
        yield replace(node, "false" if text == "true" else "true")
        return
    whole = _NUMBER.match(text)
    if whole:
        value = int(whole[1].replace("'", ""), 0 if whole[1][:2].lower() == "0x" else 10)
        yield replace(node, f"{value + 1}{whole[2]}")
        if value > 0:
            yield replace(node, f"{value - 1}{whole[2]}")
        return
    real = _REAL.match(text)
    if real is None:
        return
    if re.match(r"^[0.]+f?$", text):
        yield replace(node, f"1.0{real[3]}")
        return
    yield replace(node, f"({text} * 1.0003{real[3]})")
    yield replace(node, f"(-{text})")


def _identity(node: Node, _: Function) -> Iterator[Change]:
    """Zero for the value that a reduction starts from."""
    called = node.type == "call_expression"
    if called and field(node, "arguments") not in {"()", '("")'}:
        return
    name = field(node, "function") if called else text_of(node)
    parent = node.parent
    if (
        parent is not None
        and parent.type in _PART_OF_A_NAME
        and not (called and parent.type == "call_expression")
    ):
        return
    if _EXTREME.search(name.replace(" ", "")):
        yield replace(node, "0.0f")


def _accumulator(node: Node, function: Function) -> Iterator[Change]:
    """A variable that is added to, in a narrower format."""
    kind = node.child_by_field_name("type")
    if kind is None or text_of(kind) not in _WIDE:
        return
    for declarator in node.children_by_field_name("declarator"):
        name = declared_name(declarator)
        if name and re.search(rf"\b{name}\s*(\[[^=;]*?\]\s*)*[-+*]\s?=", function.text):
            yield replace(kind, _WIDE[text_of(kind)])
            return


def _narrow_sum(node: Node, function: Function) -> Iterator[Change]:
    """A sum that is rounded to fp16 after every addition, as in an fp16 accumulator."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = field(node, "operator")
    if left is None or right is None or operator not in {"+=", "-="}:
        return
    for _ in _results(node, function):
        total = f"{text_of(left)} {operator[0]} {grouped(right)}"
        text = f"{text_of(left)} = {NAMESPACE}::in_fp16({total})"
        yield Change(node.start_byte, node.end_byte, text, helper=True)


def _min_max(node: Node, _: Function) -> Iterator[Change]:
    function = node.child_by_field_name("function")
    match = _MIN_MAX.match(text_of(function))
    if function is not None and match is not None:
        yield replace(function, f"{match[1]}{_OTHER[match[2]]}{match[3]}")


def _sign(node: Node, _: Function) -> Iterator[Change]:
    argument = node.child_by_field_name("argument")
    if argument is not None and field(node, "operator") in {"-", "!", "~"}:
        yield replace(node, grouped(argument))


def _results(node: Node, function: Function) -> Iterator[Node]:
    """Yield the expression whose value a node stores or returns, where it may be a real number."""
    if node.type == "assignment_expression":
        value, target = node.child_by_field_name("right"), node.child_by_field_name("left")
        stored = target
        while target is not None and target.type == "subscript_expression":
            target = target.child_by_field_name("argument")
        whole = target is stored
    elif node.type == "init_declarator":
        value, target = node.child_by_field_name("value"), node.child_by_field_name("declarator")
        whole = True
    else:
        value = node.named_children[0] if node.named_children else None
        target, whole = None, False
    if value is None or value.type in {"initializer_list", "lambda_expression", "true", "false"}:
        return
    name = declared_name(target)
    if function.is_integer(name) or (whole and function.is_pointer(name)):
        return
    yield value


def _scaled(node: Node, function: Function) -> Iterator[Change]:
    for value in _results(node, function):
        if value.type != "number_literal":  # a constant's own operator
            yield wrap(value, "scaled")


def _narrowed(node: Node, function: Function) -> Iterator[Change]:
    for value in _results(node, function):
        if value.type != "number_literal":
            for helper in _FORMATS:
                yield wrap(value, helper)


def _flipped(node: Node, function: Function) -> Iterator[Change]:
    for value in _results(node, function):
        if value.type != "number_literal":
            yield wrap(value, "negated")
            yield wrap(value, "zero")


_STORES = ("assignment_expression", "init_declarator", "return_statement")
_DIFFERENT = "operands whose order and value matter in the result"

OPERATORS = (
    Operator("arithmetic", ("binary_expression",), _arithmetic, _DIFFERENT),
    Operator("compound-assignment", ("assignment_expression",), _compound, _DIFFERENT),
    Operator(
        "operand-dropped",
        ("binary_expression",),
        _dropped,
        "an input on which the operand is neither 0 nor 1, and large enough to show",
    ),
    Operator(
        "call-dropped",
        ("call_expression",),
        _call_dropped,
        "an argument that the function does not leave as it is",
    ),
    Operator(
        "constant",
        ("number_literal", "true", "false"),
        _constant,
        "an input on which the constant's value shows",
    ),
    Operator(
        "identity",
        ("identifier", "qualified_identifier", "call_expression", "field_expression"),
        _identity,
        "rows whose every element lies on one side of zero",
    ),
    Operator(
        "accumulator-type",
        ("declaration",),
        _accumulator,
        "a sum of many terms, or of terms beyond the narrower format's range",
    ),
    Operator(
        "accumulator-type",
        ("assignment_expression",),
        _narrow_sum,
        "a sum of many terms, or of terms beyond the narrower format's range",
    ),
    Operator(
        "min-max", ("call_expression",), _min_max, "arguments that differ, on either side of zero"
    ),
    Operator("sign", ("unary_expression",), _sign, "an operand that is not zero"),
    Operator("result-replaced", _STORES, _flipped, "a result that is not zero"),
    Operator("scaled", _STORES, _scaled, "a bound tighter than three in ten thousand"),
    Operator("rounded", _STORES, _narrowed, "a bound tighter than the narrower format's rounding"),
)
