"""NaN tracing: the first operation and the first element that turned non-finite in a forward pass.

Every launch is watched: what its tensors held before and after. An element that was finite, or not
there, and is NaN or infinite afterwards was made by that launch, by what it was given. Models run
with prompts of 1 to 129 tokens, as they are and with one mistake planted, whose place is known; a
real model, where its file is there, with two prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.audits.sweep import Sweep, try_in_child, wrong
from hipaudit.child import Json, Progress
from hipaudit.device import Device
from hipaudit.errors import ModelError
from hipaudit.finding import Finding
from hipaudit.library.models import TINY, tiny
from hipaudit.resources import kernels_folder
from hipaudit.spec import Array
from hipaudit.text import plural
from hipaudit_runtime import modules
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.modules import Kernel
from hipaudit_runtime.ops.arguments import Pointer
from hipaudit_runtime.tensors import Scope, Tensor
from hipaudit_runtime.tokens import Vocabulary
from hipaudit_runtime.weights import StoredTensor, Weights, open_gguf

LENGTHS = tuple(range(1, 130))
FAMILIES = ("llama", "qwen2moe", "deepseek2")
_FLOATS = tuple(map(np.dtype, (np.float32, np.float16, ml_dtypes.bfloat16)))
_CONTEXT = 160
_ROW, _COLUMN, _EXPERT = 5, 3, 2
"""Where mistakes are planted in a matrix, and in one that has a row an expert."""
_TEXT = "The capital of France is Paris. Its river is the Seine, and the tower"
_REAL_LENGTHS = (1, 9)
"""A real model's prompts: one by the kernels of a row, one by those of several."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The first launch after which something was not finite.

    launch    its number, from 0; argument: which of its parameters
    element   the first one's place in that tensor, whose shape is *shape*
    given     parameters that held something not finite before, with the first place in each
    """

    kernel: str
    launch: int
    argument: int
    shape: tuple[int, ...]
    element: tuple[int, ...]
    value: str
    given: tuple[tuple[int, tuple[int, ...]], ...]

    def __str__(self) -> str:
        """Say it in words."""
        place = ", ".join(map(str, self.element))
        sides = [f"parameter {number} at ({', '.join(map(str, at))})" for number, at in self.given]
        source = f"it was given {' and '.join(sides)}" if sides else "all it was given was finite"
        return (
            f"launch {self.launch}, {self.kernel}: element ({place}) of {list(self.shape)} is "
            f"{self.value}; {source}"
        )


@dataclass(slots=True)
class Tracer:
    """Looks at every launch of a context for what turns non-finite.

    launches, elements  how much was looked at
    first               None as long as all is finite
    seen                what was not finite in a tensor when it was looked at last: as long as
                        nothing turned, it still is what was not
    """

    launches: int = 0
    elements: int = 0
    first: Turned | None = None
    seen: dict[Tensor, Array] = field(default_factory=dict)

    @contextmanager
    def watch(self, kernel: Kernel, arguments: tuple[Any, ...]) -> Iterator[None]:
        """Compare what a launch's tensors hold before it and after it."""
        tensors = {
            number: argument.tensor
            for number, argument in enumerate(arguments)
            if isinstance(argument, Pointer) and argument.tensor.dtype in _FLOATS
        }
        if self.first is not None:
            yield
            return
        unknown = {n: _marked(t, n + 1) for n, t in tensors.items() if t not in self.seen}
        before = {n: self.seen[tensor] for n, tensor in tensors.items() if n not in unknown}
        yield
        for number, held in unknown.items():
            # An element that a launch is first to write held nothing before, whatever it read as.
            kept = _bits(held) == _bits(tensors[number].download())
            before[number] = kept & ~np.isfinite(held)
        for number, tensor in tensors.items():
            self._look(kernel, number, tensor, before)
        self.launches += 1

    def _look(
        self, kernel: Kernel, number: int, tensor: Tensor, before: Mapping[int, Array]
    ) -> None:
        data = tensor.download()
        self.elements += data.size
        bad = ~np.isfinite(data)
        self.seen[tensor] = bad
        new = bad & ~before[number]
        if self.first is not None or not new.any():
            return
        at = _first(new)
        given = tuple((other, _first(bad)) for other, bad in before.items() if bad.any())
        self.first = Turned(
            kernel.name, self.launches, number, data.shape, at, str(data[at]), given
        )


def _bits(values: Array) -> Array:
    return values.view({2: np.uint16, 4: np.uint32}[values.itemsize])


def _marked(tensor: Tensor, mark: int) -> Array:
    """What a tensor holds, its NaN told from any that a launch writes: *mark* is their payload."""
    held = tensor.download()
    nan = np.isnan(held)
    if nan.any():
        quiet = _bits(np.array(np.nan, held.dtype))
        _bits(held)[nan] = quiet | mark
        tensor.upload(held)
    return held


