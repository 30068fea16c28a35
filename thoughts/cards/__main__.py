"""What is to be known of code before it is changed: `python -m thoughts.cards`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from chat.providers import Provider
from core import logs
from core.config import ChatConfig
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git import trees
from core.git.repositories import open_repository
from thoughts.cards.making import opened
from thoughts.cards.rendering import document


@click.command("python -m thoughts.cards", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.argument("places", metavar="PATH[:NAME]...", nargs=-1, required=True)
@click.option("--at", "commit", default="HEAD", metavar="COMMIT", show_default=True, help="The commit that is meant.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a card, a line each.")
@click.option("--url", default="", metavar="URL", help="OpenAI-compatible API of a language model; with --model.")
@click.option("--model", default="", metavar="NAME", help="Language model that says in a sentence what the code does.")
@click.option(
    "--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where clones and indexes are kept."
)
@with_exit_codes
def main(repo: str, places: tuple[str, ...], commit: str, as_json: bool, url: str, model: str, cache_dir: str) -> None:
    """Cards of files and of what they define: what it does, who knows it, what uses and tests it, its risk."""
    logs.setup(verbose=False)
    folder = Path(cache_dir)
    provider = Provider.of(ChatConfig(url=url, model=model), repo, folder)
    git_dir = open_repository(repo, folder).git_dir
    with opened(git_dir, folder, trees.commit_named(git_dir, commit), provider) as cards:
        for number, place in enumerate(places):
            card = cards.named(place)
            text = f"{json.dumps(card.as_dict())}\n" if as_json else "\n" * bool(number) + document([card])
            click.echo(text, nl=False)


if __name__ == "__main__":
    main()
