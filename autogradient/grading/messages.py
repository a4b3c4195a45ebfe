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

visible.sentences(globals())
