"""Progress of many parts at once: a bar each on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hipaudit.report.terminal import console
from hipaudit.text import inert, plural

_PAUSE_S = 10.0
"""Between two lines where there is no terminal."""


class Board:
    """Says on standard error what runs, what is done and what is left; a context manager.

    On a terminal: a bar for each part that runs, and one for all parts. Elsewhere: a line when a
    part ends, at most one in ten seconds.
    """

    def __init__(self, parts: int, done: int) -> None:
        self._parts = parts
        self._done = done
        self._running: list[str] = []
        self._said = time.monotonic()
        self._lock = threading.Lock()
        self._live = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description:24}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console(stderr=True),
            disable=not self._live,
        )
        self._all = self._bar.add_task("parts", total=parts, completed=done)

    def __enter__(self) -> Board:  # noqa: PYI034 - Self is not in Python 3.10
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, name: str, total: int) -> Callable[[], None]:
        """Show a part that begins; return what moves it by one step."""
        with self._lock:
            self._running.append(name)
        task = self._bar.add_task(inert(name), total=total)
        return lambda: self._bar.advance(task)

    def end(self, name: str) -> None:
        """Show that a part has ended."""
        with self._lock:
            self._running.remove(name)
            self._done += 1
            for task in self._bar.tasks:
                if task.description == inert(name):
                    self._bar.remove_task(task.id)
            self._bar.update(self._all, completed=self._done)
            now = time.monotonic()
            if self._live or (now - self._said < _PAUSE_S and self._done < self._parts):
                return
            self._said = now
            sys.stderr.write(f"hipaudit: {self._line()}\n")

    def _line(self) -> str:
        left = self._parts - self._done - len(self._running)
        running = f"; running: {', '.join(map(inert, self._running))}" if self._running else ""
        return f"{self._done} of {plural(self._parts, 'part')} done{running}; {left} wait"
