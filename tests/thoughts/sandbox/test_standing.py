from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from thoughts.sandbox import standing
from thoughts.sandbox.standing import Standing, advice, best_tier, why_not
from thoughts.sandbox.tiers import TIERS, Tier


def test_the_best_that_works_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "standing", lambda: Standing({"bubblewrap": "", "unshare": ""}))
    assert best_tier() is TIERS[0]
    monkeypatch.setattr(standing, "standing", lambda: Standing({"bubblewrap": "bwrap is not installed", "unshare": ""}))
    assert best_tier() is TIERS[1]


def test_nothing_runs_where_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    none = Standing({"bubblewrap": "bwrap is not installed", "unshare": "Operation not permitted"})
    monkeypatch.setattr(standing, "standing", lambda: none)

    with pytest.raises(UserError, match=r"no command is run.*bwrap is not installed.*not permitted") as raised:
        best_tier()
    assert raised.value.hint


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_not(TIERS[0]) == "bwrap is not installed"


def test_what_the_program_says_is_the_reason() -> None:
    script = "echo 'unshare: Operation not permitted' >&2; exit 1"
    assert why_not(Tier("broken", "", "", lambda *_: ["/bin/sh", "-c", script])) == "unshare: Operation not permitted"


def test_a_command_that_fails_inside_is_a_reason() -> None:
    script = "echo sandboxed >&2; exit 7"
    assert "exit code 7" in why_not(Tier("broken", "", "", lambda *_: ["/bin/sh", "-c", script]))


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("user/max_user_namespaces", "0\n", "sysctl user.max_user_namespaces"),
        ("kernel/unprivileged_userns_clone", "0\n", "sysctl kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1\n", "AppArmor"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0\n", "install bubblewrap"),
    ],
)
def test_settings_that_forbid_it_are_found(tmp_path: Path, setting: str, value: str, hint: str) -> None:
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(value)
    assert hint in advice(tmp_path, tmp_path / "none")


def test_a_container_is_found(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()
    assert "container" in advice(tmp_path, tmp_path / ".dockerenv")
