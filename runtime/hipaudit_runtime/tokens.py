"""Text to tokens and back, by the vocabulary that a GGUF file carries.

Two kinds are known: ``gpt2``, byte-level BPE with its merges in the file (Radford et al. 2019), and
``llama``, SentencePiece BPE whose pieces' scores say what is merged first (Kudo and Richardson
2018). The `tokenizers` library does the work; what a file means by its fields is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.weights import Weights

_CONTROL: Final = 3
_USER_DEFINED: Final = 4
_SPACE: Final = "▁"
_MOST_CUT: Final = 1 << 30
"""Characters in all cuts of all pieces in two; 256 Ki pieces of 60 have so many."""
_BYTE_PIECE: Final = re.compile("<0x([0-9A-F]{2})>")
_ENDS: Final = frozenset({
    "</s>", "<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>",
    "<|end_of_text|>", "<|END_OF_TURN_TOKEN|>",
})  # fmt: skip
_WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}|"
    r" ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITS: Final[Mapping[str, tuple[str, ...]]] = {
    "digits": ("smollm", "starcoder", "refact", "command-r", "codeshell"),
    "gpt2": ("gpt-2", "phi-2", "mpt", "olmo", "jais"),
    "llama3": ("llama3", "llama-v3", "llama-bpe"),
    "qwen2": ("qwen2", "deepseek-r1-qwen"),
}
"""How text is cut before the merges, and the names in ``tokenizer.ggml.pre`` for it."""


@final
class Vocabulary:
    """The tokens of a model.

    Raises:
        WeightsError: the file has no vocabulary, one that contradicts itself, or one of a kind that
            is not known.
    """

    __slots__ = (
        "_bytes", "_controls", "_marked", "_tokens", "_verbatim", "adds_bos", "bos", "ends", "eos",
    )  # fmt: skip

    def __init__(self, weights: Weights) -> None:
        self._tokens = _strings(weights, "tokens")
        types = _numbers(weights, "token_type", len(self._tokens))
        self._controls = frozenset(np.flatnonzero(np.equal(types, _CONTROL)).tolist())
        self.bos = _token_id(weights, "bos", len(self._tokens))
        self.eos = _token_id(weights, "eos", len(self._tokens))
        self.ends = self._enders(weights)
        kind = weights.value("tokenizer.ggml.model", str)
        if kind not in _KINDS:
            raise WeightsError(
                f"{weights.path} has a vocabulary of the kind {kind}, not {' or '.join(_KINDS)}"
            )
        self.adds_bos = weights.value(
            "tokenizer.ggml.add_bos_token", bool, default=kind == "llama" and self.bos is not None
        )
        make, self._bytes = _KINDS[kind]
        self._verbatim, self._marked = make(weights, self._tokens), make(weights, self._tokens)
        for tokenizer, wanted in (
            (self._verbatim, {_USER_DEFINED}),
            (self._marked, {_CONTROL, _USER_DEFINED}),
        ):
            tokenizer.add_tokens(
                [
                    AddedToken(token, normalized=False)
                    for token, each in zip(self._tokens, types, strict=True)
                    if each in wanted and token
                ]
            )

    def _enders(self, weights: Weights) -> frozenset[int]:
        """Tokens behind which a model has no more to say, by the file's keys and by their names."""
        keyed = (_token_id(weights, name, len(self._tokens)) for name in ("eos", "eot", "eom"))
        named = (token for token in self._controls if self._tokens[token] in _ENDS)
        return frozenset([*named, *(token for token in keyed if token is not None)])

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self._tokens)

    def encode(self, text: str, *, markers: bool = False) -> list[int]:
        """The tokens of a text, without any that begin or end a document.

        With *markers*, control tokens written out in the text, such as ``<|im_end|>``, are those
        tokens; otherwise they are text like any other, as what a user typed must be.
        """
        tokenizer = self._marked if markers else self._verbatim
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int], *, markers: bool = False) -> str:
        """The text of tokens; control tokens have none unless *markers*.

        Raises ValueError for a number that is no token's.
        """
        for token in tokens:
            if not 0 <= token < len(self._tokens):
                raise ValueError(f"token {token} is outside 0 to {len(self._tokens) - 1}")
        shown = [token for token in tokens if markers or not self.is_control(token)]
        return str(self._marked.decode(shown, skip_special_tokens=False))

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to a text; none for a control token or no token at all.

        They need not be whole characters. A model may have more logits than tokens.
        """
        if not 0 <= token < len(self._tokens) or self.is_control(token):
            return b""
        return self._bytes(self._tokens[token])

    @property
    def markers(self) -> tuple[str, ...]:
        """The control tokens as they are written, the longest first."""
        return tuple(sorted(filter(None, map(self.name, self._controls)), key=len, reverse=True))

    def is_control(self, token: int) -> bool:
        """Whether a token is the model's own mark and no text."""
        return token in self._controls

    def name(self, token: int) -> str:
        """The token as it is written in the file."""
        return self._tokens[token]


