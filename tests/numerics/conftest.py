"""What the tests of planted mistakes share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hipaudit.device import Device, bind
from hipaudit.errors import UsageError
from hipaudit.library import SPECS
from hipaudit.property import Examination, examine
from hipaudit.spec import BOTH_WAVES
from hipaudit_runtime import sources


@pytest.fixture(params=BOTH_WAVES)
def part(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The device as one part of each wave size; not the `device` of tests that must pass."""
    bound = bind(request.config.getoption("--hip-device"))
    try:
        chosen = bound.with_arch(request.param)
    except UsageError as error:
        pytest.skip(str(error))
    yield chosen
    bound.with_arch(bound.arch)


@pytest.fixture
def planted(part: Device, tmp_path: Path) -> Callable[[str, str, str, str], Examination]:
    """A function of (spec, file, old, new): what the spec finds with that change in the file.

    *old* is in the file once.
    """

    def run(spec: str, file: str, old: str, new: str) -> Examination:
        folder = tmp_path / "kernels"
        shutil.copytree(sources.kernels_folder(), folder, ignore=shutil.ignore_patterns("faults"))
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        with sources.folder(folder):
            return examine(next(known for known in SPECS if known.name == spec), part)

    return run
