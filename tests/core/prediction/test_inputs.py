"""What is changed already is read from diffs as git and others write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.prediction.inputs import files_of_diff, lines_of

DIFF = """diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -1 +1 @@
-x
+y
diff --git a/old name.py b/new name.py
similarity index 90%
rename from old name.py
rename to new name.py
--- a/old name.py
+++ b/new name.py
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
"""


def test_all_files_of_a_diff_are_found_once() -> None:
    assert files_of_diff(DIFF) == ["src/a.py", "old name.py", "new name.py", "gone.txt"]


def test_a_plain_diff_has_dates_behind_its_names() -> None:
    assert files_of_diff("--- lib/x.c\t2024-01-01 00:00:00\n+++ lib/x.c\t2024-01-02 00:00:00\n") == ["lib/x.c"]


@pytest.mark.parametrize("text", ["", "hello\n", "--- /dev/null\n"])
def test_what_is_no_diff_is_reported(text: str) -> None:
    with pytest.raises(UserError, match="not a diff"):
        files_of_diff(text)


def test_of_a_long_line_only_the_beginning_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("one\n" + "x" * 35 + "\nthree\n" + "y" * 11)
    assert list(lines_of(str(file), 10)) == ["one\n", "x" * 11, "three\n", "y" * 11]
    file.write_text("x" * 10 + "\n" + "y" * 21 + "\nz")
    assert list(lines_of(str(file), 10)) == ["x" * 10 + "\n", "y" * 11, "z"]
