"""What names a source line while the lines around it come and go.

A line's anchor is the statement that lies there, as tokens, and the function around it. So it stays
when lines are inserted above, when the code is formatted anew, when comments or other functions
change; it changes when the statement itself does. Of several statements on a line the one is
meant that has as many of ``;{}`` before it. Equal statements of one function are told apart by
their neighbours, then by their order.
"""

from __future__ import annotations

import ast
import copy
import functools
import linecache
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"""(?P<skip>//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z)|[ \t\r\f\v]+|\\\n)
    |(?P<newline>\n)
    |(?P<text>R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<word>\w+)
    |(?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)
_DIRECTIVE = re.compile(r"(?:/\*.*?\*/|//[^\n]*|\\\n|[^\n])*", re.DOTALL)
_NO_NAMES = frozenset({"noexcept", "__attribute__", "requires", "__launch_bounds__", "alignas"})
_TRANSPARENT = frozenset({"namespace", "struct", "class", "union", "enum", "extern"})
_BY_LINES = (".json", ".rs")
"""Bindings that declare a field a line, where all of a structure is one statement."""
_MARKS = frozenset(";{}")
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, or the head of a block: its text, its function, and the lines it covers.

    before      how many of ``;{}`` stand before it on its first line
    within      how many stand before its last token on its last line; None: it has all of the line
    """

    text: str
    function: str
    first: int
    last: int
    before: int = 0
    within: int | None = None

    def covers(self, line: int, mark: int) -> bool:
        """Tell whether what has *mark* of ``;{}`` before it on a line lies in it."""
        begins = line > self.first or mark >= self.before
        ends = line < self.last or self.within is None or mark <= self.within
        return self.first <= line <= self.last and begins and ends


def anchor(file: str, line: int, marks: tuple[int, int] | None = None) -> str:
    """Return what names a line across edits elsewhere; the line's number without its source.

    marks  how many of ``;{}`` stand before the place on its line, and how many there are
    """
    name, lines = file_name(file), linecache.getlines(file)
    if not 0 < line <= len(lines):
        return f"{name}:{line}"
    if file.endswith(_BY_LINES):
        text = "".join(lines[line - 1].split())
        return f"{name}:{text}#{sum(''.join(one.split()) == text for one in lines[:line])}"
    statements, counted = _statements("".join(lines), file.endswith((".py", ".pyi")))
    here = [at for at, one in enumerate(statements) if one.first <= line <= one.last]
    if marks is not None and marks[1] == counted.get(line):
        here = [at for at in here if statements[at].covers(line, marks[0])] or here
    if not here:
        return f"{name}:{''.join(lines[line - 1].split())}"
    # Heads of functions and closing braces say little where there is something beside them.
    told = [at for at in here if statements[at].text not in {"", "}"}] or here[:1]
    text = " ".join(statements[at].text for at in told)
    return f"{name}:{statements[told[0]].function}:{text}{_which(statements, told[0])}"


def _which(statements: Sequence[Statement], at: int) -> str:
    """Tell a statement from equal ones of its function: by its neighbours, then by its order."""
    own = [i for i, one in enumerate(statements) if one.function == statements[at].function]
    equal = {i: place for place, i in enumerate(own) if statements[i].text == statements[at].text}
    if len(equal) == 1:
        return ""

    def around(place: int) -> str:
        near = [*own[max(0, place - 1) : place], *own[place + 1 : place + 2]]
        return "~".join(statements[i].text for i in near)

    neighbours = around(equal[at])
    alike = [i for i, place in equal.items() if around(place) == neighbours]
    return f"#{neighbours}#{alike.index(at) if len(alike) > 1 else ''}"


@functools.lru_cache(maxsize=4096)
def file_name(file: str) -> str:
    """Return a file's name wherever its repository was checked out, and whoever works where in it.

    Relative to the folder with ``.git``; the name alone where there is none.
    """
    path = Path(os.path.normpath(Path(file).absolute()))
    root = repository(path.parent)
    return path.relative_to(root).as_posix() if root else path.name


