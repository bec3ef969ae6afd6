"""The math header inside kernels: standard names, options, traced builds, the hook, the loader."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from hipaudit import toolchain

Builder = Any  # conftest's: with importlib mode there is no module to import the classes from
Probes = Any

PROBES = Path(__file__).parent / "probes"
RANDOM = np.random.default_rng(5)
EDGES = [0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3e38, 1e-38, 88.7, -104, 1e30, 2**28, 0.5]
FLOATS = np.concatenate([RANDOM.uniform(-20, 20, 3000), EDGES]).astype(np.float32)
UNSAFE_MATH = (
    *("-fapprox-func", "-funsafe-math-optimizations", "-fno-signed-zeros", "-mreassociate"),
    *("-freciprocal-math", "-ffp-contract=fast"),
)
FINITE_MATH = ("-menable-no-infs", "-menable-no-nans", "-ffast-math", "-ffinite-math-only")
FUNCTIONS = (
    *("expf", "exp2f", "exp10f", "expm1f", "logf", "log2f", "log10f", "sinf", "cosf", "tanf"),
    *("sinpif", "cospif", "tanhf", "rsqrtf", "sqrtf", "erff", "tgammaf", "roundf", "logbf"),
    *("__expf", "__logf"),
)
PAIRS = ("fminf", "fmaxf", "fdimf", "powf", "nextafterf", "hypotf", "remainderf")


@pytest.mark.parametrize("order", ["", "-DSTANDARD_FIRST", "-DSTANDARD_LAST"])
def test_standard_names(builder: Builder, math: Probes, order: str) -> None:
    source = PROBES / "standard.hip"
    kernel = builder.library(source, "-O2", *([order] if order else []))
    x = RANDOM.uniform(-3, 3, 100).astype(np.float32)
    wide = x.astype(np.float64)
    exponent = np.frexp(wide)[1]
    erf = math("erf", np.float64, wide)
    expected = (
        4 * np.exp(wide) + np.sin(wide) + np.cos(wide) + np.tanh(wide) + np.log1p(np.abs(wide))
        + 2 * wide + 1 + np.sqrt(np.abs(wide)) + wide**2 + np.frexp(wide)[0] + np.sign(wide)
        + np.maximum(wide, 0) + erf + exponent
    )  # fmt: skip
    np.testing.assert_allclose(kernel("standard", np.float32, x), expected, rtol=2e-6, atol=2e-5)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """The same bits, any NaN for any."""
    number = ~np.isnan(other)
    return np.array_equal(np.isnan(one), ~number) and np.array_equal(
        one.view(np.uint32)[number], other.view(np.uint32)[number]
    )


@pytest.mark.parametrize(
    "options",
    [["-O0"], ["-O3", "-vectorize-loops", "-vectorize-slp"], ["-O2", *UNSAFE_MATH],
     ["-O2", *UNSAFE_MATH, *FINITE_MATH], ["-O2", "-ffp-contract=off"]],
    ids=["O0", "vectorised", "unsafe-math", "fast-math", "no-contraction"],
)  # fmt: skip
def test_no_option_of_the_kernel_changes_a_result(
    builder: Builder, math: Probes, options: list[str]
) -> None:
    other = builder.library(PROBES / "math.hip", *options)
    # -ffinite-math-only is the kernel's own word that it never passes what is not finite.
    x = FLOATS[np.isfinite(FLOATS)] if FINITE_MATH[0] in options else FLOATS
    y = RANDOM.permutation(x)
    for name in FUNCTIONS:
        expected = math(name, np.float32, x)
        assert same_bits(other(name, np.float32, x), expected), name
    for name in PAIRS:
        expected = math(name, np.float32, x, y)
        assert same_bits(other(name, np.float32, x, y), expected), name


@pytest.mark.parametrize(("option", "fused"), [("fast-honor-pragmas", True), ("off", False)])
def test_the_kernels_own_contraction_is_left_alone(
    builder: Builder, option: str, *, fused: bool
) -> None:
    kernel = builder.library(PROBES / "contracted.hip", "-O2", f"-ffp-contract={option}")
    x, y, z = (RANDOM.uniform(-1, 1, 1000).astype(np.float32) for _ in range(3))
    exact = x.astype(np.float64) * y + z
    once, twice = exact.astype(np.float32), x * y + z
    assert not np.array_equal(once, twice)
    got = kernel("contracted", np.float32, x, y, z)
    assert np.array_equal(got, once if fused else twice)


def undefined(path: Path) -> set[str]:
    with path.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        return {each.name for each in symbols if each["st_shndx"] == "SHN_UNDEF" and each.name}


def test_hot_functions_read_no_memory_that_a_checked_build_would_trace(builder: Builder) -> None:
    built = builder.kernel(PROBES / "traced.hip", "-O2", "-fsanitize=thread")
    assert undefined(built) - {"__tsan_func_entry", "__tsan_func_exit", "__tsan_init"} == {
        "__tsan_read4",
        "__tsan_write4",
    }


NONE, UP, DOWN, RANDOM_SHIFT = 0, 1, 2, 4  # of device/math_adversary.h


@pytest.fixture
def hooked(builder: Builder) -> Iterator[Probes]:
    library = builder.library(PROBES / "hook.hip", "-O2", "-DHIPAUDIT_ADVERSARIAL=1")
    yield library
    shift(library, NONE)


def shift(library: Probes, how: int) -> None:
    library("set", np.uint8, np.array([how], dtype=np.uint8))


def test_an_adversary_moves_results_by_what_amd_documents(hooked: Probes, math: Probes) -> None:
    x = RANDOM.uniform(-3, 3, 1000).astype(np.float32)
    documented = {"expf": ("expf", 1), "erff": ("erff", 4), "fast_expf": ("expf", 6)}
    for name, (plain_name, ulp) in documented.items():
        plain = math(plain_name, np.float32, x).view(np.int32)
        sizes = {NONE: 0, UP: ulp, DOWN: -ulp}
        for how, moved in sizes.items():
            shift(hooked, how)
            up = hooked(name, np.float32, x)
            outwards = np.where(plain < 0, -moved, moved)
            assert np.array_equal(up.view(np.int32), plain + outwards), (name, how)
        shift(hooked, RANDOM_SHIFT)
        some = hooked(name, np.float32, x).view(np.int32) - plain
        assert set(some) == set(range(-ulp, ulp + 1))
        assert np.array_equal(hooked(name, np.float32, x).view(np.int32) - plain, some)
    shift(hooked, UP)
    wide = x.astype(np.float64)
    moved = hooked("sin", np.float64, wide)
    assert np.array_equal(moved, np.nextafter(math("sin", np.float64, wide), np.inf))


def test_c_names_do_not_escape_an_adversary(hooked: Probes) -> None:
    shift(hooked, UP)
    assert np.array_equal(hooked("c_expf", np.float32, FLOATS), hooked("expf", np.float32, FLOATS),
                          equal_nan=True)  # fmt: skip


def test_an_adversary_leaves_what_is_exact_or_no_number(hooked: Probes, math: Probes) -> None:
    ends = np.array([np.inf, -np.inf, np.nan, -200, 89, 1e30, 0.0, -0.0], dtype=np.float32)
    for how in (UP, DOWN, RANDOM_SHIFT):
        shift(hooked, how)
        assert np.array_equal(
            hooked("floorf", np.float32, FLOATS), np.floor(FLOATS), equal_nan=True
        )
        gone = ends[:6]
        assert same_bits(hooked("expf", np.float32, gone), math("expf", np.float32, gone))
        assert np.all(np.abs(hooked("erff", np.float32, FLOATS[np.isfinite(FLOATS)])) <= 1)
        assert same_bits(hooked("erff", np.float32, ends[6:]), ends[6:])
    shift(hooked, UP)
    largest = np.array([88.72283], dtype=np.float32)
    assert np.isfinite(hooked("expf", np.float32, largest)[0])


def lookup(table: Probes, name: str) -> int:
    letters = np.frombuffer(name.encode() + b"\0", dtype=np.int8)
    return int(table("lookup", np.uint64, letters)[0])


@pytest.mark.parametrize("source", ["math.hip", "c_names.hip"])
def test_the_loader_finds_what_kernels_leave_undefined(builder: Builder, source: str) -> None:
    table = builder.library(PROBES / "table.hip", "-O2")
    asked = undefined(builder.kernel(PROBES / source, "-O0")) - {"memset"}
    assert asked
    assert not {name for name in asked if not lookup(table, name)}
    assert not lookup(table, "printf")


C_FLOAT = ("expf", "logf", "sinf", "tanhf", "atanf", "tgammaf", "erff", "log1pf", "acosf")
C_DOUBLE = ("exp", "exp2", "log10", "cos", "cbrt", "lgamma", "erfc", "sinh")


def test_c_names_are_the_same_functions(builder: Builder, math: Probes) -> None:
    table = builder.library(PROBES / "table.hip", "-O2")
    x = np.array([0.3, 0.9, 0.125, -0.0, 0.7])
    for names, kind, c_type in (
        (C_FLOAT, np.float32, ctypes.c_float),
        (C_DOUBLE, np.float64, ctypes.c_double),
    ):
        for name in names:
            function = ctypes.CFUNCTYPE(c_type, c_type)(lookup(table, name))
            got = np.array([function(value) for value in x.astype(kind)], dtype=kind)
            assert np.array_equal(got, math(name, kind, x.astype(kind))), name
    power = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float, ctypes.c_int)
    assert power(lookup(table, "__powisf2"))(-1.5, 3) == -3.375
    scale = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float, ctypes.c_int)
    assert scale(lookup(table, "ldexpf"))(3.0, -149) == float(np.float32(3 * 2.0**-149))
    to_long = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_double)(lookup(table, "lround"))
    assert [to_long(v) for v in (2.5, -2.5, 1e300, float("nan"))] == [3, -3, 2**63 - 1, 0]


def test_generated_headers_are_up_to_date() -> None:
    script = toolchain.NATIVE / "tools" / "math_tables.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
