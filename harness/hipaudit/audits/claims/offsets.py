"""MS-003: the offsets that the analysis calls verified, against HIP's headers."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hipaudit import hipcalls, layouts
from hipaudit.audits.claims.claim import Check, Claim, Statement, Table
from hipaudit.audits.claims.running import QUOTED, shown
from hipaudit.child import Json, Progress, run_in_child
from hipaudit.device import Device
from hipaudit.finding import Finding
from hipaudit.layouts import hip_python
from hipaudit.layouts.structure import Structure, key
from hipaudit.resources import shown_path
from hipaudit.text import plural

_FILE = QUOTED / "device_prop.json"
_PROPERTIES = "hipDeviceProp_t"


def device_properties(arch: str) -> Claim:
    """MS-003: sizes and offsets of hipDeviceProp_t."""
    (binding,) = layouts.read_binding(_FILE)
    command = f"hipaudit layouts {shown_path(_FILE)}"
    found = {
        version: tuple(
            replace(shown(one), replay=command) for one in layouts.compare([binding], version)
        )
        for version in layouts.VERSIONS
    }
    read = _read(binding, arch)
    ours = _of_hip_python()
    wrong = found[layouts.LATEST]
    return Claim(
        id="MS-003",
        component="hipDeviceProp_t in a binding",
        title="Offsets of hipDeviceProp_t",
        reported="fixed",
        statements=(
            Statement(
                "the size and the offsets are verified against the header; no action is required",
                not wrong,
                "; ".join(one.message for one in wrong) or "all of them are the header's",
            ),
            Statement(
                "the structure has 1472 bytes",
                not any("bytes in the binding" in one.message for one in wrong),
                f"so it has in {layouts.VERSIONS[layouts.LATEST]}",
            ),
            Statement(
                "the offsets are those of an older ROCm at least",
                any(not of_version for of_version in found.values()),
                "; ".join(
                    f"{layouts.VERSIONS[version]}: {plural(len(some), 'finding')}"
                    for version, some in found.items()
                ),
            ),
        ),
        findings=wrong,
        expected="each field where the compiler of the header puts it",
        observed=f"{len(wrong)} of {len(binding.fields)} quoted fields lie elsewhere",
        cause="The offsets were counted by hand. Nothing compared them with the header, and an "
        "opaque buffer of the right size hides that: the call succeeds, other bytes are read.",
        trigger="reading totalGlobalMem or multiProcessorCount through the quoted offsets",
        quiet=("name, at byte 0: the only quoted field that is right",),
        impact="; ".join(f"{name} reads {got:,} instead of {want:,}" for name, got, want in read)
        + f" (on the emulated {arch}).",
        repair="Take offsets from the header with offsetof at build time, or check the binding "
        "against the header in CI, for each version of ROCm that is supported.",
        diff="\n".join(
            f"-{field.name} at {field.offset}\n+{field.name} at {there}"
            for field, there in _moved(binding)
        ),
        here=(
            Check(
                "hip-python's own structures, which the runtime reads, against the header",
                not ours,
                plural(len(ours), "finding"),
            ),
        ),
        verify=(command, f"{command} --rocm 5", "hipaudit layouts hip-python"),
        tables=(_offsets(binding),),
    )


def _fields(version: str) -> Mapping[str, int]:
    return {key(f.name): f.offset for f in layouts.facts(version)[key(_PROPERTIES)].fields}


def _moved(binding: Structure) -> list[tuple[Any, int]]:
    known = _fields(layouts.LATEST)
    return [(f, known[key(f.name)]) for f in binding.fields if known[key(f.name)] != f.offset]


def _offsets(binding: Structure) -> Table:
    versions = list(layouts.VERSIONS)
    rows = tuple(
        (f.name, str(f.offset), *(str(_fields(version)[key(f.name)]) for version in versions))
        for f in binding.fields
    )
    columns = ("Field", "Quoted", *(layouts.VERSIONS[version] for version in versions))
    return Table("Offsets in bytes", columns, frozenset(range(1, 2 + len(versions))), rows)


def _of_hip_python() -> tuple[Finding, ...]:
    """What is wrong with hip-python's structures, which the runtime reads properties through."""
    done = run_in_child(
        "hipaudit.audits.claims.offsets:hip_python_in_child",
        {},
        choice="emulated",
        settings={"arch": "gfx942"},
    )
    (observed,) = [Structure(**one) for one in done.value]
    fields = tuple(layouts.Field(*field) for field in observed.fields)  # type: ignore[misc]
    version = str(min(_hip_python_version(), int(layouts.LATEST)))
    return layouts.compare([replace(observed, fields=fields)], version)


def _hip_python_version() -> int:
    import importlib.metadata

    return int(importlib.metadata.version("hip-python").split(".")[0])


def hip_python_in_child(payload: Json, device: Device, progress: Progress) -> Json:
    """Return the layout that hip-python shows of the device's properties; the child's side."""
    del payload, device, progress
    return [
        {
            "name": one.name,
            "size": one.size,
            "fields": [(f.name, f.offset, f.size) for f in one.fields],
        }
        for one in hip_python.structures({_PROPERTIES})
    ]


def _read(binding: Structure, arch: str) -> list[tuple[str, int, int]]:
    """What the quoted offsets read of a real answer, and what the header's would."""
    known = layouts.facts(layouts.LATEST)[key(_PROPERTIES)]
    there = {key(field.name): field for field in known.fields}
    places = [
        (f.name, f.offset, there[key(f.name)].offset, there[key(f.name)].size)
        for f in binding.fields
        if there[key(f.name)].offset != f.offset
    ]
    payload = {"size": known.size, "places": places}
    done = run_in_child(
        "hipaudit.audits.claims.offsets:read_in_child",
        payload,
        choice="emulated",
        settings={"arch": arch},
    )
    return [(name, int(got), int(want)) for name, got, want in done.value]


def read_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Read the device's properties at the payload's offsets; the child's side of `_read`."""
    del progress
    room = ctypes.create_string_buffer(int(payload["size"]))
    library = ctypes.CDLL(None)
    name = "hipGetDevicePropertiesR0600"
    hipcalls.hip()
    status = getattr(library, name)(room, device.ordinal)
    if status:
        raise OSError(f"{name} answered {status}")

    def number(offset: int, size: int) -> int:
        return int.from_bytes(room.raw[offset : offset + size], "little")

    return [
        (field, number(ours, size), number(theirs, size))
        for field, ours, theirs, size in payload["places"]
    ]
