"""What names a line: it stays while the lines around it change, and tells statements apart."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from pathlib import Path

import pytest

from hipaudit.anchor import anchor, file_name

KERNEL = """#include <hip/hip_runtime.h>

__device__ float other(float* p) {
  p[0] = 1.0f;
  return p[1];
}

extern "C" __global__ __launch_bounds__(256) void sums(const float* x, float* y, int n) {
  __shared__ float part[256];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  part[threadIdx.x] = i < n ? x[i] : 0.0f;
  if (i < n) y[i] = part[255 - threadIdx.x];
  p[0] = 1.0f;
  y[1] = 2.0f;
  p[0] = 1.0f;
}
"""
Named = Callable[..., str]
WRITE, READ = "part[threadIdx.x]", "y[i] ="


def line_of(text: str, part: str, nth: int = 0) -> int:
    return [number for number, line in enumerate(text.splitlines(), 1) if part in line][nth]


@pytest.fixture
def named(tmp_path: Path) -> Named:
    """Return what gives the anchor of the line with some words, in a file with this text."""

    def at(text: str, part: str, nth: int = 0, name: str = "k.hip", *, marks: bool = False) -> str:
        path = tmp_path / name
        path.write_text(text)
        linecache.checkcache(str(path))
        # Two writes within a tick of the clock may look alike.
        linecache.cache.pop(str(path), None)
        number = line_of(text, part, nth)
        line = text.splitlines()[number - 1]
        before = line.partition(part)[0] if marks else ""
        counts = [sum(map(one.count, ";{}")) for one in (before, line)]
        return anchor(str(path), number, (counts[0], counts[1]) if marks else None)

    return at


EDITS = {
    "lines above": "// one\n\n#define X 1\n" + KERNEL,
    "an equal line in a function above": "void f(int* p) {\n  p[0] = 1.0f;\n}\n" + KERNEL,
    "another function changed": KERNEL.replace("return p[1];", "p[2] = 4;\n  return p[3] * 2;"),
    "another statement of the function": KERNEL.replace(
        "  int i =", "  int unused = 3;\n  int i ="
    ),
    "a comment on the line": KERNEL.replace(": 0.0f;", ": 0.0f;  // the rest is /* zero */"),
    "spaces": KERNEL.replace("i < n ? x[i] : 0.0f", "i<n  ?  x[ i ]:0.0f"),
    "indentation": KERNEL.replace("\n  ", "\n\t\t"),
    "broken over lines": KERNEL.replace(" = i < n ?", " =\n      i < n\n      ?"),
    "a brace on a line of its own": KERNEL.replace(") {", ")\n{"),
    "windows line ends": KERNEL.replace("\n", "\r\n"),
    "another parameter": KERNEL.replace("int n)", "int n, float scale)"),
    "in a namespace": "namespace a {\n" + KERNEL + "}\n",
    "other branches": KERNEL.replace(
        "  int i =", "#ifdef A\n  if (n) {\n#else\n  if (!n) {\n#endif\n  }\n  int i ="
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_line_keeps_its_name(named: Named, edit: str) -> None:
    for part in (WRITE, READ):
        assert named(EDITS[edit], part) == named(KERNEL, part)


def test_lines_have_names_of_their_own(named: Named) -> None:
    lines = range(8, 16)
    text = KERNEL.splitlines()
    names = {named(KERNEL, text[line - 1], 0) for line in lines}
    names.add(named(KERNEL, "p[0]", 1))
    names.add(named(KERNEL, "p[0]", 2))
    assert len(names) == 7 + 2  # of eight lines two are equal to one elsewhere


def test_a_changed_statement_is_another(named: Named) -> None:
    changed = KERNEL.replace("255 - threadIdx.x", "254 - threadIdx.x")
    assert named(changed, READ) != named(KERNEL, READ)


def test_equal_statements_with_equal_neighbours_are_counted(named: Named) -> None:
    text = "void f() {\n" + "  a();\n" * 5 + "}\n"
    names = [named(text, "a();", nth) for nth in range(5)]
    assert len(set(names)) == 5


def test_one_line_and_many_are_the_same_function(named: Named) -> None:
    short, wide = "void f(int* p) { p[0] = 1; }\n", "void f(int* p)\n{\n  p[0] = 1;\n}\n"
    assert named(short, "p[0]") == named(wide, "p[0]")


def test_statements_of_one_line_are_told_apart_as_if_each_had_its_own(named: Named) -> None:
    wide = KERNEL[KERNEL.index("extern") :]
    short = " ".join(wide.split()) + "\n"
    parts = ("int i =", WRITE + " =", "if (i < n) y", "y[1]")
    names = [named(short, part, marks=True) for part in parts]
    assert names == [named(wide, part) for part in parts]
    assert names == [named(wide, part, marks=True) for part in parts]
    assert len(set(names)) == len(parts)


def test_marks_of_a_block_on_one_line(named: Named) -> None:
    wide = "void f(int* p) {\n  for (int i = 0; i < 4; ++i) {\n    p[i] = 1;\n    g();\n  }\n}\n"
    short = wide.replace("{\n    p", "{ p").replace("1;\n    g();\n  }", "1; g(); }")
    for part in ("for", "p[i]", "g()"):
        assert named(short, part, marks=True) == named(wide, part)
    comment = short.replace("{ p", "{ /* ; { */ p")
    assert named(comment, "p[i]", marks=True) == named(short, "p[i]")  # a count that is not right


PROGRAM = """import hip

