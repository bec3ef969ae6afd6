"""The pytest plugin, as a black box: a project's tests run in a process of their own."""

from __future__ import annotations

import re

import pytest

from hipaudit import replaytoken, toolchain

KERNEL = """
import ctypes
import numpy as np
from hypothesis import given, settings
from hipaudit.inputs import float32, lengths, tensors, well_scaled
from hipaudit.numerics import numerics
from hipaudit_runtime import modules
from hipaudit_runtime.tensors import Scope
from pathlib import Path
from hipaudit_runtime import sources

HERE = Path(__file__).parent
U = 2.0**-24

def twice(x):
    return 2.0 * x.astype(np.float64)

def bound(x):
    return np.abs(x.astype(np.float64)) * U

def launch(device, x, name="twice"):
    with sources.folder(HERE), Scope() as scope:
        a = scope.upload(x)
        y = scope.empty(x.shape, np.float32)
        arguments = (ctypes.c_void_p(a.address), ctypes.c_void_p(y.address), ctypes.c_int(x.size))
        modules.kernel(device, "twice.hip", name).launch(-(-x.size // 64), 64, arguments)
        return y.download()

vectors = tensors(float32, (lengths(1, 200),), well_scaled())
"""

HIP = """
#include <hip/hip_runtime.h>
extern "C" __global__ void twice(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
extern "C" __global__ void first_wave(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = i < warpSize ? 2.0f * x[i] : 1e9f;
}
extern "C" __global__ void forgets_last(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n - (n > 1)) y[i] = 2.0f * x[i];
}
extern "C" __global__ void two_ways(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && n != 7) y[i] = n > 40 ? x[i + 100000] : 3.0f * x[i];
}
extern "C" __global__ void racy(const float* x, float* y, int n) {
  __shared__ float s[64];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0.0f;
  if (threadIdx.x == 40) s[0] += 0.0f;
  __syncthreads();
  if (i < n) y[i] = 2.0f * s[threadIdx.x];
}
extern "C" __global__ void wild(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i + 1000000000];
}
"""


@pytest.fixture(scope="session")
def cache() -> str:
    """Return the device's cache folder as it was before pytester moved HOME."""
    return str(toolchain.cache_folder())


@pytest.fixture
def project(
    cache: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """Return a project with a kernel file, a launcher, and no tests yet."""
    # pytester moves HOME; the device need not be built again for that.
    monkeypatch.setenv("HIPAUDIT_CACHE", cache)
    pytester.path.joinpath("twice.hip").write_text(HIP)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers")
    return pytester


def run(project: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    project.makepyfile(test_it=KERNEL + body)
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly", *options)


GOOD = """
@numerics(reference=twice, bound=bound)
@settings(max_examples=15)
@given(x=vectors)
def test_twice(device, x):
    return launch(device, x)
"""


def test_a_right_kernel_passes_on_both_waves_with_its_statistics(project: pytest.Pytester) -> None:
    result = run(project, GOOD)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "hipaudit: emulated device, as gfx942 and gfx1100",
            "*hipaudit: worst error over bound*",
            "twice *gfx1100 *15 * 0.00 *passed",
            "twice *gfx942 *15 * 0.00 *passed",
        ]
    )


def test_statistics_survive_xdist(project: pytest.Pytester) -> None:
    result = run(project, GOOD, "-n", "2")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["twice *gfx1100 *passed", "twice *gfx942 *passed"])


