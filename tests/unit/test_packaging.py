"""What an installed copy carries: a wheel must be able to do the main job on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from hipaudit import resources
from hipaudit.audits.model_dequantisation import default_model
from hipaudit.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's files, as pip lays them out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)  # noqa: S202 - we have just built it
    return folder


def python(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the installed copy before the checkout, and a cache of its own."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment["HIPAUDIT_CACHE"] = str(installed.parent / "cache")
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_carries_kernels_headers_templates_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "hipaudit/kernels/softmax.hip",
        "hipaudit/kernels/include/block_reduce.h",
        "hipaudit/native/include/hip/hip_runtime.h",
        "hipaudit/report/templates/index.md.j2",
        "hipaudit/py.typed",
        "hipaudit_reference/py.typed",
        "hipaudit_runtime/py.typed",
    } <= names
    top = {name.split("/")[0] for name in names}
    assert top == {"hipaudit", "hipaudit_reference", "hipaudit_runtime", "hipaudit-0.1.0.dist-info"}
    assert not any("__pycache__" in name or "tests" in name.split("/")[0] for name in names)


def test_the_wheel_s_entry_points(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("hipaudit-0.1.0.dist-info/entry_points.txt").decode()
    assert "hipaudit = hipaudit.__main__:main" in text
    assert "hipaudit-run = hipaudit.hosted:main" in text
    assert "[pytest11]\nhipaudit = hipaudit.plugin" in text


def test_an_installed_copy_does_the_main_job(installed: Path, tmp_path: Path) -> None:
    where = python(
        installed, "-c", "from hipaudit import resources as r; print(r.kernels_folder())",
        cwd=tmp_path,
    )  # fmt: skip
    assert where.stdout.strip() == str(installed / "hipaudit" / "kernels")
    arguments = ("-m", "hipaudit", "audit", "--only", "scale", "--examples", "4")
    result = python(installed, *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "reports" / "kernels" / "scale.md").is_file()


def test_an_installed_copy_runs_a_model(installed: Path, tmp_path: Path) -> None:
    arguments = (
        "generate",
        "--model",
        str(default_model()),
        "--prompt",
        "The capital of France is",
    )
    program = "from hipaudit.hosted import main; main()"
    result = python(installed, "-c", program, *arguments, "--max-tokens", "1", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, " Paris"), result.stderr


def test_the_sdist_is_the_project(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--sdist"]
    command += ["--outdir", str(tmp_path), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    with tarfile.open(next(tmp_path.iterdir())) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "Makefile",
        "README.md",
        "LICENSE",
        "requirements.lock",
        "kernels/softmax.hip",
        "harness/hipaudit/native/include/hip/hip_runtime.h",
        "tests/conftest.py",
    } <= names


def test_a_checkout_finds_its_kernels_and_a_broken_copy_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (resources.kernels_folder() / "softmax.hip").is_file()
    monkeypatch.chdir(ROOT)
    assert str(resources.shown_kernel_path("softmax.hip")) == "kernels/softmax.hip"
    monkeypatch.chdir(tmp_path)
    assert resources.shown_kernel_path("softmax.hip").is_absolute()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "a" / "b" / "hipaudit")
    with pytest.raises(UsageError, match="has no kernels"):
        resources.kernels_folder()
