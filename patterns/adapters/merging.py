"""Fusing versions of a team's adapters into a new one: asked for by a row, done by one process at a time.

A job that its process has left behind, being killed, is begun once more, a few times; what it adds is the same version.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import RowMapping

from core.config import cache_folder
from core.errors import AlreadyRunningError, GitloreError, UserError
from core.logs import log
from core.records.fusion import FusedParent, Method, Origin
from patterns.adapters.versions import Versions, check_name
from patterns.memory import idempotency
from patterns.memory.identity import now
from patterns.memory.people import note
from patterns.memory.refusals import RefusedOperationError

if TYPE_CHECKING:
    from core.fusion.parents import Parent

MOST_PARENTS = 16
MOST_TRIES = 3
"""How often a job is begun whose process dies while it runs."""
MOST_WAITING = 20
"""Jobs of a team that may wait."""
LOCK = "merging"
_AT_ONCE = 1 << 20
Text = Annotated[str, Field(min_length=1, max_length=100)]


class MergeRequest(BaseModel):
    """Which adapters are to be fused, and how. Fields mean what the flags of scripts/merge_lora_adapters.py do."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    adapters: list[Text] = Field(min_length=2, max_length=MOST_PARENTS)
    """Names, or ids."""
    name: Text
    """Of the new version."""
    weights: list[float] = Field(default_factory=list, max_length=MOST_PARENTS)
    """How much each counts; all the same where nothing is given."""
    success_rates: list[Text] = Field(default_factory=list, max_length=MOST_PARENTS)
    """Instead of weights: useful of reported answers, as "17/20", or rates."""
    method: Method = "delta"
    rank: int = Field(default=0, ge=0, le=4096)
    energy: float = Field(default=0.0, ge=0, le=1)
    density: float = Field(default=0.5, gt=0, le=1)
    trust_base: bool = False


