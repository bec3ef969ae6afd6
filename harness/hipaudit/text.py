"""Text that comes from outside (kernel sources, file names, compiler logs) made inert.

A kernel under audit may hold anything in its comments and names: escape sequences that repaint a
terminal, Markdown that forges a report row, HTML, right-to-left overrides that make code read
backwards (CVE-2021-42574). Everything a report or a terminal shows passes through here.
"""

from __future__ import annotations

import html
import re

_LIMIT = 4000
_NUMBERED = re.compile(r"^(\d+)([.)])")
_ADDRESS = re.compile(r"\b(?:https?|ftp)://|\bwww\.", re.IGNORECASE)


def inert(text: str, *, keep_newlines: bool = False, limit: int = _LIMIT) -> str:
    r"""Return *text* with every control, format and bidirectional character spelled out.

    A newline becomes ``\n`` unless *keep_newlines*; a tab becomes four spaces. Longer texts
    than *limit* are cut, and the cut is stated.
    """
    cut = len(text) - limit
    shown = "".join(_spelled(character, keep_newlines) for character in text[:limit])
    return f"{shown} [... {cut} more characters]" if cut > 0 else shown


def _spelled(character: str, keep_newlines: bool) -> str:
    """Return one character, or its escape when a terminal or a reader would act on it."""
    if character == "\n":
        return "\n" if keep_newlines else "\\n"
    if character == "\t":
        return "    "
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def markdown(text: str) -> str:
    """Return *text* as literal Markdown on one line: no markup, no link, no table cell break.

    It may stand where a line begins; spaces around it, which Markdown has a use for, go.
    """
    plain = html.escape(inert(text).strip(), quote=False)
    line = _unlinked("".join(f"\\{c}" if c in "\\`*_[]|~" else c for c in plain))
    line = _NUMBERED.sub(r"\1\\\2", line)
    return f"\\{line}" if line[:1] in {"#", "-", "+", ">", "="} else line


def _unlinked(text: str) -> str:
    """Return Markdown in which GitHub finds no address to make a link of."""
    return _ADDRESS.sub(lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;"), text)


def code_span(text: str) -> str:
    """Return *text* as a Markdown code span that may stand in a table cell.

    HTML's ``code`` element, because a backtick span cannot hold a pipe in a table.
    """
    escaped = _unlinked(html.escape(inert(text), quote=True))
    for character in "\\`*_[]|~":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return f"<code>{escaped}</code>" if escaped else ""


def code_block(text: str, language: str = "text") -> str:
    """Return *text* as a fenced Markdown block whose fence the text cannot close."""
    body = inert(text, keep_newlines=True, limit=100_000)
    longest = run = 0
    for character in body:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return ``1 kernel``, ``2 kernels``; *many* where an s does not make the plural."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def size(count: int) -> str:
    """Return bytes as people read them: ``512 bytes``, ``1.5 MiB``."""
    if count < 1024:
        return plural(count, "byte")
    value, unit = float(count), 0
    while value >= 1024 and unit < 4:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {('', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"
