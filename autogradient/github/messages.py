"""What people read about the course on GitHub and Gradescope: why a result is refused, what stands
in students' repositories, what `deliver` says. As `errors`, for one subject.
"""

from __future__ import annotations

# ---- results that are not believed ---------------------------------------------------------------
RESULT_REFUSED = "{file} was refused: {reason}"
RESULT_NO_ASSIGNMENT = "the course has no assignment of this name"
RESULT_STRANGER = "nobody on the roster has this id"
RESULT_LEFT = (
    "{students}: not on the roster any more; what they handed in and their results are "
    "kept, and nothing more is delivered to them"
)
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
RESULT_CASES = (
    "the cases of '{part}', or what they are worth, are not those of the assignment; grade it again"
)
RESULT_EARNED = "'{part}' has earned points that cannot be earned"
RESULT_BY_HAND = "'{part}' has a mark by a person, and those stand in the ledger alone"
RESULT_SUM = "its points are not the sum of its cases"
RESULT_NO_RECEIPT = (
    "there is no receipt of 'autogradient collect' beside what was handed in, so nobody "
    "knows where it came from"
)
RESULT_OTHER_NOTEBOOK = (
    "it is about another notebook than the one that was collected; grade it again"
)

# ---- what students read --------------------------------------------------------------------------
GRADED = "**{title}**: graded."
GRADED_TITLE = "Graded"
RECEIVED = "Commit {commit} was received {when}"
RECEIVED_ELSEWHERE = "It was received {when}"
ON_TIME = "on time (the deadline is {due})"
LATE = "{by} after the deadline ({due})"
NO_DEADLINE = "there is no deadline"
ATTEMPTED = "{count} of {of} parts attempted."
UNREADABLE = "**The file could not be read.** Mend what is named below and hand it in again."
GRADER_FAILED = (
    "The grader failed on this submission. That is no fault of yours and costs no points; "
    "the course staff will look at it."
)
EXCUSED = "You are excused from this assignment."
STILL_TO_COME = "Still to come: {what}."
BY_PEOPLE = "marks by a person for {count} of them"
ON_CARDS = "{count} that {verb} a GPU"
POINTS_LATER = "points and feedback, after {when}"
POINTS_SOMETIME = "points and feedback, when the course shows them"
DIFFERS = (
    "What was decided is not the same for all of you, so your feedback is not shown here: "
    "each of you gets it from the course staff."
)
WHERE_ELSE = "The same stands on the branch `{branch}`, in `{path}`."
CUT = "… and more; it is too long for here."
MOVED = "The feedback on {title} is now on #{number}."
COUNTS_OTHER = "This was received; attempt {number} is the one that counts."
TOO_MANY = "This was received; {why}. Attempt {number} is the one that counts."
ACKNOWLEDGED_TITLE = "Received"
CHECK_NAME = "Autogradient: {name}"
COMMIT_MESSAGE = "Feedback: {names}\n\n[skip ci]\n"

# ---- what stands in the release repository -------------------------------------------------------
README_COLAB = (
    "On Colab, save your work by *File → Save a copy in GitHub* into your own repository, "
    "or download it and push it: what stays on Colab is not handed in."
)
COLAB_PRIVATE = (
    "{file}: colab: {repository} is private, so Colab cannot fetch anything from it; make "
    "it public, or take the line out"
)
README_LIMIT = (
    " (what is handed in more than {count} times a day, by the clock of {zone}, is received "
    "but does not count)"
)

# ---- what is collected ---------------------------------------------------------------------------
COLLECT_AS_IT_STOOD = "as it stood at {moment}, a deadline"
COLLECT_ENOUGH = "it has more than {limit} commits to be looked at; the others were left out"

# ---- what the command says -----------------------------------------------------------------------
DELIVER_COMMENT = "{name}: comment on #{number}"
DELIVER_CHECK = "{name}: check run for {commit}"
DELIVER_BRANCH = "branch {branch}: {names}"
DELIVER_NO_REPOSITORY = (
    "{repository} is not there, so its feedback was not delivered; run 'autogradient enrol'"
)
DELIVER_NO_PULL = (
    "{repository}: there is no pull request for {name}; run 'autogradient enrol', which "
    "opens the standing one"
)
DELIVER_PUBLIC = (
    "{repository} can be read by others, so it says no more than 'graded'; make it private "
    "in its settings"
)
DELIVER_NO_CHECKS = (
    "check runs are left out: GitHub lets only an App make them, and this is a personal token"
)
DELIVER_BRANCH_REFUSED = "{repository}: the branch '{branch}' could not be written ({problem})"
DELIVER_SUMMARY = "{changed} {would}changed, {same} as they should be, {refused} results refused"

