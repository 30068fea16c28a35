"""The words of a question, and the lines that are there now."""

from __future__ import annotations

from core.ranking.terms import number
from patterns.questions import MOST_CHARACTERS, Line, Question, terms_of

DIFF = """\
--- a/src/session.py
+++ b/src/session.py
@@ -4,2 +10,3 @@ class Session:
 kept()
-oldName()
+new_name()
+    last()
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-gone()
"""


def test_identifiers_count_whole_and_by_their_parts() -> None:
    found = terms_of(["parseHeaders(parseHeaders)"])
    assert found == {number("parseHeaders"): 2, number("pars"): 2, number("header"): 2}


def test_a_diff_asks_by_the_lines_as_they_were() -> None:
    found = Question(diff=DIFF).terms()
    assert {number("oldName"), number("kept"), number("gone"), number("session")} <= set(found)
    assert number("new_name") not in found
    assert number("dev") not in found


def test_lines_that_are_there_now() -> None:
    assert list(Question(diff=DIFF).lines()) == [
        Line("src/session.py", 11, "new_name()"),
        Line("src/session.py", 12, "    last()"),
    ]
    assert list(Question(code="a\nb", path="x.py").lines()) == [Line("x.py", 1, "a"), Line("x.py", 2, "b")]
    assert list(Question(code="a\nb").lines()) == []  # in no file


def test_only_so_much_of_a_question_is_read() -> None:
    assert not Question(code=" " * MOST_CHARACTERS + "name").terms()
