"""Stage 1: a repository's whole history, every commit on every branch with its diffs.

    python git_scraper.py --repo PATH_OR_URL --output outputs/commits.json

Reads the repository through one streaming git process; writes commits.json (core/records.py).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Literal

from pydantic import Field

from core import git
from core.cli import stage_main
from core.config import Section
from core.errors import UserError
from core.logs import log
from core.record_files import CommitWriter
from core.records import (
    BranchRef,
    ChangeCategory,
    Commit,
    CommitContext,
    CommitMetadata,
    DateRange,
    FileDiff,
    HistoryMetadata,
    branch_names,
)
from core.stage import Context, Stage


class GitScraperConfig(Section):
    """What is read from the repository."""

    repo: str = "."
    """Repository: a folder, or a URL that is cloned into the cache folder and updated on each run."""
    refs: tuple[Literal["branches", "tags", "remotes", "pull_requests", "head"], ...] = Field(
        default=("branches", "tags", "remotes"), min_length=1
    )
    """Kinds of refs whose commits are read."""
    max_patch_bytes: int = Field(default=1_000_000, ge=0)
    """A longer patch of one file is cut at a line end and flagged; its line counts stay true."""
    context_lines: int = Field(default=3, ge=0)
    """Unchanged lines around each change in a patch."""
    rename_similarity: int = Field(default=50, ge=1, le=100)
    """Percent of likeness from which a removed and an added file count as a rename."""
    expand_branches: bool = False
    """Write branch names out in every commit, instead of an index into one table."""


def run(ctx: Context[GitScraperConfig]) -> None:
    """Write commits.json."""
    config = ctx.config
    repository = git.open_repository(config.repo, ctx.cache_dir, config.refs)
    tips = git.tips(repository.git_dir, config.refs)
    total = int(git.run(repository.git_dir, "rev-list", "--count", "--stdin", stdin=tips)) if tips else 0
    if not total:
        raise UserError(*_nothing_to_read(repository, config))
    shallow = bool(git.shallow_boundary(repository.git_dir))
    if shallow:
        log.warning("%s is a shallow clone; get the whole history with: git fetch --unshallow", repository.location)
    lineage = read_lineage(repository, tips)
    tags = read_tags(repository, config)
    totals = Totals()
    with CommitWriter(ctx.output("commits.json")) as out, ctx.progress("scraping", total, "commits") as progress:
        for number, commit in enumerate(read_commits(repository, config, tips)):
            place(commit, number, lineage, tags.get(commit.metadata.hash, []), expand=config.expand_branches)
            totals.add(commit)
            out.write(commit)
            progress.advance()
        out.finish(totals.metadata(repository, config, lineage, is_shallow=shallow))
    for what, number in totals.figures().items():
        ctx.count(what, number)


@dataclass
class Lineage:
    """Which branches contain which commit: one table of sets, one index per commit."""

    branches: list[str]
    current: str | None
    sets: list[int]
    """Bit n stands for branch n."""
    of_commit: dict[str, int]


@dataclass
class Totals:
    """Figures over the whole history, gathered while it streams by."""

    commits: int = 0
    merges: int = 0
    file_changes: int = 0
    insertions: int = 0
    deletions: int = 0
    truncated: int = 0
    latin1: int = 0
    authors: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    first: str | None = None
    last: str | None = None

    def add(self, commit: Commit) -> None:
        """Count one more commit."""
        meta = commit.metadata
        self.commits += 1
        self.merges += meta.is_merge
        self.file_changes += len(commit.diffs)
        self.insertions += meta.insertions
        self.deletions += meta.deletions
        self.truncated += sum(diff.patch_truncated for diff in commit.diffs)
        self.latin1 += sum(diff.encoding != "utf-8" for diff in commit.diffs)
        self.authors.add(meta.author_email)
        self.files.update(diff.filename for diff in commit.diffs)
        self.first = min(self.first or meta.timestamp, meta.timestamp)
        self.last = max(self.last or meta.timestamp, meta.timestamp)

    def figures(self) -> dict[str, int]:
        """What the summary table shows."""
        shown = {"commits": self.commits, "merges": self.merges, "file changes": self.file_changes}
        if self.truncated:
            shown["patches cut"] = self.truncated
        if self.latin1:
            shown["patches not in UTF-8"] = self.latin1
        return shown

    def metadata(
        self, repository: git.Repository, config: GitScraperConfig, lineage: Lineage, *, is_shallow: bool
    ) -> HistoryMetadata:
        """The head of commits.json."""
        return HistoryMetadata(
            scrape_timestamp=_iso(int(datetime.now(UTC).timestamp())),
            repository=repository.location,
            git_dir=str(repository.git_dir),
            refs=list(config.refs),
            git_version=git.version(),
            is_shallow=is_shallow,
            total_commits=self.commits,
            total_authors=len(self.authors),
            merge_commits=self.merges,
            total_files_touched=len(self.files),
            unique_branches=len(lineage.branches),
            branches=lineage.branches,
            current_branch=lineage.current,
            branch_sets=[f"{own:x}" for own in lineage.sets],
            total_insertions=self.insertions,
            total_deletions=self.deletions,
            date_range=DateRange(self.first, self.last),
        )


def read_lineage(repository: git.Repository, tips: bytes) -> Lineage:
    """Walk from children to parents once, handing each commit's set of branches (a bit set) down."""
    heads, names, current = _branch_heads(repository)
    bits: dict[str, int] = {}
    for number, head in enumerate(heads):
        bits[head] = bits.get(head, 0) | 1 << number
    ids: dict[int, int] = {}
    of_commit: dict[str, int] = {}
    with git.stream(repository.git_dir, "rev-list", "--topo-order", "--parents", "--stdin", stdin=tips) as lines:
        for line in lines:
            commit, *parents = line.decode().split()
            own = bits.pop(commit, 0)
            of_commit[commit] = ids.setdefault(own, len(ids))
            for parent in parents:
                bits[parent] = bits.get(parent, 0) | own
    return Lineage(names, current, list(ids), of_commit)


