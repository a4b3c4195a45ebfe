"""Whose a repository is: `enrol` touches what this run of the course made and nothing else, and
nothing is taken from another run's.
"""

from __future__ import annotations

import pytest
from commands import Ran
from hub.class_room import Class
from hub.people import Place, push
from hub.server import Server

from autogradient.course import config
from autogradient.errors import CourseError
from autogradient.github.accounts import Accounts
from autogradient.github.audit import difference, look
from autogradient.github.collect import Collected, Collector
from autogradient.github.enrol import Enrolled, archive, enrol
from autogradient.github.ownership import Run
from autogradient.github.publish import to_github
from autogradient.github.recognise import Recogniser
from autogradient.github.repository_names import check_names
from autogradient.github.roster import Group, groups, read
from autogradient.github.settings import Settings, load

CHANGES = r"^(POST|PUT|PATCH|DELETE) "
#: What is printed that has nothing to do with who may read or write.
NO_ACCESS = (
    "copy the release into it",
    "open the pull request 'Feedback'",
    "mark it as this run's",
)
COURSE = 'format = 1\nname = "Gates"\nrelease = "{release}"\n'


class Term:
    """A course with a release, and its GitHub."""

    def __init__(self, place: Place, github: Server) -> None:
        self.place, self.github, self.state = place, github, github.state
        self.label("2026")
        if "the-course/release" not in self.state.repositories:
            self.state.create("the-course/release")
            push(
                github,
                "the-course/release",
                {"README.md": b"Welcome\n", "gates/gates.ipynb": b"{}\n"},
            )

    def label(self, release: str) -> None:
        (self.place.root / "grader_config" / "course.toml").write_text(
            COURSE.format(release=release)
        )

    def roster(self, *rows: str) -> None:
        (self.place.root / "grader_config" / "roster.csv").write_text(
            "\n".join(["student,login,team", *rows]) + "\n"
        )
        self.state.people |= {row.split(",")[1] for row in rows}

    def settings(self, **values: str) -> None:
        path = self.place.root / "grader_config" / "github.toml"
        lines = [line for line in path.read_text().splitlines() if line.split(" ")[0] not in values]
        path.write_text(
            "\n".join([*lines, *(f'{key} = "{value}"' for key, value in values.items())]) + "\n"
        )
        self.place.settings = load(self.place.root)

    def enrol(
        self, *, archived: bool = False, dry_run: bool = False, **options: bool
    ) -> dict[str, Enrolled]:
        """Enrol, and see that the difference in access is what was printed; and that a rehearsal
        prints the same.
        """
        course = config.load(self.place.root)
        hub, who = self.place.hub(), groups(read(self.place.root))
        before = look(hub)
        if not dry_run:
            asked = self.github.asked(CHANGES)
            file = self.place.root / "grader_config" / "accounts.csv"
            kept = file.read_bytes() if file.is_file() else None
            rehearsed = (
                archive(hub, course, who, dry_run=True)
                if archived
                else enrol(hub, course, who, dry_run=True, **options)
            )
            assert (
                self.github.asked(CHANGES) == asked
                and look(hub) == before
                and kept == (file.read_bytes() if file.is_file() else None)
            )
        done = (
            archive(hub, course, who, dry_run=dry_run)
            if archived
            else enrol(hub, course, who, dry_run=dry_run, **options)
        )
        printed = {
            each.repository: sorted(line for line in each.done if line not in NO_ACCESS)
            for each in done
        }
        found = {name: sorted(changes) for name, changes in difference(before, look(hub)).items()}
        assert found == (
            {} if dry_run else {name: lines for name, lines in printed.items() if lines}
        )
        if not dry_run:
            assert [(each.repository, each.done) for each in rehearsed] == [
                (each.repository, each.done) for each in done
            ]
        return {each.repository.removeprefix("the-course/"): each for each in done}

    def accept(self, name: str, *logins: str) -> None:
        for login in logins:
            self.state.accept(f"the-course/{name}", login)

    def access(self, name: str) -> set[str]:
        full = f"the-course/{name}"
        return {*self.state.collaborators.get(full, {}), *self.state.invitations.get(full, {})}

    def unmark(self, name: str) -> None:
        """As a repository was that an earlier version made."""
        self.state.repositories[f"the-course/{name}"]["description"] = f"Work of {name}"


@pytest.fixture
def term(place: Place, github: Server) -> Term:
    made = Term(place, github)
    made.settings(prefix="")
    return made


