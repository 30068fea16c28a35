"""What was judged is learned from at night, and what came of it is a fact."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from builders import Repo
from uses_made_up import noted

from chat.learning.use_log import UseLog
from index.code_index import CodeIndex
from thoughts.kind import Context, Input, State
from thoughts.kinds.rerank import FACT, KIND, LOG


def inputs(state: State) -> list[Input]:
    return KIND.inputs(state)


def test_there_is_nothing_to_learn_until_somebody_judges(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    built = make_repo("judged")
    built.commit("Begin", {"a.py": "def a(): ...\n"})
    head = built.git("rev-parse", "HEAD")
    state = State(str(built.path), built.path / ".git", tmp_path, head, "", datetime.now(UTC))
    assert inputs(state) == []
    assert not list(tmp_path.rglob("use.db"))
    with closing(UseLog(state.git_dir, tmp_path)) as log:
        log.note(noted(1))
        assert inputs(state) == []
        log.rate("ans_1", useful=True)
        assert inputs(state) == []  # and no index
        with CodeIndex(state.git_dir, tmp_path) as index:
            index.update("HEAD")
            base = index.base.version
        assert inputs(state) == [{"judged": 1, "base": base}]
        outcome = KIND.run(inputs(state)[0], Context(state, tmp_path))
    (fact,) = outcome.facts
    assert (fact.name, fact.commit, fact.value["weights"]) == (FACT, head, base)
    assert fact.value["verdicts"] == [
        "order: too few judged answers (1) to learn from",
        "context: 5 places in 100% of answers, by 1 votes",
    ]
    log_file = next(one for one in outcome.artifacts if one.name == LOG)
    assert log_file.data.decode().splitlines() == fact.value["verdicts"]
