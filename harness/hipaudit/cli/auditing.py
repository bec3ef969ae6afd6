"""The work of hipaudit audit: a plan, its run under a progress bar, and the data for the pages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hipaudit import native_build
from hipaudit.audits import (
    array_parameters,
    barriers,
    bf16,
    buffer_copies,
    decoding,
    fault_checker,
    gemm_alignment,
    generated_code,
    half_precision,
    hidden_synchronisation,
    kernels,
    missing_reductions,
    model_dequantisation,
    storage_modes,
    structural,
)
from hipaudit.audits.barriers import BarrierAudit
from hipaudit.audits.decoding import Decoding
from hipaudit.audits.fault_corpus import Fault, read_corpus
from hipaudit.audits.kernels import KernelAudit
from hipaudit.audits.kill_matrix import Kill
from hipaudit.audits.memory_page import MemoryAudit
from hipaudit.audits.model_dequantisation import ModelAudit
from hipaudit.audits.sweep import Sweep
from hipaudit.device import bind
from hipaudit.errors import UsageError
from hipaudit.finding import grouped
from hipaudit.isa.parts import PARTS
from hipaudit.isa.study import Study
from hipaudit.launches import kernel_rows
from hipaudit.library import SPECS
from hipaudit.outcome import Outcome
from hipaudit.report.pages import AuditData
from hipaudit.report.terminal import console
from hipaudit.resources import kernels_folder
from hipaudit.spec import BOTH_WAVES, Spec
from hipaudit.text import plural

_MODEL = "model"
_MEMORY = "memory"
_MEMORY_AUDITS = (buffer_copies, storage_modes, hidden_synchronisation)
_CODE = "isa"
_SWEEPS = {
    "reductions": missing_reductions,
    "alignment": gemm_alignment,
    "precision": half_precision,
    "parameters": array_parameters,
    "structural": structural,
    "bf16": bf16,
}
_BARRIERS = "barriers"
_FAULTS = "faults"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to audit, on what."""

    device: str
    archs: tuple[str, ...]
    specs: tuple[Spec, ...]
    model: Path | None
    examples: int | None
    decode: Path | None = None
    barriers: tuple[Spec, ...] = ()
    faults: tuple[Fault, ...] = ()
    code: tuple[Path, ...] = ()
    sweeps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What the audits of a plan found."""

    kernels: tuple[KernelAudit, ...]
    weights: ModelAudit | None = None
    tokens: Decoding | None = None
    barriers: BarrierAudit | None = None
    kills: tuple[Kill, ...] = ()
    code: Study | None = None
    sweeps: tuple[Sweep, ...] = ()


def make_plan(only: Sequence[str], model: Path | None, examples: int | None, device: str) -> Plan:
    """Return what to audit. Raises UsageError for names and files that are not there."""
    archs = BOTH_WAVES if device == "emulated" else (bind("rocm").arch,)
    others = {_MODEL, _MEMORY, _CODE, _BARRIERS, _FAULTS, *_SWEEPS}
    names = [name for name in only if name not in others]
    specs = tuple(kernels.spec_named(name) for name in names) if only else SPECS
    weights = None
    if not only or _MODEL in only:
        weights = model or model_dequantisation.default_model()
        model_dequantisation.quantised_tensors(weights)
    elif model is not None:
        raise UsageError("--model was given, but --only leaves the model out: add --only model")
    decode = None
    if not only or _MEMORY in only:
        decode = model or model_dequantisation.default_model()
        if decoding.layers_of(decode) < decoding.LAYERS:
            if _MEMORY in only:
                raise UsageError(f"{decode.name} has no decoder layers to run: --only memory")
            decode = None
    synchronised: tuple[Spec, ...] = ()
    faults: tuple[Fault, ...] = ()
    if device == "emulated":
        native_build.device_libraries()  # built once, before children want it
        if not only or _BARRIERS in only:
            synchronised = specs or SPECS
        if not only or _FAULTS in only:
            faults = read_corpus(kernels_folder() / "faults")
    elif {_BARRIERS, _FAULTS} & set(only):
        raise UsageError("barriers and faults are looked at on the emulated device alone")
    code = generated_code.sources() if not only or _CODE in only else ()
    sweeps = tuple(name for name in _SWEEPS if not only or name in only)
    return Plan(device, archs, specs, weights, examples, decode, synchronised, faults, code, sweeps)


def run(plan: Plan) -> Done:
    """Run the audits, as many at once as there are cores, under a progress bar."""
    jobs = max(1, min(os.cpu_count() or 1, len(plan.specs) + (plan.model is not None)))
    workers = max(1, (os.cpu_count() or 1) // jobs)
    weights: Future[ModelAudit] | None = None
    tokens: Future[Decoding] | None = None
    needs: Future[BarrierAudit] | None = None
    kills: Future[tuple[Kill, ...]] | None = None
    code: Future[Study] | None = None
    with _bar() as bar, ThreadPoolExecutor(jobs) as pool:
        if plan.model is not None:
            tick = _task(bar, _MODEL, len(plan.archs) * _tensor_count(plan.model))
            weights = pool.submit(
                model_dequantisation.audit,
                plan.model,
                plan.device,
                plan.archs,
                workers=workers,
                tick=tick,
            )
        if plan.decode is not None:
            tick = _task(bar, _MEMORY, decoding.TOKENS)
            tokens = pool.submit(decoding.run, plan.decode, plan.device, plan.archs[0], tick)
        if plan.code:
            tick = _task(bar, _CODE, len(plan.code) * len(PARTS))
            code = pool.submit(generated_code.audit, plan.code, tick)
        swept = [
            pool.submit(
                _SWEEPS[name].audit,
                plan.archs,
                plan.device,
                _task(bar, name, _SWEEPS[name].planned(plan.archs)),
            )
            for name in plan.sweeps
        ]
        futures = [
            pool.submit(
                kernels.audit,
                spec,
                plan.device,
                plan.archs,
                examples=plan.examples,
                workers=workers,
                tick=_task(bar, spec.name, kernels.planned(spec, plan.archs, plan.examples)),
            )
            for spec in plan.specs
        ]
        if plan.barriers:
            tick = _task(bar, _BARRIERS, len(plan.barriers) * len(plan.archs))
            needs = pool.submit(barriers.audit, plan.barriers, plan.archs, tick)
        if plan.faults:
            tick = _task(bar, _FAULTS, fault_checker.planned(plan.faults))
            kills = pool.submit(fault_checker.kills, plan.faults, tick)
        return Done(
            tuple(future.result() for future in futures),
            weights.result() if weights is not None else None,
            tokens.result() if tokens is not None else None,
            needs.result() if needs is not None else None,
            kills.result() if kills is not None else (),
            code.result() if code is not None else None,
            tuple(sweep.result() for sweep in swept),
        )


def _tensor_count(model: Path) -> int:
    return model_dequantisation.quantised_tensors(model)


def _bar() -> Progress:
    """Return a progress bar on standard error; nothing where that is no terminal."""
    return Progress(
        TextColumn("{task.description:24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


def _task(bar: Progress, name: str, total: int) -> Callable[[], None]:
    """Add a line to the bar; return what moves it by one step."""
    task = bar.add_task(name, total=total)
    return lambda: bar.advance(task)


def data(plan: Plan, done: Done) -> AuditData:
    """Return what the pages and the outputs are made from."""
    audits, weights, tokens = done.kernels, done.weights, done.tokens
    title = f"{plan.device} device, as {' and '.join(plan.archs)}"
    ours = kernels.outcome_of(audits, title, plan.archs)
    launched: list[Any] = [entry for audit in audits for entry in audit.launches]
    found = [finding for audit in audits for finding in audit.findings]
    voids = [ours.void] if ours.void else []
    notes = list(ours.notes)
    if done.barriers is not None:
        launched += done.barriers.launches
        found += [*done.barriers.redundant, *done.barriers.missing]
        voids += [done.barriers.void] if done.barriers.void else []
        notes += done.barriers.notes
    if missed := sum(not kill.passed for kill in done.kills):
        notes.append(f"kill matrix: {plural(missed, 'row')} not as expected")
    if weights is not None:
        launched += weights.launches
        found += weights.findings
        voids += [weights.void] if weights.void else []
    memory: tuple[MemoryAudit, ...] = ()
    if tokens is not None:
        memory = tuple(one.audit(tokens) for one in _MEMORY_AUDITS)
        launched += tokens.launches
        found += [*tokens.findings, *(finding for one in memory for finding in one.findings)]
        voids += [tokens.void] if tokens.void else []
    if done.code is not None:
        found += done.code.findings.items
    for sweep in done.sweeps:
        launched += sweep.launches
        found += sweep.findings
        voids += [sweep.void] if sweep.void else []
    outcome = Outcome(
        title,
        ",".join(plan.archs),
        kernel_rows(launched),
        grouped(found),
        tuple(notes),
        "; ".join(voids) or None,
    )
    subjects = [plural(len(audits), "library kernel")]
    subjects += [f"the weights of {weights.model}"] if weights is not None else []
    subjects += [f"{plural(tokens.tokens, 'token')} decoded by it"] if tokens is not None else []
    if done.barriers is not None:
        subjects.append(f"the barriers of {plural(done.barriers.specs, 'kernel')}")
    subjects += ["the seeded faults"] if done.kills else []
    subjects += [f"{sweep.title} (sweep)" for sweep in done.sweeps]
    subjects += [f"the code of {plural(len(plan.code), 'kernel file')}"] if done.code else []
    return AuditData(
        outcome,
        audits,
        weights,
        ", ".join(subjects),
        plan.archs,
        memory,
        done.barriers,
        done.kills,
        done.code,
        done.sweeps,
    )
