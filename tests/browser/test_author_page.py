"""What an author meets: a double click opens a source as a notebook, Run All runs it, and saving
keeps the text as it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import ROOT, Lab, NotebookPage

from autogradient.sources import scaffold


def course(root: Path) -> Path:
    """A small course with this one's configuration and one source; returns the source."""
    shutil.copytree(ROOT / "grader_config", root / "grader_config")
    shutil.copy(ROOT / "jupytext.toml", root)
    return scaffold.new(root, "losses", "How far off?")


def test_double_click_run_all_and_save(
    start_lab: Callable[..., Lab], page: Any, tmp_path: Path
) -> None:
    path = course(tmp_path / "course")
    before = path.read_text()
    lab = start_lab(tmp_path / "course", tmp_path / "course" / "grader_config")
    page.goto(lab.url("lab"))
    for folder in ("source", "losses", "losses.py"):
        page.locator(".jp-DirListing-item").get_by_text(folder, exact=True).dblclick()
    notebook = NotebookPage(page)
    notebook.wait()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    notebook.panel.get_by_text(
        "right (a plain loop over all elements): full marks, as it should be"
    ).wait_for(state="attached")
    reports = notebook.panel.locator(".autogradient-report")
    sentences = [reports.nth(i).locator("p").first.inner_text() for i in range(reports.count())]
    assert [sentence.split(":")[0] for sentence in sentences] == [
        "✓ losses-sign",
        "✓ losses-mse",
        "✓ wrong (it adds the squares up and never divides by their number)",
        (
            "✓ wrong (it divides by the number of rows, which is the number of differences "
            "only where there is one column)"
        ),
        "✓ wrong (without the square, errors of opposite sign cancel)",
        "✓ right (a plain loop over all elements)",
    ]
    assert (
        notebook.panel.locator(
            '[data-mime-type="application/vnd.jupyter.error"], '
            '[data-mime-type="application/vnd.jupyter.stderr"]'
        ).count()
        == 0
    )
    assert notebook.panel.locator(".autogradient-cases td").get_by_text("any shape").count() >= 2
    reports.nth(1).scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "source.png")

    # Saved from JupyterLab, only the order in the front matter changes, and `fmt` puts it back.
    notebook.type(notebook.find("#| setup"), "#| setup\nimport numpy as np\n\nEXTRA = 1")
    notebook.save()
    assert "EXTRA = 1" in path.read_text()
    scaffold.fmt(path)
    assert path.read_text() == before.replace(
        "import numpy as np\n", "import numpy as np\n\nEXTRA = 1\n", 1
    )
