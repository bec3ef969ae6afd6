"""GGUF files: read as they are, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.device import Device
from hipaudit_runtime import ops
from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.tensors import Scope
from hipaudit_runtime.uploading import upload
from hipaudit_runtime.weights import open_gguf, read_gguf

pytestmark = pytest.mark.runtime


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small GGUF file with a plain and two quantised tensors."""
    path = tmp_path / "small.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    values = np.random.default_rng(1).normal(size=(4, 64)).astype(np.float32)
    writer.add_tensor("norm", values[0])
    for kind in (gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0):
        data = gguf.quants.quantize(values, kind)
        writer.add_tensor(f"weight_{kind.name}", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_tensors_are_read_as_stored(model: Path) -> None:
    norm, q4_1, q8_0 = read_gguf(model)
    assert (norm.name, norm.format, norm.quantised, norm.shape) == ("norm", "F32", False, (64,))
    assert (q4_1.format, q4_1.quantised, q4_1.shape) == ("Q4_1", True, (4, 64))
    assert q4_1.data.dtype == np.uint8
    assert q4_1.data.shape == (4, 2 * 20)
    assert (q8_0.format, q8_0.data.shape) == ("Q8_0", (4, 2 * 34))


def test_every_truncation_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    stored = gguf.GGUFReader(model).tensors
    end = max(int(tensor.data_offset + tensor.n_bytes) for tensor in stored)  # then padding
    for length in (*range(0, end, 7), end - 1):
        model.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"small\.gguf is "):
            list(read_gguf(model))


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_bytes(b"not a model at all" * 10)
    with pytest.raises(WeightsError, match=r"notes\.gguf is not a GGUF file"):
        list(read_gguf(path))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights file"):
        list(read_gguf(tmp_path / "absent.gguf"))


BLOCKS = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "MXFP4")


def write_blocks(path: Path, kinds: tuple[str, ...], columns: int = 512) -> None:
    """A file with a tensor of each kind: random codes, all fp16 and E8M0 fields small."""
    writer = gguf.GGUFWriter(path, "llama")
    rng = np.random.default_rng(3)
    for name in kinds:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        data = rng.integers(0, 60, size=(3, columns // elements * size), dtype=np.uint8)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_blocks_of_every_format_arrive_as_they_are(tmp_path: Path, device: Device) -> None:
    path = tmp_path / "blocks.gguf"
    write_blocks(path, BLOCKS)
    for stored in read_gguf(path):
        want = gguf.quants.dequantize(stored.data, gguf.GGMLQuantizationType[stored.format])
        with Scope() as scope:
            values = scope.empty((3, 512), np.float32)
            ops.launch_dequantise(device, stored.format, upload(scope, stored), values)
            got = values.download()
        assert np.array_equal(got.view(np.uint32), want.view(np.uint32)), stored.format


@pytest.mark.usefixtures("device")
def test_blocks_that_no_kernel_reads_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks.gguf"
    write_blocks(path, ("IQ4_NL",))
    (stored,) = read_gguf(path)
    with Scope() as scope, pytest.raises(ValueError, match="IQ4_NL: no kernel for the format"):
        upload(scope, stored)


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("name", ["F32", "F16", "BF16"])
def test_elements_arrive_as_they_are(tmp_path: Path, name: str) -> None:
    path = tmp_path / "elements.gguf"
    write_blocks(path, (name,))
    (stored,) = read_gguf(path)
    assert (stored.quantised, stored.shape, stored.data.shape) == (False, (3, 512), (3, 512))
    with Scope() as scope:
        tensor = upload(scope, stored)
        assert tensor.download().tobytes() == stored.data.tobytes()


def test_a_real_file_reads_as_in_the_gguf_package() -> None:
    path = default_model()
    weights, judge = open_gguf(path), gguf.GGUFReader(path)
    assert list(weights.tensors) == [tensor.name for tensor in judge.tensors]
    for tensor in judge.tensors:
        stored = weights.tensor(tensor.name)
        assert stored.format == tensor.tensor_type.name
        assert np.shares_memory(stored.data, stored.data.base)  # a view: nothing was read
        assert stored.data.shape == tensor.data.shape
        assert stored.data[..., :64].tobytes() == tensor.data[..., :64].tobytes()
    fields = {name: field for name, field in judge.fields.items() if name.count("GGUF.") == 0}
    assert set(weights.metadata) == set(fields)
    for name, field in fields.items():
        value = weights.metadata[name]
        assert (list(value) if isinstance(value, tuple | np.ndarray) else value) == field.contents()


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """A model in three files."""
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama", split_max_tensors=1)
    for number in range(3):
        writer.add_tensor(f"t{number}", np.full(8, number, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(tmp_path.glob("model-*.gguf"))


def test_a_split_model_is_one(parts: list[Path]) -> None:
    weights = open_gguf(parts[0])
    assert [name.name for name in parts] == [f"model-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    assert {name: float(stored.data[0]) for name, stored in weights.tensors.items()} == {
        "t0": 0.0, "t1": 1.0, "t2": 2.0,
    }  # fmt: skip
    assert weights.value("general.architecture", str) == "llama"


def test_a_part_is_missing(parts: list[Path]) -> None:
    parts[1].unlink()
    with pytest.raises(WeightsError, match=r"no weights file .*model-00002-of-00003"):
        open_gguf(parts[0])


def test_the_first_part_is_asked_for(parts: list[Path]) -> None:
    with pytest.raises(WeightsError, match=r"is part 2 of 3: open the first"):
        open_gguf(parts[1])


def test_a_part_of_another_place_is_refused(parts: list[Path]) -> None:
    parts[1].write_bytes(parts[2].read_bytes())
    with pytest.raises(WeightsError, match=r"00002-of-00003\.gguf is not part 2 of 3"):
        open_gguf(parts[0])


def test_parts_under_other_names_are_refused(parts: list[Path]) -> None:
    renamed = parts[0].rename(parts[0].with_name("first.gguf"))
    with pytest.raises(WeightsError, match=r"NAME-00001-of-00003\.gguf"):
        open_gguf(renamed)


def test_a_key_is_there_and_of_its_kind(model: Path) -> None:
    weights = open_gguf(model)
    assert weights.value("absent", int, 3) == 3
    with pytest.raises(WeightsError, match=r"small\.gguf has no absent"):
        weights.value("absent", int)
    with pytest.raises(WeightsError, match=r"architecture of .* is str, not int"):
        weights.value("general.architecture", int)
    with pytest.raises(WeightsError, match="has no tensor absent"):
        weights.tensor("absent")
