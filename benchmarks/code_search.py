"""Does the index of code find what a question is about, beside BM25 over symbols alone?

    python -m benchmarks.code_search score REPOSITORY… [--tasks 40] [--sentences 80] [--together 1] [--learn]
    python -m benchmarks.code_search fit REPOSITORY… [--tasks 40] [--sentences 80]

Questions are made by rule, so that nobody has to judge the answers. Messages of the newest commits are asked of an
index of their parent, which knows its ancestors alone; right are the code files, and the functions, that the commit
modified. They are asked as they are, masked (without what is spelled as code, and without every word of a right file's
name), and as the message of another commit, which must find no more than the history does without a question. First
sentences of docstrings are asked of symbols without docstrings; right is the symbol that each was taken from. Only
code that is no test may be right, and competes. Prints Markdown: mean reciprocal ranks by repository and pooled, and
differences with 95 % bootstrap intervals over questions. With `--learn` only the newer third counts, and is answered
with the weights that the older ones teach, behind the gate that chat.py has, beside the shipped ones. `fit` learns
index/weights.json; score other repositories than those that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec

from benchmarks.files import POOLED, clone_name
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.files import write_json
from core.git.repositories import open_repository
from index.code_index import CodeIndex
from index.evaluation import AT, SYMBOLS, Places, figures, held_out, places
from index.examples import KINDS, Answered, answered
from index.fitting import fitted
from index.search import SHIPPED, Weights

Found = Mapping[str, Sequence[Answered]]


@click.group(context_settings=CONTEXT_SETTINGS)
def main() -> None:
    """Learn the weights of the index of code, or measure them."""


_repositories = click.argument("repositories", nargs=-1, required=True, metavar="REPOSITORY…")
_tasks = click.option("--tasks", default=40, type=click.IntRange(0), show_default=True, help="Commits of each.")
_sentences = click.option(
    "--sentences", default=80, type=click.IntRange(0), show_default=True, help="Docstrings of each."
)
_together = click.option(
    "--together", default=1, type=click.IntRange(1), show_default=True, help="Commits asked of one index, for speed."
)
_cache = click.option(
    "--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir]."
)


@main.command()
@_repositories
@_tasks
@_sentences
@_together
@_cache
@click.option("--learn", is_flag=True, help="Learn from the older two thirds, and score the newer third.")
@with_exit_codes
def score(
    repositories: tuple[str, ...], tasks: int, sentences: int, together: int, cache_dir: str, *, learn: bool
) -> None:
    """Print how well questions are answered."""
    weights = Weights.shipped()
    found = {}
    for name, some in asked(repositories, tasks, sentences, together, cache_dir):
        if name in weights.made_from:
            click.echo(f"{name}: its questions were learned from", err=True)
        if learn:
            found[name], verdicts = held_out(some, weights)
            click.echo("\n".join(f"{name}: {one}" for one in verdicts), err=True)
        else:
            found[name] = [places(one, weights) for one in some]
    click.echo("\n".join(in_markdown(found)))


@main.command()
@_repositories
@_tasks
@_sentences
@_together
@_cache
@click.option(
    "--output", default=SHIPPED, type=click.Path(path_type=Path), show_default=True, help="Where to write them."
)
@with_exit_codes
def fit(repositories: tuple[str, ...], tasks: int, sentences: int, together: int, cache_dir: str, output: Path) -> None:
    """Learn weights from these repositories."""
    found = dict(asked(repositories, tasks, sentences, together, cache_dir))
    weights = fitted([one for some in found.values() for one in some], sorted(found))
    write_json(output, msgspec.to_builtins(weights))


def asked(
    repositories: Sequence[str], tasks: int, sentences: int, together: int, cache_dir: str
) -> Iterator[tuple[str, list[Answered]]]:
    """The questions to each repository."""
    for place in repositories:
        folder = cache_folder(cache_dir)
        with CodeIndex(open_repository(place, folder).git_dir, folder) as index:
            index.update("HEAD")
            some = list(answered(index, tasks, sentences, together))
        click.echo(f"{clone_name(place)}: {len(some)} questions", err=True)
        yield clone_name(place), some


def in_markdown(found: Mapping[str, Sequence[Places]]) -> Iterator[str]:
    """A table for each kind of question: of files, then of symbols."""
    every = {**found, POOLED: [one for some in found.values() for one in some]} if len(found) > 1 else found
    known = {name: {(one.kind, one.right): one for one in figures(some)} for name, some in every.items()}
    for kind, title in KINDS.items():
        for right in ("files", "symbols"):
            rows = {name: some[kind, right] for name, some in known.items() if (kind, right) in some}
            if not rows:
                continue
            names = list(next(iter(rows.values())).mrr)
            yield f"\n**{title}: {right}** (MRR / among the first {AT})\n"
            header = ["", "questions", *names, f"MRR over {SYMBOLS}"]
            yield f"| {' | '.join(header)} |"
            yield f"|---{'|---:' * (len(header) - 1)}|"
            for name, one in rows.items():
                cells = [f"{one.mrr[column]:.3f} / {one.among_first[column]:.2f}" for column in names]
                interval = f" [{one.low:+.3f}, {one.high:+.3f}]" if one.low is not None else ""
                yield f"| {' | '.join([name, str(one.questions), *cells, f'{one.gain:+.3f}{interval}'])} |"


if __name__ == "__main__":
    main()