def read_tags(repository: git.Repository, config: GitScraperConfig) -> dict[str, list[str]]:
    """Names of tags by the commit they point at, through annotated tags."""
    found: dict[str, list[str]] = {}
    if "tags" in config.refs:
        template = "%(objectname)%00%(*objectname)%00%(refname:lstrip=2)"
        for line in git.run(repository.git_dir, "for-each-ref", f"--format={template}", "refs/tags").splitlines():
            own, peeled, name = line.split(b"\0")
            found.setdefault((peeled or own).decode(), []).append(git.decode(name)[0])
    return found


def read_commits(
    repository: git.Repository, config: GitScraperConfig, tips: bytes, *, last: int | None = None
) -> Iterator[Commit]:
    """Commits with their diffs, parents before children, straight from one `git log` from `tips`.

    `last` keeps only that many of the newest. `commit_number`, `tags` and `branch_set` are left
    for `place`.
    """
    marker = secrets.token_hex(16).encode()  # random, since any fixed text can occur in a patch
    arguments = _log_arguments(marker, config, last)
    with git.stream(repository.git_dir, *arguments, stdin=tips) as output:
        for record in _records(output, marker):
            yield parse_commit(record, config)


def parse_commit(record: bytes, config: GitScraperConfig) -> Commit:
    """One record of the stream (after its marker) as a Commit."""
    fields = record.split(b"\0", 12)
    hash_, tree, parents = (part.decode() for part in fields[1:4])
    diffs = parse_diffs(fields[12], config)
    texts = [git.decode(part) for part in (fields[4], fields[5], fields[7], fields[8], fields[11])]
    author, author_email, committer, committer_email, message = (text for text, _ in texts)
    (when, offset), (committed, _) = (_raw_date(part) for part in (fields[6], fields[9]))
    subject, _, body = message.strip("\n").partition("\n")
    insertions, deletions = sum(diff.additions for diff in diffs), sum(diff.deletions for diff in diffs)
    is_merge = " " in parents
    metadata = CommitMetadata(
        hash=hash_,
        abbrev_hash=hash_[:8],
        tree=tree,
        parents=parents.split(),
        author=author,
        author_email=author_email,
        timestamp=_iso(when),
        timestamp_unix=when,
        tz_offset=offset,
        committer=committer,
        committer_email=committer_email,
        commit_timestamp=_iso(committed),
        commit_timestamp_unix=committed,
        message=subject,
        message_body=body.strip("\n"),
        is_merge=is_merge,
        files_changed=len(diffs),
        insertions=insertions,
        deletions=deletions,
        branch_set=0,
        encoding="latin-1" if any(encoding == "latin-1" for _, encoding in texts) else "utf-8",
    )
    context = CommitContext(
        is_merge=is_merge, has_tags=False, file_count=len(diffs), total_lines_changed=insertions + deletions
    )
    return Commit(metadata=metadata, diffs=diffs, tags=[], commit_number=0, context=context)


