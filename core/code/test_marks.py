"""What makes a symbol a test: a mark of its own, or its name where a framework goes by names."""

from __future__ import annotations

import re
from enum import IntEnum

from core.code.languages import NEVER, Language

_COMMENT_LINES = re.compile(
    # "#" also begins the attributes of Rust.
    r"^[^\S\n]*(?://|/\*|\*|--|#(?![^\S\n]*!?[^\S\n]*\[)).*\n?",
    re.MULTILINE,
)


class Where(IntEnum):
    """What is around a symbol, as far as its name depends on that."""

    ELSEWHERE = 0
    TEST_FILE = 1
    TEST_CLASS = 2
    """Directly in a class that is a test itself."""


class Marks:
    """The marks of one language. Whatever else stands in a test file or in a test class is not a test."""

    def __init__(self, language: Language) -> None:
        marks = language.test_head, language.test_doc, language.test_name, language.test_member
        self._has_tests = any(one != NEVER for one in marks)
        self._path = re.compile(language.test_path)
        self._head = re.compile(language.test_head, re.MULTILINE)
        self._doc = re.compile(language.test_doc, re.MULTILINE)
        self._not = re.compile(language.support_head, re.MULTILINE)
        self._names = {
            Where.TEST_FILE: re.compile(language.test_name),
            Where.TEST_CLASS: re.compile(language.test_member),
        }

    def around(self, path: str) -> Where:
        """What is around the outermost symbols of a file."""
        return Where.TEST_FILE if self._path.search(path) else Where.ELSEWHERE

    @staticmethod
    def inside(kind: str, where: Where, *, is_test: bool) -> Where:
        """What is around the symbols in one of this kind, which is `where` itself."""
        if is_test and kind != "function":
            return Where.TEST_CLASS
        return where if kind == "module" else Where.ELSEWHERE

    def is_test(self, head: str, signature: str, doc: str, where: Where) -> bool:
        """Whether a symbol is a test; `head` is all before its body, with attributes, `doc` its doc comment."""
        if not self._has_tests:
            return False
        text = _COMMENT_LINES.sub("", head)
        if self._head.search(text) or self._doc.search(doc):
            return True
        names = self._names.get(where)
        return names is not None and names.match(signature) is not None and not self._not.search(text)
