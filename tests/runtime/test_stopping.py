"""Text as it comes: what is given out adds up to what a look at the whole says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hipaudit_runtime.generation.stopping import TextStream

pytestmark = pytest.mark.runtime

LETTERS = st.text("abé日", max_size=30)
STOPS = st.lists(st.text("abé日", min_size=1, max_size=5), max_size=3)


def cut(text: str, stops: list[str]) -> str:
    """Text up to the stop text that is complete first, the longest of those."""
    for end in range(len(text) + 1):
        ended = [stop for stop in stops if text[:end].endswith(stop)]
        if ended:
            return text[: end - max(map(len, ended))]
    return text


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(at for at in cuts if at < len(data))})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def streamed(pieces: list[bytes], stops: list[str]) -> tuple[list[str], bool]:
    stream = TextStream(pieces.__getitem__, stops)
    parts = [stream.push(token) for token in range(len(pieces))]
    return [*parts, stream.finish()], stream.stopped


@given(LETTERS, STOPS, st.lists(st.integers(0, 60)))
@example("aab", ["ab"], [2])
@example("abc", ["abc", "b"], [])
def test_a_stream_is_the_whole_cut_at_the_first_stop(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    parts, stopped = streamed(pieces_of(text.encode(), cuts), stops)
    assert "".join(parts) == cut(text, stops)
    assert stopped == any(stop in text for stop in stops)


@given(st.binary(max_size=20), st.lists(st.integers(0, 20)))
@example(b"\xe6\x97a", [1, 2])
@example(b"\xf0\x9f\x98", [1])
def test_bytes_that_are_no_text_become_the_same_marks(data: bytes, cuts: list[int]) -> None:
    parts, stopped = streamed(pieces_of(data, cuts), [])
    assert "".join(parts) == data.decode(errors="replace")
    assert not stopped


@given(LETTERS, STOPS)
def test_no_more_is_held_back_than_may_be_a_stop(text: str, stops: list[str]) -> None:
    stream = TextStream(lambda token: text[token].encode(), stops)
    out = ""
    for token in range(len(text)):
        out += stream.push(token)
        if stream.stopped:
            break
        held = text[len(out) : token + 1]
        assert out + held == text[: token + 1]
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


def test_a_stop_that_would_have_been_longer_is_over() -> None:
    stream = TextStream([b"xab", b"cz"].__getitem__, ["ab", "abc"])
    assert stream.push(0) == "x"
    assert stream.stopped
    assert (stream.push(1), stream.finish()) == ("", "")
