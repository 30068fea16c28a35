"""The command chat.py: flags and printing."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from core import logs
from core.config import ChatConfig, cache_folder, load, settings_file
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes, with_section
from core.visible import visible

if TYPE_CHECKING:
    from chat.answer import Answer
    from chat.asking import Chat
    from chat.learning.policies import Policy
    from index.hits import Hit

LEARNED = ("order", "context")
"""What use teaches: the order of places, and how much of them is shown."""
MANY_TEXTS = 500
"""To read; only then is there time to tell about it."""
_HELP = (
    "Ask in words: where, how, what calls …, why was … changed, when was … introduced, who knows …, what changed since"
)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("question", nargs=-1, metavar="[QUESTION]...")
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository (path or URL) to ask.")
@click.option("--commit", default="", metavar="COMMIT", help="Answer as of this commit [default: what is checked out].")
@click.option("--update", is_flag=True, help="Bring the index up to date, and now and then learn from the history.")
@click.option("--status", is_flag=True, help="Say what the index holds, without a question, and change nothing.")
@click.option("--eval", "evaluate", is_flag=True, help="Say how well questions from the history are answered.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (in a conversation: a line each).")
@click.option("--why", is_flag=True, help="Show the places that were found, and what spoke for each.")
@click.option("--rollback", type=click.Choice(LEARNED), help="Go one step back in what use has taught.")
@with_section(ChatConfig)
@click.option("--config", metavar="FILE", help="Settings file [default: config.yaml, if there is one].")
@click.option("--cache-dir", default="", metavar="DIR", help="Indexes and clones [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages, such as the exact git commands.")
@version_option()
@with_exit_codes
def main(
    question: tuple[str, ...], repo: str, commit: str, update: bool, status: bool, evaluate: bool, as_json: bool,
    why: bool, rollback: str | None, config: str | None, cache_dir: str, verbose: bool, **given: Any,
) -> None:  # fmt: skip
    """Ask a repository in words: where, how, what calls it, why was it changed, who knows it, what is new."""
    logs.setup(verbose=verbose)
    from chat.asking import opened
    from thoughts.known import Known

    values = {"chat": _given(given)}
    settings, folder = load(settings_file(config), {}, values=values, other_sections=True), cache_folder(cache_dir)
    with opened(repo, folder, settings.chat) as chat:
        chat.study = Known(chat.git_dir, folder, settings.study.database)
        if rollback:
            click.echo(step_back(chat, rollback))
            return
        if status:
            show_status(chat, as_json=as_json)
            return
        bring_up_to_date(chat, commit)
        if update:
            learn(chat)
            show_status(chat, as_json=as_json)
        if evaluate:
            show_evaluation(chat, as_json=as_json)
        if question:
            show(chat.ask(" ".join(question), policy=policy_of(chat, settings.chat)), as_json=as_json, why=why)
        elif not (update or evaluate):
            converse(chat, commit, policy_of(chat, settings.chat), as_json=as_json, why=why)


def _given(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value not in (None, ())}


def bring_up_to_date(chat: Chat, commit: str) -> None:
    """Index what is new, and show how far that is where it takes a while."""
    from core.progress import Progress

    with contextlib.ExitStack() as stack:
        bar: list[Progress] = []

        def advance(_: int, total: int) -> None:
            if total < MANY_TEXTS:
                return
            if not bar:
                bar.append(stack.enter_context(Progress("indexing", total, "files")))
            bar[0].advance()

        chat.update(commit, advance)


def learn(chat: Chat) -> None:
    """Learn from the repository's history how to rank its places, where enough of it is new."""
    from core.progress import Progress
    from index import learning

    if learning.is_due(chat.index):
        with Progress("learning", unit="questions") as progress:
            learning.learn(chat.index, lambda _: progress.advance())


def show_evaluation(chat: Chat, *, as_json: bool) -> None:
    """Print how well questions are answered whose answers are known, beside simpler ways."""
    import msgspec

    from chat.evaluations import SECONDS, in_words
    from core.progress import Progress
    from index.evaluation import evaluated

    with Progress("evaluating", unit="questions") as progress:
        found = evaluated(chat.index, SECONDS, lambda _: progress.advance())
    click.echo(json.dumps(msgspec.to_builtins(found), indent=2) if as_json else visible(in_words(found)))


def policy_of(chat: Chat, settings: ChatConfig) -> Policy:
    """How much answers show: what helped most often before, where the settings let it choose."""
    from chat.learning import bandit
    from chat.learning.policies import DEFAULT

    return bandit.favourite(chat.index) if "context" in settings.adapt else DEFAULT


def step_back(chat: Chat, what: str) -> str:
    """Withdraw the newest version of what use has taught; a sentence."""
    from chat.learning import training

    return training.step_back(chat.index, what)


def converse(chat: Chat, commit: str, policy: Policy, *, as_json: bool, why: bool) -> None:
    """Answer line by line until the input ends; "it" is what the last answer was about."""
    is_terminal = sys.stdin.isatty()
    if is_terminal:
        click.echo(f"Ask in words: {_HELP}; Ctrl-D ends.", err=True)
    last: Hit | None = None
    while True:
        if is_terminal:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            bring_up_to_date(chat, commit)
            answer = chat.ask(line, last, policy)
            last = answer.subject or last
            show(answer, as_json=as_json, why=why, in_line=True)


def show(answer: Answer, *, as_json: bool, why: bool, in_line: bool = False) -> None:
    """Print an answer; what a terminal would act on is spelled out, in JSON everything beyond ASCII."""
    if as_json:
        click.echo(json.dumps(answer.as_dict(why=why), indent=None if in_line else 2))
    else:
        click.echo(visible(answer.in_words(why=why)))


def show_status(chat: Chat, *, as_json: bool) -> None:
    """Print what the index holds and how old it is."""
    from chat.learning import training

    status = chat.index.status()
    state = chat.state(status.commit) if status.commit else None
    if as_json:
        record = {
            "commit": status.commit,
            "behind": state.behind if state else None,
            "files": status.files,
            "symbols": status.symbols,
            "skipped": dict(status.skipped),
            "vectors": status.has_vectors,
            "bytes": status.size,
            "learned": {"commit": known.commit, "questions": known.questions, "verdicts": known.verdicts}
            if (known := chat.index.learned)
            else None,
            "from_use": training.in_use(chat.index),
            "place": chat.index.place,
        }
        click.echo(json.dumps(record, indent=2))
        return
    if not state:
        click.echo("there is no index yet; the first question makes it")
        return
    where = state.in_words().replace("answered at", "indexed at")
    size = f"{status.size / 1e6:,.1f} MB" + (f" in {chat.index.place}" if chat.index.is_shared else "")
    click.echo(visible(f"{where}: {status.files:,} files, {status.symbols:,} symbols, {size}"))
    for reason, count in status.skipped.items():
        click.echo(visible(f"  left out: {count:,} {reason}"))
    if known := chat.index.learned:
        click.echo(f"  learned from {known.questions:,} questions of the history up to {known.commit[:9]}:")
        for verdict in known.verdicts:
            click.echo(f"    {verdict}")
    else:
        click.echo("  nothing learned from the history yet; --update does")
    for verdict in training.in_use(chat.index):
        click.echo(f"  learned from use, followed with --adapt: {verdict}")


if __name__ == "__main__":
    main(prog_name="python -m chat")
