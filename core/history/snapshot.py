"""The refs in scope at one moment, and the order of all commits that they reach.

Taken once per scrape, so that commits arriving meanwhile cannot make its parts disagree.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.git import commands, refs
from core.git.commands import decode
from core.git.refs import REF_PREFIXES
from core.git.repositories import Repository
from core.history.filters import CommitScope
from core.history.overlay import Overlay


@dataclass
class Snapshot:
    """Refs by name, and what follows from them."""

    tips: bytes
    """Commits (hex, one a line) that the refs in scope lead to: fit for `--stdin` of rev-list."""
    refs: dict[str, str]
    """Object id of every ref in scope."""
    heads: list[str]
    """Commit of each local and remote branch, in the order of `branches`; empty where it is missing."""
    branches: list[str]
    current: str | None
    tags: dict[str, list[str]]
    """Names of tags by commit, through annotated tags."""
    broken: list[str]
    """Refs whose object is missing."""
    detached: str
    """The commit that is checked out where no branch is; "" on a branch."""


def take(repository: Repository, kinds: Sequence[str]) -> Snapshot:
    """Look at the refs of these kinds, and at all branches."""
    template = "%(objectname)%00%(refname)%00%(symref)%00%(HEAD)"
    prefixes = [prefix for kind in kinds for prefix in REF_PREFIXES[kind]]
    wanted = dict.fromkeys((*prefixes, "refs/heads", "refs/remotes"))
    listing = commands.run(repository.git_dir, "for-each-ref", f"--format={template}", *wanted)
    found = [line.split(b"\0") for line in dict.fromkeys(listing.splitlines())]
    head = refs.head(repository.git_dir).encode()
    if head and {"head", "all"} & set(kinds):
        found.append([head, b"HEAD", b"", b""])
    commits, broken_ids = _peeled(repository, [id_ for id_, *_ in found])
    snapshot = Snapshot(b"", {}, [], [], None, {}, [], refs.detached_head(repository.git_dir))
    tips: dict[str, None] = {}
    for id_, raw, symbolic, is_head in found:
        ref, commit = decode(raw)[0], commits.get(id_, "")
        if ref == "HEAD" or any(ref == prefix or ref.startswith(f"{prefix}/") for prefix in prefixes):
            snapshot.refs[ref] = id_.decode()
            if commit:
                tips[commit] = None
            if id_ in broken_ids:
                snapshot.broken.append(ref)
            if commit and ref.startswith("refs/tags/"):
                snapshot.tags.setdefault(commit, []).append(ref.removeprefix("refs/tags/"))
        if ref.startswith(("refs/heads/", "refs/remotes/")) and not symbolic:  # origin/HEAD only repeats another
            name = ref.removeprefix("refs/").removeprefix("heads/")
            snapshot.heads.append(commit)
            snapshot.branches.append(name)
            snapshot.current = name if is_head == b"*" else snapshot.current
    snapshot.tips = "".join(f"{commit}\n" for commit in tips).encode()
    return snapshot


def _peeled(repository: Repository, ids: Sequence[bytes]) -> tuple[dict[bytes, str], set[bytes]]:
    """(commit by object id, through tags; ids of objects that are missing)."""
    unique = list(dict.fromkeys(ids))
    requested = b"".join(b"%s^{commit}\n%s\n" % (id_, id_) for id_ in unique)
    answers = commands.run(repository.git_dir, "cat-file", "--batch-check=%(objectname)", "--buffer", stdin=requested)
    lines = answers.splitlines()
    commits, broken = {}, set()
    for id_, commit, itself in zip(unique, lines[::2], lines[1::2], strict=True):
        if itself.endswith(b" missing"):
            broken.add(id_)
        elif not commit.endswith(b" missing"):
            commits[id_] = commit.decode()
    return commits, broken


@dataclass
class Order:
    """Commits oldest first, parents before their children: `git rev-list --reverse --date-order`."""

    width: int
    """Bytes of a hash: 20, or 32 in a SHA-256 repository."""
    hashes: bytes
    """All hashes, one after the other."""
    sets: array[int]
    """For each commit the index of its set of branches in `masks`."""
    masks: list[int]
    """Sets of branches: bit n stands for branch n. Numbered as they first appear, oldest commit first."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Commits outside the scope, by reason."""

    def __len__(self) -> int:
        return len(self.sets)

    def hash(self, number: int) -> str:
        """The hash of a commit, as text."""
        return self.hashes[number * self.width : (number + 1) * self.width].hex()


def read_order(overlay: Overlay, snapshot: Snapshot, filters: CommitScope) -> Order:
    """Walk once from children to parents, handing each commit's set of branches (a bit set) down."""
    bits: dict[str, int] = {}
    for number, head in enumerate(snapshot.heads):
        bits[head] = bits.get(head, 0) | 1 << number
    order = Order(20, b"", array("I"), [])
    newest_first = bytearray()
    masks: dict[int, int] = {}
    sets = array("I")
    with overlay.stream(
        "rev-list", "--date-order", "--parents", "--timestamp", "--stdin", stdin=snapshot.tips
    ) as lines:
        for line in lines:
            time, commit, *parents = line.decode().split()
            own = bits.pop(commit, 0)
            for parent in parents:
                bits[parent] = bits.get(parent, 0) | own
            if reason := filters.against_commit(int(time), len(parents)):
                order.left_out[reason] += 1
                continue
            newest_first += bytes.fromhex(commit)
            sets.append(masks.setdefault(own, len(masks)))
    sets.reverse()
    order.width = len(newest_first) // len(sets) if sets else 20
    order.hashes = _reversed(newest_first, order.width)
    by_appearance = {old: new for new, old in enumerate(dict.fromkeys(sets))}
    order.sets = array("I", [by_appearance[old] for old in sets])
    by_id = list(masks)
    order.masks = [by_id[old] for old in by_appearance]
    return order


def _reversed(items: bytearray, width: int, at_once: int = 10_000) -> bytes:
    """Items of `width` bytes in the opposite order, without an object for each of them at any moment."""
    result = bytearray()
    for end in range(len(items), 0, -width * at_once):
        start = max(end - width * at_once, 0)
        result += b"".join([items[at : at + width] for at in range(end - width, start - 1, -width)])
    return bytes(result)
