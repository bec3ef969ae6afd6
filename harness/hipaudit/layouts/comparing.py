"""A binding against the headers: layout-mismatch, one finding a cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hipaudit.finding import Finding, Location, Severity, grouped, identified
from hipaudit.layouts.facts import LATEST, VERSIONS, facts
from hipaudit.layouts.structure import Field, Structure, key
from hipaudit.outcome import Outcome
from hipaudit.text import plural

_OPAQUE = ("_", "reserved", "hipreserved", "padding", "pad", "opaque")
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A field that lies elsewhere than the header's: *shift* is the header's offset less ours."""

    field: Field
    header: Field
    shift: int


def compare(binding: Iterable[Structure], version: str = LATEST) -> tuple[Finding, ...]:
    """Return what is wrong with a binding's structures, in one version's layout.

    binding  structures of other names than HIP's are left out: they are the binding's own
    version  one of VERSIONS

    Fields in a row that are off by one distance have one cause, and are one finding.
    """
    known = facts(version)
    findings: list[Finding] = []
    for ours in binding:
        header = known.get(key(ours.name))
        if header is not None:
            findings += _fields(ours, header, version)
            findings += _size(ours, header, version)
    return tuple(findings)


def outcome(binding: Sequence[Structure], source: str, version: str = LATEST) -> Outcome:
    """Return the outcome of `compare` for a binding named *source*; void when nothing is HIP's."""
    known = facts(version)
    named = sum(key(one.name) in known for one in binding)
    fields = sum(len(one.fields) for one in binding if key(one.name) in known)
    note = f"{plural(named, 'structure')} and {plural(fields, 'field')} compared"
    void = None if named else f"{source} lays out no structure of HIP's"
    title = f"headers of {VERSIONS[version]}, x86-64"
    return Outcome(title, "", [], grouped(compare(binding, version)), (note,), void)


def _fields(ours: Structure, header: Structure, version: str) -> list[Finding]:
    theirs = {key(field.name): field for field in header.fields}
    findings = []
    run: list[_Wrong] = []
    for field in ours.fields:
        there = theirs.get(key(field.name))
        if there is None:
            bit_fields = {key(name) for name in header.unplaced}
            if key(field.name) not in bit_fields and not _opaque(field.name):
                findings.append(_unknown(ours, field, version))
            continue
        shift = there.offset - field.offset
        if run and run[-1].shift != shift:
            findings.append(_shifted(ours, run, version))
            run = []
        if shift:
            run.append(_Wrong(field, there, shift))
        if field.size is not None and field.size != there.size:
            findings.append(_resized(ours, field, there, version))
    if run:
        findings.append(_shifted(ours, run, version))
    return findings


def _shifted(ours: Structure, run: Sequence[_Wrong], version: str) -> Finding:
    first = run[0]
    said = (
        f"{first.field.name} is at byte {first.field.offset} in the binding, "
        f"at {first.header.offset} in {VERSIONS[version]}"
    )
    if len(run) > 1:
        names = [wrong.field.name for wrong in run[1 : 1 + _MOST_NAMED]]
        more = len(run) - 1 - len(names)
        rest = f" and {more} more" if more else ""
        said += f"; so are {', '.join(names)}{rest}, {abs(first.shift)} bytes off"
    return _finding(ours, first.field.line, said + _other_version(ours, first.field, version))


def _other_version(ours: Structure, field: Field, version: str) -> str:
    """Return the hint that a field is where another version has it."""
    for other, title in VERSIONS.items():
        there = facts(other).get(key(ours.name)) if other != version else None
        for candidate in there.fields if there else ():
            if key(candidate.name) == key(field.name) and candidate.offset == field.offset:
                return f": that is its place in {title}"
    return ""


def _resized(ours: Structure, field: Field, there: Field, version: str) -> Finding:
    return _finding(
        ours,
        field.line,
        f"{field.name} has {plural(field.size or 0, 'byte')} in the binding, "
        f"{there.size} in {VERSIONS[version]}",
    )


def _unknown(ours: Structure, field: Field, version: str) -> Finding:
    where = [
        title
        for other, title in VERSIONS.items()
        if other != version and key(field.name) in _names(facts(other), ours)
    ]
    hint = f": {where[0]} has it" if where else ""
    said = f"there is no field {field.name} in {VERSIONS[version]}{hint}"
    return _finding(ours, field.line, said, "warning")


def _opaque(name: str) -> bool:
    """Tell whether a name says that nobody reads the field."""
    return name.lower().startswith(_OPAQUE)


def _names(known: Mapping[str, Structure], ours: Structure) -> set[str]:
    there = known.get(key(ours.name))
    return {key(field.name) for field in there.fields} if there else set()


def _size(ours: Structure, header: Structure, version: str) -> list[Finding]:
    """Say when HIP would write past the end of the binding's structure, or fill only a part."""
    if ours.size is None or header.size is None or ours.size == header.size:
        return []
    said = f"it has {ours.size} bytes in the binding, {header.size} in {VERSIONS[version]}"
    if ours.size < header.size:
        return [_finding(ours, ours.line, f"{said}: HIP writes past its end")]
    return [_finding(ours, ours.line, f"{said}: its end is never filled", "warning")]


def _finding(ours: Structure, line: int, said: str, severity: Severity = "error") -> Finding:
    place = Location(ours.file, line or ours.line, ours.name) if ours.file else None
    return identified(
        Finding(
            id="",
            kind="layout-mismatch",
            severity=severity,
            kernel=ours.name,
            arch="",
            message=said,
            location=place,
        )
    )
