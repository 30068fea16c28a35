"""Ask what changes next: which files go with a task, or with what is changed already, and why.

    python predict.py --repo PATH --task "…" [--at COMMIT] [--files "src/*"] [--json]
    python predict.py --staged      what did I forget?  (or --changed FILE, --diff A..B, git diff | … --diff -)

Files are ranked by the repository's history and texts, without a model (core/ranking/). Where there is a trained one,
it sketches the first file's change; the sketch is held to the commit grammar, so it always parses. Without one, the
code that the task is about and the nearest change of the past are shown.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core import logs
from core.config import cache_folder, checked
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes, with_section
from core.errors import EXIT_FAILED
from core.prediction.question import Question
from core.prediction.second_opinion import SecondOpinion, SecondOpinionConfig
from core.prediction.worth import no_sketch
from core.visible import visible

if TYPE_CHECKING:
    from core.prediction.answer import Answer
    from core.prediction.files import FileAsker

DEFAULT_MODEL = "outputs/model"
FORGOTTEN = 3
"""Exit code where --fail-above finds a file."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("more", nargs=-1, metavar="[FILE]...")  # --changed a b c, as hooks write it
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to look at.")
@with_section(Question)
@click.option(
    "--task-file", metavar="FILE", help="Read the task from a file: an issue, a traceback (-: standard input)."
)
@click.option("--staged", is_flag=True, help="What is staged is changed already.")
@click.option("--diff", metavar="A..B", help="So is what a range changes, or a diff on standard input (-).")
@click.option(
    "--at", default="", metavar="COMMIT", help="Answer as of this commit: only it and its ancestors are known."
)
@click.option(
    "--batch",
    metavar="FILE",
    help='Answer JSON lines {"id", "at", "task", "changed"}, a line each (-: standard input).',
)
@click.option(
    "--fail-above", type=click.FloatRange(0, 1), metavar="P", help="Exit with 3 where a file's probability is above P."
)
@click.option(
    "--model", "folder", default=DEFAULT_MODEL, metavar="DIR", show_default=True, help="Model for the sketch."
)
@click.option(
    "--ranker", metavar="FILE", help="Weights [default: ranker.json of this repository in outputs/, or shipped]."
)
@with_section(SecondOpinionConfig)
@click.option("--last", default=10, type=click.IntRange(1), show_default=True, help="Commits of history to show it.")
@click.option("--stream", is_flag=True, help="Show the sketch while it is written (with --json: a JSON line each).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--cache-dir", default="", metavar="DIR", help="Indexes, clones, models [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(
    more: tuple[str, ...], repo: str, task_file: str | None, staged: bool, diff: str | None, at: str, batch: str | None,
    folder: str, fail_above: float | None, ranker: str | None, last: int, stream: bool, as_json: bool, cache_dir: str,
    verbose: bool, **given: Any,
) -> None:  # fmt: skip
    """Rank the files that change next, with reasons, and sketch the change."""
    logs.setup(verbose=verbose)
    from core.prediction import inputs
    from core.prediction.files import FileAsker
    from index.repository import RepositoryIndex

    opinion = checked("predict", SecondOpinionConfig, {key: given.pop(key) for key in SecondOpinionConfig.model_fields})
    weights = Path(ranker) if ranker else None
    asker = FileAsker(repo, cache_folder(cache_dir), RepositoryIndex, weights, second_opinion=SecondOpinion.of(opinion))
    if task_file:
        given["task"] = inputs.text_of(task_file)
    changed, at = inputs.changed_files(asker, at, staged=staged, diff=diff)
    question = checked("question", Question, {**given, "changed": (*(given.get("changed") or ()), *more, *changed)})
    if batch:
        sys.exit(answer_batch(asker, batch, question))
    answer = asker.answer(question, at)
    if question.sketch_tokens and not question.changed and not at:  # a model knows the whole history
        if question.always_sketch or not (why := no_sketch(Path(folder))):
            answer = with_sketch(answer, question, folder, repo, asker, last, stream=stream, as_json=as_json)
        else:
            answer = replace(answer, no_sketch=why)
    answer = asker.with_evidence(answer, question)
    if as_json:
        event = {"event": "done"} if stream else {}
        click.echo(json.dumps({**event, **answer.as_dict()}, indent=None if stream else 2, ensure_ascii=False))
    elif not (stream and answer.sketch):
        click.echo(visible(answer.in_words()))
    if fail_above is not None and any(file.probability > fail_above for file in answer.ranking.files):
        sys.exit(FORGOTTEN)


def with_sketch(
    answer: Answer,
    question: Question,
    folder: str,
    repo: str,
    asker: FileAsker,
    last: int,
    *,
    stream: bool,
    as_json: bool,
) -> Answer:
    """The answer with what a model adds to it; as it is where there is no model."""
    if not Path(folder).exists() and folder == DEFAULT_MODEL:
        logs.log.debug("no sketch: there is no model at %s", folder)
        return answer
    from core.prediction.asking import Asker
    from core.prediction.edit import write_edit
    from core.prediction.streaming import recorded, shown

    model = Asker.open(Path(folder), repo, asker.cache_dir, last, copying=question.copying)
    if model.writes_edits:
        return replace(answer, edit=write_edit(model, question, answer))
    ranking = model.rank(question, answer.ranking)
    written: list[int] = []
    ids = recorded(model.write(ranking, question), written)
    if stream:
        first = replace(answer, sketch=model.predictor.prediction(ranking, []))
        facts = {"event": "ranking", **first.as_dict()}
        click.echo(json.dumps(facts, ensure_ascii=False) if as_json else visible(first.in_words()))
        for text in shown(ids, model.loaded.vocabulary):
            said = json.dumps({"event": "text", "text": text}, ensure_ascii=False) if as_json else visible(text)
            click.echo(said, nl=as_json)
        click.echo("", nl=not as_json)
    else:
        list(ids)
    return replace(answer, sketch=model.predictor.prediction(ranking, written))


def answer_batch(asker: FileAsker, file: str, question: Question) -> int:
    """Answer each line, also one that cannot be asked, with its error; the exit code."""
    from core.prediction import batch, inputs

    failed = 0
    for found in batch.answered(asker, inputs.lines_of(file, batch.MAX_LINE), question):
        click.echo(json.dumps(found, ensure_ascii=False))
        failed += "error" in found
    return EXIT_FAILED if failed else 0


if __name__ == "__main__":
    main()
