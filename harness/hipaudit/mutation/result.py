"""What became of mutants, and what that says of the tests that were run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipaudit.errors import UsageError
from hipaudit.mutation.mutant import Mutant

KILLED, SURVIVED, SAME, REFUSED = "killed", "survived", "same code", "refused"
ARGUMENTS = "equivalent_mutants.json"
"""The file, beside the sources or one folder up, that says why survivors are no mistakes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant.

    status  killed, survived, same code (the compiler makes the same of it), refused (it does not
            compile, so it is none)
    by      what killed it: the kind of a finding or mismatch, timeout, or tests
    build, arch, spec  where that was
    """

    id: str
    status: str
    by: str = ""
    build: str = ""
    arch: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """What the mutants of one file have shown.

    file       as it is called; digest: of everything that the score depends on
    killed     how many mutants, by what killed them
    operators  by operator: how many were killed, and how many there were
    same       how many are the same machine code; refused: how many do not compile
    survivors  the mutants that nothing noticed
    mutants    how many mutants the file has; fewer were tried where a sample was asked for
    """

    file: str
    digest: str
    killed: Mapping[str, int]
    operators: Mapping[str, tuple[int, int]]
    same: int
    refused: int
    survivors: tuple[Mutant, ...]
    mutants: int

    @property
    def tried(self) -> int:
        """How many mutants were tried."""
        return sum(self.killed.values()) + len(self.survivors) + self.same + self.refused

    @staticmethod
    def of(file: str, digest: str, tried: Iterable[tuple[Mutant, Result]], mutants: int) -> Score:
        """Add up the results of some of a file's mutants."""
        killers: Counter[str] = Counter()
        operators: dict[str, list[int]] = {}
        counts: Counter[str] = Counter()
        alive = []
        for mutant, result in tried:
            counts[result.status] += 1
            if result.status in {KILLED, SURVIVED}:
                entry = operators.setdefault(mutant.operator, [0, 0])
                entry[0] += result.status == KILLED
                entry[1] += 1
            if result.status == KILLED:
                killers[result.by] += 1
            elif result.status == SURVIVED:
                alive.append(mutant)
        listed = {name: (entry[0], entry[1]) for name, entry in sorted(operators.items())}
        by = dict(sorted(killers.items()))
        return Score(file, digest, by, listed, counts[SAME], counts[REFUSED], tuple(alive), mutants)

    def gaps(self, arguments: Mapping[str, str]) -> tuple[Mutant, ...]:
        """Return the survivors that nobody has argued to be no mistakes."""
        return tuple(mutant for mutant in self.survivors if mutant.id not in arguments)

    def share(self, arguments: Mapping[str, str]) -> float:
        """Return the share of mistakes that were noticed; 1 when there were none."""
        killed = sum(self.killed.values())
        wrong = killed + len(self.gaps(arguments))
        return killed / wrong if wrong else 1.0

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "file": self.file,
            "digest": self.digest,
            "killed": dict(self.killed),
            "operators": {name: list(counts) for name, counts in self.operators.items()},
            "same_code": self.same,
            "refused": self.refused,
            "mutants": self.mutants,
            "survivors": [mutant.as_json() for mutant in self.survivors],
        }

    @staticmethod
    def read(data: Mapping[str, Any]) -> Score:
        """Return the score that `as_json` wrote."""
        return Score(
            data["file"],
            data["digest"],
            data["killed"],
            {name: (counts[0], counts[1]) for name, counts in data["operators"].items()},
            data["same_code"],
            data["refused"],
            tuple(Mutant(**entry) for entry in data["survivors"]),
            data["mutants"],
        )


def arguments_for(source: Path) -> dict[str, str]:
    """Return why mutants are no mistakes, by their ids, as the file beside a source says.

    Raises UsageError when that file is not as it should be.
    """
    for folder in (source.parent, source.parent.parent):
        path = folder / ARGUMENTS
        if path.is_file():
            return _read_arguments(path)
    return {}


def _read_arguments(path: Path) -> dict[str, str]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {str(entry["id"]): str(entry["reason"]) for entry in data}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{path} is not a list of objects with mutant, id and reason: {error!r}"
        ) from error


def chosen(
    mutants: Sequence[Mutant], operators: Sequence[str], ids: Sequence[str], limit: int | None
) -> tuple[Mutant, ...]:
    """Return the mutants of some operators or ids, at most *limit*, evenly spread.

    Raises UsageError when none is left.
    """
    kept = [
        mutant
        for mutant in mutants
        if (not operators or mutant.operator in operators) and (not ids or mutant.id in ids)
    ]
    if limit is not None and len(kept) > limit:
        kept = [kept[index * len(kept) // limit] for index in range(limit)]
    return tuple(kept)