def _first(mask: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake in a model, and where it must show: a kernel's name begins so, and the column.

    family  whose tiny model it is planted in
    change  the data of each of the tensors, from what it was
    """

    family: str
    what: str
    tensors: tuple[str, ...]
    change: Callable[[Array], None]
    kernel: str
    column: int


def _nan(values: Array) -> None:
    values[..., _ROW, _COLUMN] = np.nan


def _nan_of_expert(values: Array) -> None:
    values[_EXPERT, _COLUMN] = np.nan


def _nan_in_vector(values: Array) -> None:
    values[_ROW] = np.nan


def _huge(values: Array) -> None:
    values[..., _ROW, :] *= np.float32(1e30)


def _planted(
    family: str, what: str, tensors: str, change: Callable[[Array], None], kernel: str, column: int
) -> Planted:
    names = tuple(f"{name}.weight" for name in tensors.split())
    return Planted(family, what, names, change, kernel, column)


_MIXTURE, _LATENT = "qwen2moe", "deepseek2"
PLANTED = (
    _planted(
        "llama", "a NaN in the embedding of a token", "token_embd", _nan, "embedding", _COLUMN
    ),
    _planted("llama", "a NaN in a row of queries", "blk.1.attn_q", _nan, "gem", _ROW),
    _planted("llama", "a NaN in the second layer's gate", "blk.1.ffn_gate", _nan, "gem", _ROW),
    _planted(
        "llama", "a gate and its product beyond float32", "blk.0.ffn_up blk.0.ffn_gate", _huge,
        "swiglu", _ROW,
    ),
    _planted(
        _MIXTURE, "a NaN in the router's row of an expert", "blk.1.ffn_gate_inp", _nan_of_expert,
        "gem", _EXPERT,
    ),
    _planted(
        _MIXTURE, "a NaN in a row of every expert", "blk.0.ffn_down_exps", _nan, "grouped", _ROW
    ),
    _planted(
        _MIXTURE, "experts' gates and products beyond float32",
        "blk.1.ffn_up_exps blk.1.ffn_gate_exps", _huge, "swiglu", _ROW,
    ),
    _planted(
        _MIXTURE, "a NaN in the gate of what experts share", "blk.0.ffn_gate_inp_shexp",
        _nan_in_vector, "gem", 0,
    ),
    _planted(_LATENT, "a NaN in a row of latents", "blk.0.attn_kv_a_mqa", _nan, "gem", _ROW),
    _planted(
        _LATENT, "a NaN in the norm of latents", "blk.1.attn_kv_a_norm", _nan_in_vector,
        "latent_append", _ROW,
    ),
    _planted(
        _LATENT, "a NaN in what makes values of latents", "blk.1.attn_v_b", _nan, "gem", _ROW
    ),
)  # fmt: skip


@dataclass(slots=True)
class _Entry:
    """What a child tells of one model on one part."""

    kernel: str
    arch: str
    what: str
    sizes: int = 0
    launches: int = 0
    elements: int = 0
    wrong: int = 0
    first: str = "-"
    expected: str = "nothing"
    input: str = ""
    turned: str = ""


def planned(archs: Sequence[str]) -> int:
    """Steps of progress."""
    return len(archs) * (len(FAMILIES) + len(PLANTED) + (_real_model() is not None))


def sweep_in_child(payload: Mapping[str, Any], device: Device, progress: Progress) -> Json:
    """Trace the models on the payload's parts; the child's side."""
    entries = []
    for arch in payload["archs"]:
        part = device.with_arch(arch)
        for family in FAMILIES:
            entries.append(_plain(_climb(part, family)))
            progress(1)
        for planted in PLANTED:
            entries.append(_plain(_plant(part, planted)))
            progress(1)
        if (file := _real_model()) is not None:
            entries.append(_plain(_real(part, file)))
            progress(1)
    return {"entries": entries}


def _plain(entry: _Entry) -> Json:
    return {name: getattr(entry, name) for name in _Entry.__dataclass_fields__}


def trace(model: Transformer, tokens: Sequence[int]) -> tuple[Tracer, Array]:
    """Run tokens through a model under a tracer; return it, and the logits of all of them."""
    tracer = Tracer()
    pages = -(-len(tokens) // 16)
    with model.cache(pages, 16) as cache, Scope() as scope, modules.watched_by(tracer.watch):
        step = Step(cache.tables.add(), tuple(tokens), len(tokens))
        logits = model.forward(scope, cache, [step]).download()
    return tracer, logits


def _climb(part: Device, family: str) -> _Entry:
    """A model as it is, with prompts of every length of the ladder."""
    weights = tiny(replace(TINY[family], context=_CONTEXT))
    entry = _Entry(family, part.arch, "as it is")
    rng = np.random.default_rng(2)
    with Transformer(weights, part) as model:
        for length in LENGTHS:
            tokens = rng.integers(0, TINY[family].vocabulary, length).tolist()
            _note(entry, length, *trace(model, tokens))
    return entry


def _real_model() -> Path | None:
    """The file of a real model, None where it is not installed."""
    try:
        return default_model()
    except ModelError:
        return None


def _real(part: Device, file: Path) -> _Entry:
    """A real model, with the beginnings of a text."""
    weights = open_gguf(file)
    entry = _Entry(file.stem, part.arch, "as it is")
    tokens = Vocabulary(weights).encode(_TEXT)
    with Transformer(weights, part) as model:
        for length in _REAL_LENGTHS:
            _note(entry, length, *trace(model, tokens[:length]))
    return entry


def _note(entry: _Entry, length: int, tracer: Tracer, logits: Array) -> None:
    """Count a pass, and describe the first that went wrong."""
    entry.sizes += 1
    entry.launches += tracer.launches
    entry.elements += tracer.elements
    if tracer.first is None and np.isfinite(logits).all():
        return
    entry.wrong += 1
    if entry.first == "-":
        entry.first = str(tracer.first or "the logits alone")
        entry.turned = tracer.first.kernel if tracer.first is not None else ""
        entry.input = f"{entry.kernel}, {plural(length, 'token')}"


def _plant(part: Device, planted: Planted) -> _Entry:
    """A model with a mistake: the tracer must name the kernel and the column."""
    weights = _changed(tiny(replace(TINY[planted.family], formats=("F32",))), planted)
    with Transformer(weights, part) as model:
        tracer, _ = trace(model, [_ROW, 1, 2])
    entry = _Entry(planted.family, part.arch, planted.what, 1, tracer.launches, tracer.elements)
    entry.expected = f"{planted.kernel}..., column {planted.column}"
    entry.input = f"{planted.family} with {planted.what}"
    entry.first = str(tracer.first or "nothing")
    found = tracer.first
    hit = found is not None and found.kernel.startswith(planted.kernel)
    if not hit or found is None or found.element[-1] != planted.column:
        entry.wrong = 1
    return entry


def _changed(weights: Weights, planted: Planted) -> Weights:
    """A copy of a model with the mistake in it."""
    tensors = dict(weights.tensors)
    for name in planted.tensors:
        stored: StoredTensor = tensors[name]
        data = np.array(stored.data)
        planted.change(data)
        tensors[name] = replace(stored, data=data)
    return replace(weights, tensors=tensors)


def audit(archs: Sequence[str], device: str, tick: Callable[[], None] = lambda: None) -> Sweep:
    """Trace models of every kind over the ladder, and mistakes whose place is known."""
    target = "hipaudit.audits.nan_tracing:sweep_in_child"
    done = try_in_child(target, archs, device, tick, {"build": "plain"})
    return Sweep(
        name="nan_tracing",
        title="NaN tracing",
        question="Which operation, and which element, is the first that turns non-finite in a "
        "model's forward pass?",
        columns=("Model", "Part", "What", "Prompts", "Launches", "Elements", "Expected",
                 "First to turn non-finite"),
        numeric=frozenset({3, 4, 5}),
        rows=tuple(_row(one) for one in done.entries),
        totals=_totals(done.entries),
        findings=(*done.faults, *_findings(done.entries)),
        launches=done.launches,
        only="nan",
    )  # fmt: skip


def _totals(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    planted = [one for one in entries if one["expected"] != "nothing"]
    mistakes = plural(len(planted), "planted mistake")
    hits = sum(not one["wrong"] for one in planted)
    elements, launched = (sum(one[name] for one in entries) for name in ("elements", "launches"))
    return (
        f"Prompts of every length from {LENGTHS[0]} to {LENGTHS[-1]} tokens",
        f"{elements:,} elements looked at, behind {plural(launched, 'launch', 'launches')}",
        f"{hits} of {mistakes} traced to the operation and element where it shows",
    )


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["kernel"],
        one["arch"],
        one["what"],
        f"{one['sizes']}",
        f"{one['launches']:,}",
        f"{one['elements']:,}",
        one["expected"],
        one["first"],
    )


def _findings(entries: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Models that turn non-finite by themselves, and planted mistakes that were not traced."""
    for one in entries:
        if not one["wrong"]:
            continue
        planted = one["expected"] != "nothing"
        kernel = one["turned"] or one["kernel"]
        kind = "bound-vacuous" if planted else "nonfinite-mismatch"
        yield wrong({**one, "kernel": kernel}, _source(kernel), "hipaudit audit --only nan", kind)


def _source(kernel: str) -> str:
    """The library's file that has a kernel; the model's embedding's where none has."""
    for path in sorted(kernels_folder().glob("*.hip")):
        if f" {kernel}(" in path.read_text(encoding="utf-8"):
            return path.name
    return "embedding.hip"
