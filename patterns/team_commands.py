"""The team's memory on the command line: its server, its members and keys, and what goes to it and comes from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from core import logs
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS
from core.errors import EXIT_FAILED, UserError
from core.history.messages import Pseudonyms
from core.history.options import read_salt
from core.records.patterns import Pattern, Template, read_patterns, read_templates
from core.visible import visible
from patterns.adapters.files import MOST_BYTES

TEAM_KEY = "GITLORE_TEAM_KEY"
API_KEY = "GITLORE_API_KEY"
AT_ONCE = 200
"""Patterns of a file that are written together."""
DATABASE, MEMORY = "outputs/team", "outputs/memory"
SETTINGS = {**CONTEXT_SETTINGS, "show_default": True}
_database = click.option(
    "--database", default=DATABASE, metavar="DIR|URL", help="Database: a folder, or PostgreSQL's URL."
)
_team = click.option("--team", default="", metavar="NAME", help="Which team, where the database has several.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(context_settings=SETTINGS)
@_database
@click.option("--team", default="team", metavar="NAME", help="Name of the team that is made where there is none.")
@click.option("--admin", default="admin", metavar="NAME", help="Name of its first member.")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--max-body-bytes", default=8_000_000, type=click.IntRange(1), help="Longer bodies get 413.")
@click.option("--max-adapter-bytes", default=MOST_BYTES, type=click.IntRange(1), help="The same for adapters.")
@click.option("--adapter-files", metavar="DIR", help="Files of adapters [default: adapters/ beside the database].")
@click.option("--verbose", is_flag=True, help="Show debug messages and each request.")
def serve(
    database: str,
    team: str,
    admin: str,
    host: str,
    port: int,
    max_body_bytes: int,
    max_adapter_bytes: int,
    adapter_files: str | None,
    verbose: bool,
) -> None:
    """Serve the memory of a team. The first start makes the team and prints the key of its admin, once."""
    logs.setup(verbose=verbose)
    from patterns.memory.people import has_team
    from patterns.memory.team_memory import TeamMemory
    from services.app import make_app
    from services.http.limits import Limits
    from services.listening import listen

    folder = Path(adapter_files) if adapter_files else None
    with TeamMemory(database, adapters=folder, most_adapter_bytes=max_adapter_bytes) as memory:
        if not has_team(memory.database):
            identity = memory.found(team, admin)
            key, _ = memory.team(identity).people.make_key(admin, "first key")
            click.echo(f"made the team {team}; the key of {admin}, which is not shown again:\n{key.text}")
        app = make_app({}, Limits(max_body_bytes), os.environ.get(API_KEY, "").strip(), team=memory)
        listen(app, host, port, ["team"], verbose=verbose)


def _syncing(what: str) -> Callable[..., None]:
    def command(
        remote: str, memory: str, patterns: str | None, templates: str | None, share_emails: bool, cache_dir: str
    ) -> None:
        logs.setup()
        from patterns.memory import syncing
        from patterns.memory.local import LocalMemory
        from patterns.memory.remote import Remote

        salt = None if share_emails else Pseudonyms(read_salt("", cache_folder(cache_dir)))
        with (
            closing(Remote(remote, os.environ.get(TEAM_KEY, "").strip())) as server,
            closing(LocalMemory(memory, pseudonyms=salt)) as local,
        ):
            if patterns:
                _remember(local, Path(patterns), read_patterns)
            if templates:
                _remember(local, Path(templates), read_templates)
            done = getattr(syncing, what)(local, server)
        counts = f"{done.delivered:,} delivered, {len(done.refused):,} refused, {done.read:,} read"
        click.echo(counts + (f", {done.removed:,} removed" if done.was_full else ""))
        for reason in done.refused[:20]:
            click.echo(visible(f"  refused: {reason}"), err=True)

    return command


def _sync_command(name: str, text: str) -> click.Command:
    options = [
        click.option("--remote", required=True, metavar="URL", help=f"The team's server. {TEAM_KEY} holds your key."),
        click.option("--memory", default=MEMORY, metavar="DIR", help="Your copy of the team's memory."),
        click.option("--patterns", metavar="FILE", help="Put the patterns of this patterns.jsonl into it first."),
        click.option("--templates", metavar="FILE", help="The same for the conventions of a templates.jsonl."),
        click.option(
            "--share-emails", is_flag=True, help="Send addresses of authors as they are, not as keyed hashes."
        ),
        click.option("--cache-dir", default="", metavar="DIR", help="Where the key of hashes is kept."),
    ]
    callback = _syncing(name)
    for option in reversed(options):
        callback = option(callback)
    return click.command(name, help=text, context_settings=SETTINGS)(callback)


push = _sync_command("push", "Deliver what waits in the outbox.")
pull = _sync_command("pull", "Read what the team has done since the last time.")
sync = _sync_command("sync", "Push, then pull.")


@click.group(context_settings=SETTINGS)
def member() -> None:
    """Add, change and list the members of a team, on its database."""


@member.command("add", context_settings=SETTINGS)
@click.argument("name")
@click.option("--role", default="member", type=click.Choice(["reader", "member", "maintainer", "admin"]))
@click.option("--email", default="")
@_database
@_team
def add_member(name: str, role: str, email: str, database: str, team: str) -> None:
    """Add a member. What they may do: docs/team.md."""
    with _people(database, team) as people:
        people.add_member(name, role, email)
    click.echo(visible(f"{name} is a {role}; `key create --member {name}` makes a key"))


@member.command("disable", context_settings=SETTINGS)
@click.argument("name")
@_database
@_team
def disable_member(name: str, database: str, team: str) -> None:
    """Refuse all keys of a member from now on. What they have added stays."""
    with _people(database, team) as people:
        people.change_member(name, disabled=True)
    click.echo(visible(f"{name} is disabled"))


@member.command("list", context_settings=SETTINGS)
@_database
@_team
@_json
def list_members(database: str, team: str, as_json: bool) -> None:
    """List the members."""
    with _people(database, team) as people:
        _print(people.members(), as_json=as_json)


@click.group(context_settings=SETTINGS)
def key() -> None:
    """Make, revoke and list keys, on the team's database."""


