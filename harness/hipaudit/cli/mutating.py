"""The work of hipaudit mutate: which mutants, their run under a progress bar, and the outcome."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hipaudit import native_build
from hipaudit.audits import mutation_scores
from hipaudit.audits.mutation import specs_of
from hipaudit.errors import UsageError, VoidError
from hipaudit.finding import Finding, Findings, Location
from hipaudit.mutation import command
from hipaudit.mutation.mutant import HINTS, Mutant, mutants_of
from hipaudit.mutation.result import ARGUMENTS, KILLED, Result, Score, arguments_for, chosen
from hipaudit.outcome import Outcome
from hipaudit.report.mutation_page import write_page
from hipaudit.report.terminal import console
from hipaudit.resources import kernels_folder
from hipaudit.spec import BOTH_WAVES
from hipaudit.text import inert, plural

Tick = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to mutate: files (none: the library's), operators and ids (none: all), how many."""

    files: tuple[Path, ...]
    operators: tuple[str, ...]
    ids: tuple[str, ...]
    limit: int | None
    jobs: int

    @property
    def fair(self) -> bool:
        """Whether the mutants that are meant are all of a file, or an even sample of them."""
        return not self.operators and not self.ids

    @property
    def at_once(self) -> int:
        """How many children run at once."""
        return self.jobs or os.cpu_count() or 1

    def pick(self, mutants: Sequence[Mutant]) -> tuple[Mutant, ...]:
        """Return the mutants that are meant. Raises UsageError for an unknown operator."""
        unknown = [name for name in self.operators if name not in HINTS]
        if unknown:
            names = ", ".join(sorted(HINTS))
            raise UsageError(f"no operator is called {unknown[0]!r}; there are {names}")
        return chosen(mutants, self.operators, self.ids, self.limit)


def show_list(choice: Choice) -> None:
    """Print the mutants that would be tried."""
    to = console()
    for path in _paths(choice):
        mutants = choice.pick(mutants_of(_read(path), _name_of(path)))
        for mutant in mutants:
            to.print(f"{inert(str(path))}:{mutant.line}: {mutant.id} {inert(mutant.sentence())}")
        to.print(f"{inert(str(path))}: {plural(len(mutants), 'mutant')}")


def _paths(choice: Choice) -> list[Path]:
    if choice.files:
        return list(choice.files)
    return [kernels_folder() / name for name in mutation_scores.library_files()]


def _name_of(path: Path) -> str:
    """Return the name that mutants' ids are made of: a library file's is that in its folder."""
    full, folder = path.resolve(), kernels_folder().resolve()
    return full.relative_to(folder).as_posix() if full.is_relative_to(folder) else path.name


def _read(path: Path) -> bytes:
    """Return a file's bytes. Raises UsageError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def run_program(choice: Choice, program: Sequence[str], arch: str, *, plain: bool) -> Outcome:
    """Try the mutants of one file against a program of the user's."""
    if len(choice.files) != 1 or not program:
        raise UsageError("with a program behind --, name one file to mutate before it")
    path = choice.files[0]
    source = _read(path)
    name = _name_of(path)
    mutants = _some(choice.pick(mutants_of(source, name)), str(path))
    build = "plain" if plain else "checked"
    settings = {"arch": arch, "build": build, "timeout": "10", "workers": "1"}
    runner = command.Program(tuple(program), source, settings)
    console(stderr=True).print("running the program with the file as it is ...")
    before = command.baseline(runner)
    with _ticking(len(mutants), path.name) as tick:
        results = command.try_all(runner, mutants, before, jobs=choice.at_once, tick=tick)
    tried = [(mutant, results[mutant.id]) for mutant in mutants]
    score = Score.of(str(path), "", tried, len(mutants_of(source, name)))
    return _outcome([(score, path)], (arch,), f" -- {shlex.join(program)}")


def _some(mutants: tuple[Mutant, ...], what: str) -> tuple[Mutant, ...]:
    if not mutants:
        raise VoidError(f"nothing to mutate in {what}: it has no device code that the choice fits")
    return mutants


