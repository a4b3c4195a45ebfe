"""`publish --update`: a correction reaches students' repositories as one pull request that can be
merged, whatever they have done meanwhile.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import errata as mistakes
import homework
import pytest
from commands import Ran
from errata import ADDED, GONE, MENDED, ids, texts
from homework import ANSWERS, Notebook
from hub.description import Description
from hub.people import ROSTER, Place, git, push
from hub.server import Server
from hub.state import State
from test_publish import proved

from autogradient.course import config as course
from autogradient.github import git as our_git
from autogradient.github import messages
from autogradient.github.collect import Collector
from autogradient.github.enrol import enrol
from autogradient.github.recognise import Recogniser
from autogradient.github.roster import groups, read
from autogradient.github.settings import load as load_settings
from autogradient.model.assignment import Assignment
from autogradient.sources.release import COLAB_CELL
from autogradient.sources.source import load

ADA, GATES, DARIA = "the-course/dl-ada", "the-course/dl-gates", "the-course/dl-daria"
BRANCH = "update/small"
PATH = "small/small.ipynb"
CHANGES = r"^(POST|PUT|PATCH) "


@dataclass
class Term:
    """A course whose students have begun."""

    place: Place
    github: Server
    old: Assignment

    def mend(self, *changes: tuple[str, str]) -> Assignment:
        """Correct the source, and everything that publish asks for."""
        mistakes.mended(self.place.root / "source" / "small" / "small.py", *changes)
        return proved(self.place.root)

    def only_ada(self) -> None:
        """A class of one, where more would only take longer."""
        path = self.place.root / "grader_config" / "roster.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))

    def update(self, *more: str, code: int = 0) -> Ran:
        """publish --update, as it is typed."""
        ran = Ran(self.place.root, "publish", "--update", *more)
        assert ran.code == code, ran
        return ran

    def file(self, repository: str, branch: str = BRANCH, path: str = PATH) -> bytes:
        """A file of a branch."""
        return self.github.state.git(repository, "show", f"{branch}:{path}").encode()

    def pulls(self, repository: str) -> list[dict[str, object]]:
        """The pull requests that bring corrections."""
        found = [
            self.github.state.pull(repository, pull["number"])
            for pull in self.github.state.pulls[repository]
        ]
        return [pull for pull in found if str(pull["head"]["ref"]).startswith("update/")]

    def merge(self, repository: str) -> None:
        """Merge the correction, as GitHub's button does; where there is a conflict, the
        test fails.
        """
        state = self.github.state
        work = state.folder / "merging"
        git(state.folder, "clone", "--quiet", str(state.bare(repository)), str(work))
        git(work, "merge", "--quiet", "--no-ff", "-m", "Merge", f"origin/{BRANCH}")
        git(work, "push", "--quiet", "origin", "HEAD:main")
        (pull,) = [pull for pull in self.pulls(repository) if pull["state"] == "open"]
        pull |= {
            "state": "closed",
            "merged_at": state.now(),
            "closed_at": state.now(),
            "merged": True,
        }
        shutil.rmtree(work)


@pytest.fixture(scope="module")
def begun(openapi: Description, tmp_path_factory: pytest.TempPathFactory) -> tuple[State, Path]:
    """A GitHub in which a term has begun, and its course: ada's notebook half done, the team's
    under another name, daria's untouched.
    """
    folder = tmp_path_factory.mktemp("github")
    root = tmp_path_factory.mktemp("course")
    state = State(folder, openapi, people={"ada-l", "bruno-k", "chloe-m"}, teams={"staff": set()})
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text('format = 1\nname = "A small course"\n')
    (root / "grader_config" / "roster.csv").write_text(ROSTER)
    homework.write_source(root / "source")
    old = proved(root)
    with Server(state, openapi) as server, pytest.MonkeyPatch.context() as patch:
        settings = (
            f'organization = "the-course"\nprefix = "dl-"\napi = "{server.url}"\ngit = '
            f'"file://{folder}"\n'
        )
        (root / "grader_config" / "github.toml").write_text(settings)
        patch.setenv("AUTOGRADIENT_GITHUB_TOKEN", "a-token")
        assert Ran(root, "publish").code == 0
        enrol(Place(root, load_settings(root)).hub(), course.load(root), groups(read(root)))
        work = Notebook(old, {name: ANSWERS[name] for name in ("double", "total")})
        work.insert("total", "mine = 12 + 1")
        push(server, ADA, {PATH: work.bytes(), "notes.md": b"Mine\n"})
        push(server, GATES, {"ours/gates of numbers.ipynb": Notebook(old).bytes()})
        git_rm(server, GATES, PATH)
    assert server.violations == []
    return state, root


@pytest.fixture
def term(begun: tuple[State, Path], place: Place, github: Server) -> Term:
    """A copy of it."""
    state, root = begun
    for name in ("source", "release"):
        shutil.copytree(root / name, place.root / name)
    github.state.become(state)
    return Term(place, github, load(place.root / "source" / "small" / "small.py"))


def git_rm(github: Server, repository: str, path: str) -> None:
    """A student deletes a file."""
    work = github.state.folder / "deleting"
    git(github.state.folder, "clone", "--quiet", str(github.state.bare(repository)), str(work))
    git(work, "rm", "--quiet", path)
    git(work, "commit", "--quiet", "-m", "Away")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    shutil.rmtree(work)


def test_each_gets_one_pull_request_with_the_correction_and_their_own_work(term: Term) -> None:
    mains = {name: term.github.state.branches(name)["main"] for name in (ADA, GATES, DARIA)}
    new = term.mend(*MENDED, *ADDED)
    ran = term.update()
    assert ran.out.splitlines() == [
        "Course files: README.md",
        "Small numbers (small): changed",
        "published in 2 steps",
        *(
            f"the-course/dl-{name}: small: branch update/small, small: pull request"
            for name in ("ada", "gates", "daria")
        ),
        "3 repositories updated, 0 as they should be",
    ]
    assert {name: term.github.state.branches(name)["main"] for name in mains} == mains, (
        "nothing is pushed to a student's own branch"
    )
    for name in mains:
        (pull,) = term.pulls(name)
        assert (pull["title"], pull["base"]["ref"], pull["head"]["ref"]) == (
            "Small numbers: corrected",
            "main",
            BRANCH,
        )
        assert (
            term.file(name, path="small/tests/double.py").decode()
            == homework.built(new).files["tests/double.py"].decode().rstrip()
        )
        assert json.loads(term.file(name, path=".github/release/small.json"))["questions"] == 6
    ada = term.file(ADA)
    assert {
        ANSWERS["double"],
        ANSWERS["total"],
        "mine = 12 + 1",
        "half = ...",
        "## 2 · Sum\nAdd up `data`.",
    } <= set(texts(ada))
    assert (
        ids(ada)[ids(ada).index("total") + 1] == "" and term.file(ADA, path="notes.md") == b"Mine"
    )
    team = term.file(GATES, path="ours/gates of numbers.ipynb")
    assert set(ANSWERS.values()) <= set(texts(team)) and "half-answer" in ids(team)
    paths = term.github.state.git(GATES, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert PATH not in paths, "a notebook under another name stays the only one"
    assert json.loads(term.file(DARIA)) == json.loads(homework.built(new).notebook)


def test_the_text_says_what_is_different_and_what_is_to_be_looked_at(term: Term) -> None:
    term.only_ada()
    work = Notebook(term.old)
    work.put("double-text", "## 1 · Twice\nI see.")
    push(term.github, ADA, {PATH: work.bytes()})
    term.mend(*MENDED, *ADDED, *GONE)
    term.update()
    (pull,) = term.pulls(ADA)
    body = str(pull["body"])
    for line in (
        "- the notebook around the questions: setup",
        "- *1 · Twice*: check, text",
        "- *2 · Sum*: text",
        "- *3a · Half*: new",
        "- no longer there: why",
        (
            "**Nothing of yours is lost.** In small/small.ipynb your answers (4 answers) "
            "and your own cells stand as you left them on your branch."
        ),
        (
            "**Look again at scale**: what these answers start from has changed. Yours were "
            "kept as they are."
        ),
        "Where you had written something for which there is no place any more",
        "press *Merge pull request* below",
    ):
        assert line in body, body
    assert "I see." in "\n".join(texts(term.file(ADA)))


def test_run_again_it_does_nothing(term: Term) -> None:
    term.mend(*MENDED)
    term.update()
    heads, asked = term.github.state.branches(ADA), term.github.asked(CHANGES)
    ran = term.update()
    assert ran.out.splitlines() == [
        "nothing to publish: everything is as it should be",
        "0 repositories updated, 3 as they should be",
    ]
    assert term.github.state.branches(ADA) == heads and term.github.asked(CHANGES) == asked


def test_who_has_the_present_release_gets_nothing(term: Term) -> None:
    assert term.update().out.splitlines()[-1] == "0 repositories updated, 3 as they should be"
    assert BRANCH not in term.github.state.branches(ADA)


def test_when_a_student_goes_on_the_branch_is_made_anew_on_top_of_it(term: Term) -> None:
    term.only_ada()
    term.mend(*MENDED)
    term.update()
    first = term.github.state.branches(ADA)[BRANCH]
    work = Notebook(term.old, {name: ANSWERS[name] for name in ("double", "total", "pick")})
    main = push(term.github, ADA, {PATH: work.bytes()})
    ran = term.update()
    assert (
        "the-course/dl-ada: small: branch update/small" in ran.out
        and "1 repositories updated" in ran.out
    )
    head = term.github.state.branches(ADA)[BRANCH]
    assert term.github.state.git(ADA, "rev-list", "--parents", "-1", head).split()[1:] == [
        first,
        main,
    ]
    assert {ANSWERS["pick"], "## 2 · Sum\nAdd up `data`."} <= set(
        texts(term.file(ADA))
    ) and "mine = 12 + 1" not in texts(term.file(ADA))
    assert len(term.pulls(ADA)) == 1
    term.merge(ADA)
    assert texts(term.file(ADA, "main")) == texts(term.file(ADA))
    assert "1 as they should be" in term.update().out


def test_after_a_merge_the_next_correction_is_a_pull_request_of_its_own(term: Term) -> None:
    term.mend(*MENDED)
    term.update()
    term.merge(ADA)
    term.mend(("Add up `data`.", "Add up all of `data`."))
    term.update()
    assert [pull["state"] for pull in term.pulls(ADA)] == ["closed", "open"]
    assert len(term.pulls(GATES)) == 1, "one that was not merged yet takes up the second correction"
    assert "## 2 · Sum\nAdd up all of `data`." in texts(
        term.file(ADA)
    ) and "mine = 12 + 1" in texts(term.file(ADA))
    assert "## 2 · Sum\nAdd up all of `data`." in texts(
        term.file(GATES, path="ours/gates of numbers.ipynb")
    )
    term.merge(ADA)


def test_what_a_student_commits_to_the_branch_is_never_overwritten(term: Term) -> None:
    term.only_ada()
    term.mend(*MENDED)
    term.update()
    theirs = json.loads(term.file(ADA))
    next(cell for cell in theirs["cells"] if cell["id"] == "pick-answer")["source"] = ANSWERS[
        "pick"
    ]
    commit = push(term.github, ADA, {PATH: json.dumps(theirs).encode()}, BRANCH)
    assert "1 as they should be" in term.update().out
    assert term.github.state.branches(ADA)[BRANCH] == commit
    term.mend(("Add up `data`.", "Add up all of `data`."))
    term.update()
    assert term.github.state.git(ADA, "rev-parse", f"{BRANCH}^") == commit and {
        ANSWERS["pick"],
        "## 2 · Sum\nAdd up all of `data`.",
    } <= set(texts(term.file(ADA)))
    # Now the student goes on in both places.
    commit = push(term.github, ADA, {"more.md": b"1"}, BRANCH)
    push(term.github, ADA, {"notes.md": b"2"})
    term.mend(("Add up all of `data`.", "Add up everything in `data`."))
    term.update()
    assert term.github.state.branches(ADA)[BRANCH] == commit
    assert "## 2 · Sum\nAdd up everything in `data`." in texts(term.file(ADA, f"{BRANCH}-2"))
    assert [(pull["head"]["ref"], pull["state"]) for pull in term.pulls(ADA)] == [
        (BRANCH, "open"),
        (f"{BRANCH}-2", "open"),
    ]
    assert "1 as they should be" in term.update().out


def test_a_pull_request_that_was_closed_by_hand_stays_closed_until_there_is_more(
    term: Term,
) -> None:
    term.only_ada()
    term.mend(*MENDED)
    term.update()
    (pull,) = [pull for pull in term.github.state.pulls[ADA] if pull["head"]["ref"] == BRANCH]
    pull["state"] = "closed"
    ran = term.update()
    assert (
        "#2, which brings the present 'small', was closed without being merged" in ran.err
        and len(term.pulls(ADA)) == 1
    )
    term.mend(("Add up `data`.", "Add up all of `data`."))
    term.update()
    assert [pull["state"] for pull in term.pulls(ADA)] == ["closed", "open"]


def test_an_unreadable_notebook_is_left_alone_and_reported_and_the_others_go_on(term: Term) -> None:
    broken = Notebook(term.old).bytes()[:-300] + b"<<<<<<< HEAD\n"
    push(term.github, ADA, {PATH: broken})
    term.mend(*MENDED)
    ran = term.update(code=1)
    assert (
        "the-course/dl-ada: small/small.ipynb: this is not a notebook" in ran.err
        and "it was left alone" in ran.err
    )
    assert "**Not corrected**" in str(
        term.pulls(ADA)[0]["body"]
    ) and "this is not a notebook" in str(term.pulls(ADA)[0]["body"])
    assert (
        term.file(ADA) == broken.rstrip() and len(term.pulls(GATES)) == len(term.pulls(DARIA)) == 1
    )


def test_files_that_a_student_changed_stay_and_the_text_says_so(term: Term) -> None:
    source = term.place.root / "source" / "small"
    (source / "data.csv").write_text("1,2\n")
    (source / "old.csv").write_text("1\n")
    proved(term.place.root)
    term.update()
    term.merge(ADA)
    term.merge(DARIA)
    push(term.github, ADA, {"small/data.csv": b"9,9\n", "small/tests/double.py": b"x = 1\n"})
    (source / "data.csv").write_text("3,4\n")
    (source / "old.csv").unlink()
    proved(term.place.root)
    term.update()
    assert (
        term.file(ADA, path="small/data.csv") == b"9,9"
        and term.file(DARIA, path="small/data.csv") == b"3,4"
    )
    assert "so they stay as you have them: small/data.csv." in str(term.pulls(ADA)[-1]["body"])
    assert b"OK_FORMAT" in term.file(ADA, path="small/tests/double.py")
    assert "small/old.csv" not in term.github.state.git(
        DARIA, "ls-tree", "-r", "--name-only", BRANCH
    )


def test_a_new_assignment_reaches_those_who_have_begun(term: Term) -> None:
    homework.write_source(term.place.root / "source", "other")
    proved(term.place.root, "other")
    term.update("other")
    (pull,) = term.pulls(DARIA)
    assert pull["title"] == "Small numbers: new" and "which your repository did not have" in str(
        pull["body"]
    )
    assert json.loads(term.file(DARIA, "update/other", "other/other.ipynb"))["cells"]


def test_a_rehearsal_says_the_same_and_writes_nothing(term: Term) -> None:
    term.mend(*MENDED)
    asked, release = term.github.asked(CHANGES), term.github.state.branches("the-course/release")
    ran = term.update("--dry-run")
    assert "Small numbers (small): changed\n1 steps would be published\n" in ran.out
    assert (
        "the-course/dl-ada: would write small: branch update/small, small: pull request" in ran.out
    )
    assert "3 repositories would be updated" in ran.out
    assert (
        term.github.asked(CHANGES) == asked
        and term.github.state.branches("the-course/release") == release
        and BRANCH not in term.github.state.branches(ADA)
    )


@pytest.mark.parametrize("kind", ["error", "secondary", "lost", "cut"])
def test_whatever_fails_once_nothing_is_doubled(term: Term, kind: str) -> None:
    term.mend(*MENDED)
    for pattern in (
        "GET /orgs/the-course/repos",
        "GET .*dl-ada/pulls",
        "POST .*dl-ada/pulls",
        "POST .*dl-daria/pulls",
    ):
        term.github.fault(pattern, kind)
    term.update()
    assert not [fault for fault in term.github.faults if fault.times]
    assert [len(term.pulls(name)) for name in (ADA, GATES, DARIA)] == [1, 1, 1]


def test_killed_between_branch_and_pull_request_a_second_run_completes_it(term: Term) -> None:
    term.mend(*MENDED)
    term.github.fault("POST .*dl-ada/pulls", "error", times=5)
    ran = term.update(code=1)
    assert "502" in ran.err and not term.pulls(ADA) and len(term.pulls(DARIA)) == 1
    term.github.faults.clear()
    assert (
        "the-course/dl-ada: small: pull request\n" in term.update().out
        and len(term.pulls(ADA)) == 1
    )


def test_a_correction_is_nobodys_submission(term: Term) -> None:
    term.mend(*MENDED)
    term.update()

    def collected() -> dict[str, str]:
        here = course.load(term.place.root)
        done = Collector(here, read(term.place.root), Recogniser(here)).from_repositories(
            term.place.hub()
        )
        assert not [remark for each in done for remark in each.remarks]
        return {
            each.who: json.loads((each.attempts[0] / "receipt.json").read_text())["branch"]
            for each in done
            if each.attempts
        }

    assert collected() == {"ada": "main", "gates": "main"}
    term.merge(ADA)
    assert collected() == {"ada": "main"}


def test_work_that_a_student_goes_on_with_in_the_branch_is_found(term: Term) -> None:
    term.only_ada()
    term.mend(*MENDED)
    term.update()
    theirs = json.loads(term.file(ADA))
    next(cell for cell in theirs["cells"] if cell["id"] == "pick-answer")["source"] = ANSWERS[
        "pick"
    ]
    push(term.github, ADA, {PATH: json.dumps(theirs).encode()}, BRANCH, at="2099-01-01T00:00:00Z")
    here = course.load(term.place.root)
    done = {
        each.who: each
        for each in Collector(here, read(term.place.root), Recogniser(here)).from_repositories(
            term.place.hub()
        )
    }
    assert json.loads((done["ada"].attempts[0] / "receipt.json").read_text())["branch"] == BRANCH


def test_a_large_file_of_a_students_stays(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    term.only_ada()
    monkeypatch.setattr(our_git, "FILTER", "--filter=blob:limit=100000")
    push(term.github, ADA, {"video.mp4": b"x" * 200_000})
    term.mend(*MENDED)
    term.update()
    assert len(term.file(ADA, path="video.mp4")) == 200_000 and len(term.pulls(ADA)) == 1


def test_a_link_in_the_notebooks_place_is_reported_and_left(term: Term) -> None:
    work = term.github.state.folder / "linking"
    git(term.github.state.folder, "clone", "--quiet", str(term.github.state.bare(ADA)), str(work))
    (work / PATH).unlink()
    (work / PATH).symlink_to("/etc/passwd")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "Link")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    term.mend(*MENDED)
    ran = term.update(code=1)
    assert f"{PATH} was left out: {messages.TAKE_LINK}" in ran.err
    assert term.file(ADA) == b"/etc/passwd" and len(term.pulls(DARIA)) == 1


def test_it_is_for_github_only(term: Term, tmp_path: Path) -> None:
    ran = Ran(term.place.root, "publish", "--update", "--to", str(tmp_path / "there"))
    assert ran.code == 2 and "leave out --to" in ran.err


def test_an_open_correction_does_not_go_before_the_students_own_branch(term: Term) -> None:
    term.only_ada()
    term.mend(*MENDED)
    term.update()
    push(term.github, ADA, {"more.md": b"1"}, BRANCH)
    here = course.load(term.place.root)
    (done,) = Collector(here, read(term.place.root), Recogniser(here)).from_repositories(
        term.place.hub()
    )
    assert json.loads((done.attempts[0] / "receipt.json").read_text())["branch"] == "main"


def test_what_was_published_for_colab_is_corrected_with_its_first_cell(term: Term) -> None:
    term.only_ada()
    config = term.place.root / "grader_config" / "github.toml"
    config.write_text(config.read_text() + "colab = true\n")
    term.github.state.repositories["the-course/release"]["private"] = False
    term.mend(*MENDED)
    term.update()
    first, second = term.file(ADA), json.loads(term.file("the-course/release", "main"))
    assert json.loads(first)["cells"][0]["id"] == second["cells"][0]["id"] == COLAB_CELL
    assert {ANSWERS["double"], "mine = 12 + 1"} <= set(texts(first))
    term.merge(ADA)
    assert "0 repositories updated, 1 as they should be" in term.update().out
