"""Paths of the library's own files, as one types them and as pages show them."""

from __future__ import annotations

import pytest

from hipaudit.report.rendering import templates
from hipaudit.resources import from_root, kernels_folder, shown_kernel_path


@pytest.mark.parametrize("folder", [".", "kernels", "..", "/"])
def test_pages_say_the_same_wherever_the_audit_is_started(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kernels_folder().parent / folder)
    shown = shown_kernel_path("row_max.hip")
    assert shown.samefile(kernels_folder() / "row_max.hip")
    assert (
        from_root(f"check {shown} && {shown}") == "check kernels/row_max.hip && kernels/row_max.hip"
    )
    source = "{{ path|md }} {{ path|code }}\n{{ path|block }}"
    page = templates().from_string(source).render({"path": shown})
    assert page.startswith("kernels/row\\_max.hip <code>kernels/row&#95;max.hip</code>\n")
    assert "\nkernels/row_max.hip\n" in page
