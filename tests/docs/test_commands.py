"""Every command in the documentation runs, from `pip install` on, and says what is shown.

A page is a session in a folder of its own: its files are fenced blocks with a title, its commands
the lines with a prompt in ``console`` blocks, with their output below. ``...`` stands for anything
in a line, or for any lines. A comment ``<!-- exit: N -->`` above a block is the exit code of its
last command.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
BLOCK = re.compile(
    r"^(?:<!-- exit: (?P<code>\d+) -->\n+)?"
    r"```(?P<language>[\w-]*)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NO_COMMANDS = {"findings.md", "semantics.md", "api.md"}


@dataclass(slots=True)
class Step:
    """A command, what it must print, and the exit code it must end with."""

    command: str
    code: int = 0
    output: list[str] = field(default_factory=list)


def blocks(text: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer(text))


def steps(body: str, code: int) -> list[Step]:
    """Return a console block's commands."""
    found: list[Step] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:]))
        else:
            found[-1].output.append(line)
    found[-1].code = code
    return found


def pattern(output: list[str]) -> re.Pattern[str]:
    """Return what matches the shown output, from its first line to its last."""
    parts = [
        r"(?:[^\n]*\n)*?"
        if line == "..."
        else re.escape(line).replace(r"\.\.\.", ".*") + r"[ \t]*\n"
        for line in output
    ]
    return re.compile("".join(parts))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a user with a fresh virtual environment.

    The wheel stands for PyPI, and what it depends on is borrowed from the suite's own environment.
    """
    home = tmp_path_factory.mktemp("home")
    venv = home / "venv"
    command = [sys.executable, "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = venv / "bin" / "python"
    for name in ("pip", "pytest"):
        program = venv / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{python}" -m {name} "$@"\n')
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PATH": f"{venv / 'bin'}:{kept.get('PATH', '')}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_NO_DEPS": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "COLUMNS": "100",
    }


@pytest.fixture(scope="session")
def user(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment after the quick start's installation."""
    program = shutil.which("pip", path=environment["PATH"]) or "pip"
    subprocess.run([program, "install", "--quiet", "hipaudit"], env=environment, check=True)
    return environment


def run(step: Step, folder: Path, environment: dict[str, str]) -> str:
    result = subprocess.run(
        ["/bin/bash", "-c", f"exec 2>&1; {step.command}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == step.code, f"{step.command}\n{result.stdout}"
    # Whichever command comes first builds the device, and says so.
    said = re.sub(r"^hipaudit: (building the|built in) .*\n", "", result.stdout, flags=re.MULTILINE)
    return said if said.endswith("\n") else f"{said}\n"


def play(page: Path, folder: Path, environment: dict[str, str]) -> list[str]:
    """Run a page from top to bottom; return its commands."""
    done = []
    for block in blocks(page.read_text(encoding="utf-8")):
        if block["title"]:
            path = folder / block["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
        if block["language"] != "console":
            continue
        for step in steps(block["body"], int(block["code"] or 0)):
            said = run(step, folder, environment)
            assert pattern(step.output).match(said), f"{step.command}\n{said}"
            done.append(step.command)
    return done


def test_from_installation_to_a_failing_gate_in_five_commands(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A repository of somebody else's: three kernels, one of them racy."""
    commands = play(ROOT / "docs" / "index.md", tmp_path, environment)
    assert len(commands) == 5
    assert commands[0] == "pip install hipaudit"
    text = (tmp_path / "block_sum.sarif").read_text()
    assert '"startLine": 7' in text
    assert '"race-shared"' in text
    source = (tmp_path / "block_sum.hip").read_text()
    mended = source.replace("+ step];\n", "+ step];\n    __syncthreads();\n")
    (tmp_path / "block_sum.hip").write_text(mended)
    gate = (tmp_path / "gate.sh").read_text().partition("hipaudit check block_sum")
    said = run(Step(gate[1] + gate[2]), tmp_path, environment)
    assert "clean: no findings" in said


@pytest.mark.parametrize(
    "page", [one for one in PAGES if one.name != "index.md"], ids=lambda p: p.name
)
def test_the_commands_of_a_page(page: Path, user: dict[str, str], tmp_path: Path) -> None:
    commands = play(page, tmp_path, user)
    assert bool(commands) == (page.name not in NO_COMMANDS)


def test_every_prompt_is_in_a_block_that_runs() -> None:
    """A command elsewhere would not be executed."""
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            prompts = [line for line in block["body"].splitlines() if line.startswith("$ ")]
            assert bool(prompts) == (block["language"] == "console"), page.name


def test_what_is_shown_is_compared() -> None:
    shown = ["one ... three", "...", "last"]
    assert pattern(shown).match("one 2 three\nx\ny\nlast\nmore\n")
    assert pattern(shown).match("one 2 three\nlast\n")
    assert not pattern(shown).match("one 2 four\nlast\n")
    assert not pattern(shown).match("zero\none 2 three\nlast\n")
    assert not pattern(["a.c"]).match("abc\n")


def test_a_wrong_exit_code_or_output_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("```console\n$ false\n```\n", "```console\n$ echo a\nb\n```\n"):
        page.write_text(text)
        with pytest.raises(AssertionError):
            play(page, tmp_path, dict(os.environ))
    page.write_text("<!-- exit: 1 -->\n\n```console\n$ echo a\na\n$ false\n```\n")
    assert play(page, tmp_path, dict(os.environ)) == ["echo a", "false"]
