"""Members and keys."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from team_made_up import MadeTeam

from patterns.memory import people
from patterns.memory.refusals import RefusedOperationError


def test_a_key_says_who_asks_until_it_is_revoked(made: MadeTeam) -> None:
    made.of("mia")
    key, row = made.of("ada").people.make_key("mia", "laptop")
    identity = made.memory.identify(key.text)
    assert identity is not None
    assert (identity.member, identity.role, identity.team_id) == ("mia", "member", made.admin.team_id)
    assert identity.key_prefix == key.prefix == row["prefix"]
    made.of("ada").people.revoke_key(key.prefix)
    assert made.memory.identify(key.text) is None


@pytest.mark.parametrize("wrong", ["", "glk_", "glk_abcdefgh_" + "x" * 43, "ü", "x" * 100_000])
def test_what_is_no_key_admits_nobody(made: MadeTeam, wrong: str) -> None:
    assert made.memory.identify(wrong) is None


def test_a_key_of_the_right_prefix_alone_admits_nobody(made: MadeTeam) -> None:
    key = made.key("mia")
    assert made.memory.identify(key[:-1] + ("A" if key[-1] != "A" else "B")) is None


def test_a_key_ends_with_its_days_and_with_its_member(made: MadeTeam) -> None:
    made.of("mia")
    admin = made.of("ada").people
    ended, lasting = admin.make_key("mia", days=-1)[0], admin.make_key("mia", days=1)[0]
    assert made.memory.identify(ended.text) is None
    assert made.memory.identify(lasting.text) is not None
    admin.change_member("mia", disabled=True)
    assert made.memory.identify(lasting.text) is None
    with pytest.raises(RefusedOperationError, match="mia is disabled"):
        admin.make_key("mia")
    admin.change_member("mia", disabled=False)
    assert made.memory.identify(lasting.text) is not None


def test_a_role_counts_from_the_next_request_on(made: MadeTeam) -> None:
    key = made.key("mia")
    made.of("ada").people.change_member("mia", role="reader")
    identity = made.memory.identify(key)
    assert identity is not None
    assert identity.role == "reader"


def test_the_last_use_is_noted_once_a_minute(made: MadeTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made.key("mia")

    def noted() -> Any:
        return made.of("ada").people.keys()[0]["last_used_at"]

    assert noted() is None
    made.memory.identify(key)
    first = noted()
    made.memory.identify(key)
    assert noted() == first is not None
    monkeypatch.setattr(people, "LAST_USE_S", 0)
    made.memory.identify(key)
    assert noted() > first


def test_neither_a_list_nor_a_row_nor_the_audit_holds_a_key(made: MadeTeam) -> None:
    key = made.key("mia")
    secret = key.rpartition("glk_")[2].partition("_")[2]
    with made.memory.database.read() as connection:
        rows = [
            str(connection.execute(sa.select(table)).all())
            for table in made.memory.database.schema.metadata.sorted_tables
        ]
    assert key[4:12] in "".join(rows)
    assert secret not in "".join([*rows, str(made.of("ada").people.keys())])


@pytest.mark.parametrize("name", ["rob", "mia", "max"])
def test_only_an_admin_sees_and_changes_members_and_keys(made: MadeTeam, name: str) -> None:
    other = made.of(name).people
    for call in (
        other.members,
        other.keys,
        lambda: other.add_member("eve", "admin"),
        lambda: other.change_member(name, role="admin"),
        lambda: other.make_key("ada"),
        lambda: other.revoke_key("abcdefgh"),
    ):
        with pytest.raises(RefusedOperationError) as caught:
            call()
        assert caught.value.code == "not_allowed"


def test_a_team_keeps_an_admin(made: MadeTeam) -> None:
    admin = made.of("ada").people
    for change in ({"disabled": True}, {"role": "member"}):
        with pytest.raises(RefusedOperationError, match="no admin"):
            admin.change_member("ada", **change)
    assert admin.members()[0]["role"] == "admin"
    admin.add_member("eve", "admin")
    assert admin.change_member("ada", role="reader")["role"] == "reader"


def test_what_cannot_be_is_refused_in_a_sentence(made: MadeTeam) -> None:
    admin = made.of("ada").people
    made.of("mia")
    for call, words in (
        (lambda: admin.add_member("mia", "member"), "a member mia already"),
        (lambda: admin.add_member("a\nb", "member"), "cannot be the name"),
        (lambda: admin.add_member("x" * 101, "member"), "cannot be the name"),
        (lambda: admin.add_member("eve", "owner"), "no role is named 'owner'"),
        (lambda: admin.change_member("eve", role="reader"), "no member eve"),
        (lambda: admin.make_key("eve"), "no member eve"),
        (lambda: admin.make_key("mia\0"), "no member mia"),
        (lambda: admin.revoke_key("\0"), "no key"),
        (lambda: made.of("rob").reading.one("\0"), "no pattern"),
        (lambda: admin.revoke_key("abcdefgh"), "no key abcdefgh"),
        (lambda: made.memory.found(made.admin.team, "ada"), "a team team .* already"),
    ):
        with pytest.raises(RefusedOperationError, match=words):
            call()


def test_the_audit_has_a_line_for_each_change(made: MadeTeam) -> None:
    admin = made.memory.team(made.admin, ip="192.0.2.7").people
    admin.add_member("mia", "member")
    key, _ = admin.make_key("mia")
    admin.change_member("mia", role="reader")
    admin.revoke_key(key.prefix)
    lines, _ = made.of("ada").reading.audit(50)
    assert [(line["action"], line["object"]) for line in lines] == [
        ("key.revoke", key.prefix),
        ("member.change", "mia"),
        ("key.create", key.prefix),
        ("member.add", "mia"),
        ("team.found", made.admin.team),
    ]
    assert lines[0]["ip"] == "192.0.2.7"
    assert lines[1]["detail"] == {"role": "reader"}


def test_whoever_works_on_the_database_is_an_admin_of_the_team_that_is_named(made: MadeTeam) -> None:
    found = made.memory.admin(made.admin.team)
    assert found == made.admin
    assert made.memory.admin("no such team") is None
    made.memory.found(f"{made.admin.team}, too", "eve")
    with pytest.raises(RefusedOperationError, match="several teams"):
        made.memory.admin()


def test_members_are_listed_by_name_and_role_page_by_page(made: MadeTeam) -> None:
    admin = made.of("ada").people
    for number in range(people.MOST_LISTED + 1):
        admin.add_member(f"Guest_{number:02}", "reader")
    first, second = (admin.some_members("guest_", page=page) for page in (1, 2))
    assert ([one["name"] for one in second.rows], first.total, first.pages) == (["Guest_50"], 51, 2)
    assert [one["name"] for one in first.rows] == [f"Guest_{number:02}" for number in range(50)]
    assert [one["name"] for one in admin.some_members(role="admin").rows] == ["ada"]
    assert admin.some_members("%").total == admin.some_members(role="king").total == 0
    assert admin.some_members("nobody").pages == 1


def test_keys_are_listed_by_member_and_state_the_newest_first(made: MadeTeam) -> None:
    admin = made.of("ada").people
    made.of("mia")
    old, ended, new = (admin.make_key("mia", label, days)[0].prefix for label, days in (("", None), ("", 1), ("", 30)))
    admin.revoke_key(ended)
    expired = admin.make_key("ada", "", -1)[0].prefix
    assert [one["prefix"] for one in admin.some_keys("MI").rows] == [new, ended, old]
    assert [one["prefix"] for one in admin.some_keys(state="valid").rows] == [new, old]
    assert [one["prefix"] for one in admin.some_keys(state="ended").rows] == [expired, ended]
    assert "sha256" not in admin.some_keys().rows[0]
    for name in ("mia", "max"):
        for ask in (made.of(name).people.some_keys, made.of(name).people.some_members):
            with pytest.raises(RefusedOperationError, match="needs the role admin"):
                ask()
