"""The pages of a team in Chromium: signing in, voting, members and keys, harmful texts, all sizes and colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from team_made_up import ROLES_OF, MadeTeam, convention, new

from patterns.memory.operations import Convene, Delete
from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from tests.services.browsing import IN_BROWSER, Watched, assert_inert, grave, hard_to_read
from tests.services.conftest import PLENTY, listening
from tests.services.injections import INJECTIONS
from tests.services.team_site import PLENTY as RATES

pytestmark = IN_BROWSER
BEFORE = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"
AFTER = "def mean(values):\n    if not values:\n        return 0\n    return sum(values) / len(values)\n"
GONE = {"born": "b" * 40, "until": "c" * 40, "days": 90.0, "lines": 4, "alive": 1, "ended_by": "d" * 40}


@dataclass(frozen=True)
class TeamSite:
    """A service with a team: patterns that stand, one whose lines are gone, a deleted one, and harmful ones."""

    url: str
    keys: dict[str, str]
    standing: str
    gone: str
    deleted: str
    harmful: list[str]

    @property
    def paths(self) -> list[str]:
        """Of pages that look different."""
        patterns = [f"/team/patterns/{one}" for one in (self.standing, self.gone, self.deleted)]
        lists = ["/team/patterns", "/team/patterns?q=nowhere", "/team/members", "/team/keys", "/team/audit"]
        return [*lists, *patterns, "/team/patterns/nowhere"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamSite]:
    """It listens at a free port."""
    with TeamMemory(tmp_path_factory.mktemp("team")) as memory:
        made = MadeTeam(memory, memory.found("shop", "ada"))
        keys = {name: made.key(name) for name in ROLES_OF}
        made.of("mia").apply([Convene(template=convention(1))])
        mine = made.add(
            "mia",
            new(1, before_code=BEFORE, after_code=AFTER, template_id=convention(1).template_id),
            new(2, before_code="", survival=GONE, confidence=0, file_path=f"shop/{'long/' * 40}file.py"),
            new(3),
        )
        standing, gone, deleted = (one.id for one in mine)
        made.vote("max", standing, True)
        made.of("mia").apply([Delete(id=deleted)])
        names = ("commit_msg", "author", "repository", "file_path", "symbol", "before_code", "after_code")
        harmful = made.add("moe", *(new(10 + at, **dict.fromkeys(names, text)) for at, text in enumerate(INJECTIONS)))
        app = make_app({}, PLENTY, team=memory, rates=RATES)
        with listening(app) as port:
            yield TeamSite(f"http://127.0.0.1:{port}", keys, standing, gone, deleted, [one.id for one in harmful])


def signed_in(page: Page, site: TeamSite, name: str, path: str = "/team/patterns") -> None:
    """Open a page, which asks for the key first."""
    page.goto(site.url + path)
    page.get_by_label("API key").fill(site.keys[name])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url == site.url + path)


def test_a_member_finds_a_pattern_and_votes(watched: Watched, site: TeamSite) -> None:
    page = watched.page
    signed_in(page, site, "moe")
    page.keyboard.press("/")
    page.keyboard.type("sum(values)")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 pattern of this kind")
    page.get_by_role("link", name="Fix the mean of nothing, 1").click()
    expect(page.locator(".added").first).to_contain_text("if not values:")
    expect(page.get_by_role("img", name="1 of 1 lines stand after 30 days.")).to_be_visible()
    for button, said in (("It helped", "helped 2 of 2"), ("It did not", "helped 1 of 2"), ("Take it back", "1 of 1")):
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#votes")).to_contain_text(said)
        pressed = page.locator('#votes button[aria-pressed="true"]')
        expect(pressed).to_have_text([button] if button != "Take it back" else [])
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def test_an_admin_adds_a_member_whose_key_is_shown_once(watched: Watched, site: TeamSite) -> None:
    page = watched.page
    signed_in(page, site, "ada", "/team/members")
    page.get_by_label("Name, which stays").fill("zoe")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("button", name="Disable zoe")).to_be_visible()
    page.get_by_role("link", name="Keys", exact=True).click()
    form = page.locator("form", has=page.get_by_role("button", name="Make it"))
    form.get_by_label("Member").select_option("zoe")
    form.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make it").click()
    shown = page.get_by_label("The new key")
    expect(shown).to_have_text(re.compile(r"^glk_\w{8}_[\w-]{43}$"))
    prefix = shown.inner_text()[4:12]
    assert grave(page) == []
    page.get_by_role("button", name=f"Revoke {prefix}").click()
    expect(page.locator("tr", has_text=prefix)).to_contain_text("revoked")
    expect(shown).to_have_count(0)


def test_harmful_texts_make_no_element_and_run_nothing(watched: Watched, site: TeamSite) -> None:
    page = watched.page
    signed_in(page, site, "max", "/team/patterns?member=moe&sort=recent")
    for text, one in zip(INJECTIONS, site.harmful, strict=True):
        plain = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
        page.goto(f"{site.url}/team/patterns/{one}")
        assert_inert(page, plain)
    page.goto(f"{site.url}/team/patterns?member=moe")
    assert_inert(page, "21 patterns of this kind")


def test_everybody_can_read_the_pages(browser: Browser, site: TeamSite) -> None:
    page, found = browser.new_page(), list[Any]()
    page.goto(f"{site.url}/sign-in")
    found += hard_to_read(page, "/sign-in")
    signed_in(page, site, "ada")
    for path in site.paths:
        page.goto(site.url + path)
        assert page.locator("h1").inner_text() != "Sign in"
        found += hard_to_read(page, path)
    page.close()
    assert found == []
