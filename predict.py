"""Ask the trained model what changes next: which files, what kinds of change, and a sketch of the commit.

    python predict.py --model outputs/model --repo PATH [--task "…"] [--files "src/*"] [--stream] [--json]

The model continues the repository's last commits, which are written as it was trained to see them
(core/prediction/asking.py). The sketch is held to the commit grammar, so it always parses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core import logs
from core.config import cache_folder, checked
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes, with_section
from core.prediction.question import Question

if TYPE_CHECKING:
    from core.prediction.asking import Asker
    from core.prediction.predictor import Prediction, Ranking


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--model", "folder", default="outputs/model", metavar="DIR", show_default=True, help="The trained model.")
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to look at.")
@with_section(Question)
@click.option("--last", default=10, type=click.IntRange(1), show_default=True, help="Commits of history to show.")
@click.option("--stream", is_flag=True, help="Show the sketch while it is written (with --json: a JSON line each).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--cache-dir", default="", metavar="DIR", help="Clones and base models [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(
    folder: str, repo: str, last: int, stream: bool, as_json: bool, cache_dir: str, verbose: bool, **given: Any
) -> None:
    """Rank the files and change types that a trained model expects next, and sketch the commit."""
    logs.setup(verbose=verbose)
    from core.prediction.asking import Asker

    question = checked("question", Question, given)
    asker = Asker.open(Path(folder), repo, cache_folder(cache_dir), last)
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
    from core.prediction.predictor import spelled_for_people
    from core.prediction.streaming import pieces_of, recorded

    first = asker.predictor.prediction(ranking, [])
    if as_json:
        click.echo(json.dumps({"event": "ranking", **first.as_dict()}, ensure_ascii=False))
    else:
        click.echo(in_words(first, sketch=False))

    ids = recorded(asker.write(ranking, question), written)
    for text in spelled_for_people(pieces_of(ids, asker.loaded.vocabulary)):
        click.echo(json.dumps({"event": "text", "text": text}, ensure_ascii=False) if as_json else text, nl=as_json)
    if not as_json:
        click.echo()


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


if __name__ == "__main__":
    main()
