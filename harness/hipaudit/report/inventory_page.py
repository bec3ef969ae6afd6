"""The inventory of kernels as a report page: the values that its template prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hipaudit.audits.inventory import RUNGS, Entry
from hipaudit.text import plural

TEMPLATE = "kernel_inventory.md.j2"
_WORDS = {True: "yes", False: "**no**", None: "not shown"}


def values(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the page shows: a line an entry point, and how many reached each rung."""
    reached = Counter(entry.reached for entry in entries)
    top = reached[RUNGS[-1]]
    return {
        "title": "Kernel inventory",
        "summary": f"every entry point on a ladder of evidence: {top} of "
        f"{plural(len(entries), 'entry point')} reach its top.",
        "rungs": RUNGS,
        "counts": [(rung, reached[rung]) for rung in RUNGS],
        "none": reached[""],
        "entries": [
            {
                "name": entry.name,
                "source": entry.source,
                "specs": [(name, f"kernels/{name}.md") for name in entry.specs],
                "cells": [_WORDS[entry.rungs[rung]] for rung in RUNGS],
                "evidence": entry.evidence,
            }
            for entry in entries
        ],
    }
