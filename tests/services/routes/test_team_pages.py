"""Pages of a team's memory as browsers get them: filters, votes, roles, and texts that would do harm."""

from __future__ import annotations

import re
import uuid
from contextlib import closing
from typing import Any

import httpx2 as httpx
import pytest
from answerers import Repeating
from builders import Repo
from team_made_up import MadeTeam, convention, new

from patterns.memory.operations import Convene
from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.chats import Chats
from services.http.limits import Limits
from tests.services.conftest import Asking
from tests.services.injections import INJECTIONS, Tags, assert_guarded, assert_inert
from tests.services.team_site import NOBODY, PLENTY, Client, Site


def buttons(answer: httpx.Response) -> set[str]:
    """What the forms of a page would do."""
    return {one.get("action") or "" for tag, one in Tags(answer.text).tags if tag == "form"} - {"/sign-out"}


def page_links(answer: httpx.Response) -> list[str]:
    """Where a page leads to."""
    return [attributes.get("href") or "" for tag, attributes in Tags(answer.text).tags if tag == "a"]


def titles(answer: httpx.Response) -> list[str]:
    """The patterns that a list shows."""
    return re.findall(r'<h2><a href="/team/patterns/[^"]+">([^<]*)</a></h2>', answer.text)


def test_a_browser_is_asked_for_its_key_and_comes_to_the_patterns(site: Site) -> None:
    async def work(client: Client) -> None:
        sent_away = await client.get("/team/patterns?q=mean")
        assert (sent_away.status_code, sent_away.headers["Location"]) == (303, "/sign-in?to=/team/patterns%3Fq%3Dmean")
        form = await client.get(sent_away.headers["Location"])
        assert "an admin of your team makes one" in assert_inert(form.text).text
        wrong = await client.post("/sign-in", data={"key": "glk_abcdefgh_" + "x" * 43})
        assert (wrong.status_code, "lets nobody in" in wrong.text) == (401, True)
        right = await client.post("/sign-in", data={"key": site.keys["rob"], "to": "/team/patterns?q=mean"})
        assert right.headers["Location"] == "/team/patterns?q=mean"
        assert all(word in right.headers["Set-Cookie"] for word in ("HttpOnly", "SameSite=lax"))
        assert site.keys["rob"][13:] not in right.headers["Set-Cookie"]
        start = await client.get("/")
        assert start.headers["Location"] == "/team/patterns"
        page = await client.get("/team/patterns")
        assert_guarded(page)
        made = assert_inert(page.text)
        assert "rob, reader of team" in made.text
        assert "The team has none yet." in made.text
        out = await client.post("/sign-out")
        assert out.headers["Location"] == "/sign-in"
        assert (await client.get("/team/patterns")).status_code == 303

    site(NOBODY, work)


def test_a_session_ends_with_its_key(site: Site) -> None:
    async def work(client: Client) -> None:
        assert (await client.get("/team/patterns")).status_code == 200
        site.made.of("ada").people.revoke_key(site.keys["mia"][4:12])
        assert (await client.get("/team/patterns")).status_code == 303
        assert (await client.post(f"/team/patterns/{uuid.uuid4()}/vote")).status_code == 401

    site("mia", work)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["three", "two", "one"]),
        ("q=total_2", ["two"]),
        ("problem_type=feature_addition", ["two"]),
        ("change_kind=guard", ["three"]),
        ("language=rust", ["three"]),
        (f"repository={'f' * 40}", ["one"]),
        ("member=moe", ["three"]),
        ("file=shop/", ["two", "one"]),
        ("file=lib/three.rs&language=rust", ["three"]),
        ("q=nowhere", []),
        ("q=&language=&sort=recent&member=", ["three", "two", "one"]),
    ],
)
def test_a_list_is_filtered(site: Site, query: str, shown: list[str]) -> None:
    site.pattern(number=1, commit_msg="one", repository="f" * 40)
    site.pattern(number=2, commit_msg="two\n\nand more", problem_type="feature_addition")
    site.pattern("moe", 3, commit_msg="three", language="rust", file_path="lib/three.rs", change_kind="guard")
    page = site.get("rob", f"/team/patterns?sort=recent&{query}")
    assert titles(page) == shown
    words = f"{len(shown)} pattern{'s' if len(shown) != 1 else ''}{' of this kind' if query else ''}"
    assert words in assert_inert(page.text).text
    for choice in ("feature addition", "rust", "moe", "f" * 9, "guard"):
        assert f">{choice}</option>" in page.text


