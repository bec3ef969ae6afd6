"""The memory audits on a small model: tables from a real run, and models that cannot be decoded."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from hipaudit.audits import buffer_copies, decoding, hidden_synchronisation, storage_modes
from hipaudit.audits.decoding import Decoding
from hipaudit.errors import ModelError
from hipaudit.finding import Findings
from hipaudit.outcome import Outcome
from hipaudit.report.pages import AuditData, write_reports

WIDTH, INNER, HEADS, TOKENS = 64, 128, 2, 40
Q8_0, F32 = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.F32


def write_model(path: Path, *, heads: int = HEADS, kind: gguf.GGMLQuantizationType = Q8_0) -> Path:
    """Write two decoder layers of random weights."""
    writer = gguf.GGUFWriter(str(path), "llama")
    if heads:
        writer.add_head_count(heads)
    generator = np.random.default_rng(5)

    def add(name: str, rows: int, columns: int) -> None:
        weights = (generator.normal(size=(rows, columns)) / 8).astype(np.float32)
        data = gguf.quants.quantize(weights, kind)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)

    add("token_embd", TOKENS, WIDTH)
    for layer in range(2):
        prefix = f"blk.{layer}"
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{prefix}.{name}.weight", np.ones(WIDTH, np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{prefix}.{name}", WIDTH, WIDTH)
        for name in ("ffn_gate", "ffn_up"):
            add(f"{prefix}.{name}", INNER, WIDTH)
        add(f"{prefix}.ffn_down", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Decoding:
    model = write_model(tmp_path_factory.mktemp("model") / "small.gguf")
    assert decoding.layers_of(model) == 2
    return decoding.run(model, "emulated", "gfx942")


def test_the_run_is_clean_and_seen(run: Decoding) -> None:
    assert (run.void, run.findings) == (None, ())
    assert run.memory is not None
    assert run.memory.allocations == run.memory.frees > 100
    assert run.memory.live_bytes == 0
    assert {entry.kernel for entry in run.launches} >= {"rms_norm", "rope", "swiglu", "add"}


def test_every_byte_that_moves_has_a_site(run: Decoding) -> None:
    page = buffer_copies.audit(run)
    assert run.memory is not None
    up = [entry for entry in run.memory.copies if entry.direction == "host_to_device"]
    # Each token uploads each layer's weights anew: that is what the audit is there to show.
    blocks = WIDTH * WIDTH * 4 + INNER * WIDTH * 3
    weights = run.tokens * run.layers * blocks // 32 * 34
    assert sum(entry.bytes for entry in up) > weights
    assert sum(int(row[6].replace(",", "")) for row in page.rows) == sum(
        entry.bytes for entry in run.memory.copies
    )
    assert "keep on the device what stays the same" in {row[-1] for row in page.rows}
    assert page.findings == ()


def test_modes_and_waits_are_counted(run: Decoding) -> None:
    modes = storage_modes.audit(run)
    assert {row[2] for row in modes.rows} == {"device"}
    assert {row[-1] for row in modes.rows} == {"as it is"}
    assert all(int(row[9].replace(",", "")) for row in modes.rows), "every buffer is a kernel's"
    waits = hidden_synchronisation.audit(run)
    assert {row[0] for row in waits.rows} >= {"hipMemcpy"}
    assert waits.findings == ()


@pytest.mark.parametrize("change", [{"heads": 0}, {"kind": F32}])
def test_a_model_that_the_runtime_cannot_decode_has_no_layers(
    tmp_path: Path, change: dict[str, int]
) -> None:
    assert decoding.layers_of(write_model(tmp_path / "m.gguf", **change)) == 0
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
