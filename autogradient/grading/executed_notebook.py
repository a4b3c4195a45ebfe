"""The executed notebook: the student's, with this run's outputs, and verdicts at its checks."""

from __future__ import annotations

import copy
from typing import Any

from autogradient.grading.judge import Verdict
from autogradient.grading.read_notebook import Notebook
from autogradient.grading.run_cells import Runs
from autogradient.grading.submission import Submission


def executed(notebook: Notebook, runs: Runs, checks: dict[int, str]) -> dict[str, Any]:
    """The student's notebook with the outputs of this run in place of whatever was saved in it;
    check cells show their verdict.
    """
    data = copy.deepcopy(notebook.data)
    count = 0
    for index, cell in enumerate(data["cells"]):
        if cell.get("cell_type") != "code":
            continue
        run = runs.cells.get(index)
        cell["outputs"], cell["execution_count"] = [], None
        if checks.get(index):
            cell["outputs"] = [stream(checks[index])]
        if run is not None:
            count += 1
            cell["outputs"], cell["execution_count"] = run.outputs, count
    return data


def stream(text: str) -> dict[str, str]:
    """An output that is printed text."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def check_outputs(submission: Submission, verdicts: dict[str, Verdict]) -> dict[int, str]:
    """What the check cells show in the executed notebook: a line for each of their cases. A check
    without hidden cell of its own shows all.
    """
    with_hidden = {part for part, hidden in submission.checks.values() if hidden}
    shown = {}
    for index, (part, hidden) in submission.checks.items():
        cases = [
            case
            for case in verdicts[part].cases
            if case.hidden == hidden or part not in with_hidden
        ]
        shown[index] = "".join(
            f"{'✓' if case.outcome == 'passed' else '✗' if case.outcome != 'not_run' else '○'} "
            f"{case.name}{': ' + case.message if case.message else ''}\n"
            for case in cases
        )
    return shown
