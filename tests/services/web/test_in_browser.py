"""The pages in Chromium: no error, no violation of their policy, keys, injections, accessibility, narrow screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from answerers import Repeating
from builders import Repo
from playwright.sync_api import Browser, Page, expect

from services.app import make_app
from services.chats import Chats
from tests.services.browsing import IN_BROWSER, Watched, assert_inert, grave, hard_to_read
from tests.services.conftest import PLENTY, listening
from tests.services.injections import INJECTIONS

QUESTION = "Where is a large order reduced?"
pytestmark = IN_BROWSER


@dataclass(frozen=True)
class Site:
    """The service with a repository to ask, one full of injections, one that is not indexed, one without commits."""

    url: str
    head: str
    """Of the repository to ask, called shop."""
    hostile: str
    """The commit of the hostile one."""


@pytest.fixture(scope="module")
def site(shop_built: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """It listens at a free port."""
    folder = tmp_path_factory.mktemp("site")
    hostile = Repo.new(folder / "hostile")
    for number, text in enumerate(INJECTIONS):
        name = f"docs/{text.replace('/', '-')}.md"
        code = f'def order{number}():\n    """Ship order{number} {text}."""\n    return {text!r}\n\n\n# {text}\n'
        hostile.commit(
            f"ship order{number} {text}\n\nBody {text}", {name: f"# Order{number} {text}\n", f"order{number}.py": code}
        )
    empty, new = Repo.new(folder / "empty"), Repo.new(folder / "new")
    new.commit("begin", {"a.py": "def a():\n    return 1\n"})
    places = {one.path.name: str(one.path) for one in (shop_built, hostile, new, empty)}
    with listening(
        make_app({"files": Repeating(name="files")}, PLENTY, chats=Chats.open(places, folder / "cache"))
    ) as port:
        heads = (one.git("rev-parse", "HEAD") for one in (shop_built, hostile))
        yield Site(f"http://127.0.0.1:{port}", *heads)


def asked(page: Page, site: Site, repo: str, question: str) -> None:
    """Ask on a page, and wait for the end of the answer."""
    page.goto(f"{site.url}/repositories/{repo}")
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/*")


def paths(site: Site) -> list[str]:
    """Of pages that look different."""
    file = f"/repositories/shop/files/{site.head}/shop/basket.py"
    return [
        *("/", "/repositories/shop", "/repositories/new", "/repositories/empty", f"{file}?lines=4-8#L4"),
        *(f"/repositories/shop/commits/{site.head}", "/repositories/none", "/answers/ans_none", "/docs"),
    ]


def test_each_page_loads_without_an_error_or_a_violation_of_its_policy(watched: Watched, site: Site) -> None:
    for path in paths(site):
        watched.page.goto(site.url + path)
        watched.page.wait_for_load_state("networkidle")
        assert watched.page.locator("h1").inner_text()
    assert watched.page.evaluate("typeof htmx") == "undefined"  # /docs has no script
    watched.page.goto(site.url)
    assert watched.page.evaluate("typeof htmx") == "object"


def test_an_answer_is_streamed_and_its_source_opens_at_the_cited_lines(watched: Watched, site: Site) -> None:
    page = watched.page
    page.goto(f"{site.url}/repositories/shop")
    page.evaluate("window.sameDocument = true")
    page.fill("#question", QUESTION)
    page.get_by_role("button", name="Ask").click()
    page.wait_for_url("**/answers/*")
    assert page.evaluate("window.sameDocument")
    expect(page.locator(".statements li").first).to_contain_text("Reduce the total of a large order by a tenth.")
    expect(page.locator(".sources li").first).to_contain_text("def discount(total):")
    expect(page.locator("#index")).to_contain_text("Indexed at")
    page.click(".statements .reference >> nth=0")
    page.wait_for_url(re.compile(r"/files/.*lines=(\d+)-(\d+)#L\1"))
    first = page.locator(".row.cited").first
    expect(first).to_contain_text("def discount(total):")
    expect(first).to_be_in_viewport()
    page.go_back()
    expect(page.locator(".statements li").first).to_contain_text("Reduce the total")


def test_feedback_and_reasons_are_a_click_away(watched: Watched, site: Site) -> None:
    page = watched.page
    asked(page, site, "shop", QUESTION)
    page.click(".feedback button[value=no]")
    expect(page.locator(".feedback")).to_contain_text("Noted")
    expect(page.locator(".feedback button[value=no]")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".feedback button[value=no]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("details table")).not_to_be_visible()
    page.click("summary")
    expect(page.locator("details table tbody tr").first).to_be_visible()
    expect(page.locator("details table")).to_contain_text("discount")


def test_keys_are_enough(watched: Watched, site: Site) -> None:
    page, keys = watched.page, watched.page.keyboard
    page.goto(f"{site.url}/repositories/shop")
    expect(page.locator("#question")).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#question")).not_to_be_focused()
    keys.press("/")
    expect(page.locator("#question")).to_be_focused()
    keys.type("a/b " + QUESTION)
    expect(page.locator("#question")).to_have_value("a/b " + QUESTION)
    keys.press("Enter")
    page.wait_for_url("**/answers/*")
    for _ in range(30):
        keys.press("Tab")
        if page.evaluate("document.activeElement.className") == "reference":
            break
    keys.press("Enter")
    page.wait_for_url("**/files/**")
    keys.press("Escape")
    page.wait_for_url("**/answers/*")


def test_without_scripts_a_form_leads_to_the_answer(browser: Browser, site: Site) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    asked(page, site, "shop", QUESTION)
    expect(page.locator(".statements li").first).to_contain_text("Reduce the total of a large order by a tenth.")
    page.context.close()


def test_who_signs_in_with_another_key_is_told_so(watched: Watched, shop_built: Repo, tmp_path: Path) -> None:
    page = watched.page
    chats = Chats.open({"": str(shop_built.path)}, tmp_path)
    with listening(make_app({"files": Repeating(name="files")}, PLENTY, "secret", chats=chats)) as port:
        page.goto(f"http://127.0.0.1:{port}/repositories/shop")
        for key, heading in (("other", "Sign in"), ("secret", "Ask shop")):
            page.get_by_label("API key").fill(key)
            page.keyboard.press("Enter")
            expect(page.locator("h1")).to_have_text(heading)
            expect(page.get_by_role("alert")).to_have_count(int(key == "other"))
            assert grave(page) == []


@pytest.mark.parametrize("number", range(len(INJECTIONS)))
def test_an_injection_makes_no_element_and_runs_nothing(watched: Watched, site: Site, number: int) -> None:
    page, text = watched.page, INJECTIONS[number]
    plain = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
    asked(page, site, "hostile", f"Where is order{number} shipped {text}?")
    assert_inert(page, plain)
    page.goto(f"{site.url}/repositories/hostile/files/{site.hostile}/order{number}.py")
    assert_inert(page, plain)
    page.goto(f"{site.url}/repositories/{quote(text, safe='')}")
    assert_inert(page, "That did not work")


def test_everybody_can_read_the_pages(browser: Browser, site: Site) -> None:
    page, found = browser.new_page(), list[Any]()
    asked(page, site, "shop", QUESTION)
    answer = page.url.removeprefix(site.url)
    for path in (answer, *paths(site)):
        page.goto(site.url + path)
        if path == answer:
            page.click("summary")
        found += hard_to_read(page, path)
    page.close()
    assert found == []


def test_an_index_is_made_by_a_button_and_its_state_follows(watched: Watched, site: Site) -> None:
    page = watched.page
    page.goto(site.url)
    for name, said in (("new", "Indexed at"), ("empty", "commit something first")):
        card = page.locator(".card", has=page.get_by_role("link", name=name, exact=True))
        expect(card).to_contain_text("Not indexed yet")
        card.get_by_role("button").click()
        expect(card).to_contain_text(said)
        expect(card.get_by_role("button")).to_have_text("Update" if name == "new" else "Try again")
