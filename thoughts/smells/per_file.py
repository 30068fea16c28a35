"""Tools that are a Python function of one file. They run in the sandbox, as programs do: a file may be hostile."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from thoughts.sandbox.tiers import PROJECT
from thoughts.smells import inside
from thoughts.smells.findings import Finding


@dataclass(frozen=True)
class PerFile:
    """A tool that calls `read(path, data)` of a module for each file that ends like one of its SUFFIXES."""

    name: str
    version: str
    module: str
    suffixes: tuple[str, ...]

    @property
    def programs(self) -> Sequence[Path]:
        """Python, what is installed for it, and the code of this project."""
        return [*map(Path, (sys.base_prefix, sys.prefix)), PROJECT / "core", PROJECT / "thoughts"]

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        """The program that calls the function."""
        python = Path(sys.executable)  # a link that decides which packages it finds, so only its folder is resolved
        program = str(python.parent.resolve() / python.name), "-IB", str(Path(inside.__file__).resolve())
        return *program, self.module, str(folder), str(output)

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:  # noqa: ARG002 - its paths are relative
        """One a line."""
        decoder = msgspec.json.Decoder(Finding)
        with output.open("rb") as lines:
            for line in lines:
                try:
                    yield decoder.decode(line)
                except msgspec.MsgspecError:
                    continue
