"""What GitHub really answered once: PyGithub's recordings, octokit's fixtures, the published schema. Downloaded, kept.

They are other people's work, so they are fetched when a test wants them and lie in a cache folder, never here.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("GITLORE_RECORDINGS", "~/.cache/gitlore-recordings")).expanduser()
SOURCES = {
    "pygithub-2.10.0.tar.gz": "PyGithub==2.10.0",
    "octokit-fixtures-23.1.2.tgz": "https://registry.npmjs.org/@octokit/fixtures/-/fixtures-23.1.2.tgz",
    "octokit-graphql-schema-15.26.1.tgz": "https://registry.npmjs.org/@octokit/graphql-schema/-/graphql-schema-15.26.1.tgz",
}
_FETCH = """
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
"""


@dataclass
class Exchange:
    """One recorded request with its answer."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


@cache
def archive(name: str) -> tarfile.TarFile:
    """The archive, downloaded if it is not there yet. Skips the test where it cannot be had."""
    path = FOLDER / name
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        source = SOURCES[name]
        part = path.with_suffix(".part")
        if source.startswith("https:"):  # in its own process, since tests may not reach the network
            line = [sys.executable, "-c", _FETCH, source, str(part)]
        else:
            line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
            line += ["--dest", str(FOLDER), source]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode == 0 and part.exists():
            part.replace(path)
        if not path.exists():
            pytest.skip(f"{source} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    return tarfile.open(path)


def pygithub() -> Iterator[Exchange]:
    """Every exchange of PyGithub's replay data: eight lines each, see its tests/Framework.py."""
    whole = archive("pygithub-2.10.0.tar.gz")
    for member in whole.getmembers():
        if "/tests/ReplayData/" not in member.name or not member.name.endswith(".txt"):
            continue
        file = whole.extractfile(member)
        assert file
        lines = file.read().decode("utf-8", "replace").split("\n")
        for start in range(0, len(lines) - 9, 11):
            _, method, _, _, path, _, _, status, headers, body = lines[start : start + 10]
            try:
                told = {str(name).lower(): str(value) for name, value in ast.literal_eval(headers)}
            except (ValueError, SyntaxError):
                continue
            yield Exchange(method, path, int(status), told, body.encode())


def octokit(scenario: str) -> list[Exchange]:
    """The exchanges of one of octokit's scenarios, in order."""
    whole = archive("octokit-fixtures-23.1.2.tgz")
    file = whole.extractfile(f"package/scenarios/api.github.com/{scenario}/normalized-fixture.json")
    assert file
    found = []
    for one in json.load(file):
        headers = {name.lower(): str(value) for name, value in one["headers"].items()}
        body = one["response"] if isinstance(one["response"], (dict, list)) else one["response"].encode()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        found.append(Exchange(one["method"].upper(), one["path"], one["status"], headers, content))
    return found


def schema() -> Any:
    """GitHub's published GraphQL schema."""
    from graphql import build_schema

    file = archive("octokit-graphql-schema-15.26.1.tgz").extractfile("package/schema.graphql")
    assert file
    return build_schema(file.read().decode(), assume_valid=True)