# ---- the marks repository ------------------------------------------------------------------------
STORE_NO_NAME = (
    '{file}: no repository is named that keeps results and submissions; write marks = "marks"'
)
STORE_NO_REPOSITORY = (
    "there is no repository {repository}, or it cannot be seen from here; make it, private "
    "and empty, and let the App have access to it"
)
STORE_PUBLIC = (
    "{repository} can be read by others, and it would hold marks; make it private in its settings"
)
STORE_TOO_MANY = "{repository} has more than {limit:,} files, more than can be read"
STORE_OCCUPIED = "{repository} could not be written ({problem}); run the command again"
STORE_MOVED = (
    "{student}: attempt {number} of {assignment} is another one in the marks repository; "
    "the one that was here is attempt {new} now"
)
STORE_MESSAGE = "{results} results, {attempts} attempts\n\n[skip ci]\n"
STORE_PULLED = "{count} files new or changed here"
STORE_PUSHED = (
    "{results} results, {attempts} attempts, {others} other files written to {repository}"
)
STORE_NOTHING = "nothing to write: {repository} has it all"

# ---- corrections ---------------------------------------------------------------------------------
PUBLISH_REHEARSED = "{count} steps would be published"
UPDATE_BRANCH = "{name}: branch {branch}"
UPDATE_PULL = "{name}: pull request"
UPDATE_PULL_TEXT = "{name}: text of #{number}"
UPDATE_SUMMARY = "{changed} repositories {would}updated, {same} as they should be"
UPDATE_NO_BRANCH = "{repository} has no branch '{branch}'; run 'autogradient enrol'"
UPDATE_TOO_MANY = "{repository} has more files than are read, so it was left alone"
UPDATE_UNREADABLE = "{problem}; it was left alone"
UPDATE_ANOTHER = (
    "{path} stands where the notebook of '{name}' belongs, but nothing of that is in it, so "
    "it was left alone"
)
UPDATE_ODD_NAME = "{path} was left alone: there are characters in its path that cannot be printed"
UPDATE_CLOSED = (
    "{repository}: #{number}, which brings the present '{name}', was closed without being "
    "merged, and was left so; open it again by hand if it is wanted"
)
UPDATE_BRANCHES = (
    "there are too many branches that begin with '{branch}'; delete those that are merged"
)
UPDATE_ONLY_GITHUB = "--update is for the students' repositories on GitHub; leave out --to"
LETTER_TITLE = "{title}: corrected"
LETTER_NEW = "{title}: new"
LETTER_COMMIT = "{title} ({name}): corrected\n\nFiles: {files}\n\n[skip ci]\n"
LETTER_BEGIN = (
    "The assignment has been corrected. This pull request brings the correction into your "
    "repository."
)
LETTER_FRESH = "Here is the assignment `{name}`, which your repository did not have."
LETTER_CHANGED = "**What is different**"
LETTER_FRAME = "the notebook around the questions"
LETTER_GONE = "no longer there: {questions}"
LETTER_LEFT = (
    "**Not corrected**, since it could not be read. Mend it and push; then the course staff "
    "can send the rest."
)
LETTER_FILES = "files: {files}"
LETTER_CARRIED = (
    "**Nothing of yours is lost.** In {files} your answers ({answers}) and your own cells "
    "stand as you left them on your branch."
)
LETTER_OUTDATED = (
    "**Look again at {parts}**: what these answers start from has changed. Yours were kept "
    "as they are."
)
LETTER_ASIDE = (
    "Where you had written something for which there is no place any more, it stands in a "
    "cell of your own, below a sentence that says so."
)
LETTER_KEPT = "You have changed these files yourself, so they stay as you have them: {files}."
LETTER_MERGE = (
    "**To take it**, push what you have, press *Merge pull request* below, and pull before you go "
    "on (`git pull`). Close notebooks that are open on your machine first.\n\n"
    "There are no conflicts as long as you push nothing in between. If GitHub shows some, don't "
    "resolve them by hand: tell the course staff, who can have this pull request made anew on top "
    "of your work.\n\n"
    "If you don't take it, your work is graded all the same, by the corrected tests. Taking it "
    "counts as a push like any other: after the deadline, it comes late.\n"
)

# ---- Gradescope ----------------------------------------------------------------------------------

