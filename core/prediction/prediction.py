"""What a model expects of the next commit, without anything that needs one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.text.grammar import CommitText


@dataclass
class Expected:
    """An answer with the probability that the model gives it."""

    name: str
    probability: float


@dataclass
class ExpectedFile(Expected):
    """A file with its probability of being the first of the commit. `new`: it does not exist yet."""

    new: bool = False


@dataclass
class Prediction:
    """What the model expects of the next commit."""

    files: list[ExpectedFile] = field(default_factory=list)
    change_types: list[Expected] = field(default_factory=list)
    sketch_file: str = ""
    sketch_change_type: str = ""
    sketch_symbol: str = ""
    sketch: str = ""
    """Code of the first change."""
    copying: bool = False
    """Whether it was written with what would be copied from the history in mind."""
    commit: CommitText | None = None
    """The whole commit as the model wrote it, read back by the grammar's parser."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; texts of the commit in one piece each, masks spelled out."""
        made = {item.name: getattr(self, item.name) for item in fields(self)}
        made["files"] = [asdict(file) for file in self.files]
        made["change_types"] = [asdict(change) for change in self.change_types]
        made["commit"] = None
        if self.commit:
            files = [
                {
                    "path": "".join(file.path),
                    "language": file.language,
                    "changes": [
                        {
                            "change_type": change.change_type,
                            "symbol_kind": change.symbol_kind,
                            "symbol": "".join(change.symbol),
                            "code": "".join(change.after or change.code),
                            **({"before": "".join(change.before)} if change.before else {}),
                        }
                        for change in file.changes
                    ],
                }
                for file in self.commit.files
            ]
            made["commit"] = {"message": "".join(self.commit.message), "files": files}
        return made


@dataclass(frozen=True)
class WrittenEdit:
    """What a model changes. Without a `diff`, `problem` says why there is none."""

    path: str = ""
    symbol: str = ""
    change_type: str = ""
    diff: str = ""
    """As `git apply` takes it."""
    probability: float = 0.0
    """Of a token of the edit, as their geometric mean by the model's own probabilities."""
    tokens: int = 0
    problem: str = ""
    cut: bool = False
    """Its last lines are left out, since the file would not parse with them."""

    def in_words(self) -> list[str]:
        """Lines for people."""
        if not self.diff:
            return [f"no edit: {self.problem}"]
        head = f"edit: {self.change_type} {self.symbol} in {self.path} ({self.probability:.0%} a token)"
        head += ", without last lines that do not parse" if self.cut else ""
        return [head, *(f"  {line}" for line in self.diff.splitlines())]
