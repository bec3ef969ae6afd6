"""The ledger in pytest: a test that leaves something behind on the device fails.

Every test is watched from its setup to the end of its teardown. What a fixture of a wider scope
makes is the fixture's, and is asked for when the fixture ends.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from hipaudit.device import Device, bound
from hipaudit.errors import UsageError
from hipaudit.ledger import Ledger, Scoped
from hipaudit.plugin_reports import add_findings
from hipaudit.text import inert, size

if TYPE_CHECKING:
    from hipaudit.finding import Finding
    from hipaudit.live import Diff, Live, Snapshot

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20}
_UNITS["GIB"] = 2**30
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?i?B?)", re.IGNORECASE)
_KEEP = re.compile(r"(?P<file>[^:\s]+)(?::(?P<line>\d+))?\s*:\s+(?P<reason>\S.*)")
_CACHED = frozenset({"module"})
"""What runtimes make once and keep, as their cache of compiled kernels."""
_ONE = {"allocations": "allocation", "launches": "launch", "copies": "copy", "streams": "stream"}
_MARK = "limit", "keep", "provokes"


@dataclass(frozen=True, slots=True)
class Marked:
    """What ``@pytest.mark.memory(...)`` says of a test.

    limit     how far live memory may rise above where the test began, in bytes
    keep      why the test may leave something behind; empty: it may not
    provokes  kinds of findings that it causes on purpose
    """

    marked: bool = False
    limit: int | None = None
    keep: str = ""
    provokes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """What a fixture of a wider scope made while it was set up: serials from *since* to *until*."""

    fixture: Any
    since: int
    until: int


@dataclass(slots=True)
class Watch:
    """A test under way: the serial at its beginning, and where its findings begin."""

    since: int = 0
    findings: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a test fails, in words, and as findings."""

    text: str
    findings: tuple[Finding, ...]


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class LedgerChecks:
    """The hooks; *bind* binds the process for tests that ask for the ledger by name."""

    bind: Callable[[], Device]
    keep: tuple[tuple[str, int, str], ...] = ()
    watch: Watch = field(default_factory=Watch)
    held: list[Held] = field(default_factory=list)
    kept: bool = False

    @staticmethod
    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        """Refuse marks that cannot be meant before anything runs."""
        try:
            for item in items:
                marked(item)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Note where the test begins."""
        if marked(item).marked or "hip_ledger" in getattr(item, "fixturenames", ()):
            self.bind()
        device, ledger = self._ledger()
        self.watch = Watch()
        if device is not None and ledger is not None:
            self.watch = Watch(ledger.snapshot(), ledger.findings(), device.journal_size())
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        """Note what a fixture of a wider scope makes."""
        _, before = self._ledger()
        since = before.snapshot() if before is not None else 0
        result = yield
        _, after = self._ledger()
        until = after.snapshot() if after is not None else 0
        if until > since and fixturedef.scope != "function":
            self.held.append(Held(fixturedef, since, until))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Hold the test's body to its limit."""
        limit = marked(item).limit
        _, ledger = self._ledger()
        if limit is None or ledger is None:
            return (yield)
        number = ledger.scope_begin(item.nodeid)
        try:
            result = yield
        finally:
            scope = ledger.scope_end(number)
        if scope.growth > limit:
            pytest.fail(_over(scope, limit), pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that left something behind, or did something that it must not."""
        result = yield
        device, ledger = self._ledger()
        if device is None or ledger is None:
            return result
        said = marked(item)
        problems = self._left(ledger, said) + self._found(device, ledger, said)
        if problems and not _failed(item):
            for problem in problems:
                add_findings(item, problem.findings)
            pytest.fail("\n\n".join(problem.text for problem in problems), pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember a test that failed: what it leaves behind is not its worst."""
        report = yield
        if call.when != "teardown" and report.failed:
            item.stash[_FAILED] = True
        return report

    def _ledger(self) -> tuple[Device | None, Ledger | None]:
        """Return the device and its ledger, told once what is kept on purpose."""
        device = bound()
        ledger = device.ledger if device is not None else None
        if ledger is not None and not self.kept:
            self.kept = True
            for file, line, reason in self.keep:
                ledger.expect_site(file, line, reason)
        return device, ledger

    def _left(self, ledger: Ledger, said: Marked) -> list[Problem]:
        """Return what the test, and the fixtures that ended with it, left behind."""
        from hipaudit.live import listing

        ended = [held for held in self.held if held.fixture.cached_result is None]
        self.held = [held for held in self.held if held.fixture.cached_result is not None]
        if said.keep:
            return []
        problems = []
        left = remaining(ledger, self.watch.since, 0, [*self.held, *ended])
        if left:
            problems.append(Problem(f"left behind on the device:\n{listing(left)}", _leaks(left)))
        for held in ended:
            left = remaining(ledger, held.since, held.until, [])
            if left:
                name = f"{held.fixture.scope} fixture {held.fixture.argname}"
                text = f"left behind by the {name}:\n{listing(left)}"
                problems.append(Problem(text, _leaks(left)))
        return problems

    def _found(self, device: Device, ledger: Ledger, said: Marked) -> list[Problem]:
        """Return the errors that the test caused and did not mean to."""
        if ledger.findings() == self.watch.findings and not said.marked:
            return []
        from hipaudit.finding import Reader

        records = [
            record
            for record in device.records_since(self.watch.offset)
            if said.marked or record.get("source") == "ledger"
        ]
        found = [one for one in Reader().findings(records) if one.severity == "error"]
        return [Problem(_described(one), (one,)) for one in found if one.kind not in said.provokes]


def remaining(ledger: Ledger, since: int, until: int, others: list[Held]) -> tuple[Live, ...]:
    """Return what was made then, lives, is not expected, and is not a wider fixture's."""
    left = _theirs(ledger, since, until, others)
    if left:
        gc.collect()  # a buffer in a cycle is not lost
        left = _theirs(ledger, since, until, others)
    return left


def _theirs(ledger: Ledger, since: int, until: int, others: list[Held]) -> tuple[Live, ...]:
    from hipaudit.live import lives

    items = [
        item
        for item in ledger.live(since, until)
        if item.get("expected") is None
        and item["kind"] not in _CACHED
        and not any(held.since < item["serial"] <= held.until for held in others)
    ]
    return lives(items)


_FAILED = pytest.StashKey[bool]()


def _failed(item: pytest.Item) -> bool:
    return item.stash.get(_FAILED, False)


def _leaks(left: Sequence[Live]) -> tuple[Finding, ...]:
    """Return what was left behind as findings."""
    from hipaudit.finding import Finding, identified

    drafts = (
        Finding("", "leak", "error", "", "", f"{one.text()} was never freed", location=one.born)
        for one in left
    )
    return tuple(identified(draft) for draft in drafts)


def _described(finding: Finding) -> str:
    """Return a finding with the stacks of both its sides."""
    from hipaudit.live import stack_lines

    lines = [f"{finding.kind}: {inert(finding.message)}"]
    for label, side in (("at", finding.location), ("against", finding.other_location)):
        if side is not None:
            lines.append(inert(f"  {label} {side.file}:{side.line}, {side.call or side.function}"))
            lines += stack_lines(side)
    return "\n".join(lines)


def _over(scope: Scoped, limit: int) -> str:
    return (
        f"live device memory rose by {size(scope.growth)}, the limit is {size(limit)}: "
        f"{scope.allocations} allocations of {size(scope.bytes)} in all"
    )


def marked(item: pytest.Item) -> Marked:
    """Return what a test's ``memory`` marks say; UsageError for what they cannot say."""
    limit, keep, provokes, found = None, "", frozenset[str](), False
    for mark in reversed(list(item.iter_markers("memory"))):
        found = True
        unknown = set(mark.kwargs) - set(_MARK)
        if mark.args or unknown:
            raise UsageError(
                f"{item.nodeid}: pytest.mark.memory takes {', '.join(_MARK)} by name, "
                f"not {', '.join([*map(repr, mark.args), *sorted(unknown)])}"
            )
        limit = bytes_of(mark.kwargs["limit"]) if "limit" in mark.kwargs else limit
        keep = str(mark.kwargs.get("keep", keep))
        provokes |= frozenset(mark.kwargs.get("provokes", ()))
    return Marked(found, limit, keep, provokes)


def bytes_of(limit: int | str) -> int:
    """Return a limit in bytes: a number, or ``24 MB``, ``1.5 MiB``; UsageError for others."""
    if isinstance(limit, int):
        return limit
    match = _LIMIT.fullmatch(limit.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise UsageError(f"a memory limit of {limit!r}: it takes bytes, or like '24 MB', '1.5 MiB'")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def keep_list(lines: list[str]) -> tuple[tuple[str, int, str], ...]:
    """Return the ini option ``hip_ledger_keep``; UsageError for a line without a reason."""
    kept = []
    for line in lines:
        match = _KEEP.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"hip_ledger_keep: {line!r} is not 'FILE[:LINE]: REASON'")
        kept.append((match["file"], int(match["line"] or 0), match["reason"]))
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class TestLedger:
    """What the ``hip_ledger`` fixture gives a test."""

    __test__ = False

    device: Device
    ledger: Ledger
    began: Snapshot
    offset: int

    def snapshot(self) -> Snapshot:
        """Return what lives now."""
        from hipaudit.live import snapshot

        return snapshot()

    def diff(self, before: Snapshot | None = None) -> Diff:
        """Return what changed since a snapshot, or since the test began."""
        from hipaudit.live import diff

        return diff(before or self.began, self.snapshot())

    def findings(self, kind: str | None = None) -> tuple[Finding, ...]:
        """Return the findings since the test began, of one kind or of all."""
        from hipaudit.finding import Reader

        found = Reader().findings(self.device.records_since(self.offset))
        return tuple(one for one in found if kind is None or one.kind == kind)

    def expect(self, memory: Any, reason: str) -> None:
        """Declare that live memory or a resource is no leak; UsageError when it is not there."""
        address = _address(memory)
        if not self.ledger.expect(address, reason):
            raise UsageError(f"nothing lives at {address:#x}: it cannot be expected")

    @contextmanager
    def scope(self, name: str = "scope") -> Iterator[list[Scoped]]:
        """Count what happens within; the list holds the result afterwards."""
        result: list[Scoped] = []
        number = self.ledger.scope_begin(name)
        try:
            yield result
        finally:
            result.append(self.ledger.scope_end(number))

    @contextmanager
    def budget(self, limit: int | str) -> Iterator[None]:
        """Have allocations beyond a limit of live memory fail, as on a device that is full."""
        self.ledger.budget(bytes_of(limit))
        try:
            yield
        finally:
            self.ledger.budget(0)

    @contextmanager
    def failing(self, number: int, what: str = "allocations") -> Iterator[None]:
        """Have the *number*-th of such calls within fail as out of memory, and no other.

        *what* as `Ledger.fail` says: allocations, launches, copies or streams.
        """
        self.ledger.fail(number, what)
        try:
            yield
        finally:
            self.ledger.fail(0)

    def fail_each(
        self,
        run: Callable[[], object],
        error: type[BaseException] | tuple[type[BaseException], ...],
        what: str = "allocations",
    ) -> int:
        """Run a function once for each of its allocations, with that one failing.

        Or for each of its launches, copies or streams: *what*, as `Ledger.fail` says. Each time an
        *error* must be raised, nothing be left behind, and the function work again. Returns how
        many there are. Raises AssertionError, with the number of the one that failed, where that
        does not hold; any other error of the function goes through.
        """
        one = _ONE.get(what, what)
        run()  # what is made once and kept is made now
        number, failed = 0, True
        while failed:
            number += 1
            since = self.ledger.snapshot()
            raised = False
            try:
                with self.failing(number, what):
                    run()
                    failed = self.ledger.asked() >= number
            except error:
                raised = True
            self._nothing_left(since, f"{one} {number} failed")
            if failed and not raised:
                raise AssertionError(f"{one} {number} failed, and no error was raised")
            if failed:
                run()
                self._nothing_left(since, f"the run after the one whose {one} {number} failed")
        return number - 1

    def _nothing_left(self, since: int, when: str) -> None:
        from hipaudit.live import listing

        if left := remaining(self.ledger, since, 0, []):
            raise AssertionError(f"{when}: left behind on the device:\n{listing(left)}")


def _address(memory: Any) -> int:
    """Return the address of a pointer of hip-python's, of a number, or of what has one."""
    for name in ("address", "value"):
        if hasattr(memory, name):
            return int(getattr(memory, name))
    if hasattr(memory, "as_c_void_p"):
        return int(memory.as_c_void_p().value or 0)
    return int(cast("int", memory))


def for_test(device: Device) -> TestLedger:
    """Return the fixture's value for the test that begins."""
    from hipaudit.live import snapshot

    if device.ledger is None:
        raise UsageError(f"the {device.choice} device of this process has no ledger")
    return TestLedger(device, device.ledger, snapshot(), device.journal_size())
