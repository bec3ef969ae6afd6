"""The pytest plugin: the device fixture, the markers, and what numerics tests have shown.

Everything heavy loads with the first test that asks for a device, so that a suite which merely
has hipaudit installed pays nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from hipaudit.errors import HipauditError, UsageError
from hipaudit.plugin_reports import VERDICT, annotate, verdicts

if TYPE_CHECKING:
    from hipaudit.device import Device
    from hipaudit.plugin_ledger import TestLedger

_DEFAULT_ARCHS = ("gfx942", "gfx1100")
_MARKERS = {
    "numerics": "judged against an oracle, on one part of each wave size",
    "memory": "memory safety at the API and in kernels; limit='24 MB': how far live memory may "
    "rise, keep='reason': it may leave memory behind, provokes=['leak', ...]: on purpose",
    "races": "data races",
    "faults": "seeded faults and their clean twins",
    "runtime": "the runtime under test",
    "isa": "what the AMD backend makes of a kernel",
    "bench": "speed; run with `make bench`",
    "rocm": "needs an AMD GPU: --hip-device rocm",
    "exhaustive": "every value of a large space; minutes to hours",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose the device."""
    group = parser.getgroup("hipaudit", "hipaudit: HIP kernels under audit")
    group.addoption(
        "--hip-device",
        choices=("emulated", "rocm"),
        default=None,
        help="the device that answers HIP calls; rocm fails without an AMD GPU. Default: "
        "HIPAUDIT_DEVICE, else a real GPU if there is one, else emulated",
    )
    group.addoption(
        "--hip-arch",
        metavar="ARCH[,ARCH]",
        default=None,
        help="the parts the emulated device presents itself as; default: gfx942,gfx1100",
    )
    group.addoption(
        "--hipaudit-replay",
        metavar="VERSION:BLOB",
        default=None,
        help="run one Hypothesis example again; `hipaudit replay TOKEN` passes it",
    )
    group.addoption(
        "--hip-ledger",
        choices=("on", "off"),
        default="on",
        help="fail tests that leave device memory or resources behind, or misuse HIP's API",
    )
    parser.addini(
        "hip_ledger_keep",
        type="linelist",
        help="what may stay alive: FILE[:LINE]: REASON, one a line",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and refuse options that cannot be met."""
    for name, meaning in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    _archs_asked(config)
    if config.getoption("--hip-ledger") == "on":
        _watch(config)
    explicit = config.getoption("--hip-device") or os.environ.get("HIPAUDIT_DEVICE")
    if explicit == "rocm":
        _bind(config)


def _watch(config: pytest.Config) -> None:
    """Have the ledger watch every test that uses the device."""
    from hipaudit.plugin_ledger import LedgerChecks, keep_list

    try:
        keep = keep_list(config.getini("hip_ledger_keep"))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    checks = LedgerChecks(lambda: _bind(config), keep)
    config.pluginmanager.register(checks, "hipaudit-ledger")


def _archs_asked(config: pytest.Config) -> tuple[str, ...]:
    """Return the parts of --hip-arch; none when it is not given."""
    given = config.getoption("--hip-arch")
    if not given:
        return ()
    if given == "both":
        return _DEFAULT_ARCHS
    from hipaudit.device import ARCHES

    archs = tuple(part.strip() for part in given.split(",") if part.strip())
    for arch in archs:
        if arch not in ARCHES:
            raise pytest.UsageError(f"--hip-arch: no part is called {arch!r}: {', '.join(ARCHES)}")
    return archs


def _choice(config: pytest.Config) -> str:
    """Return the device in use, without binding it."""
    from hipaudit.device import choose

    try:
        return choose(config.getoption("--hip-device"))
    except UsageError as error:
        raise pytest.UsageError(f"HIPAUDIT_DEVICE: {error}") from error


def _bind(config: pytest.Config) -> Device:
    """Bind the process to the device in use."""
    from hipaudit.device import bind

    try:
        return bind(_choice(config))
    except HipauditError as error:
        raise pytest.UsageError(f"hipaudit: {error}") from error


def pytest_report_header(config: pytest.Config) -> str:
    """Name the device that produces the evidence."""
    if _choice(config) == "rocm":
        return f"hipaudit: {_bind(config).title}"
    archs = _archs_asked(config) or _DEFAULT_ARCHS
    return f"hipaudit: emulated device, as {' and '.join(archs)}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked numerics on every part."""
    if "device" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("numerics")
    if marker is None or _choice(metafunc.config) == "rocm":
        return
    archs = _archs_asked(metafunc.config) or marker.kwargs.get("archs") or _DEFAULT_ARCHS
    metafunc.parametrize("device", archs, indirect=True, scope="session")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> Device:
    """The device that HIP calls reach, as the part that the test is run on."""
    bound = _bind(request.config)
    if bound.choice == "rocm":
        return bound
    asked = _archs_asked(request.config) or _DEFAULT_ARCHS
    return bound.with_arch(getattr(request, "param", asked[0]))


@pytest.fixture
def hip_ledger(request: pytest.FixtureRequest) -> TestLedger:
    """What the test does with device memory: snapshots, scopes, budgets, expected allocations."""
    from hipaudit.plugin_ledger import for_test

    return for_test(_bind(request.config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a GPU that is not there, and prepare a replay."""
    needs_gpu = pytest.mark.skip(reason="needs an AMD GPU: pytest --hip-device rocm")
    for item in items:
        if item.get_closest_marker("rocm") and _choice(config) != "rocm":
            item.add_marker(needs_gpu)
    blob = _blob(config)
    if blob is None:
        return
    from hypothesis import reproduce_failure

    from hipaudit.property import blob_bytes

    for item in items:
        function: Any = getattr(item, "function", None)
        if hasattr(function, "hypothesis"):
            reproduce_failure(blob[0], blob_bytes(blob[1]))(function)


def _blob(config: pytest.Config) -> tuple[str, str] | None:
    """Return the Hypothesis version and blob to replay."""
    given = config.getoption("--hipaudit-replay")
    if not given:
        return None
    version, separator, blob = given.partition(":")
    if not separator:
        raise pytest.UsageError("--hipaudit-replay takes VERSION:BLOB")
    return version, blob


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Collect what a numerics test shows; a pass has to be earned."""
    if item.get_closest_marker("numerics") is None:
        return (yield)
    from hipaudit.judge import VoidRun, raise_unless_earned
    from hipaudit.numerics import collecting

    blob = _blob(item.config)
    with collecting(blob, _title(item)) as active:
        broken = True
        try:
            result = yield
            broken = False
        finally:
            verdict = active.verdict()
            if verdict is not None:
                # A fault of the device, or an error on the way, leaves no wrong output behind.
                status = {"status": "failed"} if broken else {}
                data = json.dumps(verdict.as_json() | status, sort_keys=True)
                item.user_properties.append((VERDICT, data))
        if blob is None and verdict is not None:
            raise_unless_earned(verdict)
        elif blob is None and "device" in getattr(item, "fixturenames", ()):
            raise VoidRun(f"{item.name} is void: no example ran")
        return result


def _title(item: pytest.Item) -> str:
    """Return what a test is called in reports: without the part, which stands beside it."""
    from hipaudit.device import ARCHES

    name, _, parameters = item.name.removesuffix("]").partition("[")
    others = [part for part in parameters.split("-") if part and part not in ARCHES]
    return name.removeprefix("test_") + (f"[{'-'.join(others)}]" if others else "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the replay token to the report of a failed property."""
    report = yield
    if call.when == "call" and call.excinfo is not None and report.failed:
        text = _replay_text(item, call.excinfo.value)
        if text:
            report.sections.append(("hipaudit", text))
    return report


def _replay_text(item: pytest.Item, error: BaseException) -> str:
    """Return how to see a failure again; empty when Hypothesis gave no token for it."""
    if item.get_closest_marker("numerics") is None:
        return ""
    from hipaudit import replaytoken
    from hipaudit.property import failure_of

    failure = failure_of(error, "")
    if failure.blob is None:
        return ""
    version, blob = failure.blob
    task = {"what": "test", "node": item.nodeid, "version": version, "blob": blob}
    return f"replay: {replaytoken.command(task)}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show how near each kernel came to its bound, on passes too."""
    annotate(terminalreporter)
    rows = [_summary_row(verdict) for verdict in verdicts(terminalreporter)]
    if not rows:
        return
    head = ("kernel", "part", "examples", "elements", "error/bound", "ULP", "verdict")
    table = [head, *sorted(set(rows))]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    terminalreporter.write_sep("-", "hipaudit: worst error over bound")
    for row in table:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        cells += [row[column].rjust(widths[column]) for column in range(2, len(head))]
        terminalreporter.write_line("  ".join(cells).rstrip())


def _summary_row(verdict: dict[str, Any]) -> tuple[str, ...]:
    """Return one verdict's cells; names made inert, for they may come from anywhere."""
    from hipaudit.text import inert

    return (
        inert(verdict["name"]),
        inert(verdict["arch"]),
        f"{verdict['examples']:,}",
        f"{verdict['elements']:,}",
        f"{float(verdict['worst_ratio']):.2f}",
        f"{float(verdict['worst_ulp']):.3g}",
        verdict["status"],
    )