def parse_diffs(data: bytes, config: GitScraperConfig) -> list[FileDiff]:
    """The `--raw -z` entries and the patch that follows them, joined in order.

    Paths come from the raw entries alone: in patch headers git quotes them.
    """
    entries, rest = [], data.lstrip(b"\n")
    while rest.startswith(b":"):
        status, _, rest = rest.partition(b"\0")
        old_mode, new_mode, old_blob, new_blob, letter = status[1:].decode().split(" ")
        path, _, rest = rest.partition(b"\0")
        old_path = b""
        if letter[0] in "RC":
            old_path = path
            path, _, rest = rest.partition(b"\0")
        entries.append((old_mode, new_mode, old_blob, new_blob, letter, old_path, path))
    sections = iter(_sections(rest.lstrip(b"\0")))
    diffs = []
    for old_mode, new_mode, old_blob, new_blob, letter, old_path, path in entries:
        section = next(sections, b"")
        if letter[0] == "T":  # a type change is drawn as a removal and an addition
            section += b"diff --git " + next(sections, b"")
        patch = Patch.of(section, config.max_patch_bytes)
        diffs.append(
            FileDiff(
                filename=git.decode(path)[0],
                old_filename=git.decode(old_path)[0] if old_path else None,
                change_type=_category(letter[0]),
                similarity=int(letter[1:]) if letter[0] in "RC" else None,
                additions=patch.additions,
                deletions=patch.deletions,
                patch=patch.text,
                is_binary=patch.is_binary,
                patch_truncated=patch.truncated,
                old_mode=old_mode,
                new_mode=new_mode,
                old_blob=old_blob,
                new_blob=new_blob,
                encoding=patch.encoding,
            )
        )
    return diffs


@dataclass
class Patch:
    """The hunks of one file's section of a patch, with true line counts."""

    text: str = ""
    additions: int = 0
    deletions: int = 0
    is_binary: bool = False
    truncated: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, section: bytes, max_bytes: int) -> Patch:
        """Parse what stands between two `diff --git` lines."""
        start = section.find(b"\n@@ -")
        if start < 0:
            return cls(is_binary=b"\nBinary files " in section)
        hunks = section[start + 1 :]
        if b"\ndiff --git " in hunks:  # the second half of a type change
            hunks = re.sub(rb"\ndiff --git .*?\n(?=@@ -|\Z)", b"\n", hunks, flags=re.DOTALL)
        # Inside hunks every line starts with ' ', '+', '-', '\' or '@', whatever the file holds.
        additions, deletions = hunks.count(b"\n+"), hunks.count(b"\n-")
        truncated = len(hunks) > max_bytes
        if truncated:
            hunks = hunks[: hunks.rfind(b"\n", 0, max_bytes) + 1]
        text, encoding = git.decode(hunks)
        return cls(text, additions, deletions, False, truncated, encoding)


def place(commit: Commit, number: int, lineage: Lineage, tags: list[str], *, expand: bool) -> None:
    """Fill in what the walk alone does not know: position, tags and branches."""
    commit.commit_number = number
    commit.tags = tags
    commit.context.has_tags = bool(tags)
    commit.metadata.branch_set = lineage.of_commit[commit.metadata.hash]
    if expand:
        commit.branches = [
            BranchRef(
                branch_name=name.removeprefix("remotes/"),
                is_current=name == lineage.current,
                is_remote=name.startswith("remotes/"),
            )
            for name in branch_names(lineage.branches, lineage.sets[commit.metadata.branch_set])
        ]


