"""Grammars of tree-sitter, with the queries that say which nodes are symbols and which are comments."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.code.languages import LANGUAGES

if TYPE_CHECKING:
    from tree_sitter import Language as TreeLanguage
    from tree_sitter import Parser, Query

_QUERIES = Path(__file__).resolve().parents[1] / "code" / "queries"


@functools.cache
def parser(language: str) -> Parser:
    """The tree-sitter parser of a language with a wheel."""
    from tree_sitter import Parser

    return Parser(_grammar(language))


def query(language: str, *, of_comments: bool) -> Query:
    """The patterns of a language for its comments, or those for its symbols."""
    from tree_sitter import Query

    file = _QUERIES / f"{LANGUAGES[language].query or language}.scm"
    patterns = file.read_text(encoding="utf-8").splitlines()
    return Query(_grammar(language), "\n".join(line for line in patterns if ("@comment" in line) == of_comments))


def node_ids(language: str, names: Iterable[str]) -> frozenset[int]:
    """Numbers of kinds of nodes."""
    grammar = _grammar(language)
    return frozenset(number for name in names if (number := grammar.id_for_node_kind(name, True)) is not None)


@functools.cache
def _grammar(language: str) -> TreeLanguage:
    from tree_sitter import Language as Grammar

    one = LANGUAGES[language]
    return Grammar(getattr(importlib.import_module(one.wheel), one.entry)())
