"""Pages about members, keys and the audit: what admins do on them, and that nobody else does."""

from __future__ import annotations

import re
import uuid

import httpx2 as httpx
import pytest
from team_made_up import MadeTeam

from patterns.memory.people import MOST_LISTED
from patterns.memory.team_memory import TeamMemory
from tests.services.injections import INJECTIONS, assert_guarded, assert_inert
from tests.services.team_site import NOBODY, Client, Site

MEMBERS, KEYS, AUDIT = "/team/members", "/team/keys", "/team/audit"
FORMS = {
    MEMBERS: {"name": "eve", "role": "admin"},
    f"{MEMBERS}/change": {"name": "mia", "role": "admin"},
    KEYS: {"member": "ada"},
    f"{KEYS}/revoke": {"prefix": "abcdefgh"},
}


def rows(answer: httpx.Response) -> list[str]:
    """The first words of each row of a table."""
    return re.findall(r"<tr><td[^>]*>(?:<code>)?([^<]*?)(?:…)?(?:</code>| <a| ?</td>)", answer.text)


def test_a_member_is_added_changed_and_disabled(site: Site) -> None:
    added = site.post("ada", MEMBERS, name="eve o'hara", role="reader", email="eve@example.org")
    assert (added.status_code, added.headers["Location"]) == (303, MEMBERS)
    page = site.get("ada", f"{MEMBERS}?name=O%27H")
    assert_guarded(page)
    made = assert_inert(page.text)
    assert rows(page) == ["eve o&#39;hara"]
    assert "1 member" in made.text
    assert "eve@example.org" in made.text
    site.post("ada", f"{MEMBERS}/change", name="eve o'hara", role="maintainer")
    assert rows(site.get("ada", f"{MEMBERS}?role=maintainer")) == ["eve o&#39;hara", "max"]
    for disabled, button in (("true", "Enable"), ("false", "Disable")):
        site.post("ada", f"{MEMBERS}/change", name="eve o'hara", disabled=disabled)
        assert f'aria-label="{button} eve o&#39;hara"' in site.get("ada", MEMBERS).text


@pytest.mark.parametrize(
    ("path", "fields", "status", "said"),
    [
        (MEMBERS, {"name": "mia", "role": "member"}, 409, "There is a member mia already"),
        (MEMBERS, {"name": " x", "role": "member"}, 422, "cannot be the name of a member"),
        (MEMBERS, {"name": "x", "role": "king"}, 422, "Role:"),
        (MEMBERS, {}, 422, "Name:"),
        (f"{MEMBERS}/change", {"name": "ada", "role": "reader"}, 409, "The team would have no admin"),
        (f"{MEMBERS}/change", {"name": "nobody", "role": "reader"}, 404, "There is no member nobody"),
        (f"{MEMBERS}/change", {"name": "mia", "disabled": "perhaps"}, 422, "Disabled:"),
        (KEYS, {"member": "nobody"}, 404, "There is no member nobody"),
        (KEYS, {"member": "mia", "days": "0"}, 422, "Days:"),
        (KEYS, {"member": "mia", "days": "x"}, 422, "Days:"),
        (f"{KEYS}/revoke", {"prefix": "abcdefgh"}, 404, "There is no key abcdefgh"),
        (f"{KEYS}/revoke", {"prefix": "\0"}, 404, "There is no key"),
    ],
)
def test_what_cannot_be_done_is_said_above_the_list(
    site: Site, path: str, fields: dict[str, str], status: int, said: str
) -> None:
    page = site.post("ada", path, **fields)
    assert (page.status_code, said in assert_inert(page.text).text) == (status, True)
    assert '<table class="rows">' in page.text
    assert {one["name"]: one["role"] for one in site.made.of("ada").people.members()}["ada"] == "admin"


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(site: Site) -> None:
    made = site.post("ada", KEYS, member="mia", label="laptop", days="30")
    assert made.headers["Cache-Control"] == "no-store"
    (key,) = re.findall(r"glk_\w{8}_[\w-]{43}", assert_inert(made.text).text)
    assert site(NOBODY, lambda client: client.get("/whoami", headers={"X-API-Key": key})).json()["member"] == "mia"
    listed = site.get("ada", f"{KEYS}?member=mi")
    assert_guarded(listed)
    assert key not in listed.text
    assert rows(listed) == [f"glk_{key[4:12]}", f"glk_{site.keys['mia'][4:12]}"]
    assert re.search(
        r'laptop</td><td class="when">\d{4}-\d\d-\d\d</td><td class="when">\d{4}-\d\d-\d\d \d\d:\d\d', listed.text
    )
    assert site.post("ada", f"{KEYS}/revoke", prefix=key[4:12]).headers["Location"] == KEYS
    assert site.made.memory.identify(key) is None
    assert rows(site.get("ada", f"{KEYS}?state=ended")) == [f"glk_{key[4:12]}"]
    assert f"glk_{key[4:12]}" not in rows(site.get("ada", f"{KEYS}?state=valid"))


