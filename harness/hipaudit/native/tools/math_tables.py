# ruff: noqa: INP001 - a script that developers run, not a module of the package
"""Write the constants and tables of the emulated device's math, computed with mpmath at 120 digits.

    python math_tables.py            rewrites the generated headers beside this folder
    python math_tables.py --check    exits 1 when a committed header differs from what this writes

``include/hipaudit/math_coefficients.h`` holds the polynomials of the functions that kernels inline;
``device/math_tables.h`` holds the tables of the functions that the device library offers;
``include/hipaudit/math_functions.h`` names the functions, with AMD's errors of math_ulp.json. A
polynomial interpolates its function at Chebyshev nodes (within a small factor of minimax: Muller,
Handbook of Floating-Point Arithmetic, ch. 10), after each function is divided
by its zero, so that the absolute error of the quotient is the relative error of the function.
A pair ``hi, lo`` is a double-double: hi is the value rounded to double and lo what that leaves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mpmath import mp, mpf

mp.dps = 120

NATIVE = Path(__file__).resolve().parent.parent
COEFFICIENTS = NATIVE / "include" / "hipaudit" / "math_coefficients.h"
TABLES = NATIVE / "device" / "math_tables.h"
FUNCTIONS = NATIVE / "include" / "hipaudit" / "math_functions.h"

Function = Callable[[mpf], mpf]


def pair(value: mpf) -> tuple[float, float]:
    """A value as the sum of two doubles, to about 107 bits."""
    high = float(value)
    return high, float(value - mpf(high))


def triple(value: mpf, bits: int) -> tuple[float, float, float]:
    """A value as three doubles, the first of them cut to `bits` bits: k times it is exact."""
    exponent = int(mp.floor(mp.log(abs(value), 2)))
    unit = mpf(2) ** (exponent + 1 - bits)
    first = mp.nint(value / unit) * unit
    second, third = pair(value - first)
    return float(first), second, third


def interpolate(function: Function, low: mpf, high: mpf, degree: int, centre: mpf) -> list[mpf]:
    """Coefficients, lowest first, in powers of (x - centre), through the Chebyshev nodes."""
    middle, half = (mpf(low) + high) / 2, (mpf(high) - low) / 2
    count = degree + 1
    nodes = [middle + half * mp.cos((2 * i + 1) * mp.pi / (2 * count)) for i in range(count)]
    matrix = mp.matrix(count, count)
    for row, node in enumerate(nodes):
        for column in range(count):
            matrix[row, column] = (node - centre) ** column
    solution = mp.lu_solve(matrix, mp.matrix([function(node) for node in nodes]))
    return [solution[i] for i in range(count)]


def worst_error(function: Function, low: mpf, high: mpf, terms: Sequence[mpf], at: mpf) -> mpf:
    """The largest error found on 64 points of [low, high], relative to the function."""
    worst = mpf(0)
    for i in range(65):
        x = mpf(low) + (mpf(high) - low) * (i + mpf("0.37")) / mpf("65.5")
        value = function(x)
        estimate = mp.polyval(list(reversed(list(terms))), x - at)
        worst = max(worst, abs(estimate - value) / abs(value))
    return worst


def array(name: str, values: Sequence[float], comment: str) -> str:
    """A C++ constexpr array of doubles, four to a line."""
    texts = [value.hex() for value in values]
    lines = ["    " + ", ".join(texts[i : i + 4]) + "," for i in range(0, len(texts), 4)]
    head = f"// {comment}\ninline constexpr double {name}[{len(values)}] = {{"
    return "\n".join([head, *lines, "};"])


def scalar(name: str, value: float, comment: str) -> str:
    """A C++ constexpr double with its meaning."""
    return f"inline constexpr double {name} = {value.hex()};  // {comment}"


def dd(name: str, value: mpf, comment: str) -> str:
    """A C++ constexpr double-double."""
    high, low = pair(value)
    return f"inline constexpr Dd {name} = {{{high.hex()}, {low.hex()}}};  // {comment}"


def polynomial(name: str, function: Function, high: mpf, low: mpf, degree: int, text: str) -> str:
    """One constant a coefficient: a checked build would trace the reads of an array."""
    terms = [mpf(float(t)) for t in interpolate(function, low, high, degree, mpf(0))]
    bits = float(mp.log(worst_error(function, low, high, terms, mpf(0)), 2))
    lines = [f"inline constexpr double {name}{i} = {float(t).hex()};" for i, t in enumerate(terms)]
    return "\n".join([f"// {text}; relative error 2^{bits:.1f}", *lines])


def expm1_quotient(r: mpf) -> mpf:
    """expm1(r)/r."""
    return mp.expm1(r) / r if r else mpf(1)


def atanh_quotient(z: mpf) -> mpf:
    """2 atanh(sqrt z)/sqrt z."""
    s = mp.sqrt(z)
    return 2 * mp.atanh(s) / s if s else mpf(2)


def sine_rest(z: mpf) -> mpf:
    """(sin r - r)/r^3 with z = r^2."""
    r = mp.sqrt(z)
    return (mp.sin(r) - r) / r**3


def cosine_rest(z: mpf) -> mpf:
    """(cos r - 1 + z/2)/z^2 with z = r^2."""
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2


def coefficients() -> str:
    """The header of what kernels inline."""
    half_ln2 = mp.ln(2) / 2 + mpf("1e-6")
    edge = (mp.sqrt(2) - 1) ** 2 / (mp.sqrt(2) + 1) ** 2 + mpf("1e-4")
    octant = (mp.pi / 4 + mpf("1e-6")) ** 2
    tiny = mpf(2) ** -60
    hi, lo = pair(mp.pi / 2)
    parts = [
        polynomial("kExp", expm1_quotient, half_ln2, -half_ln2, 7, "expm1(r)/r, |r| <= ln(2)/2"),
        polynomial("kLog", atanh_quotient, edge, tiny, 5, "2 atanh(s)/s in s^2, |s| <= 0.1716"),
        polynomial("kSin", sine_rest, octant, tiny, 4, "(sin(r) - r)/r^3 in r^2, |r| <= pi/4"),
        polynomial("kCos", cosine_rest, octant, tiny, 3, "(cos(r) - 1 + r^2/2)/r^4 in r^2"),
        scalar("kLog2E", float(1 / mp.ln(2)), "log2(e)"),
        scalar("kLog2Ten", float(mp.log(10, 2)), "log2(10)"),
        scalar("kLn2", float(mp.ln(2)), "ln(2)"),
        scalar("kLog10E", float(1 / mp.ln(10)), "log10(e)"),
        scalar("kTwoOverPi", float(2 / mp.pi), "2/pi"),
        scalar("kHalfPiHigh", hi, "pi/2, rounded"),
        scalar("kHalfPiLow", lo, "pi/2 less that"),
        scalar("kPi", float(mp.pi), "pi"),
    ]
    return page("hipaudit::math", parts, "")


def exp_table() -> str:
    """The powers that 64 steps of an octave take."""
    values: list[float] = []
    for j in range(64):
        values += pair(mpf(2) ** (mpf(j) / 64))
    return array("kExpTable", values, "2^(j/64): high, low")


LOG_FIRST = mpf(181) / 256  # the lowest mantissa: just below sqrt(1/2)
LOG_BELOW = 75  # rows below 1, of width 1/256; those above are 1/128 wide


def mantissa(index: int) -> mpf:
    """Where row `index` of the logarithm's table begins: equal steps of the bits of z."""
    if index <= LOG_BELOW:
        return LOG_FIRST + mpf(index) / 256
    return 1 + mpf(index - LOG_BELOW) / 128


