"""Chromium, and what may not go wrong in it."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.services.conftest import ON_LOOPBACK
from tests.services.injections import ATTRIBUTES, OURS

CHROMIUM = os.environ.get("GITLORE_TEST_CHROMIUM") or shutil.which("chromium") or ""
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
expect.set_options(timeout=60_000)
NARROW = 390
BY_HTMX = ("htmx-", "data-hx-")
"""How what htmx adds to elements begins: classes and attributes."""
IN_BROWSER = [
    ON_LOOPBACK,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium: apt install chromium, or set GITLORE_TEST_CHROMIUM"),
]
"""Marks of a module whose tests open pages."""


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself closes the stream of an answer
            self.problems.append(f"not loaded: {request.url} ({request.failure})")

    def _said(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith("Failed to load resource") and message.location["url"] == self.page.url
        if message.type in ("error", "warning") and not refused:  # the page itself may be a refusal
            self.problems.append(message.text)


def assert_inert(page: Page, shown: str) -> None:
    """A page shows a text, and consists of our elements and attributes alone."""
    names = "[...new Set([...document.querySelectorAll('*')].flatMap(one => {}))]"
    elements = set(page.evaluate(names.format("[one.localName]")))
    attributes = set(page.evaluate(names.format("one.getAttributeNames()")))
    assert elements <= OURS
    assert {one for one in attributes if not one.startswith(BY_HTMX)} <= ATTRIBUTES
    assert " ".join(shown.split()) in " ".join(page.locator("body").inner_text().split())


def grave(page: Page) -> list[tuple[str, Any]]:
    """What axe-core finds serious or critical on a page, with the elements."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"]) for one in found if one["impact"] in ("serious", "critical")]


def hard_to_read(page: Page, path: str, look: str) -> list[tuple[str, str, Any]]:
    """What is grave about an open page, which must not be wider than its window.

    Where GITLORE_TEST_SCREENSHOTS names a folder, a picture is kept there, with the `look` in its name.
    """
    page.wait_for_load_state("networkidle")
    if folder := os.environ.get("GITLORE_TEST_SCREENSHOTS"):
        name = re.sub(r"\W+", "-", re.sub(r"[0-9a-f-]{24,}", lambda found: found[0][:4], path)).strip("-") or "home"
        page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
    return [(path, *one) for one in grave(page)]
