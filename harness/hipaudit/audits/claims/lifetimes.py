"""The claims about who owns device memory: MS-001 and MS-002, by programs under the ledger."""

from __future__ import annotations

from hipaudit.audits.claims.claim import Check, Claim, Curve, Statement, Table
from hipaudit.audits.claims.running import QUOTED, Program, line_of, run_program
from hipaudit.text import plural

_CACHE, _BUFFERS = "kv_cache.py", "buffers.py"
_FIGURE = 524 * 10**6
"""What the analysis says that 100 sequences leak."""
_SEQUENCE = "16 tokens, 32 heads of 128, keys and values, 4 bytes each"


def leaking_cache(arch: str) -> Claim:
    """MS-001: pages of a removed sequence are cleared and never freed."""
    forms = ("quoted", "reused", "proposed", "tested", "freed", "ours")
    ran = {form: run_program(_CACHE, form, arch) for form in forms}
    quoted, freed, ours = ran["quoted"], ran["freed"], ran["ours"]
    leaked = quoted.memory.live_bytes if quoted.memory else 0
    kept = _last(ran["reused"])
    count = len(quoted.said.get("used", ()))
    proposed = [one for one in ran["proposed"].findings if one.kind == "use-after-free"]
    cache = QUOTED / _CACHE
    return Claim(
        id="MS-001",
        component="cache of keys and values",
        title="Pages of removed sequences are never freed",
        reported="defect",
        statements=(
            Statement(
                "remove_sequence clears a page and never frees its buffers",
                _kinds(quoted) == {"leak"},
                f"{_found(quoted)}; {leaked:,} bytes were live after {plural(count, 'sequence')}",
            ),
            Statement(
                "100 sequences leak 524 MB",
                abs(leaked - _FIGURE) < _FIGURE / 100,
                f"{leaked:,} bytes ({_SEQUENCE}): a factor of {_FIGURE / max(leaked, 1):.2g} less",
            ),
            Statement(
                "memory accumulates until none is left",
                kept > 2 * _first(ran["reused"]),
                f"only where cleared pages are not handed out again: where they are, {kept:,} "
                f"bytes are held after {count} sequences as after the first",
            ),
            Statement(
                "removing the page and pushing its number onto the free list repairs it",
                not ran["proposed"].findings,
                f"{_found(ran['proposed'])}: the number leads to memory that was given back",
            ),
            Statement(
                "the proposed test (total_pages unchanged) passes on the repaired cache",
                bool(ran["tested"].said.get("total_pages_unchanged")),
                "the repair takes the page out of the cache, so total_pages changes",
            ),
        ),
        findings=(*quoted.findings, *proposed),
        expected="after a sequence is removed, its pages are free memory or serve the next one",
        observed=f"each removed sequence keeps {leaked // max(count, 1):,} bytes",
        cause="clear() forgets the tokens; nothing on that path calls hipFree, and in the quoted "
        "form nothing takes a cleared page again.",
        trigger=f"one sequence of {_SEQUENCE}, added and removed",
        quiet=(
            f"pages freed and their numbers forgotten (form freed): {_found(freed)}",
            f"the runtime's own cache (form ours): {_found(ours)}",
        ),
        impact=f"{leaked:,} bytes of device memory held by nobody after {count} sequences.",
        repair="Free both buffers when the page goes and forget its number, or keep the page and "
        "hand it to the next sequence; never both.",
        diff="",
        here=(
            Check(
                "memory of the runtime's cache, sequences added and removed",
                len(set(ours.said.get("used", ()))) == 1,
                f"{_last(ours):,} bytes throughout",
            ),
            Check(
                "memory of the runtime's cache after it is closed",
                ours.said.get("after") == 0 and not ours.findings,
                f"{ours.said.get('after', 'unknown')} bytes, {_found(ours)}",
            ),
        ),
        verify=(quoted.command, ran["proposed"].command, freed.command, ours.command),
        places=(
            ("the page is only cleared", line_of(cache, "self.table[number].clear()")),
            ("its number is handed out again", line_of(cache, "self.free_pages.append(number)")),
        ),
        tables=(_forms(ran, forms),),
        curves=(_live(ran, ("quoted", "reused", "freed")),),
    )