def run_library(choice: Choice, kept: Path | None, *, fresh: bool) -> Outcome:
    """Try mutants of the library's files against its specs; keep scores in *kept*."""
    native_build.device_libraries()  # built once, before children want it
    names = _library_names(choice.files)
    scores = mutation_scores.read_scores(kept) if kept is not None else {}
    digests = {name: mutation_scores.digest_of(name) for name in names}
    folder = kernels_folder()
    made = {name: mutants_of((folder / name).read_bytes(), name) for name in names}
    picked = {name: choice.pick(mutants) for name, mutants in made.items()}
    for name in names:
        known = scores.get(name)
        if known is None or fresh or not choice.fair or known.digest != digests[name]:
            continue
        if known.tried >= len(picked[name]):
            del picked[name]
    total = sum(map(len, picked.values()))
    if picked:
        _some(tuple(mutant for listed in picked.values() for mutant in listed), ", ".join(picked))
    keep = kept if choice.fair else None
    with _ticking(total, plural(len(picked), "file")) as tick:
        for name, results in mutation_scores.try_all(picked, jobs=choice.at_once, tick=tick):
            tried = [(mutant, results[mutant.id]) for mutant in picked[name]]
            scores[name] = Score.of(name, digests[name], tried, len(made[name]))
            if keep is not None:  # at once: what is known survives an interrupt
                mutation_scores.write_scores(scores, keep)
    if keep is not None:
        there = set(mutation_scores.library_files())
        scores = {name: score for name, score in scores.items() if name in there}
        mutation_scores.write_scores(scores, keep)
        write_page(list(scores.values()), arguments_for(folder / "any"), BOTH_WAVES, keep)
    shown = [(scores[name], folder / name) for name in names if name in scores]
    outcome = _outcome(shown, BOTH_WAVES, "")
    stale = [] if choice.files else _stale_arguments(made)
    return replace(outcome, notes=(*outcome.notes, *stale))


def _stale_arguments(made: Mapping[str, Sequence[Mutant]]) -> list[str]:
    """Return a note when arguments are about mutants that the library no longer gives."""
    there = {mutant.id for mutants in made.values() for mutant in mutants}
    stale = sorted(set(arguments_for(kernels_folder() / "any")) - there)
    if not stale:
        return []
    return [f"{ARGUMENTS} argues about code that is no more: {', '.join(stale)}"]


def _library_names(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the library's names of files.

    Raises UsageError for a file that no spec of the library runs.
    """
    if not files:
        return mutation_scores.library_files()
    folder = kernels_folder()
    names = []
    for path in files:
        full = path.resolve() if path.exists() else folder / path
        if not full.is_file():
            raise UsageError(f"{path} is not a file")
        if not full.is_relative_to(folder.resolve()):
            raise UsageError(
                f"{path} is not one of the library's files: name the tests that run it: "
                f"hipaudit mutate {path} -- pytest ..."
            )
        name = full.relative_to(folder.resolve()).as_posix()
        specs_of(name)
        names.append(name)
    return tuple(names)


@contextmanager
def _ticking(total: int, what: str) -> Iterator[Tick]:
    """Show progress on standard error; a line at the end where that is no terminal."""
    counts: Counter[str] = Counter()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=total)

        def tick(result: Result) -> None:
            counts["killed" if result.status == KILLED else result.status] += 1
            words = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
            bar.update(task, advance=1, description=f"{what}: {words}")

        yield tick


def _outcome(scores: Sequence[tuple[Score, Path]], archs: Sequence[str], program: str) -> Outcome:
    """Return what scores add up to: a finding for each survivor that nobody has argued about."""
    findings: list[Finding] = []
    notes = []
    for score, path in scores:
        arguments = arguments_for(path)
        shown = _shown(path)
        findings += [
            _finding(mutant, shown, path, archs, program) for mutant in score.gaps(arguments)
        ]
        notes.append(_sentence(score, shown, arguments))
    tried = sum(sum(score.killed.values()) + len(score.survivors) for score, _ in scores)
    return Outcome(
        f"emulated device, as {' and '.join(archs)}",
        ",".join(archs),
        (),
        Findings(tuple(findings)),
        tuple(notes),
        None if tried else "no mutant compiled to anything else than the file does",
        tuple(score.as_json() for score, _ in scores),
    )


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _sentence(score: Score, shown: str, arguments: Mapping[str, str]) -> str:
    gaps = len(score.gaps(arguments))
    argued = len(score.survivors) - gaps
    killers = ", ".join(f"{name} {count}" for name, count in score.killed.items())
    killed = sum(score.killed.values())
    parts = [f"{shown}: {killed} of {killed + gaps} mistakes noticed"]
    parts[0] += f" ({100 * score.share(arguments):.1f} %)" if killed + gaps else ""
    parts += [killers] if killers else []
    parts += [f"{argued} argued to be none"] if argued else []
    parts += [f"{score.same} the same machine code"] if score.same else []
    parts += [f"a sample of {score.mutants}"] if score.tried < score.mutants else []
    return "; ".join(parts)


def _finding(mutant: Mutant, shown: str, path: Path, archs: Sequence[str], program: str) -> Finding:
    before, after = mutant.diff(path.read_bytes())
    return Finding(
        id=f"mutant-survived-{mutant.id}",
        kind="mutant-survived",
        severity="warning",
        kernel=mutant.function,
        arch=",".join(archs),
        message=(f"nothing noticed {mutant.sentence()}. What would: {HINTS[mutant.operator]}"),
        location=Location(shown, mutant.line, mutant.function),
        input=f"- {before}   + {after}",
        replay=f"hipaudit mutate {shown} --mutant {mutant.id}{program}",
    )
