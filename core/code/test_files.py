"""What is a test file: by the folder it is in and by its name."""

from __future__ import annotations

import functools
import re

TEST_FOLDERS = ("test", "tests", "__tests__", "spec", "specs", "testing", "e2e", "playground")
"""Folders that hold tests, in lower case."""
_TEST_FILE = re.compile(
    rf"(?:^|/)(?:{'|'.join(TEST_FOLDERS)}|fixtures)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
    r"|_test\.(?:go|py|rb|dart)$|[._-](?:test|spec|e2e)s?\.[cm]?[jt]sx?$|(?:^|/)[^/]*Tests?\.(?:java|kt|cs|swift)$"
    r"|(?:^|/)tests?\.(?:rs|py)$",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=1 << 16)
def is_test_file(path: str) -> bool:
    """True for a test file, and for the fixtures and settings that tests use."""
    return _TEST_FILE.search(path) is not None
