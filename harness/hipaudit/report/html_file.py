"""All pages in one HTML file that needs nothing else: no network, no other file.

The pages' own Markdown is rendered, so that nothing is said twice; in front of it stand tables of
findings and kernels that can be sorted and filtered. The file's policy forbids it to load anything,
and to run any script but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hipaudit.files import replace_text, unwritable
from hipaudit.finding import Finding
from hipaudit.report import catalogue, excerpt
from hipaudit.report.html_markdown import anchor, rendered
from hipaudit.report.page import Values, causes
from hipaudit.report.pages import AuditData, Written
from hipaudit.report.plots import dark_rules
from hipaudit.resources import from_root
from hipaudit.text import inert, plural

_DARK = "@media (prefers-color-scheme: dark){{{}}}{}"


def write_html(data: AuditData, pages: Sequence[Written], path: Path) -> None:
    """Write the file. Raises UsageError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    replace_text(path, document(data, pages))


def document(data: AuditData, pages: Sequence[Written]) -> str:
    """Return the file's text; the pages' plots lie beside them."""
    environment = Environment(
        loader=PackageLoader("hipaudit", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["plural"] = plural
    environment.filters["inert"] = lambda text: inert(from_root(str(text)))
    script, style = _asset("audit.js"), _asset("audit.css")
    index, *others = pages
    values: Values = {
        "policy": _policy(script),
        "script": Markup(script),  # noqa: S704 - our own file
        "style": Markup(style + _plots_in_the_dark()),  # noqa: S704 - our own file
        "title": index.page.title,
        "device": data.outcome.device,
        "scope": data.scope,
        "void": data.outcome.void,
        "findings": _findings(data),
        "kernels": _kernels(others),
        "groups": _groups(others),
        "articles": [
            {
                "id": anchor(written.page.link),
                # Made of inert text, by a renderer that passes no HTML through.
                "body": Markup(rendered(written)),  # noqa: S704
            }
            for written in others
        ],
    }
    return environment.get_template("audit.html.j2").render(values)


def _asset(name: str) -> str:
    return (resources.files("hipaudit") / "report" / "assets" / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _plots_in_the_dark() -> str:
    """Return CSS for the plots' colours, by the reader's system or by the page's own switch."""
    system = dark_rules(":root:not([data-theme=light]) svg ")
    return _DARK.format(system, dark_rules(":root[data-theme=dark] svg "))


def _findings(data: AuditData) -> list[Values]:
    """Return the rows of the findings' table: the audit's own, and those of the claims' faults."""
    rows = [_finding(cause, "this repository") for cause in causes(data.outcome.findings.items)]
    for claim in data.claims.items if data.claims else ():
        rows += [_finding(cause, claim.id) for cause in causes(claim.findings)]
    return rows


def _finding(cause: Values, origin: str) -> Values:
    finding: Finding = cause["finding"]
    return {
        "origin": origin,
        "id": finding.id,
        "kind": finding.kind,
        "kernel": finding.kernel or "-",
        "severity": finding.severity,
        "status": finding.status,
        "parts": ", ".join(cause["archs"]),
        "count": finding.count,
        "message": finding.message,
        "replay": from_root(finding.replay or ""),
        "what": cause["what"],
        "sides": [
            {
                "label": label,
                "place": from_root(excerpt.place(place)),
                "who": excerpt.who(place),
                "lines": excerpt.excerpt(place),
            }
            for label, place in excerpt.sides(finding)
        ],
    }


def _kernels(pages: Sequence[Written]) -> list[dict[str, Any]]:
    """Return the rows of the kernels' table: one a kernel and part."""
    return [
        {"name": one.page.title, "link": anchor(one.page.link), "exact": one.page.values["exact"],
         **verdict}
        for one in pages
        if one.page.link.startswith("kernels/")
        for verdict in one.page.values["verdicts"]
    ]  # fmt: skip


def _groups(pages: Sequence[Written]) -> list[tuple[str, list[Values]]]:
    """Return the navigation: pages by group, the kernels last."""
    groups = [
        (title, [{"title": page.title, "id": anchor(page.link)} for page in listed])
        for title, listed in catalogue.grouped([one.page for one in pages])
    ]
    kernels = [one.page for one in pages if one.page.link.startswith("kernels/")]
    entries = [{"title": page.title, "id": anchor(page.link)} for page in kernels]
    return [*groups, ("Kernels", entries)] if entries else groups
