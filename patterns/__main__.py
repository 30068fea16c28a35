"""Past changes on the command line: python -m patterns COMMAND. docs/pattern_memory.md says what they are worth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, Group, version_option
from core.errors import EXIT_FAILED, UserError, did_you_mean
from core.records.patterns import PROBLEM_TYPES, Pattern, Template, read_patterns, read_templates
from core.visible import visible
from patterns import rendering
from patterns.adapter_commands import adapters
from patterns.pattern_index import STANDS, WITH_TEST, PatternIndex, stands
from patterns.search import Votes
from patterns.team_commands import COMMANDS, MEMORY
from stores.agent.rendering import json_text, print_table

PATTERNS, TEMPLATES = "patterns.jsonl", "templates.jsonl"
_SETTINGS = {**CONTEXT_SETTINGS, "show_default": True}
CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_id = click.argument("pattern_id", metavar="ID")
_cache = click.option("--cache-dir", default="", metavar="DIR", help="Indexes [default: pipeline.cache_dir].")
_memory = click.option("--memory", default=MEMORY, metavar="DIR", help="Your copy of the team's memory, for its votes.")
_with_test = click.option("--with-test", is_flag=True, help="Only changes that came with a test.")
_standing = click.option("--standing", is_flag=True, help="Only changes that stand there to this day.")


@click.group(cls=Group, context_settings=_SETTINGS)
@click.option("--outputs", default="outputs", metavar="DIR", help="The folder of patterns.jsonl and templates.jsonl.")
@version_option()
@click.pass_context
def main(ctx: click.Context, outputs: str) -> None:
    """Search, inspect, check and exchange what past changes teach; serve it to a team, and deliver to it.

    Exit codes: 0 success, 1 a check found something, 2 wrong arguments or input.
    """
    ctx.obj = Path(outputs)


def _selecting(command: CommandT) -> CommandT:
    """Options that select patterns."""
    options = (
        click.option("--type", "problem_type", type=click.Choice(PROBLEM_TYPES), help="Only repairs, or additions."),
        click.option("--path", default="", metavar="PREFIX", help="Only changes of files whose path begins so."),
        click.option("--language", default="", metavar="NAME", help="Only changes in this language."),
        _with_test,
        _standing,
    )
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@click.argument("task", nargs=-1, metavar="[TASK]...")
@click.option("--code", type=click.File(errors="replace"), metavar="FILE", help="Code that is to change; - for stdin.")
@click.option("--diff", type=click.File(errors="replace"), metavar="FILE", help="A diff to look at; - for stdin.")
@click.option("--error", default="", metavar="TEXT", help="An error message or a traceback.")
@click.option(
    "--path", default="", metavar="PATH", help="The file that the code is in, from the top of the repository."
)
@_with_test
@_standing
@_memory
@_cache
@_json
def search(
    task: tuple[str, ...], code: IO[str] | None, diff: IO[str] | None, error: str, path: str, with_test: bool,
    standing: bool, memory: str, cache_dir: str, as_json: bool,
) -> None:  # fmt: skip
    """Find conventions that apply to code, and at most five similar changes.

    Conventions need to know the file: give --path with --code, or a --diff.
    """
    from patterns.questions import MOST_CHARACTERS, Question
    from patterns.search import Conventions
    from patterns.search import search as find

    old, changed = (file.read(MOST_CHARACTERS) if file else "" for file in (code, diff))
    question = Question(code=old, diff=changed, error=error, task=" ".join(task), path=path)
    if question == Question():
        raise UserError("there is nothing to search for", "give a task, --code, --diff, --error or --path")
    with PatternIndex(_file(PATTERNS), cache_folder(cache_dir)) as index:
        asked = WITH_TEST * with_test + STANDS * standing
        answer = find(question, index, Conventions(_templates()), _votes(memory), asked)
    if as_json:
        click.echo(json_text(rendering.answer_record(answer), indent=2))
    else:
        click.echo(visible("\n".join(rendering.answer_lines(answer))))


@main.command("list")
@_selecting
@click.option("--limit", default=20, type=click.IntRange(min=1), help="How many, the newest first.")
@_json
def list_(limit: int, as_json: bool, **wanted: Any) -> None:
    """List patterns, the newest first."""
    found = sorted(_selected(**wanted), key=lambda one: one.date, reverse=True)
    if as_json:
        for one in found[:limit]:
            click.echo(json_text(one))
    elif found:
        print_table(rendering.patterns_table(found[:limit]))
        click.echo(f"{min(limit, len(found)):,} of {len(found):,}")
    else:
        click.echo("there are no such patterns")


@main.command()
@_id
def show(pattern_id: str) -> None:
    """Show one pattern as JSON, with all of its fields."""
    click.echo(json_text(_one(pattern_id), indent=2))


@main.command()
@_id
@click.option("--repo", default="", metavar="PATH", help="Its repository, for the plain code that is nearest to it.")
@_memory
@_cache
@_json
def why(pattern_id: str, repo: str, memory: str, cache_dir: str, as_json: bool) -> None:
    """Show what speaks for a pattern: commits, tests, what became of it, and the nearest plain code beside it.

    To check a commit in a clone of its repository: git cat-file -e COMMIT.
    """
    from patterns.plain_code import nearest

    pattern = _one(pattern_id)
    plain = nearest(pattern, repo, cache_folder(cache_dir)) if repo else []
    up, down = _votes(memory).get(pattern_id, (0, 0))
    if as_json:
        click.echo(json_text({"pattern": pattern, "up": up, "down": down, "nearest_plain_code": plain}, indent=2))
    else:
        click.echo(visible("\n".join(rendering.why_lines(pattern, (up, down), plain))))


@main.command()
@_memory
@_json
def stats(memory: str, as_json: bool) -> None:
    """Show how many there are of what."""
    found = rendering.figures(read_patterns(_file(PATTERNS)), _templates(), _votes(memory))
    click.echo(json_text(found, indent=2)) if as_json else print_table(rendering.figures_table(found))


@main.command()
@click.option("--repo", required=True, metavar="PATH", help="The repository that the patterns are of.")
@_json
def check(repo: str, as_json: bool) -> None:
    """Look up both sides of every pattern in the blobs that it names; exit code 1 where one is not there."""
    from collections import Counter

    from patterns import checking

    counts: Counter[str] = Counter()
    broken = []
    for pattern, found in checking.check(read_patterns(_file(PATTERNS)), _git_dir(repo)):
        counts += found
        if set(found) - {checking.FOUND}:
            broken.append(pattern.pattern_id)
    if as_json:
        click.echo(json_text({"sides": counts, "patterns": broken}, indent=2))
    else:
        click.echo(", ".join(f"{count:,} sides: {what}" for what, count in counts.items()) or "there are no patterns")
        for pattern_id in broken:
            click.echo(f"  {pattern_id}")
    sys.exit(EXIT_FAILED if broken else 0)


@main.command()
@_selecting
@click.argument("path_to", type=click.Path(path_type=Path), metavar="FILE")
def export(path_to: Path, **wanted: Any) -> None:
    """Write patterns as JSON lines."""
    from patterns import exchange

    click.echo(f"{exchange.export(_selected(**wanted), path_to):,} patterns in {visible(str(path_to))}")


@main.command("import")
@click.argument("path_from", type=click.Path(path_type=Path), metavar="FILE")
def import_(path_from: Path) -> None:
    """Add the patterns of a JSON lines file to a folder of your own (--outputs), not to one that the pipeline writes.

    A pattern needs the eight fields from pattern_id to confidence; credentials in it are masked.
    """
    from patterns import exchange

    folder: Path = click.get_current_context().obj
    if (folder / ".gitlore").exists():
        raise UserError(f"{folder} is written by the pipeline", "name another folder: python -m patterns --outputs DIR")
    added, known = exchange.merge(folder / PATTERNS, exchange.read_import(path_from))
    click.echo(f"{added:,} patterns added, {known:,} were known already")


def _file(name: str) -> Path:
    path: Path = click.get_current_context().obj / name
    if not path.is_file():
        raise UserError(f"there is no {path}", "make it: python pipeline.py --stage pattern_miner")
    return path


def _templates() -> Iterator[Template]:
    """The templates of the folder; an imported one has none."""
    path: Path = click.get_current_context().obj / TEMPLATES
    return read_templates(path) if path.is_file() else iter(())


def _one(pattern_id: str) -> Pattern:
    ids = []
    for pattern in read_patterns(_file(PATTERNS)):
        if pattern.pattern_id == pattern_id:
            return pattern
        ids.append(pattern.pattern_id)
    hint = did_you_mean(pattern_id, ids) if len(ids) < 1_000 else "python -m patterns list shows them"
    raise UserError(f"there is no pattern {pattern_id}", hint)


def _selected(problem_type: str | None, path: str, language: str, with_test: bool, standing: bool) -> Iterator[Pattern]:
    for one in read_patterns(_file(PATTERNS)):
        named = problem_type in (None, one.problem_type) and language in ("", one.language)
        if named and one.file_path.startswith(path) and one.with_test >= with_test and stands(one) >= standing:
            yield one


def _votes(memory: str) -> Votes:
    """Those of the team, where there is a copy of its memory."""
    from patterns.memory.tables import SCHEMA

    if not (Path(memory) / f"{SCHEMA.name}.db").is_file():
        return {}
    from patterns.memory.local import LocalMemory

    with closing(LocalMemory(memory)) as local:
        return local.team.reading.votes()


def _git_dir(repo: str) -> Path:
    from core.git.repositories import open_repository

    return open_repository(repo, cache_folder()).git_dir


for command in (*COMMANDS, adapters):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m patterns")
