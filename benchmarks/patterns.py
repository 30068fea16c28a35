"""Are mined patterns what they claim to be? Walks, confidence, labels by eye, and known fixes.

    python -m benchmarks.patterns walk REPO …                     each line at HEAD, CPU time a step
    python -m benchmarks.patterns formatting REPO COMMIT …        what a commit that only formats ends
    python -m benchmarks.patterns confidence REPO … [--plot FILE] calibration after the years of the shipped table
    python -m benchmarks.patterns repairs OUTPUTS …               labels by eye, beside the rules of keywords
    python -m benchmarks.patterns known BUGS PROJECT OUTPUTS      fixes that BugsInPy names, in patterns.jsonl

OUTPUTS are outputs folders of the pipeline, at least up to pattern_miner; BUGS is a clone of BugsInPy.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import click
import msgspec
import numpy as np

from core.git import commands, main_line, refs, trees
from core.git.blobs import BlobReader
from core.git.encodings import is_binary
from core.git.repositories import open_repository
from core.progress import Progress
from core.records.commit_files import read_commits, read_history
from core.records.patterns import read_patterns
from miners.clones import name_of
from patterns import survival
from patterns.confidence import shipped
from patterns.lifetimes import DAY, Lifetimes, Numbers
from patterns.line_fates import LineFates, lines_of, word_of
from patterns.moves import ChangedLines, essence, has_word, moved
from patterns.survival import Survivals

LABELS = Path(__file__).with_name("pattern_labels.jsonl")
DATES = ("2023-01-01", "2023-07-01", "2024-01-01", "2024-07-01", "2025-01-01")
BINS = 10
_FIX_WORDS, _FEATURE_WORDS = ("fix", "bug", "hotfix", "patch", "resolve"), ("feat", "add", "implement", "enhance")


class Label(msgspec.Struct):
    """A pattern that a person has read. Of the second draw all rules are the present ones."""

    draw: int
    repository: str
    commit: str
    pattern_id: str
    repair: bool


@click.group()
def main() -> None:
    """Are mined patterns what they claim to be?"""


@main.command()
@click.argument("repos", nargs=-1, required=True)
def walk(repos: Sequence[str]) -> None:
    """Compare the owners of all lines at HEAD with the files, and time the walk."""
    for repo in repos:
        git_dir = open_repository(repo, Path()).git_dir
        before = _cpu_s()
        fates = walked(git_dir, repo)
        spent = 1000 * (_cpu_s() - before) / len(fates.commits)
        files, wrong = compared(git_dir, fates)
        click.echo(
            f"{name_of(repo)}: {len(fates.commits):,} steps, {spent:.1f} ms CPU each, {len(fates.fates):,} lines; "
            f"{wrong} of {files:,} files differ"
        )


def walked(git_dir: Path, repo: str) -> LineFates:
    """A walk from the beginning."""
    with Progress(f"walking {name_of(repo)}", unit="commits") as progress:
        return survival.walk(git_dir, refs.head(git_dir), progress)


def compared(git_dir: Path, fates: LineFates) -> tuple[int, int]:
    """Files at the last step, and those of which a line has another owner than one with its words that stands."""
    files, wrong = trees.files_of(git_dir, fates.commits[-1]), 0
    with BlobReader(git_dir) as blobs:
        for path, blob in files.items():
            content = blobs.read(blob) or b""
            owners = fates.owners.get(path.encode(), fates.owners.get(path.encode("latin-1", "ignore")))
            if owners is None:
                wrong += not is_binary(content)
                continue
            words = [word_of(essence(line)) for line in lines_of(content)]
            wrong += [fates.words[line] for line in owners] != words or any(fates.fates[line] for line in owners)
    return len(files), wrong


@main.command()
@click.argument("repo")
@click.argument("commits", nargs=-1, required=True)
def formatting(repo: str, commits: Sequence[str]) -> None:
    """Count the lines that a commit ends, of those that it removes and of those that stood in its files."""
    git_dir = open_repository(repo, Path()).git_dir
    for commit in commits:
        last = trees.commit_named(git_dir, f"{commit}^1")
        (step,) = main_line.steps(git_dir, trees.commit_named(git_dir, commit), last)
        removed, ended = endings(step)
        with BlobReader(git_dir) as blobs:
            old = [lines_of(blobs.read(edit.old_blob) or b"") for edit in step.edits if edit.old_blob]
        stood = sum(has_word(essence(line)) for lines in old for line in lines)
        click.echo(
            f"{name_of(repo)} {commit}: ends {ended:,} of {removed:,} removed lines ({ended / removed:.1%}),"
            f" {ended / stood:.1%} of those that stood in its files"
        )


def endings(step: main_line.Step) -> tuple[int, int]:
    """Lines with a word that a step removes, and those that go on nowhere."""
    numbers, changed = count(), []
    for file, edit in enumerate(step.edits):
        for hunk in edit.hunks:
            old, new = ([next(numbers) for _ in side] for side in (hunk.removed, hunk.added))
            texts = [[essence(line) for line in side] for side in (hunk.removed, hunk.added)]
            changed.append(ChangedLines(file, old, texts[0], new, texts[1]))
    goes_on = moved(changed)
    lines = [
        line for one in changed for line, text in zip(one.removed, one.removed_texts, strict=True) if has_word(text)
    ]
    return len(lines), sum(line not in goes_on for line in lines)


@main.command()
@click.argument("repos", nargs=-1, required=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw predicted against seen to this file.")
def confidence(repos: Sequence[str], plot: Path | None) -> None:
    """Compare the shipped table with what stood a year after dates that it has not seen."""
    predicted: list[Numbers] = []
    seen: list[Numbers] = []
    for repo in repos:
        lives = Lifetimes(walked(open_repository(repo, Path()).git_dir, repo))
        if not (pairs := list(outcomes(lives))):
            click.echo(f"{name_of(repo)}: left out, no year has passed since {DATES[0]}")
            continue
        predicted.append(np.concatenate([one for one, _ in pairs]))
        seen.append(np.concatenate([other for _, other in pairs]))
        report(name_of(repo), predicted[-1], seen[-1])
    if not predicted:
        return
    report("pooled", pooled := np.concatenate(predicted), alive := np.concatenate(seen))
    rows = [(float(p), float(alive[pooled == p].mean()), int((pooled == p).sum())) for p in np.unique(pooled)]
    for chance, share, changes in rows:
        click.echo(f"  predicted {chance:.3f}, seen {share:.3f} ({changes:,})")
    if plot:
        _draw(rows, plot)


def outcomes(lives: Lifetimes) -> Iterator[tuple[Numbers, Numbers]]:
    """(predicted, whether it came) of the changes that stood at each of `DATES`, where a year has passed since."""
    table = shipped()
    for date in DATES:
        at = int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
        if at + 365 * DAY <= lives.until:
            found = lives.year_later(at)
            yield np.array([table.at(days) for days in found.ages]), found.alive.astype(float)


def report(name: str, predicted: Numbers, seen: Numbers) -> None:
    """Print the expected calibration error, over ten bins."""
    numbers = np.minimum((predicted * BINS).astype(int), BINS - 1)
    gaps = [
        abs(predicted[chosen].mean() - seen[chosen].mean()) * chosen.mean()
        for chosen in (numbers == one for one in range(BINS))
        if chosen.any()
    ]
    click.echo(f"{name}: {len(seen):,} changes, ECE {sum(gaps):.3f}, {predicted.mean():.3f}/{seen.mean():.3f}")


def _draw(rows: Sequence[tuple[float, float, int]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(4, 4))
    axes.plot([0.5, 1], [0.5, 1], color="0.7", linewidth=1)
    axes.scatter([one[0] for one in rows], [one[1] for one in rows], s=[max(one[2] / 300, 4) for one in rows])
    axes.set_xlabel("predicted: stands a year later")
    axes.set_ylabel("seen")
    figure.tight_layout()
    figure.savefig(path)


@main.command()
@click.argument("outputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def repairs(outputs: Sequence[Path]) -> None:
    """Print how many of the patterns that were read carry a repair, and what keywords make of the same commits."""
    labels = {one.pattern_id: one for one in map(_LABEL.decode, LABELS.read_bytes().splitlines())}
    for draw in (1, 2):
        some = [one for one in labels.values() if one.draw == draw]
        click.echo(f"draw {draw}: {sum(one.repair for one in some)} of {len(some)} patterns carry a repair")
    found = {one.pattern_id: one for folder in outputs for one in read_patterns(folder / "patterns.jsonl")}
    kept = [labels[name] for name in found if name in labels]
    click.echo(f"present rules keep {len(kept)}: {sum(one.repair for one in kept)} carry a repair")
    for folder in outputs:
        types = [keyword_type(commit.metadata.message) for commit in read_commits(folder / "commits.json")]
        click.echo(f"{folder}: keywords call {types.count('bug_fix')} of {len(types)} commits fixes")
    sure = sum(keyword_confidence(one.problem_type, one.before_code, one.after_code) == 1 for one in found.values())
    click.echo(f"confidence by keywords and length would be 1.00 for {sure:,} of our {len(found):,} patterns")


def keyword_type(subject: str) -> str:
    """The problem type by words anywhere in a subject, inside other words included."""
    text = subject.lower()
    if any(word in text for word in _FIX_WORDS):
        return "bug_fix"
    return "feature_addition" if any(word in text for word in _FEATURE_WORDS) else "unknown"


def keyword_confidence(problem: str, before: str, after: str) -> float:
    """The sum of points for words and length, at most 1."""
    size = len(before) + len(after)
    points = 0.5 + (0.2 if problem == "bug_fix" else 0.15) + 0.15 * bool(before and after)
    return round(min(points + 0.1 * (size > 100) + 0.1 * (size > 500), 1), 2)


@main.command()
@click.argument("bugs", type=click.Path(exists=True, path_type=Path))
@click.argument("project")
@click.argument("outputs", type=click.Path(exists=True, path_type=Path))
def known(bugs: Path, project: str, outputs: Path) -> None:
    """Count the fixes of a project in BugsInPy of which a pattern is there: of the commit, or of one that it merges."""
    git_dir = Path(read_history(outputs / "commits.json").git_dir)
    head = refs.head(git_dir)
    steps = Survivals(LineFates(commits=main_line.first_parents(git_dir, head)), main_line.parents(git_dir, head))
    fixes = set(fixes_of(open_repository(str(bugs), Path()).git_dir, project))
    there = {commit.metadata.hash for commit in read_commits(outputs / "commits.json")} & fixes
    repairs = [one for one in read_patterns(outputs / "patterns.jsonl") if one.problem_type == "bug_fix"]
    found = {name for one in repairs for name in (one.commit, steps.brought_in_by(one.commit))} & there
    click.echo(f"{project}: patterns of {len(found)} of the {len(there)} fixes that are in its history")


def fixes_of(git_dir: Path, project: str) -> Iterator[str]:
    """The fixed commits of a project."""
    listing = commands.run(git_dir, "ls-tree", "-r", "--name-only", "HEAD", f"projects/{project}/bugs/").decode()
    for name in listing.split():
        if name.endswith("bug.info"):
            found = re.search(r'fixed_commit_id="?(\w+)', commands.run(git_dir, "show", f"HEAD:{name}").decode())
            if found:
                yield found[1]


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


_LABEL = msgspec.json.Decoder(Label)


if __name__ == "__main__":
    main()
