"""Layouts of HIP's structures: facts from the compiler, and bindings that get them wrong."""

from __future__ import annotations

import ctypes
import json
import struct
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipaudit import layouts, native_build, toolchain
from hipaudit.cli import app
from hipaudit.errors import CompileError, UsageError
from hipaudit.layouts import hip_python
from hipaudit.layouts.facts import compile_unit
from hipaudit.layouts.structure import Structure, key


class Extent(ctypes.Structure):
    """hipExtent, right."""

    _fields_ = (("width", ctypes.c_size_t), ("height", ctypes.c_size_t), ("depth", ctypes.c_size_t))


class Dim3(ctypes.Structure):
    """dim3 with a field too wide."""

    _fields_ = (("x", ctypes.c_uint32), ("y", ctypes.c_uint64), ("z", ctypes.c_uint32))


def offsets(name: str, version: str) -> dict[str, int]:
    return {field.name: field.offset for field in layouts.facts(version)[name].fields}


def binding(tmp_path: Path, name: str, text: str) -> tuple[Structure, ...]:
    path = tmp_path / name
    path.write_text(text)
    return layouts.read_binding(path)


def said(structures: tuple[Structure, ...], version: str = layouts.LATEST) -> list[str]:
    return [finding.message for finding in layouts.compare(structures, version)]


def test_the_known_offsets_of_both_generations() -> None:
    new, old = offsets("hipdeviceprop", "6"), offsets("hipdeviceprop", "5")
    assert (new["totalGlobalMem"], new["multiProcessorCount"]) == (288, 388)
    assert (old["totalGlobalMem"], old["multiProcessorCount"]) == (256, 336)
    assert layouts.facts("6")["hipdeviceprop"].size == 1472
    assert "memoryType" in offsets("hippointerattribute", "5")
    assert "type" in offsets("hippointerattribute", "6")


def test_every_fact_is_what_static_assert_says(tmp_path: Path) -> None:
    checks = []
    for version in layouts.VERSIONS:
        for one in layouts.facts(version).values():
            checks.append(f"static_assert(sizeof({one.name}) == {one.size});")
            checks += [
                f"static_assert(__builtin_offsetof({one.name}, {field.name}) == {field.offset});"
                for field in one.fields
            ]
    assert len(checks) > 500
    headers = "#include <hip/hip_runtime_api.h>\n#include <hipaudit/api_old_types.h>\n"
    compile_unit(headers + "\n".join(checks), tmp_path)
    wrong = f"{headers}static_assert(sizeof(hipExtent) == 23);"
    with pytest.raises(CompileError, match="static assertion failed"):
        compile_unit(wrong, tmp_path)


def test_the_device_fills_what_the_facts_say() -> None:
    from hipaudit.device import bind

    bound = bind("emulated").with_arch("gfx90a")
    library = ctypes.CDLL(str(native_build.device_libraries().front))
    functions = {"5": "hipGetDeviceProperties", "6": "hipGetDevicePropertiesR0600"}
    for version, function in functions.items():
        room = ctypes.create_string_buffer(4096)
        assert getattr(library, function)(room, 0) == 0
        where = offsets("hipdeviceprop", version)
        assert struct.unpack_from("<i", room.raw, where["warpSize"])[0] == bound.wave_size
        assert struct.unpack_from("<Q", room.raw, where["totalGlobalMem"])[0] > 1 << 30
        assert room.raw[where["gcnArchName"] :].startswith(bound.arch.encode())


def test_hip_python_s_structures_are_amd_s_but_for_one_union() -> None:
    names = {one.name for one in layouts.facts("6").values()} | {"hipDeviceProp_t"}
    seen = hip_python.structures(names)
    fields = {(one.name, field.name) for one in seen for field in one.fields}
    assert ("hipDeviceProp_t", "multiProcessorCount") in fields
    assert ("hipDeviceProp_t", "maxThreadsDim") in fields
    assert ("hipMemcpy3DParms", "kind") in fields
    assert len(fields) > 250
    # Versions 6.4 to 7.2 leave the union of value and value64 out of these two members.
    wrong = {(f.kernel, f.message.split()[0]) for f in layouts.compare(seen, "6")}
    assert wrong <= {
        ("hipStreamBatchMemOpParams_union", "waitValue"),
        ("hipStreamBatchMemOpParams_union", "writeValue"),
    }


