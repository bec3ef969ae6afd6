"""An outcome as SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import hashlib
import os
import shlex
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hipaudit import __version__
from hipaudit.anchor import repository
from hipaudit.finding import Finding, Location
from hipaudit.kinds import kind_named
from hipaudit.outcome import Outcome
from hipaudit.report.excerpt import sides, what, who
from hipaudit.text import inert, markdown

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "the root of the repository; the working folder where there is none"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(outcome: Outcome, *, exit_code: int, command: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the log: one result a finding, rules for the kinds that were found.

    command  what was run: services keep the results of different commands side by side
    """
    kinds = sorted({finding.kind for finding in outcome.findings.items})
    results = [
        {**_result(finding, kinds.index(finding.kind), command), **_against(outcome, finding)}
        for finding in outcome.findings.items
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "hipaudit",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(kind) for kind in kinds],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": _ROOT}}},
                "invocations": [
                    {
                        "executionSuccessful": outcome.void is None,
                        "exitCode": exit_code,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": inert(note)}}
                            for note in (*outcome.notes, *((outcome.void,) if outcome.void else ()))
                        ],
                    }
                ],
                "results": results,
                **_baseline(outcome),
                **_automation(command),
                "properties": {"device": outcome.device, "arch": outcome.arch},
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    """Return a kind as a rule: what it means and what mends it."""
    kind = kind_named(name)
    words = inert(name.replace("-", " "))
    return {
        "id": inert(name),
        "name": "".join(part.capitalize() for part in words.split()),
        "shortDescription": {"text": words.capitalize()},
        "fullDescription": {"text": kind.means},
        "help": {
            "text": f"{kind.means} {kind.mend}",
            "markdown": f"{markdown(kind.means)}\n\n**What mends it:** {markdown(kind.mend)}",
        },
        "properties": {"tags": [kind.group]},
    }


def _baseline(outcome: Outcome) -> dict[str, str]:
    """Return what names the baseline that the results were compared with."""
    if outcome.baseline.path is None:
        return {}
    ids = "\n".join(sorted(outcome.baseline.entries))
    return {"baselineGuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"hipaudit:baseline:{ids}"))}


def _automation(command: tuple[str, ...]) -> dict[str, Any]:
    """Return what names this kind of run: the same for the same command."""
    if not command:
        return {}
    digest = hashlib.sha256("\0".join(command).encode(errors="surrogateescape")).hexdigest()
    said = inert(f"hipaudit {shlex.join(command)}")
    identity = f"hipaudit/{command[0]}/{digest[:10]}/"
    return {"automationDetails": {"id": identity, "description": {"text": said}}}


def _against(outcome: Outcome, finding: Finding) -> dict[str, Any]:
    """Return what the baseline says of a finding; nothing where there is none."""
    if outcome.baseline.path is None:
        return {}
    if not outcome.accepted(finding):
        return {"baselineState": "new"}
    entry = outcome.baseline.entries[finding.id]
    said = inert(f"{entry.reason} ({entry.owner}, until {entry.expires})")
    accepted = {"kind": "external", "status": "accepted", "justification": said}
    return {"baselineState": "unchanged", "suppressions": [accepted]}


def _result(finding: Finding, rule: int, command: tuple[str, ...]) -> dict[str, Any]:
    """Return one result; its fingerprint is the finding's id, stable across unrelated edits.

    It has a location whatever is known: GitHub refuses a whole log for one result without any.
    """
    where = f" ({finding.kernel} on {finding.arch})" if finding.kernel else ""
    result: dict[str, Any] = {
        "ruleId": inert(finding.kind),
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": inert(finding.message + where)},
        "partialFingerprints": {
            "hipauditFinding/v1": f"{finding.id}/{finding.arch}",
            "hipauditCode/v1": _code(finding),
        },
        "occurrenceCount": finding.count,
        "properties": {
            "id": finding.id,
            "arch": finding.arch,
            "status": finding.status,
            "touched": what(finding),
            "input": finding.input,
            "replay": finding.replay,
        },
    }
    named = [(label, side) for label, side in sides(finding) if side.file]
    shown = named.pop(0)[1] if named else Location(_looked_at(command))
    result["locations"] = [_location(shown)]
    listed = [_location(side, number, label) for number, (label, side) in enumerate(named, 1)]
    if listed:
        result["relatedLocations"] = listed
    stacks = [_stack(label, side) for label, side in sides(finding) if side.call and side.frames]
    if stacks:
        result["stacks"] = stacks
    return result


def _code(finding: Finding) -> str:
    """Return what stays when the file is moved, where the id does not: the lines themselves."""
    lines = sorted(one.text() for one in (finding.location, finding.other_location) if one)
    parts = "\0".join((finding.kind, finding.kernel, finding.arch, *lines))
    return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:16]


def _stack(label: str, side: Location) -> dict[str, Any]:
    """Return the frames that led to a HIP call."""
    frames = [
        {
            "location": {
                "physicalLocation": {
                    "artifactLocation": _artifact(frame.file),
                    **({"region": {"startLine": frame.line}} if frame.line else {}),
                },
                "logicalLocations": [{"name": inert(frame.function or "?"), "kind": "function"}],
            }
        }
        for frame in side.frames
    ]
    return {"message": {"text": inert(f"{label}: {side.call}")}, "frames": frames}


def _looked_at(command: tuple[str, ...]) -> str:
    """Return the file that a command is about; the working folder where it names none."""
    # pathlib raises for words that are too long for a name.
    return next((word for word in command[1:] if os.path.isfile(word)), ".")  # noqa: PTH113


_LABELS = {"against": "the other side"}


def _location(location: Location, number: int | None = None, label: str = "") -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(location.file)}
    if location.line:
        physical["region"] = {"startLine": location.line}
    entry: dict[str, Any] = {"physicalLocation": physical}
    if location.function:
        entry["logicalLocations"] = [{"name": inert(location.function), "kind": "function"}]
    running = who(location)
    if number is not None:
        entry["id"] = number
        said = _LABELS.get(label, label)
        entry["message"] = {"text": f"{said}{', ' + running if running else ''}"}
    elif running:
        entry["message"] = {"text": running}
    return entry


def _artifact(file: str) -> dict[str, str]:
    """Return a URI: relative to the repository's root where the file lies below it.

    A name may have any bytes; what climbs out of the root is told as it is.
    """
    root = repository(Path.cwd()) or Path.cwd()
    path = os.path.normpath(Path.cwd() / file)
    for name in (path, os.path.realpath(path)):  # the working folder's name has no links in it
        if Path(name).is_relative_to(root):
            relative = Path(name).relative_to(root)
            return {"uri": quote(os.fsencode(relative)), "uriBaseId": "SRCROOT"}
    return {"uri": f"file://{quote(os.fsencode(path))}"}
