"""Each night, how well questions of the history are answered, and whether that has changed."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from chat.citations import SHORT, Citation, Citations
from chat.evaluations import KINDS, SECONDS, in_words
from chat.statements import Statement
from core.git import touched
from index.code_index import CodeIndex
from index.evaluation import INDEX, Evaluation, evaluated
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State

LOG = "evaluation.txt"
FACT = "search_quality"
MOST_KEPT = 90
"""Nights of the series."""
LEAST = 12
"""Questions of a kind, from which its change counts."""
SURE = 2.64
"""Standard errors of a difference that is no chance: 95 % for six kinds of question together."""


class Evaluate:
    """At three in the morning, if there is a new commit."""

    name = "evaluate"
    trigger = "0 3 * * *"
    priority = 0.0

    def inputs(self, state: State) -> list[Input]:
        """The newest commit."""
        return [{"commit": state.commit}] if state.commit != state.before else []

    def estimate(self, given: Input) -> Cost:
        """The time of `chat.py --eval`, and an index to begin with."""
        return Cost(cpu_s=SECONDS + 120, io_bytes=2_000_000_000, seconds=900)

    def run(self, given: Input, context: Context) -> Outcome:
        """Ask, add the figures to the series, and show them where they have changed beyond chance."""
        state, commit = context.state, str(given["commit"])
        with closing(CodeIndex(state.git_dir, state.cache_dir)) as index, index.copied(context.folder) as copy:
            copy.update(commit)
            found = evaluated(copy, SECONDS)
        log = in_words(found)
        context.say(log)
        if not found.figures:
            return Outcome()
        known: list[dict[str, Any]] = next((one.value["nights"] for one in context.facts(FACT)), [])
        night = night_of(found, state.now.date().isoformat())
        nights = [*known, night][-MOST_KEPT:]
        facts = [Fact(FACT, "", {"nights": nights}, commit)]
        before = next((one for one in reversed(known) if one["is_shown"]), known[0] if known else None)
        gains = changed(before, night) if before else {}
        if not (before and gains):
            return Outcome(facts=facts)
        with Citations(state.git_dir) as citations:
            commits = [(at, touched.named(state.git_dir, at).title) for at in (before["commit"], commit)]
            cited = [one for at, title in commits if (one := citations.cite_commit(at, title))]
        if len(cited) < 2:
            return Outcome(facts=facts)
        night["is_shown"] = True
        how = "better" if sum(gains.values()) > 0 else "worse"
        title = f"Questions of the history are answered {how} than at {before['commit'][:SHORT]}"
        statements = tuple(_statement(kind, before, night, cited) for kind in gains)
        command = f"python chat.py --repo {shlex.quote(state.location)} --commit {commit} --eval"
        insight = Insight(title, statements, command, LOG)
        return Outcome([insight], [Artifact(LOG, f"{log}\n".encode())], facts)


def night_of(found: Evaluation, day: str) -> dict[str, Any]:
    """What is kept of an evaluation: by kind of question, the mean reciprocal rank with its standard error."""
    kinds = {
        f"{one.kind} {one.right}": {
            "mrr": round(one.mrr[INDEX], 4),
            "error": round(one.error, 4),
            "questions": one.questions,
        }
        for one in found.figures
    }
    return {"commit": found.commit, "day": day, "kinds": kinds, "is_shown": False}


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, float]:
    """By how much the figure of each kind of question differs, of those where that is more than chance."""
    found = {}
    for kind, new in now["kinds"].items():
        old = before["kinds"].get(kind)
        if old and min(old["questions"], new["questions"]) >= LEAST:
            gain, margin = new["mrr"] - old["mrr"], SURE * math.hypot(old["error"], new["error"])
            if abs(gain) > margin:
                found[kind] = gain
    return found


def _statement(kind: str, before: Mapping[str, Any], now: Mapping[str, Any], cited: Sequence[Citation]) -> Statement:
    name, right = kind.split()
    figures = " and ".join(
        f"{one['kinds'][kind]['mrr']:.3f} at {one['commit'][:SHORT]} ({one['kinds'][kind]['questions']:,} questions)"
        for one in (before, now)
    )
    return Statement(f"Mean reciprocal rank of {right}, asked by {KINDS[name]}: {figures}.", tuple(cited))


KIND: Kind = Evaluate()
