"""Stage 1: a repository's whole history, every commit on every branch with its diffs.

    python git_scraper.py --repo PATH_OR_URL --output outputs/commits.json

Reads the repository through git alone; writes commits.json (core/records/commits.py), an index of it that
makes the next run read only what is new, and tombstones.jsonl with commits that have vanished.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import UNSET
from pydantic import Field, field_validator

from core.config import Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.git import commands, repositories
from core.git.names import by_folder
from core.git.refs import boundary, head, is_partial
from core.git.repositories import Repository, open_repository
from core.history import snapshot, tombstones
from core.history.filters import CommitScope, parse_time
from core.history.options import ReadOptions, read_salt
from core.history.overlay import Overlay
from core.history.reader import Reader
from core.history.snapshot import Order, Snapshot, read_order
from core.history.walk import iso
from core.history.writer import EarlierHistory, HistoryWriter, Written, load_earlier, nothing_in_scope
from core.logs import log
from core.process import git_workers
from core.records.commit_files import read_history
from core.records.commits import DateRange, HistoryMetadata

REFS = "source repository refs"
"""The fact that changes with every new commit."""
RefKind = Literal["branches", "tags", "remotes", "pull_requests", "notes", "stash", "head", "all"]


class GitScraperConfig(Section):
    """What is read from the repository."""

    repo: str = Field(default=".", json_schema_extra={"replaces": "repos"})
    """Repository: a folder, or a URL that is cloned into the cache folder and updated on each run."""
    repos: tuple[str, ...] = ()
    """Several repositories instead, each with its own folder under outputs; a text file lists one a line."""
    refs: tuple[RefKind, ...] = Field(default=("branches", "tags", "remotes"), min_length=1)
    """Kinds of refs whose commits are read."""
    since: str = ""
    """Leave out commits before this date or time (ISO 8601, UTC unless it names a zone; by commit date)."""
    until: str = ""
    """Leave out commits after this date or time; a date counts as a whole day."""
    authors: tuple[str, ...] = ()
    """Read only commits whose author, "Name <e-mail>", matches one of these regular expressions (any case)."""
    exclude_authors: tuple[str, ...] = ()
    """Leave out commits whose author matches one of these."""
    bots: bool = True
    """Read commits by programs such as dependabot."""
    merges: bool = True
    """Read merge commits."""
    paths: tuple[str, ...] = ()
    """Keep only changes of files whose whole path matches one of these patterns, as in src/*."""
    exclude_paths: tuple[str, ...] = ()
    """Leave out changes of files whose whole path matches one of these patterns."""
    extensions: tuple[str, ...] = ()
    """Keep only changes of files with these endings, as in .rs."""
    max_patch_bytes: int = Field(default=1_000_000, ge=0, le=2**40)
    """A longer patch of one file is cut at a line end and flagged; its line counts stay true."""
    max_file_bytes: int = Field(default=5_000_000, ge=0, le=2**40)
    """A larger file gets no patch, only true line counts and the flag."""
    context_lines: int = Field(default=3, ge=0)
    """Unchanged lines around each change in a patch."""
    rename_similarity: int = Field(default=50, ge=1, le=100)
    """Percent of likeness from which a removed and an added file count as a rename."""
    mailmap: bool = False
    """Give people the names that the repository's .mailmap gives them."""
    redact_emails: bool = False
    """Replace e-mail addresses of people and in messages by keyed hashes, the same for the same address."""
    email_salt_file: str = ""
    """File with the key of those hashes; empty for one that is made once in the cache folder."""
    expand_branches: bool = False
    """Write branch names out in every commit, instead of an index into one table."""
    workers: int = Field(default=0, ge=0, json_schema_extra={"control": True})
    """Git processes that diff in parallel; 0: one fewer than processors, at most 8. The result is the same."""
    incremental: bool = Field(default=True, json_schema_extra={"control": True})
    """Read only new commits where the last result still holds; the result is the same."""

    @field_validator("repos", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("since", "until")
    @classmethod
    def _times(cls, value: str) -> str:
        if value:
            parse_time(value)
        return value

    @field_validator("authors", "exclude_authors")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except (re.error, OverflowError) as error:
                raise ValueError(f"'{pattern}' is not a regular expression: {error}") from None
        return value


def run(ctx: Context[GitScraperConfig]) -> None:
    """Write commits.json, its index and the tombstones."""
    config = ctx.config
    repository = open_repository(config.repo, ctx.cache_dir, config.refs)
    refs = snapshot.take(repository, config.refs)
    options = ReadOptions.of(config.model_dump(), repository.git_dir, ctx.cache_dir)
    last = load_last(ctx, repository)
    with Overlay(repository.git_dir, ctx.scratch) as overlay:
        order = read_order(overlay, refs, filters_of(config))
        metadata = metadata_of(repository, refs, order, config)
        check(metadata, order, refs)
        reader = Reader(overlay, options, filters_of(config), git_workers(config.workers))
        part, interrupted = start_part(ctx.scratch)
        earlier = best_earlier(interrupted, last if is_reusable(ctx) else None, key_check(options))
        writer = HistoryWriter(
            part, metadata, refs, order, key_check=key_check(options), expand_branches=config.expand_branches
        )
        with ctx.progress("scraping", len(order), "commits") as progress, writer:
            writer.write(reader, earlier, progress)
            written = writer.finish()
        known = ctx.published("tombstones.jsonl") if last or ctx.previous is None else None
        vanished = tombstones.write(ctx.output("tombstones.jsonl"), known, last, order, overlay, options.pseudonyms)
    warn_of_rewriting(repository, last, refs, vanished)
    written.index.save(ctx.output("commits.index"))
    shutil.move(part, ctx.output("commits.json"))
    report(ctx, written, vanished)


def filters_of(config: GitScraperConfig) -> CommitScope:
    """The scope in the settings."""
    return CommitScope(
        since=parse_time(config.since) if config.since else None,
        until=parse_time(config.until, end_of_day=True) if config.until else None,
        merges=config.merges,
        bots=config.bots,
        authors=config.authors,
        exclude_authors=config.exclude_authors,
        paths=config.paths,
        exclude_paths=config.exclude_paths,
        extensions=config.extensions,
    )


def metadata_of(repository: Repository, refs: Snapshot, order: Order, config: GitScraperConfig) -> HistoryMetadata:
    """The head of commits.json, but for its figures."""
    return HistoryMetadata(
        scrape_timestamp=iso(int(datetime.now(UTC).timestamp())),
        repository=repository.location,
        git_dir=str(repository.git_dir),
        refs=list(config.refs),
        ref_tips=refs.refs,
        git_version=commands.version(),
        shallow_commits=len(boundary(repository.git_dir, "shallow")),
        is_shallow=bool(boundary(repository.git_dir, "shallow")),
        grafted_commits=len(boundary(repository.git_dir, "info/grafts")),
        is_partial=is_partial(repository.git_dir),
        total_commits=0,
        total_authors=0,
        merge_commits=0,
        total_files_touched=0,
        unique_branches=len(refs.branches),
        branches=refs.branches,
        current_branch=refs.current,
        detached_head=refs.detached or UNSET,
        branch_sets=[f"{own:x}" for own in order.masks],
        total_insertions=0,
        total_deletions=0,
        date_range=DateRange(),
    )


def check(metadata: HistoryMetadata, order: Order, refs: Snapshot) -> None:
    """Warn of what the history lacks. Raises UserError where there is nothing to read."""
    place = metadata.repository
    if metadata.is_shallow:
        log.warning("%s is a shallow clone; get the whole history with: git fetch --unshallow", place)
    if metadata.grafted_commits:
        log.warning("%s has grafts: the parents of %s commits are replaced", place, metadata.grafted_commits)
    if metadata.is_partial:
        log.warning("%s is a partial clone; what it lacks is not fetched, but flagged as missing", place)
    for ref in refs.broken[:3]:
        log.warning("%s: %s points at a missing object", place, ref)
    if len(refs.broken) > len(refs.broken[:3]):
        log.warning("%s: and %s more refs point at missing objects", place, len(refs.broken) - 3)
    if len(order):
        return
    if order.left_out:
        raise nothing_in_scope(place, order.left_out)
    if head(Path(metadata.git_dir)):
        raise UserError(
            f"{place} has commits, but none on its {', '.join(metadata.refs)}",
            "add 'head' to git_scraper.refs to read the commit that is checked out",
        )
    raise UserError(f"{place} has no commits yet", "commit something, or name another repository")


@dataclass(frozen=True)
class Last(EarlierHistory):
    """What the last run left."""

    head: HistoryMetadata = field(kw_only=True)


def load_last(ctx: Context[GitScraperConfig], repository: Repository) -> Last | None:
    """The last result, if it is there as it was written, and of this repository."""
    if ctx.previous is None:
        return None
    path = ctx.published("commits.json")
    earlier, head = load_earlier(path, ctx.published("commits.index")), read_history(path)
    return Last(path, earlier.index, head=head) if earlier and head.git_dir == str(repository.git_dir) else None


def is_reusable(ctx: Context[GitScraperConfig]) -> bool:
    """True where only refs have moved since the last run: what it wrote of a commit is what this one would."""
    if ctx.previous is None or ctx.forced or not ctx.config.incremental:
        return False
    return changed(ctx) <= {REFS}


def key_check(options: ReadOptions) -> str:
    """Identifies the key of redacted addresses, without revealing it."""
    return options.pseudonyms.check() if options.pseudonyms else ""


def changed(ctx: Context[GitScraperConfig]) -> set[str]:
    """Names of facts that differ from those of the last run."""
    before = ctx.previous or {}
    return {name for name in {*before, *ctx.facts} if before.get(name) != ctx.facts.get(name)}


def best_earlier(interrupted: EarlierHistory | None, last: Last | None, check: str) -> EarlierHistory | None:
    """Of what was written before with the same key for addresses, the one that holds most commits."""
    usable = [one for one in (interrupted, last) if one and one.index.key_check == check]
    return max(usable, key=lambda one: len(one.index), default=None)


def start_part(scratch: Path) -> tuple[Path, EarlierHistory | None]:
    """(where to write, what an interrupted run of the same work has written)."""
    found = [load_earlier(path.with_suffix(".json"), path) for path in sorted(scratch.glob("part-*.index"))]
    resumed = max((one for one in found if one), key=lambda one: len(one.index), default=None)
    kept = resumed.path.stem if resumed else ""
    for path in scratch.glob("part-*"):
        if path.stem != kept:
            path.unlink()
    if resumed:
        log.info("resuming after %s commits of an interrupted run", f"{len(resumed.index):,}")
    return scratch / ("part-2.json" if kept == "part-1" else "part-1.json"), resumed


def report(ctx: Context[GitScraperConfig], written: Written, vanished: int) -> None:
    """Count what the summary table shows, and what was left out."""
    totals = written.totals
    figures = {
        "commits": written.metadata.total_commits,
        "of them from the last result": written.reused,
        "merges": totals.merges,
        "file changes": totals.file_changes,
        "patches cut": totals.truncated,
        "patches not in UTF-8": totals.not_utf8,
        "changes of texts in UTF-16 or UTF-32": totals.wide,
        "file changes with missing objects": totals.missing,
        "commits that repeat an earlier patch": written.repeats,
        "vanished commits": vanished,
    }
    for name, number in figures.items():
        if number:
            ctx.count(name, number)
    for reason, number in written.metadata.left_out.items():
        ctx.drop(reason, number)


def warn_of_rewriting(repository: Repository, last: Last | None, refs: Snapshot, vanished: int) -> None:
    """Warn of branches whose history was rewritten."""
    if last is None:
        return
    for ref, what in tombstones.rewritten(repository.git_dir, last.head.ref_tips, refs).items():
        log.warning("%s: %s was %s since the last run", repository.location, ref, what)
    if vanished:
        log.warning("%s commits are no longer reached by any ref; they are in tombstones.jsonl", f"{vanished:,}")


def each_repository(config: GitScraperConfig) -> dict[str, GitScraperConfig]:
    """One section per repository of `repos`, by the name of its folder; empty where `repo` names one."""
    named = by_folder(config.repos)
    return {name: config.model_copy(update={"repo": location, "repos": ()}) for name, location in named.items()}


def sources(config: GitScraperConfig) -> dict[str, str]:
    """Digests of everything outside the outputs folder that decides what is read."""
    state = repositories.state(config.repo, config.refs)
    found = {"repository refs": state.refs, "history boundary": state.boundary, "git": commands.version()}
    if config.mailmap:
        found["mailmap"] = state.mailmap
    if config.email_salt_file:
        found["e-mail salt"] = sha256(read_salt(config.email_salt_file, Path())).hexdigest()
    return found


STAGE = Stage(
    name="git_scraper",
    help="read every commit of the repository with its diffs",
    config=GitScraperConfig,
    run=run,
    outputs=("commits.json", "commits.index", "tombstones.jsonl"),
    flags={"output": "commits.json"},
    reads=("the repository",),
    libraries=("chardet",),
    sources=sources,
    several=each_repository,
    resumes_despite=(REFS,),
)

if __name__ == "__main__":
    stage_main(STAGE)