def test_long_lists_have_pages_that_keep_their_filters(site: Site) -> None:
    people = site.made.of("ada").people
    for number in range(MOST_LISTED + 1):
        people.add_member(f"guest {number:02}", "reader")
        people.make_key(f"guest {number:02}")
    for path, name in ((MEMBERS, "name"), (KEYS, "member")):
        first = site.get("ada", f"{path}?{name}=guest")
        following = re.search(r'rel="next" href="([^"]+)"', first.text)
        assert following
        second = site.get("ada", following[1].replace("&amp;", "&"))
        assert (len(rows(first)), len(rows(second)), "2 of 2" in second.text) == (MOST_LISTED, 1, True)
        assert not set(rows(first)) & set(rows(second))
        assert 'rel="prev"' in second.text


def test_the_audit_is_read_by_member_and_by_action_page_by_page(site: Site) -> None:
    one = site.pattern()
    site.post("max", f"/team/patterns/{one}/delete")
    for _ in range(51):
        site.made.of("ada").people.make_key("mia")
    page = site.get("max", f"{AUDIT}?action=pattern.&member=max")
    assert_guarded(page)
    text = assert_inert(page.text).text
    assert ("pattern.delete" in text, "patterns.write" in text, "key.create" in text) == (True, False, False)
    assert f'href="/team/patterns/{one}"' in page.text
    first = site.get("max", f"{AUDIT}?action=key.create")
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following
    second = site.get("max", following[1].replace("&amp;", "&"))
    assert (len(rows(first)), len(rows(second)), "First page" in second.text) == (50, 6, True)
    assert "Nothing of this kind." in site.get("max", f"{AUDIT}?member=nobody").text
    assert site.get("max", f"{AUDIT}?cursor=x").status_code == 400


@pytest.mark.parametrize("name", ["rob", "mia", "max"])
def test_only_admins_see_and_change_who_is_in_the_team(site: Site, name: str) -> None:
    before = site.made.of("ada").people.members(), len(site.made.of("ada").people.keys())

    async def work(client: Client) -> None:
        for path, fields in FORMS.items():
            answer = await client.post(path, data=fields)
            assert (answer.status_code, answer.text[:15]) == (403, "<!doctype html>")
        seen = [(await client.get(path)).status_code for path in (MEMBERS, KEYS, AUDIT)]
        assert seen == [403, 403, 200 if name == "max" else 403]
        links = re.findall(r'<a href="(/team/\w+)"', (await client.get("/team/patterns")).text)
        assert links == ["/team/patterns", *([AUDIT] if name == "max" else [])]

    site(name, work)
    assert (site.made.of("ada").people.members(), len(site.made.of("ada").people.keys())) == before


def test_no_page_of_another_site_makes_an_admins_browser_change_anything(site: Site) -> None:
    async def work(client: Client) -> list[int]:
        evil = {"Origin": "http://evil.example"}
        return [(await client.post(path, data=fields, headers=evil)).status_code for path, fields in FORMS.items()]

    assert site("ada", work) == [403] * 4


def test_admins_see_nobody_of_another_team(site: Site, memory: TeamMemory) -> None:
    other = MadeTeam(memory, memory.found(f"other {uuid.uuid4()}", "ada"))
    key = other.key("zoe")
    for path in (MEMBERS, KEYS, AUDIT):
        page = site.get("ada", path)
        assert (page.status_code, "zoe" in page.text, key[4:12] in page.text) == (200, False, False)
    assert site.post("ada", f"{KEYS}/revoke", prefix=key[4:12]).status_code == 404
    assert memory.identify(key)


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_an_injection_is_inert_wherever_it_stands(site: Site, text: str) -> None:
    plain = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
    added = site.post("ada", MEMBERS, name=text, role="reader", email="a@example.org")
    assert added.status_code == (303 if plain == text else 422)
    made = site.post("ada", KEYS, member=text if plain == text else "mia", label=text)
    assert made.status_code == 200
    for page in (added, made, *(site.get("ada", path) for path in (MEMBERS, KEYS, AUDIT))):
        assert_inert(page.text)
    assert plain in assert_inert(site.get("ada", KEYS).text).text
    for path, name in ((MEMBERS, "name"), (KEYS, "member"), (AUDIT, "action")):
        found = site("ada", lambda client, path=path, name=name: client.get(path, params={name: text}))
        assert found.status_code == 200
        assert_inert(found.text)
