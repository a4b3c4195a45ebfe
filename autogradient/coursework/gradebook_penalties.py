"""What late work costs, in nbgrader's own column: `late_submission_penalty` of a submitted
notebook, and the time at which it came.
"""

from __future__ import annotations

from collections.abc import Iterable

from autogradient.course.marks import Marked


def write(gradebook_url: str, assignment: str, marked: Iterable[Marked]) -> int:
    """Bring the penalties of an assignment's submissions up to date; returns how many were changed.
    Raises GradebookError.

    Submissions that the gradebook does not know are left out. What it has no place for (adjustments
    of a whole, voided parts, excuses) is not there.
    """
    from nbgrader import api
    from nbgrader.utils import parse_utc

    from autogradient.coursework.gradebook import open_gradebook

    wanted = {one.student: _penalty(one) for one in marked}
    changed = 0
    with open_gradebook(gradebook_url) as book:
        query = book.db.query(api.SubmittedNotebook, api.SubmittedAssignment).join(
            api.SubmittedAssignment,
            api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id,
        )
        query = query.join(
            api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id
        ).filter(api.Assignment.name == assignment)
        for notebook, submission in query:
            if submission.student_id not in wanted:
                continue
            penalty, received_at = wanted[submission.student_id]
            came = parse_utc(received_at) if received_at else submission.timestamp
            if (notebook.late_submission_penalty, submission.timestamp) != (penalty, came):
                notebook.late_submission_penalty, submission.timestamp = penalty, came
                changed += 1
        book.db.commit()
    return changed


def _penalty(one: Marked) -> tuple[float | None, str | None]:
    late = one.late if one.excused is None else None
    return float(
        late.points
    ) if late is not None and late.points else None, one.submission.received_at