# ---- names that are taken ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["course", "release", "Marks", "work", "secret-sources"])
def test_nobody_gets_a_repository_of_the_courses_own_and_nothing_is_asked(
    term: Term, github: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    term.settings(marks="marks", shared="the-course/work")
    monkeypatch.setenv("GITHUB_REPOSITORY", "The-Course/secret-sources")
    term.state.create("the-course/course")
    term.roster("priya,priya-s," + name, "tomas,tomas-b," + name)
    with pytest.raises(
        CourseError,
        match=f"'{name}' would have the repository the-course/{name}, which is the course's own",
    ):
        enrol(term.place.hub(), config.load(term.place.root), groups(read(term.place.root)))
    assert github.log == [] and term.access(name) == set()


def test_the_name_of_the_courses_repository_is_a_setting_and_with_a_prefix_teams_may_be_called_so() -> (  # noqa: E501
    None
):
    group = [Group("sources", ())]
    with pytest.raises(
        CourseError, match=r"the course's own \(Sources\); give students' repositories a 'prefix'"
    ):
        check_names(Settings("the-course", course="Sources"), group)
    check_names(Settings("the-course", course="Sources", prefix="dl-"), group)


@pytest.mark.parametrize(
    "rows",
    [
        ("gates,gates-g,", "ada,ada-l,gates"),
        ("gates,gates-g,nets", "ada,ada-l,Gates"),
        ("ada,ada-l,ada", "bruno,bruno-k,ada"),
    ],
)
def test_a_student_who_is_called_like_a_team_shares_nothing_with_it(
    term: Term, github: Server, rows: tuple[str, ...]
) -> None:
    term.roster(*rows)
    with pytest.raises(CourseError, match="is a student and a team, who would share a repository"):
        groups(read(term.place.root))
    done = Ran(term.place.root, "enrol")
    assert done.code == 2 and "change the team's name" in done.err and github.log == []


# ---- what was there already ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {
            "source/gates/gates.py": b"solution",
            "release/gates/gates.ipynb": b"{}\n",
            "grader_config/course.toml": b"",
        },
        # solutions in an unusual place
        {"gates/gates.ipynb": b"{}\n", "grader_config/course.toml": b""},
        {"thesis.tex": b"mine"},
    ],
)
def test_nobody_is_let_into_a_repository_that_is_something_else(
    term: Term, files: dict[str, bytes]
) -> None:
    term.state.create("the-course/nets")
    push(term.github, "the-course/nets", files)
    term.roster("priya,priya-s,nets")
    before = term.state.branches("the-course/nets")
    for _ in range(2):
        done = term.enrol()["nets"]
        assert (
            done.done == []
            and "holds nothing of this course's release, so nobody was let in" in done.problems[0]
        )
        assert (
            term.access("nets") == set()
            and term.state.branches("the-course/nets") == before
            and "the-course/nets" not in term.state.teams["staff"]
        )


@pytest.mark.parametrize("marked", [True, False])
def test_a_new_terms_team_gets_nothing_of_last_terms(term: Term, marked: bool) -> None:
    term.roster("priya,priya-s,team-1")
    term.enrol()
    term.accept("team-1", "priya-s")
    commit = push(term.github, "the-course/team-1", {"gates/gates.ipynb": b'{"mine": 1}\n'})
    if not marked:
        term.unmark("team-1")
    term.label("2027")
    term.roster("tomas,tomas-b,team-1")
    done = term.enrol()["team-1"]
    assert done.done == [] and len(done.problems) == 1
    assert (
        "is another run's (Work of team-1 · Gates · 2026)"
        if marked
        else "is somebody else's (priya-s)"
    ) in done.problems[0]
    assert (
        term.access("team-1") == {"priya-s"}
        and term.state.branches("the-course/team-1")["main"] == commit
    )
    term.settings(prefix="dl27-")
    assert term.enrol()["dl27-team-1"].problems == [] and term.access("dl27-team-1") == {"tomas-b"}


def test_where_last_terms_people_have_gone_their_work_is_still_theirs(term: Term) -> None:
    term.roster("priya,priya-s,team-1")
    term.enrol()
    push(term.github, "the-course/team-1", {"gates/gates.ipynb": b'{"mine": 1}\n'})
    term.unmark("team-1")
    term.state.invitations.clear()
    term.roster("tomas,tomas-b,team-1")
    assert (
        "holds work, but nobody of 'team-1' has access to it" in term.enrol()["team-1"].problems[0]
        and term.access("team-1") == set()
    )


