"""All rules of ruff, whatever the repository's own settings are: which of them matter here, its history says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.errors import UserError
from thoughts.smells.findings import MOST_LINES, Finding, relative


class _Place(msgspec.Struct):
    row: int


class _Said(msgspec.Struct):
    code: str | None
    filename: str
    message: str
    location: _Place
    end_location: _Place


class Ruff:
    """The linter of Python that ships with Gitlore."""

    name = "ruff"
    suffixes = (".py", ".pyi")

    @property
    def version(self) -> str:
        """As it says itself."""
        said = subprocess.run([str(_program()), "--version"], capture_output=True, text=True, check=False)
        return said.stdout.strip().removeprefix("ruff ")

    @property
    def programs(self) -> Sequence[Path]:
        """The folder of the program itself."""
        return [_program().parent]

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        """Every rule that is no preview."""
        return (
            *(str(_program()), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet"),
            *("--select", "ALL", "--no-respect-gitignore", "--output-format", "json-lines"),
            *("--output-file", str(output), str(folder)),
        )

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:
        """One a line."""
        decoder = msgspec.json.Decoder(_Said)
        with output.open("rb") as lines:
            for line in lines:
                try:
                    one = decoder.decode(line)
                except msgspec.MsgspecError:
                    continue
                first, last = one.location.row, max(one.location.row, one.end_location.row)
                place = relative(one.filename, folder), first, min(last, first + MOST_LINES - 1)
                yield Finding(f"ruff {one.code or 'syntax'}", *place, one.message)


def _program() -> Path:
    beside = Path(sys.executable).with_name("ruff")
    found = beside if beside.is_file() else shutil.which("ruff")
    if found is None:
        raise UserError("ruff is not installed", "pip install -r requirements.txt")
    return Path(found).resolve()
