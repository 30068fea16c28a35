"""Patches of file changes: distinct pairs of blobs, diffed by one `git diff-tree` over two made-up trees.

The trees are in the overlay, and their entries are numbers: no path, and so no attribute of the repository, can
influence a diff. Merges repeat the changes they merge; each is diffed once.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import MappingProxyType

from msgspec import UNSET

from core.errors import StageError
from core.git.blobs import NO_MODE, SUBMODULE_MODE, BlobReader
from core.git.commands import decode
from core.git.diff_trees import DiffTree
from core.git.encodings import is_binary
from core.history import patch_ids, wide_texts
from core.history.changes import Change
from core.history.options import ReadOptions
from core.history.overlay import Overlay
from core.history.walk import split

_SECTION = b"\ndiff --git a/"
_COUNTED_BYTES = "512m"
"""git's own limit: it treats anything larger as binary, and so do we."""
_COPIES_AT_ONCE = 50
"""Changes whose texts are in the overlay a second time, in UTF-8."""
_BLOBS_KNOWN = 1 << 14
"""Of binary blobs, whether they are text after all: one change's new blob is the next one's old blob."""
_NESTED_HEADER = re.compile(rb"\ndiff --git .*?\n(?=@@ -|\Z)", re.DOTALL)


class Differ:
    """Finishes changes with several git processes side by side; close it afterwards."""

    def __init__(self, overlay: Overlay, options: ReadOptions, workers: int) -> None:
        self._overlay, self._options = overlay, options
        self._lanes = [_Lane(overlay, options) for _ in range(workers)]
        self._turn = 0
        self._spare = _Lane(overlay, options)
        """For retries: no other answer waits in this lane, so it may be restarted at any time."""
        self._blobs: BlobReader | None = None
        self._encoding = functools.lru_cache(_BLOBS_KNOWN)(self._encoding_in)
        self._lock = threading.RLock()
        """For the spare lane and the blobs."""
        self._closed = False

    def close(self) -> None:
        """End the git processes; whatever is still waiting is dropped."""
        self._closed = True
        for lane in (*self._lanes, self._spare):
            lane.close()
        if self._blobs:
            self._blobs.close()

    def submit(self, changes: Sequence[Change]) -> Future[None]:
        """Start on the records of these changes. Objects that cannot be read leave a flag, not an error.

        The request is sent at once, so that git works while earlier answers are being read. The result raises
        StageError where git fails for another reason.
        """
        wanted, same = [], []
        for change in changes:
            diff = change.diff
            if diff.old_blob == diff.new_blob:
                same.append(change)
            elif not self._overlay.missing.isdisjoint((diff.old_blob.encode(), diff.new_blob.encode())):
                _flag_missing(change)
            else:
                wanted.append(change)
        # Versions of a file side by side: git keeps the objects that it has just unpacked, and deltas are short.
        wanted.sort(key=lambda change: change.entry.split(b"\0")[-1])
        lane = self._lanes[self._turn % len(self._lanes)]
        self._turn += 1
        process = lane.ask(_trees(self._overlay, wanted)) if wanted else None
        return lane.thread.submit(self._finish, lane, process, wanted, same)

    def _finish(self, lane: _Lane, process: DiffTree | None, wanted: Sequence[Change], same: Sequence[Change]) -> None:
        if same:
            with self._lock:
                for change in same:
                    self._finish_unchanged(change)
        if process is None:
            return
        try:
            self._take(process, wanted)
        except StageError:
            # A damaged object ends the process, and with it the answers to all later requests. So each batch that
            # was waiting for it comes here, although nothing may be wrong with its own changes.
            lane.drop(process)
            if not self._closed:
                with self._lock:
                    self._try_again(wanted)

    def _take(self, process: DiffTree, changes: Sequence[Change]) -> None:
        """Finish the changes from the answer of git."""
        binary: list[Change] = []
        seen: set[int] = set()
        for number, section in _sections(process.answer(), process.end):
            seen.add(number)
            if not _finish(changes[number], section, self._options):
                binary.append(changes[number])
        for number in set(range(len(changes))) - seen:
            raise StageError(f"git diff-tree left out {changes[number].diff.filename}", "run again with --verbose")
        if binary:
            self._finish_binary(binary)

    def _finish_binary(self, changes: Sequence[Change]) -> None:
        """Finish what git calls binary, but may be too large for a patch, or text in UTF-16 or UTF-32."""
        small, large = _by_size(self._overlay, changes, self._options)
        with self._lock:
            wide = [change for change in small if wide_texts.mark(change.diff, self._encoding)]
            for start in range(0, len(wide), _COPIES_AT_ONCE):
                self._diff_copies(wide[start : start + _COPIES_AT_ONCE])
        for change in small:
            if change.diff.old_wide_encoding is change.diff.wide_encoding is UNSET:
                change.diff.is_binary = True
                change.finish("", _part_of_whole_blobs(change))
        if large:
            _count_lines(self._overlay, large)

    def _diff_copies(self, changes: Sequence[Change]) -> None:
        """Finish changes of texts in UTF-16 or UTF-32 from their copies in UTF-8."""
        with wide_texts.copies([change.diff for change in changes], self._read_blob, self._overlay) as copies:
            process = self._spare.ask(_trees(self._overlay, changes, copies))
            try:
                shown = dict(_sections(process.answer(), process.end))
            except StageError:
                self._spare.drop(process)
                raise
        for number, change in enumerate(changes):  # git shows nothing of those that are the same in UTF-8
            _finish(change, shown.get(number, b""), self._options, _part_of_whole_blobs(change))

    def _try_again(self, changes: Sequence[Change]) -> None:
        """Diff them apart from all others, then in halves, until the damaged ones are alone."""
        process = self._spare.ask(_trees(self._overlay, changes))
        try:
            self._take(process, changes)
        except StageError as error:
            self._spare.drop(process)
            readable = _without_unreadable(self._overlay, changes, error)
            for half in (readable[: len(readable) // 2], readable[len(readable) // 2 :]):
                if half:
                    self._try_again(half)

    def _finish_unchanged(self, change: Change) -> None:
        """A rename or change of mode with the same content: there is no patch that would show whether it is binary."""
        for id_ in _blobs(change)[:1]:
            content = self._read_blob(id_.decode())
            if content is None and not _opens(self._overlay, id_):
                change.diff.missing = True
            elif content is None:  # too large to read here
                tree = self._overlay.write_tree([("100644", b"0", id_.decode())])
                counts = _numstat(self._overlay, [self._overlay.write_tree([]), tree])
                change.diff.is_binary = counts[0][1] == b"-"
            else:
                change.diff.is_binary = is_binary(content) and not wide_texts.mark(change.diff, self._encoding)
        change.finish("", _part(change, b""))

    def _encoding_in(self, id_: str) -> str | None:
        return wide_texts.encoding_in(self._read_blob(id_), self._options.max_file_bytes)

    def _read_blob(self, id_: str) -> bytes | None:
        if self._blobs is None:
            self._blobs = BlobReader(self._overlay.git_dir)
        try:
            return self._blobs.read(id_, self._options.max_file_bytes)
        except StageError:  # a damaged object ends the process
            self._blobs.close()
            self._blobs = None
            return None


class _Lane:
    """One git process, started on first use, and the thread that reads it."""

    def __init__(self, overlay: Overlay, options: ReadOptions) -> None:
        self._overlay, self._options = overlay, options
        self._process: DiffTree | None = None
        self._lock = threading.Lock()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="differ")

    def ask(self, trees: tuple[str, str]) -> DiffTree:
        """Request a comparison; returns the process that will answer, in the order of requests."""
        with self._lock:
            if self._process is None:
                settings = [f"core.bigFileThreshold={self._options.max_file_bytes}"]
                self._process = DiffTree(self._overlay.git_dir, _diff_arguments(self._options), settings)
            self._process.ask(*trees)
            return self._process

    def drop(self, process: DiffTree) -> None:
        """The process has ended: the next request starts another one."""
        with self._lock:
            if self._process is process:
                self._process = None
        process.close()

    def close(self) -> None:
        """Drop whatever is waiting, and end the process."""
        self.thread.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._process:
                self._process.kill()  # its reader then sees the end
        self.thread.shutdown()
        with self._lock:
            if self._process:
                self._process.close()
                self._process = None


def _finish(change: Change, section: bytes, options: ReadOptions, part: int | None = None) -> bool:
    """Take the hunks from a file's section of a patch; False where git calls the file binary.

    `part` is what the change adds to the patch id of its commit, where its lines do not say that.
    """
    start = section.find(b"\n@@ -")
    diff = change.diff
    if start < 0:
        if b"\nBinary files " in section:
            return False
        change.finish("", part or _part(change, b""))
        return True
    hunks = section[start + 1 :] + b"\n"
    if diff.change_type == "T":  # shown as a removal and an addition, each with a header
        part = _part_of_whole_blobs(change)
        diff.is_binary = b"\nBinary files " in section
        hunks = _NESTED_HEADER.sub(b"\n", hunks)
    # Inside hunks every line starts with ' ', '+', '-', '\' or '@', whatever the file holds.
    diff.additions, diff.deletions = hunks.count(b"\n+"), hunks.count(b"\n-")
    part = part or _part(change, hunks)
    diff.patch_truncated = len(hunks) > options.max_patch_bytes
    if diff.patch_truncated:
        hunks = hunks[: hunks.rfind(b"\n", 0, options.max_patch_bytes) + 1]
    text, diff.encoding = decode(hunks)
    change.finish(text, part)
    return not (diff.change_type == "T" and diff.is_binary)  # one half may only be too large


def _sections(output: Iterable[bytes], end: bytes) -> Iterator[tuple[int, bytes]]:
    """(number of the change, its section of the patch); no line of a hunk can start like a header.

    `end` follows the last section.
    """
    number, whole = -1, b""
    for record in split(output, _SECTION):
        own = int(record[: record.index(b" ")])
        if own == number:  # the second half of a type change
            whole += b"\ndiff --git " + record
            continue
        if number >= 0:
            yield number, whole
        number, whole = own, record
    if number >= 0:
        yield number, whole.removesuffix(end).removesuffix(b"\n")


def _by_size(overlay: Overlay, binary: Sequence[Change], options: ReadOptions) -> tuple[list[Change], list[Change]]:
    """Changes that git calls binary, but for those it has finished: (within the limit, beyond it)."""
    ids = dict.fromkeys(id_ for change in binary for id_ in _blobs(change))
    listing = overlay.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=b"\n".join(ids) + b"\n")
    if b" missing\n" in listing:
        raise StageError("a blob cannot be read")
    sizes = {name: int(size) for name, size in (line.split() for line in listing.splitlines())}
    small, large = [], []
    for change in binary:
        if any(sizes[id_] > options.max_file_bytes for id_ in _blobs(change)):
            large.append(change)
        elif change.diff.change_type != "T" or not change.record:
            small.append(change)
    return small, large


