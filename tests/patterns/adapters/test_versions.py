"""Versions of adapters: who may do what, which one is active, and the way back; on both databases."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from adapters_made_up import BETTER, archived, fused, in_parts, variant
from team_made_up import MadeTeam

from core.errors import StageError
from core.records.fusion import FUSED
from patterns.adapters import versions
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.team_memory import TeamMemory

WORSE = BETTER | {FUSED: 1.9}


@pytest.fixture(scope="module")
def archives(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One that was trained, three good ones, a bad one."""
    place = tmp_path_factory.mktemp("archives")
    made = {name: fused(adapter, place / name, at, BETTER) for at, name in enumerate(("one", "two", "three"), 1)}
    made |= {"bad": fused(adapter, place / "bad", 4, WORSE), "trained": variant(adapter, place / "trained", 5)}
    return {name: archived(folder) for name, folder in made.items()}


def add(made: MadeTeam, data: bytes, name: str = "click", who: str = "mia", **more: Any) -> str:
    return str(made.of(who).adapters.add(in_parts(data), name, **more)[0]["id"])


def active(made: MadeTeam) -> list[str]:
    return [row["id"] for row in made.of("rob").adapters.active().values()]


def test_a_version_is_known_by_its_bytes(made: MadeTeam, archives: dict[str, bytes]) -> None:
    adapters = made.of("mia").adapters
    row, is_new = adapters.add(in_parts(archives["one"]), "click")
    again, is_new_again = made.of("moe").adapters.add(in_parts(archives["one"]), "another-name")
    assert (is_new, is_new_again) == (True, False)
    assert again == row
    assert {key: row[key] for key in ("name", "method", "rank", "measured", "not_better", "active", "created_by")} == {
        "name": "click",
        "method": "delta",
        "rank": 4,
        "measured": True,
        "not_better": None,
        "active": False,
        "created_by": "mia",
    }
    assert [(one["name"], one["weight"]) for one in row["parents"]] == [("a@1", 0.5), ("b@2", 0.5)]
    id_, path = adapters.file(row["id"][:10])
    assert (id_, path.read_bytes()) == (row["id"], archives["one"])


def test_lists_have_pages(made: MadeTeam, archives: dict[str, bytes]) -> None:
    ids = [add(made, archives[name]) for name in ("one", "two", "three")]
    adapters = made.of("rob").adapters
    first = adapters.page(2)
    assert [one["id"] for one in first["adapters"]] == [ids[2], ids[1]]
    assert [one["id"] for one in adapters.page(2, first["next_cursor"])["adapters"]] == [ids[0]]
    assert adapters.page(3)["next_cursor"] == ""


def test_a_rollback_goes_one_step_back_each_time(made: MadeTeam, archives: dict[str, bytes]) -> None:
    ids, adapters = [add(made, archives[name]) for name in ("one", "two", "three")], made.of("max").adapters
    for id_ in ids:
        adapters.activate(id_)
    assert active(made) == [ids[2]]
    assert adapters.rollback()["id"] == ids[1]
    assert adapters.rollback(reason="it is slow")["id"] == ids[0]
    with pytest.raises(RefusedOperationError, match="nothing was active before it") as refused:
        adapters.rollback()
    assert refused.value.code == "not_found"
    adapters.activate(ids[2])
    assert adapters.rollback()["id"] == ids[0]
    assert active(made) == [ids[0]]
    assert [one["replaces"] for one in adapters.one(ids[1])["activations"]] == sorted(
        (one["replaces"] for one in adapters.one(ids[1])["activations"]), reverse=True
    )


def test_what_is_active_already_stays_so(made: MadeTeam, archives: dict[str, bytes]) -> None:
    id_, adapters = add(made, archives["one"]), made.of("max").adapters
    first = adapters.activate(id_)
    assert adapters.activate(id_[:12]) == first
    assert len(adapters.one(id_)["activations"]) == 1


@pytest.mark.parametrize(("name", "why"), [("bad", "on the mean it needs 1.900"), ("trained", "it was not measured")])
def test_what_is_not_better_is_activated_only_by_force(
    made: MadeTeam, archives: dict[str, bytes], name: str, why: str
) -> None:
    id_, adapters = add(made, archives[name]), made.of("max").adapters
    with pytest.raises(RefusedOperationError, match=why) as refused:
        adapters.activate(id_)
    assert refused.value.code == "not_better"
    with pytest.raises(RefusedOperationError, match="force needs a reason"):
        adapters.activate(id_, force=True, reason=" ")
    assert active(made) == []
    adapters.activate(id_, force=True, reason="the only one that we have")
    assert active(made) == [id_]
    (line,) = [line for line in made.of("max").reading.audit(5)[0] if line["action"] == "adapter.activate"]
    assert (line["object"], line["detail"]["reason"]) == (id_, "the only one that we have")
    assert line["detail"]["forced"] is True


def test_each_role_may_what_it_may(made: MadeTeam, archives: dict[str, bytes]) -> None:
    refused = []
    for who in ("rob", "mia", "max"):
        adapters = made.of(who).adapters
        for what, call in {
            "add": lambda adapters=adapters: adapters.add(in_parts(archives["one"]), "click"),
            "activate": lambda adapters=adapters: adapters.activate("0" * 8),
            "rollback": lambda adapters=adapters: adapters.rollback(),
        }.items():
            try:
                call()
            except RefusedOperationError as error:
                refused += [(who, what)] if error.code == "not_allowed" else []
    assert refused == [
        ("rob", "add"),
        ("rob", "activate"),
        ("rob", "rollback"),
        ("mia", "activate"),
        ("mia", "rollback"),
    ]
    assert len(made.of("rob").adapters.page(5)["adapters"]) == 1


