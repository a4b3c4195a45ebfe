"""Sentences about instructor notebooks and what is made of them."""

from __future__ import annotations

from autogradient import visible

# ---- sources -------------------------------------------------------------------------------------
UNKNOWN_KEY = "unknown key '{key}' for a cell with the role '{role}'{nearest}"
UNKNOWN_ROLE = "unknown role '{role}' (the first key of a directive names the cell's role){nearest}"
UNKNOWN_PART = "'{role}: {part}' names a part that has no answer cell{nearest}"
REPEATED_KEY = "the key '{key}' is given twice; keep one"
NO_COLON = "'{text}' is no 'key: value' pair; write '#| key: value'"
BAD_YAML = "the value of '{key}' is not valid YAML ({problem}); put it in quotes"
MISPLACED = (
    "a directive stands below other lines; move it to the top of its cell (a cell marker "
    "written '# %%x', without its space, swallows the cell into the one before it)"
)
OTHER_STYLE = (
    "'{got}' is no directive in a {kind} cell; write '{expected}', or change the cell's type"
)
WRONG_CELL_TYPE = "a '{role}' cell is a {expected} cell; this one is {got}"
REPEATED_ID = "the id '{id}' is used twice (first in cell {first}); ids are permanent and unique"
BAD_ID = "'{id}' is no valid id; use small letters, digits and hyphens, beginning with a letter"
RESERVED_ID = "'{id}' ends in a reserved suffix ({suffix}); choose another id"
RESERVED_WORD = "'{id}' is the name of a cell that every release has; choose another id"
BAD_PART = (
    "part '{part}' must be called '{question}' or '{question}-p1', '{question}-p2', … like "
    "its question"
)
PART_NUMBERS = "the parts of question '{question}' are numbered {got}; number them {expected}"
NO_QUESTION = (
    "part '{part}' has no question: put a cell '<!--| question: {question}, … -->' above it"
)
NO_PARTS = "question '{question}' has no answer cell; add one or remove the question"
NO_TESTS = "code part '{part}' has no tests cell; add '#| tests: {part}' with at least one case"
SHORT_WITH_TESTS = (
    "'{part}' is a {kind} answer, and its checks are made from its declaration; remove this "
    "tests cell, or make the answer code"
)
NO_SOLUTION = (
    "the answer of '{part}' has no solution; write 'name = value  # SOLUTION' or ### BEGIN "
    "SOLUTION … ### END SOLUTION"
)
SOLUTION_LINE = (
    "'# SOLUTION' marks one line 'name = value'; put other lines between ### BEGIN SOLUTION "
    "and ### END SOLUTION"
)
NO_ASSIGNMENT = "the answer of '{part}' must be one line 'name = value  # SOLUTION'"
UNCLOSED_SOLUTION = "### BEGIN SOLUTION without ### END SOLUTION"
UNOPENED_SOLUTION = "### END SOLUTION without ### BEGIN SOLUTION"
BAD_KIND = "unknown kind '{kind}'{nearest}"
POINTS_SUM = "the points of part '{part}' are {declared}, but its cases add up to {sum}"
NO_POINTS = "part '{part}' needs 'points'"
BAD_LEVEL = "level '{level}' is none of E, M, H"
BAD_MINUTES = "minutes '{minutes}' is no positive number"
BAD_NEEDS = "'needs: {needs}' is not known; use cuda or cpp"
BAD_WAS = (
    "'was: {was}' is no id that a question can have had; write its old id, or ASSIGNMENT/ID "
    "where it stood in another assignment"
)
BAD_OPTIONAL = "'optional: {optional}' is neither true nor false"
BAD_TOLERANCE = "tol '{tol}' of '{part}' is neither a number ('1e-3') nor a percentage ('0.1%')"
BAD_INPUTS = (
    "'inputs' of '{part}' is no Python expression ({problem}); write the arguments as a "
    "tuple, such as '(secret.normal(),)'"
)
KEY_NOT_FOR_KIND = "the key '{key}' means nothing to '{part}', whose kind is {kind}; remove it"
SLIPS_NOT_LISTED = (
    "'because' of '{part}' must list wrong answers: 'because: {{\"value\": \"the slip\"}}'"
)
RUBRIC_SUM = "the points of part '{part}' are {declared}, but its rubric adds up to {sum}"
RUBRIC_ITEM = "'{text}' is no rubric item; write '- [2] short-name: what it takes'"
RUBRIC_EMPTY = "the rubric of '{part}' has no items; write '- [1] short-name: what it takes'"
NO_RUBRIC = "essay '{part}' has no rubric; add a cell '<!--| rubric: {part} -->'"
NO_BECAUSE = "a {role} cell needs 'because: …', which names {what}"
BAD_EARNS = "'earns: {earns}' is not a number of points below the {points} of part '{part}'"
NOT_FOR_KIND = "a '{role}' cell means nothing to '{part}', whose kind is {kind}; remove it"
NO_EQUIVALENT = "an equivalent cell needs 'from', 'to' and 'because'"
NO_FRONT_MATTER = (
    "the notebook's metadata has no 'autogradient' section; run 'autogradient new NAME' for "
    "a notebook to start from"
)
BAD_FORMAT = "format {format} is not known; this version reads format 1"
BAD_FRONT_KEY = "unknown key '{key}' in the front matter{nearest}"
BAD_TITLE = (
    "the first heading is '{heading}', but the front matter's title is '{title}'; make them equal"
)
NO_TITLE = "the front matter has no 'title'"
BAD_FRONT_VALUE = "'{key}' in the front matter must be {expected}"
BAD_LIMIT = "limit '{key}: {value}' must be a positive number"
DUPLICATE_NAME = (
    "'{name}' is already the answer of '{other}'; give each short answer a name of its own"
)
OPTIONAL_ORDER = (
    "question '{question}' is not optional but stands after an optional one; move optional "
    "questions to the end"
)
NOT_A_SOURCE = "{path}: neither an instructor notebook (.py or .ipynb) nor a folder with one"

