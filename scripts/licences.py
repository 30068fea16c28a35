"""List every library that Gitlore installs, with its version and licence; fail on a licence that nobody has accepted.

    python scripts/licences.py      (or: make licences)

What the requirements files name is followed through all that it needs, as installed here. No network.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import click
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent
ACCEPTED = frozenset({
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
    "MPL-2.0",  # binds changes to its own files; we change none
    "LGPL-3.0-only",  # psycopg: imported as a library that anybody can replace
    "LicenseRef-NVIDIA-Proprietary",  # CUDA, which torch brings on Linux: free to use, not ours to pass on
})  # fmt: skip
SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",  # which of its forms is not said
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages write in place of an SPDX identifier."""

TEXTS = {"56959050891f7b737ac4e803051170c7197f02df73d80bd9a78d968e305bf558": "MIT"}
"""Whole licences from their first permission on, as a SHA-256 of the words in lower case: some packages state those."""


def requirements(text: str) -> Iterator[Requirement]:
    """The requirements in a file's text, without those that are for other platforms."""
    for line in text.splitlines():
        stated = line.split("#")[0].strip()
        if stated:
            yield from _here(Requirement(stated), {""})


def needed(wanted: Iterable[Requirement]) -> dict[str, Distribution | None]:
    """All that `wanted` needs, by name; None for what is not installed."""
    found: dict[str, Distribution | None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        package = found[name] = installed(name)
        for line in (package.requires if package else None) or ():
            waiting.extend(_here(Requirement(line), extras | {""}))
    return found


def _here(requirement: Requirement, extras: Iterable[str]) -> Iterator[Requirement]:
    if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
        yield requirement


def installed(name: str) -> Distribution | None:
    """A package as it is installed here; None if it is not."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence(package: Distribution) -> str:
    """The licence that a package states, as an SPDX expression where that is clear; empty if it states none."""
    metadata = package.metadata
    names = [line.rsplit("::", 1)[1].strip() for line in metadata.get_all("Classifier", []) if "License ::" in line]
    classified = " AND ".join(SPELLINGS.get(name, name) for name in names)
    fields = [text for name in ("License-Expression", "License") for text in metadata.get_all(name, [])]
    stated = [text for text in (*fields, classified) if text] or _files(package)
    known = filter(None, map(_expression, stated))
    return next(known, "") or next(iter(stated[::-1]), "")[:80]


def _files(package: Distribution) -> list[str]:
    """The texts of its licence files, for a package that states its licence nowhere else."""
    names = package.metadata.get_all("License-File", [])
    return [text for name in names if (text := package.read_text(f"licenses/{name}"))]


def _expression(text: str) -> str | None:
    body = " ".join(text[text.find("Permission is hereby granted") :].lower().split())
    text = TEXTS.get(hashlib.sha256(body.encode()).hexdigest(), SPELLINGS.get(text, text))
    if text in ACCEPTED:
        return text
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None


def is_accepted(expression: str) -> bool:
    """Whether one of the choices an SPDX expression gives is accepted; one with brackets never is."""
    return any(
        all(part.strip() in ACCEPTED for part in re.split(r"\bAND\b", choice))
        for choice in re.split(r"\bOR\b", expression)
    )


@click.command(help=(__doc__ or "").split("\n\n", 1)[0])
def main() -> None:
    """Print a line per library. Exit code 1 if a licence is unknown or not accepted."""
    whole = needed(requirements((PROJECT / "requirements.txt").read_text(encoding="utf-8")))
    alone = requirements((PROJECT / "requirements-no-deps.txt").read_text(encoding="utf-8"))
    packages = whole | {canonicalize_name(each.name): installed(each.name) for each in alone}
    refused = []
    for name, package in sorted(packages.items()):
        if package is None:
            refused.append(f"{name} is not installed: run `make test` once")
            continue
        stated = licence(package)
        click.echo(f"{name:32} {package.version:16} {stated or 'unknown'}")
        if not is_accepted(stated):
            refused.append(f"{name} {package.version}: {stated or 'states no licence'}")
    if refused:
        lines = ["Not accepted; read the licence, then add it to scripts/licences.py:", *refused]
        click.echo("\n" + "\n  ".join(lines), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