def test_a_list_goes_on_where_a_page_ends_and_keeps_its_filters(site: Site) -> None:
    site.made.add("mia", *(new(number, language="go") for number in range(41)), new(99))
    path, seen, pages = "/team/patterns?language=go", list[str](), 0
    while path:
        page = site.get("rob", path)
        seen, pages = seen + titles(page), pages + 1
        assert ("First page" in page.text) == (pages > 1)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert (len(seen), len(set(seen)), pages) == (41, 41, 3)


@pytest.mark.parametrize("query", ["sort=worst", "q=%00", "cursor=x", "deleted=perhaps", "q=" + "x" * 1001])
def test_a_list_that_cannot_be_is_refused_with_a_page(site: Site, query: str) -> None:
    page = site.get("rob", f"/team/patterns?{query}")
    assert page.status_code in (400, 422)
    assert_guarded(page)
    assert "That did not work" in assert_inert(page.text).text


def test_one_pattern_has_its_change_its_fate_and_its_votes(site: Site) -> None:
    survival = {"born": "b" * 40, "until": "c" * 40, "days": 400.0, "lines": 4, "alive": 3}
    one = site.pattern(
        before_code="def mean(values):\n    return sum(values) / len(values)\n",
        after_code="def mean(values):\n    if not values:\n        return 0\n    return sum(values) / len(values)\n",
        survival=survival,
        masked={"github_token": 1},
    )
    site.made.vote("moe", one, True)
    site.made.vote("max", one, False)
    page = site.get("rob", f"/team/patterns/{one}")
    assert_guarded(page)
    made = assert_inert(page.text)
    rows = re.findall(r'<span class="row( \w+)?"><span class="sign">(.)</span>', page.text)
    assert rows == [("", " "), (" added", "+"), (" added", "+"), ("", " ")]
    assert '<span class="k">def</span>' in page.text
    for words in (
        "3 of 4 lines stand after 400 days.",
        "1 of 2 members who said so (n = 2)",
        f"more than {100 * site.made.of('rob').reading.one(one)['score']:.0f} of 100",
        "Confidence 0.75: where this was measured, 75 of 100 changes of this age",
        "b" * 40,
        "1 github token",
        "The commit changes tests, too.",
        "Ada <ada@example.org>",
    ):
        assert words in made.text
    svg = next(attributes for tag, attributes in made.tags if tag == "svg")
    assert (svg["role"], svg["aria-label"]) == ("img", "3 of 4 lines stand after 400 days.")
    assert "1 year" not in made.text
    assert re.findall(r">(\d+ months?)</text>", page.text) == [
        "3 months",
        "6 months",
        "9 months",
        "12 months",
    ]


def test_what_is_not_known_of_a_pattern_is_said(site: Site) -> None:
    one = site.pattern(survival=None, confidence=0, commit_msg="", author="", date="", commit="", template_id="a1")
    text = assert_inert(site.get("rob", f"/team/patterns/{one}").text).text
    for words in ("Nobody has looked yet", "n = 0", "Confidence is not known", "step of a1, which nobody has sent"):
        assert words in text
    gone = {"born": "b", "until": "c", "days": 9.4, "lines": 4, "alive": 1, "ended_by": "e" * 40, "taken_back": True}
    other = site.pattern(number=1, survival=gone, confidence=0)
    page = site.get("rob", f"/team/patterns/{other}")
    assert f"Taken back after 9 days by {'e' * 9}." in page.text
    assert "Confidence 0: most of its lines are gone." in page.text
    for path in ("nowhere", str(uuid.uuid4()), "%00", "x" * 3000):
        missing = site.get("rob", f"/team/patterns/{path}")
        assert (missing.status_code, "has no pattern" in assert_inert(missing.text).text) == (404, True)


