"""All pages in one HTML file: complete, inert, and usable in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from audit_data import EVIL, data, evil_finding

from hipaudit.finding import Finding, Location, identified
from hipaudit.report.html_file import write_html
from hipaudit.report.pages import AuditData, write_reports

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")


class Reader(HTMLParser):
    """Collects a document's elements, and the text of each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def written(audit: AuditData, folder: Path) -> Path:
    path = folder / "audit.html"
    write_html(audit, write_reports(audit, folder / "pages"), path)
    return path


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def findings(folder: Path) -> tuple[Finding, ...]:
    source = folder / "k.hip"
    source.write_text("one\ntwo\nthree\n")
    place = Location(str(source), 2, block=(0, 0, 0), thread=(1, 0, 0), wave=0, lane=1)
    drafts = (
        Finding("", "race-shared", "error", "zeta", "gfx942", "they race", 20, location=place),
        Finding("", "race-shared", "error", "alpha", "gfx942", "they race too", 3, location=place),
        Finding("", "leak", "warning", "alpha", "", "never freed", 100),
    )
    return tuple(identified(draft) for draft in drafts)


def test_the_same_data_gives_the_same_file(tmp_path: Path) -> None:
    first = written(data(), tmp_path / "a").read_bytes()
    assert written(data(), tmp_path / "b").read_bytes() == first


def test_the_file_needs_nothing_else(tmp_path: Path) -> None:
    reader = read(written(data(findings(tmp_path)), tmp_path))
    for tag, attributes in reader.tags:
        assert tag not in {"link", "img", "iframe", "object", "base", "embed"}
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    policies = [one["content"] for tag, one in reader.tags if one.get("http-equiv")]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'")


def test_every_page_is_in_it_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    reader = read(written(data(findings(tmp_path)), tmp_path))
    articles = [one["id"] for tag, one in reader.tags if tag == "article"]
    assert articles == [
        *("overview", "page-kernels-softmax", "page-library", "page-kernel_inventory"),
        "page-model_dequantisation",
        "page-ulp_tables",
    ]
    names = {one["id"] for _, one in reader.tags if one.get("id")}
    for tag, one in reader.tags:
        if tag in {"a", "use"}:
            target = one.get("href") or one.get("xlink:href") or "#overview"
            assert target[1:] in names, target


def test_plots_are_drawn_in_the_file_with_names_of_their_own(tmp_path: Path) -> None:
    reader = read(written(data(), tmp_path))
    plots = [one for tag, one in reader.tags if one.get("class") == "plot"]
    assert len(plots) == 2
    assert sum(tag == "svg" for tag, _ in reader.tags) == 2
    names = [one["id"] for _, one in reader.tags if one.get("id")]
    assert len(names) == len(set(names))


