"""One call over several repositories: each with a folder of its own, and one summary of all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from core.config import Config, expand, without_credentials
from core.engine import results
from core.engine.runner import Layout, Runner
from core.engine.stage import Stage
from core.errors import EXIT_INTERRUPTED, GitloreError, UserError
from core.git import commands as git
from core.logs import log


def by_folder(entries: Sequence[str]) -> dict[str, str]:
    """Repositories (folders, URLs, and text files that list some) by the name of the folder that each gets."""
    found: dict[str, str] = {}
    seen = set()
    for location in (location for entry in entries for location in _listed(entry)):
        place = location if git.is_url(location) else str(expand(location).resolve())
        if place in seen:
            continue
        seen.add(place)
        name = folder_name(location)
        while name in found:  # the first keeps the plain name, so that one more does not rename it
            name += f"-{sha256(place.encode()).hexdigest()[:8]}"
        found[name] = location
    return found


def _listed(entry: str) -> list[str]:
    """The repositories that an entry of `repos` stands for: itself, or the lines of the file that it names.

    Empty lines and lines that start with # do not count. Raises UserError for a list without any.
    """
    path = expand(entry)
    if not path.is_file():
        return [entry]
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the list of repositories {path} cannot be read: {error}") from None
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise UserError(f"the list of repositories {path} names none", "write one folder or URL a line")
    return found


def folder_name(location: str) -> str:
    """The name of a repository's folder under outputs."""
    path = without_credentials(location) if git.is_url(location) else str(expand(location).resolve())
    last = re.split(r"[/\\:]", path.rstrip("/\\").removesuffix("/.git").removesuffix(".git"))[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.") or "repository"


@dataclass(frozen=True)
class Turn:
    """What is run for one repository, or for all of them together."""

    name: str
    """The repository's; "" where the settings mean one, or for all together."""
    runner: Runner
    selected: Sequence[Stage]


def turns(
    stages: Sequence[Stage],
    config: Config,
    layout: Layout,
    selected: Sequence[Stage],
    *,
    joiner: Stage | None = None,
    verbose: bool = False,
) -> list[Turn]:
    """The selected stages for each repository that the settings mean.

    With `pipeline.one_model`, what comes after `joiner`'s outputs are there runs once, for all together.
    """
    each = config.each()
    if not each:
        return [Turn("", Runner(stages, config, layout, verbose), selected)]
    own, joint = (stages, []) if joiner is None or not config.pipeline.one_model else _parted(stages, joiner)
    found = []
    for name, one in each.items():
        home = layout.home / name
        places = {file: home / path.name for file, path in layout.places.items()}
        mine = [stage for stage in selected if stage in own]
        found.append(Turn(name, Runner(own, one, Layout(home, places), verbose), mine))
    if joiner and joint:
        folders = [str((layout.home / name).resolve()) for name in each]
        section = joiner.config.model_validate(
            {"folders": tuple(folders), "interleave": config.pipeline.interleave}, strict=True
        )
        together = replace(config, stages={**config.stages, joiner.name: section})
        wanted = [stage for stage in joint if stage in selected]
        # It belongs to the last stage that it needs: who asks for that wants to see it joined.
        maker = next(stage for stage in reversed(own) if set(stage.outputs) & set(joiner.outputs))
        before = [joiner] if maker in selected else []
        found.append(Turn("", Runner([joiner, *joint], together, layout, verbose), [*before, *wanted]))
    return [turn for turn in found if turn.selected]


def _parted(stages: Sequence[Stage], joiner: Stage) -> tuple[Sequence[Stage], Sequence[Stage]]:
    """The stages that make what is joined (and those that are for one repository only), and those after them."""
    last = max((number for number, stage in enumerate(stages) if set(stage.outputs) & set(joiner.outputs)), default=-1)
    own = [stage for number, stage in enumerate(stages) if number <= last or stage.per_repository]
    return own, [stage for stage in stages if stage not in own]


def run(
    plan: Sequence[Turn],
    home: Path,
    *,
    force: bool = False,
    anew: bool = True,
    continue_on_error: bool = False,
    keep_results: bool = True,
) -> results.Run:
    """Take every turn; one repository that fails does not keep the others from running, but all together."""
    options = {"force": force, "anew": anew, "continue_on_error": continue_on_error}
    if len(plan) == 1 and not plan[0].name:
        return plan[0].runner.run(plan[0].selected, **options, keep_results=keep_results)
    together = results.Run(config=plan[-1].runner.config.as_dict(), path=home / results.FILE_NAME)
    named = [turn for turn in plan if turn.name]
    together.config["git_scraper"]["repo"] = [turn.runner.config.as_dict()["git_scraper"]["repo"] for turn in named]
    missed: list[str] = []
    for number, turn in enumerate(plan, start=1):
        failed = any(entry.status == "failed" for entry in together.stages)
        if together.exit_code == EXIT_INTERRUPTED or (failed and not turn.name):
            missed += [_entry_name(turn, stage.name) for stage in turn.selected]
            continue
        log.info("%s", f"{turn.name} ({number} of {len(named)})" if turn.name else "all together")
        try:
            done = turn.runner.run(turn.selected, **options, keep_results=keep_results)
        except GitloreError as error:  # another run is using its folder, say
            log.error("%s: %s", turn.name, error)
            entry = results.StageEntry(turn.selected[0].name, "failed", error=error.message, hint=error.hint)
            entry.exit_code = error.exit_code
            done = results.Run(config={}, path=home, stages=[entry])
        for entry in done.stages:
            entry.name = _entry_name(turn, entry.name)
        together.stages += done.stages
        if done.exit_code == EXIT_INTERRUPTED:
            together.exit_code = EXIT_INTERRUPTED
    together.finish(not_reached=missed, write=keep_results)
    return together


def _entry_name(turn: Turn, stage: str) -> str:
    return f"{turn.name}: {stage}" if turn.name else stage
