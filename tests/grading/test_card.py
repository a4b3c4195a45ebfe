"""Questions that need an NVIDIA card: how they are judged, what a session with a card may do, what
a receipt says of it. Without one the machine pretends.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import homework
import pytest
import torch
from confined import World, both, world
from homework import ANSWERS, Notebook

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.coursework import grade_course, regrade
from autogradient.grading import batch, judge
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.run_cells import Beginnings
from autogradient.model.assignment import Assignment
from autogradient.model.result import ON_GPU, Result, SubmissionInfo
from autogradient.sandbox import card, confine
from autogradient.sources.source import load

__all__ = ["world"]

real = pytest.mark.skipif(
    not (card.is_there() and torch.cuda.is_available()),
    reason="needs an NVIDIA card and a torch with CUDA",
)
MODEL = "Pretender 9; NVRM version 1"


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gives this machine a card of some model, or takes it away."""

    def have(model: str) -> None:
        for module in (judge, batch, regrade):
            monkeypatch.setattr(module, "has_gpu", lambda: bool(model))
            monkeypatch.setattr(module, "gpu", lambda: model)

    have(MODEL)
    yield have


def small(folder: Path, *questions: str) -> Assignment:
    """The small assignment, in which some questions need a card; that their tests do without,
    nobody knows.
    """
    path = homework.write_source(folder)
    for question in questions or ("double", "scale"):
        before = f"<!--| question: {question} -->"
        assert before in path.read_text()
        path.write_text(
            path.read_text().replace(before, f"<!--| question: {question}, needs: cuda -->")
        )
    return load(path)


def graded(assignment: Assignment, notebook: Notebook, engine: Engine, **options: Any) -> Result:
    return grade_bytes(
        assignment,
        notebook.bytes(),
        "small.ipynb",
        engine,
        SubmissionInfo(students=["ada"]),
        **options,
    ).result


def earned(result: Result) -> dict[str, float]:
    return {part.id: float(part.earned) for part in result.parts}


FULL = {"double": 2, "total": 1, "scale": 2, "pick": 1, "why": 0}


# ---- grading -------------------------------------------------------------------------------------