def test_hostile_names_are_text(tmp_path: Path) -> None:
    path = written(data((evil_finding(tmp_path),)), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    reader = read(path)
    assert not any(tag == "img" or "onerror" in one for tag, one in reader.tags)
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert "<img src=x onerror=alert(1)>" in reader.text


def test_the_line_of_a_finding_is_marked(tmp_path: Path) -> None:
    text = written(data(findings(tmp_path)), tmp_path).read_text(encoding="utf-8")
    assert "<mark>    2 | two</mark>" in text
    assert "<mark>    1 | one</mark>" not in text


def in_browser(path: Path, script: str, width: int = 1200, *options: str) -> dict[str, object]:
    """Open a file in headless Chromium, run a script behind its own, return what it says.

    In a frame of that width: a window of Chromium's has at least 500 pixels.
    """
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    said = f"parent.postMessage(JSON.stringify((() => {{{script}}})()), '*');"
    probe = path.with_name("probe.html")
    probe.write_text(text.replace("</body>", f"<script>{said}</script></body>"), encoding="utf-8")
    frame = path.with_name("frame.html")
    frame.write_text(
        "<title>null</title><script>onmessage = (one) => { document.title = one.data; };</script>"
        f'<iframe src="probe.html" style="width:{width}px;height:844px;border:0"></iframe>',
        encoding="utf-8",
    )
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=5000", f"--user-data-dir={path.parent / 'profile'}"]
    done = subprocess.run(
        [*command, *options, frame.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    match = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert match is not None
    answer: dict[str, object] = json.loads(html.unescape(match[1]))
    return answer


@browser
def test_tables_sort_by_number_and_by_text_and_filter_by_kind_and_kernel(tmp_path: Path) -> None:
    path = written(data(findings(tmp_path)), tmp_path)
    said = in_browser(
        path,
        """
        const table = document.getElementById("findings");
        const column = (n) => [...table.tBodies[0].rows].filter((row) => !row.hidden)
          .map((row) => row.cells[n].textContent.trim());
        const press = (n) => table.tHead.rows[0].cells[n].querySelector("button").click();
        const choose = (name, value) => {
          const select = document.querySelector(`[data-table=findings] select[name=${name}]`);
          select.value = value;
          select.dispatchEvent(new Event("input", { bubbles: true }));
        };
        press(4);
        const up = column(4);
        press(4);
        const down = column(4);
        press(1);
        const names = column(1);
        choose("kind", "race-shared");
        const races = column(1);
        choose("kernel", "alpha");
        const both = column(6).length;
        const output = document.querySelector("[data-table=findings] output").textContent;
        return { up, down, names, races, both, output };
        """,
    )
    assert said["up"] == ["3", "20", "100"]
    assert said["down"] == ["100", "20", "3"]
    assert said["names"] == ["alpha", "alpha", "zeta"]
    assert said["races"] == ["alpha", "zeta"]
    assert (said["both"], said["output"]) == (1, "1 of 3")


@browser
def test_it_fits_a_phone_and_pages_change_by_their_links(tmp_path: Path) -> None:
    path = written(data((*findings(tmp_path), evil_finding(tmp_path))), tmp_path)
    frame = """
        const shown = () => [...document.querySelectorAll("article")]
          .filter((one) => getComputedStyle(one).display !== "none").map((one) => one.id);
        const before = shown();
        document.getElementById("menu").click();
        const menu = getComputedStyle(document.querySelector("nav")).display;
        const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        location.hash = "#page-library";
        dispatchEvent(new HashChangeEvent("hashchange"));
        const scrolled = document.documentElement.scrollWidth -
          document.documentElement.clientWidth;
        const width = innerWidth;
        const after = shown();
        location.hash = "#page-kernels-softmax";
        dispatchEvent(new HashChangeEvent("hashchange"));
        const cells = [...document.querySelectorAll("#page-kernels-softmax td:last-child")];
        const prose = cells.filter((one) => one.cellIndex > 3 && !one.style.textAlign)
          .map((one) => one.offsetWidth);
        location.hash = "#page-library%E0%";
        dispatchEvent(new HashChangeEvent("hashchange"));
        return { before, after, broken: shown(), prose, menu, wide, scrolled, width };
        """
    said = in_browser(path, frame, 390)
    assert said["width"] == 390
    assert said["before"] == ["overview"]
    assert said["after"] == ["page-library"]
    assert said["broken"] == ["overview"]
    widths = said["prose"]
    assert isinstance(widths, list)
    assert min(widths) >= 300  # a column of words, else a row is as high as the phone
    assert said["menu"] == "block"
    assert (said["wide"], said["scrolled"]) == (0, 0)


@browser
@pytest.mark.parametrize(("scheme", "dark"), [("0", True), ("1", False)])
def test_it_is_light_or_dark_as_the_reader_has_it_and_can_be_switched(
    tmp_path: Path, scheme: str, dark: bool
) -> None:
    said = in_browser(
        written(data(), tmp_path),
        """
        const paper = () => getComputedStyle(document.body).backgroundColor;
        const first = paper();
        document.getElementById("theme").click();
        return { first, second: paper() };
        """,
        1200,
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    colours = ["rgb(13, 17, 23)", "rgb(255, 255, 255)"]
    assert [said["first"], said["second"]] == (colours if dark else colours[::-1])


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    from hipaudit.errors import UsageError

    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_html(data(), write_reports(data(), tmp_path / "p"), tmp_path / "file" / "a.html")


def test_the_hostile_name_is_as_hostile_as_it_should_be() -> None:
    assert {"<", "|", "`", "\n", "\x1b", "\u202e"} <= set(EVIL)
