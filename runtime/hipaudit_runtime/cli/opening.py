"""From the options to an engine that is ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from hipaudit_runtime.cli.options import CacheFormat, UsageError
from hipaudit_runtime.cli.terminal import status
from hipaudit_runtime.device import DeviceLike, current_device
from hipaudit_runtime.errors import RuntimeFault
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.prompts import Language, read_language
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.language_model import LanguageModel
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.weights import Weights, open_gguf

_PAGE: Final = 16


@dataclass(frozen=True, slots=True)
class Drafting:
    """A draft model's file, if there is one, and how far it goes ahead."""

    file: Path | None
    tokens: int


@dataclass(frozen=True, slots=True)
class Opened:
    """Models on the device."""

    weights: Weights
    language: Language
    device: DeviceLike
    model: LanguageModel
    draft: LanguageModel | None
    drafted: int

    @contextmanager
    def engine(
        self, tokens: int, kind: CacheFormat, sequences: int = 1, step_tokens: int = 256
    ) -> Iterator[Engine]:
        """An engine whose cache has room for so many tokens, in whole pages."""
        limits = Limits(sequences, max(step_tokens, sequences), self.drafted)
        cache = CacheSize(-(-tokens // _PAGE), _PAGE, kind.value)
        try:
            engine = Engine(
                self.model, self.language.vocabulary.piece, limits=limits, cache=cache,
                draft=self.draft,
            )  # fmt: skip
        except ValueError as error:
            raise UsageError(str(error)) from error
        with engine:
            yield engine


@contextmanager
def opened(context: typer.Context, file: Path, drafting: Drafting) -> Iterator[Opened]:
    """The models of files, on the device, for as long as it is open.

    Raises WeightsError for a file that is missing, damaged, or no model that is known; HipError.
    """
    weights = open_gguf(file)
    language = read_language(weights)
    small = None if drafting.file is None else open_gguf(drafting.file)
    prepare: Callable[[], None] = context.obj
    with ExitStack() as stack:
        with status(f"Loading {file.name}"):
            prepare()
            device = _device()
            model = stack.enter_context(Transformer(weights, device))
            draft = None if small is None else stack.enter_context(Transformer(small, device))
        yield Opened(weights, language, device, model, draft, drafting.tokens)


def _device() -> DeviceLike:
    """The device that HIP has; RuntimeFault when there is no HIP."""
    try:
        return current_device()
    except RuntimeError as error:  # hip-python's, for a library that cannot be loaded
        raise RuntimeFault(f"HIP cannot be loaded, is ROCm installed? {error}") from error
