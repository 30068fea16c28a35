"""Several outputs are published together, at whatever moment a kill comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.engine import publish
from core.errors import UserError
from core.files import remove


class Killed(BaseException):
    """Stands for a kill: nothing after it runs."""


def stage(home: Path, version: str) -> list[tuple[Path, Path]]:
    moves = []
    for name in ("file", "folder"):
        staged = publish.staging_path(home / name, f"token{version}")
        staged.parent.mkdir(parents=True, exist_ok=True)
        if name == "folder":
            staged.mkdir()
            (staged / "inside").write_text(version)
        else:
            staged.write_text(version)
        moves.append((staged, home / name))
    return moves


def state(home: Path) -> tuple[str, str, str]:
    record = json.loads((home / "record.json").read_text())["version"]
    return (home / "file").read_text(), (home / "folder" / "inside").read_text(), record


@pytest.mark.parametrize("moment", range(8))
def test_a_kill_at_any_step_leaves_the_old_or_the_new_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    publish.publish(tmp_path, stage(tmp_path, "1"), tmp_path / "record.json", {"version": "1"})
    assert state(tmp_path) == ("1", "1", "1")
    moves = stage(tmp_path, "2")
    real, steps = Path.replace, 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal steps
        if steps == moment:
            raise Killed
        steps += 1
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    try:
        publish.publish(tmp_path, moves, tmp_path / "record.json", {"version": "2"})
        finished = True
    except Killed:
        finished = False
    monkeypatch.undo()
    recovered = publish.recover(tmp_path)
    publish.clean(tmp_path)
    expected = "2" if finished or recovered else "1"
    assert state(tmp_path) == (expected, expected, expected)
    assert not publish.recover(tmp_path)


def test_interrupted_renames_leave_the_staged_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish.publish(tmp_path, stage(tmp_path, "1"), tmp_path / "record.json", {"version": "1"})
    real = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == "folder" and target.name == "folder.old":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish.publish(tmp_path, stage(tmp_path, "2"), tmp_path / "record.json", {"version": "2"})
    assert publish.pending(tmp_path)
    monkeypatch.undo()
    assert publish.recover(tmp_path)
    assert not publish.pending(tmp_path)
    assert state(tmp_path) == ("2", "2", "2")


def test_folder_may_become_a_file(tmp_path: Path) -> None:
    publish.publish(tmp_path, stage(tmp_path, "1"), tmp_path / "record.json", {"version": "1"})
    staged = publish.staging_path(tmp_path / "folder", "t")
    staged.parent.mkdir(parents=True)
    staged.write_text("now a file")
    publish.publish(tmp_path, [(staged, tmp_path / "folder")], tmp_path / "record.json", {"version": "2"})
    assert (tmp_path / "folder").read_text() == "now a file"
    remove(tmp_path / "folder")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "{}", '{"moves": [1], "record_path": "a", "record": {}}'])
def test_a_damaged_journal_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / publish.HIDDEN).mkdir()
    (tmp_path / publish.HIDDEN / "publishing.json").write_text(text)
    with pytest.raises(UserError, match=r"publishing\.json is damaged"):
        publish.recover(tmp_path)
