"""Merges as jobs: who may ask, what becomes of them, and of those whose process has died; on both databases."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from adapters_made_up import PRIVATE, archived, in_parts, variant
from made_adapters import change_info
from team_made_up import MadeTeam

from patterns.adapters import merging
from patterns.adapters.merging import MergeRequest, _Merge
from patterns.memory.refusals import RefusedOperationError


@pytest.fixture(scope="module")
def archives(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two that go together, one of another base, one of other sequences."""
    place = tmp_path_factory.mktemp("archives")
    made = {
        name: variant(adapter, place / name, number) for number, name in enumerate(("click", "flask", "base", "view"))
    }
    change_info(made["base"], base_sha256="f" * 64)
    settings = {"tokenizer": {"mode": "base_model", "code_view": "edit", "secrets": "mask"}}
    change_info(made["view"], settings=settings | {"model_training": {"method": "lora"}})
    return {name: archived(folder) for name, folder in made.items()}


def added(made: MadeTeam, archives: dict[str, bytes], *names: str) -> list[str]:
    return [str(made.of("mia").adapters.add(in_parts(archives[name]), name)[0]["id"]) for name in names]


def asked(*adapters: str, **more: Any) -> MergeRequest:
    return MergeRequest.model_validate({"adapters": list(adapters), "name": "both"} | more)


def test_a_merge_adds_a_version_that_says_what_it_was_made_from(made: MadeTeam, archives: dict[str, bytes]) -> None:
    ids, merges = added(made, archives, "click", "flask"), made.of("max").adapters.merges
    job = merges.ask(asked("click", ids[1][:10], weights=[3, 1]))
    assert (job["status"], job["member"], job["request"]["adapters"]) == ("queued", "max", ids)
    assert made.of("ada").adapters.merges.work_off() == 1
    job = merges.one(job["id"])
    assert (job["status"], job["reasons"], job["tries"]) == ("done", [], 1)
    one = made.of("rob").adapters.one(job["result"])
    assert (one["name"], one["method"], one["rank"], one["created_by"]) == ("both", "delta", 4, "max")
    weights = {parent["name"].partition("@")[0]: parent["weight"] for parent in one["parents"]}
    assert weights == {"click": 0.75, "flask": 0.25}
    assert {parent["sha256"] for parent in one["parents"]} == {
        made.of("rob").adapters.one(id_)["weights_sha256"] for id_ in ids
    }
    assert (one["measured"], one["not_better"][:19]) == (False, "it was not measured")
    assert PRIVATE.encode() not in made.of("rob").adapters.file(one["id"])[1].read_bytes()
    assert merges.work_off() == 0
    assert [row["id"] for row in merges.newest(5)] == [job["id"]]


def test_pairs_that_do_not_go_together_have_reasons(made: MadeTeam, archives: dict[str, bytes]) -> None:
    ids, merges = added(made, archives, "click", "base", "view"), made.of("max").adapters.merges
    job = merges.ask(asked(*ids))
    merges.work_off()
    job = merges.one(job["id"])
    assert (job["status"], job["result"]) == ("refused", None)
    assert [one["adapters"] for one in job["reasons"]] == [[ids[0], ids[1]], [ids[0], ids[2]], [ids[1], ids[2]]]
    assert "different weights" in job["reasons"][0]["reason"]
    assert "code_view" in job["reasons"][1]["reason"]
    assert re.match(r"click@[0-9a-f]{12} and view@[0-9a-f]{12} have different", job["reasons"][1]["reason"])


