"""The language of a file whose path leaves it open: by its first bytes."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath

from core.code.languages import file_type, language_of

HEAD_BYTES = 1 << 15
"""Of a file, what is looked at."""
_XML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:\?xml\b|!DOCTYPE\b|TS\b|tileset\b)")
_OBJECTIVE_C = re.compile(
    rb"^[ \t]*(?:@(?:interface|implementation|protocol|class|import|end)\b|#[ \t]*import\b)", re.MULTILINE
)
_CPP = re.compile(
    rb"^[ \t]*(?:class[ \t]+\w[\w \t:<>,]*[{;]?[ \t]*(?://.*)?\r?$|enum[ \t]+(?:class|struct)\b"
    rb"|(?:inline[ \t]+)?namespace(?:[ \t]+[\w:]+)?[ \t]*(?:\{.*)?\r?$|template[ \t]*<|using[ \t]+[\w: ]+[=;]"
    rb"|(?:public|private|protected|signals|(?:public|private)[ \t]+slots)[ \t]*:"
    rb"|#[ \t]*include[ \t]*<\w+>)|\bstd::\w|\)[ \t]*(?:const[ \t]*)?(?:override|noexcept)\b"
    rb"|\boperator[ \t]*[-+=<>*&\[(!]",
    re.MULTILINE,
)
_FOR_CPP_ALONE = re.compile(
    rb"^[ \t]*\#[ \t]*if(?:def[ \t]+|[^\n]*\bdefined\b[^\n]*)__cplusplus.*?^[ \t]*\#[ \t]*(?:else|elif|endif)\b",
    re.MULTILINE | re.DOTALL,
)
_C_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_MATLAB = re.compile(rb"^[ \t]*(?:function\b|classdef\b|%|##|end[ \t]*;?\r?$)|^[A-Za-z]\w*[ \t]*=[^=]", re.MULTILINE)
_PERL = re.compile(
    rb"\A#!.*perl|^[ \t]*(?:use|no|package|sub|my|our|require)[ \t]+[\w$@%({:]|^=(?:pod|head\d)\b", re.MULTILINE
)
_PROLOG = re.compile(rb"^(?::-|[a-z]\w*(?:\([^\n]*\))?[ \t]*(?::-|-->)|[a-z]\w*\([^\n]*\)\.[ \t]*\r?$)", re.MULTILINE)
_INTERPRETERS = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh"), "shell"),
    **{name: name for name in ("python", "ruby", "perl", "php", "lua", "fish", "julia", "elixir")},
    "node": "javascript",
    "nodejs": "javascript",
    "pypy": "python",
    "deno": "typescript",
    "bun": "typescript",
    "Rscript": "r",
    "pwsh": "powershell",
    "tsx": "typescript",
}


def language_in(path: str, source: bytes) -> str:
    """Name of a file's language, as `language_of` has it unless the content says otherwise."""
    language = language_of(path)
    if not may_differ(path):
        return language
    head = source[:HEAD_BYTES]
    match file_type(path):
        case "ts" | "tsx" if _XML.match(head):
            return "xml"
        case "h":
            return _of_header(head)
        case "m" if not _OBJECTIVE_C.search(head) and _MATLAB.search(_C_COMMENT.sub(b"", head)):
            return "matlab"
        case "pl" if not _PERL.search(head) and _PROLOG.search(head):
            return "prolog"
    return _of_script(head) or language if language == "other" else language


@functools.lru_cache(maxsize=1 << 16)
def may_differ(path: str) -> bool:
    """True where the content may say another language than the path."""
    if file_type(path) in ("ts", "tsx", "h", "m", "pl"):
        return True
    return "." not in PurePosixPath(path).name and language_of(path) == "other"


def _of_header(head: bytes) -> str:
    """C, unless there is what C has not; what only C++ sees of a header for both is no sign."""
    code = _FOR_CPP_ALONE.sub(b"", _C_COMMENT.sub(b"", head))
    if _OBJECTIVE_C.search(code):
        return "objective-c"
    return "cpp" if _CPP.search(code) else "c"


def _of_script(head: bytes) -> str:
    """By the interpreter in the first line; "" for none that is known."""
    words = head.partition(b"\n")[0][2:].decode("latin-1").split() if head.startswith(b"#!") else []
    names = [PurePosixPath(word).name for word in words if not word.startswith("-") and "=" not in word]
    name = next((name for name in names if name != "env"), "")
    return _INTERPRETERS.get(name.rstrip("0123456789."), "")
