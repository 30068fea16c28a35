"""What a stage is: a name, its settings, its files, and one function."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from core.config import Section
from core.progress import Progress

ConfigT = TypeVar("ConfigT", bound=Section)


@dataclass
class Context(Generic[ConfigT]):
    """All that a running stage sees of the world."""

    config: ConfigT
    input_paths: Mapping[str, Path]
    output_paths: Mapping[str, Path]
    """Temporary names; they take their place in the outputs folder together, when the stage succeeds."""
    published_paths: Mapping[str, Path]
    scratch: Path
    """Survives a crash of this very work (same inputs, settings and code), gone after success."""
    cache_dir: Path
    resolved: Mapping[str, Any] = field(default_factory=dict)
    """Settings of every section, for a record of how something was made."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """All that decides what comes out (core/engine/fingerprint.py)."""
    previous: Mapping[str, str] | None = None
    """The facts behind the published outputs; None where these are not as the stage left them."""
    forced: bool = False
    """The user wants everything made from scratch."""
    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)

    def input(self, name: str) -> Path:
        """The path of an input."""
        return self.input_paths[name]

    def output(self, name: str) -> Path:
        """Where to write an output of the stage (a folder exists only once the stage makes it)."""
        return self.output_paths[name]

    def published(self, name: str) -> Path:
        """The path of an output of the last success, if there was one; read it, never write it."""
        return self.published_paths[name]

    def only_changed(self, *names: str) -> bool:
        """True where nothing but these inputs differs from what the published outputs were made of.

        What was made of parts of them that are still there can then be taken over.
        """
        if self.previous is None or self.forced:
            return False
        others = {*self.previous, *self.facts} - {f"input {name}" for name in names}
        return all(self.previous.get(fact) == self.facts.get(fact) for fact in others)

    def count(self, what: str, number: int = 1) -> None:
        """Add to a figure of the summary table."""
        self.counts[what] += number

    def drop(self, reason: str, number: int = 1) -> None:
        """Count something that is left out; nothing is dropped without this."""
        self.drops[reason] += number

    def progress(self, description: str, total: int | None = None, unit: str = "items") -> Progress:
        """A progress bar or plain lines for a long loop."""
        return Progress(description, total, unit)


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline. `inputs` and `outputs` are names in the outputs folder."""

    name: str
    help: str
    config: type[Section]
    run: Callable[[Context[Any]], None]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    """Flags of the stage's own command that name a file: `{"commits": "commits.json"}`."""
    libraries: tuple[str, ...] = ()
    """Distributions whose version decides what comes out."""
    data_files: tuple[str, ...] = ()
    """Globs, from the project folder, of files that decide what comes out (code is found by itself)."""
    resumes_despite: tuple[str, ...] = ()
    """Facts that may change without making unfinished work in `scratch` useless."""
    sources: Callable[[Any], dict[str, str]] | None = None
    """Digests of what is read outside the outputs folder, from the stage's config."""
    reads: tuple[str, ...] = ()
    """What it reads besides its inputs, in words. What of it decides the outputs is in `sources` or in the inputs."""
    side_files: Callable[[Any], Sequence[Path]] | None = None
    """Databases that it updates, and others too; it runs again if one is missing."""
    several: Callable[[Any], Mapping[str, Any]] | None = None
    """Sections by folder name, where the stage's settings stand for several runs; empty where they stand for one."""
    distributed: bool = False
    """Several processes may run it together, as `accelerate launch` starts them; the first one publishes."""
    per_repository: bool = False
    """It runs for each repository by itself even where one model is made of all."""
    estimate: Callable[[Context[Any]], None] | None = None
    """What its command does with --estimate: print what to expect of a run, and write nothing but in `scratch`."""

    @property
    def module(self) -> str:
        """The importable name of the file that declares this stage, also when that file is the program."""
        name = self.run.__module__
        main = sys.modules["__main__"]
        return Path(str(main.__file__)).stem if name == "__main__" else name
