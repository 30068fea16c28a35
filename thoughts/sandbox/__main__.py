"""What a sandbox denies on this machine: python -m thoughts.sandbox. docs/sandbox.md says what it does not."""

from __future__ import annotations

import dataclasses
import json
import sys

import click
from rich.table import Table

from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import EXIT_FAILED
from core.visible import visible
from stores.agent.rendering import print_table
from thoughts.sandbox.escapes import ESCAPES, HEAVY
from thoughts.sandbox.probing import DETACHED, OUTSIDE, Attempt, attempts, question
from thoughts.sandbox.standing import advice, standing


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option(
    "--all", "with_heavy", is_flag=True, help="Also try to use up memory, processes and disk (1 GB, a minute)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_exit_codes
def main(with_heavy: bool, as_json: bool) -> None:
    """Try the ways out of a sandbox on this machine, outside and in each kind that works here.

    Exit codes: 0 success, 1 something was reached from inside.
    """
    names = [name for name in (*ESCAPES, DETACHED) if with_heavy or name not in HEAVY]
    found = list(attempts(names))
    if as_json:
        table = [dataclasses.asdict(one) for one in found]
        click.echo(json.dumps({"kinds": standing().reasons, "attempts": table}, indent=2))
    else:
        _print(names, found)
    if any(one.reached for one in found if one.place != OUTSIDE):
        sys.exit(EXIT_FAILED)


def _print(names: list[str], found: list[Attempt]) -> None:
    places = [OUTSIDE, *(tier.name for tier in standing().working)]
    at = {(one.name, one.place): one for one in found}
    table = Table("attempt", *places, box=None)
    for name in names:
        table.add_row(question(name), *(_word(at[name, place]) for place in places))
    print_table(table)
    for name, reason in standing().reasons.items():
        if reason:
            click.echo(visible(f"{name} does not work here: {reason}"))
    click.echo(standing().sentence() if standing().working else f"{standing().sentence()}\n  hint: {advice()}")


def _word(attempt: Attempt) -> str:
    if not attempt.tried:
        return "not tried"
    return "reached" if attempt.reached else "denied"


if __name__ == "__main__":
    main()
