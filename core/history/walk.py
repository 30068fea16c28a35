"""Commits and the raw entries of their file changes, without patches: one `git log` for a run of commits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET

from core.errors import StageError
from core.git.encodings import texts_of, with_line_feeds
from core.history import messages
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.records.commits import CommitMetadata

_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%e", "%B")
_BLOCK_BYTES = 1 << 18
_AUTHOR, _COMMITTER = 4, 7
"""Where the names stand among the fields of a record, each followed by the address; the hash is the first."""
_MESSAGE = 11
"""The trailers follow it."""
_ENTRY = re.compile(rb":[0-7]+ [0-7]+ [0-9a-f]+ [0-9a-f]+ (?:[RC][0-9]+\0[^\0]+|[A-Z])\0[^\0]+")
_TRAILERS = "%(trailers:only=true,unfold=true,separator=%x0a)"


@dataclass(slots=True)
class Walked:
    """One commit. `raw` is what `entries` cuts up."""

    metadata: CommitMetadata
    raw: bytes


def walk(overlay: Overlay, hashes: Sequence[str], options: ReadOptions) -> list[Walked]:
    """These commits in this order, each against its first parent.

    Objects that turn out to be missing get placeholders in the overlay. Raises StageError where
    a commit itself cannot be read.
    """
    marker = secrets.token_hex(16)
    commits = "".join(f"{hash_}\n" for hash_ in hashes).encode()
    while True:
        known = len(overlay.missing)
        try:
            with overlay.stream(*_log_arguments(marker, options), stdin=commits) as output:
                blocks = iter(lambda: output.read(_BLOCK_BYTES), b"")
                cut = [record.split(b"\0", len(_FIELDS) + 2) for record in split(blocks, marker.encode())]
            break
        except StageError as error:
            overlay.substitute(_with_parents(overlay, commits), error.message, known)
    if len(cut) != len(hashes):
        raise StageError(f"git log gave {len(cut)} commits for {len(hashes)}", "run again with --verbose")
    _take_raw_texts(cut, overlay)
    _end_lines_with_line_feeds(cut, overlay)
    if options.mailmap:
        _map_people(cut, overlay, options)
    return [parse(fields) for fields in cut]


def split(blocks: Iterable[bytes], marker: bytes) -> Iterator[bytes]:
    """What follows each marker in a stream, holding one piece at a time."""
    parts: list[bytes] = []
    started = False
    tail = b""
    for block in blocks:
        pieces = (tail + block).split(marker)
        for piece in pieces[:-1]:
            parts.append(piece)
            if started:
                yield b"".join(parts)
            started, parts = True, []
        last = pieces[-1]
        keep = max(len(last) - len(marker) + 1, 0)  # the marker may straddle two blocks
        parts.append(last[:keep])
        tail = last[keep:]
    parts.append(tail)
    if started:
        yield b"".join(parts)


def _take_raw_texts(records: list[list[bytes]], overlay: Overlay) -> None:
    """git re-encodes from what a commit declares, even where that is wrong; such commits are taken as they are."""
    declaring = [fields for fields in records if fields[10]]
    for fields, (header, message) in zip(declaring, raw_texts(overlay, [one[1] for one in declaring]), strict=True):
        for role, place in ((b"author", _AUTHOR), (b"committer", _COMMITTER)):
            if found := re.search(rb"^%s ([^<\n]*?) ?<([^>\n]*)" % role, header, re.MULTILINE):
                fields[place : place + 2] = found.groups()
        fields[_MESSAGE] = message


def raw_texts(overlay: Overlay, commits: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(header, message) of some commits as they are in the repository."""
    output = overlay.run("cat-file", "--batch", stdin=b"".join(id_ + b"\n" for id_ in commits)) if commits else b""
    for _ in commits:
        line, _, output = output.partition(b"\n")
        size = int(line.split()[2])
        header, _, message = output[:size].partition(b"\n\n")
        output = output[size + 1 :]
        yield header, message.split(b"\0")[0]


def _end_lines_with_line_feeds(records: list[list[bytes]], overlay: Overlay) -> None:
    """In messages; git finds no trailers where lines end with carriage returns alone."""
    for fields in records:
        message = with_line_feeds(fields[_MESSAGE])
        if message is fields[_MESSAGE]:
            continue
        if message.count(b"\n") > fields[_MESSAGE].count(b"\n"):
            fields[_MESSAGE + 1] = overlay.run("interpret-trailers", "--parse", "--no-divider", stdin=message)
        fields[_MESSAGE : _MESSAGE + 2] = message, fields[_MESSAGE + 1].replace(b"\r", b"")


