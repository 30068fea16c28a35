"""The user's own rules for semgrep. It is not installed with Gitlore, and never asks its registry."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.errors import UserError
from thoughts.smells.findings import MOST_LINES, Finding, relative
from thoughts.smells.secrets import SUFFIXES

NAMES = {".yml", ".yaml"}
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
"""It does not start without those of the system, though it has no network to use them in."""


class _Place(msgspec.Struct):
    line: int


class _Extra(msgspec.Struct):
    message: str


class _Said(msgspec.Struct):
    check_id: str
    path: str
    start: _Place
    end: _Place
    extra: _Extra


class _Report(msgspec.Struct):
    results: list[_Said]


@dataclass(frozen=True)
class Semgrep:
    """The program at a path, with files of rules."""

    program: Path
    rules: tuple[Path, ...]
    version: str
    name = "semgrep"
    suffixes = SUFFIXES

    @property
    def programs(self) -> Sequence[Path]:
        """The environment that it is installed in, the Python below that, its rules, and certificates."""
        home = self.program.parent.parent
        python = (self.program.parent / "python").resolve().parent.parent
        certificates = [Path(one) for one in CERTIFICATES if Path(one).is_file()]
        return [*(one for one in (home, python) if one != Path("/")), *self.rules, *certificates]

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        """One process, no network; what it leaves out by default, such as tests, is left out."""
        rules = [word for one in self.rules for word in ("--config", str(one))]
        return (
            *(str(self.program), "scan", *rules, "--metrics", "off", "--disable-version-check", "--quiet"),
            *("--no-git-ignore", "--no-rewrite-rule-ids", "--jobs", "1", "--json", "--output", str(output)),
            str(folder),
        )

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:
        """Those of its report."""
        try:
            report = msgspec.json.decode(output.read_bytes(), type=_Report)
        except msgspec.MsgspecError:
            return
        for one in report.results:
            first, last = one.start.line, min(max(one.start.line, one.end.line), one.start.line + MOST_LINES - 1)
            message = " ".join(one.extra.message.split())
            yield Finding(f"semgrep {one.check_id}", relative(one.path, folder), first, last, message)


def program(named: str) -> Path | None:
    """Where semgrep is: the program that is named, else that on the path; None where there is none."""
    found = shutil.which(named or "semgrep")
    return Path(found).resolve() if found else None


def tool(rules: Sequence[str], where: Path) -> Semgrep:
    """Semgrep with these files or folders of rules. Raises UserError for one that is not there."""
    paths = tuple(Path(one).expanduser().resolve() for one in rules)
    content = hashlib.sha256()
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} is not there", "study.semgrep_rules names files or folders of rules")
        files = (
            sorted(one for one in path.rglob("*") if one.suffix in NAMES and one.is_file()) if path.is_dir() else [path]
        )
        for file in files:
            content.update(file.read_bytes())
    said = subprocess.run(
        [str(where), "--version", "--disable-version-check"], capture_output=True, text=True, check=False
    )
    return Semgrep(where, paths, f"{said.stdout.strip()} {content.hexdigest()[:16]}")