def _count_lines(overlay: Overlay, changes: Sequence[Change]) -> None:
    """Count the lines of files that are too large for a patch, at git's own limit instead of ours."""
    for number, additions, deletions in _numstat(overlay, _trees(overlay, changes)):
        change = changes[number]
        change.diff.is_binary = additions == b"-"
        change.diff.patch_truncated = not change.diff.is_binary
        if not change.diff.is_binary:
            change.diff.additions, change.diff.deletions = int(additions), int(deletions)
        change.finish("", _part_of_whole_blobs(change))


def _numstat(overlay: Overlay, trees: Sequence[str]) -> list[tuple[int, bytes, bytes]]:
    """(number, added lines, removed lines) of each change between two made-up trees; "-" for binary files."""
    arguments = ("diff-tree", "-r", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
    listing = overlay.run(*arguments, *trees, settings=[f"core.bigFileThreshold={_COUNTED_BYTES}"])
    fields = (line.split(b"\t") for line in listing.split(b"\0")[:-1])
    return [(int(number), additions, deletions) for additions, deletions, number in fields]


def _without_unreadable(overlay: Overlay, changes: Sequence[Change], error: StageError) -> list[Change]:
    """Flag and finish the changes whose blobs cannot be read; return the others, to be tried again."""
    absent = overlay.unreadable(id_ for change in changes for id_ in _blobs(change))
    # The listing only knows objects by name. One that is there but damaged shows when it is read, which is dear: so
    # only a change that failed all by itself is read in full.
    if not absent and len(changes) == 1:
        absent = {id_ for id_ in _blobs(changes[0]) if not _opens(overlay, id_)}
        if not absent:
            raise error
    kept = []
    for change in changes:
        if absent.isdisjoint(_blobs(change)):
            kept.append(change)
        else:
            _flag_missing(change)
    return kept


def _flag_missing(change: Change) -> None:
    change.diff.missing = True
    change.finish("", _part_of_whole_blobs(change))


def _opens(overlay: Overlay, id_: bytes) -> bool:
    try:
        with overlay.stream("cat-file", "blob", id_.decode()) as content:
            while content.read(1 << 18):
                pass
    except StageError:
        return False
    return True


def _blobs(change: Change) -> list[bytes]:
    """Ids of the blobs on both sides, without submodules' commits and absent files."""
    diff = change.diff
    sides = ((diff.old_mode, diff.old_blob), (diff.new_mode, diff.new_blob))
    return [id_.encode() for mode, id_ in sides if mode not in (SUBMODULE_MODE, NO_MODE)]


def _trees(
    overlay: Overlay, changes: Sequence[Change], copies: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, str]:
    """Two trees, old and new, whose entries are the numbers of the changes; `copies` take the place of their blobs."""
    old, new = [], []
    for number, change in enumerate(changes):
        diff = change.diff
        name = b"%08d" % number
        if diff.old_mode != NO_MODE:
            old.append((diff.old_mode, name, copies.get(diff.old_blob, diff.old_blob)))
        if diff.new_mode != NO_MODE:
            new.append((diff.new_mode, name, copies.get(diff.new_blob, diff.new_blob)))
    return overlay.write_tree(old), overlay.write_tree(new)


def _part(change: Change, hunks: bytes) -> int:
    """What the change adds to the patch id of its commit."""
    return patch_ids.of_file(patch_ids.header(change.diff, *change.paths(), with_names=bool(hunks)), hunks)


def _part_of_whole_blobs(change: Change) -> int:
    """The same where there are no lines to hash: the blob ids stand for the content."""
    diff = change.diff
    head = patch_ids.header(diff, *change.paths(), with_names=False)
    return patch_ids.of_file(head + diff.old_blob.encode() + diff.new_blob.encode(), b"")


def _diff_arguments(options: ReadOptions) -> Iterable[str]:
    return (
        *("-r", "-p", "--no-renames", "--full-index", f"-U{options.context_lines}"),
        *(
            "--inter-hunk-context=0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ),
        *("--submodule=short", "--ignore-submodules=none", "--diff-algorithm=myers", "--indent-heuristic"),
    )
