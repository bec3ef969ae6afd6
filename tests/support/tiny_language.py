"""A vocabulary of bytes and a few words, with a chat template, as a model's file would have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hipaudit_runtime.generation.prompts import Language, read_language
from hipaudit_runtime.weights import Weights

_WORDS = ("<|user|>", "<|model|>", "<|end|>", "a", "b", "▁", "▁a", "ab", "é", "日本")
_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|model|>{% endif %}"
)


def tiny_metadata(template: str = _TEMPLATE) -> dict[str, Any]:
    """Tokens: 0 unknown, 1 and 2 begin and end, 3 to 258 bytes, then the words."""
    tokens = ("<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *_WORDS)
    types = [2, 3, 3] + [6] * 256 + [3] * 3 + [1] * (len(_WORDS) - 3)
    keys: dict[str, Any] = {
        "model": "llama",
        "tokens": tokens,
        "scores": np.zeros(len(tokens), np.float32),
        "token_type": np.array(types, np.int32),
        "bos_token_id": 1,
        "eos_token_id": 2,
        "unknown_token_id": 0,
        "add_space_prefix": False,
    }
    metadata = {f"tokenizer.ggml.{key}": value for key, value in keys.items()}
    return metadata | {"tokenizer.chat_template": template}


def tiny_language(template: str = _TEMPLATE) -> Language:
    """The language of such a file."""
    return read_language(Weights(Path("tiny.gguf"), tiny_metadata(template), {}))
