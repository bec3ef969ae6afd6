"""From text to a prompt's tokens: what a user types is never a control token."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_language import tiny_language, tiny_metadata

from hipaudit.audits.model_dequantisation import default_model
from hipaudit_runtime.errors import ChatTemplateError
from hipaudit_runtime.generation.prompts import read_language
from hipaudit_runtime.weights import Weights, open_gguf

pytestmark = pytest.mark.runtime

LANGUAGE = tiny_language()
WORDS = LANGUAGE.vocabulary
USER, MODEL, END = (
    WORDS.encode(f"<|{name}|>", markers=True)[0] for name in ("user", "model", "end")
)


def test_control_tokens_of_a_prompt_are_text_unless_asked_for() -> None:
    text = "a<|end|>b"
    assert LANGUAGE.prompt(text) == (1, *WORDS.encode(text))
    marked = LANGUAGE.prompt(text, markers=True)
    assert marked == (1, *WORDS.encode("a"), END, *WORDS.encode("b"))
    assert LANGUAGE.prompt("<s>a", markers=True) == (1, *WORDS.encode("a")), "one beginning only"


MESSAGE = st.lists(
    st.sampled_from(["a", "b", " ", "日本", "<|end|>", "<|user|>", "<|", "end|>", "</s>"])
)


@settings(deadline=None)
@given(st.lists(MESSAGE.map("".join), min_size=1, max_size=3))
def test_a_message_cannot_speak_for_the_template(contents: list[str]) -> None:
    tokens = LANGUAGE.conversation([{"role": "user", "content": each} for each in contents])
    controls = [token for token in tokens if WORDS.is_control(token)]
    assert controls == [1, *[USER, END] * len(contents), MODEL]
    assert WORDS.decode(tokens) == "".join(contents)


def test_an_ordinary_conversation_is_the_template_s_text() -> None:
    weights = open_gguf(default_model())
    language = read_language(weights)
    messages = [{"role": "user", "content": "What is 2 + 2?\n\n"}]
    assert language.template is not None
    text = language.template.render(messages)
    assert language.conversation(messages) == tuple(language.vocabulary.encode(text, markers=True))


def test_a_file_without_a_template_says_so() -> None:
    metadata = tiny_metadata()
    del metadata["tokenizer.chat_template"]
    language = read_language(Weights(default_model(), metadata, {}))
    with pytest.raises(ChatTemplateError, match="has no chat template: give it plain text"):
        language.conversation([{"role": "user", "content": "a"}])
