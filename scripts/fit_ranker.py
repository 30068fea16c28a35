"""Make the weights that ship, core/ranking/weights.json, from clones of public repositories and from their issues.

    python scripts/fit_ranker.py --repo PATH --repo PATH … --issues issues.jsonl [--commits 150]

Each of the newest commits is a question to its parent; each issue (JSON lines with repo, base_commit, issue, files) is
one to its base commit. Figures are of repositories that were left out of the fit in turn.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.logs import log
from core.prediction.files import FileAsker
from core.ranking.ranker import SHIPPED, Mode
from index.repository import RepositoryIndex

if TYPE_CHECKING:
    from core.ranking.model import Example


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", "repos", multiple=True, required=True, metavar="PATH", help="A clone (repeatable).")
@click.option("--issue-repo", "issue_repos", multiple=True, metavar="PATH", help="A clone whose issues alone count.")
@click.option(
    "--issues", type=click.Path(path_type=Path), metavar="FILE", help="Issues with the files that were changed."
)
@click.option(
    "--commits", default=150, type=click.IntRange(10), show_default=True, help="Newest commits of each clone."
)
@click.option(
    "--output", default=SHIPPED, type=click.Path(path_type=Path), metavar="FILE", help="Where the weights go."
)
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(
    repos: tuple[str, ...],
    issue_repos: tuple[str, ...],
    issues: Path | None,
    commits: int,
    output: Path,
    cache_dir: str,
) -> None:
    """Learn the weights of the ranking of files from public repositories."""
    logs.setup(verbose=False)
    from core.ranking import examples, fitting
    from core.records.ranker import RankerRecord, write_ranker

    groups: defaultdict[Mode, dict[str, list[Example]]] = defaultdict(dict)
    by_name = {repository_name(path): path for path in (*repos, *issue_repos)}
    for name, path in by_name.items():
        asker = FileAsker(path, cache_folder(cache_dir), RepositoryIndex)
        known = asker.sources.commits(tip := asker.commit())
        for case in examples.cases(known, tip, commits if path in repos else 0):
            for mode, found in fitting.examples_of(asker.snapshot(case.parent), case).items():
                groups[mode].setdefault(name, []).extend(found)
        log.info("%s: %s questions", name, f"{len(groups['task'].get(name, [])):,}")
        for example in issue_examples(issues, name, asker):
            groups["issue"].setdefault(name, []).append(example)
    modes = fitting.all_modes(groups)
    write_ranker(output, RankerRecord(made_from=sorted(by_name), modes=modes))
    for form, weights in modes.items():
        log.info("%s: %s questions, %s", form, f"{weights.examples:,}", weights.figures)


def issue_examples(path: Path | None, name: str, asker: FileAsker) -> Iterator[Example]:
    """The issues of one repository as questions."""
    from core.ranking.examples import Case, asked

    for line in path.read_text().splitlines() if path else ():
        issue = json.loads(line)
        if issue["repo"] != name:
            continue
        base = issue["base_commit"]
        case = Case(base, base, "", "", frozenset(issue["files"]), frozenset())
        if found := asked(asker.snapshot(base), case, "issue", issue["issue"]):
            yield found.example


def repository_name(path: str) -> str:
    """owner/name, from folders such as owner+name/repo or owner/name."""
    parts = [part for part in Path(path).resolve().parts if part not in ("repo", ".git")]
    return parts[-1].replace("+", "/", 1) if "+" in parts[-1] else "/".join(parts[-2:])


if __name__ == "__main__":
    main()
