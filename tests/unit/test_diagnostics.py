"""A compiler's log in the terms of the user's file."""

from __future__ import annotations

from pathlib import Path

from hipaudit.diagnostics import explained

SOURCE = """#include <hip/hip_runtime.h>
__global__ void k(float* x) { x[0] = typo; }
__global__ void a(float* x) { asm volatile("v_nop"); }
"""


def log(path: Path, line: int, message: str, quoted: str) -> str:
    return f"{path}:{line}:5: error: {message}\n    {line} | {quoted}\n      |     ^~~~\n"


def test_lines_are_quoted_as_the_user_wrote_them(tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(SOURCE)
    expanded = "__attribute__((global)) void k(float* x) { x[0] = typo; }"
    text = explained(log(path, 2, "use of undeclared identifier 'typo'", expanded))
    assert "__global__ void k(float* x)" in text
    assert "__attribute__" not in text
    assert "^~~~" not in text


def test_lines_that_are_right_keep_their_mark(tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(SOURCE)
    text = explained(log(path, 1, "no", "#include <hip/hip_runtime.h>"))
    assert "^~~~" in text


def test_inline_assembly_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(SOURCE)
    inner = "<inline asm>:1:2: note: instantiated into assembly here\n    1 | v_nop\n"
    text = explained(log(path, 3, "invalid instruction mnemonic 'v_nop'", "x") + inner)
    assert f"{path}:3:5: error: inline assembly is not emulated" in text
    assert "choose it with -D" in text
    assert "instantiated" not in text


def test_missing_headers_say_what_to_do() -> None:
    for name, says in (
        ("cuda_runtime.h", "hipify"),
        ("rocblas/rocblas.h", "keep kernels in a file without it"),
        ("mine.h", "Name the folder that mine.h lies in with -I DIR"),
    ):
        text = explained(f"k.hip:1:10: fatal error: '{name}' file not found\n")
        assert says in text


def test_a_name_expression_that_does_not_compile_is_one_sentence() -> None:
    line = "    1 | __attribute__((device)) hipaudit_name_0 = (&scale<flot>);\n"
    wrong = "<name expression>:1:9: error: use of undeclared identifier 'flot'\n" + line
    text = explained(wrong * 4 + "4 errors generated when compiling for x86-64-v3.\n")
    assert text == "the kernel's name cannot be compiled: use of undeclared identifier 'flot'"


def test_builtins_that_are_not_emulated_have_a_way_out() -> None:
    for name, says in (
        ("__builtin_amdgcn_mfma_f32_16x16x16f16", "Matrix cores are not emulated"),
        ("__builtin_amdgcn_permlanex16_var", "__builtin_amdgcn_permlanex16_var is not emulated"),
    ):
        text = explained(f"k.hip:1:10: error: use of undeclared identifier '{name}'\n")
        assert says in text
        assert "choose it with -D" in text


def test_the_processor_is_not_named() -> None:
    assert explained("1 error generated when compiling for x86-64-v3.\n") == "1 error generated"


def test_intrinsics_by_name_are_refused_by_name() -> None:
    text = explained(
        "Intrinsic name not mangled correctly for type arguments! Should be: "
        "llvm.amdgcn.raw.buffer.load.f32\n"
        "ptr @llvm.amdgcn.raw.buffer.load.f32.v4i32\n"
        "fatal error: error in backend: Broken module found, compilation aborted!\n"
    )
    assert text.startswith("llvm.amdgcn.raw.buffer.load.f32.v4i32: ")
    assert "choose it with -D" in text
    assert "Broken module" not in text