def log_row(index: int) -> tuple[float, float, float]:
    """C with z c near 1 for each z of the row, and -ln(c) as a pair; c = 1 on both sides of 1."""
    low, high = mantissa(index), mantissa(index + 1)
    c = mpf(1) if low <= 1 <= high else mp.nint(2 / (low + high) * 512) / 512
    return (float(c), *pair(-mp.ln(c)))


def log_table() -> str:
    """The rows that log_row describes, one after the other."""
    values: list[float] = []
    for index in range(128):
        values += log_row(index)
    return array("kLogTable", values, "128 rows of c, -ln(c) high, -ln(c) low")


def sincos_table() -> str:
    """Sines and cosines at the multiples of 1/32 below pi/4, and one beyond."""
    values: list[float] = []
    for j in range(27):
        angle = mpf(j) / 32
        values += [*pair(mp.sin(angle)), *pair(mp.cos(angle))]
    return array("kSinCosTable", values, "j/32: sin high, sin low, cos high, cos low")


def two_over_pi() -> str:
    """The bits that Payne and Hanek's reduction takes its window from."""
    with mp.workprec(1400):
        bits = int(mp.floor(2 / mp.pi * mpf(2) ** 1280))
    words = [(bits >> (1280 - 64 * (i + 1))) & (2**64 - 1) for i in range(20)]
    lines = [", ".join(f"0x{w:016x}u" for w in words[i : i + 4]) for i in range(0, 20, 4)]
    body = "\n".join(f"    {line}," for line in lines)
    head = "// 2/pi after the binary point, 64 bits a word, highest first"
    return f"{head}\ninline constexpr uint64_t kTwoOverPiWords[20] = {{\n{body}\n}};"