class Merges:
    """The merges of one team, as one of its members sees them."""

    def __init__(self, versions: Versions) -> None:
        self._versions, self._scope = versions, versions.scope

    def ask(self, asked: MergeRequest, key: str = "") -> dict[str, Any]:
        """Put a job into the queue. Raises RefusedOperationError where it makes no sense, whatever the adapters are."""
        self._scope.identity.require("maintainer", "merge adapters")
        check_name(asked.name)
        with _in_words():
            _weighted(asked)
        ids = [str(self._versions.one(one)["id"]) for one in asked.adapters]
        if len(set(ids)) < len(ids):
            raise RefusedOperationError("invalid", "an adapter is named twice", "give it a larger weight instead")
        request = asked.model_copy(update={"adapters": ids}).model_dump(mode="json")
        id_ = str(uuid.uuid4())
        row = {
            "id": id_,
            "status": "queued",
            "request": request,
            "result": "",
            "problems": {},
            "tries": 0,
        }
        at = {"member": self._scope.identity.member, "created_at": now(), "updated_at": now()}
        with self._scope.database.write() as connection:
            if answer := idempotency.known(self._scope, connection, key, {"merge": request}):
                found = self._scope.row(connection, "merge_jobs", id=answer["id"])
                assert found is not None, "jobs are never deleted"
                return _shown(found)
            status = self._scope.column("merge_jobs", "status")
            if self._scope.count(connection, "merge_jobs", status.in_(("queued", "running"))) >= MOST_WAITING:
                raise RefusedOperationError("queue_full", f"{MOST_WAITING} merges are waiting", "ask again later")
            self._scope.insert(connection, "merge_jobs", {**row, **at})
            note(self._scope, connection, "adapter.merge", id_, self._versions.ip, adapters=ids)
            idempotency.remember(self._scope, connection, key, {"merge": request}, {"id": id_})
        return self.one(id_)

    def one(self, job: str) -> dict[str, Any]:
        """A job: its status, and its result or its problems. Raises RefusedOperationError where there is none."""
        with self._scope.database.read() as connection:
            row = self._scope.row(connection, "merge_jobs", id=job)
        if row is None:
            raise RefusedOperationError(
                "not_found", f"the team has no merge {job[:36]!r}", "GET /adapters/merge lists them"
            )
        return _shown(row)

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The jobs that were asked for last."""
        order = self._scope.column("merge_jobs", "created_at").desc()
        with self._scope.database.read() as connection:
            rows = connection.execute(self._scope.select("merge_jobs").order_by(order).limit(limit)).mappings()
            return [_shown(row) for row in rows]

    def work_off(self) -> int:
        """Do what waits, unless another process does; how many jobs that were.

        Whoever does it holds a lock, so that a job which still runs when the lock is free was left behind.
        """
        if not self._waiting("queued", "running"):
            return 0
        try:
            with self._scope.database.exclusive(LOCK):
                self._take_up()
                done = 0
                while rows := self._waiting("queued"):
                    self._do(rows[0])
                    done += 1
                return done
        except AlreadyRunningError:
            return 0

    def _waiting(self, *statuses: str) -> Sequence[RowMapping]:
        status, order = (self._scope.column("merge_jobs", name) for name in ("status", "created_at"))
        with self._scope.database.read() as connection:
            query = self._scope.select("merge_jobs").where(status.in_(statuses)).order_by(order)
            return connection.execute(query).mappings().all()

    def _take_up(self) -> None:
        """Put jobs whose process died into the queue again."""
        for row in self._waiting("running"):
            if row["tries"] >= MOST_TRIES:
                reason = f"the server stopped {row['tries']} times while it was at work on this merge"
                self._set(row, status="failed", problems={"reasons": [{"reason": reason}]})
            else:
                self._set(row, status="queued")

    def _do(self, row: RowMapping) -> None:
        self._set(row, status="running", tries=row["tries"] + 1)
        try:
            with tempfile.TemporaryDirectory() as place:
                asked = MergeRequest.model_validate(row["request"])
                result = _Merge(self._versions.acting_for(row["member"]), asked, Path(place)).added()
        except _RefusedError as refused:
            self._set(row, status="refused", problems={"reasons": refused.reasons})
        except Exception as error:  # noqa: BLE001 - the job has failed, the worker goes on
            reason = str(error) if isinstance(error, GitloreError) else f"{type(error).__name__}: {error}"
            log.warning("the merge %s has failed: %s", row["id"], reason)
            self._set(row, status="failed", problems={"reasons": [{"reason": reason}]})
        else:
            self._set(row, status="done", result=result)

    def _set(self, row: RowMapping, **values: Any) -> None:
        with self._scope.database.write() as connection:
            self._scope.update(connection, "merge_jobs", {"id": row["id"]}, **values, updated_at=now())


class _RefusedError(Exception):
    """Adapters that cannot be fused."""

    def __init__(self, reasons: list[dict[str, Any]]) -> None:
        super().__init__(reasons)
        self.reasons = reasons


class _Merge:
    """One job at work."""

    def __init__(self, versions: Versions, asked: MergeRequest, place: Path) -> None:
        self._versions, self._asked, self._place = versions, asked, place

    def added(self) -> str:
        """The id of the new version. Raises _RefusedError where the adapters cannot be fused."""
        found: list[Parent] = []
        try:
            found += self._parents()
            self._check_pairs(found)
            return self._fused(found)
        except UserError as error:
            raise _RefusedError([{"reason": self._without_folders(str(error), found)}]) from None

    def _fused(self, found: Sequence[Parent]) -> str:
        from core.fusion import agreement, folder, fusing
        from core.fusion.fusing import Recipe
        from patterns.adapters import archive

        asked, target = self._asked, self._place / "fused"
        weights, rates, why = _weighted(asked)
        notes = [*agreement.check(found, trust_base=asked.trust_base), why]
        made = fusing.fuse(found, Recipe(asked.method, weights, asked.rank, asked.energy, asked.density))
        named = [
            FusedParent(name=one.name, sha256=one.sha256, weight=weight, **rate)
            for one, weight, rate in zip(found, weights, rates, strict=True)
        ]
        folder.write(target, found, made, Origin(method=asked.method, parents=named), notes, cache_folder(""))
        with (self._place / "fused.tar").open("w+b") as file:
            archive.pack(target, file)
            file.seek(0)
            row, _ = self._versions.add(iter(lambda: file.read(_AT_ONCE), b""), asked.name)
        return str(row["id"])

    def _parents(self) -> Iterator[Parent]:
        """The adapters, each in a folder that is called as it is, so that reports name it so."""
        from core.fusion import parents
        from patterns.adapters import archive

        for number, adapter in enumerate(self._asked.adapters):
            self._versions.fetch(adapter, path := self._place / f"{number}.tar")
            target = self._place / str(number) / self._versions.one(adapter)["name"]
            archive.unpack(path, target)
            path.unlink()
            yield parents.read(target)

    def _check_pairs(self, found: Sequence[Parent]) -> None:
        """Raise where two of the adapters cannot be fused, with a reason for each such pair."""
        from core.fusion import agreement
        from core.fusion.parents import layers_of

        reasons = list[dict[str, Any]]()
        for (first, one), (second, other) in combinations(zip(self._asked.adapters, found, strict=True), 2):
            try:
                agreement.check([one, other], trust_base=self._asked.trust_base)
                layers_of([one, other])
            except UserError as error:
                reason = self._without_folders(str(error), (one, other))
                reasons.append({"adapters": [first, second], "reason": reason})
        if reasons:
            raise _RefusedError(reasons)

    def _without_folders(self, text: str, found: Sequence[Parent]) -> str:
        for one in found:
            text = text.replace(str(one.folder), one.name)
        return text.replace(f"{self._place}/", "")


def _weighted(asked: MergeRequest) -> tuple[list[float], list[dict[str, Any]], str]:
    """Weights, what is known of each one's success, and where the weights come from."""
    from core.fusion import weighting
    from core.fusion.weighting import SuccessRate

    count = len(asked.adapters)
    if asked.weights and asked.success_rates:
        raise UserError("weights and success rates exclude each other", "give one of them")
    rates = [SuccessRate.read(text) for text in asked.success_rates]
    if rates:
        found = weighting.by_success(rates, count)
    else:
        found = weighting.given(asked.weights, count) if asked.weights else weighting.equal(count)
    known = [{"success_rate": one.rate, "trials": one.trials} for one in rates] or [{}] * count
    return found.weights, known, found.why


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise RefusedOperationError("invalid", error.message, error.hint) from None


def _shown(row: RowMapping) -> dict[str, Any]:
    shown = {name: row[name] for name in row if name not in ("team_id", "problems", "result")}
    return {**shown, "result": row["result"] or None, "reasons": row["problems"].get("reasons", [])}
