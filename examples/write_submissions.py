"""Write examples/submissions/: what a class might hand in, made from the student notebooks in release/.

    python examples/write_submissions.py

Run it again when a release changes. The same release gives the same files. It stops where an answer has no cell to stand in.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from activations_answers import ACTIVATION_SLIPS, ACTIVATIONS
from perceptrons_answers import PERCEPTRON_SLIPS, PERCEPTRONS, TRAINS_AND_PRINTS, TRAINS_FOR_EVER

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "examples" / "submissions"


class Notebook:
    """A student's copy of a released notebook."""

    def __init__(self, assignment: str, answered: dict[str, str]) -> None:
        self.data: dict[str, Any] = json.loads((ROOT / "release" / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8"))
        for part, text in answered.items():
            self.answer(part, text)

    @property
    def cells(self) -> list[dict[str, Any]]:
        return self.data["cells"]

    def at(self, grade_id: str) -> int:
        for i, cell in enumerate(self.cells):
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
                return i
        raise SystemExit(f"the release has no cell '{grade_id}'; bring the answers in examples/ up to date")

    def answer(self, part: str, text: str) -> None:
        """Type an answer; of a short one `text` is the value only."""
        cell = self.cells[self.at(f"{part}-answer")]
        short = re.fullmatch(r"(\w+) = \.\.\.", cell["source"])
        stub_names = set(re.findall(r"^def (\w+)", cell["source"], re.MULTILINE))
        if not stub_names <= set(re.findall(r"^def (\w+)", text, re.MULTILINE)):
            raise SystemExit(f"the answer to '{part}' must define {', '.join(sorted(stub_names))}; bring the answers in examples/ up to date")
        cell["source"] = f"{short[1]} = {text}" if short else text

    def insert(self, below: str, text: str, kind: str = "code") -> None:
        """A new cell of the student's own; at the end where `below` is ""."""
        number = sum("own" in cell.get("id", "") for cell in self.cells) + 1
        cell: dict[str, Any] = {"cell_type": kind, "id": f"own{number}", "metadata": {}, "source": text}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        self.cells.insert(self.at(below) + 1 if below else len(self.cells), cell)

    def drop(self, grade_ids: Iterable[str]) -> None:
        for grade_id in grade_ids:
            del self.cells[self.at(grade_id)]

    def text(self) -> str:
        return json.dumps(self.data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def first(answered: dict[str, str], questions: int) -> dict[str, str]:
    """The answers of somebody who stops after so many questions."""
    names = list(dict.fromkeys(part.rpartition("-p")[0] for part in answered))[:questions]
    return {part: text for part, text in answered.items() if part.rpartition("-p")[0] in names}


def without(answered: dict[str, str], *parts: str) -> dict[str, str]:
    return {part: text for part, text in answered.items() if part not in parts}


# ---- what became of the files ----------------------------------------------------------------------------------------


def lost_ids(n: Notebook) -> None:
    """Worked on elsewhere, where cells lose their metadata, and the checks with them."""
    for cell in n.cells:
        cell["metadata"] = {}
        del cell["id"]
    n.data["cells"] = [cell for cell in n.cells if "points are checked" not in cell["source"] and "point is checked" not in cell["source"]]
    n.data["metadata"] = {"kernelspec": {"display_name": "Python 3", "name": "python3"}}
    n.data["nbformat_minor"] = 0


def answers_at_the_end(n: Notebook) -> None:
    """The stubs stand as they were; the answers come in new cells at the end."""
    for part in ("slp-sums-and-gate-p4", "perceptron-and-gate-p2"):
        n.insert("", PERCEPTRONS[part])


def split_answer(n: Notebook) -> None:
    """One function a cell, with a look at the result in between."""
    perceptron, sigmoid = PERCEPTRONS["perceptron-step-and-sigmoid-p4"].split("\n\n\n")
    n.cells[n.at("perceptron-step-and-sigmoid-p4-answer")]["source"] = perceptron
    n.insert("perceptron-step-and-sigmoid-p4-answer", sigmoid + "\n\nsigmoid(np.array([-1000, 0, 1000]))")
    n.insert("perceptron-step-and-sigmoid-p4-answer", "perceptron([[0, 0], [1, 1]], [1, 1], -1.5)")


def conflict_in_a_cell(n: Notebook) -> None:
    theirs = PERCEPTRON_SLIPS["slp-sums-and-gate-p4"]
    n.cells[n.at("slp-sums-and-gate-p4-answer")]["source"] = f"<<<<<<< HEAD\n{PERCEPTRONS['slp-sums-and-gate-p4']}\n=======\n{theirs}\n>>>>>>> origin/main"


def checks_deleted(n: Notebook) -> None:
    """Somebody tidied up."""
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in n.cells if cell["cell_type"] == "code"]
    n.drop(name for name in ids if re.search(r"-p\d+(-hidden)?$", name))


def crashes(n: Notebook) -> None:
    n.insert("perceptron-and-gate-p3-hidden", "# trying something from a blog post\nimport ctypes\nctypes.string_at(0)")


def aborts(n: Notebook) -> None:
    n.insert("activation-functions-p4-hidden", "import os\nos.abort()   # restart kernel")


def never_ends(n: Notebook) -> None:
    n.answer("perceptron-learning-rule-p2", TRAINS_FOR_EVER)
    n.insert("perceptron-learning-rule-p2-answer", "w, b, mistakes = train_perceptron(CORNERS, XOR)\nmistakes[-5:]")


def waits_for_ever(n: Notebook) -> None:
    n.insert("activation-functions-p4-hidden", "grad = 1.0\nwhile grad != 0.1:      # how many layers until it is 0.1?\n    grad *= 0.25")


def prints_a_lot(n: Notebook) -> None:
    n.answer("perceptron-learning-rule-p2", TRAINS_AND_PRINTS)


def edits_what_is_locked(n: Notebook) -> None:
    setup = n.cells[n.at("setup")]
    setup["source"] = setup["source"].replace("[0, 1, 1, 0]", "[0, 0, 0, 1]") + "\nimport math"
    n.cells[n.at("perceptron-and-gate-p2")]["source"] = "print('All tests passed!')\n1.0"
    n.cells[n.at("slp-sums-and-gate-p1-hidden")]["source"] = "1"


def helper_below(n: Notebook) -> None:
    """Run in another order than it stands, so that everything looked fine."""
    n.answer("slp-sums-and-gate-p1", "all_sums(-2.5)")
    n.answer("slp-sums-and-gate-p2", "all_sums(-0.25)")
    n.insert("slp-sums-and-gate-p2-hidden", "def all_sums(bias):\n    return [x1 + x2 + bias for x1 in (0, 1) for x2 in (0, 1)]")
    for i, cell in enumerate(n.cells):
        if cell["cell_type"] == "code":
            cell["execution_count"] = 200 - i


def unreadable(text: str) -> str:
    """A merge conflict that was committed as it stood."""
    line = next(line for line in text.split("\n") if "blanks = " in line)
    return text.replace(line, f"<<<<<<< HEAD\n{line}\n=======\n{line.replace('feedback', 'recurrent')}\n>>>>>>> 4f2a9c1")


def same(_: Notebook) -> None:
    pass


MIXED = PERCEPTRONS | {part: PERCEPTRON_SLIPS[part] for part in ("perceptron-step-and-sigmoid-p2", "slp-sums-and-gate-p4", "perceptron-learning-rule-p3")}
CORE = {part: text for part, text in PERCEPTRONS.items() if not part.startswith("universal")}
Case = tuple[str, str, dict[str, str], Callable[[Notebook], None]]

#: student, file name (its beginning is the assignment where there is no other), answers, and what became of the notebook
CASES: dict[str, list[Case]] = {
    "perceptrons": [
        ("ada", "perceptrons", PERCEPTRONS, same),
        ("kofi", "perceptrons", {}, same),
        ("mei", "perceptrons", first(PERCEPTRONS, 4), same),
        ("tomas", "perceptrons", CORE | PERCEPTRON_SLIPS, same),
        ("priya", "perceptrons_final_FINAL", MIXED, same),
        ("jonas", "Untitled3 (1)", CORE, lost_ids),
        ("amara", "perceptrons", without(first(CORE, 5), "slp-sums-and-gate-p4", "perceptron-and-gate-p2"), answers_at_the_end),
        ("lea", "perceptrons", without(CORE, "perceptron-step-and-sigmoid-p4", "rosenblatt-vs-backprop-era-p4"), split_answer),
        ("omar", "perceptrons", first(CORE, 7), same),
        ("omar", "perceptrons-Copy1", first(CORE, 2), same),
        ("yuki", "perceptrons", MIXED, conflict_in_a_cell),
        ("noah", "perceptrons", first(CORE, 6), checks_deleted),
        ("ines", "perceptrons", CORE, never_ends),
        ("bruno", "perceptrons", first(CORE, 7), crashes),
        ("zoe", "perceptrons", without(CORE, "smallest-xor-network-p6"), prints_a_lot),
        ("hamid", "perceptrons", first(CORE, 5) | {"perceptron-and-gate-p2": PERCEPTRON_SLIPS["perceptron-and-gate-p2"]}, edits_what_is_locked),
        ("chloe", "perceptrons", first(CORE, 8), helper_below),
    ],
    "activations": [
        ("ada", "activations", ACTIVATIONS, same),
        ("kofi", "activations", first(ACTIVATIONS, 3), same),
        ("tomas", "activations", ACTIVATIONS | ACTIVATION_SLIPS, same),
        ("priya", "activations_v2", without(ACTIVATIONS, "softmax-jacobian-and-maxout-p4"), same),
        ("bruno", "activations", first(ACTIVATIONS, 6), aborts),
        ("ines", "activations", first(ACTIVATIONS, 4), waits_for_ever),
        ("mei", "activations", {}, same),
    ],
}


def main(out: Path = OUT) -> None:
    shutil.rmtree(out, ignore_errors=True)
    for assignment, cases in CASES.items():
        for student, name, answered, became in cases:
            notebook = Notebook(assignment, answered)
            became(notebook)
            write(out / student / assignment / f"{name}.ipynb", notebook.text())
    write(out / "sofia" / "perceptrons" / "perceptrons.ipynb", unreadable(Notebook("perceptrons", first(CORE, 3)).text()))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