def test_ctypes_classes_right_and_wrong() -> None:
    assert said(layouts.structures([_renamed(Extent, "hipExtent"), int, "text"])) == []
    assert said(layouts.structures([_renamed(Dim3, "dim3")])) == [
        "y has 8 bytes in the binding, 4 in ROCm 7 and later",
        "y is at byte 8 in the binding, at 4 in ROCm 7 and later",
        "z is at byte 16 in the binding, at 8 in ROCm 7 and later",
        "it has 24 bytes in the binding, 12 in ROCm 7 and later: its end is never filled",
    ]


def _renamed(one: type[ctypes.Structure], name: str) -> type:
    return type(name, (one,), {"_fields_": (), "__doc__": "As a binding names it."})


def test_the_properties_of_rocm_5_read_from_rocm_6(tmp_path: Path) -> None:
    read = binding(
        tmp_path,
        "binding.py",
        "import ctypes\n\n\nclass HipDeviceProp(ctypes.Structure):\n    _fields_ = [\n"
        '        ("name", ctypes.c_char * 256),\n'
        '        ("totalGlobalMem", ctypes.c_size_t),\n'
        '        ("sharedMemPerBlock", ctypes.c_size_t),\n'
        '        ("_rest", ctypes.c_char * 1200),\n    ]\n',
    )
    (found,) = layouts.compare(read, "6")
    assert found.kind == "layout-mismatch"
    assert found.message.startswith(
        "totalGlobalMem is at byte 256 in the binding, at 288 in ROCm 6"
    )
    assert found.message.endswith("sharedMemPerBlock, 32 bytes off: that is its place in ROCm 5")
    assert found.location is not None
    assert (Path(found.location.file).name, found.location.line) == ("binding.py", 7)
    assert [m for m in said(read, "5") if "byte 256" in m] == []


def test_a_structure_that_hip_would_overrun_is_an_error(tmp_path: Path) -> None:
    short = binding(tmp_path, "b.json", '{"hipDeviceProp_t": {"size": 1024}}')
    (found,) = layouts.compare(short)
    assert (found.severity, found.location and found.location.line) == ("error", 1)
    assert found.message.endswith("HIP writes past its end")
    long = binding(tmp_path, "b.json", '{"hipDeviceProp_t": {"size": 2048}}')
    assert [f.severity for f in layouts.compare(long)] == ["warning"]


def test_a_table_of_offsets(tmp_path: Path) -> None:
    rows = [
        ["HipDeviceProp", "total_global_mem", 284],
        ["HipDeviceProp", "warp_size", 308, 4],
        ["HipDeviceProp", "multi_processor_count", 508],
        ["HipDeviceProp", "wave_size", 308],
        ["TheirOwn", "anything", 1],
    ]
    read = binding(tmp_path, "b.json", "[" + ",\n".join(json.dumps(row) for row in rows) + "]")
    found = {f.message: f.location.line for f in layouts.compare(read) if f.location}
    assert found == {
        "total_global_mem is at byte 284 in the binding, at 288 in ROCm 7 and later": 1,
        "multi_processor_count is at byte 508 in the binding, at 388 in ROCm 7 and later": 3,
        "there is no field wave_size in ROCm 7 and later": 4,
    }


RUST = """
use std::os::raw::{c_int, c_uint};
/* a comment with struct X { y: u8 } */
#[repr(C)]
#[derive(Clone)]
pub struct HipUuid { pub bytes: [u8; 16] }
const NAME: usize = 256;
#[repr(C)]
pub struct HipDeviceProp {
    pub name: [std::os::raw::c_char; NAME],  // a comment: with a colon
    pub uuid: HipUuid,
    pub luid: [u8; 8],
    pub luid_device_node_mask: c_uint,
    pub total_global_mem: usize,
    _rest: [u8; 1176],
}
#[repr(C)]
pub struct hipMemcpy3DParms {
    pub srcArray: *mut std::ffi::c_void,
    pub srcPos: hipPos,
    pub srcPtr: hipPitchedPtr,
    pub dstArray: hipArray_t,
    pub dstPos: hipPos,
    pub dstPtr: hipPitchedPtr,
    pub extent: hipExtent,
    pub kind: c_int,
}
"""


