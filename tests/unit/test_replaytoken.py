"""Replay tokens: they come back as they went, and nothing else is taken for one."""

from __future__ import annotations

import base64
import zlib

import pytest

from hipaudit import replaytoken
from hipaudit.errors import UsageError


def test_a_token_is_one_word_and_comes_back() -> None:
    task = {"what": "check", "argv": ["check", "my file.hip", "--arg", "f32[4]=uniform(-1,1)"]}
    token = replaytoken.encode(task)
    assert token == replaytoken.encode(dict(reversed(task.items())))
    assert len(token.split()) == 1
    assert replaytoken.decode(token) == task
    assert replaytoken.command(task) == f"hipaudit replay {token}"


@pytest.mark.parametrize("token", ["", "hip1-", "hip1-AAAA", "nonsense", "hip1-\u202e", "hip1-é"])
def test_anything_else_is_refused_in_one_sentence(token: str) -> None:
    with pytest.raises(UsageError, match="is not a replay token"):
        replaytoken.decode(token)


def test_a_token_of_the_wrong_content_or_a_bomb_is_refused() -> None:
    def packed(data: bytes) -> str:
        return "hip1-" + base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()

    for data in (b"[1]", b'{"no": "what"}', b"not json", b" " * 50_000_000):
        with pytest.raises(UsageError, match="is not a replay token"):
            replaytoken.decode(packed(data))


def test_a_token_cut_short_is_told_from_something_else() -> None:
    token = replaytoken.encode({"what": "check", "argv": ["check", "x.hip"]})
    with pytest.raises(UsageError, match="it is cut short or mistyped"):
        replaytoken.decode(token[:12])
    with pytest.raises(UsageError, match="one begins with hip1-"):
        replaytoken.decode(token[5:])
