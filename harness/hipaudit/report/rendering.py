"""The templates of the pages, and the text that each page comes to."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hipaudit.resources import from_root
from hipaudit.text import code_block, code_span, markdown, plural


def templates() -> Environment:
    """Return the page templates, with filters that make text inert."""
    environment = Environment(
        loader=PackageLoader("hipaudit", "report/templates"),
        autoescape=False,  # noqa: S701 - the pages are Markdown; md and code make text inert
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = lambda text: markdown(from_root(str(text)))
    environment.filters["code"] = lambda text: code_span(from_root(str(text)))
    environment.filters["block"] = lambda text: code_block(from_root(str(text)))
    environment.filters["diff"] = lambda text: code_block(from_root(str(text)), "diff")
    environment.globals |= {"plural": plural}
    return environment


def page(template: str, values: dict[str, Any]) -> str:
    """Return a page: no blank line twice and no space at a line's end, but inside of blocks."""
    lines: list[str] = []
    fence = ""
    for line in templates().get_template(template).render(values).split("\n"):
        marks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            lines.append(line)
            fence = "" if line == fence else fence
            continue
        fence = marks if len(marks) >= 3 else ""
        shown = line.rstrip()
        if shown or (lines and lines[-1]):
            lines.append(shown)
    return "\n".join(lines).rstrip("\n") + "\n"
