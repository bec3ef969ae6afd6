"""Times one thing on the device that this process is bound to: a child of the benchmarks.

    python emulated_child.py gemm_f32_tiled|softmax|launch|barriers|shuffles|compile|load
    python emulated_child.py quantised_gemv|quantised_gemm|dequantise|decode

A number behind that is of buffers of 256 bytes that live all the while.

For each line on standard input, one round, whose seconds it prints: of a kernel, one launch waited
for; of the others, see the functions. Results are checked once, before.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import hipaudit_reference as ref
from hipaudit.audits.model_dequantisation import default_model
from hipaudit_reference import bounds
from hipaudit_runtime import modules, ops, sources
from hipaudit_runtime.device import DeviceLike, current_device
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.tensors import Scope, Tensor
from hipaudit_runtime.weights import open_gguf

LAUNCHES = 1000
ROUNDS = 200
THREADS = 256

Round = Callable[[], None]


def gemm_f32_tiled(device: DeviceLike, scope: Scope) -> Round:
    """A product of two matrices of 256 x 256."""
    generator = np.random.default_rng(1)
    a, b = (generator.uniform(-1, 1, (256, 256)).astype(np.float32) for _ in range(2))
    left, right, result = scope.upload(a), scope.upload(b), scope.empty((256, 256), np.float32)
    ops.launch_gemm_f32(device, left, right, result)
    _require_within(result, ref.gemm(a, b), bounds.gemm(a, b))
    return lambda: ops.launch_gemm_f32(device, left, right, result)


def softmax(device: DeviceLike, scope: Scope) -> Round:
    """256 rows of 2048."""
    x = np.random.default_rng(1).normal(0, 3, (256, 2048)).astype(np.float32)
    logits, result = scope.upload(x), scope.empty(x.shape, np.float32)
    ops.launch_softmax(device, logits, result)
    _require_within(result, ref.softmax(x), bounds.softmax(x))
    return lambda: ops.launch_softmax(device, logits, result)


def quantised_gemv(device: DeviceLike, scope: Scope) -> Round:
    """A vector times a matrix of 4096 x 4096 in Q4_K."""
    return _quantised_product(device, scope, rows_of_x=1)


def quantised_gemm(device: DeviceLike, scope: Scope) -> Round:
    """16 vectors times the same matrix."""
    return _quantised_product(device, scope, rows_of_x=16)


def dequantise(device: DeviceLike, scope: Scope) -> Round:
    """The same matrix to float32."""
    blocks = _q4_k(scope)
    values = scope.empty((*blocks.shape[:-1], 4096), np.float32)
    return lambda: ops.launch_dequantise(device, "Q4_K", blocks, values)


def _q4_k(scope: Scope) -> Tensor:
    """4096 rows of 16 super-blocks, whose scales are finite."""
    blocks = np.random.default_rng(1).integers(0, 256, (4096, 16, 144), dtype=np.uint8)
    blocks[..., :4] &= 0x3B
    return scope.upload(blocks.reshape(4096, -1))


def _quantised_product(device: DeviceLike, scope: Scope, *, rows_of_x: int) -> Round:
    x = np.random.default_rng(1).normal(0, 1, (rows_of_x, 4096)).astype(np.float32)
    blocks, given = _q4_k(scope), scope.upload(x)
    result = scope.empty((rows_of_x, 4096), np.float32)
    ops.launch_quantised_gemm(device, "Q4_K", blocks, given, result)
    stored = blocks.download()
    expected = ref.quantised_gemm(stored, "Q4_K", x)
    _require_within(result, expected, bounds.quantised_gemm(stored, "Q4_K", x))
    return lambda: ops.launch_quantised_gemm(device, "Q4_K", blocks, given, result)


def launch(device: DeviceLike, scope: Scope) -> Round:
    """LAUNCHES launches of an empty kernel, one block of one thread, in one stream."""
    del scope
    empty = _own_kernel(device, "empty")

    def run() -> None:
        for _ in range(LAUNCHES):
            empty.launch(1, 1, ())

    return run


def barriers(device: DeviceLike, scope: Scope) -> Round:
    """ROUNDS barriers of a block of THREADS threads."""
    return _waits(device, scope, "barriers")


def shuffles(device: DeviceLike, scope: Scope) -> Round:
    """ROUNDS shuffles by each of THREADS threads."""
    return _waits(device, scope, "shuffles")


def compile_(device: DeviceLike, scope: Scope) -> Round:
    """A kernel source that was never seen, from its text to its entry point."""
    del scope
    source = sources.read(sources.locate("rms_norm.hip"))

    def run() -> None:
        fresh = replace(source, text=f"{source.text}// {time.time_ns()}\n")
        modules.entry_point(_loaded(fresh, device), "rms_norm")

    return run


def load(device: DeviceLike, scope: Scope) -> Round:
    """The same of a source that the cache on disk holds, when this process asks for it first."""
    del scope
    source = sources.read(sources.locate("rms_norm.hip"))

    def run() -> None:
        modules.entry_point(_loaded(source, device), "rms_norm")

    return run


def _loaded(source: sources.KernelSource, device: DeviceLike) -> object:
    return modules.load_module(modules.compile_source(source, device.arch))


def _own_kernel(device: DeviceLike, name: str) -> modules.Kernel:
    with sources.folder(Path(__file__).parent):
        return modules.kernel(device, "device_costs.hip", name)


def decode(device: DeviceLike, scope: Scope) -> Round:
    """One more token of SmolLM2 behind a prompt of 16."""
    model = Transformer(open_gguf(default_model()), device)
    cache = model.cache(2, 16)
    for each in (cache, model):
        atexit.register(each.close)
    sequence = cache.tables.add()
    model.forward(scope, cache, [Step(sequence, tuple(range(1000, 1016)), 0)])

    def one() -> None:
        with Scope() as space:
            model.forward(space, cache, [Step(sequence, (2000,))]).download()
        cache.tables.truncate(sequence, 16)

    return one


def _waits(device: DeviceLike, scope: Scope, name: str) -> Round:
    kernel = _own_kernel(device, name)
    result = scope.empty((THREADS,), np.int32)
    arguments = (ctypes.c_void_p(result.address), ctypes.c_int(ROUNDS))
    return lambda: kernel.launch(1, THREADS, arguments)


def _require_within(
    result: Tensor, expected: np.ndarray[tuple[int, ...], np.dtype[np.float64]], bound: object
) -> None:
    if not np.all(np.abs(result.download() - expected) <= bound):
        raise AssertionError("the result is wrong: there is nothing to time")


WORK = {
    "gemm_f32_tiled": gemm_f32_tiled,
    "softmax": softmax,
    "quantised_gemv": quantised_gemv,
    "quantised_gemm": quantised_gemm,
    "dequantise": dequantise,
    "decode": decode,
    "launch": launch,
    "barriers": barriers,
    "shuffles": shuffles,
    "compile": compile_,
    "load": load,
}


def _make_live(count: int) -> None:
    """Make buffers through the C function itself: a million calls from Python take their time."""
    malloc = ctypes.PyDLL("libamdhip64.so").hipMalloc
    malloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    pointer = ctypes.c_void_p()
    for _ in range(count):
        if malloc(ctypes.addressof(pointer), 256):
            raise MemoryError("a buffer cannot be had")


def main() -> None:
    """Serve rounds until standard input ends."""
    _make_live(int(sys.argv[2]))
    with Scope() as scope:
        run = WORK[sys.argv[1]](current_device(), scope)
        for _ in sys.stdin:
            start = time.perf_counter()
            run()
            call(hip.hipDeviceSynchronize)
            sys.stdout.write(f"{time.perf_counter() - start}\n")
            sys.stdout.flush()
    sys.stdout.flush()
    os._exit(0)  # what lives on is on purpose: no report


if __name__ == "__main__":
    main()
