"""hipaudit baseline: which findings are accepted, by whom, why and until when."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from hipaudit import baseline
from hipaudit.errors import UsageError
from hipaudit.report.terminal import console
from hipaudit.text import inert, plural

_DAYS = 90
_EPILOG = (
    "Examples:\n\n"
    "hipaudit check my.hip --grid 64 --block 256 --arg f32[16384] --json findings.json\n\n"
    "hipaudit baseline add --from findings.json --reason 'known, TEAM-12' --owner ada\n\n"
    "hipaudit baseline add race-shared-bbb6ee8c2f --reason 'writers agree' --owner ada "
    "--expires 2027-01-31\n\n"
    "hipaudit baseline list\n\n"
    "hipaudit baseline prune --from findings.json\n\n"
    "Then `--fail-on new` fails for what is not accepted, and for what is accepted no longer."
)

File: TypeAlias = Annotated[
    Path, typer.Option("--baseline", metavar="FILE", help="The baseline file.")
]
From: TypeAlias = Annotated[
    Path | None,
    typer.Option("--from", metavar="JSON", help="What a command wrote with --json."),
]


def register(app: typer.Typer) -> None:
    """Add the command with its three verbs."""
    group = typer.Typer(
        help="Keep the file of accepted findings for --fail-on new.",
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add", help=_add.__doc__)(_add)
    group.command("list", help=_list.__doc__)(_list)
    group.command("prune", help=_prune.__doc__)(_prune)
    app.add_typer(group, name="baseline")


def _add(
    reason: Annotated[str, typer.Option(help="Why the finding may stay.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    finding: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all of --from.")
    ] = None,
    found: From = None,
    expires: Annotated[
        str, typer.Option(metavar="DATE", help=f"The last day; default: in {_DAYS} days.")
    ] = "",
    file: File = baseline.DEFAULT,
) -> None:
    """Accept findings, by id or all that a run found, for a time."""
    about = _found(found) if found else {}
    ids = list(dict.fromkeys(finding or about))
    if not finding and found is None:
        raise UsageError("nothing to accept: name ids, or a run's JSON with --from")
    if unknown := [one for one in ids if found and one not in about]:
        raise UsageError(f"{found} has no finding {unknown[0]}")
    last = _date(expires) if expires else baseline.today() + dt.timedelta(days=_DAYS)
    if last < baseline.today():
        raise UsageError(f"--expires {last}: that day is over")
    if not finding and file.exists():
        known = baseline.load(file).entries
        ids = [one for one in ids if one not in known]
    if not ids:
        console().print("nothing to accept: no finding is new")
        return
    entries = [baseline.Accepted(one, reason, owner, last) for one in ids]
    added = baseline.add(file, entries, about)
    console().print(f"{plural(len(added), 'finding')} accepted until {last} in {inert(str(file))}")


def _list(found: From = None, file: File = baseline.DEFAULT) -> None:
    """List the accepted findings; with --from, say which of them the run still found."""
    loaded, about = baseline.load(file), _found(found) if found else {}
    to = console()
    for entry in loaded.entries.values():
        state = loaded.state(entry.id)
        seen = "" if found is None else ", found" if entry.id in about else ", not found"
        to.print(f"{entry.id}  {state}{seen}  until {entry.expires}  {inert(entry.owner)}")
        to.print(f"  {inert(entry.reason)}")
    late = len(loaded.expired())
    to.print(f"{plural(len(loaded.entries), 'entry', 'entries')}, {late} of them expired")


def _prune(found: From = None, file: File = baseline.DEFAULT) -> None:
    """Take out what has expired; with --from, also what the run found no more.

    Give --from the JSON of a run that covers everything that the file is about.
    """
    loaded = baseline.load(file)
    gone = {entry.id for entry in loaded.expired()}
    if found is not None:
        about = _found(found)
        gone |= {one for one in loaded.entries if one not in about}
    if gone:
        baseline.prune(file, gone)
    for one in sorted(gone):
        console().print(f"removed {one}")
    left = len(loaded.entries) - len(gone)
    console().print(f"{plural(left, 'entry', 'entries')} left in {inert(str(file))}")


def _found(path: Path) -> dict[str, str]:
    """Return the findings of a run's JSON by id, each with a word on what it is."""
    try:
        document: Any = json.loads(path.read_bytes())
        findings = document["findings"]
        if document["void"] is not None or document["findings_not_listed"]:
            raise UsageError(f"{path} is of a run that is void or does not list all it found")
        return {str(one["id"]): _about(one) for one in findings}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is not what hipaudit writes with --json") from error


def _about(finding: dict[str, Any]) -> str:
    place = finding.get("location") or {}
    kernel = f" in {finding['kernel']}" if finding.get("kernel") else ""
    where = f", {Path(str(place['file'])).name}:{place['line']}" if place.get("file") else ""
    return f"{finding['kind']}{kernel}{where}"


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--expires {text!r}: it takes a date like 2027-01-31") from error