def _map_people(records: list[list[bytes]], overlay: Overlay, options: ReadOptions) -> None:
    """Give authors and committers the names of the mailmap."""
    people = {tuple(fields[at : at + 2]) for fields in records for at in (_AUTHOR, _COMMITTER)}
    requested = [(name, email) for name, email in sorted(people) if not re.search(rb"[<>\n]", name + email)]
    lines = b"".join(b"%s <%s>\n" % person for person in requested)
    answer = overlay.run("check-mailmap", "--stdin", stdin=lines, settings=[f"mailmap.blob={options.mailmap}"])
    found = (line.removesuffix(b">").rpartition(b"<") for line in answer.splitlines())
    mapped = {person: (name.rstrip(b" "), email) for person, (name, _, email) in zip(requested, found, strict=True)}
    for fields in records:
        for at in (_AUTHOR, _COMMITTER):
            name, email = fields[at : at + 2]
            fields[at : at + 2] = mapped.get((name, email), (name, email))


def parse(fields: Sequence[bytes]) -> Walked:
    """One record of the stream, after its marker, cut at its NULs."""
    hash_, tree, parents = (part.decode() for part in fields[1:4])
    declared = fields[10].decode(errors="replace")
    places = (_AUTHOR, _AUTHOR + 1, _COMMITTER, _COMMITTER + 1, _MESSAGE, _MESSAGE + 1)
    texts, encoding, is_guessed = texts_of([fields[at] for at in places], declared)
    author, author_email, committer, committer_email, message, trailers = texts
    (when, offset), (committed, commit_offset) = raw_date(fields[6]), raw_date(fields[9])
    timestamp = iso(when)
    subject, _, body = message.strip("\n").partition("\n")
    body = body.strip("\n")
    facts = messages.facts_of(subject, body, trailers)
    parent_list = parents.split()
    metadata = CommitMetadata(
        hash=hash_,
        abbrev_hash=hash_[:8],
        tree=tree,
        parents=parent_list,
        author=author,
        author_email=author_email,
        timestamp=timestamp,
        timestamp_unix=when,
        tz_offset=offset,
        committer=committer,
        committer_email=committer_email,
        commit_timestamp=timestamp if committed == when else iso(committed),
        commit_timestamp_unix=committed,
        commit_tz_offset=commit_offset,
        message=subject,
        message_body=body,
        encoding=encoding,
        encoding_guessed=is_guessed or UNSET,
        trailers=facts.trailers,
        is_merge=len(parent_list) > 1,
        is_bot=messages.is_bot(author, author_email),
        is_revert=facts.is_revert,
        reverts=facts.reverts,
        cherry_pick_of=facts.cherry_pick_of,
        patch_id=None,
        files_changed=0,
        insertions=0,
        deletions=0,
        branch_set=0,
    )
    return Walked(metadata, fields[13])


def entries(raw: bytes) -> list[bytes]:
    """git's `--raw -z` part cut into entries: `:modes ids status`, NUL, path(s)."""
    return _ENTRY.findall(raw)


def raw_date(raw: bytes) -> tuple[int, int]:
    """(seconds since 1970, offset in minutes) of git's raw date; zeros where a commit has none."""
    words = raw.split()
    try:
        seconds, offset = int(words[0]), int(words[1])
    except (IndexError, ValueError):
        return 0, 0
    hours, minutes = divmod(abs(offset), 100)
    return seconds, (hours * 60 + minutes) * (-1 if offset < 0 else 1)


def iso(seconds: int) -> str:
    """ISO 8601 in UTC; the epoch for dates outside any calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00") + "Z"
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00Z"


def _log_arguments(marker: str, options: ReadOptions) -> list[str]:
    return [
        *("log", "--stdin", "--no-walk=unsorted", "--date=raw", "--encoding=none"),
        *("--no-notes", "--no-decorate", "--no-mailmap"),
        "--format=tformat:" + marker + "".join(f"%x00{name}" for name in (*_FIELDS, _TRAILERS)),
        *("--diff-merges=first-parent", "-r", "--raw", "-z", "--no-abbrev", f"-M{options.rename_similarity}%"),
        *("--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--no-relative"),
    ]


def _with_parents(overlay: Overlay, commits: bytes) -> bytes:
    """The commits and their parents, whose trees they are compared with."""
    lines = overlay.run("rev-list", "--no-walk", "--parents", "--stdin", stdin=commits)
    return b"".join(id_ + b"\n" for id_ in dict.fromkeys(lines.split()))