def test_the_parts_can_be_chosen(project: pytest.Pytester) -> None:
    result = run(project, GOOD, "--hip-arch", "gfx90a", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test_twice[[]gfx90a[]]*"])
    wrong = run(project, GOOD, "--hip-arch", "gfx9999")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(["*no part is called 'gfx9999'*"])


BAD = """
@numerics(reference=twice, bound=bound)
@settings(max_examples=100, database=None)
@given(x=vectors)
def test_{name}(device, x):
    return launch(device, x, "{name}")
"""


def test_a_wave_size_bug_is_shrunk_and_can_be_replayed(project: pytest.Pytester) -> None:
    result = run(project, BAD.format(name="first_wave"))
    result.assert_outcomes(failed=2)
    text = result.stdout.str()
    assert "tensor(float32, (65,), 'uniform'" in text
    assert "tensor(float32, (33,), 'uniform'" in text
    assert "first_wave on gfx1100: bound-exceeded: output[32]" in text
    tokens = re.findall(r"replay: hipaudit replay (\S+)", text)
    assert len(tokens) == 2
    task = replaytoken.decode(tokens[0])
    assert task["what"] == "test"
    again = project.runpytest_subprocess(
        task["node"], "--hipaudit-replay", f"{task['version']}:{task['blob']}"
    )
    again.assert_outcomes(failed=1)


def test_an_element_that_is_never_written_is_named(project: pytest.Pytester) -> None:
    result = run(project, BAD.format(name="forgets_last"), "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unwritten-output: output?1? was never written"])


def test_a_crash_in_a_kernel_fails_the_test_and_not_the_run(project: pytest.Pytester) -> None:
    result = run(project, BAD.format(name="wild") + GOOD, "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*KernelFault: *wild*"])


def test_a_race_that_spoils_no_number_fails_the_test(project: pytest.Pytester) -> None:
    result = run(project, BAD.format(name="racy"), "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*KernelFault: race-*racy*", "*tensor(float32, (1,), 'uniform'*"])
    result.stdout.fnmatch_lines(["racy *gfx942 *failed"])


def test_of_two_ways_to_fail_one_is_reported_with_its_token(project: pytest.Pytester) -> None:
    result = run(project, BAD.format(name="two_ways"), "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert len(re.findall(r"replay: hipaudit replay hip1-", text)) == 1
    assert "distinct failures" not in text
    assert "hipaudit/compare.py" not in text


def test_the_device_is_left_as_it_was(project: pytest.Pytester) -> None:
    body = (
        GOOD
        + """
def test_after(device):
    import ctypes
    from hip import hip
    from hipaudit.hipcalls import call
    memory = call(hip.hipMalloc, 1 << 24)
    seen = ctypes.create_string_buffer(64)
    call(hip.hipMemcpy, seen, memory, 64, hip.hipMemcpyKind.hipMemcpyDeviceToHost)
    call(hip.hipFree, memory)
    assert seen.raw != b"\\xff" * 64
"""
    )
    run(project, body, "--hip-arch", "gfx942").assert_outcomes(passed=2)


def test_a_test_in_which_no_kernel_runs_is_void(project: pytest.Pytester) -> None:
    body = GOOD.replace("launch(device, x)", "(x * np.float32(2))")
    result = run(project, body, "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*VoidRun: twice on gfx942 is void: no kernel ran"])


def test_a_bound_that_cannot_fail_fails(project: pytest.Pytester) -> None:
    body = GOOD.replace("bound=bound", "bound=lambda x: np.full(x.shape, 1e30)")
    result = run(project, body, "--hip-arch", "gfx942")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*VacuousBound: *bound-vacuous*zeros, sign flipped*"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("@numerics(reference=twice)\ndef test_a(device): pass", "either a bound or exact=True"),
        ("@numerics(reference=twice, exact=True)\ndef test_a(device): pass", "above @given"),
        (
            "@numerics(reference=twice, exact=True)\n@given(x=vectors)\ndef test_a(x): pass",
            "must take the fixture",
        ),
    ],
)
def test_a_wrong_use_is_one_sentence(project: pytest.Pytester, body: str, says: str) -> None:
    result = run(project, body)
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*UsageError: *{says}*"])


