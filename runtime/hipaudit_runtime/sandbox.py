"""Where a chat template runs: a program from a model's file, which may be made to do harm.

jinja2's sandbox keeps it from Python's insides. What it may do within is counted here: each round
of a loop, each call, each filter and each operator that makes something, with the size of what it
is given. A template that does too much of it ends with an error; so its time and memory have an
end. Templates may use what Hugging Face's have: `break`, `continue`, `strftime_now`, `tojson` that
escapes nothing, `generation` blocks.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, NoReturn, final

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MOST_SOURCE: Final = 1 << 18
_MOST_WORK: Final = 1 << 28
"""Characters that a rendering may handle, beside what its messages ask for."""
_STEP, _ELEMENT = 1024, 256
"""What a round of a loop or a call costs of it, and an element of a list: times as long."""
_MOST_REPEATED: Final = 1 << 16
_MOST_BITS: Final = 4096
_FORMATS: Final = frozenset({"format", "format_map"})
"""Strings' own, a few letters of which make a text of any length."""
_WIDTH: Final = re.compile(r"%[^%a-zA-Z]*\d")
_SHALLOW: Final = frozenset({
    "boolean", "callable", "count", "d", "default", "defined", "first", "float", "integer", "items",
    "iterable", "last", "length", "list", "map", "mapping", "none", "number", "reject",
    "rejectattr", "reverse", "select", "selectattr", "sequence", "string test", "undefined",
})  # fmt: skip
"""Filters and tests that do not look into the elements of what they are given."""
_MULTIPLY: Final = frozenset({
    "batch", "center", "expandtabs", "indent", "join", "ljust", "replace", "rjust", "slice",
    "translate", "wordwrap", "zfill",
})  # fmt: skip
"""What these make may be as large as the product of what they are given."""


@final
class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one template."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset({"*", "**", "%", "+"})  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation],
            finalize=self._shown,
        )  # fmt: skip
        self._left = _MOST_WORK
        del self.globals["lipsum"]
        self.globals |= {"raise_exception": _raise, "strftime_now": _now}
        self.filters |= {"tojson": _json, "format": _refused_format}
        self.filters |= {name: self._counted(name, each) for name, each in self.filters.items()}
        self.tests |= {
            name: self._counted("string test" if name == "string" else name, each)
            for name, each in self.tests.items()
        }

    def template(self, source: str) -> jinja2.Template:
        """Compile a template; jinja2.TemplateError, RecursionError."""
        if len(source) > _MOST_SOURCE:
            raise jinja2.TemplateError(f"it has {len(source):,} characters, over {_MOST_SOURCE:,}")
        tree = _watched(self.parse(source))
        return self.from_string(tree)

    def begin(self, characters: int) -> None:
        """A rendering of messages with so many characters begins."""
        self._left = _MOST_WORK + 64 * characters

    def step(self) -> str:
        """A round of a loop begins."""
        return self._spend(0)

    def same(self, value: Any) -> Any:
        """What is compared, or was put together: all of it is counted at the call."""
        return value

    def joined(self, *parts: Any) -> str:
        """What ``~`` makes."""
        return "".join(map(str, parts))

    def call(self, context: Any, function: Any, *arguments: Any, **named: Any) -> Any:
        """Count a call, and what a string's or list's own function is given."""
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        own = (owner,) if isinstance(owner, str | list | dict) else ()
        given = _gathered(name, arguments)
        # The template's own macros do not look into what they are given; what they do is counted.
        deep = bool(own) or owner is self
        self._count(name, (*own, *given, *named.values()), deep=deep)
        return super().call(context, function, *given, **named)

    def is_safe_attribute(self, owner: Any, name: str, value: Any) -> bool:
        """Refuse formats."""
        if isinstance(owner, str) and name in _FORMATS:
            return False
        return bool(super().is_safe_attribute(owner, name, value))

    def wrap_str_format(self, value: Any) -> None:
        """Leave formats to what looks at attributes."""
        del value

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse long repetitions, huge numbers, and %-formats with their widths."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "+":
            self._count(operator, (left, right))
        elif not numbers:
            count = right if isinstance(right, int) else left
            if operator != "*" or not isinstance(count, int) or count > _MOST_REPEATED:
                raise jinja2.TemplateError(f"{operator} with {count!r} is refused")
            self._spend(self._size(left if count is right else right) * max(count, 1))
        elif isinstance(left, int) and isinstance(right, int) and operator != "%":
            bits = right.bit_length() + left.bit_length() if operator == "*" else right
            if bits > _MOST_BITS or (operator == "**" and left.bit_length() * bits > _MOST_BITS):
                raise jinja2.TemplateError(f"{operator} to a number so large is refused")
        return super().call_binop(context, operator, left, right)

    def _counted(self, name: str, function: Any) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            given = _gathered(name, arguments)
            self._count(name, (*given, *named.values()), deep=name not in _SHALLOW)
            return function(*given, **named)

        return counted

    def _shown(self, value: Any) -> Any:
        """What an expression writes."""
        self._count("", (value,))
        return value

    def _count(self, name: str, given: tuple[Any, ...], *, deep: bool = True) -> None:
        sizes = [self._size(each) if deep else _length(each) for each in given]
        self._spend(sum(sizes))
        if name in _MULTIPLY:
            numbers = [abs(each) for each in given if isinstance(each, int)]
            self._spend(math.prod(max(size, 1) for size in [*sizes, *numbers]))

    def _size(self, value: Any) -> int:
        """Characters and elements in a value, as it would be written out."""
        size = 0
        open_values = [value]
        while open_values:
            each = open_values.pop()
            size += len(each) if isinstance(each, str) else _ELEMENT
            size += _ELEMENT * len(each) if isinstance(each, range) else 0
            if size > self._left:
                self._spend(size)
            if isinstance(each, dict):
                open_values += [*each, *each.values()]
            elif isinstance(each, list | tuple):
                open_values += each
        return size

    def _spend(self, work: int) -> str:
        self._left -= work + _STEP
        if self._left < 0:
            raise jinja2.TemplateError("it loops or writes too much")
        return ""


