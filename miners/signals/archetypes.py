"""What kind of project a repository is, from its README, manifests, paths and topics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stores.agent.records import ANY

THRESHOLD = 0.5
"""Confidence below which a repository counts as of no archetype."""
_README_CHARACTERS = 3000
"""The top of a README describes the project; further down it mentions others."""
_DOUBT = 1.0
"""Weight of the answer "none of these"."""


@dataclass(frozen=True)
class Archetype:
    """The signals of one archetype; weights are in `_score`."""

    readme: str
    dependencies: frozenset[str] = frozenset()
    paths: str = ""
    topics: frozenset[str] = frozenset()


ARCHETYPES: dict[str, Archetype] = {
    "admin_dashboard": Archetype(
        r"admin (?:dashboard|panel|framework|interface|template|ui)|dashboard for|back[- ]?office",
        frozenset(("react-admin", "@refinedev/core", "antd", "ra-core", "flask-admin", "django-jazzmin")),
        r"(?:^|/)(?:dashboard|admin)/",
        frozenset(("admin-dashboard", "admin-panel", "dashboard", "admin")),
    ),
    "crud_api": Archetype(
        r"\bcrud\b|rest(?:ful)? api (?:for|with|using|built)|api (?:server|backend) (?:for|built)"
        r"|boilerplate.{0,40}\bapi\b",
        frozenset(("fastapi", "djangorestframework", "flask-restful", "express", "sqlmodel", "beanie", "@nestjs/core")),
        r"(?:^|/)(?:routers?|controllers|endpoints|api/v\d+)/",
        frozenset(("crud", "rest-api", "crud-api", "fastapi")),
    ),
    "saas_app": Archetype(
        r"\bsaas\b|multi-?tenant|subscriptions? billing|self-hosted (?:alternative|platform)",
        frozenset(("stripe", "@stripe/stripe-js", "next-auth", "dj-stripe")),
        r"(?:^|/)(?:billing|subscriptions?|tenants?)/",
        frozenset(("saas", "saas-boilerplate")),
    ),
    "ecommerce": Archetype(
        r"e-?commerce|online (?:shop|store)|shopping cart|storefront",
        frozenset(("@shopify/polaris", "saleor", "django-oscar", "@medusajs/medusa", "solidus")),
        r"(?:^|/)(?:cart|checkout|products?|orders)/",
        frozenset(("ecommerce", "e-commerce", "shop", "shopping-cart")),
    ),
    "portfolio": Archetype(
        r"\b(?:my|personal|developer) (?:portfolio|website|site|homepage)|portfolio (?:website|template)",
        frozenset(("gatsby", "gh-pages")),
        r"(?:^|/)(?:portfolio|resume)\b",
        frozenset(("portfolio", "portfolio-website", "personal-website")),
    ),
    "web_framework": Archetype(
        r"web framework|asgi (?:framework|toolkit)|http (?:framework|server library)|micro-?framework"
        r"|framework.{0,60}\b(?:web|apis?|http)\b",
        frozenset(),
        r"(?:^|/)(?:routing|middleware|websockets?|httpserver|router)(?:/|\.\w+$)",
        frozenset(("web-framework", "asgi", "http-server", "framework")),
    ),
    "cli_tool": Archetype(
        r"command[- ]line (?:tool|utility|program|interface)|\bcli\b.{0,40}\b(?:tool|for|to)\b|code formatter"
        r"|alternative to ['`]?(?:find|grep|ls|cat)\b|search tool",
        frozenset(("clap", "lexopt", "argh", "commander", "yargs", "cobra")),
        r"(?:^|/)(?:cli|commands?)(?:/|\.\w+$)|(?:^|/)(?:man|completions?)/",
        frozenset(("cli", "command-line", "command-line-tool", "terminal")),
    ),
    "build_tool": Archetype(
        r"build tool|bundler|frontend tooling|task runner|workflow (?:management|engine)|pipelines? of batch jobs"
        r"|dev server",
        frozenset(("rollup", "esbuild", "rolldown")),
        r"(?:^|/)(?:bundler|compiler|optimizer|scheduler)(?:/|\.\w+$)",
        frozenset(("build-tool", "bundler", "dev-server")),
    ),
    "library": Archetype(
        r"\b(?:library|package|module|crate|toolkit)\b (?:for|to|that|which|with)"
        r"|data validation|^\s*(?:pip install|cargo add|npm i(?:nstall)?) \S+\s*$",
        frozenset(),
        r"(?:^|/)py\.typed$",
        frozenset(("library", "python-library", "python3", "parser")),
    ),
}


def archetype_of(
    readme: str, dependencies: Iterable[str], paths: Sequence[str], topics: Iterable[str] = ()
) -> tuple[str, float, dict[str, float]]:
    """(archetype, confidence 0 to 1, score of each). `*` where no archetype is likelier than not."""
    head, names, labels = readme[:_README_CHARACTERS], set(dependencies), set(topics)
    scores = {name: _score(one, head, names, paths, labels) for name, one in ARCHETYPES.items()}
    best = max(scores, key=lambda name: scores[name])
    confidence = scores[best] / (sum(scores.values()) + _DOUBT)
    known = {name: round(score, 2) for name, score in scores.items() if score}
    return (best if confidence >= THRESHOLD else ANY), round(confidence, 3), known


def _score(one: Archetype, readme: str, dependencies: set[str], paths: Sequence[str], topics: set[str]) -> float:
    words = len({found.lower() for found in re.findall(one.readme, readme, re.IGNORECASE | re.MULTILINE) if found})
    at_paths = len({match[0] for path in paths if one.paths and (match := re.search(one.paths, path, re.IGNORECASE))})
    return (
        2.0 * min(words, 2)
        + 2.0 * min(len(topics & one.topics), 2)
        + 1.0 * min(len(dependencies & one.dependencies), 2)
        + 0.5 * min(at_paths, 2)
    )
