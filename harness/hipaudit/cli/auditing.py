"""The work of hipaudit audit: a plan, and its parts run side by side."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hipaudit import native_build
from hipaudit.audits import (
    array_parameters,
    asr_benchmarks,
    asr_layers,
    barriers,
    batch_scheduler,
    bf16,
    claims,
    cleanup_entries,
    cleanup_formats,
    constants,
    decoding,
    fault_checker,
    gemm_alignment,
    generated_code,
    half_precision,
    indexing,
    kernels,
    missing_reductions,
    mla_projection,
    model_dequantisation,
    nan_tracing,
    resolved_bugs,
    speculative_decoding,
    structural,
    tile_waste,
)
from hipaudit.audits.fault_corpus import Fault, read_corpus
from hipaudit.audits.kept import Kept
from hipaudit.audits.kernels import KernelAudit
from hipaudit.cli.progress import Board
from hipaudit.device import bind
from hipaudit.errors import UsageError
from hipaudit.isa.parts import PARTS
from hipaudit.library import SPECS
from hipaudit.resources import kernels_folder
from hipaudit.spec import BOTH_WAVES, Spec

Tick: TypeAlias = Callable[[], None]

MODEL = "model"
MEMORY = "memory"
CODE = "isa"
SWEEPS: Mapping[str, Any] = {
    "reductions": missing_reductions,
    "alignment": gemm_alignment,
    "precision": half_precision,
    "parameters": array_parameters,
    "structural": structural,
    "bf16": bf16,
    "indexing": indexing,
    "mla": mla_projection,
    "nan": nan_tracing,
    "entries": cleanup_entries,
    "formats": cleanup_formats,
    "scheduler": batch_scheduler,
    "speculative": speculative_decoding,
    "asr_layers": asr_layers,
    "asr_benchmarks": asr_benchmarks,
    "tile_waste": tile_waste,
    "constants": constants,
}
BARRIERS = "barriers"
FAULTS = "faults"
CLAIMS = "claims"
RESOLVED = "resolved"
_EMULATED = (BARRIERS, FAULTS, CLAIMS, RESOLVED)
_HYGIENE = ("mla", "entries", "formats")
"""Sweeps that look at what the emulated device alone can tell."""
OTHERS = (MODEL, MEMORY, CODE, *SWEEPS, *_EMULATED)
"""What --only takes beside the names of kernels."""

_QUICK_EXAMPLES = 3
_QUICK = frozenset(
    {
        MEMORY,
        CLAIMS,
        "constants",
        "bf16",
        "indexing",
        "scheduler",
        "asr_layers",
        "tile_waste",
    }
)
"""What --quick keeps beside the kernels."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to audit, on what.

    others  the names of `OTHERS` that are wanted
    quick   fewer examples, and on the natural device alone
    """

    device: str
    archs: tuple[str, ...]
    specs: tuple[Spec, ...]
    others: frozenset[str]
    model: Path | None
    examples: int | None
    decode: Path | None = None
    faults: tuple[Fault, ...] = ()
    code: tuple[Path, ...] = ()
    quick: bool = False

    @property
    def name(self) -> str:
        """What tells this plan from others, for results that are kept."""
        files = [file for file in (self.model, self.decode) if file is not None]
        stamps = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        names = [spec.name for spec in self.specs]
        parts = (self.device, self.archs, names, sorted(self.others), stamps, self.examples)
        return repr((*parts, self.quick, str(Path.cwd())))


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the work that runs, is shown and is kept by itself."""

    name: str
    steps: int
    work: Callable[[Tick], Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What the parts of a plan found, and the seconds that each took; 0 for one that was kept."""

    results: Mapping[str, Any]
    seconds: Mapping[str, float]


def make_plan(
    only: Sequence[str],
    model: Path | None,
    examples: int | None,
    device: str,
    *,
    quick: bool = False,
) -> Plan:
    """Return what to audit. Raises UsageError for names and files that are not there."""
    archs = BOTH_WAVES if device == "emulated" else (bind("rocm").arch,)
    names = [name for name in only if name not in OTHERS]
    try:
        specs = tuple(kernels.spec_named(name) for name in names) if only else SPECS
    except UsageError as error:
        raise UsageError(f"{error}; beside kernels: {', '.join(OTHERS)}") from error
    others = frozenset(only) & frozenset(OTHERS) if only else frozenset(OTHERS)
    if quick and not only:
        others &= _QUICK
    if model is not None and not {MODEL, MEMORY} & others:
        raise UsageError("--model was given, but --only leaves the model out: add --only model")
    if device != "emulated":
        emulated = (*_EMULATED, *_HYGIENE)
        if only and others & set(emulated):
            wanted = ", ".join(name for name in emulated if name in others)
            raise UsageError(f"{wanted}: looked at on the emulated device alone")
        others -= set(emulated)
    else:
        native_build.device_libraries()  # built once, before children want it
    weights = None
    if MODEL in others:
        weights = model or model_dequantisation.default_model()
        model_dequantisation.quantised_tensors(weights)
    decode = _decoded(model, explicit=MEMORY in only) if MEMORY in others else None
    faults = read_corpus(kernels_folder() / "faults") if FAULTS in others else ()
    code = generated_code.sources() if CODE in others else ()
    fewer = examples or (_QUICK_EXAMPLES if quick else None)
    return Plan(device, archs, specs, others, weights, fewer, decode, faults, code, quick)


def _decoded(model: Path | None, *, explicit: bool) -> Path | None:
    """Return the model to serve requests with; None for one that the runtime does not know."""
    decode = model or model_dequantisation.default_model()
    if decoding.layers_of(decode):
        return decode
    if explicit:
        raise UsageError(f"{decode.name} is no model that the runtime knows: --only memory")
    return None


def parts_of(plan: Plan) -> list[Part]:
    """Return the parts of a plan, those that take longest first."""
    cores = os.cpu_count() or 1
    workers = max(1, cores // max(1, min(cores, len(plan.specs) + len(plan.others))))
    return [*_others(plan, workers), *(_kernel(plan, spec, workers) for spec in plan.specs)]


def _kernel(plan: Plan, spec: Spec, workers: int) -> Part:
    def work(tick: Tick) -> KernelAudit:
        return kernels.audit(
            spec,
            plan.device,
            plan.archs,
            examples=plan.examples,
            workers=workers,
            adversarial=not plan.quick,
            tick=tick,
        )

    return Part(spec.name, kernels.planned(spec, plan.archs, plan.examples), work)


def _others(plan: Plan, workers: int) -> list[Part]:
    """Return the parts beside the kernels."""
    parts: list[Part] = []
    if plan.faults:
        steps = fault_checker.planned(plan.faults)
        parts.append(Part(FAULTS, steps, lambda tick: fault_checker.kills(plan.faults, tick)))
    if plan.model is not None:
        read = functools.partial(
            model_dequantisation.audit, plan.model, plan.device, plan.archs, workers=workers
        )
        steps = len(plan.archs) * model_dequantisation.quantised_tensors(plan.model)
        parts.append(Part(MODEL, steps, lambda tick: read(tick=tick)))
    if plan.code:
        steps = len(plan.code) * len(PARTS)
        parts.append(Part(CODE, steps, lambda tick: generated_code.audit(plan.code, tick)))
    if BARRIERS in plan.others:
        specs = plan.specs or SPECS
        steps = len(specs) * len(plan.archs)
        parts.append(Part(BARRIERS, steps, lambda tick: barriers.audit(specs, plan.archs, tick)))
    if CLAIMS in plan.others:
        parts.append(Part(CLAIMS, claims.planned(), lambda tick: claims.audit(plan.archs, tick)))
    if RESOLVED in plan.others:
        parts.append(Part(RESOLVED, resolved_bugs.planned(), resolved_bugs.audit))
    if plan.decode is not None:
        run = functools.partial(decoding.run, plan.decode, plan.device, plan.archs[0])
        parts.append(Part(MEMORY, decoding.TOKENS, run))
    for name, sweep in SWEEPS.items():
        if name in plan.others:
            steps = sweep.planned(plan.archs)
            parts.append(Part(name, steps, functools.partial(sweep.audit, plan.archs, plan.device)))
    return parts


def run(plan: Plan, kept: Kept) -> Done:
    """Run the parts, as many at once as there are cores; what was kept is not run again."""
    parts = parts_of(plan)
    results = {part.name: found for part in parts if (found := kept.load(part.name)) is not None}
    seconds = dict.fromkeys(results, 0.0)
    left = [part for part in parts if part.name not in results]
    with Board(len(parts), len(results)) as board, ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(_timed, part, kept, board): part.name for part in left}
        try:
            for future in as_completed(running):
                name = running[future]
                results[name], seconds[name] = future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Done(results, seconds)


def _timed(part: Part, kept: Kept, board: Board) -> tuple[Any, float]:
    """Run a part, keep its result, return it with the seconds that it took."""
    began = time.monotonic()
    result = part.work(board.start(part.name, part.steps))
    kept.save(part.name, result)
    board.end(part.name)
    return result, round(time.monotonic() - began, 1)
