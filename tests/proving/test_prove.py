"""An assignment against its own answers: what is proved, which weakness is found out, and the file
that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_source import CODE, ESSAY, HEAD, TEXT, changed, new_course, read, write

from autogradient.coursework import release_course
from autogradient.errors import ProofError
from autogradient.grading import judge
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.proving.findings import Proof
from autogradient.proving.proofs import (
    proof_path,
    proved_here,
    read_proof,
    require_proof,
    write_proof,
)
from autogradient.proving.prove import prove
from autogradient.sources import source

EQUIVALENT = CODE[CODE.index("# %%\n#| equivalent") : CODE.index("# %% [markdown]\n# <!--| hint")]
ASSERT = "    assert [and_gate(a, b) for a, b in corners()] == [0, 0, 0, 1]\n"
#: Nothing lies undecided on the line, so that no mutant has to be excused.
PINNED = [(EQUIVALENT, ""), (ASSERT, ASSERT + "    assert and_gate(0.5, 1) == 0\n")]
GATE = changed(*PINNED, text=HEAD + CODE)
HIDDEN = "    assert and_gate(1 + low, 1 + high) == 1 and and_gate(low, 1 + high) == 0\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield


def proof(engine: Engine, *changes: tuple[str, str], text: str = GATE) -> dict[str, Any]:
    """The proof of the gate with something changed, as `prove --json` prints it."""
    return prove(read(changed(*changes, text=text)), engine).to_dict()


def test_a_good_assignment_is_proved(engine: Engine) -> None:
    steps: list[tuple[int, int]] = []
    found = prove(
        read(changed(*PINNED)), engine, progress=lambda done, of: steps.append((done, of))
    )
    assert found.to_dict() == {
        "assignment": "gates",
        "proved": True,
        "reference": {"earned": 11.5, "possible": 11.5},
        "blank": {"earned": 0, "possible": 11.5},
        "right": {"full": 1, "of": 1, "missed": []},
        "wrong": {"caught": 9, "of": 9, "missed": []},
        "mutants": {"killed": 6, "of": 6, "equivalent": 0, "survived": []},
        "hostile": {"refused": 14, "of": 14, "accepted": []},
        "boundary": {"alike": 8, "of": 8, "differ": []},
        "remarks": [],
        "not_run": [],
    }
    assert steps[-1] == (30, 30) and steps == sorted(steps)


def test_a_weak_test_lets_mutants_live_and_misses_wrong_answers(engine: Engine) -> None:
    found = proof(
        engine,
        (ASSERT + "    assert and_gate(0.5, 1) == 0\n", "    assert and_gate(1, 1) == 1\n"),
        (HIDDEN, "    assert and_gate(0, 0) == 0\n"),
    )
    assert not found["proved"]
    assert found["wrong"] == {
        "caught": 0,
        "of": 1,
        "missed": ["and-gate: it fires when either input is 1 (earns 3 of 3)"],
    }
    assert found["mutants"]["survived"] == [
        "and-gate: return int(a + b - 1.5 > 0)  \u2192  return int(a + b - 0.75 > 0)",
        "and-gate: return int(a + b - 1.5 > 0)  \u2192  return int(a + b - 1.5 >= 0)",
    ]
    assert found["reference"]["earned"] == 3 and found["remarks"] == []


def test_a_test_that_cannot_cross_is_named_with_its_line_and_what_to_do(engine: Engine) -> None:
    found = proof(
        engine, (ASSERT, ASSERT + "    assert and_gate.__globals__['__name__'] == '__main__'\n")
    )
    assert not found["proved"] and found["boundary"]["alike"] < found["boundary"]["of"]
    (sentence,) = [
        sentence for sentence in found["boundary"]["differ"] if "the reference" in sentence
    ]
    assert sentence == (
        "and-gate: test_truth_table passes in a plain notebook and fails sealed (the reference) "
        "in 'assert and_gate.__globals__['__name__'] == '__main__'': "
        "'__globals__' of an object of type and_gate cannot be seen from a test; look at it, or "
        "change it, in a @probe function"
    )


def test_hostile_returns_are_found_out(engine: Engine) -> None:
    found = proof(
        engine,
        (
            ASSERT + "    assert and_gate(0.5, 1) == 0\n",
            "    assert not np.any(np.asarray(and_gate(1, 1), dtype=float) < 1)\n",
        ),
    )
    assert not found["proved"] and found["hostile"]["refused"] < 14
    assert {
        "and-gate: NaN from and_gate (earns 1 of 3)",
        "and-gate: None from and_gate (earns 1 of 3)",
        "and-gate: an empty array from and_gate (earns 1 of 3)",
        "and-gate: an empty list from and_gate (earns 1 of 3)",
        "and-gate: infinity from and_gate (earns 1 of 3)",
    } <= set(found["hostile"]["accepted"])


#: Returns that are made of the right answer, each with a test that it gets past, and one that it
#: does not: `got` are the steps from number to number of `x`, `wanted` what they should be.
SHAPED = {
    "an empty array over the right shape": (
        "np.allclose(got, wanted)",
        "got.shape == wanted.shape and np.allclose(got, wanted)",
    ),
    "a Series of NaN": (
        "got.shape == wanted.shape and np.abs(got - wanted).sum() < 1e-9",
        "got.shape == wanted.shape and np.abs(np.asarray(got) - wanted).sum() < 1e-9",
    ),
    "an object array of NaN": (
        "got.shape == wanted.shape and not (np.abs(got - wanted) > 1e-9).any()",
        "got.shape == wanted.shape and bool((np.abs(got - wanted) < 1e-9).all())",
    ),
    "one number for a whole array": (
        "np.asarray(got).size and np.allclose(got, wanted[0])",
        "np.asarray(got).shape == wanted.shape and np.allclose(got, wanted)",
    ),
}


def steps(number: int, assertion: str) -> str:
    """A question with one test for the steps from number to number, which are all alike."""
    return f"""