def test_rust_s_structures_follow_c_s_rules(tmp_path: Path) -> None:
    read = binding(tmp_path, "hip.rs", RUST)
    assert [one.size for one in read] == [16, 1472, 160]
    assert said(read) == []
    wrong = binding(tmp_path, "hip.rs", RUST.replace("    pub luid: [u8; 8],\n", ""))
    (found,) = [m for m in said(wrong) if "total" in m]
    assert found.startswith("luid_device_node_mask is at byte 272 in the binding, at 280")
    with pytest.raises(UsageError, match=r"hip\.rs:14: the size of Unknown is not known"):
        binding(tmp_path, "hip.rs", RUST.replace("usize,", "Unknown,"))


C = """#include <hip/hip_runtime_api.h>
namespace binding {
struct hipPointerAttribute_t {
  int type;
  void* devicePointer;
  int device;
};
}
"""


def test_c_and_what_is_built_from_it(tmp_path: Path) -> None:
    read = binding(tmp_path, "binding.h", C)
    assert [one.name for one in read] == ["hipPointerAttribute_t"], "the headers' own are left out"
    lines = {f.location.line for f in layouts.compare(read) if f.location}
    assert {3, 6} <= lines
    built = compile_unit(C, tmp_path)
    assert len(said(tuple(layouts.read_binding(built)))) >= 2
    with pytest.raises(CompileError, match="unknown type"):
        binding(tmp_path, "wrong.h", "struct hipExtent { unknown width; };")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("b.json", "{", "it takes"),
        ("b.json", '[["hipExtent", "width"]]', "it takes"),
        ("b.py", "raise ValueError(3)", "does not import: ValueError: 3"),
        ("libb.so", "no library", "not an object file"),
    ],
)
def test_a_file_that_is_no_binding(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        binding(tmp_path, name, text)
    with pytest.raises(UsageError, match="there is no file"):
        layouts.read_binding(tmp_path / "missing.py")


def test_names_of_one_structure_in_several_languages() -> None:
    assert len({key(n) for n in ("hipDeviceProp_t", "HipDeviceProp", "hipDeviceProp_tR0600")}) == 1
    assert key("HIP_LAUNCH_CONFIG_st") != key("hipLaunchConfig_st")
    assert key("total_global_mem") == key("totalGlobalMem")


def test_the_command_s_exit_codes(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    codes = []
    for rows in ([["hipExtent", "depth", 16]], [["hipExtent", "depth", 8]], [["Own", "x", 0]]):
        path.write_text(json.dumps(rows))
        out = tmp_path / "out.json"
        result = CliRunner().invoke(app, ["layouts", str(path), "--json", str(out)])
        codes.append((result.exit_code, len(json.loads(out.read_text())["findings"])))
    assert codes == [(0, 0), (1, 1), (3, 0)]


def test_logs_of_different_bindings_are_told_apart(tmp_path: Path) -> None:
    identities = []
    for name in ("a.json", "b.json", "a.json"):
        path, log = tmp_path / name, tmp_path / "out.sarif"
        path.write_text(json.dumps([["hipExtent", "depth", 8]]))
        CliRunner().invoke(app, ["layouts", str(path), "--sarif", str(log)])
        (run,) = json.loads(log.read_text())["runs"]
        identities.append(run["automationDetails"]["id"])
        assert run["results"][0]["locations"]
    assert identities[0] == identities[2] != identities[1]


def test_rust_s_own_debugging_information_would_do(tmp_path: Path) -> None:
    """A shared library: what a linked binding looks like."""
    built = compile_unit(C, tmp_path)
    library = tmp_path / "libbinding.so"
    subprocess.run(
        [*toolchain.compiler().link, "-shared", "-o", str(library), str(built)], check=True
    )
    assert len(said(layouts.read_binding(library))) >= 2
