"""Tokens of a text: against a BPE of a few lines, and back to the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipaudit.audits.model_dequantisation import default_model
from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.tokens import Vocabulary
from hipaudit_runtime.weights import Weights, open_gguf

pytestmark = pytest.mark.runtime

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
WORDS = re.compile(
    r"[0-9]|'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[^\sA-Za-z0-9]+|\s+(?=[0-9]|$)|\s+(?!\S)|\s+"
)
"""How the model's kind cuts ASCII: each digit alone, and then as GPT-2 does."""


@cache
def smollm2() -> tuple[Weights, Vocabulary]:
    """The model's file and its vocabulary, read once."""
    weights = open_gguf(default_model())
    return weights, Vocabulary(weights)


def merged(letters: Sequence[str], rank: Callable[[str, str], float | None]) -> list[str]:
    """BPE as defined: while there is one, the first pair of the lowest rank becomes one."""
    pieces = list(letters)
    while True:
        ranks = [(rank(*pieces[at : at + 2]), at) for at in range(len(pieces) - 1)]
        known = [(value, at) for value, at in ranks if value is not None]
        if not known:
            return pieces
        _, at = min(known)
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]


@settings(max_examples=100, deadline=None)
@given(ASCII)
def test_merges_are_those_of_the_definition(text: str) -> None:
    _, vocabulary = smollm2()
    merges = ranks()
    want = []
    for word in WORDS.findall(text):
        want += merged(word.replace(" ", "Ġ"), lambda left, right: merges.get(f"{left} {right}"))
    assert [vocabulary.name(token) for token in vocabulary.encode(text)] == want


@cache
def ranks() -> Mapping[str, int]:
    merges = smollm2()[0].metadata["tokenizer.ggml.merges"]
    assert isinstance(merges, tuple)
    return {merge: rank for rank, merge in enumerate(merges)}


@settings(max_examples=100, deadline=None)
@given(ASCII | st.text(st.sampled_from("äöüßéñçаежπλ日本語中文 \n\t'😀€"), max_size=20))
def test_text_comes_back(text: str) -> None:
    _, vocabulary = smollm2()
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode(vocabulary.encode(text, markers=True)) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("äéж日本😀€ab 1\n\t'"), max_size=20))
def test_the_bytes_of_tokens_are_the_text(text: str) -> None:
    _, vocabulary = smollm2()
    assert b"".join(map(vocabulary.piece, vocabulary.encode(text))).decode() == text
    pieces = Vocabulary(sentence_piece(add_space_prefix=False))
    assert b"".join(map(pieces.piece, pieces.encode(text))).decode() == text


def test_what_has_no_bytes() -> None:
    _, vocabulary = smollm2()
    assert vocabulary.name(1) == "<|im_start|>"
    assert [vocabulary.piece(token) for token in (1, 2, -1, 49152)] == [b""] * 4
    assert vocabulary.ends == {0, 2}
    pieces = Vocabulary(sentence_piece(eot_token_id=260))
    assert pieces.ends == {2, 260}
    assert (pieces.piece(3 + 0xE2), pieces.piece(259)) == (b"\xe2", b" ")


def test_a_control_token_is_one_where_it_is_meant_to_be() -> None:
    _, vocabulary = smollm2()
    text = "<|im_start|>user\nHi<|im_end|>"
    marked, verbatim = vocabulary.encode(text, markers=True), vocabulary.encode(text)
    assert (marked[0], marked[-1]) == (1, 2)
    assert (vocabulary.bos, vocabulary.eos, vocabulary.adds_bos) == (1, 2, False)
    assert not any(map(vocabulary.is_control, verbatim))
    assert vocabulary.decode(verbatim) == vocabulary.decode(marked, markers=True) == text
    assert vocabulary.decode(marked) == "user\nHi"
    assert len(vocabulary) == 49152


@pytest.mark.parametrize("token", [-1, 49152])
def test_a_number_that_is_no_token_is_refused(token: int) -> None:
    with pytest.raises(ValueError, match=f"token {token} is outside 0 to 49151"):
        smollm2()[1].decode([token])


