"""What goes with an edit is read as the commit's parent has it, and shown within the width."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from builders import Repo

from benchmarks.edit_context import (
    AS_IS,
    CODE,
    FORMS,
    NAMES,
    SIGNATURES,
    commits_of,
    companions,
    in_form,
    scored,
    table,
)
from core.prediction.files import FileAsker
from core.prediction.predictor import Predictor
from core.ranking.past_edits import PastEdits
from core.ranking.symbols import Symbol
from core.records.evaluation import ByCommit
from core.text.edits import spread
from core.text.grammar import ChangeText, CommitText, FileText, plain, serialise
from core.text.hunks import hunks
from core.text.token_files import TokenWriter
from core.text.vocabulary import Vocabulary
from index.repository import RepositoryIndex

PARSE, LEX = "def parse(text):\n    return lex(text)\n", "def lex(text):\n    return text.split()\n"


def ids_of(vocabulary: Vocabulary, message: str, before: str, after: str) -> list[int]:
    change = ChangeText(
        change_type="modified_function",
        symbol_kind="function",
        symbol=("parse",),
        before=plain(before),
        edit=hunks(plain(before), plain(after)),
    )
    file = FileText(path=("parser.py",), language="python", changes=[change])
    made = CommitText(year="2024", month="05", author=("Ada",), message=(message,), files=[file])
    return [id_ for ids in vocabulary.encode(serialise(made)) for id_ in ids]


def test_companions_know_nothing_of_the_commit(
    make_repo: Callable[[str], Repo], predictor: Predictor, tmp_path: Path
) -> None:
    repo = make_repo("repo")
    for number in range(4):
        edited = {"parser.py": f"# {number}\n{PARSE}", "lexer.py": f"# {number}\n{LEX}"}
        repo.commit(f"parse and lex, part {number}", edited)
    leak = "def lex_keywords(text):\n    return keywords(lex(text))\n"
    repo.commit("parse and lex keywords", {"parser.py": PARSE.replace("lex", "lex_keywords"), "lexer.py": leak})
    tip = repo.git("rev-parse", "HEAD").strip()
    ids = ids_of(predictor.vocabulary, "parse and lex keywords", PARSE, PARSE.replace("lex", "lex_keywords"))
    past = PastEdits.of([np.array(ids, np.int64)], predictor.vocabulary)
    with contextlib.closing(FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)) as asker:
        before, now = (companions(asker, past, past.edits[0], commit) for commit in (f"{tip}^", tip))
    assert [(one.path, one.name, one.code) for one in before] == [("lexer.py", "lex", LEX)]
    assert [one.name for one in now] == ["lex_keywords"]  # so the name could have been seen


def test_companions_are_shown_by_name_by_signature_or_whole() -> None:
    code = "@cached\ndef lex(text):\n    return text\n"
    found = [
        Symbol("lexer.py", "lex", "function", (1, 3), code, is_test=False, depth=0),
        Symbol("lexer.py", "Lexer.next", "function", (5, 6), "    def next(self):\n", is_test=False, depth=1),
    ]
    assert in_form(NAMES, found) == ["<FILE_START>", "lexer.py", "<SYMBOL>", "lex", "<SYMBOL>", "Lexer.next"]
    lex, following = ["<CODE_START>", "<BEFORE>"], ["<CODE_END>", "<SYMBOL>", "Lexer.next"]
    assert in_form(SIGNATURES, found)[:7] == ["<FILE_START>", "lexer.py", "<SYMBOL>", "lex", *lex, "def lex(text):\n"]
    assert in_form(SIGNATURES, found)[7:10] == following
    assert in_form(CODE, found) == ["<FILE_START>", "lexer.py", "<SYMBOL>", "lex", *lex, code, "<CODE_END>"]
    assert in_form(CODE, []) == []


def test_commits_are_known_by_their_heads(predictor: Predictor, tmp_path: Path) -> None:
    vocabulary = predictor.vocabulary
    made = [("one", "a" * 40), ("twice", "b" * 40), ("twice", "c" * 40)]
    with TokenWriter(tmp_path / "tokens.pt") as out:
        for message, name in made:
            out.write(ids_of(vocabulary, message, "f\n", "f\ng\n"), {"commit_hash": name})
        out.finish()
    past = PastEdits.of([np.array(ids_of(vocabulary, "one", "f\n", "f\nh\n"), np.int64)], vocabulary)
    head = past.ids[slice(*past.edits[0].commit)].tobytes()
    assert commits_of(tmp_path / "tokens.pt", vocabulary) == {head: "a" * 40}


def test_every_form_is_scored_on_the_same_edits(predictor: Predictor) -> None:
    vocabulary = predictor.vocabulary
    history = [ids_of(vocabulary, f"part {number}", "f\n", f"f\ng{number}\n") for number in range(3)]
    past = PastEdits.of([np.array([id_ for one in history for id_ in one], np.int64)], vocabulary)
    chosen = spread(past.edits, 2)
    beside = {AS_IS: [np.empty(0, np.int64)] * 2, CODE: [np.full(30, vocabulary.encode([["x"]])[0][0], np.int64)] * 2}
    found = scored(predictor.model, past, chosen, 128, beside)
    assert found.added_bytes == [3, 3]
    assert found.bits[AS_IS] != found.bits[CODE]
    beside[CODE] = beside[AS_IS]
    assert scored(predictor.model, past, chosen, 128, beside).bits == dict.fromkeys(beside, found.bits[AS_IS])


def test_the_table_says_what_each_form_saves() -> None:
    bits = {AS_IS: [20.0, 60.0]} | {form: [18.0, 54.0] for form in FORMS}
    first, _, as_is, *others = table({"one": ByCommit(added_bytes=[10, 30], bits=bits)}, 50)
    assert first == "| shown as well | one (2) | saved |"
    assert as_is == "| nothing | 2.000 |  |"
    assert others == [f"| {form} | 1.800 | 10.0% [10.0%, 10.0%] |" for form in FORMS]
