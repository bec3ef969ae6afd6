"""hipDeviceProp_t, attributes and identity of the five profiles."""

from __future__ import annotations

import ctypes
import dataclasses
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from hipaudit import hipcalls

if TYPE_CHECKING:
    from .conftest import Emulated

GIB = 1 << 30
MIB = 1 << 20

# Offsets within hipDeviceProp_tR0600, from the fields' sizes and alignments in order.
SIZE = 1472
SIZE_T_AT = {"totalGlobalMem": 288, "sharedMemPerBlock": 296, "memPitch": 312}
INT_AT = {
    "regsPerBlock": 304,
    "warpSize": 308,
    "maxThreadsPerBlock": 320,
    "clockRate": 348,
    "major": 360,
    "minor": 364,
    "multiProcessorCount": 388,
    "memoryClockRate": 608,
    "memoryBusWidth": 612,
    "l2CacheSize": 616,
    "maxThreadsPerMultiProcessor": 624,
    "regsPerMultiprocessor": 648,
}
NAME_AT = 0
NUMBER_OF_XCCS = 10018  # an attribute that older headers do not have
ARCH_AT = 1160


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Public figures of one part."""

    arch: str
    name: str
    target: str
    wave: int
    units: int
    lds: int
    memory: int
    version: tuple[int, int]
    registers: int


PARTS = [
    Part("gfx90a", "AMD Instinct MI250X", "gfx90a:sramecc+:xnack-", 64, 110, 65536,
         64 * GIB - 16 * MIB, (9, 0), 131072),
    Part("gfx942", "AMD Instinct MI300X", "gfx942:sramecc+:xnack-", 64, 304, 65536,
         192 * GIB - 16 * MIB, (9, 4), 131072),
    Part("gfx950", "AMD Instinct MI355X", "gfx950:sramecc+:xnack-", 64, 256, 163840,
         288 * GIB - 16 * MIB, (9, 5), 131072),
    Part("gfx1100", "AMD Radeon RX 7900 XTX", "gfx1100", 32, 48, 65536,
         24 * GIB - 16 * MIB, (11, 0), 196608),
    Part("gfx1201", "AMD Radeon RX 9070 XT", "gfx1201", 32, 32, 65536,
         16 * GIB - 80 * MIB, (12, 0), 196608),
]  # fmt: skip


@pytest.fixture(params=PARTS, ids=lambda part: part.arch)
def part(request: pytest.FixtureRequest, emulated: Emulated) -> Iterator[Part]:
    chosen: Part = request.param
    emulated.set("arch", chosen.arch)
    yield chosen
    emulated.set("arch", "gfx942")


def raw_properties(emulated: Emulated) -> bytes:
    buffer = ctypes.create_string_buffer(b"\xee" * (SIZE + 64), SIZE + 64)
    assert emulated.library.hipGetDevicePropertiesR0600(buffer, 0) == 0
    assert buffer.raw[SIZE:] == b"\xee" * 64, "wrote past the structure"
    return buffer.raw[:SIZE]


def size_at(raw: bytes, field: str) -> int:
    value: int = struct.unpack_from("<Q", raw, SIZE_T_AT[field])[0]
    return value


def int_at(raw: bytes, field: str) -> int:
    value: int = struct.unpack_from("<i", raw, INT_AT[field])[0]
    return value


def text_at(raw: bytes, offset: int) -> str:
    return raw[offset : raw.index(b"\0", offset)].decode()


def test_layout_and_figures_of_each_part(emulated: Emulated, part: Part) -> None:
    raw = raw_properties(emulated)
    assert text_at(raw, NAME_AT) == f"hipaudit emulated {part.arch} ({part.name})"
    assert text_at(raw, ARCH_AT) == part.target
    assert size_at(raw, "totalGlobalMem") == part.memory
    assert size_at(raw, "sharedMemPerBlock") == part.lds
    assert size_at(raw, "memPitch") == 2**31 - 1
    assert int_at(raw, "regsPerBlock") == part.registers
    assert int_at(raw, "regsPerMultiprocessor") == part.registers
    assert int_at(raw, "warpSize") == part.wave
    assert int_at(raw, "maxThreadsPerBlock") == 1024
    assert int_at(raw, "maxThreadsPerMultiProcessor") == 2048
    assert int_at(raw, "multiProcessorCount") == part.units
    assert (int_at(raw, "major"), int_at(raw, "minor")) == part.version
    assert int_at(raw, "clockRate") > 1_000_000
    assert int_at(raw, "memoryClockRate") > 1_000_000
    assert int_at(raw, "memoryBusWidth") % 64 == 0
    assert int_at(raw, "l2CacheSize") >= 4 * MIB


def test_hip_python_reads_the_same_fields(emulated: Emulated, part: Part) -> None:
    raw = raw_properties(emulated)
    properties = hipcalls.properties(0)
    for field in SIZE_T_AT:
        assert getattr(properties, field) == size_at(raw, field), field
    for field in INT_AT:
        assert getattr(properties, field) == int_at(raw, field), field
    assert hipcalls.text(properties.gcnArchName) == part.target


def test_attributes_agree_with_properties(emulated: Emulated, part: Part) -> None:
    from hip import hip

    attribute = hip.hipDeviceAttribute_t
    raw = raw_properties(emulated)
    expected = {
        attribute.hipDeviceAttributeWarpSize: part.wave,
        attribute.hipDeviceAttributeMultiprocessorCount: part.units,
        attribute.hipDeviceAttributeMaxSharedMemoryPerBlock: part.lds,
        attribute.hipDeviceAttributeMaxThreadsPerBlock: 1024,
        attribute.hipDeviceAttributeMaxBlockDimX: 1024,
        attribute.hipDeviceAttributeMaxGridDimX: 2**31 - 1,
        attribute.hipDeviceAttributeMaxGridDimZ: 65536,
        attribute.hipDeviceAttributeClockRate: int_at(raw, "clockRate"),
        attribute.hipDeviceAttributeTotalGlobalMem: 2**31 - 1,
        attribute.hipDeviceAttributeComputeCapabilityMajor: part.version[0],
    }
    for which, value in expected.items():
        assert hip.hipDeviceGetAttribute(which, 0) == (hip.hipError_t.hipSuccess, value), which
    dies = ctypes.c_int()
    assert call(emulated, "hipDeviceGetAttribute", ctypes.byref(dies), NUMBER_OF_XCCS, 0) == 0
    assert dies.value == (8 if part.arch in {"gfx942", "gfx950"} else 1)


def test_every_attribute_of_the_header_is_answered_or_refused(emulated: Emulated) -> None:
    from hip import hip

    value = ctypes.c_int()
    refused = set()
    for which in hip.hipDeviceAttribute_t:
        status = emulated.library.hipDeviceGetAttribute(ctypes.byref(value), int(which), 0)
        assert status in {0, 1}
        if status == 1:
            refused.add(which.name)
    assert not {name for name in refused if "Texture" not in name and "Surface" not in name} & {
        "hipDeviceAttributeWarpSize",
        "hipDeviceAttributeL2CacheSize",
        "hipDeviceAttributePciBusId",
        "hipDeviceAttributeWallClockRate",
    }


def test_plain_name_has_the_old_layout(emulated: Emulated, part: Part) -> None:
    buffer = ctypes.create_string_buffer(2048)
    assert emulated.library.hipGetDeviceProperties(buffer, 0) == 0
    assert text_at(buffer.raw, 0).endswith(f"({part.name})")
    memory, shared, registers, wave = struct.unpack_from("<QQii", buffer.raw, 256)
    assert (memory, shared, registers, wave) == (part.memory, part.lds, part.registers, part.wave)
    assert text_at(buffer.raw, 396) == part.target


def test_names_memory_and_version(emulated: Emulated, part: Part) -> None:
    from hip import hip

    success = hip.hipError_t.hipSuccess
    name = ctypes.create_string_buffer(300)
    assert emulated.library.hipDeviceGetName(name, 300, 0) == 0
    assert name.value.decode() == f"hipaudit emulated {part.arch} ({part.name})"
    assert emulated.library.hipDeviceGetName(name, 9, 0) == 0
    assert name.value == b"hipaudit"
    assert hip.hipDeviceTotalMem(0) == (success, part.memory)
    assert hip.hipDeviceComputeCapability(0) == (success, *part.version)
    assert hip.hipRuntimeGetVersion() == (success, 70253211)


def call(emulated: Emulated, name: str, *arguments: Any) -> int:
    status: int = getattr(emulated.library, name)(*arguments)
    return status


def test_there_is_one_device(emulated: Emulated) -> None:
    number = ctypes.c_int(7)
    out = ctypes.byref(number)
    assert call(emulated, "hipGetDeviceCount", out) == 0
    assert number.value == 1
    assert call(emulated, "hipSetDevice", 0) == 0
    assert call(emulated, "hipSetDevice", 1) == 101
    assert call(emulated, "hipGetDevice", out) == 0
    assert number.value == 0
    assert call(emulated, "hipDeviceCanAccessPeer", out, 0, 1) == 101
    properties = ctypes.create_string_buffer(SIZE)
    assert call(emulated, "hipGetDevicePropertiesR0600", properties, 1) == 101
    assert call(emulated, "hipGetDeviceCount", None) == 1
    assert call(emulated, "hipInit", 1) == 1


def test_bus_id_leads_back_to_the_device(emulated: Emulated) -> None:
    text = ctypes.create_string_buffer(64)
    number = ctypes.c_int(7)
    assert call(emulated, "hipDeviceGetPCIBusId", text, 64, 0) == 0
    assert text.value == b"0000:03:00.0"
    assert call(emulated, "hipDeviceGetByPCIBusId", ctypes.byref(number), text) == 0
    assert number.value == 0
    assert call(emulated, "hipDeviceGetByPCIBusId", ctypes.byref(number), b"0000:99:00.0") == 101


def test_limits_flags_and_hints_are_kept(emulated: Emulated) -> None:
    size = ctypes.c_size_t()
    flags = ctypes.c_uint(99)
    for limit in (0, 1, 2):
        assert call(emulated, "hipDeviceGetLimit", ctypes.byref(size), limit) == 0
        before = size.value
        assert call(emulated, "hipDeviceSetLimit", limit, ctypes.c_size_t(4096)) == 0
        assert call(emulated, "hipDeviceGetLimit", ctypes.byref(size), limit) == 0
        assert size.value == 4096
        assert call(emulated, "hipDeviceSetLimit", limit, ctypes.c_size_t(before)) == 0
    assert call(emulated, "hipDeviceGetLimit", ctypes.byref(size), 77) == 215
    assert call(emulated, "hipSetDeviceFlags", 4) == 0
    assert call(emulated, "hipGetDeviceFlags", ctypes.byref(flags)) == 0
    assert flags.value == 4
    assert call(emulated, "hipSetDeviceFlags", 1 << 20) == 1
    assert call(emulated, "hipSetDeviceFlags", 0) == 0


def test_contexts_form_a_stack(emulated: Emulated) -> None:
    primary, made, now = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    assert call(emulated, "hipDevicePrimaryCtxRetain", ctypes.byref(primary), 0) == 0
    assert call(emulated, "hipCtxCreate", ctypes.byref(made), 0, 0) == 0
    assert call(emulated, "hipCtxGetCurrent", ctypes.byref(now)) == 0
    assert now.value == made.value
    assert call(emulated, "hipCtxPopCurrent", ctypes.byref(now)) == 0
    assert now.value == made.value
    assert call(emulated, "hipCtxGetCurrent", ctypes.byref(now)) == 0
    assert now.value == primary.value
    assert call(emulated, "hipCtxSetCurrent", made) == 0
    assert call(emulated, "hipCtxDestroy", made) == 0
    assert call(emulated, "hipCtxDestroy", made) == 201
    assert call(emulated, "hipCtxGetCurrent", ctypes.byref(now)) == 0
    assert now.value == primary.value