def piecewise(name: str, function: Function, low: mpf, count: int, width: mpf, degree: int) -> str:
    """Rows of c0 high, c0 low, c1 ... about each interval's middle."""
    values: list[float] = []
    worst = mpf(0)
    for i in range(count):
        start = mpf(low) + width * i
        centre = start + width / 2
        terms = interpolate(function, start, start + width, degree, centre)
        worst = max(worst, worst_error(function, start, start + width, terms, centre))
        values += [*pair(terms[0]), *[float(t) for t in terms[1:]]]
    bits = float(mp.log(worst, 2))
    text = f"{count} rows of width {float(width)}: c0 high, c0 low, c1 to c{degree}; 2^{bits:.1f}"
    return array(name, values, text)


def erf_quotient(z: mpf) -> mpf:
    """erf(x)/x with z = x^2."""
    x = mp.sqrt(z)
    return mp.erf(x) / x if x else 2 / mp.sqrt(mp.pi)


def erfcx_quotient(u: mpf) -> mpf:
    """erfcx(x)/u with u = 1/(x + 2)."""
    x = 1 / u - 2
    if x > 40:
        series = mp.nsum(lambda k: (-1) ** int(k) * mp.fac2(2 * k - 1) / (2 * x * x) ** k, [0, 60])
        return series / (x * mp.sqrt(mp.pi)) / u
    return mp.exp(x * x) * mp.erfc(x) / u


