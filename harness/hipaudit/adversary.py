"""The freedoms of a real device, used against a kernel: one more dimension of every property.

The emulated device's functions are nearly exact, it contracts where the compiler may, keeps
subnormals and runs blocks in their order. A kernel that passes only because of that proves
nothing, so a share of the examples meets a device that does otherwise, within what AMD documents.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hypothesis import currently_in_test_context, note
from hypothesis.control import current_build_context
from hypothesis.strategies import SearchStrategy

from hipaudit.drawing import Fresh, Source
from hipaudit.errors import UsageError

Shift: TypeAlias = Literal["", "up", "down", "alternating", "random"]
_SHIFTS: tuple[Shift, ...] = ("", "up", "down", "alternating", "random")
_MOST = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Adversary:
    """What a device does with its freedom; by default, nothing.

    shift     each result of a math function moves by the ULP that AMD documents for it: up, down,
              up in even threads and down in odd ones, or by a number between drawn from seed
    contract  whether a * b + c becomes one operation where the source allows it
    flush     whether float subnormals become zero
    order     seed of the order of blocks and of waves; 0: the natural one
    """

    shift: Shift = ""
    seed: int = 0
    contract: bool = True
    flush: bool = False
    order: int = 0

    @property
    def words(self) -> str:
        """The value of the device's setting ``adversarial``."""
        shift = f"random={self.seed}" if self.shift == "random" else self.shift
        words = (shift, "" if self.contract else "uncontracted", "flush" if self.flush else "")
        return ",".join(word for word in words if word)

    def __str__(self) -> str:
        """Return the settings in words."""
        order = f"order_seed={self.order}" if self.order else ""
        return ",".join(word for word in (self.words, order) if word) or "natural"


NATURAL = Adversary()

# The fixed cases meet these in turn: between them every freedom is used.
FIXED = (
    Adversary(shift="up", contract=False),
    Adversary(shift="down", order=1),
    Adversary(shift="alternating", flush=True),
    Adversary(shift="random", seed=1, contract=False, order=2),
)


def parse(words: str, order: str = "") -> Adversary:
    """Return the adversary of the device's settings; UsageError for a word it does not know."""
    shift: Shift = ""
    seed, contract, flush = 0, True, False
    for word in filter(None, words.split(",")):
        name, equals, value = word.partition("=")
        if name == "random" and equals and value.isdigit():
            shift, seed = "random", int(value)
        elif word in {"up", "down", "alternating"}:
            shift = word  # type: ignore[assignment]  # one of Shift
        elif word == "uncontracted":
            contract = False
        elif word == "flush":
            flush = True
        else:
            raise UsageError(
                f"no adversary is called {word!r}; there are up, down, alternating, random=SEED, "
                "uncontracted, flush"
            )
    return Adversary(shift, seed, contract, flush, int(order or 0))


@functools.cache
def usual() -> Adversary:
    """Return what the environment asks of every example; `NATURAL` unless it says something."""
    words = os.environ.get("HIPAUDIT_ADVERSARIAL", "")
    return parse(words, os.environ.get("HIPAUDIT_ORDER_SEED", ""))


def adversaries() -> SearchStrategy[Adversary]:
    """Return a strategy: half of the examples natural; shrinks towards that, freedom by freedom."""
    return Fresh("adversaries()", _draw)


def _draw(source: Source) -> Adversary:
    if not source.integer(0, 1):
        return NATURAL
    seed, shift = source.integer(0, _MOST), source.one_of(_SHIFTS)
    contract, flush = source.one_of((True, False)), source.one_of((False, True))
    # Only a random shift uses a seed.
    return Adversary(
        shift, seed if shift == "random" else 0, contract, flush, source.integer(0, _MOST)
    )


_ADVERSARIES = adversaries()


def drawn() -> Adversary:
    """Return the adversary of the Hypothesis example that is running; `NATURAL` outside of one.

    Drawn after everything else, so that the example's other choices stay what they are. A
    strategy's own way in is an argument of the test, which a user's test has no place for.
    """
    if not currently_in_test_context():
        return NATURAL
    chosen: Adversary = current_build_context().data.draw(_ADVERSARIES)
    if chosen != NATURAL:
        note(f"device({chosen})")
    return chosen
