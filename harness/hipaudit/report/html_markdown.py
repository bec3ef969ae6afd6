"""A page's Markdown as a part of the HTML file: links lead within it, plots are drawn in it.

Of HTML in the Markdown only ``code`` passes, which the pages write themselves; all else is text.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from hipaudit.report.pages import Written

_CODE = frozenset({"<code>", "</code>"})
_MARKED = re.compile(r"> +\d+ \|")
_IDENTIFIER = re.compile(r'\b(id="|url\(#|href="#)')
_DECLARED = re.compile(r"<style>.*?</style>|<metadata>.*?</metadata>", re.DOTALL)
_SIZED = re.compile(r'(<svg[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"')


def anchor(link: str) -> str:
    """Return the identifier of a page in the file."""
    return "page-" + re.sub(r"\W+", "-", link.removesuffix(".md"))


def rendered(written: Written) -> str:
    """Return a page's HTML, without scripts, styles or links that lead out of the file."""
    parser = MarkdownIt("commonmark", renderer_cls=_Renderer).enable("table")
    return str(parser.render(written.text, {"written": written, "plots": []}))


class _Renderer(RendererHTML):
    """Renders a page's tokens; the environment has the page, and counts its plots."""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Pass ``code`` and nothing else."""
        del options, env
        text = tokens[idx].content
        return text if text in _CODE else html.escape(text)

    def html_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Show HTML as text."""
        del options, env
        return f"<p>{html.escape(tokens[idx].content)}</p>\n"

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Give a heading the name that links within the page have for it."""
        del options
        name = re.sub(r"[^\w -]", "", tokens[idx + 1].content.lower()).strip().replace(" ", "-")
        return f'<{tokens[idx].tag} id="{_inner(env, name)}">'

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Lead to another page, or a heading of this one; to nothing else."""
        del options
        target = str(tokens[idx].attrGet("href") or "")
        if target.startswith("#"):
            return f'<a href="#{_inner(env, target[1:])}">'
        if target.endswith(".md"):
            return f'<a href="#{anchor(_resolved(env, target))}">'
        return f'<a title="{html.escape(target)}">'

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Draw a plot in the page."""
        del options
        token = tokens[idx]
        written: Written = env["written"]
        path = written.path.parent / str(token.attrGet("src"))
        env["plots"].append(path.name)
        drawing = _inlined(path.read_text(encoding="utf-8"), f"{path.stem}-{len(env['plots'])}-")
        label = html.escape(token.content)
        return f'<span class="plot" role="img" aria-label="{label}">{drawing}</span>'

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Mark the line that an excerpt is about, and the lines that a diff changes."""
        del options, env
        token = tokens[idx]
        lines = [_line(line, diff=token.info == "diff") for line in token.content.splitlines()]
        return f"<pre><code>{chr(10).join(lines)}</code></pre>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Let a wide table scroll by itself."""
        del tokens, idx, options, env
        return '<div class="wide"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """End what `table_open` began."""
        del tokens, idx, options, env
        return "</table></div>\n"


def _line(line: str, *, diff: bool) -> str:
    text = html.escape(line)
    if diff and line[:1] in {"+", "-"}:
        return f'<span class="{"added" if line[0] == "+" else "removed"}">{text}</span>'
    return f"<mark>{text}</mark>" if not diff and _MARKED.match(line) else text


def _inner(env: Any, name: str) -> str:
    """Return the identifier of a heading."""
    plain = re.sub(r"[^\w-]", "", name)
    return f"{anchor(env['written'].page.link)}--{plain}"


def _resolved(env: Any, target: str) -> str:
    here = posixpath.dirname(env["written"].page.link)
    return posixpath.normpath(posixpath.join(here, target))


def _inlined(svg: str, prefix: str) -> str:
    """Return a plot as an element: names of its own, no style, as wide as there is room."""
    drawing = _DECLARED.sub("", svg[svg.index("<svg") :])
    drawing = _IDENTIFIER.sub(lambda match: match[1] + prefix, drawing)
    return _SIZED.sub(r'\1 style="max-width:\2pt"', drawing)
