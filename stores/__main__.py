"""The stores on the command line: python -m stores COMMAND. Agents use the classes instead (docs/stores.md)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import EXIT_FAILED, StageError, UserError, did_you_mean
from core.visible import visible
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.rendering import entries_table, json_text, print_table, stats_table, why_lines
from stores.agent.store import Store

KINDS: dict[str, type[Store[Any]]] = {"v_vector": VVectorStore, "pattern": PatternStore, "failure": FailureStore}
_SETTINGS = {**CONTEXT_SETTINGS, "show_default": True}
_store = click.argument("store", type=click.Choice(list(KINDS)))
_id = click.argument("entry_id", type=int, metavar="ID")
_file = click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Group(click.Group):
    """A group whose commands end with our exit codes."""

    @with_exit_codes
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        return super().invoke(ctx)


@click.group(cls=_Group, context_settings=_SETTINGS)
@click.option("--stores", "location", default="outputs/stores", metavar="DIR|URL", help="Where the stores are.")
@version_option()
@click.pass_context
def main(ctx: click.Context, location: str) -> None:
    """Inspect, check, export and import the stores that agents read.

    Exit codes: 0 success, 1 a store has problems, 2 wrong arguments or no such store.
    """
    ctx.obj = location


@main.command("list")
@_store
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only entries with this value (repeatable).")
@click.option("--retired", is_flag=True, help="Include retired entries, which no evidence supports any more.")
@_json
def list_(store: str, where: Sequence[str], retired: bool, as_json: bool) -> None:
    """List the entries of a store."""
    opened = _open(store)
    entries = list(opened.entries(retired=retired, **dict(_condition(one, opened) for one in where)))
    if as_json:
        for entry in entries:
            click.echo(json_text(entry))
    elif entries:
        print_table(entries_table(opened, entries))
    else:
        click.echo(f"{opened.name} has no such entries" if where else f"{opened.name} has no entries yet")


@main.command()
@_store
@_id
def show(store: str, entry_id: int) -> None:
    """Show one entry as JSON, with all of its fields."""
    click.echo(json_text(_open(store).get(entry_id), indent=2))


@main.command()
@_store
@_id
@click.option("--evidence", default=10, metavar="N", help="How many pieces of evidence to show.")
@_json
def why(store: str, entry_id: int, evidence: int, as_json: bool) -> None:
    """Show where an entry comes from: its gate, evidence and outcomes.

    To check a commit in a clone of its repository: git cat-file -e SHA.
    """
    found = _open(store).why(entry_id, evidence=evidence)
    click.echo(json_text(found, indent=2) if as_json else visible("\n".join(why_lines(found))))


@main.command()
@_store
@_file
def export(store: str, path: Path) -> None:
    """Write a store as JSON lines."""
    click.echo(f"{_open(store).export(path):,} lines in {path}")


@main.command("import")
@_store
@_file
def import_(store: str, path: Path) -> None:
    """Import an export. Outcomes and own entries merge into any store, evidence needs one that has none."""
    if not path.is_file():  # before a store is created for it
        raise UserError(f"{path} cannot be read: the file does not exist", "name a file that export has written")
    click.echo(_open(store, create=True).import_(path))


@main.command()
def check() -> None:
    """Check the stores. Finds damage, and figures that do not follow from the evidence or the outcomes."""
    failed = False
    for name, kind in KINDS.items():
        try:
            problems = _open(name).check()
        except StageError as error:  # the other stores may be fine
            problems = [f"{error.message}; {error.hint}"]
        failed |= bool(problems)
        lines = [f"{kind.name}: {f'{len(problems)} problems' if problems else 'ok'}", *problems]
        click.echo(visible("\n  ".join(lines)))
    sys.exit(EXIT_FAILED if failed else 0)


@main.command()
@_json
def stats(as_json: bool) -> None:
    """Show how much each store holds, and when it was last seeded."""
    found = {name: _open(name).stats() for name in KINDS}
    click.echo(json_text(found, indent=2)) if as_json else print_table(stats_table(found))


@main.command()
def backup() -> None:
    """Copy the stores into the backups/ folder next to them. The newest seven copies are kept."""
    for name in KINDS:
        made = _open(name).backup()
        click.echo(str(made) if made else f"{name}: PostgreSQL has its own backups; `export` writes JSON lines")


def _open(name: str, *, create: bool = False) -> Store[Any]:
    context = click.get_current_context()
    return context.with_resource(KINDS[name](context.obj, create=create))


def _condition(text: str, store: Store[Any]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    known = (*store.key_columns, "source")
    if not equals or name not in known:
        raise UserError(f"--where {text}: expected COLUMN=VALUE", did_you_mean(name, known))
    return name, value


if __name__ == "__main__":
    main(prog_name="python -m stores")
