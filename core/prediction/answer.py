"""An answer to a question: files with reasons, what else is known of the change, and what a model adds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from core.prediction.evidence import Evidence
from core.prediction.facts import Facts
from core.prediction.prediction import Prediction, WrittenEdit
from core.prediction.second_opinion import Opinion
from core.ranking.ranker import UNSURE_SHARE, FileRanking, RankedFile


@dataclass(frozen=True)
class Answer:
    """Files as of commit `at`; `sketch` is what a model wrote, where one was asked."""

    at: str
    ranking: FileRanking
    sketch: Prediction | None = None
    facts: Facts = field(default_factory=Facts)
    opinion: Opinion | None = None
    """What a model said of an unsure ranking, where one was asked."""
    evidence: Evidence | None = None
    """What is shown in the place of a sketch."""
    edit: WrittenEdit | None = None
    """What a model that was trained on edits wrote."""
    no_sketch: str = ""
    """Why a model's sketch is not shown, where there is one."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready. Change types are the model's where none were ranked."""
        made = (self.sketch or Prediction()).as_dict()
        facts = self.facts.as_dict()
        facts["change_types"] = facts["change_types"] or made["change_types"]
        evidence = {"evidence": self.evidence.as_dict() if self.evidence else None, "no_sketch": self.no_sketch}
        evidence["edit"] = asdict(self.edit) if self.edit else None
        return {**made, "at": self.at, **self.files_as_dict(), **facts, **evidence}

    def files_as_dict(self) -> dict[str, Any]:
        """The ranking, JSON-ready."""
        opinion = {"second_opinion": asdict(self.opinion)} if self.opinion else {}
        return {**ranking_as_dict(self.ranking), **opinion}

    def in_words(self) -> str:
        """For people."""
        sketch = _sketch_in_words(self.sketch) if self.sketch else []
        opinion = [self.opinion.in_words()] if self.opinion else []
        evidence = [f"no sketch: {self.no_sketch}"] if self.no_sketch else []
        evidence += self.edit.in_words() if self.edit else []
        evidence += self.evidence.in_words() if self.evidence else []
        return "\n".join([*files_in_words(self.ranking), *opinion, *self.facts.in_words(), *sketch, *evidence])


def ranking_as_dict(ranking: FileRanking) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "mode": ranking.mode,
        "unsure": ranking.unsure,
        "files": [
            {
                "name": file.name,
                "share": round(file.share, 6),
                "probability": round(file.probability, 6),
                "new": file.new,
                "reasons": [{"text": reason.text, "commits": reason.commits} for reason in file.reasons],
            }
            for file in ranking.files
        ],
    }


def files_in_words(ranking: FileRanking) -> list[str]:
    """Lines: each file with the probability that it changes, then its reasons."""
    lines = ["files"]
    for file in ranking.files:
        lines.append(f"  {file.probability:4.0%}  {_named(file)}")
        lines += [f"        {reason.text}" for reason in file.reasons]
    if not ranking.files:
        lines.append("  none")
    elif ranking.unsure:
        lines.append(f"unsure: the first file has less than {UNSURE_SHARE:.0%} of all that may change")
    return lines


def _named(file: RankedFile) -> str:
    return f"{file.name} (new)" if file.new else file.name


def _sketch_in_words(prediction: Prediction) -> list[str]:
    lines = ["changes"]
    lines += [f"  {item.probability:4.0%}  {item.name}" for item in prediction.change_types] or ["  none"]
    if not (prediction.sketch_file and prediction.commit):
        return lines
    symbol = f" {prediction.sketch_symbol}" if prediction.sketch_symbol else ""
    lines += [f"sketch: {prediction.sketch_change_type}{symbol} in {prediction.sketch_file}"]
    lines += [f"  {line}" for line in prediction.sketch.splitlines()]
    rest = [
        f"  {change.change_type} {''.join(change.symbol)} in {''.join(file.path)}"
        for file in prediction.commit.files
        for change in file.changes
    ][1:]
    return [*lines, "and then", *rest] if rest else lines
