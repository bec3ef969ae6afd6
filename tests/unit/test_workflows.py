"""The workflows and the action for other repositories: valid, and what the action runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
SCRIPT = ROOT / ".github" / "run_commands.sh"


def valid(schema: str, path: Path) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_workflows_are_valid_and_a_broken_one_is_not(tmp_path: Path) -> None:
    assert {path.name for path in WORKFLOWS} == {"emulated.yml", "rocm.yml"}
    for path in WORKFLOWS:
        assert valid("vendor.github-workflows", path), path
    broken = tmp_path / "w.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "run-on:"))
    assert not valid("vendor.github-workflows", broken)


def test_the_action_is_valid() -> None:
    assert valid("vendor.github-actions", ACTION)


def steps(path: Path) -> list[dict[str, Any]]:
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_no_script_is_made_of_values_from_outside(path: Path) -> None:
    """An expression in a script is text that somebody else may have written: a title, a branch."""
    for step in steps(path):
        assert "${{" not in step.get("run", "")


def test_the_gate_on_a_gpu_names_its_device_and_keeps_the_evidence() -> None:
    text = (ROOT / ".github/workflows/rocm.yml").read_text()
    job = yaml.safe_load(text)["jobs"]["gate"]
    assert "self-hosted" in job["runs-on"]
    assert "/dev/kfd" in job["container"]["options"]
    runs = [step["run"] for step in job["steps"] if "make" in step.get("run", "")][1:]
    assert all("--hip-device rocm" in run for run in runs)
    uses = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
    assert {"actions/upload-artifact", "github/codeql-action/upload-sarif"} <= set(uses)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder with a hipaudit that writes down its words and ends as it is told."""
    program = tmp_path / "bin" / "hipaudit"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@" >> words\necho >> words\nexit "$2"\n')
    program.chmod(0o755)
    return program.parent


def run_script(programs: Path, commands: str, **environment: str) -> tuple[int, list[str], str]:
    folder = programs.parent
    values = {"FAIL_ON": "new", "BASELINE": "", "SARIF": "out", "COMMANDS": commands}
    values |= {"GITHUB_OUTPUT": str(folder / "output"), **environment}
    result = subprocess.run(
        [str(SCRIPT), str(programs)],
        cwd=folder,
        env={**os.environ, **values},
        capture_output=True,
        text=True,
        check=False,
    )
    words = folder / "words"
    lines = words.read_text().splitlines() if words.exists() else []
    return result.returncode, lines, result.stderr


def test_the_action_runs_every_line_and_ends_with_the_worst(programs: Path) -> None:
    program = programs / "hipaudit"
    reads = "cat > /dev/null\nexit"  # a program that takes what stands on its standard input
    program.write_text(program.read_text().replace('exit "$2"', f'{reads} "$6"'))
    code, lines, _ = run_script(
        programs,
        "check 0 --arg 'f32[4]=uniform(-1, 1)'\n\n  check 3 ; touch forged $(id)\ncheck 1\n",
    )
    assert code == 3
    assert (
        lines[0] == "<check><--fail-on><new><--sarif><out/1.sarif><0><--arg><f32[4]=uniform(-1, 1)>"
    )
    assert lines[1].endswith("<3><;><touch><forged><$(id)>")
    assert len(lines) == 3
    assert not (programs.parent / "forged").exists()
    output = (programs.parent / "output").read_text()
    assert output == f"sarif={programs.parent.resolve()}/out\n"


def test_the_action_refuses_what_it_cannot_read(programs: Path) -> None:
    code, lines, error = run_script(programs, "check 'k.hip\n")
    assert (code, lines) == (2, [])
    assert "quotes" in error
    code, _, error = run_script(programs, " \n")
    assert code == 2
    assert "no command was given" in error
    program = programs / "hipaudit"
    program.write_text(program.read_text().replace('exit "$2"', "exit 0"))
    code, lines, _ = run_script(programs, "check k.hip", BASELINE="b.toml")
    assert code == 0
    assert "<--baseline><b.toml>" in lines[0]
