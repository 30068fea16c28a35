"""Proof that no split contains the targets of another: checks of the files as they were written.

Each check looks at the files themselves, not at the plan that they were written from, so that a mistake
anywhere before is caught here. `StageError` where one fails: nothing is published then.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.dataset.duplicates import digest
from core.dataset.history import TokenHistory
from core.dataset.lookup import find
from core.dataset.splits import Split
from core.errors import StageError
from core.text.mapped import Mapped
from core.text.stream import code_bounds
from core.text.token_files import WINDOW_KEYS, load

if TYPE_CHECKING:
    import torch

_BLOCK = 1 << 20


def check(
    files: Mapping[str, Path],
    history: TokenHistory,
    splits: Sequence[Split],
    learned_until: Mapping[str, str],
    markers: Mapping[str, int],
    *,
    stride: int,
    least_copy: int | None,
) -> list[dict[str, Any]]:
    """What was checked, how, and over how much. Raises StageError where something leaks.

    `files` are the training_data files by split. Copies of at least `least_copy` tokens of code must be gone
    from the later splits; None where they are only reported.
    """
    written = {name: load(path, (*WINDOW_KEYS, "stream")) for name, path in files.items()}
    done = [
        _said(
            "every stream holds the tokens of its own commits, in order",
            "training_data_*.pt compared, token by token, with the sequences of those commits in tokens.pt",
            sum(_check_stream(one, files[one.name], written[one.name]["stream"], history) for one in splits),
        ),
        _said(
            "no token is a target in two splits",
            "each target that is not masked traced back to its place in tokens.pt, by its place in the file's store",
            _check_targets(splits, written, stride),
        ),
        _said(
            "no window reaches into another split",
            "first and last place of all contexts and targets compared with the ends of the stream; masks beyond them",
            sum(_check_windows(one.name, files[one.name], written[one.name], stride) for one in splits),
        ),
        _said(
            "no commit is in two splits, and none comes before its parents",
            "hashes and parents as commits.json has them",
            _check_commits(splits),
        ),
        _said(
            "the vocabulary was learned from training commits alone",
            "the last commits that it saw are in the training split",
            _check_vocabulary(splits, learned_until),
        ),
    ]
    if least_copy is not None:
        streams = {name: _stream_in(path, written[name]["stream"]) for name, path in files.items()}
        done.append(
            _said(
                f"no code of {least_copy} tokens or more stands in two splits",
                "code between its markers in each stream, compared by hash",
                _check_copies(streams, markers, least_copy),
            )
        )
    return done


def _said(what: str, method: str, over: int) -> dict[str, Any]:
    return {"check": what, "method": method, "checked": over, "result": "holds"}


def _check_stream(split: Split, path: Path, stream: torch.Tensor, history: TokenHistory) -> int:
    ids = _stream_in(path, stream)
    place = 0
    for start, end in split.ranges:
        for first in range(start, end, _BLOCK):
            last = min(first + _BLOCK, end)
            if not np.array_equal(ids[place : place + last - first], history.ids[first:last]):
                raise _leak(f"the {split.name} file does not hold its own commits from token {place:,} on")
            place += last - first
    if place != len(ids):
        raise _leak(f"the {split.name} file holds {len(ids) - place:,} tokens that are not its own")
    return place


def _stream_in(path: Path, stream: torch.Tensor) -> Mapped:
    """The stream of a training_data file, given its tensor: the same bytes, a part at a time."""
    store = Mapped.store(path, 0, np.int64)
    if stream.untyped_storage().nbytes() != 8 * len(store):
        raise _leak(f"{path.name} holds more than one stream")
    start = int(stream.storage_offset())
    return store.part(start, start + len(stream))


def _check_targets(splits: Sequence[Split], written: Mapping[str, Mapping[str, torch.Tensor]], stride: int) -> int:
    seen: list[tuple[int, int, str]] = []
    for split in splits:
        first, last = _target_range(written[split.name], stride)
        place = 0
        for start, end in split.ranges:
            low, high = max(first - place, 0), min(last - place, end - start)
            if low < high:
                seen.append((start + low, start + high, split.name))
            place += end - start
    seen.sort()
    for (_, end, name), (start, _, other) in itertools.pairwise(seen):
        if start < end:
            raise _leak(f"token {start:,} of the history is a target in {name} and in {other}")
    return sum(end - start for start, end, _ in seen)


def _target_range(data: Mapping[str, torch.Tensor], stride: int) -> tuple[int, int]:
    """The first token of the stream that is a target, and one more than the last."""
    targets, masks, stream = data["targets"], data["target_masks"], data["stream"]
    if not len(targets):
        return 0, 0
    first = int(targets.storage_offset() - stream.storage_offset())
    real = int(masks[-1].sum())
    return first, first + (len(targets) - 1) * stride + real


def _check_windows(name: str, path: Path, data: Mapping[str, torch.Tensor], stride: int) -> int:
    stream = data["stream"]
    start = int(stream.storage_offset())
    end = start + len(stream)
    for kind in ("contexts", "targets"):
        tokens, masks = data[kind], data[f"{kind[:-1]}_masks"]
        if not len(tokens):
            continue
        same_store = tokens.untyped_storage().data_ptr() == stream.untyped_storage().data_ptr()
        if not same_store or tokens.stride() != (stride, 1) or masks.stride() != (stride, 1):
            raise _leak(f"the {kind} of the {name} file are no windows over its stream")
        real = Mapped.store(path, 1, np.bool_)
        one_store = masks.untyped_storage().nbytes() == len(real)
        same_places = masks.storage_offset() == tokens.storage_offset() and masks.shape == tokens.shape
        masked = _count(real, 0, start) or _count(real, end, len(real)) or _count(real, start, end) != end - start
        if masked or not one_store or not same_places:
            raise _leak(f"the {kind} of the {name} file show tokens beyond its stream")
    return len(data["contexts"])


def _count(real: Mapped, first: int, last: int) -> int:
    """How many of some places are marked."""
    starts = range(first, last, _BLOCK)
    return sum(int(np.count_nonzero(real[start : min(start + _BLOCK, last)])) for start in starts)


def _check_commits(splits: Sequence[Split]) -> int:
    seen: dict[tuple[str, str], int] = {}
    for place, split in enumerate(splits):
        for commit in split.commits:
            if seen.setdefault((commit.repository, commit.hash), place) != place:
                raise _leak(f"commit {commit.hash[:10]} is in {splits[seen[commit.repository, commit.hash]].name} too")
    for place, split in enumerate(splits):
        for commit in split.commits:
            if any(seen.get((commit.repository, parent), place) > place for parent in commit.parents):
                raise _leak(f"commit {commit.hash[:10]} of {split.name} has a parent in a later split")
    return len(seen)


def _check_vocabulary(splits: Sequence[Split], learned_until: Mapping[str, str]) -> int:
    training = {commit.hash for commit in splits[0].commits}
    for hash_ in learned_until.values():
        if hash_ not in training:
            raise _leak(f"the vocabulary was learned from commit {hash_[:10]}, which is not in the training split")
    return len(learned_until)


def _check_copies(streams: Mapping[str, Mapped], markers: Mapping[str, int], least: int) -> int:
    earlier = np.empty(0, np.uint64)
    for name, ids in streams.items():
        starts, ends = code_bounds(ids, markers)
        long = np.flatnonzero(ends - starts >= least)
        bounds = zip(starts[long].tolist(), ends[long].tolist(), strict=True)
        own = np.array([digest(ids[start:end].astype(np.int32)) for start, end in bounds], np.uint64)
        known = np.flatnonzero(find(earlier, own) >= 0)
        if len(known):
            raise _leak(f"code of {name} stands in an earlier split too, at token {starts[long[known[0]]]:,}")
        earlier = np.sort(np.concatenate([earlier, own]))
    return len(earlier)


def _leak(what: str) -> StageError:
    return StageError(f"the splits leak: {what}", "nothing was published; this is a defect of Gitlore")