@pytest.mark.parametrize(
    ("who", "more", "code", "why"),
    [
        ("mia", {}, "not_allowed", "needs the role maintainer"),
        ("max", {"adapters": ["click", "nothing"]}, "not_found", "no adapter 'nothing'"),
        ("max", {"adapters": ["click", "click"]}, "invalid", "named twice"),
        ("max", {"weights": [1.0]}, "invalid", "1 weights for 2 adapters"),
        ("max", {"weights": [1.0, -1.0]}, "invalid", "from 0 up"),
        ("max", {"weights": [1.0, 1.0], "success_rates": ["1/2", "1/2"]}, "invalid", "exclude each other"),
        ("max", {"success_rates": ["3/2", "1/2"]}, "invalid", "no success rate"),
        ("max", {"name": "../up"}, "invalid", "cannot be the name"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    made: MadeTeam, archives: dict[str, bytes], who: str, more: dict[str, Any], code: str, why: str
) -> None:
    added(made, archives, "click", "flask")
    with pytest.raises(RefusedOperationError, match=why) as refused:
        made.of(who).adapters.merges.ask(asked(**({"adapters": ["click", "flask"]} | more)))
    assert refused.value.code == code
    assert made.of("max").adapters.merges.newest(5) == []


def test_an_idempotency_key_asks_once_and_a_full_queue_refuses(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    added(made, archives, "click", "flask")
    merges = made.of("max").adapters.merges
    assert merges.ask(asked("click", "flask"), "k") == merges.ask(asked("click", "flask"), "k")
    monkeypatch.setattr(merging, "MOST_WAITING", 1)
    with pytest.raises(RefusedOperationError, match="1 merges are waiting"):
        merges.ask(asked("click", "flask", rank=2))


def test_a_job_whose_process_died_is_begun_again_and_ends_after_some_tries(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    added(made, archives, "click", "flask")
    merges = made.of("max").adapters.merges
    job = merges.ask(asked("click", "flask"))["id"]

    class DiedError(BaseException):
        """The process is killed; nothing catches this."""

    def dies(_: object) -> str:
        raise DiedError

    whole = _Merge.added
    monkeypatch.setattr(_Merge, "added", dies)
    with pytest.raises(DiedError):
        merges.work_off()
    assert (merges.one(job)["status"], merges.one(job)["tries"]) == ("running", 1)
    monkeypatch.setattr(_Merge, "added", whole)
    assert merges.work_off() == 1
    assert (merges.one(job)["status"], merges.one(job)["tries"]) == ("done", 2)
    again = merges.ask(asked("click", "flask", rank=2))["id"]
    monkeypatch.setattr(_Merge, "added", dies)
    for _ in range(merging.MOST_TRIES):
        with pytest.raises(DiedError):
            merges.work_off()
    assert merges.work_off() == 0
    assert merges.one(again)["status"] == "failed"
    assert merges.one(again)["reasons"] == [
        {"reason": f"the server stopped {merging.MOST_TRIES} times while it was at work on this merge"}
    ]


def test_one_process_works_at_a_time(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    added(made, archives, "click", "flask")
    merges, others = made.of("max").adapters.merges, made.of("ada").adapters.merges
    job = merges.ask(asked("click", "flask"))["id"]
    begun, goes_on, whole = threading.Event(), threading.Event(), _Merge.added

    def slow(merge: _Merge) -> str:
        begun.set()
        assert goes_on.wait(60)
        return whole(merge)

    monkeypatch.setattr(_Merge, "added", slow)
    thread = threading.Thread(target=merges.work_off)
    thread.start()
    assert begun.wait(60)
    assert others.work_off() == 0
    assert others.one(job)["status"] == "running"
    goes_on.set()
    thread.join()
    assert others.one(job)["status"] == "done"


def test_what_goes_wrong_is_written_down(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = added(made, archives, "click", "flask")
    merges = made.of("max").adapters.merges
    job = merges.ask(asked(*ids))["id"]
    made.of("max").adapters.files.path(ids[0]).unlink()
    merges.work_off()
    assert merges.one(job)["status"] == "failed"
    assert "is missing" in merges.one(job)["reasons"][0]["reason"]
    with pytest.raises(RefusedOperationError, match="no merge"):
        merges.one("nothing")