# %% [markdown]
# <!--| question: steps-{number}, level: E, minutes: 1 -->
# **Steps.** From each number to the next.

# %%
#| answer: steps-{number}
def steps_{number}(x):
    ### BEGIN SOLUTION
    return np.diff(x)
    ### END SOLUTION

# %%
#| tests: steps-{number}
@test_case(points=1)
def test_steps(steps_{number}):
    got, wanted = steps_{number}(np.array([1.0, 4.0, 7.0, 10.0, 13.0])), np.full(4, 3.0)
    assert {assertion}
"""


@pytest.mark.parametrize("strong", [False, True])
def test_returns_made_of_the_right_answer_are_found_out(engine: Engine, strong: bool) -> None:
    head = changed(("import numpy as np\n", "import numpy as np\nimport pandas as pd\n"), text=HEAD)
    questions = [steps(n, tests[strong]) for n, tests in enumerate(SHAPED.values())]
    found = prove(read(head + "".join(questions)), engine).to_dict()
    sentences = {
        f"steps-{number}: {name} from steps_{number} (earns 1 of 1)"
        for number, name in enumerate(SHAPED)
    }
    assert found["proved"] is strong and found["remarks"] == []
    assert found["hostile"]["of"] == 14 * len(SHAPED)
    if strong:
        assert found["hostile"]["accepted"] == []
    else:
        assert sentences <= set(found["hostile"]["accepted"])


def test_a_stub_that_earns_is_found_out(engine: Engine) -> None:
    found = proof(
        engine, (ASSERT + "    assert and_gate(0.5, 1) == 0\n", "    assert and_gate(0, 0) != 1\n")
    )
    assert not found["proved"]
    assert found["blank"] == {"earned": 1, "possible": 3}
    assert found["remarks"] == ["and-gate: the untouched stub earns 1 of 3 points"]


def test_a_right_answer_must_get_full_marks(engine: Engine) -> None:
    found = proof(engine, ("return int(min(a, b) > 0.5)", "return min(a, b) > 0.999"))
    assert not found["proved"] and found["right"] == {
        "full": 0,
        "of": 1,
        "missed": ["and-gate: the least of the two decides (earns 1 of 3)"],
    }


@pytest.mark.parametrize(("earns", "caught"), [("0", 1), ("1", 0), ("2", 0)])
def test_what_a_wrong_answer_may_earn_is_exact(engine: Engine, earns: str, caught: int) -> None:
    found = proof(engine, ("#| because: it fires", f"#| earns: {earns}\n#| because: it fires"))
    assert found["wrong"]["caught"] == caught and found["proved"] is bool(caught)


def test_a_reference_that_fails_is_named_with_its_error(engine: Engine) -> None:
    found = proof(
        engine,
        ("    assert and_gate(0.5, 1) == 0\n", "    assert and_gate(0.5, 1) == 1, 'nearly'\n"),
    )
    assert not found["proved"] and found["reference"] == {"earned": 2, "possible": 3}
    assert found["remarks"] == [
        "and-gate: the reference does not pass 'truth table' (failed) AssertionError: nearly"
    ]


def test_a_reference_cell_that_raises_is_named(engine: Engine) -> None:
    found = proof(
        engine,
        (
            "rng = np.random.default_rng(seed)\n",
            "rng = np.random.default_rng(seed)\nassert seed == 1\n",
        ),
    )
    assert not found["proved"]
    assert any(
        remark.startswith("the reference's cell and-gate ends with error: AssertionError")
        for remark in found["remarks"]
    )


def test_equivalent_mutants_are_counted_and_must_be_few(engine: Engine) -> None:
    found = proof(engine, text=HEAD + CODE)
    assert found["mutants"] == {"killed": 5, "of": 5, "equivalent": 1, "survived": []}
    assert not found["proved"]
    assert found["remarks"] == [
        "1 of 6 mutants are declared equivalent, more than 10 in a hundred; test what they change"
    ]


def test_an_equivalent_that_is_no_mutant_is_named(engine: Engine) -> None:
    found = proof(
        engine,
        ("#| to: return int(a + b - 1.5 >= 0)", "#| to: return int(a + b - 1.5 > 0.0)"),
        text=HEAD + CODE,
    )
    assert (
        "and-gate: no mutant is 'return int(a + b - 1.5 > 0)' \u2192 'return int(a + b - "
        "1.5 > 0.0)'; remove the equivalent cell or correct it" in found["remarks"]
    )


# ---- the proof file ------------------------------------------------------------------------------


def test_a_proof_is_the_same_every_time_and_holds_no_times(engine: Engine, tmp_path: Path) -> None:
    written = []
    for jobs in (1, 3):
        assignment = source.load(
            write(tmp_path / str(jobs), changed(*PINNED, text=HEAD + CODE + ESSAY))
        )
        write_proof(assignment, prove(assignment, engine, jobs=jobs))
        written.append(proof_path(assignment).read_text(encoding="utf-8"))
    assert written[0] == written[1]
    content = json.loads(written[0])
    assert content["digest"] == assignment.digest and content["reference"] == {
        "earned": 5,
        "possible": 5,
    }
    assert set(content) == {
        "digest",
        "assignment",
        "proved",
        "reference",
        "blank",
        "right",
        "wrong",
        "mutants",
        "hostile",
        "boundary",
        "remarks",
        "not_run",
    }
    assert not re.search(r"second|date\b|\bhost\b|\btime|/tmp", written[0])


def with_proof(folder: Path, *, proved: bool = True, text: str = TEXT) -> Assignment:
    """The small source on disk with a proof file that was not earned."""
    assignment = source.load(write(folder, text), seed=2026)
    made = Proof(assignment.name, assignment.digest)
    if not proved:
        made.remarks.append("no")
    write_proof(assignment, made)
    return assignment


ON_CARD = (
    "question: and-gate, level: E, minutes: 10",
    "question: and-gate, level: E, minutes: 10, needs: cuda",
)


def test_without_a_card_the_proof_is_of_the_rest_and_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ("    return int(a + b - 1.5 > 0)", "    return int(a + b - 0.5 > 0)")
    for changes, has_card, proved in (
        ((), False, True),
        ((broken,), False, True),
        ((), True, True),
        ((broken,), True, False),
    ):
        monkeypatch.setattr(judge, "has_gpu", lambda has_card=has_card: has_card)
        found = prove(read(changed(*PINNED, ON_CARD, *changes)), engine).to_dict()
        assert found["proved"] is proved
        assert found["not_run"] == ([] if has_card else ["and-gate"])
        assert (
            found["reference"]["possible"]
            == found["blank"]["possible"]
            == (11.5 if has_card else 8.5)
        )
        assert found["mutants"]["of"] == (6 if has_card else 0) and found["blank"]["earned"] == 0


def test_a_card_completes_a_proof_and_nothing_takes_that_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = source.load(write(tmp_path), seed=2026)
    part, whole = (
        Proof(assignment.name, assignment.digest, not_run=["and-gate"]),
        Proof(assignment.name, assignment.digest),
    )
    write_proof(assignment, part)
    require_proof(assignment)
    monkeypatch.setattr(judge, "has_gpu", lambda: True)
    assert not proved_here(assignment), "here the rest can be proved"
    write_proof(assignment, whole)
    assert proved_here(assignment)

    monkeypatch.setattr(judge, "has_gpu", lambda: False)
    write_proof(assignment, part)
    assert (read_proof(assignment) or {})["not_run"] == [] and proved_here(assignment)
    part.remarks.append("no")
    write_proof(assignment, part)
    assert (read_proof(assignment) or {})["proved"] is False, "what is found wrong is not kept back"


def test_a_release_needs_a_proof_of_just_this_version(tmp_path: Path) -> None:
    missing = source.load(write(tmp_path / "missing"))
    with pytest.raises(ProofError) as caught:
        require_proof(missing)
    assert str(caught.value) == "gates has no proof; run 'autogradient prove gates'"

    fine = with_proof(tmp_path / "fine")
    require_proof(fine)
    assert proved_here(fine)

    prose = source.load(
        write(tmp_path / "fine", changed(("Draw the four corners.", "Draw them."))), seed=2026
    )
    require_proof(prose)
    older = source.load(write(tmp_path / "fine", changed(("points=2", "points=4"))), seed=2026)
    with pytest.raises(ProofError) as caught:
        require_proof(older)
    assert (
        str(caught.value)
        == "the proof of gates is of another version of it; run 'autogradient prove gates'"
    )
    assert not proved_here(older)

    failed = with_proof(tmp_path / "failed", proved=False)
    with pytest.raises(ProofError) as caught:
        require_proof(failed)
    assert str(caught.value) == "gates is not proved; run 'autogradient prove gates' to see why"
    assert not proved_here(failed)


def test_a_proof_from_another_machine_is_believed_by_release_but_tried_again_by_prove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = with_proof(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    require_proof(assignment)
    assert not proved_here(assignment)


def test_a_damaged_proof_file_is_no_proof(tmp_path: Path) -> None:
    assignment = with_proof(tmp_path)
    proof_path(assignment).write_text("{", encoding="utf-8")
    assert read_proof(assignment) is None
    with pytest.raises(ProofError):
        require_proof(assignment)


def test_release_asks_for_the_proof(tmp_path: Path) -> None:
    course = new_course(tmp_path / "course")
    assignment = course.assignment("gates")
    with pytest.raises(ProofError, match="gates has no proof"):
        release_course.write_release(course, assignment)
    assert not course.released("gates").exists()
    write_proof(assignment, Proof(assignment.name, assignment.digest))
    assert release_course.write_release(course, assignment) is True
    assert (course.released("gates") / "gates.ipynb").is_file() and not (
        course.released("gates") / "proof.json"
    ).exists()
    assert release_course.write_release(course, assignment) is False


def test_an_author_may_look_at_a_release_before_it_is_proved(tmp_path: Path) -> None:
    course = new_course(tmp_path / "course")
    assert release_course.write_release(course, course.assignment("gates"), unproved=True) is True