def make(n):
    a = hip.hipMalloc(n)
    with hip.scope():
        b = hip.hipMalloc(
            n * 2,
        )
    return a, b
"""


def test_python_is_named_by_its_statements(named: Named) -> None:
    plain = named(PROGRAM, "n * 2", name="a.py")
    edited = "x = 'a' # b\n" + PROGRAM.replace("b = hip.hipMalloc(\n            n * 2,\n        )",
                                                "b = hip.hipMalloc(n*2)  # two")  # fmt: skip
    assert named(edited, "n*2", name="a.py") == plain
    assert ".make:" in plain
    assert named(PROGRAM, "a = hip", name="a.py") != plain
    assert "with hip.scope()" in named(PROGRAM, "with", name="a.py")


@pytest.mark.parametrize(
    "text",
    [
        "}}}} ;;; {{{{ #else\n#endif\n#endif\n a(;\n",
        'R"x( never closed\n "neither \n',
        "/* open\n" * 3,
        "(((((\n" * 50,
        "#\\\n#\\\n#",
        "\0\x1b[2J\u202e;\n",
        "def f(:\n",
    ],
)
def test_odd_sources_have_names_too(named: Named, text: str) -> None:
    for name in ("k.hip", "k.py"):
        first = named(text, "", 0, name=name)
        assert first == named(text, "", 0, name=name)
        assert first.startswith(name)


def test_ten_thousand_equal_statements_are_quick(named: Named) -> None:
    text = "void f() {\n" + "  p[i] += 1;\n" * 10_000 + "}\n"
    assert named(text, "p[i]", 9_000) != named(text, "p[i]", 9_001)


def test_files_are_named_from_their_repository(tmp_path: Path) -> None:
    for checkout in ("one", "two"):
        (tmp_path / checkout / ".git").mkdir(parents=True)
    assert file_name(str(tmp_path / "one/a/k.hip")) == "a/k.hip"
    assert file_name(str(tmp_path / "two/a/k.hip")) == "a/k.hip"
    assert file_name(str(tmp_path / "two/b/k.hip")) == "b/k.hip"
    assert file_name("/elsewhere/k.hip") == "k.hip"


@pytest.mark.parametrize("root", [True, False])
def test_a_files_name_does_not_depend_on_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    if root:
        (tmp_path / ".git").touch()
    names = set()
    for folder, file in ((".", "a/k.hip"), ("a", "k.hip"), ("a/b", "../k.hip")):
        monkeypatch.chdir(tmp_path / folder)
        file_name.cache_clear()
        names.add(file_name(file))
    assert names == {"a/k.hip" if root else "k.hip"}


def test_without_a_source_the_number_has_to_do() -> None:
    assert anchor("/absent/k.hip", 7) == "k.hip:7"
