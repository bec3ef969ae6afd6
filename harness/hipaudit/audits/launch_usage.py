"""What the library's launchers launch: every entry point, and what each parameter is given.

Seen, not read: the fixed cases of all specs, drawn ones where those leave an entry point out, and a
pass of a model of every family run under a watch on launches; the device describes the parameters
of each kernel.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import Phase, settings

from hipaudit.child import Json
from hipaudit.device import Device
from hipaudit.hipcalls import hip
from hipaudit.library import SPECS
from hipaudit.library.models import TINY, tiny
from hipaudit.property import hypothesis_test
from hipaudit.resources import kernels_folder
from hipaudit.spec import Spec
from hipaudit_runtime import modules, sources
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.modules import Kernel
from hipaudit_runtime.ops.arguments import Pointer
from hipaudit_runtime.tensors import Scope

_TOKENS = (1, 2, 3)
_DRAWN = 10


@dataclass(slots=True)
class Given:
    """What one parameter was given: types by name with their widths in bytes, and row bytes.

    rows  bytes along the last axis of tensors, for types that are blocks of several elements
    """

    widths: dict[str, int] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Used:
    """One kernel's launches: how many, by whom, and what its parameters were given."""

    launches: int = 0
    by: set[str] = field(default_factory=set)
    given: dict[int, Given] = field(default_factory=dict)


@dataclass(slots=True)
class _Watcher:
    """Notes every launch; *user* is who launches now."""

    used: dict[str, Used] = field(default_factory=dict)
    user: str = ""

    @contextmanager
    def watch(self, kernel: Kernel, arguments: tuple[Any, ...]) -> Iterator[None]:
        used = self.used.setdefault(kernel.name, Used())
        used.launches += 1
        used.by.add(self.user)
        for number, argument in enumerate(arguments):
            given = used.given.setdefault(number, Given())
            if isinstance(argument, Pointer):
                tensor = argument.tensor
                given.widths[tensor.dtype.name] = tensor.dtype.itemsize
                given.rows.add((tensor.shape or (1,))[-1] * tensor.dtype.itemsize)
            else:
                given.widths[type(argument).__name__] = ctypes.sizeof(argument)
        yield


def collect(part: Device, tick: Callable[[], None]) -> dict[str, Used]:
    """Run the specs and models on a part and return what was launched, by kernel."""
    watcher = _Watcher()
    with modules.watched_by(watcher.watch):
        for spec in SPECS:
            watcher.user = spec.name
            for case in spec.cases:
                spec.launch(part, **case)
            if not set(spec.entry_points) <= set(watcher.used):
                _drawn(spec, part)
            tick()
        for family in TINY:
            watcher.user = "models"
            _pass(part, family)
            tick()
    return watcher.used


def _drawn(spec: Spec, part: Device) -> None:
    """Launch inputs that are drawn for a spec, the same ones every time."""
    fixed = settings(derandomize=True, database=None, phases=(Phase.generate,))

    def example(inputs: Mapping[str, Any]) -> None:
        spec.launch(part, **inputs)

    hypothesis_test(spec, example, fixed, examples=_DRAWN)()


def steps() -> int:
    """How often `collect` calls its tick."""
    return len(SPECS) + len(TINY)


def _pass(part: Device, family: str) -> None:
    """A prompt and a token behind it through a tiny model."""
    with (
        Transformer(tiny(TINY[family]), part) as model,
        model.cache(2, 4) as cache,
        Scope() as scope,
    ):
        sequence = cache.tables.add()
        for tokens in (_TOKENS, _TOKENS[:1]):
            logits = model.forward(scope, cache, [Step(sequence, tokens)]).download()
            if not np.isfinite(logits).all():
                raise AssertionError(f"{family}: logits that are not finite")


def described(part: Device) -> dict[str, list[Json]]:
    """Each kernel file's entry points and their parameters, as the device describes them."""
    if part.control is None:
        return {}
    found = {}
    for path in sorted(kernels_folder().glob("*.hip")):
        code = modules.compile_source(sources.read(path), part.arch)
        module = modules.load_module(code)
        found[path.name] = part.control.describe(int(module))
        hip().hipModuleUnload(module)
    return found
