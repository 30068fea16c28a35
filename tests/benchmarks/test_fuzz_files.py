"""The fuzzer of files: it finds what must not be, and finds none of it in a few cases of what is read quickly."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from random import Random

import pytest
from builders import Program

from benchmarks import fuzz_files, surfaces
from benchmarks.damage import damaged
from benchmarks.fuzz_files import RESULT, SENTENCE, fuzz
from benchmarks.surfaces import SURFACES, Surface
from core.errors import UserError

QUICK = {"records": 5, "databases": 6, "imports": 6}
"""Cases of the surfaces that need no libraries for learning."""


@pytest.fixture(scope="module")
def template(finished: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return surfaces.prepared(finished.folder, tmp_path_factory.mktemp("fuzz") / "work")


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_damage_gives_a_result_or_a_sentence(name: str, template: Path) -> None:
    done = fuzz(name, template, "test", range(QUICK[name]))
    assert not done.found
    assert done.counts[RESULT] + done.counts[SENTENCE] == QUICK[name]


def told(work: Path) -> None:
    raise UserError("it is damaged")


def broken(work: Path) -> None:
    raise KeyError("name")


def hanging(work: Path) -> None:
    time.sleep(600)


def killed(work: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def greedy(work: Path) -> None:
    bytes(range(256)) * (64 << 12)


@pytest.mark.parametrize(
    ("read", "kind"),
    [(told, SENTENCE), (broken, "traceback"), (hanging, "hang"), (killed, "kill"), (greedy, "memory")],
)
def test_what_must_not_be_is_found(read: object, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_files, "MOST_SECONDS", 1.0)
    monkeypatch.setattr(fuzz_files, "MOST_MEMORY", 32 << 20)
    (tmp_path / "a.json").write_text("{}")

    def only_damaged(work: Path) -> None:
        if (work / "a.json").read_text() != "{}":
            read(work)  # type: ignore[operator]

    monkeypatch.setitem(SURFACES, "made-up", Surface(("*.json",), only_damaged))
    case = next(case for case in range(20) if damaged(b"{}", Random(f"0 made-up {case}")) != b"{}")
    done = fuzz("made-up", tmp_path, "0", [case])
    assert dict(done.counts) == {kind: 1}
    assert [one.split(": ")[:2] for one in done.found] == ([] if kind == SENTENCE else [[f"case {case}", kind]])


def test_damage_is_the_same_for_the_same_numbers() -> None:
    data = (
        b'{"metadata":{"a":1},"commits":[\n' + b"".join(b'{"hash":"%d","x":[1,2]},\n' % n for n in range(9)) + b"]}\n"
    )
    made = [damaged(data, Random(number)) for number in range(200)]
    assert made == [damaged(data, Random(number)) for number in range(200)]
    assert sum(one != data for one in made) > 180
    lines = [one.splitlines() for one in made]
    assert any(len(one) == 11 and one[0] != data.splitlines()[0] for one in lines)
    assert any(len(one) == 10 for one in lines)  # a line is gone
    assert any(json.dumps(None) in one.decode(errors="replace") for one in made)


def test_undamaged_files_must_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SURFACES, "made-up", Surface(("*.json",), broken))
    with pytest.raises(UserError, match="cannot be read undamaged"):
        fuzz("made-up", tmp_path, "0", [0])
