"""Studies as they are sent: insights, runs, risks, and what is left of a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from chat.statements import Statement
from services.studies import ServedStudy
from thoughts import kinds, records
from thoughts.cards.card import TITLES, Card
from thoughts.insights import Shown
from thoughts.preferences import UNITS
from thoughts.risk.known import KnownRisk, KnownRisks
from thoughts.tables import DEAD, RUNNING, WAITING


def moment(seconds: float | None) -> str | None:
    """A time, in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def status_record(one: ServedStudy, *, is_running: bool) -> dict[str, Any]:
    """Whether a repository is studied, what waits, what is left. `is_running` is of the background process."""
    wanted, study = one.preferences, one.study
    now = study.queue.now()
    left = study.left()
    return {
        "repo_id": one.name,
        "on": wanted.is_followed,
        "off_by": wanted.off,
        "is_running": is_running and wanted.is_followed,
        "quiet_until": moment(wanted.hours.quiet_until(now)),
        "quiet_hours": wanted.quiet_hours,
        "time_zone": wanted.time_zone,
        "kinds": list(wanted.kinds),
        "all_kinds": list(kinds.known()),
        **{state: study.waiting(state) for state in (RUNNING, WAITING, DEAD)},
        "budgets": {
            name: {"a_day": left[resource][1] / unit, "left": left[resource][0] / unit}
            for name, (resource, unit) in UNITS.items()
        },
    }


def insight_record(one: ServedStudy, insight: Shown) -> dict[str, Any]:
    """An insight as study.py prints it, with the repository; its log is the hash of an artifact."""
    found: dict[str, Any] = msgspec.to_builtins(records.insight_record(insight, one.study))
    return {"repo_id": one.name, **found, "log": insight.log}


def statement_records(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """Statements with their citations, as those of insights."""
    found: list[dict[str, Any]] = msgspec.to_builtins([records.said(one) for one in statements])
    return found


def card_record(card: Card) -> dict[str, Any]:
    """What is to be known of a file or a symbol, in groups."""
    names = ("path", "name", "kind", "first", "last", "at", "written_by")
    return {
        **{name: getattr(card, name) for name in names},
        "notes": list(card.notes),
        "groups": [
            {"title": TITLES[one.name], "lead": one.lead, "statements": statement_records(one.statements)}
            for one in card.groups
        ],
    }


def job_record(one: ServedStudy, job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as study.py prints it; `run` is the latest one, null before the first."""
    found: dict[str, Any] = msgspec.to_builtins(records.job_record(job, one.study))
    return {"repo_id": one.name, **found, "run": job["last_run"]}


def run_record(one: ServedStudy, run: Mapping[str, Any]) -> dict[str, Any]:
    """A run: its input, how it ended, what it cost, its log, and the hashes of what it left."""
    hours = one.study.hours
    times = {name: run[name] and hours.now(run[name]).isoformat() for name in ("started_at", "ended_at")}
    same = {name: run[name] for name in ("id", "kind", "input", "state", "reason", "job_state", "worker", "log")}
    more = {"job": run["job_id"], "cost": run["cost"] or None, "files": run["artifacts"]}
    return {"repo_id": one.name, **same, **times, **more}


def risk_record(one: KnownRisk) -> dict[str, Any]:
    """A file with its risk; `coverage` is null where no report is known that has it."""
    found = {"path": one.path, "score": one.score, "above": one.above, "lines": one.lines}
    return {**found, "repairs": list(one.repairs), "coverage": one.ran.as_dict() if one.ran else None}


def risks_record(repo: str, found: KnownRisks, most: int, folder: str = "") -> dict[str, Any]:
    """The riskiest files below a folder, as of a commit; null before a study has looked."""
    files = [one for one in found.files if one.path.startswith(folder)]
    about = {"repo_id": repo, "commit": found.commit or None, "at": moment(found.at) if found.commit else None}
    return {**about, "total": len(files), "files": [risk_record(one) for one in files[:most]]}
