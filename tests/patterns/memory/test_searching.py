"""What is found of a team's patterns, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from team_made_up import MadeTeam, convention, new

from core.ranking.matching import Documents
from core.ranking.terms import counted
from patterns.memory.operations import Convene, Delete
from patterns.memory.searching import Asked, Postings, Search
from patterns.memory.team_memory import TeamMemory


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path) as memory:
        found = MadeTeam(memory, memory.found("one", "ada"))
        found.add("mia", *(new(number, before_code=f"x_{number} = 1", commit_msg="") for number in range(30)))
        yield found


def test_votes_order_what_matches_about_as_well_and_nothing_else(made: MadeTeam) -> None:
    words = "cookie jar redirect"
    alike = made.add("mia", *(new(100 + number, before_code=f"{words} {number}", commit_msg="") for number in range(3)))
    (other,) = made.add("mia", new(200, before_code="jar of nothing at all here", commit_msg=""))
    search, reader = Search(), made.of("rob")

    def found(k: int = 5) -> list[str]:
        return [row["id"] for row in search.find(reader, Asked(task=words, k=k))["similar"]]

    assert set(found()) == {one.id for one in alike}
    for name in ("moe", "max"):
        made.vote(name, alike[1].id, True)
        made.vote(name, other.id, True)
        made.vote(name, alike[2].id, False)
    assert (found()[0], found()[-1]) == (alike[1].id, alike[2].id)
    assert found(1) == [alike[1].id]
    made.of("mia").apply([Delete(id=alike[1].id)])
    assert set(found()) == {alike[0].id, alike[2].id}


@pytest.mark.parametrize(
    "asked",
    [
        Asked(code="cookie_jar = redirect()"),
        Asked(diff="--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-cookie_jar.redirect\n+other\n"),
        Asked(error="KeyError: cookieJar in redirect"),
        Asked(task="redirects lose the cookie jar"),
    ],
)
def test_code_a_diff_an_error_and_a_task_are_asked_for_alike(made: MadeTeam, asked: Asked) -> None:
    (wanted,) = made.add("mia", new(100, before_code="def redirect(cookie_jar): pass"))
    assert [row["id"] for row in Search().find(made.of("rob"), asked)["similar"]] == [wanted.id]


@pytest.mark.parametrize(
    "asked", [Asked(), Asked(task="zebra"), Asked(diff="--- a\n+++ b\n+cookie\n"), Asked(path="x.rs")]
)
def test_nothing_applies(made: MadeTeam, asked: Asked) -> None:
    made.add("mia", new(100, before_code="def redirect(cookie_jar): pass"))
    found = Search().find(made.of("rob"), asked)
    assert (found["similar"], found["templates"], found["reason"]) == ([], [], "nothing applies")


def test_conventions_of_the_path_are_told_too(made: MadeTeam) -> None:
    made.of("mia").apply([Convene(template=convention(0))])
    found = Search().find(made.of("rob"), Asked(path="tests/test_a.py", task="zebra"))
    assert [one["template_id"] for one in found["templates"]] == ["0" * 16]
    assert found["reason"] == ""


def test_postings_find_what_a_pass_over_all_finds() -> None:
    texts = [["jar", "cookie", "jar"], [], ["redirect"], ["cookie"]]
    documents = Documents.of([counted(one) for one in texts])
    asked = ["cookie", "zebra", "jar", "jar"]
    one, other = Postings(documents).find(asked), documents.find(asked)
    assert sorted(zip(one.hits, one.places, strict=True)) == sorted(zip(other.hits, other.places, strict=True))
    assert one.all_scores().tolist() == pytest.approx(other.all_scores().tolist())
    assert one.shares.tolist() == other.shares.tolist()
