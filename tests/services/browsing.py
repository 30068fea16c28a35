"""Chromium, and what may not go wrong in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

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
LOOKS: tuple[tuple[int, Literal["light", "dark"], list[str]], ...] = (
    (1280, "light", []),
    (NARROW, "dark", ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]),
)
"""How wide a page is, its colours, and which rules of axe-core it is held against; all for none.

What the others say does not depend on the look.
"""
BY_HTMX = ("htmx-", "data-hx-")
"""How what htmx adds to elements begins: classes and attributes."""
IN_BROWSER = [
    ON_LOOPBACK,
    pytest.mark.slow,
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


def grave(page: Page, rules: Sequence[str] = ()) -> list[tuple[str, Any]]:
    """What axe-core finds serious or critical on a page, with the elements; by all rules where none are named."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [(one["id"], one["nodes"]) for one in found if one["impact"] in ("serious", "critical")]


def hard_to_read(page: Page, path: str) -> list[tuple[str, str, str, Any]]:
    """What is grave about an open page, wide and light, then narrow and dark.

    It must not be wider than its window. Where GITLORE_TEST_SCREENSHOTS names a folder, pictures are kept there.
    """
    page.wait_for_load_state("networkidle")
    found = []
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        if folder := os.environ.get("GITLORE_TEST_SCREENSHOTS"):
            name = re.sub(r"\W+", "-", re.sub(r"[0-9a-f-]{24,}", lambda found: found[0][:4], path)).strip("-") or "home"
            page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        found += [(path, scheme, *one) for one in grave(page, rules)]
    return found
