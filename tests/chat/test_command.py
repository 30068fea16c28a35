"""The command as people use it: one question, a conversation, states, wrong input."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import PROJECT, Repo, wait_for
from click.testing import CliRunner, Result

from chat import evaluations
from chat.__main__ import main
from index import learning, questions
from index.code_index import CodeIndex
from index.search import CLASSES
from index.versions import Tuned

WHERE = "Where is the discount of a large order computed?"


@pytest.fixture
def run(shop: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command on the shop."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, repo: str = str(shop.path), **settings: Any) -> Result:
        cache = str(tmp_path / "cache")
        return CliRunner().invoke(main, ["--repo", repo, "--cache-dir", cache, *arguments], **settings)

    return run


def test_a_question_is_answered(run: Any, shop: Repo) -> None:
    done = run(*WHERE.split())
    assert done.exit_code == 0
    head = shop.git("rev-parse", "HEAD")[:9]
    assert "- `discount` in shop/basket.py: Reduce the total of a large order by a tenth.\n" in done.stdout
    assert f"  [1] shop/basket.py:18-26@{head}\n" in done.stdout
    assert done.stdout.endswith(f"(answered at {head}, the newest of main)\n")


def test_as_json(run: Any) -> None:
    found = json.loads(run(WHERE, "--json").stdout)
    assert found["citations"][0]["path"] == "shop/basket.py"
    assert "hits" not in found
    assert json.loads(run(WHERE, "--json", "--why").stdout)["hits"]
    assert "why these places:" in run(WHERE, "--why").stdout


def test_the_reasons_name_what_chose_the_places(run: Any) -> None:
    why = json.loads(run(WHERE, "--json", "--why").stdout)
    assert re.fullmatch("[0-9a-f]{12}", why["weights_version"])
    assert f"why these places: 5 places, by weights {why['weights_version']}\n" in run(WHERE, "--why").stdout


def test_one_step_leads_back_from_what_use_has_taught(run: Any, shop: Repo, tmp_path: Path) -> None:
    before = json.loads(run(WHERE, "--json", "--why").stdout)["weights_version"]
    taught = {one: {"w_all": 3.0} for one in CLASSES}
    tuned = Tuned(at=1.0, judged=9, verdict="order: learned", base=before, documents=taught)
    with CodeIndex(shop.path / ".git", tmp_path / "cache") as index:
        index.keep_tuned([tuned])
    following = (WHERE, "--json", "--why", "--adapt", "order")
    assert json.loads(run(*following).stdout)["weights_version"] != before
    assert json.loads(run(*following[:-2]).stdout)["weights_version"] == before
    assert "  learned from use, followed with --adapt: order: learned\n" in run("--status").stdout
    assert json.loads(run("--status", "--json").stdout)["from_use"] == ["order: learned"]
    assert run("--rollback", "order").stdout.startswith("withdrawn: order: learned\nnow: ")
    assert json.loads(run(*following).stdout)["weights_version"] == before
    assert "nothing was learned from use" in run("--rollback", "context").stdout


def test_at_another_commit(run: Any) -> None:
    found = json.loads(run("Where is a duration parsed?", "--commit", "v1.0", "--json").stdout)
    assert (found["behind"], found["known"]) == (3, False)
    assert "3 commits behind main" in found["state"]


def test_the_state_of_the_index(run: Any, shop: Repo) -> None:
    assert run("--status").stdout == "there is no index yet; the first question makes it\n"
    assert "indexed at" in run("--update").stdout
    shop.commit("more", {"new.py": "x = 1\n", "image.png": b"\x89PNG\0"})
    assert "1 commit behind main: 4 files" in run("--status").stdout
    done = run("--update").stdout
    assert "the newest of main: 5 files" in done
    assert "left out: 1 binary files" in done
    assert json.loads(run("--status", "--json").stdout)["behind"] == 0


def test_weights_are_learned_when_it_is_time(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "LEAST_CODE", 1)
    run("Where is a duration parsed?")
    assert run("--status").stdout.endswith("  nothing learned from the history yet; --update does\n")
    assert json.loads(run("--status", "--json").stdout)["learned"] is None
    done = run("--update").stdout
    assert "    files: shipped weights; own against shipped weights: too few questions" in done
    learned = json.loads(run("--status", "--json").stdout)["learned"]
    assert f"  learned from {learned['questions']} questions of the history up to {learned['commit'][:9]}:\n" in done
    monkeypatch.setattr(learning, "learn", None)  # it is not time
    assert run("--update").stdout == done


def test_questions_with_known_answers_are_evaluated(run: Any, shop: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "LEAST_CODE", 1)
    monkeypatch.setattr(learning, "TOGETHER", 1)
    for number in range(4):
        text = f'def parcel(order):\n    """Choose the parcel that an order fits into."""\n    return {number}\n'
        shop.commit(f"Return parcel number {number} for every order", {"shop/parcels.py": text})
    done = run("--eval").stdout
    assert "questions of commits and docstrings up to" in done
    row = r"^commit messages: (files|symbols) +1 +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +(\d\.\d{3}|-)   [+-]\d\.\d{3}$"
    assert re.findall(row, done, re.MULTILINE)
    assert "left out" not in done
    found = json.loads(run("--eval", "--json").stdout)
    assert {one["kind"] for one in found["figures"]} <= {"full", "masked", "docstring"}
    assert found["is_whole"]
    monkeypatch.setattr(evaluations, "SECONDS", -1.0)
    assert run("--eval").stdout == "too few questions: 1 commits and docstrings are fit to be asked\n"


def test_the_index_may_be_on_a_server(run: Any, shop: Repo, empty_server: str, tmp_path: Path) -> None:
    on_server = ("--index", empty_server.replace("postgres:", "postgres:secret"))
    answered = run(WHERE, *on_server).stdout
    assert not list((tmp_path / "cache" / "index").glob("*.code.db"))
    assert answered == run(WHERE).stdout
    shown = run("--status", *on_server).stdout
    assert " MB in postgresql:///postgres?host=" in shown
    assert "secret" not in shown
    assert json.loads(run("--status", "--json", *on_server).stdout)["place"] in shown
    refused = run(WHERE, "--index", "mysql://me:secret@host/index")
    assert (refused.exit_code, "secret" in refused.stderr) == (2, False)


def test_a_conversation_ends_with_its_input(run: Any) -> None:
    done = run(input="Where is a duration parsed?\n\nWho wrote it?\n")
    assert done.exit_code == 0
    assert "- Eli: 1 change, 100%" in done.stdout
    lines = run("--json", input=f"{WHERE}\nwhat calls discount\n").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["where", "calls"]


@pytest.mark.parametrize(
    ("arguments", "repo", "code", "said"),
    [
        (["where?"], "/nowhere", 2, "repository not found: /nowhere"),
        (["where?"], "/proc", 2, "is not a git repository"),
        (["where?", "--commit", "none"], "", 2, "no commit is named 'none'"),
        (["where?", "--commit", "--help-me"], "", 2, "no commit is named"),
        (["where?", "--url", "http://localhost:1/v1"], "", 2, "chat.model is not set"),
        (["where?", "--url", "http://models.example.org/v1", "--model", "m"], "", 2, "is not this machine"),
        (["where?", "--timeout-s", "0"], "", 2, "0"),
        (["where?", "--config", "none.yaml"], "", 2, "config file not found"),
    ],
)
def test_wrong_input_is_a_sentence(run: Any, arguments: list[str], repo: str, code: int, said: str) -> None:
    done = run(*arguments, **({"repo": repo} if repo else {}))
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_repository_has_nothing_to_ask(run: Any, make_repo: Any) -> None:
    done = run("where?", repo=str(make_repo("empty").path))
    assert (done.exit_code, "the repository has no commits to answer from" in done.stderr) == (2, True)


def test_a_url_is_cloned_and_a_shallow_clone_says_so(run: Any, shop: Repo, tmp_path: Path) -> None:
    done = run(WHERE, repo=f"file://{shop.path}")
    assert "`discount` in shop/basket.py" in done.stdout
    shop.git("clone", "-q", "--depth=1", f"file://{shop.path}", str(tmp_path / "shallow"))
    done = run("When was discount introduced?", repo=str(tmp_path / "shallow"))
    assert "This is a shallow clone: what came before its oldest commits is not known." in done.stdout


def test_what_a_terminal_would_act_on_is_spelled_out(run: Any, shop: Repo) -> None:
    doc = '"""Print evil things \x1b]0;owned\x07 \u202e."""'
    shop.commit("evil \x1b[31m title", {"evil.py": f"def evil_function():\n    {doc}\n"})
    for question in ("What does the evil_function print?", "When was evil_function introduced?"):
        for more in ([], ["--json"]):
            done = run(question, *more)
            assert "evil" in done.stdout
            assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)


def test_settings_come_from_the_file_and_wrong_ones_are_named(run: Any, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("chat: {url: 'http://localhost:1/v1'}\n")
    assert "chat.model is not set" in run("where?").stderr
    (tmp_path / "config.yaml").write_text("chat: {modle: m}\n")
    done = run("where?")
    assert (done.exit_code, "did you mean 'model'?" in done.stderr) == (2, True)


def test_ctrl_c_ends_a_conversation(shop: Repo, tmp_path: Path) -> None:
    line = [sys.executable, str(PROJECT / "chat.py"), "--repo", str(shop.path), "--cache-dir", str(tmp_path / "cache")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        wait_for(lambda: list((tmp_path / "cache").glob("index/*.code.db")))
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=120)
    assert (started.returncode, err) == (130, b"interrupted\n")
