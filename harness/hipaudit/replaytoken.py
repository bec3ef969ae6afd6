"""Replay tokens: one word that names a finding's trigger, for ``hipaudit replay``."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from hipaudit.errors import UsageError

_PREFIX = "hip1-"
_LIMIT = 1 << 20


def encode(task: Mapping[str, Any]) -> str:
    """Return the token for a task: plain data with a ``what``."""
    plain = json.dumps(task, sort_keys=True, separators=(",", ":")).encode()
    return _PREFIX + base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")


def decode(token: str) -> dict[str, Any]:
    """Return the task of a token.

    Raises UsageError for anything that `encode` did not make.
    """
    body = token.strip().removeprefix(_PREFIX)
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        plain = zlib.decompressobj().decompress(packed, _LIMIT)
        task = json.loads(plain)
    except (ValueError, binascii.Error, zlib.error):
        task = None
    if not token.strip().startswith(_PREFIX):
        raise UsageError(f"{token[:40]!r} is not a replay token: one begins with {_PREFIX}")
    if not isinstance(task, dict) or "what" not in task:
        raise UsageError(f"{token[:40]!r} is not a replay token: it is cut short or mistyped")
    return task


def command(task: Mapping[str, Any]) -> str:
    """Return the command that replays a task."""
    return f"hipaudit replay {encode(task)}"