def test_functions_that_do_not_take_what_is_drawn_are_refused(project: pytest.Pytester) -> None:
    result = run(project, GOOD.replace("bound=bound", "bound=lambda y: y"))
    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["*test_twice: the bound is called as <lambda>(x=...): *keyword argument 'x'*"]
    )
    result = run(project, GOOD.replace("reference=twice", "reference=np.square"))
    result.stdout.fnmatch_lines(
        ["*UsageError: test_twice: the reference is called as square(x=...*"]
    )
    result = run(
        project, GOOD.replace("(x=vectors)", "(vectors)").replace("device, x", "x, device")
    )
    result.stdout.fnmatch_lines(["*UsageError: test_twice: name what @given draws*"])


SCALED = """
import pytest

def scaled(x, factor):
    return factor * x.astype(np.float64)

@pytest.fixture(scope="module")
def unused():
    return object()

class TestScaled:
    @pytest.mark.parametrize("factor", [2, 3])
    @numerics(reference=scaled, bound=bound)
    @settings(max_examples=10, database=None)
    @given(x=vectors)
    def test_it(self, device, unused, factor, x):
        return launch(device, x)
"""


def test_parameters_and_methods_are_judged_by_those_functions_that_name_them(
    project: pytest.Pytester,
) -> None:
    result = run(project, SCALED, "--hip-arch", "gfx942")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["it[[]2[]] *passed", "it[[]3[]] *failed"])


PAIRS = """
from hypothesis import strategies as st

@st.composite
def pairs(draw):
    x = draw(vectors)
    return x, {"n": np.arange(x.size + 3), "flags": [True]}

@numerics(reference=lambda pair: twice(pair[0]), bound=lambda pair: bound(pair[0]))
@settings(max_examples=30, database=None)
@given(pair=pairs())
def test_pairs(device, pair):
    return launch(device, pair[0])
"""


def test_inputs_may_be_containers_of_arrays(project: pytest.Pytester) -> None:
    result = run(project, PAIRS, "--hip-arch", "gfx942")
    result.assert_outcomes(passed=1)


def test_a_launcher_that_writes_into_its_input_is_judged_on_what_was_drawn(
    project: pytest.Pytester,
) -> None:
    right = GOOD.replace("return launch(device, x)", "x[:] = launch(device, x)\n    return x")
    run(project, right, "--hip-arch", "gfx942").assert_outcomes(passed=1)
    wrong = GOOD.replace("return launch(device, x)", "x[:] = 0 * launch(device, x)\n    return x")
    run(project, wrong, "--hip-arch", "gfx942").assert_outcomes(failed=1)


def test_a_failure_shows_the_tests_lines_and_not_the_harness(project: pytest.Pytester) -> None:
    body = GOOD.replace("launch(device, x)", "launch(device, x, 'first_wave')")
    shown = run(project, body, "--hip-arch", "gfx942").stdout.str()
    assert "device=<emulated device gfx942 (" in shown
    assert not re.search(r"^\S*judge.py:\d+: in|^\S*numerics.py:\d+: in", shown, re.MULTILINE)
    assert "test_it.py:" in shown


def test_markers_are_registered(project: pytest.Pytester) -> None:
    marks = ["numerics", "memory", "races", "faults", "runtime", "isa", "bench", "exhaustive"]
    body = "import pytest\n" + "".join(
        f"@pytest.mark.{mark}\ndef test_{mark}(): pass\n" for mark in [*marks, "rocm"]
    )
    project.makepyfile(test_it=body)
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=len(marks), skipped=1)


def test_a_demanded_gpu_that_does_not_answer_ends_the_run(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(project, GOOD, "--hip-device", "rocm")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no AMD GPU answers*"])
    monkeypatch.setenv("HIPAUDIT_DEVICE", "rocm")
    assert run(project, GOOD).ret == pytest.ExitCode.USAGE_ERROR
    monkeypatch.setenv("HIPAUDIT_DEVICE", "vulkan")
    result = run(project, GOOD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_suite_without_kernels_is_left_alone(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="import sys\n\ndef test_it():\n    assert not {'hip', 'numpy'} & set(sys.modules)\n"
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert "worst error over bound" not in result.stdout.str()
