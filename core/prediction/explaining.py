"""Why a commit changed what it did: its files beside what its parent's history and its message let expect."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.git import trees
from core.prediction.files import FileAsker
from core.prediction.question import MOST_PATH, Question
from core.ranking.file_history import KINDS, CommitFacts, Kind
from core.ranking.ranker import RankedFile
from core.ranking.reasons import Reason

MAX_FILES = 30
"""Files of a commit that are explained."""
_RANKED = 50
_FORGOTTEN = 5


@dataclass(frozen=True)
class ChangedFile:
    """A file of the commit; `rank` is its place among those expected from the message, the first is 1."""

    name: str
    kind: Kind
    rank: int | None = None
    """None for a new file, and for one that is not among the first fifty."""
    probability: float | None = None
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class ExplainedCommit(CommitFacts):
    """A commit as its first parent lets expect it; nothing later is known."""

    parent: str
    """Empty for a commit without parents; then nothing is expected."""
    files_total: int
    files: list[ChangedFile]
    unchanged_companions: list[RankedFile]
    """Files that usually change with these, and did not."""


def explain(asker: FileAsker, name: str) -> ExplainedCommit:
    """The commit with this name. Raises UserError where there is none."""
    commit = asker.commit(name)
    commits = asker.sources.commits(commit)
    number = commits.numbers[commit]
    parent = next((commits.hashes[one] for one in commits.parents[number]), "")
    start, end = commits.change_offsets[number], commits.change_offsets[number + 1]
    kinds = {
        commits.paths[path]: KINDS[kind]
        for path, kind in zip(commits.change_paths[start:end], commits.change_kinds[start:end], strict=True)
    }
    if not kinds and parent:  # a merge: what it brought to its first parent
        kinds = dict.fromkeys(trees.changed_between(asker.git_dir, parent, commit), KINDS[1])
    facts = CommitFacts.of(commits, number)
    files, forgotten = [ChangedFile(path, kind) for path, kind in list(kinds.items())[:MAX_FILES]], []
    if parent and kinds:
        files = _explained(asker, commits.titles[number], parent, files)
        known = [path for path in kinds if len(path.encode()) <= MOST_PATH]  # a tree may hold longer ones
        changed = Question(changed=tuple(known[:1000]), top=_FORGOTTEN)
        forgotten = asker.rank(changed, parent).files
    return ExplainedCommit(
        **vars(facts), parent=parent, files_total=len(kinds), files=files, unchanged_companions=forgotten
    )


def _explained(asker: FileAsker, title: str, parent: str, files: list[ChangedFile]) -> list[ChangedFile]:
    """The files with their ranks and reasons, by a question that has the message alone."""
    ranking = asker.rank(Question(task=title, top=_RANKED, new_files=False), parent)
    ranks = {file.name: place for place, file in enumerate(ranking.files, 1)}
    expected = {file.name: file for file in ranking.files}
    return [
        ChangedFile(file.name, file.kind, ranks[file.name], found.probability, found.reasons)
        if (found := expected.get(file.name))
        else file
        for file in files
    ]
