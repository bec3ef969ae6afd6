"""Chat templates: what a model's own file makes of a conversation, and what none may do."""

from __future__ import annotations

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
        ("{% for i in range(1000000) %}{% endfor %}", "fails: Range too big"),
        ("{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}", "writes over 1,048,593 char"),
        ("{{ 1 // 0 }}", "fails: "),
        ("{{ messages[0].content.nothing.more }}", "fails: "),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "fails: maximum recursion"),
    ],
)
def test_what_a_template_may_not_do(source: str, said: str) -> None:
    with pytest.raises(ChatTemplateError, match=said):
        ChatTemplate(source).render(HELLO)


def test_arithmetic_is_allowed() -> None:
    source = "{{ 7 % 3 }}{{ 2 ** 3 }}{{ 2 * 3 }}{{ 'ab' * 2 }}"
    assert ChatTemplate(source).render(HELLO) == "186abab"
