"""Times one kernel at one size on the device that this process is bound to: a benchmark's child.

    python kernel_child.py KERNEL SIZE kernel|numpy

For each line on standard input it launches the kernel once and waits, or does the same in NumPy.
It prints the seconds of processor time: what else the machine does is not in them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from kernel_inputs import HEAD, HEADS, HIDDEN, KEY_HEADS, WIDTH, Array, Run, normal
from kernel_work import CHOICES_AND_EXPERTS

from hipaudit_runtime import ops
from hipaudit_runtime.device import DeviceLike, current_device
from hipaudit_runtime.hip import call, hip
from hipaudit_runtime.ops.reductions import long_tiles
from hipaudit_runtime.ops.rotary import frequencies
from hipaudit_runtime.tensors import Scope, Tensor


def _gemv(device: DeviceLike, scope: Scope, size: int) -> Run:
    a, x = scope.upload(normal(size, WIDTH).astype(np.float16)), scope.upload(normal(1, WIDTH))
    y = scope.empty((1, size), np.float32)
    return lambda: ops.launch_gemv(device, a, x, y)


def _numpy_gemv(size: int) -> Run:
    a, x = normal(size, WIDTH), normal(WIDTH)
    return lambda: a @ x


def _gemm(device: DeviceLike, scope: Scope, size: int) -> Run:
    a, b = scope.upload(normal(size, WIDTH)), scope.upload(normal(HIDDEN, WIDTH).astype(np.float16))
    c, product = scope.empty((size, HIDDEN), np.float32), ops.Product(transpose_b=True)
    return lambda: ops.launch_gemm(device, a, b, c, product)


def _numpy_gemm(size: int) -> Run:
    a, b = normal(size, WIDTH), normal(HIDDEN, WIDTH)
    return lambda: a @ b.T


def _flash(device: DeviceLike, scope: Scope, size: int) -> Run:
    q = scope.upload(normal(1, HEADS, size, HEAD))
    k, v = (scope.upload(normal(1, KEY_HEADS, size, HEAD)) for _ in range(2))
    o = scope.empty(q.shape, np.float32)
    return lambda: ops.launch_flash_attention(device, q, k, v, o)


def _numpy_attention(queries: int, keys: int) -> Run:
    q, k = normal(HEADS, queries, HEAD), normal(HEADS, keys, HEAD)

    def run() -> Array:
        logits = q @ np.swapaxes(k, -1, -2)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True) @ k)

    return run


def _pages(scope: Scope, tokens: int, width: int) -> tuple[Tensor, ops.Sequences]:
    """A cache of fp16 rows and one sequence that fills it, with one query."""
    count = -(-tokens // 16)
    cache = scope.upload(normal(count * 16, width).astype(np.float16))
    table = scope.upload(np.arange(count, dtype=np.int32)[None])
    starts = scope.upload(np.array([0, 1], np.int32))
    return cache, ops.Sequences(table, starts, scope.upload(np.array([tokens], np.int32)))


def _shaped(cache: Tensor, *shape: int) -> Tensor:
    return Tensor(cache.buffer, shape, cache.dtype)


def _paged(device: DeviceLike, scope: Scope, size: int) -> Run:
    cache, sequence = _pages(scope, size, KEY_HEADS * HEAD)
    pages = _shaped(cache, -(-size // 16), 16, KEY_HEADS, HEAD)
    q, o = scope.upload(normal(1, HEADS, HEAD)), scope.empty((1, HEADS, HEAD), np.float32)
    return lambda: ops.launch_paged_attention(device, q, pages, pages, sequence, o)


def _mla(device: DeviceLike, scope: Scope, size: int) -> Run:
    cache, sequence = _pages(scope, size, WIDTH)
    pages = _shaped(cache, -(-size // 16), 16, WIDTH)
    q, o = scope.upload(normal(1, 16, WIDTH)), scope.empty((1, 16, 512), np.float32)
    return lambda: ops.launch_mla_attention(device, q, pages, sequence, o, 0.07)


def _numpy_mla(size: int) -> Run:
    q, cache = normal(16, WIDTH), normal(size, WIDTH)

    def run() -> Array:
        logits = q @ cache.T
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True) @ cache[:, :512])

    return run


def _append(device: DeviceLike, scope: Scope, size: int) -> Run:
    k, v = (scope.upload(normal(size, KEY_HEADS, HEAD)) for _ in range(2))
    slots = scope.upload(np.arange(size, dtype=np.int32))
    table = scope.upload(frequencies(HEAD))
    caches = [scope.upload(normal(size, KEY_HEADS, HEAD).astype(np.float16)) for _ in range(2)]
    return lambda: ops.launch_kv_append(device, k, v, slots, slots, table, caches[0], caches[1])


def _numpy_append(size: int) -> Run:
    k, angles = normal(size, KEY_HEADS, HEAD), np.outer(np.arange(size), frequencies(HEAD))

    def run() -> Array:
        cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
        x0, x1 = k[..., : HEAD // 2], k[..., HEAD // 2 :]
        turned = np.concatenate([x0 * cosine - x1 * sine, x0 * sine + x1 * cosine], axis=-1)
        return np.asarray(turned.astype(np.float16))

    return run


def _softmax_masked(device: DeviceLike, scope: Scope, size: int) -> Run:
    x = scope.upload(normal(1, 64, size))
    y = scope.empty(x.shape, np.float32)
    return lambda: ops.launch_softmax_masked(device, x, y)


def _numpy_softmax(size: int) -> Run:
    x = normal(64, size)

    def run() -> Array:
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))

    return run


def _rms_norm(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, weight = scope.upload(normal(size, WIDTH)), scope.upload(normal(WIDTH))
    y = scope.empty(x.shape, np.float32)
    return lambda: ops.launch_rms_norm(device, x, weight, y, 1e-5)


def _numpy_rms_norm(size: int) -> Run:
    x, weight = normal(size, WIDTH), normal(WIDTH)
    return lambda: x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5) * weight


def _swiglu(device: DeviceLike, scope: Scope, size: int) -> Run:
    gate, up = scope.upload(normal(size)), scope.upload(normal(size))
    y = scope.empty(gate.shape, np.float32)
    return lambda: ops.launch_swiglu(device, gate, up, y)


def _numpy_swiglu(size: int) -> Run:
    gate, up = normal(size), normal(size)
    return lambda: gate / (1 + np.exp(-gate)) * up


def _convert(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(size)), scope.empty((size,), np.float16)
    return lambda: ops.launch_convert(device, x, y)


def _numpy_convert(size: int) -> Run:
    x = normal(size)
    return lambda: x.astype(np.float16)


def _transpose(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(size, WIDTH)), scope.empty((WIDTH, size), np.float32)
    return lambda: ops.launch_transpose(device, x, y)


def _numpy_transpose(size: int) -> Run:
    x = normal(size, WIDTH)
    return lambda: np.ascontiguousarray(x.T)


def _permute(device: DeviceLike, scope: Scope, size: int) -> Run:
    x = scope.upload(normal(size, HEADS, HEAD))
    y = scope.empty((HEADS, size, HEAD), np.float32)
    return lambda: ops.launch_permute_axes(device, x, y, (1, 0, 2))


def _numpy_permute(size: int) -> Run:
    x = normal(size, HEADS, HEAD)
    return lambda: np.ascontiguousarray(x.transpose(1, 0, 2))


def _scan(device: DeviceLike, scope: Scope, size: int) -> Run:
    x = scope.upload(normal(1, size))
    y = scope.empty(x.shape, np.float32)
    totals = scope.empty((1, long_tiles(size)), np.float32)
    return lambda: ops.launch_prefix_sum_long(device, x, y, totals)


def _numpy_scan(size: int) -> Run:
    x = normal(size)
    return lambda: np.cumsum(x)


def _glu(device: DeviceLike, scope: Scope, size: int) -> Run:
    value, gate = scope.upload(normal(size)), scope.upload(normal(size))
    y = scope.empty(value.shape, np.float32)
    return lambda: ops.launch_glu(device, value, gate, y)


def _numpy_glu(size: int) -> Run:
    value, gate = normal(size), normal(size)
    return lambda: value / (1 + np.exp(-gate))


def _sum_long(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, y = scope.upload(normal(1, size)), scope.empty((1,), np.float32)
    totals = scope.empty((1, long_tiles(size)), np.float32)
    return lambda: ops.launch_sum_long(device, x, y, totals)


def _numpy_sum(size: int) -> Run:
    x = normal(size)
    return x.sum


def _log_mel(device: DeviceLike, scope: Scope, size: int) -> Run:
    signal, window = scope.upload(normal(1, size * 160 + 240)), scope.upload(normal(400))
    factors, filters = scope.upload(ops.twiddles(400)), scope.upload(np.abs(normal(80, 201)))
    features = scope.empty((1, size, 80), np.float32)
    return lambda: ops.launch_log_mel(device, signal, window, factors, filters, features, 160)


def _numpy_log_mel(size: int) -> Run:
    signal, window, filters = normal(size * 160 + 240), normal(400), np.abs(normal(80, 201))

    def run() -> Array:
        frames = np.lib.stride_tricks.sliding_window_view(signal, 400)[::160] * window
        power = np.abs(np.fft.rfft(frames, axis=-1)) ** 2
        return np.asarray(np.log10(np.maximum(power @ filters.T, 1e-10)))

    return run


def _depthwise(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, weight = scope.upload(normal(1, 144, size)), scope.upload(normal(144, 31))
    bias, y = scope.upload(normal(144)), scope.empty((1, 144, size), np.float32)
    return lambda: ops.launch_conv1d_depthwise(device, x, weight, bias, y, 15)


def _numpy_depthwise(size: int) -> Run:
    x, weight = normal(144, size + 30), normal(144, 31)
    view = np.lib.stride_tricks.sliding_window_view(x, 31, axis=-1)
    return lambda: np.einsum("ctj,cj->ct", view, weight)


def _pointwise(device: DeviceLike, scope: Scope, size: int) -> Run:
    x, weight = scope.upload(normal(1, 144, size)), scope.upload(normal(288, 144))
    bias, y = scope.upload(normal(288)), scope.empty((1, 288, size), np.float32)
    return lambda: ops.launch_conv1d_pointwise(device, x, weight, bias, y)


def _numpy_pointwise(size: int) -> Run:
    x, weight = normal(144, size), normal(288, 144)
    return lambda: weight @ x


def _relative(device: DeviceLike, scope: Scope, size: int) -> Run:
    q, k, v = (scope.upload(normal(1, 4, size, 36)) for _ in range(3))
    encoding, biases = normal(4, 2 * size - 1, 36), scope.upload(normal(4, 36))
    distances, o = scope.upload(encoding), scope.empty((1, 4, size, 36), np.float32)
    return lambda: ops.launch_relative_attention(device, q, k, v, distances, biases, biases, o)


def _numpy_relative(size: int) -> Run:
    q, e = normal(4, size, 36), normal(4, 2 * size - 1, 36)
    rows, columns = np.arange(size)[:, None], np.arange(size)[None]

    def run() -> Array:
        by_row = q @ np.swapaxes(e, -1, -2)
        logits = q @ np.swapaxes(q, -1, -2) + by_row[:, rows, size - 1 - rows + columns]
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True) @ q)

    return run


WORK: dict[str, tuple[Callable[[DeviceLike, Scope, int], Run], Callable[[int], Run]]] = {
    "gemv": (_gemv, _numpy_gemv),
    "gemm": (_gemm, _numpy_gemm),
    "flash_attention": (_flash, lambda size: _numpy_attention(size, size)),
    "paged_attention": (_paged, lambda size: _numpy_attention(1, size)),
    "mla_attention": (_mla, _numpy_mla),
    "kv_append": (_append, _numpy_append),
    "softmax_masked": (_softmax_masked, _numpy_softmax),
    "rms_norm": (_rms_norm, _numpy_rms_norm),
    "swiglu": (_swiglu, _numpy_swiglu),
    "convert": (_convert, _numpy_convert),
    "transpose": (_transpose, _numpy_transpose),
    "permute_axes": (_permute, _numpy_permute),
    "prefix_sum_long": (_scan, _numpy_scan),
    "log_mel": (_log_mel, _numpy_log_mel),
    "conv1d_depthwise": (_depthwise, _numpy_depthwise),
    "glu": (_glu, _numpy_glu),
    "sum_long": (_sum_long, _numpy_sum),
    "relative_attention": (_relative, _numpy_relative),
    "conv1d_pointwise": (_pointwise, _numpy_pointwise),
    **CHOICES_AND_EXPERTS,
}


def main() -> None:
    """Serve rounds until standard input ends."""
    (prepare, numpy), size = WORK[sys.argv[1]], int(sys.argv[2])
    with Scope() as scope:
        launch = prepare(current_device(), scope, size)

        def run() -> None:
            launch()
            call(hip.hipDeviceSynchronize)

        work: Run = run if sys.argv[3] == "kernel" else numpy(size)
        for _ in sys.stdin:
            start = time.process_time()
            work()
            sys.stdout.write(f"{time.process_time() - start}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
