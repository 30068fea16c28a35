"""The team's adapters on the command line: on its database, or with --remote on its server."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from core import logs
from core.errors import StageError, UserError
from core.records.fusion import Method
from core.visible import visible
from patterns.team_commands import DATABASE, SETTINGS, TEAM_KEY, opened
from stores.agent.rendering import json_text

MOST_LISTED = 100
ASK_EVERY_S = 1.0
_AT_ONCE = 1 << 20
CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_adapter = click.argument("adapter", metavar="ADAPTER")
_reason = click.option("--reason", default="", metavar="TEXT", help="Why, for the audit.")


def _somewhere(command: CommandT) -> CommandT:
    """Options that say where the team is."""
    options = (
        click.option("--remote", default="", metavar="URL", help=f"The team's server; {TEAM_KEY} holds your key."),
        click.option("--database", default=DATABASE, metavar="DIR|URL", help="Without a server: the database itself."),
        click.option("--team", default="", metavar="NAME", help="Which team, where the database has several."),
        click.option("--adapter-files", metavar="DIR", help="Files of adapters [default: adapters/ beside it]."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings=SETTINGS)
def adapters() -> None:
    """Exchange adapters, activate one, and roll back. ADAPTER: a name, or at least eight characters of an id."""
    logs.setup()


@adapters.command("list", context_settings=SETTINGS)
@_somewhere
@_json
def list_adapters(as_json: bool, **place: Any) -> None:
    """List the newest adapters; * marks those that are active."""
    with _opened(**place) as team:
        found = team.page(MOST_LISTED)["adapters"]
    for row in found:
        click.echo(json_text(row) if as_json else visible(_line(row)))
    if not found and not as_json:
        click.echo("the team has no adapters")


@adapters.command("add", context_settings=SETTINGS)
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option("--name", default="", help="What it is called [default: the folder that tells it apart].")
@_somewhere
def add_adapter(folder: Path, name: str, **place: Any) -> None:
    """Add the adapter in a model folder; of the same one, nothing is added twice."""
    from core.fusion.parents import read
    from patterns.adapters import archive

    name = name or read(folder).name.rpartition("@")[0]
    with _opened(**place) as team, tempfile.TemporaryFile() as file:
        archive.pack(folder, file)
        file.seek(0)
        row, is_new = team.add(iter(lambda: file.read(_AT_ONCE), b""), name)
    click.echo(visible(f"{row['id'][:12]} {row['name']}: {'added' if is_new else 'known already'}"))
    if row["not_better"]:
        click.echo(visible(f"  activating it needs --force and a --reason: {row['not_better']}"))


@adapters.command("show", context_settings=SETTINGS)
@_adapter
@_somewhere
def show_adapter(adapter: str, **place: Any) -> None:
    """Show one as JSON: what it was made from, its figures, when it was active."""
    with _opened(**place) as team:
        click.echo(json_text(team.one(adapter), indent=2))


@adapters.command("activate", context_settings=SETTINGS)
@_adapter
@click.option("--force", is_flag=True, help="Also where its figures do not speak for it; needs a --reason.")
@click.option("--replaces", metavar="ID", help="Only if this one is active by now; '' for none.")
@_reason
@_somewhere
def activate_adapter(adapter: str, force: bool, replaces: str | None, reason: str, **place: Any) -> None:
    """Make one the active adapter of its base. It has to beat the untuned base everywhere, and its parents."""
    with _opened(**place) as team:
        done = team.activate(adapter, force=force, reason=reason, replaces=replaces)
    click.echo(_active(done))


@adapters.command("rollback", context_settings=SETTINGS)
@click.option("--base", default="", metavar="HASH", help="Of which base, where adapters of several are active.")
@_reason
@_somewhere
def roll_back(base: str, reason: str, **place: Any) -> None:
    """Activate what was active before; once more goes one step further back."""
    with _opened(**place) as team:
        done = team.rollback(base, reason=reason)
    click.echo(_active(done))


@adapters.command("download", context_settings=SETTINGS)
@_adapter
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new model folder.")
@_somewhere
def download_adapter(adapter: str, output: Path, **place: Any) -> None:
    """Write the model folder of one, for predict.py and serve.py."""
    from patterns.adapters import archive

    if output.exists():
        raise UserError(f"{output} already exists", "name a new folder with --output")
    with _opened(**place) as team, tempfile.TemporaryDirectory() as folder:
        id_ = team.fetch(adapter, Path(folder) / "adapter.tar")
        archive.unpack(Path(folder) / "adapter.tar", output)
    click.echo(visible(f"{id_[:12]} is in {output}"))


@adapters.command("merge", context_settings=SETTINGS)
@click.argument("names", nargs=-1, required=True, metavar="ADAPTER ADAPTER...")
@click.option("--name", required=True, help="What the fused one is called.")
@click.option("--weight", "weights", multiple=True, type=float, help="How much one counts, in order (repeatable).")
@click.option("--success-rate", "success_rates", multiple=True, metavar="K/N", help="The same as useful of reported.")
@click.option("--method", default="delta", type=click.Choice(get_args(Method)))
@click.option("--rank", default=0, type=click.IntRange(0, 4096), help="Of the fused one [default: the largest].")
@click.option("--trust-base", is_flag=True, help="Take it on trust that their bases are the same.")
@_somewhere
def merge_adapters(
    names: tuple[str, ...],
    name: str,
    weights: tuple[float, ...],
    success_rates: tuple[str, ...],
    method: Method,
    rank: int,
    trust_base: bool,
    **place: Any,
) -> None:
    """Fuse adapters into a new version. What it is worth is not measured here: docs/fusion.md."""
    from pydantic import ValidationError

    from patterns.adapters.merging import MergeRequest

    how: dict[str, Any] = {"method": method, "rank": rank, "trust_base": trust_base}
    try:
        asked = MergeRequest(adapters=list(names), name=name, weights=weights, success_rates=success_rates, **how)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "see --help") from None
    with _opened(**place) as team:
        job = team.merges.ask(asked)
        while job["status"] in ("queued", "running"):
            if not team.merges.work_off():
                time.sleep(ASK_EVERY_S)
            job = team.merges.one(job["id"])
    for one in job["reasons"]:
        pair = f"{' and '.join(adapter[:12] for adapter in one['adapters'])}: " if "adapters" in one else ""
        click.echo(visible(f"{pair}{one['reason']}"), err=True)
    if job["status"] != "done":
        raise (UserError if job["status"] == "refused" else StageError)(f"the merge was {job['status']}")
    click.echo(visible(f"{job['result'][:12]} {name}: added; its figures are not measured"))


@contextmanager
def _opened(remote: str, database: str, team: str, adapter_files: str | None) -> Iterator[Any]:
    """The team's adapters: those of a server for its member, those of a database for its admin."""
    if remote:
        from patterns.adapters.remote import RemoteAdapters
        from patterns.memory.remote import Remote

        with closing(Remote(remote, os.environ.get(TEAM_KEY, "").strip())) as server:
            yield RemoteAdapters(server)
        return
    with opened(database, team, adapter_files) as found:
        yield found.adapters


def _line(row: dict[str, Any]) -> str:
    mark = "*" if row["active"] else " "
    worth = f"  ({row['not_better']})" if row["not_better"] else ""
    size = f"{row['bytes'] / 1e6:,.1f} MB"
    about = f"{row['method']} rank {row['rank']} of {row['base_model']}, {size}, {row['created_by']}"
    return f"{mark} {row['id'][:12]}  {row['name']}  {about}, {row['created_at'][:10]}{worth}"


def _active(done: dict[str, Any]) -> str:
    return f"{done['id'][:12]} is active for the base {done['base_sha256'][:12]}"