def test_no_team_sees_the_adapters_of_another(
    team_memory: TeamMemory, made: MadeTeam, archives: dict[str, bytes]
) -> None:
    id_ = add(made, archives["one"])
    made.of("max").adapters.activate(id_)
    other = MadeTeam(team_memory, team_memory.found(f"other {id(made)}", "ada"))
    theirs = other.of("ada").adapters
    assert theirs.page(5) == {"adapters": [], "active": {}, "next_cursor": ""}
    for call in (theirs.one, theirs.file, theirs.activate):
        with pytest.raises(RefusedOperationError, match="the team has no adapter"):
            call(id_)
    with pytest.raises(RefusedOperationError, match="no adapter is active"):
        theirs.rollback()
    add(other, archives["one"], who="ada")
    theirs.files.path(id_).unlink()
    assert made.of("mia").adapters.file(id_)[1].is_file()


def test_an_activation_that_comes_between_is_not_undone_unseen(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add(made, archives["one"]), add(made, archives["two"])
    adapters, others = made.of("max").adapters, made.of("ada").adapters
    check, waits = adapters.files.check, [first]

    def checked(id_: str) -> Path:
        if waits:
            others.activate(waits.pop())
        return check(id_)

    monkeypatch.setattr(adapters.files, "check", checked)
    with pytest.raises(RefusedOperationError, match="another activation came between") as refused:
        adapters.activate(second)
    assert refused.value.code == "changed_meanwhile"
    assert active(made) == [first]
    with pytest.raises(RefusedOperationError, match=f"the active adapter is {first[:12]}, activated by ada"):
        adapters.activate(second, replaces="")
    assert adapters.activate(second, replaces=first)["id"] == second


def test_of_activations_at_once_one_wins(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, teams = [add(made, archives[name]) for name in ("one", "two", "three")], [made.of("max") for _ in range(3)]
    all_have_looked, outcomes = threading.Barrier(len(ids)), list[str]()
    for team in teams:
        check = team.adapters.files.check
        monkeypatch.setattr(
            team.adapters.files, "check", lambda id_, check=check: (all_have_looked.wait(60), check(id_))[1]
        )

    def activate(at: int) -> None:
        try:
            teams[at].adapters.activate(ids[at])
            outcomes.append(ids[at])
        except RefusedOperationError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=activate, args=(at,)) for at in range(len(ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [one for one in outcomes if one in ids]
    assert active(made) == winners
    assert len(winners) == 1
    assert outcomes.count("changed_meanwhile") == 2


def test_an_idempotency_key_names_one_request(made: MadeTeam, archives: dict[str, bytes]) -> None:
    first, second = add(made, archives["one"], key="k1"), add(made, archives["two"])
    assert add(made, archives["one"], key="k1") == first
    with pytest.raises(RefusedOperationError, match="k1 has named another request") as refused:
        add(made, archives["three"], key="k1")
    assert refused.value.code == "key_reused"
    assert len(made.of("rob").adapters.page(5)["adapters"]) == 2
    adapters = made.of("max").adapters
    done = adapters.activate(first, key="k2")
    adapters.activate(second)
    assert adapters.activate(first, key="k2") == done
    back = adapters.rollback(key="k3")
    assert adapters.rollback(key="k3") == back
    assert active(made) == [first]


def test_a_file_that_is_gone_is_not_activated_and_comes_back_when_it_is_added(
    made: MadeTeam, archives: dict[str, bytes]
) -> None:
    id_, adapters = add(made, archives["one"]), made.of("max").adapters
    adapters.files.path(id_).write_bytes(b"x")
    with pytest.raises(StageError, match="is damaged"):
        adapters.activate(id_)
    with pytest.raises(StageError, match="is missing or damaged"):
        adapters.file(id_)
    assert active(made) == []
    add(made, archives["one"])
    assert adapters.activate(id_)["id"] == id_


def test_what_is_refused_leaves_nothing(
    made: MadeTeam, archives: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapters = made.of("mia").adapters
    with pytest.raises(RefusedOperationError, match="cannot be the name"):
        adapters.add(in_parts(archives["one"]), "../up")
    with pytest.raises(RefusedOperationError, match="cut off"):
        adapters.add(in_parts(archives["one"][:40_000]), "click")
    monkeypatch.setattr(versions, "MOST_TEAM_BYTES", len(archives["one"]) * 3 // 2)
    add(made, archives["one"])
    with pytest.raises(RefusedOperationError, match=r"may have .* bytes together") as refused:
        add(made, archives["two"])
    assert refused.value.code == "too_large"
    folder = adapters.files.path("x").parent
    assert [path.name for path in folder.iterdir()] == [f"{adapters.page(5)['adapters'][0]['id']}.tar"]


def test_the_beginning_of_an_id_or_a_name_may_stand_for_it(made: MadeTeam, archives: dict[str, bytes]) -> None:
    id_, adapters = add(made, archives["one"]), made.of("rob").adapters
    assert adapters.one(id_[:8])["id"] == id_
    newer = add(made, archives["two"])
    assert adapters.one("click")["id"] == newer
    for wrong in (id_[:7], "x" * 8, "\0" * 8, id_[:8] + "%", "", "clic"):
        with pytest.raises(RefusedOperationError, match="the team has no adapter"):
            adapters.one(wrong)