def test_what_needs_a_card_is_judged_in_the_second_pass(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    assignment = small(tmp_path)
    result = graded(assignment, Notebook(assignment), engine)
    assert earned(result) == FULL and result.replayed
    pretended("")
    without = graded(assignment, Notebook(assignment), engine)
    assert earned(without) == FULL | {"double": 0, "scale": 0} and not without.replayed
    assert {
        case.reason
        for part in without.parts
        if part.id in ("double", "scale")
        for case in part.cases
    } == {ON_GPU}
    assert without.points.possible == result.points.possible and without.points.ungraded == 4 + 2


def test_after_a_failure_the_next_part_gets_a_process_of_its_own(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    """As after an illegal access on a card, which ends all use of it in that process."""
    assignment = small(tmp_path)
    spoils = (
        "spoilt = []\ndef double(x):\n    spoilt.append(x)\n    raise RuntimeError('an "
        "illegal memory access was encountered')"
    )
    suffers = (
        "def scale(x):\n    if spoilt:\n        raise RuntimeError('an illegal memory "
        "access was encountered')\n    return np.asarray(x) / sum(x)"
    )
    result = graded(
        assignment, Notebook(assignment, ANSWERS | {"double": spoils, "scale": suffers}), engine
    )
    assert earned(result) == FULL | {"double": 0}


def test_without_a_failure_the_process_is_the_same(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    assignment = small(tmp_path)
    remembers = "calls = []\ndef double(x):\n    calls.append(x)\n    return 2 * np.asarray(x)"
    asks = "def scale(x):\n    return np.asarray(x) / sum(x) if calls else None"
    assert (
        earned(
            graded(
                assignment,
                Notebook(assignment, ANSWERS | {"double": remembers, "scale": asks}),
                engine,
            )
        )
        == FULL
    )


def test_one_that_dies_costs_itself(tmp_path: Path, engine: Engine, pretended: Any) -> None:
    assignment = small(tmp_path)
    dies = "import os\ndef double(x):\n    os._exit(1)"
    assert earned(
        graded(assignment, Notebook(assignment, ANSWERS | {"double": dies}), engine)
    ) == FULL | {"double": 0}


def test_cells_are_shown_as_they_ran_before_any_test(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    assignment = small(tmp_path)
    notebook = Notebook(
        assignment,
        ANSWERS
        | {"double": "seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * np.asarray(x)"},
    )
    notebook.insert("scale-hidden", "print(seen)")
    found = grade_bytes(
        assignment, notebook.bytes(), "small.ipynb", engine, SubmissionInfo(students=["ada"])
    )
    assert earned(found.result) == FULL and found.notebook
    shown = [cell for cell in found.notebook["cells"] if cell["source"] == "print(seen)"]
    assert [output["text"] for output in shown[0]["outputs"]] == ["[]\n"]


def test_one_submission_at_a_time_uses_the_card(
    tmp_path: Path, engine: Engine, pretended: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = handed_in(tmp_path)
    for student in ("bob", "cyd", "dan"):
        path = here.submitted / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        notebook = Notebook(here.assignment("small"))
        notebook.insert("", f"# {student}")
        path.write_bytes(notebook.bytes())
    using, most = [], list[int]()
    begin, end = Beginnings.__enter__, Beginnings.__exit__

    def entered(self: Beginnings) -> Beginnings:
        if self.card:
            using.append(self)
            most.append(len(using))
        return begin(self)

    def left(self: Beginnings, *error: object) -> None:
        if self in using and error:
            using.remove(self)
        end(self, *error)

    monkeypatch.setattr(Beginnings, "__enter__", entered)
    monkeypatch.setattr(Beginnings, "__exit__", left)
    assert grade_course.grade_course(here, [here.assignment("small")], Local(engine, 3)).new == 4
    assert len(most) == 2 * 4 and max(most) == 1


# ---- receipts ------------------------------------------------------------------------------------


def handed_in(root: Path) -> Course:
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small"]\n'
    )
    assignment = small(root / "source", "double")
    path = root / "submitted" / "ada" / "small" / "small.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(Notebook(assignment).bytes())
    return config.load(root)


def new(here: Course, engine: Engine, needed: bool | None = None) -> int:
    """How many submissions had to be graded."""
    return grade_course.grade_course(
        here, [here.assignment("small")], Local(engine, 1, card=needed)
    ).new


def test_another_card_grades_again_and_none_does_not(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    here = handed_in(tmp_path)
    path = here.results / "small" / "ada.json"
    assert new(here, engine) == 1 and new(here, engine) == 0
    receipt = Result.from_json(path.read_bytes()).receipt
    assert receipt.gpu == MODEL and receipt.card and receipt.environment not in ("", receipt.card)
    pretended("")
    assert new(here, engine) == 0, "a machine without a card has nothing to add"
    pretended("Another 10")
    assert new(here, engine, needed=False) == 0 and new(here, engine) == 1
    assert Result.from_json(path.read_bytes()).receipt.gpu == "Another 10"


def test_verify_says_where_a_card_is_missing(
    tmp_path: Path, engine: Engine, pretended: Any
) -> None:
    here = handed_in(tmp_path)
    new(here, engine)
    path = here.results / "small" / "ada.json"
    assert regrade.verify(here, path, engine) == regrade.Verified(True, [])
    pretended("")
    verified = regrade.verify(here, path, engine)
    assert verified.same is None and MODEL in verified.sentences[0]


# ---- the session ---------------------------------------------------------------------------------


def reserve_much() -> list[bool]:
    """Addresses without memory behind them (MAP_NORESERVE), and then memory."""
    had = []
    for size, protection in (
        (1 << 40, 0),
        ((confine._CUDA_MB + 1024) << 20, mmap.PROT_READ | mmap.PROT_WRITE),
    ):
        try:
            mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, protection).close()
            had.append(True)
        except (OSError, MemoryError):
            had.append(False)
    return had


@both
def test_with_a_card_addresses_are_free_and_memory_is_bounded(world: World) -> None:
    # what the interpreter reserves is no memory either
    with mmap.mmap(-1, 8 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, 0):
        assert world.run(reserve_much, card=True).value == [True, False]
    assert world.run(reserve_much).value == [False, False]


@both
def test_only_a_session_with_a_card_sees_its_device_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "devices", lambda: ["tty"])

    def there() -> bool:
        return os.path.exists("/dev/tty")

    assert world.run(there, card=True).value is True
    assert world.run(there).value is False


@real
@both
def test_a_session_with_a_card_can_use_it(world: World) -> None:
    def work() -> Any:
        x = torch.arange(10.0, device="cuda")
        torch.cuda.synchronize()
        return [float((x * x).sum()), torch.cuda.get_device_name()]

    came = world.run(work, card=True)
    assert came.ok and came.value[0] == 285, came.text
    assert card.describe().split(";")[0] in (came.value[1], f"NVIDIA {came.value[1]}")
    assert not world.run(lambda: torch.cuda.is_available()).value


@real
def test_a_tensor_on_the_card_reaches_a_test(tmp_path: Path, engine: Engine) -> None:
    assignment = small(tmp_path, "double")
    on_card = "import torch\ndef double(x):\n    return 2 * torch.as_tensor(x, device='cuda')"
    assert (
        earned(graded(assignment, Notebook(assignment, ANSWERS | {"double": on_card}), engine))
        == FULL
    )
