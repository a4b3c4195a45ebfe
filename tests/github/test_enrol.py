"""`enrol`: what a class finds on GitHub, once, however often it is run and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hub.people import Place, push
from hub.server import Server

from autogradient.course import config
from autogradient.errors import CourseError, GitHubError
from autogradient.github import connection
from autogradient.github.client import GitHubClient
from autogradient.github.enrol import PERMISSIONS, Enrolled, enrol
from autogradient.github.roster import groups, read
from autogradient.github.settings import BASE, Settings

CHANGES = r"^(POST|PUT|PATCH) "


@pytest.fixture
def released(github: Server) -> str:
    """The release repository with two commits; returns the last."""
    github.state.create("the-course/release")
    push(github, "the-course/release", {"README.md": b"Welcome\n"})
    return push(github, "the-course/release", {"gates/gates.ipynb": b"{}\n"})


@pytest.fixture
def again(place: Place, released: str) -> Callable[..., dict[str, Enrolled]]:
    """Enrol the roster as it is."""

    def run(**options: bool) -> dict[str, Enrolled]:
        return {
            each.repository.removeprefix("the-course/"): each
            for each in enrol(
                place.hub(), config.load(place.root), groups(read(place.root)), **options
            )
        }

    return run


def whole(github: Server, released: str) -> None:
    """Everything that there should be is there once."""
    state = github.state
    assert sorted(state.repositories) == [
        "the-course/dl-ada",
        "the-course/dl-daria",
        "the-course/dl-gates",
        "the-course/release",
    ]
    for name in ("dl-ada", "dl-gates", "dl-daria"):
        full = f"the-course/{name}"
        assert state.repositories[full]["private"] is True
        branches = state.branches(full)
        assert set(branches) == {"main", BASE} and branches[BASE] == released
        assert (
            state.git(full, "rev-parse", "main^") == released
            and state.git(full, "diff", "--stat", BASE, "main") == ""
        )
        (pull,) = state.pulls[full]
        assert (pull["title"], pull["state"], pull["head"]["ref"], pull["base"]["ref"]) == (
            "Feedback",
            "open",
            "main",
            BASE,
        )
        assert full in state.teams["staff"]
    assert state.invitations == {
        "the-course/dl-ada": {"ada-l": "push"},
        "the-course/dl-gates": {"bruno-k": "push", "chloe-m": "push"},
    }


def test_every_group_gets_a_private_repository_with_the_release_access_and_a_pull_request(
    github: Server, released: str, again: Callable[..., dict[str, Enrolled]]
) -> None:
    done = again()
    whole(github, released)
    assert done["dl-daria"].problems == ["daria has no login in the roster yet and was not invited"]
    assert done["dl-ada"].problems == done["dl-gates"].problems == []
    assert done["dl-gates"].done == [
        "make the repository, private",
        "copy the release into it",
        "invite bruno-k",
        "invite chloe-m",
        "give the team staff access",
        "open the pull request 'Feedback'",
    ]


def test_a_second_run_changes_nothing_and_a_late_joiner_gets_what_is_missing(
    github: Server, place: Place, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    before = github.asked(CHANGES)
    assert [each.done for each in again().values()] == [[], [], []]
    assert github.asked(CHANGES) == before
    roster = place.root / "grader_config" / "roster.csv"
    roster.write_text(
        roster.read_text().replace("daria,,", "daria,daria-p,") + "emil,emil-r,,,,gates\n"
    )
    github.state.people |= {"daria-p", "emil-r"}
    late = again()
    assert {name: each.done for name, each in late.items() if each.done} == {
        "dl-daria": ["invite daria-p"],
        "dl-gates": ["invite emil-r"],
    }


def test_work_of_students_is_left_alone(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    commit = push(github, "the-course/dl-ada", {"gates/gates.ipynb": b'{"mine": 1}\n'})
    push(github, "the-course/release", {"README.md": b"Newer\n"})
    again()
    assert github.state.branches("the-course/dl-ada")["main"] == commit


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    told = again(dry_run=True)
    assert len(told["dl-gates"].done) == 6 and github.asked(CHANGES) == 0
    assert list(github.state.repositories) == ["the-course/release"]


@pytest.mark.parametrize("kind", ["error", "secondary", "too many", "lost", "cut"])
def test_whatever_fails_once_nothing_is_doubled(
    github: Server, released: str, again: Callable[..., dict[str, Enrolled]], kind: str
) -> None:
    for pattern in (
        "GET /repos/the-course/dl-ada$",
        "POST /orgs/the-course/repos",
        "POST .*dl-ada/pulls",
        "PUT .*collaborators/chloe-m",
        "PUT .*teams",
        "GET .*pulls",
    ):
        github.fault(pattern, kind)
    assert [
        each.problems for each in again().values() if each.repository != "the-course/dl-daria"
    ] == [[], []]
    assert not [fault for fault in github.faults if fault.times]
    whole(github, released)


@pytest.mark.parametrize("lives", range(1, 18, 2))
def test_when_github_dies_half_way_a_second_run_completes_it(
    github: Server, released: str, again: Callable[..., dict[str, Enrolled]], lives: int
) -> None:
    github.lives = lives
    with pytest.raises(GitHubError, match="GitHub gave no answer to .* run the command again"):
        again()
    github.lives = None
    again()
    whole(github, released)


def test_short_pages_are_read_to_the_end(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    github.longest_page = 1
    github.state.collaborators["the-course/dl-gates"] = {
        "someone": "push",
        **github.state.invitations.pop("the-course/dl-gates"),
    }
    before = github.asked(CHANGES)
    assert again()["dl-gates"].done == [] and github.asked(CHANGES) == before


def test_one_groups_trouble_does_not_stop_the_others(
    github: Server, place: Place, again: Callable[..., dict[str, Enrolled]]
) -> None:
    github.state.people.discard("ada-l")
    github.fault("POST .*dl-gates/pulls", "error", 50)
    done = again()
    assert done["dl-ada"].problems == [
        (
            "GitHub refused PUT /repos/the-course/dl-ada/collaborators/ada-l with 404 (Not "
            "Found); see docs/github.md for what the App has to be allowed"
        )
    ]
    assert "with 502 (Server Error)" in done["dl-gates"].problems[0]
    assert done["dl-daria"].done[-1] == "open the pull request 'Feedback'"


def test_a_closed_pull_request_is_opened_again_and_a_merged_one_is_reported(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    github.state.pulls["the-course/dl-ada"][0]["state"] = "closed"
    github.state.pulls["the-course/dl-gates"][0] |= {
        "state": "closed",
        "merged_at": "2026-03-01T10:00:00Z",
    }
    done = again()
    assert (
        done["dl-ada"].done == ["open the pull request 'Feedback' again"]
        and github.state.pulls["the-course/dl-ada"][0]["state"] == "open"
    )
    assert (
        done["dl-gates"].problems[0].startswith("the-course/dl-gates: pull request #1 was merged")
    )


def test_a_public_repository_and_a_missing_base_are_reported(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    github.state.repositories["the-course/dl-ada"]["private"] = False
    github.state.git("the-course/dl-gates", "update-ref", "-d", f"refs/heads/{BASE}")
    done = again()
    assert done["dl-ada"].problems == [
        "the-course/dl-ada is public: everybody can read it; make it private in its settings"
    ]
    assert done["dl-gates"].problems[0].startswith(f"the-course/dl-gates has no branch '{BASE}'")


def test_branches_are_pushed_all_or_none(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    again()
    github.state.git("the-course/dl-ada", "update-ref", "-d", "refs/heads/main")
    push(github, "the-course/dl-ada", {"other.txt": b"another history"}, BASE)
    github.state.git("the-course/dl-ada", "update-ref", "-d", "refs/heads/main")
    done = again()
    assert "git push failed" in done["dl-ada"].problems[0] and set(
        github.state.branches("the-course/dl-ada")
    ) == {BASE}
    assert done["dl-gates"].problems == []


def test_names_that_would_share_a_repository_are_refused(
    github: Server, place: Place, again: Callable[..., dict[str, Enrolled]]
) -> None:
    (place.root / "grader_config" / "roster.csv").write_text("student,login\na@b,x\na+b,y\n")
    with pytest.raises(
        CourseError, match="'a@b' and 'a\\+b' would both have the repository dl-a-b"
    ):
        again()


def test_without_a_release_repository_one_sentence_says_so(github: Server, place: Place) -> None:
    with pytest.raises(CourseError, match="there is no repository the-course/release"):
        enrol(place.hub(), config.load(place.root), groups(read(place.root)))


# ---- who asks ------------------------------------------------------------------------------------


def test_an_app_asks_for_what_the_command_needs_and_no_more(
    github: Server, place: Place, released: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    github.state.public_key = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    settings = place.root / "grader_config" / "github.toml"
    settings.write_text(settings.read_text() + "app = 7\n")
    monkeypatch.delenv("AUTOGRADIENT_GITHUB_TOKEN")
    monkeypatch.setenv(connection.KEY, pem)
    hub = GitHubClient(
        Settings(organization="the-course", app=7, api=github.url, git=place.settings.git),
        PERMISSIONS,
    )
    found = hub.repository("the-course/release")
    assert found is not None and found.full_name == "the-course/release"
    assert github.state.minted == [{"permissions": PERMISSIONS}]
    assert jwt.get_unverified_header(jwt.encode({}, pem, algorithm="RS256"))["alg"] == "RS256"


def test_without_a_token_or_with_a_bad_one_one_sentence_says_so(
    place: Place, released: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADIENT_GITHUB_TOKEN", "wrong")
    with pytest.raises(
        GitHubError,
        match=r"GitHub refused GET /repos/the-course/release with 401 \(Bad credentials\)",
    ):
        enrol(place.hub(), config.load(place.root), [])
    monkeypatch.delenv("AUTOGRADIENT_GITHUB_TOKEN")
    with pytest.raises(
        GitHubError,
        match="GitHub needs to know who asks: set AUTOGRADIENT_GITHUB_TOKEN, or name the App",
    ):
        enrol(place.hub(), config.load(place.root), [])


@pytest.mark.parametrize("kind", ["error", "lost", "cut"])
def test_what_github_would_make_twice_is_looked_for_first(
    github: Server, place: Place, released: str, kind: str
) -> None:
    hub = place.hub()
    github.fault("POST .*comments", kind, 2)
    for _ in range(2):
        assert (
            hub.write_comment(
                "the-course/release", 1, "mine", is_it=lambda comment: comment.body == "mine"
            ).body
            == "mine"
        )
    assert len(github.state.comments["the-course/release#1"]) == 1


def test_where_github_limits_everything_the_others_are_not_tried(
    github: Server, again: Callable[..., dict[str, Enrolled]]
) -> None:
    github.fault("POST /orgs/the-course/repos", "secondary", 99)
    with pytest.raises(GitHubError, match="GitHub limits how much may be asked"):
        again()
    assert github.asked("POST /orgs/the-course/repos") == connection.TRIES


def test_a_limit_that_does_not_end_is_one_sentence(
    github: Server, place: Place, released: str
) -> None:
    github.fault("GET", "secondary", 99)
    with pytest.raises(
        GitHubError,
        match="GitHub limits how much may be asked: GET /repos/the-course/release has to wait 0 s",
    ):
        enrol(place.hub(), config.load(place.root), [])
    assert github.asked("GET") == connection.TRIES


def test_the_token_is_not_on_gits_command_line(place: Place) -> None:
    secrets = place.hub().git_configuration("https://github.com/a/b.git")
    from autogradient.github.git import Bare

    with Bare(secrets=secrets) as git:
        value = secrets[
            "http.file://" + str(place.settings.git.removeprefix("file://")) + "/.extraHeader"
        ]
        assert value.startswith("Authorization: Basic ") and value in git.environment().values()
        assert not any("Basic" in word for word in git.command("fetch"))
