"""What the ledger adds to a malloc/free pair at 256 bytes, against the bare library in one run.

The library below is a plain one, so that what is measured is the ledger and not the device.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hipaudit import native_build

if TYPE_CHECKING:
    from conftest import Children, Table

pytestmark = pytest.mark.bench

# The project's figures, in microseconds a pair.
WITHOUT_STACKS, WITH_STACKS = 1.0, 6.0
ROUNDS = 15


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a plain HIP library and the ledger over it."""
    library = tmp_path_factory.mktemp("plain-hip") / "libamdhip64.so.7"
    source = Path(__file__).parent.parent / "memory" / "native" / "plain_hip.c"
    command = [sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC"]
    subprocess.run(
        [*command, f"-Wl,-soname,{library.name}", "-o", str(library), str(source)], check=True
    )
    return library, native_build.ledger_for(library)


@pytest.mark.parametrize(
    ("stacks", "live", "most"),
    [
        ("off", 0, WITHOUT_STACKS),
        ("off", 1_000_000, WITHOUT_STACKS),
        ("python", 0, WITH_STACKS),
    ],
)
def test_what_a_pair_costs(
    libraries: tuple[Path, Path],
    children: Children,
    table: Table,
    benchmark: Any,
    stacks: str,
    live: int,
    most: float,
) -> None:
    plain, ledger = libraries
    bare = children.ledger(plain, live, stacks)
    other = children.ledger(ledger, live, stacks)

    def added() -> float:
        return statistics.median(other.seconds() - bare.seconds() for _ in range(ROUNDS)) * 1e6

    cost = benchmark.pedantic(added, rounds=1)
    ratio = cost / (bare.best(3) * 1e6)
    title = f"ledger, stacks {stacks}, {live} live: a malloc/free pair more"
    table.add(benchmark, title, cost, "us", ratio, "the bare pair")
    assert cost <= most