@key.command("create", context_settings=SETTINGS)
@click.option("--member", "name", required=True, metavar="NAME", help="Whose key it is.")
@click.option("--label", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is valid [default: until it is revoked].")
@_database
@_team
def create_key(name: str, label: str, days: int | None, database: str, team: str) -> None:
    """Make a key and print it, once."""
    with _people(database, team) as people:
        made, _ = people.make_key(name, label, days)
    click.echo(made.text)


@key.command("revoke", context_settings=SETTINGS)
@click.argument("prefix")
@_database
@_team
def revoke_key(prefix: str, database: str, team: str) -> None:
    """Refuse a key from now on. PREFIX: the eight characters behind glk_."""
    with _people(database, team) as people:
        people.revoke_key(prefix)
    click.echo(visible(f"{prefix} is revoked"))


@key.command("list", context_settings=SETTINGS)
@_database
@_team
@_json
def list_keys(database: str, team: str, as_json: bool) -> None:
    """List the keys, without what is secret about them."""
    with _people(database, team) as people:
        _print(people.keys(), as_json=as_json)


@click.command(context_settings=SETTINGS)
@_database
@_team
def recount(database: str, team: str) -> None:
    """Count all votes again, and compare. Exit code 1 where something does not follow from them."""
    from patterns.memory.team_memory import Team

    with opened(database, team) as found:
        assert isinstance(found, Team)
        problems = found.check()
    click.echo(visible("\n".join(problems)) if problems else "every count follows from the votes")
    sys.exit(EXIT_FAILED if problems else 0)


@click.command(context_settings=SETTINGS)
@click.option("--days", default=180, type=click.IntRange(0), help="How long they have been deleted.")
@_database
@_team
def purge(days: int, database: str, team: str) -> None:
    """Delete for good what was deleted long ago. Copies that have not heard of it yet are read again as a whole."""
    with opened(database, team) as found:
        click.echo(f"{found.purge(days):,} patterns purged")


COMMANDS: tuple[click.Command, ...] = (serve, push, pull, sync, member, key, recount, purge)
"""For `python -m patterns`."""


@contextmanager
def opened(database: str, team: str, adapter_files: str | None = None) -> Iterator[Any]:
    """The team, as its admin sees it. Raises UserError where there is none."""
    from patterns.memory.team_memory import TeamMemory

    folder = Path(adapter_files) if adapter_files else None
    with TeamMemory(database, create=False, adapters=folder) as memory:
        identity = memory.admin(team)
        if identity is None:
            raise UserError(f"{database} has no team {team}".rstrip(), "python -m patterns serve makes the first one")
        yield memory.team(identity)


@contextmanager
def _people(database: str, team: str) -> Iterator[Any]:
    with opened(database, team) as found:
        yield found.people


def _remember(
    local: Any, path: Path, read: Callable[[Path], Iterator[Pattern]] | Callable[[Path], Iterator[Template]]
) -> None:
    """Put what a file has into the memory, each pattern with all places where it occurred."""
    from patterns.memory.records import operations_of

    if not path.is_file():
        raise UserError(f"{path} cannot be read: the file does not exist", "name a file of a pipeline's outputs")
    left_out, news = 0, list[Any]()
    for one in read(path):
        found = operations_of(one)
        left_out += not found
        news += found
        if len(news) >= AT_ONCE:
            left_out += _refused(local, news)
            news = []
    left_out += _refused(local, news)
    if left_out:
        click.echo(f"{left_out:,} lines of {path} left out: too long, or a credential is left in them", err=True)


def _refused(local: Any, news: list[Any]) -> int:
    return sum(outcome.status == "refused" for outcome in local.do(news))


def _print(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    for row in rows:
        if as_json:
            click.echo(msgspec.json.encode(row).decode())
        else:
            click.echo(visible("  ".join(str(value) for value in row.values() if value not in (None, ""))))
