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
from core.dataset.splits import Split
from core.errors import StageError
from core.text.stream import codes
from core.text.token_files import WINDOW_KEYS, load

if TYPE_CHECKING:
    import torch


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
            sum(_check_stream(one, written[one.name]["stream"], history) for one in splits),
        ),
        _said(
            "no token is a target in two splits",
            "each target that is not masked traced back to its place in tokens.pt, by its place in the file's store",
            _check_targets(splits, written, stride),
        ),
        _said(
            "no window reaches into another split",
            "first and last place of all contexts and targets compared with the ends of the stream; masks beyond them",
            sum(_check_windows(one.name, written[one.name], stride) for one in splits),
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
        done.append(
            _said(
                f"no code of {least_copy} tokens or more stands in two splits",
                "code between its markers in each stream, compared by hash",
                _check_copies(written, markers, least_copy),
            )
        )
    return done


def _said(what: str, method: str, over: int) -> dict[str, Any]:
    return {"check": what, "method": method, "checked": over, "result": "holds"}


def _check_stream(split: Split, stream: torch.Tensor, history: TokenHistory) -> int:
    ids = stream.numpy()
    place = 0
    for start, end in split.ranges:
        if not np.array_equal(ids[place : place + end - start], history.ids[start:end]):
            raise _leak(f"the {split.name} file does not hold its own commits from token {place:,} on")
        place += end - start
    if place != len(ids):
        raise _leak(f"the {split.name} file holds {len(ids) - place:,} tokens that are not its own")
    return place


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


def _check_windows(name: str, data: Mapping[str, torch.Tensor], stride: int) -> int:
    stream = data["stream"]
    start, end = stream.storage_offset(), stream.storage_offset() + len(stream)
    for kind in ("contexts", "targets"):
        tokens, masks = data[kind], data[f"{kind[:-1]}_masks"]
        if not len(tokens):
            continue
        same_store = tokens.untyped_storage().data_ptr() == stream.untyped_storage().data_ptr()
        if not same_store or tokens.stride() != (stride, 1) or masks.stride() != (stride, 1):
            raise _leak(f"the {kind} of the {name} file are no windows over its stream")
        real = _whole(masks)
        same_places = masks.storage_offset() == tokens.storage_offset() and masks.shape == tokens.shape
        if real[:start].any() or real[end:].any() or not real[start:end].all() or not same_places:
            raise _leak(f"the {kind} of the {name} file show tokens beyond its stream")
    return len(data["contexts"])


def _whole(view: torch.Tensor) -> Any:
    import torch

    return torch.empty(0, dtype=view.dtype).set_(view.untyped_storage())


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


def _check_copies(written: Mapping[str, Mapping[str, torch.Tensor]], markers: Mapping[str, int], least: int) -> int:
    seen: dict[bytes, str] = {}
    count = 0
    for name, data in written.items():
        ids = data["stream"].numpy()
        for start, end in codes(ids, markers):
            if end - start < least:
                continue
            count += 1
            if seen.setdefault(digest(ids[start:end].astype(np.int32)), name) != name:
                raise _leak(f"code of {name} stands in an earlier split too, at token {start:,}")
    return count


def _leak(what: str) -> StageError:
    return StageError(f"the splits leak: {what}", "nothing was published; this is a defect of Gitlore")
