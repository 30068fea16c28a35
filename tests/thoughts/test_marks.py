"""What people said of insights, as a job gets it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from builders import Repo
from kinds_made_up import KIND

from chat.citations import Citation
from chat.statements import Statement
from core.config import StudyConfig
from thoughts import running
from thoughts.kind import Context, Fact, Input, Outcome
from thoughts.marks import Marked, marked
from thoughts.studying import opened

SAID = (Statement("It is so.", (Citation("1" * 40, "x = 1", "a.py", 1, 1, "2" * 40),)),)


def test_a_job_gets_the_marked_insights_of_its_kind(
    forked: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(str(forked.path), tmp_path, StudyConfig(), kinds_known={"errand": KIND}) as study:
        with study.database.write() as connection:
            study.queue.add(connection, study.key, "errand", {}, KIND.estimate({}))
        job = study.queue.claim(study.key, ["errand"])
        assert job is not None
        table = study.database.table("insights")
        rows = [
            ("smell_hunt", "one", "dismissed"), ("smell_hunt", "two", "new"), ("risk", "three", "kept"),
            ("smell_hunt", "four", "read"),
        ]  # fmt: skip
        with study.database.write() as connection:
            for kind, title, state in rows:
                row = {
                    "repository": study.key,
                    "kind": kind,
                    "title": title,
                    "state": state,
                    "digest": title,
                    "at": 0.0,
                }
                row |= {"run_id": job.run_id, "command": "git log", "log": "0" * 64}
                statements = msgspec.to_builtins(list(SAID))
                connection.execute(sa.insert(table).values(statements=statements, **row))
        found = marked(study.place, study.key, "smell_hunt")
        assert found == [Marked("four", SAID, "read"), Marked("one", SAID, "dismissed")]
        assert marked(study.place, "another", "smell_hunt") == []

        class Asking:
            name = "risk"

            def run(self, given: Input, context: Context) -> Outcome:
                return Outcome(facts=[Fact("titles", "", [one.title for one in context.marked()], "")])

        monkeypatch.setattr(running, "kind_in", lambda _: Asking())
        order = running.Order(
            0, "", {}, "", "", "", "", "2026-11-29T00:00:00+00:00", str(tmp_path), study.place, study.key, 1.0
        )
        outcome = running.answered(order).outcome
        assert outcome
        assert [one.value for one in outcome.facts] == [["three"]]
