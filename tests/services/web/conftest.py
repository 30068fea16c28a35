"""A browser of a module's own: while it runs, nothing else in its thread can wait for anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services.browsing import CHROMIUM, FLAGS, Watched


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page on which nothing may go wrong."""
    context = browser.new_context()
    found = Watched(context.new_page())
    found.page.set_default_timeout(60_000)
    yield found
    context.close()
    assert found.problems == []