def _byte_level(weights: Weights, tokens: Sequence[str]) -> Tokenizer:
    """Byte-level BPE with the file's merges."""
    pre = weights.value("tokenizer.ggml.pre", str)
    split = next((kind for kind, names in _SPLITS.items() if pre in names), None)
    if split is None:
        known = ", ".join(name for names in _SPLITS.values() for name in names)
        raise WeightsError(f"{weights.path} splits text as {pre}; known are {known}")
    known_tokens = set(tokens)
    merges = []
    for merge in _strings(weights, "merges"):
        left, _, right = merge.partition(" ")
        if not {left, right, left + right} <= known_tokens:
            raise WeightsError(f"{weights.path} merges {merge!r}, which are no tokens")
        merges.append((left, right))
    tokenizer = Tokenizer(
        BPE(_numbered(tokens), merges, unk_token=_unknown(weights, tokens),
            ignore_merges=split == "llama3")
    )  # fmt: skip
    tokenizer.pre_tokenizer = _cut(split)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _cut(split: str) -> Any:
    """What cuts text into the pieces in which merges are done, as bytes' letters."""
    if split in {"digits", "gpt2"}:
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        if split == "gpt2":
            return level
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
    pattern = _WORDS.format(digits="{1,3}" if split == "llama3" else "")
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _sentence_piece(weights: Weights, tokens: Sequence[str]) -> Tokenizer:
    """SentencePiece BPE: of all pairs whose join is a piece, that of the best score goes first."""
    scores = _numbers(weights, "scores", len(tokens))
    numbered = _numbered(tokens)
    work = sum(len(piece) ** 2 for piece in tokens)
    if work > _MOST_CUT:
        longest = max(map(len, tokens))
        raise WeightsError(
            f"{weights.path} has tokens that are too long: {longest:,} characters in one, "
            f"{sum(map(len, tokens)):,} in all"
        )
    pairs: list[tuple[float, str, str]] = []
    for piece, score in zip(tokens, scores, strict=True):
        cuts = ((piece[:at], piece[at:]) for at in range(1, len(piece)))
        pairs += [(-score, *cut) for cut in cuts if cut[0] in numbered and cut[1] in numbered]
    pairs.sort(key=lambda pair: pair[0])
    merges = [(left, right) for _, left, right in pairs]
    tokenizer = Tokenizer(
        BPE(numbered, merges, unk_token=_unknown(weights, tokens), fuse_unk=True,
            byte_fallback=True)
    )  # fmt: skip
    prefix = weights.value("tokenizer.ggml.add_space_prefix", bool, default=True)
    steps: list[Any] = [normalizers.Prepend(_SPACE)] if prefix else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", _SPACE)])
    ends: list[Any] = [decoders.Strip(" ", 1, 0)] if prefix else []
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *ends,
    ])  # fmt: skip
    return tokenizer


def _letters() -> dict[str, int]:
    """The letters that stand for bytes in a byte-level vocabulary.

    A byte that is a printing character of Latin-1 stands for itself, the others are U+0100 and on.
    """
    printing = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    letters = {chr(byte): byte for byte in printing}
    others = (byte for byte in range(0x100) if byte not in printing)
    return letters | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_BYTE_OF: Final = _letters()


def _byte_level_bytes(token: str) -> bytes:
    """Bytes of a token written in bytes' letters; other text, of an added token, is its own."""
    if all(letter in _BYTE_OF for letter in token):
        return bytes(_BYTE_OF[letter] for letter in token)
    return token.encode()


def _sentence_piece_bytes(token: str) -> bytes:
    byte = _BYTE_PIECE.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace(_SPACE, " ").encode()


_KINDS: Final = {
    "gpt2": (_byte_level, _byte_level_bytes),
    "llama": (_sentence_piece, _sentence_piece_bytes),
}


def _numbered(tokens: Sequence[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(tokens)}


def _strings(weights: Weights, name: str) -> tuple[str, ...]:
    strings: tuple[str, ...] = weights.value(f"tokenizer.ggml.{name}", tuple)
    return strings


def _numbers(weights: Weights, name: str, wanted: int) -> list[Any]:
    """An array with a number for each token."""
    array = weights.value(f"tokenizer.ggml.{name}", np.ndarray)
    if len(array) != wanted:
        raise WeightsError(
            f"{weights.path} has {wanted} tokens and {len(array)} tokenizer.ggml.{name}"
        )
    numbers: list[Any] = array.tolist()
    return numbers


def _token_id(weights: Weights, name: str, tokens: int) -> int | None:
    """The number of the token with that part, None when there is none."""
    key = f"tokenizer.ggml.{name}_token_id"
    if key not in weights.metadata:
        return None
    number = weights.value(key, int)
    if not 0 <= number < tokens:
        raise WeightsError(f"{key} of {weights.path} is {number}, outside 0 to {tokens - 1}")
    return number


def _unknown(weights: Weights, tokens: Sequence[str]) -> str | None:
    number = _token_id(weights, "unknown", len(tokens))
    return None if number is None else tokens[number]