def test_what_an_earlier_version_made_is_adopted_in_mid_term(term: Term) -> None:
    term.roster("ada,ada-l,", "bruno,bruno-k,nets", "chloe,chloe-m,nets")
    term.enrol()
    for name in ("ada", "nets"):
        term.unmark(name)
    term.accept("nets", "bruno-k")
    commit = push(term.github, "the-course/nets", {"gates/gates.ipynb": b'{"mine": 1}\n'})
    push(term.github, "the-course/release", {"README.md": b"Newer\n"})
    assert {name: (each.done, each.problems) for name, each in term.enrol().items()} == {
        name: (["mark it as this run's"], []) for name in ("ada", "nets")
    }
    assert term.state.branches("the-course/nets")["main"] == commit
    assert all(each.done == [] for each in term.enrol().values())
    assert (
        term.state.repositories["the-course/nets"]["description"] == "Work of nets · Gates · 2026"
    )


def test_a_mark_before_the_label_was_given_is_brought_up_to_date_and_one_of_a_renamed_folder_holds(
    term: Term,
) -> None:
    term.label("")
    term.roster("ada,ada-l,")
    term.enrol()
    term.label("2026")
    assert term.enrol()["ada"].done == ["mark it as this run's"]
    named = Run("Gates", "2026")
    mark = named.mark("ada")
    assert (
        mark == "Work of ada · Gates · 2026"
        and Run("", "2026").mark("a · b") == "Work of a - b · - · 2026"
    )


def test_a_student_in_charge_of_a_repository_is_not_believed_whatever_its_description_says(
    term: Term,
) -> None:
    term.roster("ada,ada-l,", "bruno,bruno-k,")
    data = term.state.create("the-course/ada")
    push(term.github, "the-course/ada", {"gates/gates.ipynb": b"{}\n"})
    data["description"] = "Work of ada · Gates · 2026"
    term.state.collaborators["the-course/ada"] = {"bruno-k": "admin"}
    done = term.enrol()
    assert (
        "bruno-k is on the roster and may do more there than read and push"
        in done["ada"].problems[0]
    )
    assert term.access("ada") == {"bruno-k"} and done["bruno"].problems == []


# ---- nothing is taken from another run's ---------------------------------------------------------


def collected(room: Class) -> dict[str, Collected]:
    done = Collector(
        room.course, read(room.place.root), Recogniser(room.course, ())
    ).from_repositories(room.place.hub())
    return {each.who: each for each in done}


@pytest.mark.parametrize("how", ["release", "course", "key", "unmarked"])
def test_nothing_is_collected_from_delivered_to_or_corrected_in_another_runs_repository(
    room: Class, how: str
) -> None:
    state, data = room.github.state, room.notebook()
    push(room.github, "the-course/dl-ada", {"small/small.ipynb": data})
    push(room.github, "the-course/dl-gates", {"small/small.ipynb": data})
    other = {
        "release": "Work of ada · A small course · 2019",
        "course": "Work of ada · Other · -",
        "key": "Work of zoe · A small course · -",
        "unmarked": "Work",
    }
    state.repositories["the-course/dl-ada"]["description"] = other[how]
    if how == "unmarked":
        state.collaborators["the-course/dl-ada"] = {"zoe-x": "push"}
    before = state.branches("the-course/dl-ada")
    done = collected(room)
    assert (
        done["ada"].attempts == []
        and len(done["ada"].problems) == 1
        and len(done["gates"].attempts) == 2
    ), done
    assert ("is another run's" if how != "unmarked" else "is somebody else's") in done[
        "ada"
    ].problems[0]
    if how != "unmarked":
        room.collected("ada", data, "the-course/dl-ada", before["main"])
        room.write(room.result("ada", data))
        delivered, _ = room.deliver()
        assert (
            delivered["dl-ada"].done == []
            and "is another run's" in delivered["dl-ada"].problems[0]
            and room.comments("dl-ada") == []
        )
    assert state.branches("the-course/dl-ada") == before


# ---- comings and goings --------------------------------------------------------------------------


def test_an_invitation_that_has_expired_is_made_again_and_one_that_has_not_is_left(
    term: Term,
) -> None:
    term.roster("ada,ada-l,", "bruno,bruno-k,nets", "chloe,chloe-m,nets")
    term.enrol()
    term.state.expired |= {"the-course/ada ada-l", "the-course/nets chloe-m"}
    done = term.enrol()
    assert done["ada"].done == ["invite ada-l again, since the invitation had expired"]
    assert done["nets"].done == ["invite chloe-m again, since the invitation had expired"]
    assert all(each.done == [] for each in term.enrol().values()) and term.access("nets") == {
        "bruno-k",
        "chloe-m",
    }


