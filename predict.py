"""Ask the trained model what changes next.

    python predict.py --model outputs/model --repo PATH [--task "…"] [--files "src/*"] [--stream] [--json]

Writes the last commits of the repository in the very form that the model was trained on (its own
scraper, chunker and tokenizer settings), then lets it go on: which files, what kinds of change, and a
sketch of the commit. The sketch is held to the commit grammar, so it always parses.
"""

from __future__ import annotations

import fnmatch
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

import git_scraper
import semantic_chunker
from core import logs
from core.config import PipelineConfig, Section, expand
from core.engine.command import version_option, with_exit_codes
from core.errors import UserError
from core.git import commands, refs
from core.git.blobs import BlobReader
from core.git.commands import decode
from core.git.names import folder_name, is_url
from core.git.repositories import open_repository
from core.models import model_folder
from core.prediction.predictor import SKETCH_SHARE, Prediction, Predictor, Ranking, spelled_for_people
from core.prediction.search import is_path
from core.prediction.streaming import pieces_of
from core.prediction.writing import Sampling
from core.text.grammar import CommitText, Pieces, commit_head
from core.text.sequences import SequenceMaker

LAST_COMMITS = 10
FETCH_EVERY_S = 60.0


@dataclass(frozen=True)
class Question:
    """What is asked of a repository's next commit."""

    task: str = ""
    """What is to be done, like the first line of a commit message."""
    author: str = ""
    """Who is to do it; the author of the last commit unless set."""
    files: tuple[str, ...] = ()
    """Names and patterns of the files to choose from; all existing ones unless set."""
    new_files: bool = True
    """Whether a file that does not exist yet may be among the answers."""
    top: int = 5
    sketch_tokens: int = 96
    """Most tokens of text in the sketch; 0 for none."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass
class Recent:
    """A repository as it is now: its last commits as ids, its files, its last author."""

    commit: str
    ids: list[int]
    paths: list[str]
    author: str


@dataclass
class Asker:
    """A loaded model, and a repository to ask it about. What was read of it is kept until it gets a new commit."""

    loaded: model_folder.Loaded
    repo: str
    cache_dir: Path
    last: int = LAST_COMMITS
    recent: Recent | None = field(default=None, init=False)
    _looked: float = field(default=0.0, init=False)

    @property
    def settings(self) -> dict[str, Any]:
        """Those that the model was made with."""
        settings: dict[str, Any] = self.loaded.about["settings"]
        return settings

    @property
    def predictor(self) -> Predictor:
        """What asks the model."""
        view = self.settings.get("tokenizer", {}).get("code_view", "new")
        loaded = self.loaded
        return Predictor(loaded.model, loaded.vocabulary, loaded.width, view, sees_history=loaded.sees_history)

    def look(self) -> Recent:
        """The repository as it is now; one at a URL as it was within the last minute.

        Raises UserError where it has no commit checked out.
        """
        if self.recent and is_url(self.repo) and time.monotonic() - self._looked < FETCH_EVERY_S:
            return self.recent
        self._looked = time.monotonic()
        repository = open_repository(self.repo, self.cache_dir)
        head = refs.head(repository.git_dir)
        if self.recent is None or self.recent.commit != head:
            history, paths, author = read_recent(self.repo, self.settings, self.last, self.cache_dir)
            ids = [id_ for sequence in self.loaded.vocabulary.encode(history) for id_ in sequence]
            self.recent = Recent(head, ids, paths, author)
        return self.recent

    def rank(self, question: Question) -> Ranking:
        """Files and change types. Raises UserError where `files` names none."""
        recent = self.look()
        paths = chosen_paths(question.files, recent.paths)
        head = self.loaded.vocabulary.encode([self._head(question, recent)])[0]
        if len(head) > (most := int(self.loaded.width * (1 - SKETCH_SHARE))):
            raise UserError(f"task and author have {len(head):,} tokens, the model sees {most:,}", "shorten the task")
        ranking = self.predictor.rank(
            recent.ids, head, paths, top=question.top, new_files=question.new_files and not question.files
        )
        for file in ranking.files:  # named by hand, but not there yet
            file.new = file.new or file.name not in recent.paths
        return ranking

    def write(self, ranking: Ranking, question: Question) -> Iterator[int]:
        """Ids of the sketch, one by one."""
        if question.sketch_tokens:
            sampling = Sampling(question.temperature, question.top_p, question.seed)
            yield from self.predictor.write(ranking, question.sketch_tokens, sampling)

    def answer(self, question: Question) -> Prediction:
        """All at once."""
        ranking = self.rank(question)
        return self.predictor.prediction(ranking, list(self.write(ranking, question)))

    def _head(self, question: Question, recent: Recent) -> Pieces:
        clean = sequence_maker(self.settings).redactor.clean
        task, author = (os.fsencode(text).decode(errors="replace") for text in (question.task, question.author))
        now = datetime.now(UTC)
        return commit_head(
            CommitText(
                year=f"{now:%Y}",
                month=f"{now:%m}",
                author=clean(author or recent.author),
                message=clean(task),
                repository=clean(repository_name(self.repo, self.settings)),
            )
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--model", "folder", default="outputs/model", metavar="DIR", show_default=True, help="The trained model.")
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to look at.")
@click.option("--task", default="", metavar="TEXT", help="What is to be done, like the first line of a commit message.")
@click.option("--files", multiple=True, metavar="PATTERN", help="Choose from these files alone (repeatable).")
@click.option("--new-files/--no-new-files", default=True, show_default=True, help="Let a new file be an answer.")
@click.option(
    "--last", default=LAST_COMMITS, type=click.IntRange(1), show_default=True, help="Commits of history to show."
)
@click.option("--author", default="", metavar="NAME", help="Who is to do it [default: the author of the last commit].")
@click.option("--top", default=5, type=click.IntRange(1, 50), show_default=True, help="Answers of each kind.")
@click.option(
    "--sketch-tokens", default=96, type=click.IntRange(0), show_default=True, help="Length of the sketch; 0: none."
)
@click.option(
    "--temperature", default=0.0, type=click.FloatRange(0, 2), show_default=True, help="Above 0, draw the sketch."
)
@click.option("--seed", default=0, type=click.IntRange(0, 2**63 - 1), show_default=True, help="Seed of what is drawn.")
@click.option("--stream", is_flag=True, help="Show the sketch while it is written (with --json: a JSON line each).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(folder: str, repo: str, last: int, stream: bool, as_json: bool, verbose: bool, **asked: Any) -> None:
    """Rank the files and change types that a trained model expects next, and sketch the commit."""
    logs.setup(verbose=verbose)
    about = model_folder.read_about(Path(folder))
    cache_dir = expand(about["settings"].get("pipeline", {}).get("cache_dir", PipelineConfig().cache_dir))
    question = Question(**asked)
    refs.head(open_repository(repo, cache_dir).git_dir)  # a wrong path is told before a model is loaded
    loaded = model_folder.load(Path(folder), cache_dir)
    loaded.settle()
    asker = Asker(loaded, repo, cache_dir, last)
    ranking = asker.rank(question)
    written: list[int] = []
    if stream:
        show_stream(asker, ranking, question, written, as_json=as_json)
    else:
        written += asker.write(ranking, question)
    prediction = asker.predictor.prediction(ranking, written)
    if as_json:
        event = {"event": "done"} if stream else {}
        click.echo(json.dumps({**event, **prediction.as_dict()}, indent=None if stream else 2, ensure_ascii=False))
    elif not stream:
        click.echo(in_words(prediction))


def show_stream(asker: Asker, ranking: Ranking, question: Question, written: list[int], *, as_json: bool) -> None:
    """Print the ranking, then the sketch piece by piece; its ids are added to `written`."""
    first = asker.predictor.prediction(ranking, [])
    if as_json:
        click.echo(json.dumps({"event": "ranking", **first.as_dict()}, ensure_ascii=False))
    else:
        click.echo(in_words(first, sketch=False))

    def noted() -> Iterator[int]:
        for id_ in asker.write(ranking, question):
            written.append(id_)
            yield id_

    for text in spelled_for_people(pieces_of(noted(), asker.loaded.vocabulary)):
        click.echo(json.dumps({"event": "text", "text": text}, ensure_ascii=False) if as_json else text, nl=as_json)
    if not as_json:
        click.echo()


def chosen_paths(patterns: Sequence[str], existing: Sequence[str]) -> list[str]:
    """The files that names and patterns mean; a plain name that does not exist is that of a new file.

    Raises UserError where there are none.
    """
    if not patterns:
        return list(existing)
    found: dict[str, None] = {}
    for pattern in patterns:
        matching = fnmatch.filter(existing, pattern)
        if not matching and is_path(pattern) and not any(sign in pattern for sign in "*?["):
            matching = [pattern]
        found.update(dict.fromkeys(matching))
    if not found:
        raise UserError(f"no file of the repository matches {', '.join(patterns)}", "patterns are such as 'src/*.py'")
    return list(found)


def read_recent(
    location: str, settings: dict[str, Any], last: int, cache_dir: Path
) -> tuple[list[Pieces], list[str], str]:
    """(the last commits as pieces, the files of the checked-out commit, the last author).

    Raises UserError where the repository has no commit checked out.
    """
    scraper = git_scraper.GitScraperConfig(**_section(settings, "git_scraper"))
    chunker = semantic_chunker.SemanticChunkerConfig(**_section(settings, "semantic_chunker"))
    maker = sequence_maker(settings)
    repository = open_repository(location, cache_dir)
    head = refs.head(repository.git_dir)
    if not head:
        raise UserError(f"{location} has no commits to start from", "commit something first")
    listing = commands.run(repository.git_dir, "ls-tree", "-r", "-z", "--name-only", head)
    paths = [decode(path)[0] for path in listing.split(b"\0") if path]
    history: list[Pieces] = []
    author = ""
    with BlobReader(repository.git_dir) as blobs:
        cutter = semantic_chunker.settings_of(chunker, repository.git_dir).chunker(blobs)
        for commit in git_scraper.read_commits(repository, scraper, head.encode(), cache_dir, last=last):
            author = commit.metadata.author
            chunks = list(cutter.chunks(commit))
            for chunk in chunks:
                chunk.repository = repository_name(location, settings)
            history += maker.of(chunks) if chunks else []
    return history, paths, author


def repository_name(location: str, settings: dict[str, Any]) -> str:
    """What a model of several repositories calls one of them; "" for a model of one."""
    return folder_name(location) if settings.get("pipeline", {}).get("one_model") else ""


def sequence_maker(settings: dict[str, Any]) -> SequenceMaker:
    """What writes commits as the model was trained to see them."""
    config = _section(settings, "tokenizer")
    return SequenceMaker(
        config.get("code_view", "new"),
        config.get("secrets", "mask"),
        redact_emails=config.get("redact_emails", False),
    )


def in_words(prediction: Prediction, *, sketch: bool = True) -> str:
    """The prediction for people."""
    lines = ["files"]
    lines += [f"  {item.probability:7.2%}  {item.name}{' (new)' if item.new else ''}" for item in prediction.files] or [
        "  none"
    ]
    lines += ["changes"]
    lines += [f"  {item.probability:7.2%}  {item.name}" for item in prediction.change_types] or ["  none"]
    if prediction.sketch_file and sketch and prediction.commit:
        symbol = f" {prediction.sketch_symbol}" if prediction.sketch_symbol else ""
        lines += [f"sketch: {prediction.sketch_change_type}{symbol} in {prediction.sketch_file}"]
        lines += [f"  {line}" for line in prediction.sketch.splitlines()]
        rest = [
            f"  {change.change_type} {''.join(change.symbol)} in {''.join(file.path)}"
            for file in prediction.commit.files
            for change in file.changes
        ][1:]
        lines += ["and then", *rest] if rest else []
    return "\n".join(lines)


def _section(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """A stage's settings as they were when the model was made; lists become the tuples that they were."""
    known: dict[str, type[Section]] = {
        "git_scraper": git_scraper.GitScraperConfig,
        "semantic_chunker": semantic_chunker.SemanticChunkerConfig,
    }
    fields = known[name].model_fields if name in known else settings.get(name, {})
    section = {key: value for key, value in settings.get(name, {}).items() if key in fields}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in section.items()}


if __name__ == "__main__":
    main()