def test_a_pattern_shows_the_convention_that_it_is_a_step_of(site: Site) -> None:
    site.made.of("mia").apply([Convene(template=convention(7, retired="expired"))])
    one = site.pattern(template_id=convention(7).template_id)
    text = assert_inert(site.get("rob", f"/team/patterns/{one}").text).text
    assert "assert v0 == s7" in text
    assert "it is expired by now. It would have been offered 10 times and was right 9 times." in text


def test_a_vote_is_given_changed_and_taken_back_by_buttons(site: Site) -> None:
    one = site.pattern()
    path, seen = f"/team/patterns/{one}", []

    async def work(client: Client) -> None:
        for said in ("yes", "no", "none"):
            answer = await client.post(f"{path}/vote", data={"helpful": said})
            assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}#votes")
            page = (await client.get(path)).text
            pressed = re.findall(r'value="(\w+)" aria-pressed="true"', page)
            row = site.made.of("moe").reading.one(one)
            seen.append((row["up"], row["down"], row["my_vote"], pressed, "Take it back" in page))

    site("moe", work)
    assert seen == [(1, 0, True, ["yes"], True), (0, 1, False, ["no"], True), (0, 0, None, [], False)]


@pytest.mark.parametrize(
    ("name", "may"),
    [("rob", set()), ("mia", {"delete"}), ("moe", {"vote"}), ("max", {"vote", "delete"}), ("ada", {"vote", "delete"})],
)
def test_pages_offer_what_a_role_may_and_the_server_refuses_the_rest(site: Site, name: str, may: set[str]) -> None:
    one = site.pattern("mia")
    path = f"/team/patterns/{one}"
    assert buttons(site.get(name, path)) == {f"{path}/{action}" for action in may}
    for action, status in (("vote", 409 if name == "mia" else 403), ("delete", 403)):
        if action not in may:
            answer = site.post(name, f"{path}/{action}", helpful="yes")
            assert (answer.status_code, answer.text[:15]) == (status, "<!doctype html>")
    row = site.made.of("rob").reading.one(one)
    assert (row["up"], row["down"], row["deleted_at"]) == (0, 0, None)


def test_deleting_is_undone_by_a_maintainer(site: Site) -> None:
    one = site.pattern()
    path = f"/team/patterns/{one}"
    assert site.post("mia", f"{path}/delete").headers["Location"] == path
    for name, shown in (("rob", "A maintainer can restore it."), ("max", "Restore")):
        page = site.get(name, path)
        assert (
            f"Deleted by mia, {site.made.of('ada').reading.one(one, include_deleted=True)['deleted_at'][:10]}."
            in page.text
        )
        assert shown in page.text
    assert titles(site.get("max", "/team/patterns")) == []
    assert len(titles(site.get("max", "/team/patterns?deleted=true"))) == 1
    assert 'name="deleted"' in site.get("max", "/team/patterns").text
    assert 'name="deleted"' not in site.get("mia", "/team/patterns").text
    assert site.post("mia", f"{path}/restore").status_code == 403
    assert buttons(site.get("max", path)) == {f"{path}/restore"}
    site.post("max", f"{path}/restore")
    assert len(titles(site.get("rob", "/team/patterns"))) == 1


