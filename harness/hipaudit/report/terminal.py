"""An outcome as text for a terminal. Colours only where the output is one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from hipaudit.finding import Finding, Location
from hipaudit.memory import MemoryUse
from hipaudit.outcome import Outcome
from hipaudit.report.excerpt import excerpt, place, sides, steps, what, who
from hipaudit.text import inert, plural, size

_MOST_ROWS = 12
_MOST_OWNERS = 5
_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def console(file: IO[str] | None = None, *, stderr: bool = False) -> Console:
    """Return a console that shows text as it is: no markup, no emoji, no folding."""
    return Console(
        file=file, stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True
    )


@contextmanager
def busy(what: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that work goes on; yield what changes the words."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with console(stderr=True).status(Text(inert(what))) as status:
        yield lambda words: status.update(Text(inert(words)))


def show(outcome: Outcome, to: Console) -> None:
    """Print an outcome: findings with both sides, then what ran and the verdict."""
    for finding, archs in _by_cause(outcome.findings.items):
        _show_finding(finding, archs, outcome.acceptance(finding), to)
    if outcome.findings.dropped:
        to.print(f"{plural(outcome.findings.dropped, 'more root cause')} not listed", style="bold")
    for line in _kernel_lines(outcome.kernels):
        to.print(line)
    for line in _barrier_lines(outcome.kernels):
        to.print(Text(line, style="dim"))
    if outcome.memory is not None:
        _show_memory(outcome.memory, to)
    for note in outcome.notes:
        to.print(Text.assemble(("note: ", "cyan"), inert(note)))
    to.print(_verdict(outcome))


def _by_cause(findings: Sequence[Finding]) -> list[tuple[Finding, list[str]]]:
    """Return each root cause once, with the parts it was found on."""
    causes: dict[str, tuple[Finding, list[str]]] = {}
    for finding in findings:
        causes.setdefault(finding.id, (finding, []))[1].append(finding.arch)
    return list(causes.values())


def _show_finding(finding: Finding, archs: list[str], accepted: str, to: Console) -> None:
    head = Text.assemble((finding.severity, _STYLES[finding.severity]), ": ")
    head.append(inert(finding.kind), style="bold")
    if finding.kernel:
        head.append(f" in {inert(finding.kernel)}")
    head.append(f" on {', '.join(inert(arch) for arch in archs if arch) or 'the host'}")
    if finding.count > 1:
        head.append(f", {plural(finding.count, 'time')}")
    to.print(head)
    to.print(f"  {inert(finding.message)}")
    touched = what(finding)
    if touched and not (
        finding.allocation and f" of {finding.allocation.name} (" in finding.message
    ):
        to.print(f"  {touched}")
    for label, location in sides(finding):
        _show_side(location, label, to)
    for name, value in (("input", finding.input), ("replay", finding.replay), ("id", finding.id)):
        if value:
            to.print(Text.assemble(f"  {name}: ", (inert(value), "dim")))
    if accepted:
        to.print(Text(f"  {inert(accepted)}", style="bold"))
    to.print()


def _show_side(location: Location, label: str, to: Console) -> None:
    """Print one side: where, who, and the source with the line marked."""
    line = Text.assemble(f"  {label} ", (place(location), "bold"))
    running = who(location)
    if running:
        line.append(f", {running}")
    to.print(line)
    for source in excerpt(location):
        mark = ">" if source.marked else " "
        style = "bold" if source.marked else "dim"
        to.print(Text(f"    {mark} {source.number:5} | {source.text}", style=style))
    for step in steps(location):
        to.print(Text(f"      {'from' if location.call else 'via'} {step}", style="dim"))


def _show_memory(memory: MemoryUse, to: Console) -> None:
    """Print the high-water mark and who owned it."""
    if not memory.allocations:
        return
    to.print(
        f"memory: {plural(memory.allocations, 'allocation')} of {size(memory.bytes)}, "
        f"at most {size(memory.peak_bytes)} at once"
    )
    for site in memory.owners[:_MOST_OWNERS]:
        where = place(site.location)
        to.print(Text(f"  {size(site.peak_bytes):>12}  {site.kind}, {where}", style="dim"))
    more = memory.owners[_MOST_OWNERS:]
    if more:
        rest = f"{plural(len(more), 'more place')}"
        to.print(Text(f"  {size(sum(site.peak_bytes for site in more)):>12}  {rest}", style="dim"))


def _kernel_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line a kernel and part; of many, their sums a part."""
    rows = [row for row in rows if "launches" in row]  # code that was studied did not run
    if len(rows) <= _MOST_ROWS:
        return [_kernel_line(row) for row in rows]
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        empty = {"name": "", "arch": row["arch"], "launches": 0, "threads": 0, "accesses": 0}
        total = sums.setdefault(str(row["arch"]), {**empty, "kernels": 0})
        for key in ("launches", "threads", "accesses"):
            total[key] += row[key]
        total["kernels"] += 1
        total["name"] = plural(total["kernels"], "kernel")
    return [_kernel_line(sums[arch]) for arch in sorted(sums)]


def _barrier_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line a barrier and verdict, with the parts that it holds on."""
    lines: dict[tuple[str, int, str], tuple[str, list[str]]] = {}
    for row in rows:
        for barrier in row.get("barriers") or ():
            key = (str(barrier["file"]), int(barrier["line"]), str(barrier["verdict"]))
            lines.setdefault(key, (str(barrier["why"]), []))[1].append(str(row["arch"]))
    return [
        inert(f"barrier at {file}:{line} on {', '.join(archs)}: {verdict}{why and f', {why}'}")
        for (file, line, verdict), (why, archs) in sorted(lines.items())
    ]


def _kernel_line(row: dict[str, Any]) -> str:
    parts = [plural(row["launches"], "launch", "launches")]
    given_up = not row["threads"] and row.get("accesses")
    parts.append("given up" if given_up else plural(row["threads"], "thread"))
    if row.get("accesses"):
        parts.append(f"{plural(row['accesses'], 'access', 'accesses')} checked")
    if "launch_ms" in row:
        parts.append(f"{row['launch_ms']} ms")
    return f"ran {inert(str(row['name']))} on {inert(str(row['arch']))}: {', '.join(parts)}"


def _verdict(outcome: Outcome) -> Text:
    count = len({finding.id for finding in outcome.findings.items})
    device = f" ({inert(outcome.device)})"
    if count:
        return Text.assemble((plural(count, "finding"), "bold red"), _known(outcome), device)
    if outcome.void is not None:
        return Text.assemble(("void", "bold yellow"), f": {inert(outcome.void)}{device}")
    return Text.assemble(("clean", "bold green"), f": no findings{device}")


def _known(outcome: Outcome) -> str:
    """Return how many findings are accepted; empty when none is."""
    known = len({one.id for one in outcome.findings.items if outcome.accepted(one)})
    return f", {known} of them accepted" if known else ""
