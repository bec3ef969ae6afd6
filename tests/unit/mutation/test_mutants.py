"""Mutants: every operator makes what it says, nowhere else, and the names outlast other edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.device import bind
from hipaudit.mutation.mutant import OPERATORS, Mutant, mutants_of
from hipaudit.resources import kernels_folder
from hipaudit_runtime import modules, sources
from hipaudit_runtime.errors import KernelCompileError

KERNEL = """// A comment with a + b and 17.
#include <hip/hip_runtime.h>
#include <cmath>
static_assert(sizeof(int) == 4);
constexpr int kTile = 8;
template <int N> __device__ float of_wave(float v) { return __shfl(v, N) * 2.0f; }
int on_the_host(int a) { return a + 1; }
extern "C" __global__ __launch_bounds__(256) void k(const float* x, float* y, int* count, int n) {
  __shared__ float part[256];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float sum = 0.5f;
  float high = -INFINITY;
  for (int j = i; j < n; j += 2) {
    sum += expf(x[j] - high);
    high = fmaxf(high, x[j]);
  }
  sum += __shfl_down(sum, 16);
  part[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x % warpSize == 0 && sum != 0.0f) atomicAdd(count, 3);
  y[i] = sum > 1.0f ? part[255 - threadIdx.x] : sum;
}
"""

CASES = {
    "arithmetic": "sum += expf(x[j] + high);",
    "compound-assignment": "sum -= expf(x[j] - high);",
    "operand-dropped": "sum += expf(x[j]);",
    "call-dropped": "sum += (x[j] - high);",
    "constant": "float sum = (0.5f * 1.0003f);",
    "identity": "float high = -0.0f;",
    "accumulator-type": "sum = hipaudit_mutant::in_fp16(sum + expf(x[j] - high));",
    "min-max": "high = fminf(high, x[j]);",
    "sign": "float high = INFINITY;",
    "result-replaced": "high = hipaudit_mutant::zero(fmaxf(high, x[j]));",
    "scaled": "sum += hipaudit_mutant::scaled(expf(x[j] - high));",
    "rounded": "sum += hipaudit_mutant::in_bf16(expf(x[j] - high));",
    "comparison-boundary": "if (i > n) return;",
    "comparison-negated": "if (i < n) return;",
    "loop-bound": "for (int j = i; j < n - 1; j += 2) {",
    "loop-start": "for (int j = i + 1; j < n; j += 2) {",
    "loop-step": "for (int j = i; j < n; j += 2 * 2) {",
    "index-offset": "part[threadIdx.x + 1] = sum;",
    "barrier-removed": ";",
    "shuffle-offset": "sum += __shfl_down(sum, 16 + 1);",
    "shuffle-kind": "sum += __shfl_up(sum, 16);",
    "atomic-made-plain": "if (threadIdx.x % warpSize == 0 && sum != 0.0f) "
    "hipaudit_mutant::add_plainly(count, 3);",
    "wave-width": "if (threadIdx.x % 32 == 0 && sum != 0.0f) atomicAdd(count, 3);",
    "guard": "if (false) return;",
    "choice": "y[i] = part[255 - threadIdx.x];",
    "statement-deleted": ";",
    "element-lost": "if (i != 0) y[i] = sum > 1.0f ? part[255 - threadIdx.x] : sum;",
    "array-size": "__shared__ float part[256 - 1];",
}


def made(text: str = KERNEL) -> tuple[Mutant, ...]:
    return mutants_of(text.encode(), "k.hip")


def test_every_operator_has_a_case_here() -> None:
    assert set(CASES) == {operator.name for operator in OPERATORS}


@pytest.mark.parametrize("operator", CASES)
def test_an_operator_makes_its_mistake(operator: str) -> None:
    lines = {m.diff(KERNEL.encode())[1] for m in made() if m.operator == operator}
    assert CASES[operator] in lines


def test_only_device_code_is_changed() -> None:
    untouched = ("static_assert", "int on_the_host", "#include", "// A comment", "extern")
    lines = KERNEL.splitlines()
    for mutant in made():
        assert not lines[mutant.line - 1].startswith(untouched), mutant


def test_a_mutant_differs_at_its_place_alone_and_keeps_every_line_number() -> None:
    source = KERNEL.encode()
    for mutant in made():
        changed = mutant.apply(source)
        body = changed[changed.index(b"// A comment") :]
        assert body != source
        assert body.count(b"\n") == source.count(b"\n")
        assert body[: mutant.start] == source[: mutant.start]
        assert source[mutant.start : mutant.end].decode() == mutant.original
        assert (changed != body) == mutant.helper


def test_mutants_have_different_ids_and_different_texts() -> None:
    mutants = made()
    assert len({mutant.id for mutant in mutants}) == len(mutants)
    texts = {mutant.apply(KERNEL.encode()) for mutant in mutants}
    assert len(texts) == len(mutants)


def test_ids_outlast_edits_elsewhere_and_comments() -> None:
    edited = KERNEL.replace("int on_the_host", "int more() { return 3; }\nint on_the_host")
    edited = edited.replace("float sum", "// what is added up\n  float sum")
    assert [mutant.id for mutant in made(edited)] == [mutant.id for mutant in made()]


def test_ids_end_with_the_code_that_they_were_about() -> None:
    edited = KERNEL.replace("j += 2", "j += 1")
    inside = {mutant.id for mutant in made() if mutant.function == "k"}
    assert inside.isdisjoint(mutant.id for mutant in made(edited))
    at_top = {mutant.id for mutant in made() if not mutant.function}
    assert at_top <= {mutant.id for mutant in made(edited)}


def test_text_that_is_no_kernel_gives_no_mutants_and_no_error() -> None:
    for text in ("", "\x00\xff", "}}}} <<< (((", "int main() { return 1 + 1; }", "é" * 100):
        assert mutants_of(text.encode(), "k.hip") == ()


def test_the_real_library_gives_mutants_of_every_file() -> None:
    folder = kernels_folder()
    for path in sorted(folder.glob("*.hip")):
        assert len(mutants_of(path.read_bytes(), path.name)) >= 8, path.name


def test_nearly_every_mutant_compiles(tmp_path: Path) -> None:
    """What does not fit a type is left to the compiler; it must stay the exception."""
    part = bind("emulated").with_arch("gfx942")
    path = tmp_path / "k.hip"
    refused = []
    mutants = made()[::3]
    for mutant in mutants:
        path.write_bytes(mutant.apply(KERNEL.encode()))
        try:
            modules.compile_source(sources.read(path), part.arch)
        except KernelCompileError:
            refused.append(mutant)
    assert len(refused) <= len(mutants) // 10, [mutant.sentence() for mutant in refused]
