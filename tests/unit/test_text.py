"""Hostile text stays inert: in a terminal, in Markdown, in a table, in a code block."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hipaudit.text import code_block, code_span, inert, markdown, plural

HOSTILE = [
    "\x1b[31mred\x1b]8;;http://x\x07",
    "a\r\nb\n\n# heading",
    "\u202etxt.exe\u2066",
    "<script>alert(1)</script>",
    "| a | b |\n|---|---|",
    "`code` **bold** [link](http://x) ![i](http://y)",
    "```\nescape\n```",
    "&lt; &#x41; \x00 \ufeff \u200b \ud800",
    "- item\n1. one\n> quote\n===",
    "~~~\n~~gone~~",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_sees_no_control_and_no_direction_change(text: str) -> None:
    shown = inert(text)
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown
    )
    shown.encode("utf-8")


@given(st.text())
def test_inert_text_is_printable_and_on_one_line(text: str) -> None:
    shown = inert(text)
    assert "\n" not in shown
    assert all(c.isprintable() for c in shown)


def test_ordinary_text_is_left_alone() -> None:
    text = "außer fp16 ≤ 2⁻¹¹, 数値 🙂"
    assert inert(text) == text


def test_newlines_are_kept_on_request_and_long_texts_are_cut_aloud() -> None:
    assert inert("a\nb", keep_newlines=True) == "a\nb"
    assert inert("a\tb") == "a    b"
    assert inert("x" * 5000).endswith("[... 1000 more characters]")


def _tokens(source: str) -> set[str]:
    found: set[str] = set()
    for token in MarkdownIt("commonmark").enable("table").parse(source):
        found.add(token.type)
        found |= {child.type for child in token.children or ()}
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_renders_text_and_nothing_else(text: str) -> None:
    assert _tokens(markdown(text)) <= {"paragraph_open", "inline", "text", "paragraph_close"} | {
        "text_special"
    }


@given(st.text(alphabet="#>*_`[]()!|<>&-+=~\\ \n1.a:"))
def test_markdown_of_any_punctuation_is_text(text: str) -> None:
    plain = {"paragraph_open", "inline", "text", "paragraph_close", "text_special"}
    assert _tokens(f"x {markdown(text)}") <= plain
    assert _tokens(markdown(text)) <= plain


@pytest.mark.parametrize(
    "text", ["see https://x.example/a_b", "HTTP://x", "www.x.example", "ftp://x"]
)
def test_an_address_is_no_link_and_reads_as_it_is(text: str) -> None:
    for shown in (markdown(text), code_span(text)):
        assert "://" not in shown
        assert "www." not in shown
        rendered = re.sub(r"<[^>]*>", "", MarkdownIt("commonmark").render(shown))
        assert html.unescape(rendered).strip() == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_cannot_leave_its_table_cell(text: str) -> None:
    page = (
        MarkdownIt("commonmark")
        .enable("table")
        .render(f"| h | i |\n|---|---|\n| {code_span(text)} | end |\n")
    )
    assert page.count("<td>") == 2
    assert "<script" not in page
    assert "<strong>" not in page
    assert "<a " not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_block_cannot_be_closed_from_inside(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(code_block(text) + "\n\nafter\n")
    assert [token.type for token in tokens] == [
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]


def test_plurals() -> None:
    assert plural(1, "kernel") == "1 kernel"
    assert plural(0, "kernel") == "0 kernels"
    assert plural(2, "entry", "entries") == "2 entries"
