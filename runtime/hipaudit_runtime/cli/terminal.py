"""What goes to standard output and to standard error."""

from __future__ import annotations

import os
import signal
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType

from rich.console import Console

from hipaudit_runtime.generation.stats import Stats


def open_streams() -> None:
    """Put something in the place of standard streams that a caller has closed.

    Files opened later would take their numbers. Input is then empty and notes are lost; output
    cannot be written, which is an error as soon as there is some.
    """
    unwritable = (os.O_RDONLY, "w")
    kinds = {"stdin": (os.O_RDONLY, "r"), "stdout": unwritable, "stderr": (os.O_WRONLY, "w")}
    for name, (way, mode) in kinds.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, way), mode))


def status(text: str) -> AbstractContextManager[object]:
    """Show what is being done, on a terminal alone."""
    if not sys.stderr.isatty():
        return nullcontext()
    return Console(stderr=True, markup=False, highlight=False).status(text)


def put(text: str) -> None:
    """Write a part of an answer to standard output, at once.

    On a terminal, characters that would act on it are spelled out; elsewhere it is as it is.
    """
    shown = "".join(map(_spelled, text)) if sys.stdout.isatty() else text
    sys.stdout.buffer.write(shown.encode())
    sys.stdout.buffer.flush()


def end_line() -> None:
    """End an answer's line on a terminal; elsewhere the answer is all there is."""
    if sys.stdout.isatty():
        put("\n")


def drop_output() -> None:
    """Let go of standard output, which cannot be written: nothing is tried again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def note(text: str) -> None:
    """Write a line to standard error; what a file put into it cannot act on the terminal."""
    sys.stderr.write("".join(map(_spelled, text)) + "\n")


def summary(stats: Stats) -> str:
    """Counts and times in a line."""
    parts = [
        f"prompt {stats.prompt_tokens} tokens"
        + (f" ({stats.reused_tokens} known)" if stats.reused_tokens else ""),
        _rate("prefill", stats.prefill_tokens, stats.prefill_seconds),
        f"answer {stats.generated_tokens} tokens",
        _rate("decode", stats.decode_tokens, stats.decode_seconds),
    ]
    if stats.drafted:
        parts.append(f"draft {stats.accepted} of {stats.drafted} accepted")
    return ", ".join(parts)


def _rate(what: str, tokens: int, seconds: float) -> str:
    rate = f" ({tokens / seconds:.1f} tokens/s)" if tokens and seconds else ""
    return f"{what} {seconds:.2f} s{rate}"


@dataclass(slots=True)
class Interrupt:
    """Whether somebody pressed Ctrl-C."""

    asked: bool = False


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Take a first Ctrl-C as a wish to stop after the batch that runs; a second one interrupts."""
    wish = Interrupt()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        wish.asked = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)


def _spelled(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf"}:
        return character
    return character.encode("unicode_escape").decode()
