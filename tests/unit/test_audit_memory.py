"""The memory audits on a small model: tables from a real run, and models that cannot be decoded."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from hipaudit.audits import buffer_copies, decoding, hidden_synchronisation, storage_modes
from hipaudit.audits.decoding import Decoding
from hipaudit.errors import ModelError
from hipaudit.finding import Findings
from hipaudit.library.models import TinyModel, tiny
from hipaudit.outcome import Outcome
from hipaudit.report.pages import AuditData, write_reports
from hipaudit_runtime.weights import Weights

SMALL = TinyModel(formats=("Q8_0",))


def write_model(path: Path, weights: Weights) -> Path:
    """Write a model as a GGUF file."""
    writer = gguf.GGUFWriter(str(path), str(weights.metadata["general.architecture"]))
    for key, value in weights.metadata.items():
        if isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
    for tensor in weights.tensors.values():
        kind = gguf.GGMLQuantizationType[tensor.format]
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Decoding:
    model = write_model(tmp_path_factory.mktemp("model") / "small.gguf", tiny(SMALL))
    assert decoding.layers_of(model) == 2
    return decoding.run(model, "emulated", "gfx942")


def test_the_run_is_clean_and_seen(run: Decoding) -> None:
    assert (run.void, run.findings) == (None, ())
    assert run.memory is not None
    assert run.memory.allocations == run.memory.frees > 50
    assert run.memory.live_bytes == 0
    assert {entry.kernel for entry in run.launches} >= {"rms_norm", "rope", "swiglu", "argmax"}
    assert all(entry.accesses for entry in run.launches)


def test_every_byte_that_moves_has_a_site(run: Decoding) -> None:
    page = buffer_copies.audit(run)
    assert run.memory is not None
    up = [entry for entry in run.memory.copies if entry.direction == "host_to_device"]
    weights = sum(tensor.data.nbytes for tensor in tiny(SMALL).tensors.values())
    assert sum(entry.bytes for entry in up) > weights
    assert sum(int(row[6].replace(",", "")) for row in page.rows) == sum(
        entry.bytes for entry in run.memory.copies
    )
    assert {row[-1] for row in page.rows} == {""}
    callers = [row[1] for row in page.rows]
    assert len(set(callers)) == len(callers), "each line of the table is a place of its own"
    assert page.findings == ()


def test_modes_and_waits_are_counted(run: Decoding) -> None:
    modes = storage_modes.audit(run)
    assert {row[2] for row in modes.rows} == {"device"}
    assert {row[-1] for row in modes.rows} == {"as it is"}
    assert all(int(row[9].replace(",", "")) for row in modes.rows), "every buffer is a kernel's"
    waits = hidden_synchronisation.audit(run)
    assert {row[0] for row in waits.rows} >= {"hipMemcpy"}
    assert waits.findings == ()


def test_a_model_that_the_runtime_does_not_know_has_no_layers(tmp_path: Path) -> None:
    weights = tiny(SMALL)
    other = Weights(weights.path, {"general.architecture": "mamba"}, weights.tensors)
    assert decoding.layers_of(write_model(tmp_path / "m.gguf", other)) == 0
    with pytest.raises(ModelError):
        decoding.layers_of(tmp_path / "missing.gguf")


def test_the_pages_are_linked_and_the_same_bytes_twice(run: Decoding, tmp_path: Path) -> None:
    audits = tuple(one.audit(run) for one in (buffer_copies, storage_modes, hidden_synchronisation))
    outcome = Outcome("a device", "gfx942", [], Findings())
    data = AuditData(outcome, (), None, "tokens", ("gfx942",), memory=audits)
    for name in ("a", "b"):
        pages = write_reports(data, tmp_path / name)
        assert len(pages) >= 4
    names = ("buffer_copies.md", "storage_modes.md", "hidden_synchronisation.md")
    index = (tmp_path / "a" / "index.md").read_text()
    for name in (*names, "index.md", "plots/storage_modes.svg"):
        first = (tmp_path / "a" / name).read_bytes()
        assert first == (tmp_path / "b" / name).read_bytes()
    assert all(f"({name})" in index for name in names)
    table = (tmp_path / "a" / "storage_modes.md").read_text()
    assert table.count("| hipMalloc |") == len(storage_modes.audit(run).rows)
