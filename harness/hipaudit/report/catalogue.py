"""The index's six groups, and which page belongs to which."""

from __future__ import annotations

from collections.abc import Sequence

from hipaudit.report.page import Page

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Kernel audits",
        (
            *("library", "kernel_inventory", "structural", "constants", "tile_waste"),
            *("attention_bf16", "gemm_bf16", "moe_bf16", "gemm_alignment"),
            *("barriers", "kill_matrix", "mutation", "generated_code"),
        ),
    ),
    (
        "Performance and benchmarks",
        (
            *("speculative_decoding", "batch_scheduler", "mla_projection", "missing_reductions"),
            *("indexing", "asr_benchmarks", "asr_layers"),
        ),
    ),
    ("Buffer and memory audits", ("buffer_copies", "storage_modes", "hidden_synchronisation")),
    (
        "Bug reports",
        ("bug_analysis", "array_parameters", "half_precision", "resolved_bugs"),
    ),
    ("Debug investigations", ("nan_tracing", "model_dequantisation", "ulp_tables")),
    ("Maintenance", ("cleanup_entries", "cleanup_formats")),
)


def grouped(pages: Sequence[Page]) -> list[tuple[str, list[Page]]]:
    """Return the pages by group, in the order of the groups; a kernel's own page is in none.

    Raises KeyError for a page that belongs to no group.
    """
    order = [name for _, names in GROUPS for name in names]
    known = {page.link.removesuffix(".md"): page for page in pages if "/" not in page.link}
    if strays := sorted(set(known) - set(order)):
        raise KeyError(f"no group of the index has {', '.join(strays)}")
    return [
        (title, [known[name] for name in names if name in known])
        for title, names in GROUPS
        if any(name in known for name in names)
    ]
