"""Cards of what matters most, as they are kept and shown."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner
from language_model import Model

from chat.citations import Citations
from core.config import ChatConfig, StudyConfig
from core.git.repositories import open_repository
from thoughts.cards.__main__ import main
from thoughts.cards.card import FACT, OWNERS, WHAT, card_from
from thoughts.insights import problem
from thoughts.kind import Context, Outcome, State
from thoughts.kinds import summarize
from thoughts.kinds.summarize import KIND, LOG, MODEL_S

MODULE = '''"""Counts things of part {number}."""


def count_{number}(things):
    """Count {number} things."""
    return len(things) + {number}
'''


@pytest.fixture
def counted(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Three files, of which the last was repaired often; two of them fit into a run."""
    monkeypatch.setattr(summarize, "MOST_FILES", 2)
    repo = make_repo("counted")
    repo.commit("begin", {f"part_{number}.py": MODULE.format(number=number) for number in range(3)})
    for fix in range(3):
        more = f"\n\nif {fix}:\n    pass\n" * (fix + 1)
        repo.commit(f"Fix a crash of part 2 ({fix})", {"part_2.py": MODULE.format(number=2) + more})
    repo.commit("Fix part 1", {"part_1.py": MODULE.format(number=1) + "\nif 1:\n    pass\n"})
    repo.commit(
        "Test part 1", {"tests/test_part_1.py": "from part_1 import count_1\n\n\ndef test_it():\n    count_1([])\n"}
    )
    return repo


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


def run(state: State, known: Outcome | None = None) -> tuple[Outcome, Context]:
    facts = known.facts if known else ()
    context = Context(state, state.cache_dir, lambda name: [fact for fact in facts if fact.name == name])
    return KIND.run(KIND.inputs(state)[0], context), context


def test_the_riskiest_files_get_cards_first_and_the_next_run_goes_on(counted: Repo, tmp_path: Path) -> None:
    state = state_of(counted, tmp_path)
    first, _ = run(state)
    assert [one.scope for one in first.facts] == ["part_2.py", "part_2.py:count_2", "part_1.py", "part_1.py:count_1"]
    assert {one.name for one in first.facts} == {FACT}
    assert first.facts[0].blob == counted.git("rev-parse", "HEAD:part_2.py")
    card = card_from(first.facts[1].value)
    assert [one.text for one in card.of(WHAT)] == ["`def count_2(things)`: Count 2 things."]
    assert card.of(OWNERS)
    counted.commit("Change part 1", {"part_1.py": MODULE.format(number=1)})
    second, _ = run(state_of(counted, tmp_path), first)
    assert {one.scope for one in second.facts} == {"part_1.py", "part_1.py:count_1", "part_0.py", "part_0.py:count_0"}
    assert KIND.inputs(state_of(counted, tmp_path, before=counted.git("rev-parse", "HEAD"))) == []


def test_what_is_shown_holds_and_can_be_made_again(counted: Repo, tmp_path: Path) -> None:
    state = state_of(counted, tmp_path)
    outcome, _ = run(state)
    (insight,) = outcome.insights
    assert insight.title == "What to know of 2 files likely to be repaired, 1 without a test that was found"
    first, second = (said.text for said in insight.statements)
    assert first.startswith("part_2.py: Counts things of part 2. Ada: 4 changes, 100% of all by weight")
    assert first.endswith("No test was found.")
    assert second.endswith("Tests: 1 file.")
    logs = {one.name: one for one in outcome.artifacts}
    with Citations(state.git_dir) as citations:
        assert problem(insight, logs, citations) == ""
    python, module, name, *arguments = shlex.split(insight.command)
    assert (python, module, name) == ("python", "-m", "thoughts.cards")
    counted.commit("Fix what came later", {"part_1.py": "x = 2\n"})
    again = CliRunner().invoke(main, ["--cache-dir", str(tmp_path), *arguments])
    assert again.stdout.encode() == logs[LOG].data


def test_a_model_is_reserved_and_paid_only_where_there_is_one(
    counted: Repo, tmp_path: Path, language_model: Model
) -> None:
    plain = state_of(counted, tmp_path)
    assert KIND.estimate(KIND.inputs(plain)[0]).model_s == 0
    state = replace(plain, writer=ChatConfig(url=language_model.url, model="m", timeout_s=20.0))
    assert KIND.estimate(KIND.inputs(state)[0]).model_s == MODEL_S
    language_model.says = "`count_2` returns the `len` of `things` and 2 more [1]."
    outcome, context = run(state)
    assert context.model_s > 0
    cards = {one.scope: card_from(one.value) for one in outcome.facts}
    assert cards["part_2.py:count_2"].of(WHAT)[0].text == "`count_2` returns the `len` of `things` and 2 more."
    assert not cards["part_1.py:count_1"].written_by
    assert "`len` of" not in str(cards["part_1.py:count_1"].groups)


def test_a_model_elsewhere_that_is_not_allowed_writes_nothing(
    counted: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = replace(state_of(counted, tmp_path), writer=ChatConfig(url="https://api.example.org/v1", model="m"))
    outcome, context = run(state)
    assert outcome.facts
    assert context.model_s == 0
    assert "no language model writes: api.example.org is not this machine" in capsys.readouterr().out


def test_of_an_area_only_its_files_get_cards(counted: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counted.commit("Move in", {"lib/part_3.py": MODULE.format(number=3)})
    counted.commit("Fix a crash of part 3", {"lib/part_3.py": MODULE.format(number=4)})
    state = replace(state_of(counted, tmp_path), settings=StudyConfig(areas=("lib", "nowhere")))
    given, missing = KIND.inputs(state)
    outcome = KIND.run(given, Context(state, tmp_path))
    assert [one.scope for one in outcome.facts] == ["lib/part_3.py", "lib/part_3.py:count_4"]
    (insight,) = outcome.insights
    assert insight.title.startswith("What to know of 1 file below lib likely to be repaired")
    again = CliRunner().invoke(main, ["--cache-dir", str(tmp_path), *shlex.split(insight.command)[3:]])
    assert again.stdout.encode() == next(one.data for one in outcome.artifacts if one.name == LOG)
    assert KIND.run(missing, Context(state, tmp_path)) == Outcome()
    assert "there is no folder 'nowhere' at " in capsys.readouterr().out


def test_without_code_there_is_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("prose")
    repo.commit("begin", {"notes.md": "x\n"})
    outcome, _ = run(state_of(repo, tmp_path))
    assert not outcome.facts
    assert not outcome.insights
