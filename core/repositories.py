"""One call over several repositories: each with a folder of its own, and one summary of all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from core import git, results
from core.config import Config, expand, without_credentials
from core.errors import EXIT_INTERRUPTED, GitloreError, UserError
from core.logs import log
from core.runner import Layout, Runner
from core.stage import Stage


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


def runners(stages: Sequence[Stage], config: Config, layout: Layout, *, verbose: bool) -> dict[str, Runner]:
    """A runner by repository name; the one name is "" where the settings mean one repository."""
    each = config.each()
    if not each:
        return {"": Runner(stages, config, layout, verbose)}
    found = {}
    for name, own in each.items():
        home = layout.home / name
        places = {file: home / path.name for file, path in layout.places.items()}
        found[name] = Runner(stages, own, Layout(home, places), verbose)
    return found


def run(
    by_name: Mapping[str, Runner],
    selected: Sequence[Stage],
    home: Path,
    *,
    force: bool = False,
    anew: bool = True,
    continue_on_error: bool = False,
    keep_results: bool = True,
) -> results.Run:
    """Run the selected stages for each repository; one that fails does not keep the others from running."""
    options = {"force": force, "anew": anew, "continue_on_error": continue_on_error}
    if list(by_name) == [""]:
        return by_name[""].run(selected, **options, keep_results=keep_results)
    first = next(iter(by_name.values()))
    together = results.Run(config=first.config.as_dict(), path=home / results.FILE_NAME)
    together.config["git_scraper"]["repo"] = [one.config.as_dict()["git_scraper"]["repo"] for one in by_name.values()]
    missed: list[str] = []
    for number, (name, runner) in enumerate(by_name.items(), start=1):
        if together.exit_code == EXIT_INTERRUPTED:
            missed += [f"{name}: {stage.name}" for stage in selected]
            continue
        log.info("%s (%s of %s)", name, number, len(by_name))
        try:
            done = runner.run(selected, **options, keep_results=keep_results)
        except GitloreError as error:  # another run is using its folder, say
            log.error("%s: %s", name, error)
            entry = results.StageEntry(selected[0].name, "failed", error=error.message, hint=error.hint)
            entry.exit_code = error.exit_code
            done = results.Run(config={}, path=home, stages=[entry])
        for entry in done.stages:
            entry.name = f"{name}: {entry.name}"
        together.stages += done.stages
        if done.exit_code == EXIT_INTERRUPTED:
            together.exit_code = EXIT_INTERRUPTED
    together.finish(not_reached=missed, write=keep_results)
    return together
