"""Short vectors: layout as AMD's, operators element by element, initialisation; complex numbers."""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Probes = Any
RANDOM = np.random.default_rng(24)

ELEMENT_BYTES = {
    "char": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "long": 8, "ulong": 8,
    "longlong": 8, "ulonglong": 8, "float": 4, "double": 8,
}  # fmt: skip


def test_layout_is_that_of_the_hardware_compiler(vectors: Probes) -> None:
    expected: list[int] = []
    for size in ELEMENT_BYTES.values():
        for count in (1, 2, 3, 4):
            # Three elements are aligned to one: float3 is 12 bytes.
            expected += [count * size, size if count == 3 else count * size]
    expected += [12, 4]
    table = (ctypes.c_uint * len(expected)).in_dll(vectors.library, "vector_layout")
    assert list(table) == expected


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """A vector type: its name, numpy's type of an element, how many there are."""

    name: str
    dtype: Any
    count: int

    @property
    def whole(self) -> np.dtype[Any]:
        """A vector as one element of an array."""
        return np.dtype((np.void, np.dtype(self.dtype).itemsize * self.count))

    def random(self, rows: int = 500) -> NDArray[Any]:
        """Elements without a zero, one row a vector."""
        if np.issubdtype(self.dtype, np.floating):
            return RANDOM.normal(0, 100, (rows, self.count)).astype(self.dtype)
        limits = np.iinfo(self.dtype)
        # Products of wide signed integers stay in range: their overflow is undefined.
        top = min(limits.max, 30_000)
        return RANDOM.integers(1, top, (rows, self.count), endpoint=True).astype(self.dtype)

    def pack(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows as vectors."""
        return np.ascontiguousarray(rows).view(self.whole).reshape(-1)

    def unpack(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """Vectors as rows."""
        return np.asarray(vectors.view(self.dtype).reshape(-1, self.count))


VECTORS = [
    Vector("float1", np.float32, 1),
    Vector("float2", np.float32, 2),
    Vector("float3", np.float32, 3),
    Vector("float4", np.float32, 4),
    Vector("double2", np.float64, 2),
    Vector("int3", np.int32, 3),
    Vector("int4", np.int32, 4),
    Vector("uchar4", np.uint8, 4),
    Vector("short2", np.int16, 2),
    Vector("ulonglong2", np.uint64, 2),
]
INTEGERS = [vector for vector in VECTORS if vector.name in {"int3", "int4", "uchar4", "ulonglong2"}]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_arithmetic_is_element_by_element(vectors: Probes, vector: Vector) -> None:
    a, b = vector.random(), vector.random()
    dtype = vector.dtype
    quotient = a / b if np.issubdtype(dtype, np.floating) else a // b
    expected = {
        "add": a + b,
        "subtract": a - b,
        "multiply": a * b,
        "multiply_assign": a * b,
        "divide": quotient,
    }
    for name, rows in expected.items():
        got = vectors(f"{vector.name}_{name}", vector.whole, vector.pack(a), vector.pack(b))
        assert np.array_equal(vector.unpack(got), rows.astype(dtype)), name
    alone = {
        "negate": (0 - a) if np.issubdtype(dtype, np.unsignedinteger) else -a,
        "increment": a + dtype(1),
        "times_scalar": a * dtype(3),
        "scalar_minus": dtype(7) - a,
    }
    for name, rows in alone.items():
        got = vectors(f"{vector.name}_{name}", vector.whole, vector.pack(a))
        assert np.array_equal(vector.unpack(got), rows.astype(dtype)), name
    old_less_new = vectors(f"{vector.name}_decrement_after", vector.whole, vector.pack(np.rint(a)))
    assert np.all(vector.unpack(old_less_new) == 1)


@pytest.mark.parametrize("vector", INTEGERS, ids=lambda vector: vector.name)
def test_bitwise_operators(vectors: Probes, vector: Vector) -> None:
    a, b = vector.random(), vector.random()
    both = {"and": a & b, "or": a | b, "xor": a ^ b, "remainder": a % b}
    for name, rows in both.items():
        got = vectors(f"{vector.name}_{name}", vector.whole, vector.pack(a), vector.pack(b))
        assert np.array_equal(vector.unpack(got), rows), name
    two, three = vector.dtype(2), vector.dtype(3)
    alone = {
        "invert": ~a,
        "shift_left": a << three,
        "shift_right": a >> two,
        "shift_assign": a >> two,
    }
    for name, rows in alone.items():
        got = vectors(f"{vector.name}_{name}", vector.whole, vector.pack(a))
        assert np.array_equal(vector.unpack(got), rows), name


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vectors_are_equal_when_every_element_is(vectors: Probes, vector: Vector) -> None:
    a = vector.random(8 * vector.count)
    b = a.copy()
    for row in range(len(b)):
        if row % 2:
            b[row, row % vector.count] += vector.dtype(1)
    equal = (a == b).all(axis=1)
    assert equal.any()
    assert not equal.all()
    packed = vector.pack(a), vector.pack(b)
    assert np.array_equal(vectors(f"{vector.name}_equal", np.bool_, *packed), equal)
    assert np.array_equal(vectors(f"{vector.name}_unequal", np.bool_, *packed), ~equal)


def test_a_scalar_takes_the_element_type_first(vectors: Probes) -> None:
    vector = Vector("int4", np.int32, 4)
    rows = vector.random()
    got = vectors("scalar_truncated", vector.whole, vector.pack(rows))
    assert np.array_equal(vector.unpack(got), rows * 2)


def test_initialisation_and_members(vectors: Probes) -> None:
    four, three = Vector("float4", np.float32, 4), Vector("float3", np.float32, 3)
    rows = four.random()
    made = vectors("made", four.whole, four.pack(rows))
    assert np.array_equal(four.unpack(made), rows[:, ::-1])
    rows = three.random()
    indexed = three.unpack(vectors("indexed", three.whole, three.pack(rows)))
    assert np.array_equal(indexed, rows[:, [0, 1, 0]])
    ones = np.ones(3, dtype=np.float32)
    for probe, row in (
        ("first_only", [1, 0, 0, 0]),
        ("braced", [1, 2, 0, 0]),
        ("zeroed", [0, 1, 0, 0]),
    ):
        assert np.all(four.unpack(vectors(probe, four.whole, ones)) == row), probe
    extent = vectors("extent", np.dtype((np.void, 12)), np.array([5], dtype=np.uint32))
    assert list(extent.view(np.uint32)) == [5, 1, 1]


def test_complex_numbers(vectors: Probes) -> None:
    a, b, c = RANDOM.normal(0, 1, (3, 500, 2)).view(np.complex128).reshape(3, 500)
    wide, single = np.dtype((np.void, 16)), np.dtype((np.void, 8))

    def call(probe: str, *inputs: NDArray[np.complex128]) -> NDArray[np.complex128]:
        packed = (x.view(wide) for x in inputs)
        return np.asarray(vectors(probe, wide, *packed).view(np.complex128))

    np.testing.assert_allclose(call("complex_divide", a, b), a / b, rtol=1e-14)
    np.testing.assert_allclose(call("complex_fma", a, b, c), a * b + c, atol=1e-14)
    size = vectors("complex_size", np.float64, a.view(wide))
    np.testing.assert_allclose(size, np.abs(a), rtol=1e-15)
    x, y = a.astype(np.complex64), b.astype(np.complex64)
    product = vectors("complex_multiply", single, x.view(single), y.view(single))
    np.testing.assert_allclose(product.view(np.complex64), x * y, rtol=1e-5, atol=1e-6)
    conjugate = vectors("complex_conjugate", single, x.view(single)).view(np.complex64)
    assert np.array_equal(conjugate, np.conj(x))
    assert np.array_equal(
        vectors("complex_wide", wide, x.view(single)).view(np.complex128), x.astype(np.complex128)
    )
