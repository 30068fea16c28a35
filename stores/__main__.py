"""The stores, for people: python -m stores COMMAND. Agents use the classes (docs/stores.md)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from core.engine.command import version_option, with_exit_codes
from core.errors import EXIT_FAILED, StageError, UserError, did_you_mean
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.records import Entry, Evidence
from stores.agent.store import Store

KINDS: dict[str, type[Store[Any]]] = {
    "v_vector": VVectorStore,
    "pattern": PatternStore,
    "failure": FailureStore,
}
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_store = click.argument("store", type=click.Choice(list(KINDS)))
_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of words.")


@click.group(context_settings=_SETTINGS)
@click.option(
    "--stores", "location", default="outputs/stores", metavar="DIR|URL", show_default=True, help="Where the stores lie."
)
@version_option()
@click.pass_context
def main(ctx: click.Context, location: str) -> None:
    """Look into the stores that agents read, and carry them about.

    Exit codes: 0 ok, 1 something is wrong with a store, 2 wrong arguments or no store there.
    """
    ctx.obj = location


def _open(ctx: click.Context, name: str, *, create: bool = False) -> Store[Any]:
    store = KINDS[name](ctx.obj, create=create)
    ctx.call_on_close(store.close)
    return store


@main.command("list")
@_store
@click.option("--where", "conditions", multiple=True, metavar="COLUMN=VALUE", help="Only these (repeatable).")
@click.option("--retired", is_flag=True, help="Entries too that no evidence supports any more.")
@_json
@click.pass_context
@with_exit_codes
def list_(ctx: click.Context, store: str, conditions: Sequence[str], retired: bool, as_json: bool) -> None:
    """List the entries of a store."""
    opened = _open(ctx, store)
    where = dict(_condition(one, opened) for one in conditions)
    entries = opened.entries(retired=retired, **where)
    if as_json:
        for entry in entries:
            _print_json(entry)
        return
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    for name in ("id", *opened.key_columns, "what", "confidence", "evidence", "own", "source"):
        table.add_column(name, justify="right" if name in ("id", "confidence", "evidence") else "left", overflow="fold")
    for entry in entries:
        own = f"{entry.own.successes}/{entry.own.successes + entry.own.failures}" if entry.own.ema is not None else ""
        cells = (
            str(entry.id),
            *opened.key_of(entry),
            _what(entry),
            f"{entry.confidence:.2f}",
            f"{entry.sample_count:,}",
        )
        table.add_row(*cells, own, entry.source)
    if not table.row_count:
        click.echo(f"{opened.name} has no such entries" if where else f"{opened.name} has no entries yet")
        return
    _console().print(table)


@main.command()
@_store
@click.argument("entry_id", type=int, metavar="ID")
@click.pass_context
@with_exit_codes
def show(ctx: click.Context, store: str, entry_id: int) -> None:
    """Show one entry, all of it, as JSON."""
    _print_json(_open(ctx, store).get(entry_id), indent=2)


@main.command()
@_store
@click.argument("entry_id", type=int, metavar="ID")
@click.option("--evidence", default=10, show_default=True, metavar="N", help="Pieces of evidence to show.")
@_json
@click.pass_context
@with_exit_codes
def why(ctx: click.Context, store: str, entry_id: int, evidence: int, as_json: bool) -> None:
    """Show where an entry comes from: its gate, its evidence by commit, and what agents reported.

    A commit can be checked in a clone of its repository: git cat-file -e SHA.
    """
    found = _open(ctx, store).why(entry_id, evidence=evidence)
    if as_json:
        _print_json(found, indent=2)
        return
    entry = found.entry
    click.echo(f"{_what(entry)}")
    click.echo(
        f"confidence {entry.confidence:.3f}: prior Beta({entry.prior[0]:.1f}, {entry.prior[1]:.1f}), "
        f"own outcomes {entry.own.successes} good, {entry.own.failures} bad"
    )
    for target, figures in {**entry.quantiles, **entry.shares}.items():
        click.echo(f"{target}: " + ", ".join(f"{name} {value:g}" for name, value in figures.items()))
    for line in _gate_lines(entry):
        click.echo(line)
    names = {state.key: f"{state.name} ({state.location})" for state in found.repositories}
    click.echo(f"evidence: {entry.sample_count:,} pieces from {', '.join(entry.source_repos) or 'nowhere'}")
    for piece in found.evidence:
        click.echo(f"  {piece.sha} {_outcome(piece)} {piece.note} [{names[piece.repository]}]")
    for told in found.outcomes:
        click.echo(f"  {told['at']} {'worked' if told['success'] else 'failed'} {told['detail'].get('note', '')}")


@main.command()
@_store
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.pass_context
@with_exit_codes
def export(ctx: click.Context, store: str, path: Path) -> None:
    """Write a store as JSON lines."""
    click.echo(f"{_open(ctx, store).export(path):,} lines in {path}")


@main.command("import")
@_store
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.pass_context
@with_exit_codes
def import_(ctx: click.Context, store: str, path: Path) -> None:
    """Read such a file into a store: outcomes and own entries into any, evidence into one that has none."""
    if not path.is_file():
        raise UserError(f"{path} cannot be read: there is no such file", "name a file that export has written")
    done = _open(ctx, store, create=True).import_(path)
    click.echo(
        ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in msgspec.structs.asdict(done).items())
    )


@main.command()
@click.pass_context
@with_exit_codes
def check(ctx: click.Context) -> None:
    """Check all three stores: damage, and figures that do not follow from the evidence or the outcomes."""
    wrong = 0
    for name, kind in KINDS.items():
        try:
            problems = _open(ctx, name).check()
        except StageError as error:  # the others may be whole
            problems = [f"{error.message}; {error.hint}"]
        wrong += len(problems)
        click.echo(f"{kind.name}: {'ok' if not problems else f'{len(problems)} problems'}")
        for problem in problems:
            click.echo(f"  {problem}")
    sys.exit(EXIT_FAILED if wrong else 0)


@main.command()
@_json
@click.pass_context
@with_exit_codes
def stats(ctx: click.Context, as_json: bool) -> None:
    """Show how much each store holds, and when it was seeded."""
    found = {name: _open(ctx, name).stats() for name in KINDS}
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    for row in next(iter(found.values())):
        table.add_row(
            row, *(f"{figures[row]:,}" if isinstance(figures[row], int) else figures[row] for figures in found.values())
        )
    _console().print(table)


@main.command()
@click.pass_context
@with_exit_codes
def backup(ctx: click.Context) -> None:
    """Copy the stores into backups/ beside them; of each the newest seven stay."""
    for name in KINDS:
        made = _open(ctx, name).backup()
        click.echo(str(made) if made else f"{name}: PostgreSQL has its own backups; `export` writes JSON lines")


def _condition(text: str, store: Store[Any]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    known = (*store.key_columns, "source")
    if not equals or name not in known:
        raise UserError(f"--where {text}: expected COLUMN=VALUE", did_you_mean(name, known))
    return name, value


def _what(entry: Entry) -> str:
    """An entry in a few words."""
    for name in ("description", "evolved_value", "pattern"):
        value = getattr(entry, name, None)
        if value is not None:
            return value if isinstance(value, str) else ", ".join(f"{key}: {one}" for key, one in value.items())
    return ""


def _outcome(piece: Evidence) -> str:
    return " ".join(f"{name}={value}" for name, value in piece.outcome.items())


def _gate_lines(entry: Entry) -> Iterator[str]:
    for target, figures in entry.gate.items():
        over, placebo = figures["gain over defaults"], figures["gain over placebo"]
        yield (
            f"gate of {target}: saves {_interval(over)} bits over the defaults and {_interval(placebo)} over the"
            f" placebo, on {figures['units']} units ({figures['method']})"
        )
        if figures["losers"]:
            yield f"  worse off: {', '.join(figures['losers'])}"


def _interval(gain: dict[str, Any]) -> str:
    return f"{gain['mean']:.3f} [{gain['low']:.3f}, {gain['high']:.3f}]"


def _print_json(value: Any, indent: int = 0) -> None:
    line = msgspec.json.encode(value)
    click.echo((msgspec.json.format(line, indent=indent) if indent else line).decode())


def _console() -> Console:
    return Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200)


if __name__ == "__main__":
    main(prog_name="python -m stores")