@final
class _Generation(Extension):
    """``{% generation %}``, which marks what a model is trained to say, and changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - as the base class declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What stands between the marks."""
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


def _own_call(name: str, arguments: list[nodes.Expr]) -> nodes.Call:
    """A call of the environment's."""
    return nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)


def _watched(node: Any) -> Any:
    """A part of a template, with what it does counted as it is done."""
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, _watched(value))
        elif isinstance(value, list):
            value[:] = [_watched(each) if isinstance(each, nodes.Node) else each for each in value]
    if isinstance(node, nodes.For):
        node.body.insert(0, nodes.ExprStmt(_own_call("step", [])))
    elif isinstance(node, nodes.Concat):
        return _own_call("joined", node.nodes)
    elif isinstance(node, nodes.Compare | nodes.Operand):
        node.expr = _own_call("same", [node.expr])
    elif isinstance(node, nodes.List | nodes.Dict) or (
        isinstance(node, nodes.Tuple) and node.ctx == "load"
    ):
        return _own_call("same", [node])
    return node


def _length(value: Any) -> int:
    """What a walk over a value costs that does not look into its elements."""
    return len(value) if isinstance(value, str | list | tuple | dict | range) else 1


def _gathered(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments whose sizes are known, for what multiplies them."""
    if name not in _MULTIPLY:
        return arguments
    return tuple(list(each) if isinstance(each, Iterator) else each for each in arguments)


def _refused_format(*arguments: Any) -> NoReturn:
    del arguments
    raise jinja2.TemplateError("format is refused")


def _json(value: Any, indent: int | None = None, **how: Any) -> str:
    if how.keys() - {"ensure_ascii", "separators", "sort_keys"}:
        raise jinja2.TemplateError(f"tojson with {', '.join(how)} is refused")
    return json.dumps(value, indent=indent, **{"ensure_ascii": False, **how})


def _now(form: str) -> str:
    if _WIDTH.search(form):
        raise jinja2.TemplateError("strftime_now with widths is refused")
    return dt.datetime.now().astimezone().strftime(form)


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