def copied_buffer(arch: str) -> Claim:
    """MS-002: a derived copy of a buffer frees the same memory a second time."""
    forms = ("quoted", "view", "offset", "deep", "counted", "ours")
    ran = {form: run_program(_BUFFERS, form, arch) for form in forms}
    quoted, ours = ran["quoted"], ran["ours"]
    views = [one for form in ("view", "offset") for one in ran[form].findings]
    return Claim(
        id="MS-002",
        component="device buffer",
        title="A derived copy of a buffer frees its memory twice",
        reported="defect",
        statements=(
            Statement(
                "a derived Clone copies the pointer, and dropping both calls hipFree twice",
                "double-free" in _kinds(quoted) and bool(quoted.said.get("same_pointer")),
                _found(quoted),
            ),
            Statement(
                "without Clone the buffer has one owner, and all is well",
                not views,
                "a view that owns nothing and is dropped like a buffer does the same: "
                f"{_found(ran['view'])} for one at its parent's start, {_found(ran['offset'])} "
                "for one inside",
            ),
            Statement(
                "a deep copy may be dropped beside the original",
                not ran["deep"].findings and ran["deep"].said.get("same_pointer") is False,
                _found(ran["deep"]),
            ),
        ),
        findings=(*quoted.findings, *views),
        expected="memory that one hipMalloc returned is given back by one hipFree",
        observed=f"{_found(quoted)} when a buffer and its copy are dropped",
        cause="The copy is a second owner of one pointer; a view that is dropped like an owner is "
        "a third form of the same mistake.",
        trigger="one allocation, one copy or view of it, both dropped",
        quiet=(
            f"a copy with memory of its own (form deep): {_found(ran['deep'])}",
            f"views that hold their parent (form counted): {_found(ran['counted'])}",
        ),
        impact="the second hipFree gives back memory that may be somebody else's by then; here "
        f"the ledger stopped it: {plural(_times(quoted), 'double free')} of the quoted form, "
        f"{plural(sum(one.count for one in views), 'finding')} for the two views.",
        repair="One owner for each allocation: no implicit copies, an explicit deep copy, views "
        "that hold their parent and free nothing.",
        diff="",
        here=(
            Check(
                "copying the runtime's buffer",
                bool(ours.said.get("copy_refused")),
                "refused" if ours.said.get("copy_refused") else "allowed",
            ),
            Check(
                "the parent of a dropped tensor",
                bool(ours.said.get("parent_lives")) and not ours.findings,
                f"still readable, {_found(ours)}",
            ),
            Check(
                "a deep copy's memory",
                bool(ours.said.get("copy_apart")),
                "its own" if ours.said.get("copy_apart") else "shared",
            ),
        ),
        verify=tuple(ran[form].command for form in forms),
        places=(("the copy", line_of(QUOTED / _BUFFERS, "second = copy.copy(first)")),),
        tables=(_forms(ran, forms),),
    )


def _kinds(program: Program) -> set[str]:
    return {one.kind for one in program.findings}


def _found(program: Program) -> str:
    """What was found in a form, in words."""
    counts: dict[str, int] = {}
    for one in program.findings:
        counts[one.kind] = counts.get(one.kind, 0) + one.count
    return ", ".join(f"{kind} ({count})" for kind, count in sorted(counts.items())) or "nothing"


def _times(program: Program) -> int:
    return sum(one.count for one in program.findings)


def _first(program: Program) -> int:
    return int((program.said.get("used") or [0])[0])


def _last(program: Program) -> int:
    return int((program.said.get("used") or [0])[-1])


def _forms(ran: dict[str, Program], forms: tuple[str, ...]) -> Table:
    rows = []
    for form in forms:
        memory = ran[form].memory
        counts = (memory.allocations, memory.frees, memory.live_bytes) if memory else (0, 0, 0)
        rows.append((form, *(f"{count:,}" for count in counts), _found(ran[form])))
    columns = ("Form", "Allocations", "Frees", "Bytes live at the end", "Found")
    return Table("Forms", columns, frozenset({1, 2, 3}), tuple(rows))


def _live(ran: dict[str, Program], forms: tuple[str, ...]) -> Curve:
    series = {
        form: [(n, used / 2**20) for n, used in enumerate(ran[form].said.get("used", ()), 1)]
        for form in forms
    }
    return Curve(
        "ms001_live_memory",
        "Device memory in use, as hipMemGetInfo tells, after each removed sequence",
        "sequences added and removed",
        "MiB in use",
        series,
    )
