"""Ask the trained model what changes next.

    python predict.py --model outputs/model --repo PATH [--task "…"] [--last N] [--json]

Writes the last commits of the repository in the very form that the model was trained on (its own
scraper, chunker and tokenizer settings), then lets it go on: which files, what kinds of change,
and a sketch of the code.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

import git_scraper
import semantic_chunker
from core import git, logs, model_folder
from core.cli import version_option, with_exit_codes
from core.commit_grammar import CommitText, Pieces, commit_head
from core.config import PipelineConfig, expand
from core.errors import UserError
from core.prediction import Prediction, Predictor
from core.repositories import folder_name
from core.sequences import SequenceMaker


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--model", "folder", default="outputs/model", metavar="DIR", show_default=True, help="The trained model.")
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to look at.")
@click.option("--task", default="", metavar="TEXT", help="What is to be done, like the first line of a commit message.")
@click.option(
    "--last", default=10, type=click.IntRange(1), show_default=True, help="Commits of history to show the model."
)
@click.option("--author", default="", metavar="NAME", help="Who is to do it [default: the author of the last commit].")
@click.option("--top", default=5, type=click.IntRange(1, 50), show_default=True, help="Answers of each kind.")
@click.option(
    "--sketch-tokens", default=96, type=click.IntRange(1), show_default=True, help="Length of the code sketch."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(
    folder: str,
    repo: str,
    task: str,
    last: int,
    author: str,
    top: int,
    sketch_tokens: int,
    as_json: bool,
    verbose: bool,
) -> None:
    """Rank the files and change types that a trained model expects next, and sketch the code."""
    logs.setup(verbose=verbose)
    about = model_folder.read_about(Path(folder))
    cache_dir = expand(about["settings"].get("pipeline", {}).get("cache_dir", PipelineConfig().cache_dir))
    history, paths, last_author = read_recent(repo, about["settings"], last, cache_dir)
    model, vocabulary = model_folder.load(Path(folder), cache_dir)
    ids = [id_ for sequence in vocabulary.encode(history) for id_ in sequence]
    task, author = (os.fsencode(text).decode(errors="replace") for text in (task, author))
    now, redactor = datetime.now(UTC), sequence_maker(about["settings"]).redactor
    head = commit_head(
        CommitText(
            year=f"{now:%Y}",
            month=f"{now:%m}",
            author=redactor.clean(author or last_author),
            message=redactor.clean(task),
            repository=redactor.clean(repository_name(repo, about["settings"])),
        )
    )
    predictor = Predictor(model, vocabulary, about["sequence_length"])
    prediction = predictor.predict(ids, vocabulary.encode([head])[0], paths, top=top, sketch_tokens=sketch_tokens)
    click.echo(json.dumps(asdict(prediction), indent=2, ensure_ascii=False) if as_json else in_words(prediction))


def read_recent(
    location: str, settings: dict[str, Any], last: int, cache_dir: Path
) -> tuple[list[Pieces], list[str], str]:
    """(the last commits as pieces, the files of the checked-out commit, the last author).

    Raises UserError where the repository has no commit checked out.
    """
    scraper = git_scraper.GitScraperConfig(**_section(settings, "git_scraper"))
    chunker = semantic_chunker.SemanticChunkerConfig(**_section(settings, "semantic_chunker"))
    maker = sequence_maker(settings)
    repository = git.open_repository(location, cache_dir)
    head = git.head(repository.git_dir)
    if not head:
        raise UserError(f"{location} has no commits to start from", "commit something first")
    listing = git.run(repository.git_dir, "ls-tree", "-r", "-z", "--name-only", head)
    paths = [git.decode(path)[0] for path in listing.split(b"\0") if path]
    history: list[Pieces] = []
    author = ""
    with git.BlobReader(repository.git_dir) as blobs:
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


def in_words(prediction: Prediction) -> str:
    """The prediction for people."""
    lines = ["files"]
    lines += [f"  {item.probability:7.2%}  {item.name}" for item in prediction.files] or ["  none"]
    lines += ["changes"]
    lines += [f"  {item.probability:7.2%}  {item.name}" for item in prediction.change_types] or ["  none"]
    if prediction.sketch_file:
        symbol = f" {prediction.sketch_symbol}" if prediction.sketch_symbol else ""
        lines += [f"sketch: {prediction.sketch_change_type}{symbol} in {prediction.sketch_file}"]
        lines += [f"  {line}" for line in prediction.sketch.splitlines()]
    return "\n".join(lines)


def _section(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """A stage's settings as they were when the model was made; lists become the tuples that they were."""
    section = settings.get(name, {})
    return {key: tuple(value) if isinstance(value, list) else value for key, value in section.items()}


if __name__ == "__main__":
    main()
