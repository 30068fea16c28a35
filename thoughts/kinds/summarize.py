"""Cards of the files that matter most and of their main symbols, kept as facts while their contents stay."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from chat.citations import Citation
from chat.providers import Provider
from chat.statements import Statement
from core.errors import UserError
from core.visible import visible
from thoughts import areas
from thoughts.cards.card import FACT, OWNERS, RISK, TESTS, WHAT, Card
from thoughts.cards.making import Cards, opened
from thoughts.cards.rendering import document
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State

LOG = "cards.md"
RECORD = "cards.json"
MOST_FILES = 8
"""Of a run; the next one goes on with others."""
MOST_SYMBOLS = 2
"""Of a file."""
SHOWN = 5
MODEL_S = 120.0
"""That a language model works for a run."""
CPU_S, SECONDS = 600.0, 1_200.0


class Summarize:
    """Every night, if there are new commits, cards of files that have none or have changed, the riskiest first."""

    name = "summarize"
    trigger = "0 4 * * *"
    priority = -0.5

    def inputs(self, state: State) -> list[Input]:
        """The newest commit, and which language model may write."""
        if state.commit == state.before:
            return []
        given = {"commit": state.commit, **({"model": state.writer.model} if state.writer else {})}
        return areas.each(state.settings.areas, given)

    def estimate(self, given: Input) -> Cost:
        """A history is read once; a card asks git some twenty questions, each bounded in time."""
        model_s = MODEL_S if given.get("model") else 0.0
        return Cost(cpu_s=CPU_S, io_bytes=4_000_000_000, model_s=model_s, seconds=SECONDS)

    def run(self, given: Input, context: Context) -> Outcome:
        """Make the cards, keep them as facts, and show what is to be known of the riskiest files."""
        state, commit = context.state, str(given["commit"])
        if (area := areas.looked_at(given, commit, context)) is None:
            return Outcome()
        known = {fact.scope: fact.blob for fact in context.facts(FACT)}
        with opened(state.git_dir, state.cache_dir, commit, _provider(given, context)) as cards:
            try:
                made = list(_made(cards, known, context, area))
            finally:
                context.model_s = cards.model_s
        context.say(f"{len(made):,} cards; a language model worked for {context.model_s:.1f} s")
        if not made:
            return Outcome()
        facts = [Fact(FACT, card.scope, card.as_dict(), commit, card.blob) for card in made]
        artifacts = [
            Artifact(LOG, document(made).encode()),
            Artifact(RECORD, msgspec.json.encode([card.as_dict() for card in made])),
        ]
        files = [card for card in made if not card.name]
        said = [one for card in sorted(files, key=lambda card: bool(card.of(TESTS))) if (one := _statement(card))]
        if not said:
            return Outcome(artifacts=artifacts, facts=facts)
        places = shlex.join([state.location, *(card.scope for card in made)])
        command = f"python -m thoughts.cards --at {commit} -- {places}"
        return Outcome([Insight(_title(files, area), tuple(said[:SHOWN]), command, LOG)], artifacts, facts)


def _made(cards: Cards, known: dict[str, str], context: Context, area: str) -> Iterator[Card]:
    """Cards of the riskiest files whose content has none yet, each followed by those of its main symbols."""
    began, cpu_s, done = time.monotonic(), _cpu_s(), 0
    files = {path: one for path, one in cards.risks.items() if areas.is_below(path, area)}
    left = [path for path, one in files.items() if known.get(path) != one.facts.blob]
    context.say(f"{len(left):,} of {len(files):,} source files have no card, or have changed since")
    for path in left:
        if done == MOST_FILES or _cpu_s() - cpu_s > CPU_S / 2 or time.monotonic() - began > SECONDS / 2:
            return
        try:
            names = ["", *(one.name for one in cards.source(path).main(MOST_SYMBOLS))]
            for name in names:
                cards.provider = _bounded(cards)
                yield cards.of(path, name)
            done += 1
        except UserError as error:
            context.say(visible(f"left out: {error.message}"))


def _cpu_s() -> float:
    """What this process and the git that it waited for have used so far."""
    return sum(os.times()[:4])


def _provider(given: Input, context: Context) -> Provider | None:
    """The language model that was asked for; None, and why, where it may not be asked about this repository."""
    state = context.state
    if not (given.get("model") and state.writer):
        return None
    try:
        return Provider.of(state.writer, state.location, state.cache_dir, state.writer_key)
    except UserError as error:
        context.say(f"no language model writes: {error.message}")
        return None


def _bounded(cards: Cards) -> Provider | None:
    """The language model with no more time than is left of it."""
    left = MODEL_S - cards.model_s
    if cards.provider is None or left < 1:
        return None
    config = cards.provider.config
    return replace(cards.provider, config=config.model_copy(update={"timeout_s": min(config.timeout_s, left)}))


def _statement(card: Card) -> Statement | None:
    """The most of a file's card in one statement; None where its risk has no reason."""
    parts = [card.of(group)[:1] for group in (WHAT, OWNERS, RISK)]
    if not card.of(RISK) or "repaired by" not in card.of(RISK)[0].text:
        return None
    texts = [one.text.removeprefix(f"{card.path}: ").rstrip(".") for part in parts for one in part]
    leads = [group.lead.partition(";")[0] for group in card.groups if group.name == TESTS]  # without how many are named
    texts.append(f"tests: {leads[0]}" if leads else "no test was found")
    cited: tuple[Citation, ...] = tuple(found for part in parts for one in part for found in one.citations[:2])
    said = ". ".join(text[:1].upper() + text[1:] for text in texts)
    return Statement(f"{card.path}: {said}.", tuple(dict.fromkeys(cited)))


def _title(files: Sequence[Card], area: str) -> str:
    without = sum(not card.of(TESTS) for card in files)
    tested = f", {without} without a test that was found" if without else ""
    where = f"below {area} " * bool(area)
    return f"What to know of {len(files)} {'files' if len(files) > 1 else 'file'} {where}likely to be repaired{tested}"


KIND: Kind = Summarize()
