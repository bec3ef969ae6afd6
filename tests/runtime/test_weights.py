"""GGUF files: read as they are, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from hipaudit_runtime.errors import WeightsError
from hipaudit_runtime.weights import read_gguf

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
