"""Brightens a batch of pictures on the GPU: `newcomer.py` with its twelve mistakes put right."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from hip import hip, hiprtc

PICTURES = 4
ROWS, COLUMNS = 32, 64
BYTES = ROWS * COLUMNS * 4

SOURCE = b"""
extern "C" __global__ void brighten(float* picture, float by, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) picture[i] = picture[i] + by;
}

extern "C" __global__ void row_means(const float* picture, float* means, int rows, int columns) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int i = 0; i < columns; i++) sum += picture[row * columns + i];
  means[row] = sum / columns;
}
"""


def check(answer: Any) -> Any:
    """Stop when a call went wrong; return what it gave."""
    status, *rest = answer if isinstance(answer, tuple) else (answer,)
    if int(status.value) != 0:
        raise RuntimeError(str(status))
    return rest[0] if len(rest) == 1 else tuple(rest)


def number(pointer: Any) -> int:
    """Return a pointer as a number."""
    return pointer.as_c_void_p().value if hasattr(pointer, "as_c_void_p") else int(pointer)


class Gpu:
    """The compiled kernels."""

    def __init__(self) -> None:
        program = check(hiprtc.hiprtcCreateProgram(SOURCE, b"pictures.hip", 0, [], []))
        check(hiprtc.hiprtcCompileProgram(program, 0, []))
        code = bytearray(check(hiprtc.hiprtcGetCodeSize(program)))
        check(hiprtc.hiprtcGetCode(program, code))
        check(hiprtc.hiprtcDestroyProgram(program.createRef()))
        self.module = check(hip.hipModuleLoadData(code))
        self.brighten = check(hip.hipModuleGetFunction(self.module, b"brighten"))
        self.row_means = check(hip.hipModuleGetFunction(self.module, b"row_means"))

    def launch(self, kernel: Any, stream: Any, threads: int, *arguments: Any) -> None:
        """Run a kernel in a stream."""
        grid = ((threads + 63) // 64, 1, 1)
        check(hip.hipModuleLaunchKernel(kernel, *grid, 64, 1, 1, 0, stream, None, arguments))


class Picture:
    """A picture on the GPU."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.memory = check(hip.hipMalloc(BYTES))
        self.upload(pixels)

    def upload(self, pixels: np.ndarray) -> None:
        """Copy the pixels to the GPU."""
        kind = hip.hipMemcpyKind.hipMemcpyHostToDevice
        check(hip.hipMemcpy(self.memory, pixels, BYTES, kind))

    def download(self) -> np.ndarray:
        """Copy the pixels back."""
        pixels = np.empty((ROWS, COLUMNS), np.float32)
        kind = hip.hipMemcpyKind.hipMemcpyDeviceToHost
        hip.hipMemcpy(pixels, self.memory, BYTES, kind)
        return pixels

    def row(self, index: int) -> int:
        """Return where a row begins."""
        return number(self.memory) + index * COLUMNS * 4

    def argument(self) -> ctypes.c_void_p:
        """Return the address as a kernel wants it."""
        return ctypes.c_void_p(number(self.memory))

    def close(self) -> None:
        """Free the memory."""
        hip.hipFree(self.memory)


def brightened(gpu: Gpu, picture: Picture, by: float) -> None:
    """Brighten in place, and wait."""
    stream = check(hip.hipStreamCreate())
    count = ROWS * COLUMNS
    gpu.launch(
        gpu.brighten,
        stream,
        count,
        picture.argument(),
        ctypes.c_float(by),
        ctypes.c_int(count),
    )
    check(hip.hipStreamSynchronize(stream))
    check(hip.hipStreamDestroy(stream))


def means(gpu: Gpu, picture: Picture) -> np.ndarray:
    """Return each row's mean."""
    result = np.empty(ROWS, np.float32)
    scratch = check(hip.hipMalloc(result.nbytes))
    gpu.launch(
        gpu.row_means,
        None,
        ROWS,
        picture.argument(),
        ctypes.c_void_p(number(scratch)),
        ctypes.c_int(ROWS),
        ctypes.c_int(COLUMNS),
    )
    check(hip.hipMemcpy(result, scratch, result.nbytes, hip.hipMemcpyKind.hipMemcpyDeviceToHost))
    check(hip.hipFree(scratch))
    return result


def milliseconds(gpu: Gpu, picture: Picture) -> float:
    """Return how long brightening takes."""
    start = check(hip.hipEventCreate())
    stop = check(hip.hipEventCreate())
    check(hip.hipEventRecord(start, None))
    brightened(gpu, picture, 0.0)
    check(hip.hipEventRecord(stop, None))
    check(hip.hipEventSynchronize(stop))
    taken = check(hip.hipEventElapsedTime(start, stop))
    check(hip.hipEventDestroy(start))
    check(hip.hipEventDestroy(stop))
    return float(taken)


