"""Which files are tests."""

from __future__ import annotations

import pytest

from core.code.test_files import TEST_FOLDERS, is_test_file


@pytest.mark.parametrize("folder", TEST_FOLDERS)
def test_a_file_in_a_test_folder_is_a_test(folder: str) -> None:
    assert is_test_file(f"pkg/{folder}/a.py")
    assert is_test_file(f"{folder.upper()}/a.rs")
    assert not is_test_file(f"pkg/my{folder}/a.py")


@pytest.mark.parametrize(
    "path",
    ["test_a.py", "conftest.py", "a_test.go", "a.spec.ts", "a-test.js", "FooTests.cs", "tests.rs", "fixtures/x.sql"],
)
def test_a_file_name_can_mark_a_test(path: str) -> None:
    assert is_test_file(path)


@pytest.mark.parametrize("path", ["contest.py", "latest.py", "src/protest.rs", "a_test.c", "docs/testing.md"])
def test_other_file_names_do_not_mark_a_test(path: str) -> None:
    assert not is_test_file(path)
