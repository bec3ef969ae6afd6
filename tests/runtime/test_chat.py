"""Chat templates: what a model's own file makes of a conversation, and what none may do."""

from __future__ import annotations

import datetime as dt

import pytest

from hipaudit.audits.model_dequantisation import default_model
from hipaudit_runtime.chat import ChatTemplate
from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.weights import open_gguf

pytestmark = pytest.mark.runtime

HELLO = [{"role": "user", "content": "Hello {{ 7 * 7 }}"}]


def test_a_real_template_writes_the_conversation() -> None:
    source = open_gguf(default_model()).value("tokenizer.chat_template", str)
    messages = [{"role": "system", "content": "Be brief."}, *HELLO]
    assert ChatTemplate(source).render(messages) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHello {{ 7 * 7 }}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert ChatTemplate(source).render(messages, answer=False).endswith("<|im_end|>\n")


def test_a_template_knows_the_marks() -> None:
    template = ChatTemplate("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", bos="<s>")
    assert template.render([{"role": "user", "content": "x"}]) == "<s>x"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% for %}", "does not parse"),
        ("{{ raise_exception('roles must alternate') }}", "fails: roles must alternate"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "fails: access to attribute"),
        ("{{ messages.append(1) }}", "fails: "),
        ("{{ 'a' * 10 ** 9 }}", r"\* with 1000000000 is refused"),
        ("{{ 'ab' * 'c' }}", r"\* with 'ab' is refused"),
        ("{{ 9 ** 9999 }}", r"\*\* to a number so large is refused"),
        ("{{ 9 ** 64 ** 64 ** 64 }}", r"\*\* to a number so large is refused"),
        ("{{ 2 ** 4000 * 2 ** 200 }}", r"\* to a number so large is refused"),
        ("{{ '%1000000000d' % 1 }}", "% with 1 is refused"),
        ("{{ '%1000000000d'|format(1) }}", "format is refused"),
        ("{{ '{:1000000000}'.format(1) }}", "access to attribute 'format'"),
        ("{{ strftime_now('%1000000000Y') }}", "strftime_now with widths is refused"),
        ("{% for i in range(1000000) %}{% endfor %}", "fails: Range too big"),
        ("{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}", "writes over 1,048,593 char"),
        ("{{ 1 // 0 }}", "fails: "),
        (r"{{ '\ud800' }}", "fails: 'utf-8' codec can't encode"),
        ("{{ messages[0].content.nothing.more }}", "fails: "),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "fails: maximum recursion"),
    ],
)
def test_what_a_template_may_not_do(source: str, said: str) -> None:
    with pytest.raises(ChatTemplateError, match=said):
        ChatTemplate(source).render(HELLO)


_DOUBLED = "{% set ns = namespace(x=X) %}{% for i in range(60) %}{% set ns.x = Y %}{% endfor %}"


def doubled(first: str, more: str, then: str = "") -> str:
    return _DOUBLED.replace("X", first).replace("Y", more) + then


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
        doubled("'x'", "ns.x ~ ns.x"),
        doubled("'x'", "ns.x + ns.x"),
        doubled("[1]", "ns.x + ns.x"),
        doubled("[1]", "[ns.x, ns.x]", "{{ ns.x == ns.x[0] }}"),
        doubled("(1, 2)", "(ns.x, ns.x)", "{{ ns.x|tojson }}"),
        doubled("'aaaaaaaa'", "ns.x|replace('a', 'aaaaaaaa')"),
        doubled("'aaaaaaaa'", "ns.x.replace('a', 'aaaaaaaa')"),
        "{{ 'x'|center(2000000000) }}",
        "{{ 'x'.ljust(2000000000) }}",
        "{{ ['x']|map('center', 2000000000)|list }}",
        "{{ range(99999)|map('string')|join('x' * 60000) }}",
        "{{ messages|slice(2000000000)|list }}",
        "{% for i in range(99999) %}{% set x = range(99999)|sort %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = 'q' in 'a' * 60000 %}{% endfor %}",
    ],
)
def test_a_template_that_never_ends_or_fills_the_memory(source: str) -> None:
    with pytest.raises(ChatTemplateError, match="it loops or writes too much"):
        ChatTemplate(source).render(HELLO)


def test_a_template_as_long_as_a_book() -> None:
    with pytest.raises(ChatTemplateError, match="it has 300,000 characters, over 262,144"):
        ChatTemplate("x" * 300_000)


def test_what_templates_elsewhere_may_use() -> None:
    """Loop controls, the date, JSON with its letters, marks of what is trained on."""
    template = ChatTemplate(
        "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.content }}"
        "{% break %}{% endfor %} {{ strftime_now('%Y') }} {{ {'é': '<'}|tojson }} "
        "{% generation %}{{ messages|length ~ 'x' }}{% endgeneration %}"
    )
    messages = [{"role": "user", "content": text} for text in "abc"]
    year = dt.datetime.now().astimezone().year
    assert template.render(messages) == f'b {year} {{"é": "<"}} 3x'


def test_a_long_conversation_is_no_harm() -> None:
    """A template that asks for all messages at each of them, as some do."""
    source = (
        "{% for m in messages %}{{ messages|length - loop.index }}{{ m.content|trim }}{% endfor %}"
    )
    messages = [{"role": "user", "content": "some words "}] * 3000
    assert ChatTemplate(source).render(messages).endswith("1some words0some words")


def test_arithmetic_is_allowed() -> None:
    source = "{{ 7 % 3 }}{{ 2 ** 3 }}{{ 2 * 3 }}{{ 'ab' * 2 }}"
    assert ChatTemplate(source).render(HELLO) == "186abab"