# ---- enrol ---------------------------------------------------------------------------------------
ENROL_SUMMARY = "{changed} {would}changed, {same} as they should be"
ENROL_REPOSITORY = "make the repository, private"
ENROL_DESCRIPTION = "Work of {group}"
ENROL_MARK = "mark it as this run's"
ENROL_CONTENT = "copy the release into it"
ENROL_ACCESS = "invite {login}"
ENROL_ACCESS_AGAIN = "invite {login} again, since the invitation had expired"
ENROL_STAFF = "give the team {team} access"
ENROL_PULL_REQUEST = "open the pull request '{title}'"
ENROL_REOPEN = "open the pull request '{title}' again"
ENROL_ARCHIVE = "archive it, so that it can only be read"
REVOKE_ACCESS = "take the access of {login}"
REVOKE_INVITATION = "take back the invitation of {login}"
ENROL_PUBLIC = "{repository} is public: everybody can read it; make it private in its settings"
ENROL_ARCHIVED = (
    "{repository} is archived and was left alone; unarchive it in its settings, or give "
    "this run another 'prefix' in grader_config/github.toml"
)
ENROL_ANOTHERS = (
    "{repository} is another run's ({mark}) and was left alone; give this run another 'prefix' in "
    "grader_config/github.toml, or, "
    "if it is the same run, write its name and label back into grader_config/course.toml"
)
ENROL_NOT_OURS = (
    "{repository} was there already and holds nothing of this course's release, so nobody "
    "was let in; rename or delete it, or change the name in the roster"
)
ENROL_SOMEBODY_ELSES = (
    "{repository} was there already and is somebody else's ({logins}), so nobody was let in; give "
    "this run another 'prefix' in grader_config/github.toml, or, "
    "if it is the group's, add one of them to it by hand"
)
ENROL_HAS_WORK = (
    "{repository} was there already and holds work, but nobody of '{group}' has access to it, so "
    "nobody was let in; give this run another 'prefix' in "
    "grader_config/github.toml, or, if it is the group's, add one of them to it by hand"
)
ENROL_STUDENT_IN_CHARGE = (
    "{repository}: {login} is on the roster and may do more there than read and push, which "
    "'enrol' gives to no student, so nobody was let in; "
    "see who made it, and set them to 'write' in its settings or delete it"
)
ENROL_RENAMED = (
    "{student}'s account {old} is called {new} now and was followed; write that into "
    "grader_config/roster.csv"
)
ENROL_ANOTHER_ACCOUNT = (
    "{student}: {login} is not the account that accepted before but one that somebody registered "
    "later, so it was not let in; "
    "ask {student} for the login, and write it into grader_config/roster.csv"
)
ENROL_ACCOUNT_GONE = (
    "{student}'s account {login} is not there any more; ask for another login, and write it "
    "into grader_config/roster.csv"
)
ENROL_OUTSIDER = (
    "{repository}: {login} has access ({role}) and is not on the roster for it; "
    "'autogradient enrol --revoke' takes it"
)
ENROL_NOBODYS = (
    "{repository}: nobody on the roster has it any more; 'autogradient enrol --archive', at "
    "the end of the run, archives it"
)
ENROL_NO_BASE = (
    "{repository} has no branch '{branch}'; restore it on the repository's page of branches"
)
ENROL_NO_LOGIN = "{student} has no login in the roster yet and was not invited"
ENROL_MERGED = (
    "{repository}: pull request #{number} was merged, so it cannot be opened again; work "
    "counts all the same, the branch '{branch}' shows where it began"
)
ENROL_TAKEN = (
    "'{group}' would have the repository {repository}, which is the course's own ({what}); give "
    "students' repositories a 'prefix' in "
    "grader_config/github.toml, or change the name in grader_config/roster.csv"
)
ENROL_STUDENT_AND_TEAM = (
    "'{student}' is a student and a team, who would share a repository; change the team's "
    "name in grader_config/roster.csv"
)
ACCOUNTS_BAD_LINE = (
    "this needs a student, a login and the number of an account; take the line out, and "
    "'autogradient enrol' writes it anew"
)

# ---- who can read or write what ------------------------------------------------------------------
AUDIT_VISIBILITY = "visibility: {old} → {new}"
AUDIT_TEAM = "the team {team}: {old} → {new}"
AUDIT_PERSON = "{login}: {old} → {new}"
AUDIT_UNARCHIVED = "no longer archived"

# ---- plan ----------------------------------------------------------------------------------------
PLAN_LEFT = (
    "{count} submissions are left for the next run: more machines cannot be started in one; "
    "nothing is to be done"
)

