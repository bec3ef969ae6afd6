"""hipaudit history: when findings came and went, and whether their fixes hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand

from hipaudit import history, regression
from hipaudit.errors import EXIT_CLEAN, EXIT_FINDINGS, UsageError
from hipaudit.files import replace_text
from hipaudit.report import rendering, resolved_page
from hipaudit.report.terminal import busy, console
from hipaudit.text import inert, plural

_EPILOG = (
    "Examples:\n\n"
    "hipaudit check my.hip --grid 64 --block 256 --arg f32[16384] --history "
    f"{history.DEFAULT}\n\n"
    "hipaudit history list\n\n"
    "hipaudit history verify\n\n"
    "hipaudit history test race-shared-bbb6ee8c2f -- pytest tests/test_sums.py\n\n"
    "hipaudit history page --out resolved_bugs.md\n\n"
    "A fix counts only when its test fails on the commit that had the finding. The test is the "
    "command that saw the finding, unless `history test` names another."
)

File: TypeAlias = Annotated[Path, typer.Option("--history", metavar="FILE", help="The history.")]


class _SplitCommand(TyperCommand):
    """A command whose words behind ``--`` are a program of the user's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Set the program aside before the options are read."""
        if "--" in args:
            at = args.index("--")
            ctx.meta["program"] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command with its verbs."""
    group = typer.Typer(
        help="When findings came and went, and whether their fixes hold.",
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list", help=_list.__doc__)(_list)
    group.command("test", cls=_SplitCommand, help=_test.__doc__)(_test)
    group.command("verify", help=_verify.__doc__)(_verify)
    group.command("page", help=_page.__doc__)(_page)
    app.add_typer(group, name="history")


def _list(file: File = history.DEFAULT) -> None:
    """List every finding: first seen, last seen, fixed in."""
    with history.history(file) as opened:
        entries = opened.entries()
    to, short = console(), resolved_page.short
    for entry in entries:
        state = f"fixed in {short(entry.fixed_in)}" if entry.fixed_in else "open"
        to.print(f"{inert(entry.id)}  {inert(state)}")
        place = f"{entry.file}:{entry.line}" if entry.file else "no place"
        to.print(inert(f"  {place}: {entry.message}"))
        seen = f"first seen {short(entry.first_seen)}, last seen {short(entry.last_seen)}"
        to.print(inert(f"  {seen}"))
    left = sum(not entry.fixed_in for entry in entries)
    to.print(f"{plural(len(entries), 'finding')}, {left} open")


def _test(
    ctx: typer.Context,
    finding: Annotated[str, typer.Argument(metavar="ID -- PROGRAM [ARG]...")],
    file: File = history.DEFAULT,
) -> None:
    """Name the regression test of a finding: a program that fails with exit code 1."""
    program = ctx.meta.get("program")
    if not program:
        raise UsageError("which test? hipaudit history test ID -- PROGRAM [ARG]...")
    with history.history(file, write=True) as opened:
        opened.set_test(finding, program)


def _verify(
    finding: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Default: every fix.")
    ] = None,
    file: File = history.DEFAULT,
) -> None:
    """Run each fix's test on the commit that had the bug, and on the working folder.

    Exit code 1 when a fix does not count.
    """
    with history.history(file, write=True) as opened:
        fixed = {entry.id: entry for entry in opened.entries() if entry.fixed_in}
        if unknown := [one for one in finding or () if one not in fixed]:
            raise UsageError(f"{unknown[0]} is not among the {plural(len(fixed), 'fix', 'fixes')}")
        code = EXIT_CLEAN
        for one in finding or fixed:
            with busy(f"verifying {one}"):
                seen = regression.verify(fixed[one])
            opened.set_verification(one, seen)
            code = code if seen.counts else EXIT_FINDINGS
            console().print(f"{inert(one)}  {_verdict(seen)}")
    raise SystemExit(code)


def _verdict(seen: history.Verification) -> str:
    said = f" ({inert(seen.says)})" if seen.says else ""
    if seen.counts:
        return f"counts: its test fails on the old version and passes now{said}"
    wrong = "pass now" if seen.fails_before else "fail on the old version"
    return f"does not count: its test does not {wrong}{said}"


def _page(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the page goes.")] = Path(
        "resolved_bugs.md"
    ),
    file: File = history.DEFAULT,
) -> None:
    """Write the ledger of resolved bugs."""
    with history.history(file) as opened:
        values = resolved_page.values(opened.entries())
    replace_text(out, rendering.page(resolved_page.TEMPLATE, values))
    console().print(f"{values['fixed']} in {inert(str(out))}")