def _log_arguments(marker: bytes, config: GitScraperConfig, last: int | None) -> list[str]:
    fields = "".join(f"%x00{name}" for name in ["%H", "%T", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%e", "%B"])
    return [
        "log",
        *("--stdin", *(() if last is None else (f"--max-count={last}",))),
        *("--reverse", "--date-order", "--date=raw", "--encoding=UTF-8"),
        *("--no-notes", "--no-decorate", "--no-mailmap", "--diff-merges=first-parent"),
        f"--format=tformat:{marker.decode()}{fields}",
        *("-r", "--raw", "-p", "-z", "--no-abbrev", "--full-index"),
        *(f"-M{config.rename_similarity}%", f"-U{config.context_lines}", "--inter-hunk-context=0"),
        *("--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"),
        *("--submodule=short", "--ignore-submodules=none", "--no-relative"),
        *("--diff-algorithm=myers", "--indent-heuristic"),
    ]


def _records(output: IO[bytes], marker: bytes) -> Iterator[bytes]:
    """Split the stream at the marker, holding one commit at a time."""
    parts: list[bytes] = []
    started = False
    overlap = len(marker) - 1
    tail = b""
    while block := output.read(1 << 18):
        data = tail + block
        pieces = data.split(marker)
        for piece in pieces[:-1]:
            parts.append(piece)
            if started:
                yield b"".join(parts)
            started, parts = True, []
        last = pieces[-1]
        keep = max(len(last) - overlap, 0)  # the marker may straddle two blocks
        parts.append(last[:keep])
        tail = last[keep:]
    parts.append(tail)
    if started:
        yield b"".join(parts)


def _sections(patch: bytes) -> list[bytes]:
    """The patch cut at its `diff --git` lines; no line of a hunk can start that way."""
    if not patch:
        return []
    *complete, last = patch.split(b"\ndiff --git ")
    return [*(section + b"\n" for section in complete), last]


def _branch_heads(repository: git.Repository) -> tuple[list[str], list[str], str | None]:
    """(tip, name) of every local and remote branch, and the current one's name."""
    template = "%(objectname)%00%(refname)%00%(symref)%00%(HEAD)"
    heads, names, current = [], [], None
    listing = git.run(repository.git_dir, "for-each-ref", f"--format={template}", "refs/heads", "refs/remotes")
    for line in listing.splitlines():
        tip, ref, symbolic, head = line.split(b"\0")
        if symbolic:  # refs/remotes/origin/HEAD only repeats another
            continue
        name = git.decode(ref)[0].removeprefix("refs/").removeprefix("heads/")
        heads.append(tip.decode())
        names.append(name)
        current = name if head == b"*" else current
    return heads, names, current


def _nothing_to_read(repository: git.Repository, config: GitScraperConfig) -> tuple[str, str]:
    head = git.run(repository.git_dir, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1))
    if head:
        refs = ", ".join(config.refs)
        return (
            f"{repository.location} has commits, but none on its {refs}",
            "add 'head' to git_scraper.refs to read the commit that is checked out",
        )
    return f"{repository.location} has no commits yet", "commit something, or name another repository"


def _category(letter: str) -> ChangeCategory:
    known: dict[str, ChangeCategory] = {"A": "A", "M": "M", "D": "D", "R": "R", "C": "C", "T": "T"}
    return known[letter]


def _raw_date(raw: bytes) -> tuple[int, int]:
    """(seconds since 1970, offset in minutes) of git's raw date; zeros where a commit has none."""
    words = raw.split()
    if len(words) != 2:
        return 0, 0
    hours, minutes = divmod(abs(int(words[1])), 100)
    return int(words[0]), (hours * 60 + minutes) * (-1 if words[1].startswith(b"-") else 1)


def _iso(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # corrupt dates lie outside any calendar
        return "1970-01-01T00:00:00Z"


def _sources(config: GitScraperConfig) -> dict[str, str]:
    return {"repository refs": git.state_digest(config.repo, config.refs), "git": git.version()}


STAGE = Stage(
    name="git_scraper",
    help="read every commit of the repository with its diffs",
    config=GitScraperConfig,
    run=run,
    outputs=("commits.json",),
    flags={"output": "commits.json"},
    sources=_sources,
)

if __name__ == "__main__":
    stage_main(STAGE)