# ---- publish -------------------------------------------------------------------------------------
PUBLISH_DESCRIPTION = "{course}: notebooks for students"
PUBLISH_COURSE = "Course files: {files}"
PUBLISH_NEW = "{title} ({name}): new, {questions} questions"
PUBLISH_CHANGED = "{title} ({name}): changed"
PUBLISH_CELLS = "Cells of the notebook: {cells}"
PUBLISH_FILES = "Files: {files}"
PUBLISH_REFUSED = (
    "{url}: {problem}; if somebody pushed there meanwhile, run 'autogradient publish' "
    "again: nothing is ever overwritten"
)
PUBLISH_TOO_MANY = (
    "the release repository has more files than are read; name another one in "
    "grader_config/github.toml"
)
PUBLISH_OUTSIDE = "{path} is a link that leads out of {folder}; remove it"
PUBLISH_NO_FOLDER = "{path} is neither a folder nor a bare repository"
PUBLISH_SUMMARY = "published in {count} steps"
PUBLISH_NOTHING = "nothing to publish: everything is as it should be"

# ---- collect -------------------------------------------------------------------------------------
COLLECT_PLACE = "{branch} at {commit}"
COLLECT_NO_REPOSITORY = "{repository} is not there; run 'autogradient enrol'"
COLLECT_ANOTHERS = (
    "{repository} is another run's ({mark}) and was left alone; run 'autogradient enrol', "
    "which says what to do"
)
COLLECT_SOMEBODY_ELSES = (
    "{repository} is somebody else's: nobody of '{group}' has access to it, so nothing was "
    "taken; run 'autogradient enrol', which says what to do"
)
COLLECT_STRANGER = "pull request #{number} is by {login}, whom the roster does not know"
COLLECT_NO_RECORD = "GitHub has no record of when {branch} was pushed, so it is not in the snapshot"
COLLECT_WENT_ON = "taken from {branch}, which was pushed later and answers more"
COLLECT_NEWER = (
    "{branch} was pushed later, but {chosen} counts: it comes first and {branch} does not "
    "answer more"
)
COLLECT_NO_SHARED = (
    "grader_config/github.toml names no 'shared' repository to collect pull requests from"
)
COLLECT_SUMMARY = "{count} new in {folder}, {same} of {of} without anything new"

# ---- what is taken of a commit, folder or zip ----------------------------------------------------
TAKE_LEFT_OUT = "{path} was left out: {reason}"
TAKE_LINK = "it is a link, and links are not followed; commit the notebook itself"
TAKE_NO_FILE = "it is no ordinary file"
TAKE_DEEP = (
    "it lies below more than {limit} folders or its path is too long; put it into the "
    "assignment's folder"
)
TAKE_LARGE = "it has more than {limit} MB; clear its outputs and hand it in again"
TAKE_LFS = "it is kept in Git LFS; commit the notebook itself"
TAKE_GONE = "its content is missing; hand it in again"
TAKE_ENOUGH = (
    "{path} and what comes after it was left out: of one commit {notebooks} notebooks and "
    "{limit} MB are read"
)
TAKE_FULL = "of one student {notebooks} notebooks and {limit} MB are read"
TAKE_TOO_MANY = "there are more than {limit:,} files; those after were not looked at"
TAKE_AND_MORE = "and {count} more"
TAKE_NOBODY = (
    "its path names nobody of the roster (the most similar: {nearest}); say in "
    "grader_config/names.csv who it is, complete grader_config/roster.csv, or give --pattern"
)
TAKE_AMBIGUOUS = "'{name}' is the name of {students}; say in grader_config/names.csv who it is"
TAKE_BLANK = "nothing in it is answered yet; ask for the notebook that was worked in"
TAKE_WHICH = (
    "what was handed in is no notebook, and nothing says of which assignment it is; collect it "
    "once more with the assignment's name, and it counts as handed in and unreadable"
)
TAKE_NAMED_TIME = (
    "{path} counts as handed in on {time}, the time in its name, which the student may have chosen"
)
TAKE_NO_TIME = (
    "nobody knows when {path} was handed in, so it counts only where no other attempt does"
)
TAKE_SAME = "{one} is the same notebook as {other}, so both are one attempt"
TAKE_SAME_SECOND = (
    "{one} and {other} came in the same second; {other} counts as the later one, by its name"
)
TAKE_ANOTHER = "{path} is a notebook of the same assignment and was not taken, either"
TAKE_OUTSIDE = "its path leads out of the zip"