def staged(pixels: np.ndarray) -> float:
    """Copy through pinned memory; return the sum of what arrived."""
    pinned = check(hip.hipHostMalloc(BYTES, 0))
    target = check(hip.hipMalloc(BYTES))
    kinds = hip.hipMemcpyKind
    check(hip.hipMemcpy(pinned, pixels, BYTES, kinds.hipMemcpyHostToHost))
    stream = check(hip.hipStreamCreate())
    check(hip.hipMemcpyAsync(target, pinned, BYTES, kinds.hipMemcpyHostToDevice, stream))
    check(hip.hipStreamSynchronize(stream))
    check(hip.hipStreamDestroy(stream))
    back = np.empty_like(pixels)
    check(hip.hipMemcpy(back, target, BYTES, kinds.hipMemcpyDeviceToHost))
    check(hip.hipHostFree(pinned))
    check(hip.hipFree(target))
    return float(back.sum())


def registered(pixels: np.ndarray, target: Picture) -> None:
    """Upload from the array's own memory, pinned for the purpose."""
    check(hip.hipHostRegister(pixels, pixels.nbytes, 0))
    target.upload(pixels)
    check(hip.hipHostUnregister(pixels))


def first_rows(picture: Picture, count: int) -> np.ndarray:
    """Return a few rows, through a buffer of their own."""
    inside = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
    size = count * COLUMNS * 4
    rows = check(hip.hipMalloc(size))
    hip.hipMemcpy(rows, picture.row(0), size, inside)
    result = np.empty((count, COLUMNS), np.float32)
    host = hip.hipMemcpyKind.hipMemcpyDeviceToHost
    check(hip.hipMemcpy(result, rows, size, host))
    check(hip.hipFree(rows))
    return result


def overlapped(picture: Picture) -> None:
    """Fill stream-ordered memory in one stream and give it back in another."""
    filling, freeing = check(hip.hipStreamCreate()), check(hip.hipStreamCreate())
    memory = check(hip.hipMallocAsync(BYTES, filling))
    inside = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
    source = picture.memory
    check(hip.hipMemcpyAsync(memory, source, BYTES, inside, filling))
    check(hip.hipStreamSynchronize(filling))
    check(hip.hipFreeAsync(memory, freeing))
    for stream in (filling, freeing):
        check(hip.hipStreamSynchronize(stream))
        check(hip.hipStreamDestroy(stream))


def copied(picture: Picture) -> float:
    """Copy a picture in a stream of its own; return the sum of the copy."""
    stream = check(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking))
    other = check(hip.hipStreamCreateWithFlags(hip.hipStreamNonBlocking))
    target = check(hip.hipMalloc(BYTES))
    inside = hip.hipMemcpyKind.hipMemcpyDeviceToDevice
    source = picture.memory
    check(hip.hipMemcpyAsync(target, source, BYTES, inside, stream))
    check(hip.hipStreamSynchronize(stream))
    pinned = check(hip.hipHostMalloc(BYTES, 0))
    host = hip.hipMemcpyKind.hipMemcpyDeviceToHost
    check(hip.hipMemcpyAsync(pinned, target, BYTES, host, other))
    for each in (stream, other):
        check(hip.hipStreamSynchronize(each))
        check(hip.hipStreamDestroy(each))
    result = np.empty((ROWS, COLUMNS), np.float32)
    check(hip.hipMemcpy(result, pinned, BYTES, hip.hipMemcpyKind.hipMemcpyHostToHost))
    check(hip.hipHostFree(pinned))
    check(hip.hipFree(target))
    return float(result.sum())


def rejected(pixels: np.ndarray) -> None:
    """Refuse pictures that are too dark, once they are on the GPU."""
    picture = check(hip.hipMalloc(BYTES))
    check(hip.hipMemcpy(picture, pixels, BYTES, hip.hipMemcpyKind.hipMemcpyHostToDevice))
    try:
        if pixels.mean() < 10.0:
            raise ValueError("too dark")
    finally:
        check(hip.hipFree(picture))


def main() -> None:
    """Run it all."""
    gpu = Gpu()
    pixels = np.arange(ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS) / 1000
    pictures = [Picture(pixels * (1 + index)) for index in range(PICTURES)]
    for picture in pictures:
        brightened(gpu, picture, 0.5)
    print("means", [round(float(means(gpu, picture)[0]), 4) for picture in pictures])
    print("timed", milliseconds(gpu, pictures[0]) >= 0.0)
    print("staged", round(staged(pixels), 2))
    registered(pixels, pictures[1])
    print("rows", first_rows(pictures[1], 2).shape)
    overlapped(pictures[2])
    print("copied", round(copied(pictures[2]), 2))
    try:
        rejected(pixels)
    except ValueError as error:
        print("refused:", error)
    pictures[0].download()
    for picture in pictures:
        picture.close()
    check(hip.hipModuleUnload(gpu.module))


if __name__ == "__main__":
    main()
