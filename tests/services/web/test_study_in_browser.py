"""The pages of a study in Chromium: switching on, insights, the map, live logs, harmful texts, sizes and colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from builders import Repo
from playwright.sync_api import Browser, expect
from studies_made_up import begun, ended, found, insight, risk

from tests.services.browsing import IN_BROWSER, Watched, assert_inert, hard_to_read
from tests.services.conftest import listening
from tests.services.injections import INJECTIONS
from tests.services.studied_site import StudiedSite, studied
from thoughts.kind import Artifact, Outcome

pytestmark = IN_BROWSER
FILES = [
    (f"src/{'core' if number % 3 else 'web'}/file_{number}.py", number / 40, 10 + number * 13) for number in range(39)
]
HARMFUL = [text.replace("/", "_") for text in INJECTIONS]
"""As names of files."""
COUNT = len(FILES) + len(HARMFUL) + 1


@dataclass(frozen=True)
class Place:
    """Where it listens, and what is in it."""

    url: str
    site: StudiedSite
    job: int

    @property
    def paths(self) -> list[str]:
        """Of pages that look different."""
        below = ("", "?filter=nowhere", "/risks", "/risks?folder=nowhere", "/jobs", f"/jobs/{self.job}", "/settings")
        shop = [
            f"/study/shop{one}"
            for one in (*below, "/files/shop/basket.py", "/files/shop/basket.py?symbol=discount", "/files/nowhere")
        ]
        return ["/study", *shop, "/study/other", "/study/other/risks", "/study/other/jobs"]


@pytest.fixture(scope="module")
def place(shop_built: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("studied")
    others = [Repo.new(folder / name) for name in ("other", "hidden")]
    for repo in others:
        repo.commit("begin", {"a.py": "one = 1\n"})
    with studied(shop_built, *others, folder / "cache") as site:
        shop = site.shop
        commit = shop_built.git("rev-parse", "HEAD").strip()
        facts = [risk(path, above, lines, commit) for path, above, lines in FILES]
        facts.append(risk("shop/basket.py", 0.95, 478, commit))
        facts += [risk(f"src/evil/{text}", 0.99, 900) for text in HARMFUL]
        said = insight(shop.state.git_dir, "The basket may fail", "`discount` gives a tenth.", path="shop/basket.py")
        about = insight(
            shop.state.git_dir, "Files that are likeliest to be repaired next", "shop/basket.py: above all."
        )
        job = found(shop, said, about, kind="risk", facts=facts, number=1)
        for number, text in enumerate(INJECTIONS):
            found(shop, insight(shop.state.git_dir, f"Harm {text}", text), kind="scan_diff", number=number, text=text)
        with listening(site.app) as port:
            yield Place(f"http://127.0.0.1:{port}", site, job.id)


def test_a_study_is_switched_on_and_set_up(watched: Watched, place: Place) -> None:
    page = watched.page
    page.goto(place.url)
    page.get_by_role("link", name="Study", exact=True).click()
    expect(page.locator("li.card", has_text="other")).to_contain_text("Nobody has switched its study on here.")
    page.locator("li.card", has_text="other").get_by_role("button", name="Switch it on").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("It is studied in the background.")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("CPU minutes a day").fill("7.5")
    page.get_by_label("Quiet hours").fill("noon")
    page.get_by_label("digest").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("'noon' are no hours of a day")
    page.get_by_label("CPU minutes a day").fill("7.5")
    page.get_by_label("Quiet hours").fill("22:00-06:00")
    page.get_by_label("digest").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Quiet hours")).to_have_value("22:00-06:00")
    expect(page.get_by_label("CPU minutes a day")).to_have_value("7.5")
    expect(page.get_by_label("digest")).not_to_be_checked()
    expect(page.get_by_label("scan diff")).to_be_checked()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("Its study is switched off")
    assert not place.site.other.is_on


def test_an_insight_opens_to_what_proves_it_and_is_kept_or_dismissed(watched: Watched, place: Place) -> None:
    page = watched.page
    page.goto(f"{place.url}/study/shop?kind=risk")
    one = page.locator("li.insight", has_text="The basket may fail")
    one.get_by_role("link", name="shop/basket.py:1@").click()
    expect(page.locator(".row.cited")).to_contain_text("What a customer wants to buy.")
    page.keyboard.press("Escape")
    one.get_by_text("What proves it").click()
    expect(one.get_by_label("Command")).to_have_text("git log -1")
    one.get_by_role("link", name="its log").click()
    expect(page.locator("body")).to_have_text(f"the log of job {place.job}")
    page.go_back()
    one.get_by_role("button", name="Keep: The basket may fail").click()
    expect(one).to_contain_text("· kept")
    one.get_by_role("button", name="Dismiss: The basket may fail").click()
    expect(one).to_contain_text("· dismissed")
    page.reload()
    expect(page.locator("li.insight")).to_have_count(1)
    page.get_by_label("State").select_option("dismissed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("li.insight")).to_have_count(1)
    one.get_by_role("button", name="Dismiss: The basket may fail").click()  # takes it back
    expect(one).not_to_contain_text("· dismissed")
    page.goto(f"{place.url}/study/shop?kind=risk")
    expect(page.locator("li.insight")).to_have_count(2)


def test_the_map_leads_to_a_file_by_keyboard(watched: Watched, place: Place) -> None:
    page = watched.page
    page.goto(f"{place.url}/study/shop/risks")
    tiles = page.locator("svg.treemap > a")
    expect(tiles).to_have_count(COUNT)
    tile = page.get_by_role("link", name="shop/basket.py: 478 lines, riskier than 95 % of the files")
    box = tile.locator("rect").bounding_box()
    assert box
    assert box["width"] > 10
    tile.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("shop/basket.py")
    expect(page.locator("main")).to_contain_text(f"more likely to be repaired next than 95 % of {COUNT}")
    expect(page.get_by_role("heading", name="What it does")).to_be_visible()
    expect(page.locator("li.insight")).to_contain_text("likeliest to be repaired")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="The riskiest")).to_be_visible()


def test_a_running_job_shows_its_log(watched: Watched, place: Place) -> None:
    page, study = watched.page, place.site.shop
    job = begun(study, number=77)
    study.queue.beat(job, "it begins")
    page.goto(f"{place.url}/study/shop/jobs/{job.id}")
    expect(page.get_by_label("Log")).to_have_text("it begins")
    study.queue.beat(job, "it begins\n<b>and goes on</b>")
    expect(page.get_by_label("Log")).to_have_text("it begins\n<b>and goes on</b>")
    ended(study, job, Outcome(artifacts=[Artifact("left.txt", b"x")]), "it ends")
    page.get_by_role("link", name="Show how").click()
    expect(page.get_by_role("heading", name=f"Run {job.run_id}: done")).to_be_visible()
    page.get_by_role("button", name="Run it again").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("main")).to_contain_text("cancelled")


def test_harmful_texts_make_no_element_and_run_nothing(watched: Watched, place: Place) -> None:
    page = watched.page
    for path in ("/study/shop?kind=scan_diff", "/study/shop/jobs", "/study/shop/risks"):
        page.goto(f"{place.url}{path}")
        assert_inert(page, "Study of shop")
    page.goto(f"{place.url}/study/shop/jobs")
    assert_inert(page, "text <script>alert(1)</script>")


def test_everybody_can_read_the_pages(browser: Browser, place: Place) -> None:
    page, problems = browser.new_page(), list[Any]()
    for path in place.paths:
        page.goto(place.url + path)
        problems += hard_to_read(page, path)
    page.close()
    assert problems == []
