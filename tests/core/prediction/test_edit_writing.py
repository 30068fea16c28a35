"""Whatever a model chooses, its edit applies to the code that it was given."""

from __future__ import annotations

import pytest

from core.prediction.edit_writing import EditWriter, Replacement, replaced
from core.prediction.predictor import Predictor
from core.prediction.reading import Reading
from core.prediction.writing import Sampling
from core.text.grammar import ChangeText, CommitText, FileText, commit_head, parse, plain, serialise
from core.text.hunks import Hunk, apply

CODE = "fn a() {\n    one();\n\n    two();\n}\n"
CODES = {
    "usual": CODE,
    "repeats": "}\n}\n}\nx\n}\n}\n",
    "no end": "fn a() {\n    é();\n}",
    "one line": "x = 1\n",
    "carriage returns": "a\r\nb\r\n\r\nc\r\n",
    "none": "",
    "long lines": "a\n" + "x y " * 300 + "\n" + "b\n",
    "only a long line": "x y " * 300 + "\n",
}


def written(predictor: Predictor, code: str, seed: int, budget: int) -> tuple[EditWriter, list[Hunk], list[int]]:
    """What a random model writes, read back by the grammar."""
    about = CommitText(year="2024", month="01", author=("Ada",), message=("change it",))
    change = ChangeText(change_type="bug_fix", symbol_kind="function", symbol=("a",), before=plain(code))
    file = FileText(path=("a.rs",), language="rust", changes=[change])
    (pieces,) = serialise(CommitText(year="2024", month="01", author=("Ada",), message=("m",), files=[file]))
    shown = predictor.vocabulary.encode([[*commit_head(about), *pieces[pieces.index("<FILE_START>") : -3]]])[0]
    reading = Reading.of(predictor.model, shown)
    writer = EditWriter(
        reading, predictor.vocabulary, code.splitlines(keepends=True), Sampling(temperature=1.5, seed=seed)
    )
    ids = list(writer.write(budget))
    whole = [*pieces[:-3], *predictor.vocabulary.pieces(ids), *pieces[-2:]]
    (commit,) = parse(whole)
    return writer, commit.files[0].changes[0].edit, ids


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [1, 4, 40])
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_an_edit_always_applies(predictor: Predictor, code: str, seed: int, budget: int) -> None:
    writer, edit, ids = written(predictor, code, seed, budget)
    lines = code.splitlines(keepends=True)
    assert len(edit) == len(writer.replacements) >= 1
    made = "".join(replaced(lines, writer.replacements))
    assert made != code
    assert writer.log_probability < 0
    assert ids[-1] == predictor.vocabulary.markers["<CODE_END>"]
    text = [id_ for id_ in ids if id_ not in predictor.vocabulary.own_ids]
    longest = max((len(run) for start in range(len(lines)) for run in writer._runs(start)), default=0)
    assert len(text) <= budget + 2 * longest + 2
    if code.endswith("\n"):  # behind a line without an end, added text goes to a line of its own
        assert "".join(apply(plain(code), edit)) == made
    assert all(one.added == "" or one.added.endswith("\n") for one in writer.replacements)


def test_a_likeliest_edit_is_the_same_twice(predictor: Predictor) -> None:
    once, twice = (written(predictor, CODE, seed=3, budget=20) for _ in range(2))
    assert once[2] == twice[2]
    assert once[0].log_probability == twice[0].log_probability


@pytest.mark.parametrize(
    ("lines", "edit", "after"),
    [
        (["a\n", "b\n"], [Replacement(1, 2, "c\nd\n")], "a\nc\nd\n"),
        (["a\n", "b\n"], [Replacement(0, 0, "x\n"), Replacement(1, 2, "")], "x\na\n"),
        (["a\n", "b"], [Replacement(2, 2, "c\n")], "a\nb\nc"),
        (["a\n", "b"], [Replacement(1, 2, "c\n")], "a\nc\n"),
        ([], [Replacement(0, 0, "c\n")], "c\n"),
    ],
)
def test_lines_are_replaced(lines: list[str], edit: list[Replacement], after: str) -> None:
    assert "".join(replaced(lines, edit)) == after


def test_a_long_line_is_not_quoted(predictor: Predictor) -> None:
    """A quotation is not ended within a line, so it would go on for thousands of tokens."""
    for seed in range(30):
        writer, edit, ids = written(predictor, CODES["long lines"], seed, budget=6)
        assert len(ids) < 40
        assert not any(one.first <= 1 < one.end for one in writer.replacements)
        assert len(edit) == len(writer.replacements)
