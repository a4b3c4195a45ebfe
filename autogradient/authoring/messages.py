"""What authors read while tests run where they stand. As `errors`, for one subject."""

from __future__ import annotations

from autogradient import visible

CELL_MISTAKE = "line {line}: {message}"
CASES_FAIL = "the answer above fails {failing} of {of} cases: {which}"
ANSWER_FAILS = "the answer of '{part}' does not pass its own check: {problem}"
ANSWER_NOT_RUN = (
    "no answer cell of '{part}' has been run in this session, and it comes first{nearest}"
)
TESTS_END = "the tests cell of '{part}' ends with {error} before any case is run"
TESTS_NOT_RUN = "no tests cell of '{part}' has been run in this session, and it comes first"
ONLY_IN_NOTEBOOK = (
    "'{name}' comes from none of the setup, helpers, given and tests cells run so far; run "
    "its cell again, or make it a parameter if it is the student's"
)

# names of files and the like may be anything: nothing is filled in but by `visible.Sentence`
visible.sentences(globals())
