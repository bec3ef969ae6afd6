"""A whole model in a file: random weights, a vocabulary, a chat template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
from tiny_language import tiny_metadata

from hipaudit.library.models import TinyModel, tiny

_KEYS = {bool: "add_bool", int: "add_uint32", float: "add_float32", str: "add_string"}


def write_tiny(
    path: Path, *, seed: int = 0, leave_out: str = "", keys: Mapping[str, object] | None = None
) -> Path:
    """Write the model; *leave_out* is a tensor that is missing, *keys* replace the metadata's."""
    words = tiny_metadata()
    model = TinyModel(vocabulary=len(words["tokenizer.ggml.tokens"]), context=128, tied=True)
    weights = tiny(model, seed)
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in (dict(weights.metadata) | words | dict(keys or {})).items():
        if key == "general.architecture":
            writer.kv_data[0].pop(key, None)
        if isinstance(value, np.ndarray | tuple):
            writer.add_array(key, list(value) if isinstance(value, tuple) else value.tolist())
        else:
            getattr(writer, _KEYS[type(value)])(key, value)
    for tensor in weights.tensors.values():
        if tensor.name != leave_out:
            writer.add_tensor(tensor.name, np.ascontiguousarray(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
