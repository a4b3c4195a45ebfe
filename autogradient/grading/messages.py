"""What people read about files that were handed in: why one was left out and what to do, and what
is found where nothing should be. As `errors`, for one subject.
"""

from __future__ import annotations

from autogradient import visible

LEFT_OUT = "{path} was left out: {reason}"
LEFT_OUT_MANY = "{path} and {count} more were left out: {reason}"
LEFT_BESIDE = "handed in beside the notebook and not read: {names}"
LEFT_ALL_IN = "all files that were left out stand in {file}"
LEFT_NO_NOTEBOOK = "it is no notebook; hand in the .ipynb file itself"
LEFT_PDF = (
    "it is a PDF and no notebook; hand in the .ipynb file itself (in JupyterLab: File, Download)"
)
LEFT_OFFICE = "it is an office document and no notebook; hand in the .ipynb file itself"
LEFT_WEB_PAGE = (
    "it is a web page and no notebook; hand in the .ipynb file itself (in JupyterLab: File, "
    "Download)"
)
LEFT_ARCHIVE = (
    "it is a {kind} archive, which cannot be opened here; unpack it and put the .ipynb file "
    "in its place"
)
LEFT_BAD_ARCHIVE = (
    "it cannot be read as an archive ({problem}); unpack it and put the .ipynb file in its "
    "place, or ask for it again"
)
LEFT_EMPTY = "it is empty; save the notebook and hand it in again"
LEFT_TWICE = (
    "its archive holds two files of this path, and the other one was read; hand in the "
    "notebook itself"
)
LEFT_TOO_DEEP = "it is an archive in too many others; hand in the notebook itself"
LEFT_TOO_MUCH = "what was handed in unpacks to more than {limit} MB; hand in the notebook alone"
LEFT_TOO_MANY = "it holds more than {limit:,} files; hand in the notebook alone"
LEFT_PIECES = "it was compressed in more than {limit:,} pieces; hand in the notebook itself"
LEFT_LARGE = "it has more than {limit} MB; clear its outputs and hand it in again"
LEFT_LINK = "it is a link, and links are not followed; put the file or folder itself in its place"
LEFT_NO_FILE = "it is no ordinary file"
LEFT_ENCRYPTED = "it is encrypted; hand it in without a password"
LEFT_ANOTHERS_NAME = (
    "it is the same student's folder as {other}, since their names differ in nothing that "
    "is seen; move its content there"
)
NO_TIME_READ = (
    "{path}: no time can be told for certain from {text!r}; write it such as 2026-10-12 "
    "21:59:00 UTC"
)
STRAY_FILE = (
    "{path}: this is nobody's folder, so it was not graded; move it into "
    "submitted/STUDENT/ASSIGNMENT/, or let 'autogradient collect --from' sort it"
)
NOT_A_NOTEBOOK = (
    "{name} is {what} and no notebook; hand in the .ipynb file itself (in JupyterLab: File, "
    "Download)"
)


# ---- clusters ------------------------------------------------------------------------------------
NO_DASK = "Dask is not installed; pip install 'autogradient[dask]'"
BAD_ADDRESS = (
    "{address}: not a scheduler's address; write tls://HOST:PORT, tcp://127.0.0.1:PORT for "
    "one on this machine, or local"
)
NOT_ENCRYPTED = (
    "{address}: tests and marks go over the network only encrypted; start the scheduler and "
    "its workers with TLS and write tls://HOST:PORT (docs/cluster.md)"
)
NO_CERTIFICATES = (
    "{address}: no certificates are configured for Dask on this machine; set "
    "distributed.comm.tls.ca-file, client.cert and client.key (docs/cluster.md)"
)
NO_CLUSTER = "{address}: no Dask scheduler answers ({problem})"
CLUSTER_GONE = (
    "the Dask scheduler is gone ({problem}); what was graded is kept, and the same command "
    "goes on from there"
)
NO_FIT_WORKER = "no worker of the Dask cluster can grade: {why}"
NO_WORKERS = (
    "the Dask cluster has had no worker that can grade for {seconds:.0f} s{why}; what was "
    "graded is kept, and the same command goes on from there"
)
UNFIT_WORKER = "{worker} is not used: {why}"
WORKER_NOT_ENCRYPTED = "its link is not encrypted; start it with TLS"
WORKER_DIFFERS = "it would grade in another environment: {what}"

