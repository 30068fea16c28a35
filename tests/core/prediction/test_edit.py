"""What a model changes is a diff that git applies, to the symbol that was asked about, or there is a reason."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builders import Repo

from core.prediction import edit
from core.prediction.answer import Answer
from core.prediction.copying import Copying
from core.prediction.edit import diff, parses, shorter, target_of, write_edit
from core.prediction.edit_writing import EditWriter, Replacement
from core.prediction.facts import Facts
from core.prediction.predictor import Predictor
from core.prediction.question import Question
from core.ranking.facts import Ranked
from core.ranking.past_edits import PastEdits
from core.ranking.ranker import FileRanking
from core.ranking.symbols import RankedSymbol
from core.scoring.context_index import ContextIndex
from core.scoring.copying import Cache
from core.text.grammar import ChangeText, CommitText, FileText, commit_head, file_head, file_text, plain, serialise
from core.text.hunks import Hunk

CODE = "import os\n\n\ndef part(x):\n    y = x + 1\n    return y\n\n\ndef other(x):\n    return x\n"


@dataclass
class Asked:
    """A model and a repository of some files, as `Asker` has them."""

    predictor: Predictor
    files: dict[str, bytes]
    width: int = 128
    ids: list[int] = field(default_factory=lambda: [5] * 40)
    copying: Copying | None = None
    past: PastEdits | None = None

    @property
    def loaded(self) -> Any:
        return SimpleNamespace(model=self.predictor.model, vocabulary=self.predictor.vocabulary, width=self.width)

    def look(self) -> Any:
        return SimpleNamespace(ids=self.ids, copying=self.copying, past=self.past)

    def source(self, path: str) -> bytes | None:
        return self.files.get(path)

    def heads(self, question: Question, path: str) -> list[list[int]]:
        about = CommitText(year="2024", month="01", author=("Ada",), message=(question.task,))
        file = file_head(file_text(path, "python", "", plain))
        return self.predictor.vocabulary.encode([commit_head(about), file])


def answer(path: str, name: str, *types: str) -> Answer:
    symbol = RankedSymbol(name, "function", path, (1, 2), 1.0)
    facts = Facts([symbol], [Ranked(one, 0.5, "") for one in types])
    return Answer("", FileRanking("task", [], unsure=False), facts=facts)


def written(asked: Asked, name: str = "part", path: str = "a.py", **settings: Any) -> edit.WrittenEdit:
    question = Question(task="change it", **{"sketch_tokens": 24, "temperature": 1.5, **settings})
    return write_edit(asked, question, answer(path, name, "bug_fix"))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", ["a.py", "with a space.py", "é.py"])
@pytest.mark.parametrize("code", [CODE, CODE[:-1], CODE.replace("\n", "\r\n")], ids=["lines", "no end", "crlf"])
@pytest.mark.parametrize("name", ["part", "other"])
def test_git_applies_it(
    predictor: Predictor, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, seed: int, path: str, code: str, name: str
) -> None:
    monkeypatch.setattr(edit, "parses", lambda *_: True)
    made = written(Asked(predictor, {path: code.encode()}), name, path, seed=seed)
    assert made.diff, made.problem
    assert (made.symbol, made.path, made.change_type) == (name, path, "bug_fix")
    assert 0 < made.probability < 1
    repo = Repo.new(tmp_path / "repo")
    repo.commit("add", {path: code.encode()})
    (repo.path / path).write_bytes(code.encode())
    subprocess.run(["git", "apply", "-"], cwd=repo.path, input=made.diff.encode(), check=True, capture_output=True)
    after = (repo.path / path).read_bytes().decode()
    untouched = "def other" if name == "part" else "def part"
    rest = code[code.index(untouched) :] if name == "part" else code[: code.index("def other")]
    assert rest in after
    assert after != code


def test_what_does_not_parse_is_not_shown(predictor: Predictor) -> None:
    problems = {written(Asked(predictor, {"a.py": CODE.encode()}), seed=seed).problem for seed in range(4)}
    assert "what the model wrote does not parse" in problems


def test_last_lines_that_do_not_parse_are_left_out(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(writer: Any, _: int) -> Iterator[int]:
        writer.replacements += [Replacement(1, 2, "    y = x + 2\n"), Replacement(3, 3, "    z = y\n    if (z\n")]
        yield 1

    monkeypatch.setattr(EditWriter, "write", write)
    made = written(Asked(predictor, {"a.py": CODE.encode()}))
    assert made.cut
    assert "without last lines that do not parse" in made.in_words()[0]
    assert [row for row in made.diff.splitlines()[2:] if row[0] in "+-"] == [
        "-    y = x + 1",
        "+    y = x + 2",
        "+    z = y",
    ]


def test_shorter_edits_lose_their_last_lines_first() -> None:
    edits = [Replacement(0, 1, "a\nb\n"), Replacement(2, 3, ""), Replacement(4, 4, "c\nd\n")]
    assert list(shorter(edits)) == [
        [*edits[:2], Replacement(4, 4, "c\n")],
        edits[:2],
        edits[:1],
        [Replacement(0, 1, "a\n")],
    ]
    assert len(list(shorter([Replacement(0, 0, "x\n" * 1000)]))) == edit.MOST_CUTS


def test_a_file_that_did_not_parse_before_need_not_parse_after(predictor: Predictor) -> None:
    broken = CODE + "def (:\n"
    assert not parses("a.py", broken.encode())
    assert written(Asked(predictor, {"a.py": broken.encode()}), seed=1).diff


@pytest.mark.parametrize(
    ("path", "source", "name", "problem"),
    [
        ("a.py", None, "part", "cannot be read"),
        ("a.py", CODE.encode(), "gone", "cannot be read"),
        ("a.py", b"def part():\n    return '\xff'\n", "part", "cannot be read"),
        ('a"b.py', CODE.encode(), "part", "cannot be read"),
        ("a.py", b"def part():\n    key = 'ghp_Zq9xW4vT7uR2sP5oN8mK1jH6gF3dS0aLbCyX'\n", "part", "credential"),
    ],
)
def test_what_cannot_be_changed_has_a_reason(
    predictor: Predictor, path: str, source: bytes | None, name: str, problem: str
) -> None:
    made = written(Asked(predictor, {path: source} if source else {}), name, path)
    assert problem in made.problem
    assert made.in_words() == [f"no edit: {made.problem}"]


def test_without_symbols_there_is_no_edit(predictor: Predictor) -> None:
    nothing = Answer("", FileRanking("task", [], unsure=False))
    assert write_edit(Asked(predictor, {}), Question(task="x"), nothing).problem  # type: ignore[arg-type]


def test_the_type_leaves_the_symbol_where_it_is(predictor: Predictor) -> None:
    asked = Asked(predictor, {"a.py": CODE.encode()})
    types = {
        target.change_type
        for target in (
            target_of(asked, answer("a.py", "part", *names))  # type: ignore[arg-type]
            for names in (("new_function", "refactor"), ("move", "deleted_function"), ())
        )
        if not isinstance(target, str)
    }
    assert types == {"refactor", "modified_function"}


@pytest.mark.parametrize("width", [40, 64, 96, 512])
def test_long_code_is_shown_from_its_end(predictor: Predictor, width: int) -> None:
    long = "def part(x):\n" + "".join(f"    y{n} = x + {n}\n" for n in range(80)) + "    return x\n"
    asked = Asked(predictor, {"a.py": (long + "\n\n" + CODE).encode()}, width)
    question = Question(task="change it", sketch_tokens=16)
    target = target_of(asked, answer("a.py", "part"))  # type: ignore[arg-type]
    assert not isinstance(target, str)
    known, visible, commit = edit.prompt(asked, question, target)  # type: ignore[arg-type]
    assert len(known) <= width
    assert predictor.vocabulary.decode(commit).endswith("".join(visible))
    assert visible[-1] == "    return x\n"
    assert target.own[-len(visible) :] == visible
    shown = predictor.vocabulary.decode(known)
    assert shown.endswith("".join(visible)[-20:])


def test_lines_without_an_end_are_marked() -> None:
    assert diff("a", ["x\n", "y"], ["x\n", "z"]).splitlines()[-4:] == [
        "-y",
        "\\ No newline at end of file",
        "+z",
        "\\ No newline at end of file",
    ]


def test_an_edit_copies_from_the_history(predictor: Predictor) -> None:
    """With a cache that is trusted blindly, the edit of the past is written again."""
    vocabulary = predictor.vocabulary
    change = ChangeText(
        change_type="bug_fix",
        symbol_kind="function",
        symbol=("part",),
        before=plain("def part(x):\n    y = x + 1\n    return y\n"),
        edit=[Hunk((), ("    y = x + 1\n",), ("    y = x + 2\n",))],
    )
    file = FileText(path=("a.py",), language="python", changes=[change])
    past = CommitText(year="2024", month="01", author=("Ada",), message=("change it",), files=[file])
    ids = [id_ for one in vocabulary.encode(serialise(past)) for id_ in one]
    asked = Asked(predictor, {"a.py": CODE.encode()}, ids=ids)
    trusted = Copying(ContextIndex(2), Cache(np.full(Cache.SHAPE, 1 - 1e-9))).behind(ids)
    asked.copying = trusted
    made = written(asked, temperature=0.0, sketch_tokens=60)
    assert "-    y = x + 1\n+    y = x + 2\n" in made.diff
    assert written(asked, temperature=0.0, sketch_tokens=60, copying=False).diff != made.diff