PIECES = ("<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)))
SCORED = {"▁": -9.0, "a": -10.0, "b": -11.0, "c": -12.0, "ab": -1.0, "▁a": -2.0, "bc": -0.5,
          "abc": -3.0, "▁ab": -4.0, "aa": -2.5, "aab": -1.5, "▁abc": -5.0}  # fmt: skip


def file(**keys: Any) -> Weights:
    return Weights(Path("m.gguf"), {f"tokenizer.ggml.{key}": keys[key] for key in keys}, {})


def sentence_piece(**other: Any) -> Weights:
    tokens = (*PIECES, *SCORED)
    scores = np.array([0.0] * len(PIECES) + list(SCORED.values()), np.float32)
    types = np.array([2, 3, 3] + [6] * 256 + [1] * len(SCORED), np.int32)
    keys = {"model": "llama", "tokens": tokens, "scores": scores, "token_type": types}
    return file(**(keys | {"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0} | other))


@settings(deadline=None)
@given(st.text("abc ", max_size=12))
def test_the_best_score_is_merged_first(text: str) -> None:
    vocabulary = Vocabulary(sentence_piece(add_space_prefix=False))

    def rank(left: str, right: str) -> float | None:
        return -SCORED[left + right] if left + right in SCORED else None

    want = merged(text.replace(" ", "▁"), rank)
    assert [vocabulary.name(token) for token in vocabulary.encode(text)] == want


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), max_size=12))
def test_what_is_no_piece_is_its_bytes(text: str) -> None:
    vocabulary = Vocabulary(sentence_piece())
    tokens = vocabulary.encode(text)
    assert vocabulary.decode(tokens) == text
    assert 0 not in tokens


def test_a_space_comes_first_where_the_file_says_so() -> None:
    assert names(sentence_piece(), "ab") == ["▁ab"]
    assert names(sentence_piece(add_space_prefix=False), "ab") == ["ab"]
    assert Vocabulary(sentence_piece()).adds_bos


def names(weights: Weights, text: str) -> list[str]:
    vocabulary = Vocabulary(weights)
    return [vocabulary.name(token) for token in vocabulary.encode(text)]


def byte_level(**other: Any) -> Weights:
    tokens = ("<x>", *"0123456789Ġ'sSa", "12", "123", "1234", "'S", "'s")
    types = np.array([3] + [1] * (len(tokens) - 1), np.int32)
    merges = ("1 2", "12 3", "123 4", "' S", "' s")
    keys = {"model": "gpt2", "pre": "gpt-2", "tokens": tokens, "token_type": types}
    return file(**(keys | {"merges": merges} | other))


@pytest.mark.parametrize(
    ("pre", "want"),
    [
        ("gpt-2", ["1234", "Ġ", "a", "'", "S"]),
        ("smollm", ["1", "2", "3", "4", "Ġ", "a", "'", "S"]),
        ("llama-bpe", ["123", "4", "Ġ", "a", "'S"]),
        ("qwen2", ["1", "2", "3", "4", "Ġ", "a", "'S"]),
    ],
)
def test_text_is_cut_as_the_file_says(pre: str, want: list[str]) -> None:
    assert names(byte_level(pre=pre), "1234 a'S") == want


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "rwkv"}, "of the kind rwkv, not gpt2 or llama"),
        ({"pre": "other"}, "splits text as other; known are smollm"),
        ({"merges": ("1 9",)}, "merges '1 9', which are no tokens"),
        ({"merges": ("12",)}, "merges '12', which are no tokens"),
        ({"merges": 5}, "is int, not tuple"),
        ({"token_type": np.zeros(3, np.int32)}, "has 21 tokens and 3 tokenizer.ggml.token_type"),
        ({"bos_token_id": 21}, "bos_token_id of m.gguf is 21, outside 0 to 20"),
        ({"tokens": None}, "m.gguf has no tokenizer.ggml.tokens"),
    ],
)
def test_a_vocabulary_that_contradicts_itself(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError, match=re.escape(said)):
        Vocabulary(byte_level(**wrong))


def test_pieces_as_long_as_books_are_refused() -> None:
    """All cuts of one in two would take hours."""
    tokens = (*PIECES, *tuple(SCORED)[:-1], "x" * 100_000)
    with pytest.raises(WeightsError, match="tokens that are too long: 100,000 characters in one"):
        Vocabulary(sentence_piece(tokens=tokens))