def tables() -> str:
    """The header of what the device library uses."""
    zeta = [float((mp.zeta(k) - 1) / k * (-1) ** k) for k in range(2, 27)]
    stirling = [float(mp.bernoulli(2 * k) / (2 * k * (2 * k - 1))) for k in range(1, 13)]
    ln2 = triple(mp.ln(2), 40)
    ln2_64 = triple(mp.ln(2) / 64, 36)
    half_pi = [float(mp.pi / 2)]
    half_pi += list(pair(mp.pi / 2 - mpf(half_pi[0])))
    parts = [
        array("kLn2Parts", ln2, "ln(2) in three parts: k times the first is exact"),
        array("kLn2Over64Parts", ln2_64, "ln(2)/64 likewise"),
        array("kHalfPiParts", half_pi, "pi/2 in three parts"),
        dd("kHalfPi", mp.pi / 2, "pi/2"),
        dd("kPiDd", mp.pi, "pi"),
        dd("kLn2Dd", mp.ln(2), "ln(2)"),
        dd("kLn10Dd", mp.ln(10), "ln(10)"),
        dd("kLog2EDd", 1 / mp.ln(2), "1/ln(2)"),
        dd("kLog10EDd", 1 / mp.ln(10), "1/ln(10)"),
        dd("kHalfLogTwoPi", mp.ln(2 * mp.pi) / 2, "ln(2 pi)/2"),
        dd("kLogPi", mp.ln(mp.pi), "ln(pi)"),
        dd("kTwoOverSqrtPi", 2 / mp.sqrt(mp.pi), "2/sqrt(pi)"),
        dd("kSqrtHalf", mp.sqrt(mpf(1) / 2), "sqrt(1/2)"),
        dd("kSqrtTwo", mp.sqrt(2), "sqrt(2)"),
        dd("kTwoOverPiDd", 2 / mp.pi, "2/pi"),
        dd("kEuler", mp.euler, "Euler's constant"),
        dd("kOneMinusEuler", 1 - mp.euler, "1 - Euler's constant"),
        dd("kZetaTwo", (mp.zeta(2) - 1) / 2, "(zeta(2) - 1)/2"),
        array("kZeta", zeta, "(-1)^k (zeta(k) - 1)/k for k = 2 to 26"),
        array("kStirling", stirling, "B(2k)/(2k (2k - 1)) for k = 1 to 12"),
        exp_table(),
        log_table(),
        sincos_table(),
        two_over_pi(),
        piecewise("kErfTable", erf_quotient, mpf(0), 8, mpf(1) / 8, 8),
        piecewise("kErfcxTable", erfcx_quotient, mpf(2) ** -80, 16, mpf(1) / 32, 11),
    ]
    return page("hipaudit::math", parts, '#include <stdint.h>\n\n#include "math_double_double.h"\n')


def functions() -> str:
    """The header that names the functions, each with the ULP that AMD documents, 0 for none."""
    rows = json.loads((NATIVE / "math_ulp.json").read_text())["functions"]
    listed = [f"  X({name}, {row['amd'] or 0}) \\" for name, row in rows.items()]
    return "\n".join(
        [
            "// Written by tools/math_tables.py from math_ulp.json; do not edit.",
            "#pragma once",
            "",
            "// clang-format off",
            "// X(name, the largest error in ULP that AMD documents; 0: none is documented)",
            "#define HIPAUDIT_MATH_FUNCTIONS(X) \\",
            *listed[:-1],
            listed[-1].removesuffix(" \\"),
            "// clang-format on",
            "",
            "namespace hipaudit {",
            "",
            "// Which function a result comes from: the row of math_ulp.json with the same name.",
            "#define HIPAUDIT_ROW(NAME, ULP) NAME,",
            "enum class FunctionId : unsigned short { HIPAUDIT_MATH_FUNCTIONS(HIPAUDIT_ROW) };",
            "#undef HIPAUDIT_ROW",
            "",
            "}  // namespace hipaudit",
            "",
        ]
    )


def page(namespace: str, parts: Sequence[str], includes: str) -> str:
    """A whole generated header."""
    head = "// Written by tools/math_tables.py with mpmath at 120 digits; do not edit.\n"
    guard = "#pragma once\n\n" + (includes + "\n" if includes else "") + "// clang-format off\n"
    inside = "\n\n".join(parts)
    body = f"namespace {namespace} {{\n\n{inside}\n\n}}  // namespace {namespace}\n"
    return head + guard + body + "// clang-format on\n"


def main(arguments: Sequence[str]) -> int:
    """Writes the headers, or compares them; the exit code."""
    pages = {COEFFICIENTS: coefficients(), TABLES: tables(), FUNCTIONS: functions()}
    if "--check" in arguments:
        stale = [path for path, text in pages.items() if path.read_text() != text]
        for path in stale:
            sys.stdout.write(f"stale: {path}\n")
        return 1 if stale else 0
    for path, text in pages.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
