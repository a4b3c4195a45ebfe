"""Sentences about what a whole course does."""

from __future__ import annotations

from autogradient import visible

# ---- shards --------------------------------------------------------------------------------------
BAD_SHARD = "'{text}' is no share of the work; write 2/8 for the second of eight"
NOT_MERGED = "{file}: left out ({problem})"
NO_PLAIN_RESULT = "no plain file of at most 20 MB"
ANOTHERS_RESULT = (
    "its folder and name are those of another student, assignment or attempt, or of none"
)

# ---- submissions ---------------------------------------------------------------------------------
PICTURES_IN_IT = "[pictures in this answer: {count}; see autograded/]"
STRAY_SUBMISSION = (
    "{path}: the course has no assignment of this name, so it was not graded; move its "
    "notebook into a folder named after the assignment"
)
NO_RESULT = "{path} is no result; give a file of results/ASSIGNMENT/STUDENT.json"
NOT_GRADED = "could not be graded: {whose} ({problem}); mend that and run the same command again"
NOT_KEPT = (
    "{folder} cannot be written ({problem}), so verdicts are not kept: marks are right, the next "
    "run takes longer"
)
NOTHING_TO_VERIFY = "{path}: nothing was handed in, so there is nothing to grade again"
SUBMISSION_GONE = (
    "{folder} has no notebook with the digest {digest}… that the result was made from; put "
    "the notebook back, or grade what is there"
)
OTHER_SOURCE = (
    "the assignment '{name}' has changed since, so the verdicts may differ; check out the "
    "version that was graded"
)
OTHER_CARD = (
    "its questions for a card were judged on another machine ({gpu}), so their verdicts may differ"
)
OTHER_ENVIRONMENT = (
    "it was graded in another environment (Python, packages, locale, our version), so the "
    "verdicts may differ"
)