# ---- submissions ---------------------------------------------------------------------------------
LFS_POINTER = (
    "{name} is not the notebook but a pointer to it, as Git LFS keeps large files; run 'git "
    "lfs pull' and hand in the file that comes"
)
WEB_PAGE = (
    "{name} is a web page and no notebook, perhaps the page that shows one; download the "
    "file itself (on GitHub: 'Download raw file') and hand that in"
)
UNREADABLE_JSON = (
    "{name}: this is not a notebook (not valid JSON, line {line}); open it in JupyterLab, "
    "save it and submit again"
)
MERGE_CONFLICT = (
    "{name}: a merge conflict was left in the file (line {line}); keep one side of it, open "
    "the notebook to see that it loads, and submit again"
)
EMPTY_FILE = "{name}: the file is empty; save the notebook and submit again"
TOO_LARGE = (
    "{name}: the file has {size:.0f} MB, more than the {limit} MB that are read; clear its "
    "outputs and submit again"
)
TOO_MUCH_IN_IT = (
    "{name}: the file holds more than {limit:,} lists, texts and numbers; clear its "
    "outputs, save it and submit again"
)
TOO_MUCH_CODE = (
    "{name}: its cells hold more than {limit:,} characters of code; keep data in files of "
    "its own, save it and submit again"
)
TOO_MUCH_TEXT = (
    "{name}: its text cells hold more than {limit:,} characters; make pasted pictures smaller, or "
    "keep them in files of their own, save it and submit again"
)
NOT_LOOKED_INTO = (
    "the notebook holds more code than is looked into ({one:,} characters of a cell, {limit:,} of "
    "all): cells {cells} were run, but only names that begin a line were looked for in them; keep "
    "data in files of its own"
)
TOO_MANY_CELLS = "{name}: the notebook has {count} cells, more than the {limit} that are read"
FALLEN_BACK = "{problem} (your last readable submission counts until then)"
NO_NOTEBOOK = "{name}: no notebook (.ipynb) in this folder"
NOT_RECOGNISED = (
    "{name}: this notebook belongs to no assignment of the course; name it with --assignment"
)
TWO_NOTEBOOKS = (
    "{names} are both notebooks of this assignment; {chosen} was graded because {reason}"
)
RENAMED = "the notebook is called {name}; it was recognised as {assignment} by {how}"
ANSWER_MISSING = (
    "the answer cell of '{part}' is gone and no other cell defines {names}; add it again to "
    "earn its points"
)
ANSWER_FOUND = "the answer of '{part}' had lost its id and was found in cell {cell}"
ESSAY_FROM = "[cell {cell}]"
ESSAY_FOUND = (
    "the answer to '{part}' was found outside its own cell (cell {cells}); the marker gets it"
)
ESSAY_ELSEWHERE = (
    "of the answer to '{part}' some stands outside its cell (cells {cells}); the marker "
    "gets it with the rest"
)
ANSWERS_FOUND = (
    "{count} answers had lost their ids and were found by what they define and where they "
    "stand (cells {cells})"
)
ANSWERS_MISSING = (
    "the answer cells of {count} parts are gone ({parts}); add them again to earn their points"
)
ANSWER_NOT_CODE = (
    "the answer of '{part}' stands in a {kind} cell, which is not run; turn it into a code cell"
)
ANSWER_TWICE = (
    "'{part}' has {count} answer cells ({cells}); the last one that was changed, cell "
    "{chosen}, was graded"
)
LOCKED_EDITED = "the {what} cell of '{part}' had been changed; the course's own was used"
LOCKED_DELETED = "the {what} cell of '{part}' was missing; the course's own was used"
CHECKS_DELETED = (
    "the check cells of {count} parts ('{first}' and others) were missing; the course's own "
    "were used"
)
LOCKED_REPEATED = "the {what} cell of '{part}' stands {count} times; the course's own was used once"
CELL_STOPPED = "this cell was stopped after {seconds:g} s; look for a loop that never ends"
NOT_SHOWN = "output left out: the notebook shows too much\n"
OUT_OF_TIME = (
    "the notebook took more than {seconds:g} s altogether; the cells after that were not run"
)
CELL_KILLED = "this cell ended the Python process ({how}); the cells after it were run without it"
CELL_ERROR = "this cell ended with {name}: {value}"
CONFLICT_MARKERS = (
    "this cell has merge-conflict markers in it; keep one side and remove the lines that "
    "begin with <<<<<<<, ======= and >>>>>>>"
)
OTHER_ASSIGNMENT = (
    "the notebook says that it is '{claims}', but was graded as '{assignment}'; check that "
    "the right file was handed in"
)
CANNOT_READ = "{name}: the file cannot be read ({problem})"
GRADER_FAILED = "the grader failed on this notebook; the course staff will look at it"
DAMAGED_RESULT = (
    "{file} is damaged ({problem}), so that nobody knows its mark; restore it, or run "
    "'autogradient grade --all', which keeps it under another name and grades the submission again"
)
NEWER_RESULT = (
    "{file} was written by a newer version of Autogradient (its schema is {schema}, this version "
    "reads {known}); it stays as it is: upgrade Autogradient to read it"
)
SET_ASIDE = (
    "{file} was damaged ({problem}); it is kept as {kept}, and its submission was graded again"
)
STRAY_RESULTS = (
    "{folder} has results of {count} {students}, but the course has no assignment '{name}'"
    "{nearest}: where it was renamed, rename this folder and those of that name in submitted/ and "
    "autograded/, too; where it was removed, move the folder out of results/"
)

# names of files and the like may be anything: nothing is filled in but by `visible.Sentence`
visible.sentences(globals())
