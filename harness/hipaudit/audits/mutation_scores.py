"""Mutation scores of the library's files: batches of mutants in children, results kept as data."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from hipaudit import library
from hipaudit.audits.mutation import specs_of
from hipaudit.child import run_in_child
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.mutation.mutant import Mutant, mutants_of
from hipaudit.mutation.result import KILLED, Result, Score
from hipaudit.resources import kernels_folder
from hipaudit.spec import BOTH_WAVES
from hipaudit_runtime import sources

_BATCH = 40
_BATCH_LIMIT_S = 900.0
DATA = "mutation.json"
"""The file in the reports' folder that keeps scores."""

Tick = Callable[[Result], None]


def library_files() -> tuple[str, ...]:
    """Return the library's kernel files and the headers that they include by quotes."""
    folder = kernels_folder()
    kernels = sorted({spec.source for spec in SPECS})
    headers = {name for kernel in kernels for name in sources.read(folder / kernel).headers}
    return (*kernels, *sorted(headers))


def digest_of(file: str) -> str:
    """Return a digest of what a file's score depends on.

    The file with its headers, its mutants, and the modules of the specs that run it. What changes
    beyond those (a reference, a bound, the device) is not seen.
    """
    specs = specs_of(file)
    found = sources.read(kernels_folder() / file)
    parts = [found.text, *(text for _, text in sorted(found.headers.items()))]
    parts += [
        _text(module)
        for module in _modules(library)
        if any(spec in getattr(module, "SPECS", ()) for spec in specs)
    ]
    for mutant in mutants_of(found.text.encode(), file):
        parts += [mutant.id, mutant.replacement]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_stale(score: Score) -> bool:
    """Return whether the file, its mutants or its specs are others than those of the score."""
    return score.file not in library_files() or score.digest != digest_of(score.file)


@functools.cache
def _modules(package: ModuleType) -> tuple[ModuleType, ...]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names)


def _text(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


def try_all(
    mutants: Mapping[str, Sequence[Mutant]], *, jobs: int, tick: Tick
) -> Iterator[tuple[str, dict[str, Result]]]:
    """Try mutants by file, so many batches at once; yield each file's results by id when known."""
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        futures = {
            file: [
                pool.submit(_try_batch, listed[start : start + _BATCH], tick, stop)
                for start in range(0, len(listed), _BATCH)
            ]
            for file, listed in mutants.items()
        }
        try:
            for file, batches in futures.items():
                results: dict[str, Result] = {}
                for batch in batches:
                    results |= batch.result()
                yield file, results
        except BaseException:
            stop.set()  # an interrupt ends the children as well: no new ones for what they left
            pool.shutdown(cancel_futures=True)
            raise


def _try_batch(batch: Sequence[Mutant], tick: Tick, stop: threading.Event) -> dict[str, Result]:
    """Try mutants of one file in children: a new one after each that dies or does not recover."""
    results: dict[str, Result] = {}

    def note(data: Mapping[str, str]) -> None:
        result = Result(**data)
        results[result.id] = result
        tick(result)

    left = list(batch)
    while left and not stop.is_set():
        payload = {
            "file": left[0].file,
            "archs": list(BOTH_WAVES),
            "mutants": [mutant.as_json() for mutant in left],
        }
        before = len(results)
        child = run_in_child(
            "hipaudit.audits.mutation:try_in_child",
            payload,
            choice="emulated",
            settings={"workers": "1"},
            limit_s=_BATCH_LIMIT_S,
            progress=note,
        )
        done = len(results) - before
        if child.death is not None and done < len(left):
            note({"id": left[done].id, "status": KILLED, "by": str(child.death["kind"])})
            done += 1
        left = left[done:]
    return results


def read_scores(folder: Path) -> dict[str, Score]:
    """Return the scores kept in a folder, by file; none when it keeps none."""
    path = folder / DATA
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["scores"]
        return {entry["file"]: Score.read(entry) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} does not hold mutation scores: {error!r}: delete it") from error


def write_scores(scores: Mapping[str, Score], folder: Path) -> None:
    """Keep scores in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"scores": [scores[file].as_json() for file in sorted(scores)]}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    (folder / DATA).write_text(text, encoding="utf-8")
