"""What a binding says of HIP's structures: ctypes classes, JSON, Rust, C, or a built library."""

from __future__ import annotations

import ctypes
import importlib.util
import inspect
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hipaudit.errors import UsageError
from hipaudit.layouts import rust
from hipaudit.layouts.dwarf import structures_of
from hipaudit.layouts.facts import compile_unit
from hipaudit.layouts.structure import Field, Structure

_C = {".h", ".hpp", ".hh", ".c", ".cc", ".cpp", ".hip"}


def read_binding(path: Path) -> tuple[Structure, ...]:
    """Return the structures that a file declares.

    ``.py``    its ctypes.Structure and Union classes; the file is imported
    ``.json``  ``[[struct, field, offset], ...]``, with a size as fourth where it is known; or
               ``{struct: {"size": bytes, "fields": {field: offset}}}``
    ``.rs``    its ``#[repr(C)]`` structures
    C, C++     every structure it declares; it is compiled against our headers
    an object file or a library: what its debugging information says, whatever its language

    Raises UsageError for a file that cannot be read as that, CompileError for C that is not.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    if path.suffix == ".py":
        return structures(vars(_imported(path)).values())
    if path.suffix == ".json":
        return _listed(path)
    if path.suffix == ".rs":
        return rust.structures_of(path)
    if path.suffix in _C:
        return _compiled(path)
    return tuple(structures_of(path))


def structures(classes: Iterable[Any]) -> tuple[Structure, ...]:
    """Return the layouts of ctypes.Structure and Union classes; other objects are left out."""
    found: dict[type, Structure] = {}
    for one in classes:
        if isinstance(one, type) and issubclass(one, ctypes.Structure | ctypes.Union):
            found[one] = _of_class(one)
    return tuple(found.values())


def _of_class(one: type[ctypes.Structure | ctypes.Union]) -> Structure:
    try:
        lines, start = inspect.getsourcelines(one)
        file = inspect.getsourcefile(one) or ""
    except (OSError, TypeError):
        lines, start, file = [], 0, ""
    fields = []
    for name, _, *bits in _members(one):
        if not bits:
            place = getattr(one, name)
            fields.append(Field(name, place.offset, place.size, _line(lines, start, name)))
    return Structure(
        one.__name__,
        ctypes.sizeof(one),
        tuple(fields),
        ctypes.alignment(one),
        file=file,
        line=start,
    )


def _members(one: type) -> Iterator[tuple[Any, ...]]:
    """Yield the entries of ``_fields_``, those of base classes first."""
    for base in reversed(one.__mro__):
        yield from vars(base).get("_fields_", ())


def _line(lines: list[str], start: int, name: str) -> int:
    """Return the line that has *name* as a string or a word; 0 when none has."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return next((start + at for at, text in enumerate(lines) if pattern.search(text)), 0)


def _imported(path: Path) -> Any:
    name = f"hipaudit_binding_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect finds a class's source through it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} does not import: {type(error).__name__}: {error}") from error
    return module


def _listed(path: Path) -> tuple[Structure, ...]:
    text = path.read_text(encoding="utf-8")
    try:
        data = json.loads(text)
        read = _rows(data) if isinstance(data, list) else _table(data)
        return tuple(_placed(one, path, text.splitlines()) for one in read)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UsageError(
            f"{path}: it takes [[struct, field, offset], ...] or "
            f'{{struct: {{"size": bytes, "fields": {{field: offset}}}}}} ({error})'
        ) from error


def _rows(data: list[Any]) -> Iterator[Structure]:
    fields: dict[str, list[Field]] = {}
    for struct, field, offset, *size in data:
        known = int(size[0]) if size else None
        fields.setdefault(str(struct), []).append(Field(str(field), int(offset), known))
    for name, listed in fields.items():
        yield Structure(name, None, tuple(listed))


def _table(data: dict[str, Any]) -> Iterator[Structure]:
    for name, entry in data.items():
        listed = (Field(field, int(offset)) for field, offset in entry.get("fields", {}).items())
        size = entry.get("size")
        yield Structure(name, None if size is None else int(size), tuple(listed))


def _placed(one: Structure, path: Path, lines: list[str]) -> Structure:
    """Return a structure with the lines of the file that name its parts."""
    start = _line(lines, 1, one.name)
    below = lines[max(0, start - 1) :]
    fields = (replace(f, line=_line(below, max(1, start), f.name)) for f in one.fields)
    return replace(one, fields=tuple(fields), file=str(path), line=start)


def _compiled(path: Path) -> tuple[Structure, ...]:
    """Compile a file; a structure that our own headers declare is theirs and left out."""
    with tempfile.TemporaryDirectory(prefix="hipaudit-") as folder:
        text = f'#line 1 "{path}"\n' + path.read_text(encoding="utf-8", errors="replace")
        built = compile_unit(text, Path(folder), (path.parent.resolve(),))
        mine = tuple(structures_of(built, declared_in=str(path)))
    return tuple(replace(one, file=str(path)) for one in mine)