def test_who_has_access_without_being_on_the_roster_is_said_and_taken_away_when_asked(
    term: Term,
) -> None:
    term.roster("ada,ada-l,", "bruno,bruno-k,nets", "chloe,chloe-m,nets", "zoe,zoe-x,")
    term.enrol()
    term.accept("nets", "chloe-m")
    term.accept("zoe", "zoe-x")
    term.state.collaborators["the-course/nets"]["the-teacher"] = "maintain"
    # chloe works alone now, zoe has left
    term.roster("ada,ada-l,", "bruno,bruno-k,nets", "chloe,chloe-m,")
    done = term.enrol()
    assert done["nets"].remarks == [
        (
            "the-course/nets: chloe-m has access (write) and is not on the roster for it; "
            "'autogradient enrol --revoke' takes it"
        )
    ]
    assert (
        "zoe-x has access" in done["zoe"].remarks[0]
        and "--archive" in done["zoe"].remarks[1]
        and not any(each.problems for each in done.values())
    )
    ran = Ran(term.place.root, "enrol")
    assert ran.code == 0 and "chloe-m has access" in ran.err, ran
    done = term.enrol(revoke=True)
    assert done["nets"].done == ["take the access of chloe-m"] and done["zoe"].done == [
        "take the access of zoe-x"
    ]
    assert (
        term.access("nets") == {"bruno-k", "the-teacher"}
        and term.access("zoe") == set()
        and term.access("chloe") == {"chloe-m"}
    )
    term.roster("ada,ada-l,", "bruno,bruno-k,nets")
    assert term.enrol(revoke=True)["chloe"].done == ["take back the invitation of chloe-m"]


def test_a_changed_login_is_followed(term: Term) -> None:
    term.roster("ada,ada-l,")
    term.enrol()
    term.accept("ada", "ada-l")
    term.enrol()
    known = Accounts.load(term.place.root).known["ada"]
    assert (known.login, known.id) == ("ada-l", term.state.ids["ada-l"])
    term.state.rename("ada-l", "ada-lovelace")
    done = term.enrol()["ada"]
    assert done.done == [] and done.problems == []
    assert done.remarks == [
        (
            "ada's account ada-l is called ada-lovelace now and was followed; write that "
            "into grader_config/roster.csv"
        )
    ]
    assert [member.login for member in read(term.place.root)] == ["ada-lovelace"] and term.enrol()[
        "ada"
    ].remarks == []
    # and is invited by the name of today
    del term.state.collaborators["the-course/ada"]["ada-lovelace"]
    assert term.enrol()["ada"].done == ["invite ada-lovelace"]
    term.roster("ada,ada-lovelace,")
    assert (
        term.enrol()["ada"].done == []
        and Accounts.load(term.place.root).known["ada"].id == known.id
    )


@pytest.mark.parametrize("there", ["nobody", "invited", "collaborator"])
def test_a_login_that_somebody_else_registered_is_not_let_in(term: Term, there: str) -> None:
    term.roster("ada,ada-l,")
    term.enrol()
    term.accept("ada", "ada-l")
    term.enrol()
    term.state.collaborators["the-course/ada"].clear()
    del term.state.ids["ada-l"]  # the account was deleted; who has its login now has another number
    if there == "invited":
        term.state.invitations["the-course/ada"] = {"ada-l": "push"}
    elif there == "collaborator":
        term.state.collaborators["the-course/ada"] = {"ada-l": "push"}
    done = term.enrol()["ada"]
    assert (
        done.done == []
        and (
            "ada: ada-l is not the account that accepted before but one that somebody "
            "registered later"
        )
        in done.problems[0]
    )
    if there != "nobody":
        assert (
            "ada-l has access" in done.remarks[0]
            and len(term.enrol(revoke=True)["ada"].done) == 1
            and term.access("ada") == set()
        )
    term.roster("ada,ada-2,")
    assert term.enrol()["ada"].done == ["invite ada-2"], "what staff write into the roster holds"


def test_an_account_that_is_gone_is_one_sentence(term: Term) -> None:
    term.roster("ada,ada-l,")
    term.enrol()
    term.accept("ada", "ada-l")
    term.enrol()
    term.state.collaborators["the-course/ada"].clear()
    term.state.people.discard("ada-l")
    assert term.enrol()["ada"].problems == [
        (
            "ada's account ada-l is not there any more; ask for another login, and write it "
            "into grader_config/roster.csv"
        )
    ]


