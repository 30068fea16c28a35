"""patterns.jsonl from commits.json and chunks.jsonl: extraction, what survived, the same change made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.errors import StageError, UserError
from core.git import main_line
from core.git.blobs import BlobReader
from core.logs import log
from core.progress import Progress
from core.records.chunk_files import ChunkGroup, chunk_groups
from core.records.commit_files import commit_lines, read_commits, read_history
from core.records.commits import Commit, CommitMetadata
from core.records.lines import decode
from core.records.patterns import Evidence, Pattern, SurvivalSummary, Template
from miners.histories import ScrapedHistory, overview_of
from miners.signals.dialects import Dialect
from patterns import ages, confidence, survival, templates
from patterns.extraction import Extractor
from patterns.line_fates import LineFates
from patterns.purposes import problem_type_of
from patterns.steps import steps_of
from patterns.survival import Survivals


class _OfMetadata(msgspec.Struct):
    metadata: CommitMetadata


_METADATA = msgspec.json.Decoder(_OfMetadata)


@dataclass
class Mined:
    """What came of it, in figures."""

    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    fates: LineFates = field(default_factory=LineFates)
    """Without steps where survival cannot be known."""
    repository: str = ""
    templates: list[Template] = field(default_factory=list)
    """templates.jsonl."""

    def summary(self) -> SurvivalSummary:
        """survival.json."""
        if not self.fates.commits:
            return SurvivalSummary(repository=self.repository, until="", steps=0, files=0)
        return ages.summary(self.fates, self.repository)


def mine(
    commits: Path, chunks: Path, output: Path, types: Collection[str], progress: Progress, state: Path | None = None
) -> Mined:
    """Write patterns.jsonl, in the order of the commits; `state` is a walk to go on from (`survival.save`).

    The templates are mined first, since a pattern says which one it follows.

    Raises UserError where the two files do not belong together, or their repository is gone.
    """
    git_dir = Path(read_history(commits).git_dir)
    if not git_dir.exists():
        raise UserError(f"the repository of commits.json is gone: {git_dir}", "run git_scraper again")
    history = ScrapedHistory(commits)
    overview = overview_of(history)
    found = Mined(repository=history.key)
    parents = main_line.parents(git_dir, history.head)
    found.templates, followed = templates.mine(history.key, steps_of(chunk_groups(chunks), parents, history.head))
    survivals = None
    try:
        found.fates = survival.walk(git_dir, history.head, progress, state)
        survivals = Survivals(found.fates, parents, overview.reverts.of)
        if found.fates.absent:
            log.warning("%d blobs are missing: what became of their lines is not known", len(found.fates.absent))
    except StageError as error:  # folders are missing, as in treeless clones
        log.warning("what survived is not known: %s", error)
        found.drops["walks that git could not finish"] += 1
    with BlobReader(git_dir) as blobs:
        extractor = Extractor(history.key, overview.dialect, frozenset(types), blobs)
        if survivals:
            merges = _purposes_of_merges(commits, overview.dialect)
            extractor.merged_for = lambda commit: merges.get(survivals.brought_in_by(commit), "")
        _write(_patterns(commits, chunks, extractor, survivals, followed), output, found)
    found.drops += extractor.drops
    if survivals and survivals.unread:
        found.drops["outcomes that files which cannot be read keep unknown"] = survivals.unread
    return found


def _patterns(
    commits: Path, chunks: Path, extractor: Extractor, survivals: Survivals | None, followed: Mapping[str, str]
) -> Iterator[Pattern]:
    table = confidence.shipped()
    for commit, group in _paired(commits, chunks):
        if not (problem := extractor.wants(commit)):
            continue
        for pattern, change in extractor.of_commit(commit, problem, group.chunks()):
            pattern.survival = survivals.of(change) if survivals else None
            pattern.confidence = confidence.confidence_of(pattern.survival, table)
            pattern.template_id = followed.get(pattern.chunk_id, "")
            yield pattern


def _purposes_of_merges(commits: Path, dialect: Dialect) -> dict[str, str]:
    """What each merge is for."""
    found = {}
    for number, (_, line) in enumerate(commit_lines(commits), start=2):
        meta = decode(_METADATA, line.removesuffix(b"\n").removesuffix(b","), commits, number).metadata
        if meta.is_merge:
            found[meta.hash] = problem_type_of(meta, dialect)
    return found


def _paired(commits: Path, chunks: Path) -> Iterator[tuple[Commit, ChunkGroup]]:
    """Commits that have chunks, each with them. Raises UserError where a chunk's commit is not there in turn."""
    waiting = read_commits(commits)
    for group in chunk_groups(chunks):
        commit = next((one for one in waiting if one.metadata.hash == group.commit_hash), None)
        if commit is None:
            raise UserError(
                f"{chunks} is not made of {commits}: commit {group.commit_hash} is not there, or in another place",
                "make it again: python pipeline.py --stage semantic_chunker",
            )
        yield commit, group


def _write(patterns: Iterator[Pattern], output: Path, found: Mined) -> None:
    """Write each change once, where it was made first, with the evidence of all that made it."""
    hashes: list[str] = []
    others: dict[str, list[Evidence]] = {}
    encoder = msgspec.json.Encoder()
    drafts = output.with_name(f"{output.name}.drafts")
    with drafts.open("wb") as file:
        for pattern in patterns:
            if (again := others.get(pattern.solution_hash)) is not None:
                again += pattern.evidence
                found.drops["changes that were made before"] += 1
                continue
            others[pattern.solution_hash] = []
            hashes.append(pattern.solution_hash)
            found.counts[pattern.problem_type.replace("_", " ")] += 1
            file.write(encoder.encode(pattern) + b"\n")
    with drafts.open("rb") as file, output.open("wb") as out:
        for name, line in zip(hashes, file, strict=True):
            out.write(_with_evidence(line, others[name], encoder) if others[name] else line)
    drafts.unlink()


def _with_evidence(line: bytes, evidence: list[Evidence], encoder: msgspec.json.Encoder) -> bytes:
    pattern = msgspec.json.decode(line, type=Pattern)
    pattern.evidence += evidence
    return encoder.encode(pattern) + b"\n"