def repository(folder: Path) -> Path | None:
    """Return the nearest folder with ``.git``, from an absolute one upwards; None without any."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


@functools.lru_cache(maxsize=256)
def _statements(text: str, python: bool) -> tuple[tuple[Statement, ...], Mapping[int, int]]:
    """Return the statements, and in C++ how many of ``;{}`` each line has."""
    if python:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return tuple(_python(ast.parse(text).body, "")), {}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # a template of a file, or another language: its tokens are as good
    splitter = _Splitter()
    return tuple(splitter.split(text)), splitter.marks


def _python(body: Sequence[ast.AST], function: str) -> Iterator[Statement]:
    """Yield Python statements; a block's head ends where its first statement begins."""
    for node in body:
        blocks = [part for name in _BLOCKS for part in getattr(node, name, ()) or ()]
        begin = int(getattr(node, "lineno", 0) or _first_line(blocks))
        if not blocks:
            yield Statement(ast.unparse(node), function, begin, getattr(node, "end_lineno", begin))
            continue
        inner, head = function, copy.copy(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{function}.{node.name}"
            yield Statement("", inner, begin, max(begin, _first_line(blocks) - 1))
        else:
            for name in _BLOCKS:
                if hasattr(head, name):
                    setattr(head, name, [])
            yield Statement(_head(head), inner, begin, max(begin, _first_line(blocks) - 1))
        yield from _python(blocks, inner)


def _first_line(blocks: Sequence[ast.AST]) -> int:
    """Return where a block begins; a case of a match begins with its pattern."""
    first = blocks[0]
    return int(getattr(first, "lineno", 0) or getattr(getattr(first, "pattern", 0), "lineno", 1))


def _head(node: ast.AST) -> str:
    return ast.unparse(node) if not isinstance(node, ast.Try) else "try:"


@dataclass(slots=True)
class _Splitter:
    """Splits C++ into statements; what it takes for one need not be right, only always the same.

    blocks  the functions around: the empty name outside of one
    marks   how many of ``;{}`` a line has so far
    first   the line of the first of the words, and the marks before it; *last* of the last one
    """

    blocks: list[str] = field(default_factory=list)
    open: int = 0
    words: list[str] = field(default_factory=list)
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    branches: list[tuple[list[str], int]] = field(default_factory=list)
    marks: dict[int, int] = field(default_factory=dict)

    def split(self, text: str) -> Iterator[Statement]:
        """Yield the statements and the heads of blocks, in order."""
        at, line, fresh = 0, 1, True
        while at < len(text):
            if fresh and text[at] == "#":
                directive = _DIRECTIVE.match(text, at)
                raw = directive[0] if directive else ""
                self._branch(raw.lstrip("# \t"))
                count = raw.count("\n")
                yield Statement(" ".join(raw.split()), self._function(), line, line + count)
                at, line = at + len(raw), line + count
                continue
            match = _TOKEN.match(text, at)
            if match is None:
                return
            fresh = match.lastgroup == "newline" or (fresh and match.lastgroup == "skip")
            if match.lastgroup not in {"skip", "newline"}:
                yield from self._token(match[0], (line, self.marks.get(line, 0)))
                if match[0] in _MARKS:
                    self.marks[line] = self.marks.get(line, 0) + 1
            line += match[0].count("\n")
            at = match.end()
        yield from self._end()

    def _function(self) -> str:
        return next((name for name in reversed(self.blocks) if name), "")

    def _branch(self, directive: str) -> None:
        """Each branch of a condition begins with the braces that were open before it."""
        if directive.startswith("if"):
            self.branches.append((list(self.blocks), self.open))
        elif directive.startswith("el") and self.branches:
            blocks, self.open = self.branches[-1]
            self.blocks = list(blocks)
        elif directive.startswith("endif") and self.branches:
            self.branches.pop()

    def _token(self, word: str, at: tuple[int, int]) -> Iterator[Statement]:
        before = self.words[-1] if self.words else ""
        expression = self.open or before in {"=", ",", "return", "]"}
        if word == "{" and not expression:
            name, outside = self._name(), not self._function()
            if self.words:
                text = "" if outside and name else self._text()
                yield self._statement(text, name if outside else self._function(), at)
            self.words.clear()
            self.blocks.append(name if outside else "")
            return
        if word == "}" and not self.open:
            yield from self._end()
            self.first = at
            yield self._statement("}", self._function(), at)
            if self.blocks:
                self.blocks.pop()
            return
        self.first = self.first if self.words else at
        self.last = at
        self.words.append(word)
        self.open += (word in "([{") - (word in ")]}")
        self.open = max(0, self.open)
        if word == ";" and not self.open:
            yield from self._end()

    def _end(self) -> Iterator[Statement]:
        if self.words:
            yield self._statement(self._text(), self._function(), self.last)
        self.words.clear()

    def _statement(self, text: str, function: str, last: tuple[int, int]) -> Statement:
        (first, before), (last_line, within) = self.first, last
        return Statement(text, function, first, last_line, before, within)

    def _text(self) -> str:
        """Return the tokens with a space where two of them would become one."""
        parts: list[str] = []
        for word in self.words:
            glued = parts and (parts[-1][-1].isalnum() or parts[-1][-1] == "_")
            parts.append(f" {word}" if glued and (word[0].isalnum() or word[0] == "_") else word)
        return "".join(parts)

    def _name(self) -> str:
        """Return the function that a head defines; empty for a namespace, a class and the like."""
        name, depth = "", 0
        for at, word in enumerate(self.words):
            if word == "(" and not depth and at:
                before = self._before(at)
                name = before if before not in _NO_NAMES else name
            depth += (word == "(") - (word == ")")
        return name if name or not _TRANSPARENT & set(self.words) else ""

    def _before(self, at: int) -> str:
        """Return the word before a parenthesis, template arguments skipped."""
        angle, at = 0, at - 1
        while at > 0 and (angle or self.words[at] == ">"):
            angle += (self.words[at] == ">") - (self.words[at] == "<")
            at -= 1
        return self.words[at]
