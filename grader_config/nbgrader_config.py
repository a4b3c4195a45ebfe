"""nbgrader's configuration for this course: the formgrader, `nbgrader generate_feedback` and
`nbgrader export`.

Start nbgrader with JUPYTER_CONFIG_PATH=grader_config, as `make lab` does.
"""

from pathlib import Path
from urllib.parse import quote

c = get_config()  # noqa: F821 - supplied by traitlets

ROOT = Path(__file__).resolve().parent.parent

c.CourseDirectory.root = str(ROOT)
DATABASE = str(ROOT / "gradebook.db")
if set(DATABASE) & set("?#%"):  # which mean something in an address
    DATABASE = quote(DATABASE)
c.CourseDirectory.db_url = f"sqlite:///{DATABASE}"
# Never source/ and release/: the Generate button copies what lies in the one into the other,
# solutions and hidden tests included. Sources are released by `autogradient release`.
c.CourseDirectory.source_directory = "generated/source"
c.CourseDirectory.release_directory = "generated/release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
