"""The reference's values of short answers, which a student's are compared with: written down in the
source, or computed by the reference's notebook, once for each version of the assignment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from autogradient import errors
from autogradient.grading.engine import Engine
from autogradient.grading.run_cells import Beginnings, Runs, TimeBudget, run_steps
from autogradient.grading.submission import plan_release
from autogradient.model import answer_kind
from autogradient.model.assignment import Assignment, Part
from autogradient.model.files import keep_cached, read_cached
from autogradient.wire import codec


def expected_answers(assignment: Assignment, engine: Engine) -> dict[str, Any]:
    """The reference's value of every short answer, those that must be computed by this engine. See
    `known_answers`.
    """
    return known_answers(
        assignment, lambda computed: computed_answers(assignment, computed, engine)
    )


def known_answers(
    assignment: Assignment, compute: Callable[[list[Part]], dict[str, Any]]
) -> dict[str, Any]:
    """The reference's value of every short answer. Those that must be computed are, once per
    version of the assignment, and kept in the user's cache.
    """
    short = [part for part in assignment.parts if part.by_value]
    values = {part.id: answer_kind.literal_answer(part) for part in short}
    computed = [part for part in short if values[part.id] is ...]
    if not computed:
        return values
    place = "expected", assignment.digest.removeprefix("sha256:")
    kept = read_cached(*place)
    if kept is not None:
        with contextlib.suppress(codec.BadFrame, TypeError):
            return values | codec.decode(kept)
    found = compute(computed)
    keep_cached(codec.encode(found), *place)
    return values | found


def computed_answers(
    assignment: Assignment, computed: list[Part], engine: Engine
) -> dict[str, Any]:
    """The reference's values of some short answers: its notebook is run up to the last of them."""
    steps = plan_release(assignment, assignment.reference)
    wanted = {part.id for part in computed}
    last = max(i for i, step in enumerate(steps) if step.do == "part" and step.part in wanted)
    with Beginnings(engine, assignment, 1) as beginnings:
        snapshots = run_steps(
            assignment,
            beginnings.begin,
            steps[: last + 1],
            wanted,
            Runs(),
            TimeBudget(assignment.limits.submission_s),
        )
    values = {}
    for part in computed:
        found = (snapshots[part.id].value or {}).get("value")
        if not isinstance(found, bytes):
            raise errors.ProofError(
                f"{assignment.name}: the reference's answer to '{part.id}' has no plain "
                "value; look at its cell"
            )
        values[part.id] = codec.decode(found)  # the instructor's own
    return values