# ---- course, release, proof ----------------------------------------------------------------------
EXISTS = "{path} exists already; choose another name"
LEAK_LINE = "{file}: {place} contains {what} from cell {cell} ({role}): {excerpt!r}"

# ---- nbgrader notebooks and otter folders --------------------------------------------------------
FOREIGN_UNREADABLE = (
    "this file is no notebook that JupyterLab could open ({problem}); open it there, repair "
    "it and save it again"
)
FOREIGN_NOT_PYTHON = (
    "the notebook is written in {language}, and only Python can be graded; choose a Python kernel"
)
FOREIGN_TOO_MUCH = (
    "{folder} holds more than {limit} beside the assignment, and all of it would go along "
    "to be graded; give the assignment a folder of its own"
)
FOREIGN_RELEASE = (
    "{path} is what students get, without the hidden tests; name the instructor's notebook instead"
)
NB_NO_ID = "this cell has no grade_id; give it one in JupyterLab's 'Create Assignment' panel"
NB_REPEATED_ID = (
    "the grade_id '{id}' is used twice (first in cell {first}); change one in JupyterLab's "
    "'Create Assignment' panel"
)
NB_NO_POINTS = "'{id}' has no points; set them in JupyterLab's 'Create Assignment' panel"
NB_BAD_POINTS = "'{points}' is no number of points for '{id}'; use a number that is 0 or more"
NB_NO_ANSWER = (
    "the {got} cell '{id}' has points but nobody can answer in it; make it a 'Manually "
    "graded answer' or a 'Read-only' cell"
)
NB_NO_MARKS = (
    "the {got} cell '{id}' takes an answer that nothing marks; make it a 'Manually graded answer'"
)
NB_TASK_TYPE = "the task '{id}' is a {got} cell; tasks are Markdown cells"
NB_TOO_NEW = (
    "the nbgrader metadata is of schema {version}; this version reads 1 to {newest}, so "
    "update nbgrader and autogradient"
)
NB_BAD_METADATA = (
    "the nbgrader metadata is damaged ({problem}); choose the cell's type again in "
    "JupyterLab's 'Create Assignment' panel"
)
NB_UNCLOSED = "### BEGIN {what} without ### END {what}; add the missing line"
NB_UNOPENED = "### END {what} without ### BEGIN {what}; add the missing line"
NB_NESTED = "### BEGIN {what} stands twice before ### END {what}; regions cannot be nested"
NB_MISPLACED = (
    "{what} stand in a cell that is not {expected}, where nbgrader would not look for them; "
    "change the cell's type or remove the marker lines"
)
NB_AUTOTEST = (
    "'{marker}' is filled in by running the solutions; run 'nbgrader generate_assignment' "
    "and use the notebook it makes"
)
OTTER_TWO_NOTEBOOKS = "{names} stand beside tests/; keep one notebook there"
OTTER_NOT_TEXT = "this file is not UTF-8 text; save it as such"
OTTER_NO_TEST = (
    "neither 'test = {…}' (OK format) nor a function with @test_case stands in this file; "
    "add tests or remove the file"
)
OTTER_NOT_LITERAL = (
    "{what} must be a plain value, because test files are read and never run; write the "
    "value itself"
)
OTTER_WRONG_TYPE = "{what} must be {expected}, not {got}"
OTTER_NO_KEY = "{what} has no '{key}'; add it"
OTTER_SUITES = "the test has {count} suites; otter reads exactly one, so put all cases in it"
OTTER_SUITE_TYPE = "the suite is of type '{type}'; otter runs doctests only"
OTTER_SUITE_CODE = "the suite has '{key}' code, which otter does not run; move it into the cases"
OTTER_BAD_DOCTEST = "the code of '{case}' is no valid doctest ({problem})"
OTTER_SAME_FUNCTION = (
    "two test cases are functions called '{name}' (first in line {first}), and otter would "
    "run the last one only; rename one"
)
OTTER_NESTED_CASE = (
    "the test case '{name}' stands inside another statement, where it cannot be counted "
    "without running the file; move it to the left margin"
)
OTTER_SAME_TEST = (
    "the test name '{name}' is also that of {first}; give each test file a name of its own"
)
OTTER_POINTS_COUNT = "'points' lists {got} values for {cases} cases; give one value for each case"
OTTER_POINTS_SUM = (
    "the cases have {sum} points together, more than the {total} of the test; raise "
    "'points' or lower theirs"
)
FMT_LOSES = (
    "{path}: left as it is, because formatting would change {what}; this is a fault of fmt, "
    "please report it"
)

# names of files and the like may be anything: nothing is filled in but by `visible.Sentence`
visible.sentences(globals())