def test_a_served_repository_is_named_and_its_commits_are_links(shop: Asking, memory: TeamMemory) -> None:
    first, head = shop.repo.git("rev-list", "--max-parents=0", "HEAD"), shop.repo.git("rev-parse", "HEAD")
    empty = Repo.new(shop.cache / "empty")
    with closing(Chats.open({"": str(shop.repo.path), "empty": str(empty.path)}, shop.cache)) as chats:
        app = make_app({"files": Repeating(name="files")}, Limits(), chats=chats, team=memory, rates=PLENTY)
        site = Site(app, MadeTeam(memory, memory.found(f"beside {uuid.uuid4()}", "ada")))
        one = site.pattern(repository=f"root:{first}", commit=head, file_path="shop/basket.py")
        other = site.pattern(number=1, repository="root:" + "f" * 40)
        page = site.get("rob", f"/team/patterns/{one}")
        assert_inert(page.text)
        links = page_links(page)
        for path in (f"/repositories/shop/commits/{head}", f"/repositories/shop/files/{head}/shop/basket.py"):
            assert path in links
            assert site.get("rob", path).status_code == 200
        assert links[1:4] == ["/", "/", "/team/patterns"]
        assert "/repositories/" not in site.get("rob", f"/team/patterns/{other}").text
        listed = site.get("rob", "/team/patterns?repository=root:nowhere").text
        for shown in (">shop</option>", f">{'f' * 9}</option>", "selected>nowhere</option>"):
            assert shown in listed
        home = site.get("rob", "/")
        assert "Repositories" in home.text
        assert "rob, reader of beside" in home.text


def test_no_page_of_another_site_makes_a_browser_change_anything(site: Site) -> None:
    one = site.pattern()

    async def work(client: Client) -> list[int]:
        path = f"/team/patterns/{one}/vote"
        origins = ("http://evil.example", "http://localhost:9", "null", "http://localhost.evil.example")
        answers = [await client.post(path, data={"helpful": "no"}, headers={"Origin": one}) for one in origins]
        del client.headers["Origin"]
        answers.append(await client.post(path, data={"helpful": "no"}))
        answers.append(await client.request("DELETE", f"/patterns/{one}"))
        return [answer.status_code for answer in answers]

    assert site("max", work) == [403] * 6
    row = site.made.of("rob").reading.one(one)
    assert (row["down"], row["deleted_at"]) == (0, None)


def test_no_page_shows_a_pattern_of_another_team(site: Site, memory: TeamMemory) -> None:
    other = MadeTeam(memory, memory.found(f"other {uuid.uuid4()}", "eve"))
    one = other.add("ada", new(5, language="cobol"))[0].id
    assert site.get("ada", f"/team/patterns/{one}").status_code == 404
    assert site.post("ada", f"/team/patterns/{one}/delete").status_code == 404
    listed = site.get("ada", "/team/patterns?deleted=true").text
    assert "cobol" not in listed
    assert one not in listed


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_an_injection_is_inert_wherever_it_stands(site: Site, text: str) -> None:
    plain = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
    names = ("commit_msg", "author", "repository", "file_path", "symbol", "before_code", "after_code", "date")
    values: dict[str, Any] = {**dict.fromkeys(names, text), "before_code": f"{text} before"}
    short = text[:50]
    values |= {"problem_type": short, "change_kind": short, "language": short, "date": text[:40], "masked": {short: 1}}
    values["survival"] = {"born": text, "until": text, "days": 1, "lines": 1, "alive": 0, "ended_by": text}
    template = convention(3, before=text, after=text, retired=short)
    site.made.of("mia").apply([Convene(template=template)])
    one = site.pattern(template_id=template.template_id, **values)
    for path in (f"/team/patterns/{one}", "/team/patterns"):
        page = site.get("max", path)
        assert page.status_code == 200
        assert plain in assert_inert(page.text).text
    asked = dict.fromkeys(("q", "problem_type", "change_kind", "language", "repository", "member", "file"), text)

    async def work(client: Client) -> None:
        filtered = await client.get("/team/patterns", params=asked)
        assert "Nothing is like that." in assert_inert(filtered.text).text
        form = await client.get("/sign-in", params={"to": f"/{text}"})
        assert_inert(form.text)

    site("max", work)