def test_a_line_of_accounts_that_is_none_is_named(term: Term) -> None:
    (term.place.root / "grader_config" / "accounts.csv").write_text(
        "student,login,id,now\nada,ada-l,seven,ada-l\n"
    )
    with pytest.raises(
        CourseError,
        match="accounts.csv: line 2: this needs a student, a login and the number of an account",
    ):
        read(term.place.root)


def test_who_left_the_roster_turns_no_run_red(room: Class) -> None:
    room.graded("ada", "the-course/dl-ada")
    room.graded("bruno", "the-course/dl-gates")
    roster = room.place.root / "grader_config" / "roster.csv"
    roster.write_text(
        "".join(
            line
            for line in roster.read_text().splitlines(keepends=True)
            if not line.startswith("ada")
        )
    )
    ran = Ran(room.place.root, "deliver", "--changed")
    assert ran.code == 0 and ran.err.count("\n") == 1, ran
    assert (
        "ada: not on the roster any more; what they handed in and their results are kept" in ran.err
        and room.comments("dl-ada") == []
    )
    forged = room.result("mallory", room.notebook())
    room.write(forged)
    ran = Ran(room.place.root, "deliver", "--changed")
    assert ran.code == 1 and "nobody on the roster has this id" in ran.err


# ---- the end of a run ----------------------------------------------------------------------------


def test_archive_ends_this_run_and_touches_nothing_else(term: Term) -> None:
    term.roster("ada,ada-l,", "zoe,zoe-x,", "bruno,bruno-k,")
    term.enrol()
    term.unmark("bruno")
    term.state.create("the-course/other")
    term.state.repositories["the-course/other"]["description"] = "Work of other · Gates · 2025"
    term.roster("ada,ada-l,", "bruno,bruno-k,", "other,other-o,")
    ran = Ran(term.place.root, "enrol", "--archive", "--dry-run")
    assert "the-course/ada: would archive it, so that it can only be read" in ran.out
    done = term.enrol(archived=True)
    assert {name for name, each in done.items() if each.done} == {
        "ada",
        "bruno",
        "zoe",
    } and "is another run's" in done["other"].problems[0]
    assert {name for name, data in term.state.repositories.items() if data["archived"]} == {
        "the-course/ada",
        "the-course/bruno",
        "the-course/zoe",
    }
    assert not any(each.done for each in term.enrol(archived=True).values())
    term.roster("ada,ada-l,")
    assert "is archived and was left alone" in term.enrol()["ada"].problems[0]
    assert Ran(term.place.root, "enrol", "--archive", "--revoke").code == 2


def test_no_other_command_changes_who_can_read_or_write(room: Class) -> None:
    hub = room.place.hub()
    before = look(hub)
    room.graded("ada", "the-course/dl-ada")
    collected(room)
    room.deliver()
    assert difference(before, look(hub)) == {} and set(before) == {
        f"the-course/{name}" for name in ("release", "dl-ada", "dl-gates", "dl-daria")
    }


def test_publish_says_that_it_makes_a_repository(room: Class) -> None:
    """And a rehearsal says the same, and makes none."""
    config_file = room.place.root / "grader_config" / "github.toml"
    config_file.write_text(config_file.read_text() + 'release = "first"\n')
    room.place.settings = load(room.place.root)
    hub, said = room.place.hub(), list[str]()
    before = look(hub)
    to_github(hub, room.course, [], dry_run=True, told=said.append)
    assert said == ["the-course/first: would make the repository, private"] and look(hub) == before
    to_github(hub, room.course, [], told=said.append)
    assert said[1:] == ["the-course/first: make the repository, private"]
    assert difference(before, look(hub)) == {"the-course/first": ["make the repository, private"]}


def test_whatever_changes_shows_in_the_audit(term: Term) -> None:
    term.roster("ada,ada-l,")
    term.enrol()
    before = look(term.place.hub(), ["ada"])
    term.state.repositories["the-course/ada"] |= {"private": False, "visibility": "public"}
    term.accept("ada", "ada-l")
    term.state.collaborators["the-course/ada"]["zoe-x"] = "admin"
    term.state.teams["staff"].clear()
    changes = difference(before, look(term.place.hub(), ["ada"]))["the-course/ada"]
    assert changes == [
        "visibility: private → public",
        "ada-l: invited → write",
        "zoe-x: - → admin",
        "the team staff: maintain → -",
    ]
