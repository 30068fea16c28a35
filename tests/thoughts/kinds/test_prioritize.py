"""The kind `prioritize`, and what a study makes of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import Repo
from kinds_made_up import Errand

from core.config import StudyConfig
from thoughts.frontier.payoffs import Payoff, Ran
from thoughts.kind import Context, Cost, Input, Kind, State
from thoughts.kinds.prioritize import FACT, KIND, LOG
from thoughts.studying import Study, opened

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


class Other(Errand):
    """One that has more priority."""

    name = "other"
    priority = 1.0

    def inputs(self, state: State) -> list[Input]:
        return [{"do": "remember", "commit": state.commit}]


KINDS: dict[str, Kind] = {"errand": Errand(), "other": Other(), "prioritize": KIND}


def test_it_sums_up_what_each_arm_brought(tmp_path: Path) -> None:
    state = State("/r", tmp_path, tmp_path, "c" * 40, "", NOW)
    (given,) = KIND.inputs(state)
    assert given == {"day": "2026-01-05"}
    at = NOW.timestamp()
    runs = [Ran("risk", "", at, 60, found=2, dismissed=2), Ran("digest", "src/", at, 60, found=1, kept=1)]
    outcome = KIND.run(given, Context(state, tmp_path, runs=lambda: runs))
    assert [(one.name, one.scope) for one in outcome.facts] == [(FACT, "digest src/"), (FACT, "risk")]
    assert Payoff(**outcome.facts[1].value) == Payoff("risk", "", 1, 1.0, 2.0, 0.0, 2.0)
    (log,) = outcome.artifacts
    assert log.name == LOG
    assert log.data.decode().splitlines()[1].endswith("  digest src/")
    assert not outcome.insights


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    repo = Repo.new(tmp_path / "repo")
    repo.commit("begin", {"a.py": "x = 1\n"})
    with opened(str(repo.path), tmp_path, StudyConfig(), kinds_known=KINDS) as study:
        yield study


def test_what_waits_is_ordered_by_its_facts_while_it_is_among_the_kinds(study: Study) -> None:
    study.plan()
    job = study.queue.claim(study.key, ["prioritize"])
    assert job
    study.queue.finish(job, Cost(cpu_s=1), "")
    facts = study.database.table("facts")
    with study.database.write() as connection:
        for kind, useful in (("errand", 5.0), ("other", 0.0)):
            value = {"value": {"kind": kind, "area": "", "minutes": 1.0, "useful": useful, "useless": 5 - useful}}
            row = {"repository": study.key, "name": FACT, "scope": kind, "value": value, "commit": "", "blob": ""}
            connection.execute(sa.insert(facts).values(run_id=job.run_id, **row))
    names = ["errand", "other"]
    assert [one["kind"] for one in study.jobs(kinds=names)] == ["other", "errand"]
    study.plan()
    assert [one["kind"] for one in study.jobs(kinds=names)] == ["errand", "other"]
    study.kinds = {name: KINDS[name] for name in names}
    study.plan()
    assert [one["kind"] for one in study.jobs(kinds=names)] == ["other", "errand"]