# ---- ledger and gradebook ------------------------------------------------------------------------
GRADEBOOK_BUSY = (
    "{file}: another program has been writing to the gradebook for {seconds:g} seconds "
    "({problem}); close it, or try again later"
)
GRADEBOOK_DAMAGED = (
    "{file} is damaged ({problem}); 'autogradient gradebook --rebuild' keeps it under another name "
    "and makes a new one from results, ledger and what can be read of hand marks in it"
)
GRADEBOOK_NOT_WRITTEN = "{file}: the gradebook cannot be read or written ({problem})"
KEPT_GRADEBOOK = "the gradebook from before is kept as {file}"
SALVAGED = "hand marks found in the damaged gradebook and taken into the ledger: {count}"
NOT_RECORDED_YET = (
    "{problem}; results are written, and what is missing in gradebook and autograded/ is brought "
    "there by the next 'autogradient grade --all'"
)
NOT_TAKEN = "marks that were given in the formgrader since the last time may be missing: {problem}"
GRADEBOOK_NOT_A_FILE = "{url}: only a gradebook in an SQLite file can be rebuilt"
NOT_RECORDED = (
    "the gradebook does not know the assignment '{assignment}'; run 'autogradient release "
    "{assignment}' first"
)
UNKNOWN_STUDENT = (
    "nobody is called '{student}', neither on grader_config/roster.csv nor in submitted/ or "
    "results/{nearest}"
)
NO_SUCH_PART = "no part of '{assignment}' is called '{part}'{nearest}"
BELOW_ZERO = (
    "nobody ends below 0: {what} of {student} stays at 0, and {lost} of the points that are "
    "taken off have no effect"
)
CALLED_NOW = "; it is called '{name}' now"
UNKNOWN_ITEM = "the rubric of '{part}' has no item '{item}' (it has: {known}){nearest}"
PART_WITHOUT_RUBRIC = "'{part}' has no rubric; give POINTS instead of --item"
ITEMS_MISSING = "the rubric of '{part}' has more items: {items}; give points for each, 0 is fine"
POINTS_AND_ITEMS = "points are added up from the items; give POINTS or --item, not both"
POINTS_OUT_OF_RANGE = (
    "'{points}' for '{what}' is not a number of points from 0 to {most} with at most two decimals"
)
NO_POINTS_HERE = "'{part}' takes comments only; its points belong to the part itself"
NOTHING_TO_MARK = "give points, items or a comment for '{part}'; --undo takes a mark back"
BAD_CHANGE = "'{points}' is not a number of points to add or take off; write 1, 0.5 or -2"
EXTENSION_TOO_EARLY = (
    "{until} is not after the deadline of '{assignment}' for {student} ({due}); nothing was written"
)
EXTENSION_WITHOUT_DEADLINE = (
    "note: '{assignment}' has no deadline in grader_config/course.toml, so the extension "
    "has no effect yet"
)
NO_CHANGE = "written; nobody's points change"
IN_THE_LEDGER_ONLY = (
    "note: this is in the ledger, but not in the gradebook yet ({problem}); 'autogradient "
    "grade --all' brings it there"
)
SHEET_EXISTS = (
    "{path} is there already and may hold marks; read it with --read and move it away, or "
    "give another folder with --out"
)
NOT_ANONYMOUS = (
    "{code}: the answer to '{part}' contains the student's {what}; look at it before the "
    "sheet is given out"
)
NOT_IN_AUTOGRADED = (
    "autograded/{student}/{assignment}/ lacks the notebook that counts; run 'autogradient "
    "grade --all' first"
)
BAD_KEY = (
    "{path} is damaged, so the codes of sheets cannot be told apart; restore it from a "
    "backup, or delete it and write the sheets anew"
)
NOT_A_CSV = "{path}: this is no CSV file in UTF-8; save the sheet as 'CSV UTF-8' and read that"
NOT_A_SHEET = (
    "{path}: row 1 is not that of a sheet; it needs the columns 'assignment' and 'part', "
    "and either 'code' or 'student'"
)
UNKNOWN_CODE = "column 'code': '{code}' is nobody's code in '{assignment}'"
OTHER_PARTS_COLUMN = "column '{column}' is not for '{part}'; leave it empty in this row"
ROW_TOO_LONG = "there are more cells than columns; put a text with separators into quotes"
ROW_INCOMPLETE = "column '{column}' is empty; fill in all of the row or none of it (0 is a mark)"
ROW_TWICE = "filled in differently in {other}"
MARKED_MEANWHILE = (
    "'{part}' was marked meanwhile by {who} ({said}); empty the row, or take that mark back "
    "with 'autogradient mark --undo'"
)
ANSWER_CHANGED = (
    "the answer to '{part}' is another one by now; empty the row and write new sheets with --split"
)
FROM_SHEET = "marked in {name}"
NOTHING_READ = "nothing was written; mend the rows and read the sheets again"
SHEETS_READ = "marks read: {new}, known already: {known}, rows not filled in: {blank}"
OVER_A_DAY = (
    "{assignment}: attempts_per_day is {count}, so attempts over that do not count: {students}"
)
NO_TIME_OF_RECEIPT = (
    "{assignment}: no time of receipt is known of {students}, so they count as on time; "
    "submitted/STUDENT/{assignment}/timestamp.txt says it"
)
HIDDEN_FOR_GOOD = (
    "{assignment}: there is no deadline, so names and hints of hidden tests are never "
    "shown; set one, or another hidden_feedback, in grader_config/course.toml"
)
EMPTY_SECTION = (
    "deadlines name the section '{section}', but nobody on grader_config/roster.csv is in "
    "it{nearest}"
)
BESIDE_ATTEMPTS = (
    "{path}: notebooks beside attempt-N/ folders are not graded; move them into a folder of "
    "their own, such as attempt-1/"
)
ATTEMPTS_BEFORE = (
    "{path}: attempts were graded before, and they count; move the notebook into the next "
    "attempt-N/, or delete {results}"
)

# ---- Gradescope ----------------------------------------------------------------------------------
GRADESCOPE_FAILED = "{name}: otter's generator could not make an autograder ({problem})"
GRADESCOPE_BONUS = ", and {points} of optional questions"
GRADESCOPE_POINTS = (
    "{points} points{bonus}; it holds the hidden tests, so keep it from students{more}"
)
GRADESCOPE_LEFT = "; it leaves out {parts}, which a person or a GPU must judge"

# names of files and the like may be anything: nothing is filled in but by `visible.Sentence`
visible.sentences(globals())
