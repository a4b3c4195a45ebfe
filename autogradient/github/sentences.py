"""What people read about the course on GitHub and Gradescope: why a result is refused, what stands in students' repositories, what `deliver` says. As `errors`, for one subject."""

from __future__ import annotations

# ---- results that are not believed -----------------------------------------------------------------------------------
RESULT_REFUSED = "{file} was refused: {reason}"
RESULT_NO_ASSIGNMENT = "the course has no assignment of this name"
RESULT_STRANGER = "nobody on the roster has this id"
RESULT_GONE = "the file is missing"
RESULT_NO_FILE = "it is a link or no ordinary file"
RESULT_LARGE = "it has more than {limit:,} bytes"
RESULT_NO_JSON = "it is no JSON that can be read"
RESULT_SCHEMA = "it does not fit the schema of results ({where}: {problem})"
RESULT_POINTS = "it has points that are no number"
RESULT_ELSEWHERE = "assignment, student or attempt are others than its folder and name say"
RESULT_MISSING = "it says that nothing was handed in"
RESULT_PROBLEMS = "it has more than {limit} remarks"
RESULT_PARTS = "its questions and parts are not those of the assignment; grade it again"
RESULT_CASES = "the cases of '{part}', or what they are worth, are not those of the assignment; grade it again"
RESULT_EARNED = "'{part}' has earned points that cannot be earned"
RESULT_BY_HAND = "'{part}' has a mark by a person, and those stand in the ledger alone"
RESULT_SUM = "its points are not the sum of its cases"
RESULT_NO_RECEIPT = "there is no receipt of 'autogradient collect' beside what was handed in, so nobody knows where it came from"
RESULT_OTHER_NOTEBOOK = "it is about another notebook than the one that was collected; grade it again"

# ---- what students read ----------------------------------------------------------------------------------------------
GRADED = "**{title}**: graded."
GRADED_TITLE = "Graded"
RECEIVED = "Commit {commit} was received {when}"
RECEIVED_ELSEWHERE = "It was received {when}"
ON_TIME = "on time (the deadline is {due})"
LATE = "{by} after the deadline ({due})"
NO_DEADLINE = "there is no deadline"
ATTEMPTED = "{count} of {of} parts attempted."
UNREADABLE = "**The file could not be read.** Mend what is named below and hand it in again."
GRADER_FAILED = "The grader failed on this submission. That is no fault of yours and costs no points; the course staff will look at it."
EXCUSED = "You are excused from this assignment."
STILL_TO_COME = "Still to come: {what}."
BY_PEOPLE = "marks by a person for {count} of them"
ON_CARDS = "{count} that {verb} a GPU"
POINTS_LATER = "points and feedback, after {when}"
POINTS_SOMETIME = "points and feedback, when the course shows them"
DIFFERS = "What was decided is not the same for all of you, so your feedback is not shown here: each of you gets it from the course staff."
WHERE_ELSE = "The same stands on the branch `{branch}`, in `{path}`."
CUT = "… and more; it is too long for here."
MOVED = "The feedback on {title} is now on #{number}."
COUNTS_OTHER = "This was received; attempt {number} is the one that counts."
TOO_MANY = "This was received; {why}. Attempt {number} is the one that counts."
ACKNOWLEDGED_TITLE = "Received"
CHECK_NAME = "Autogradient: {name}"
COMMIT_MESSAGE = "Feedback: {names}\n\n[skip ci]\n"

# ---- what stands in the release repository ---------------------------------------------------------------------------
README_COLAB = (
    "On Colab, save your work by *File → Save a copy in GitHub* into your own repository, or download it and push it: what stays on Colab is not handed in."
)
COLAB_PRIVATE = "{file}: colab: {repository} is private, so Colab cannot fetch anything from it; make it public, or take the line out"
README_LIMIT = " (what is handed in more than {count} times a day, by the clock of {zone}, is received but does not count)"

# ---- what is collected -----------------------------------------------------------------------------------------------
COLLECT_AS_IT_STOOD = "as it stood at {moment}, a deadline"
COLLECT_ENOUGH = "it has more than {limit} commits to be looked at; the others were left out"

# ---- what the command says -------------------------------------------------------------------------------------------
DELIVER_COMMENT = "{name}: comment on #{number}"
DELIVER_CHECK = "{name}: check run for {commit}"
DELIVER_BRANCH = "branch {branch}: {names}"
DELIVER_NO_REPOSITORY = "{repository} is not there, so its feedback was not delivered; run 'autogradient enrol'"
DELIVER_NO_PULL = "{repository}: there is no pull request for {name}; run 'autogradient enrol', which opens the standing one"
DELIVER_PUBLIC = "{repository} can be read by others, so it says no more than 'graded'; make it private in its settings"
DELIVER_NO_CHECKS = "check runs are left out: GitHub lets only an App make them, and this is a personal token"
DELIVER_BRANCH_REFUSED = "{repository}: the branch '{branch}' could not be written ({problem})"
DELIVER_SUMMARY = "{changed} {would}changed, {same} as they should be, {refused} results refused"

# ---- Gradescope ------------------------------------------------------------------------------------------------------
GRADESCOPE_FAILED = "{name}: otter's generator could not make an autograder ({problem})"
GRADESCOPE_BONUS = ", and {points} of optional questions"
GRADESCOPE_POINTS = "{points} points{bonus}; it holds the hidden tests, so keep it from students{more}"
GRADESCOPE_LEFT = "; it leaves out {parts}, which a person or a GPU must judge"
