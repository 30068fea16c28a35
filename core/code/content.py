"""The language of a file whose path leaves it open: by its first bytes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
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


def _lines(*beginnings: bytes, flags: int = 0) -> re.Pattern[bytes]:
    """What finds a line that begins in one of some ways."""
    return re.compile(rb"^[ \t]*(?:%b)" % b"|".join(beginnings), re.MULTILINE | flags)


_COQ = _lines(
    rb"(?:(?:Local|Global|Polymorphic|Program)[ \t]+)*(?:Theorem|Lemma|Corollary|Definition|Fixpoint|Inductive)\s",
    rb"(?:(?:Local|Global)[ \t]+)*(?:Record|Notation|Class|Instance|Axiom|Ltac|Hypothesis|Variables?|Section)\s",
    rb"(?:Require|Module|Import|Export)\s|(?:Set|Unset)[ \t]+[A-Z]",
    rb"From\s+[\w.]+\s+Require\b",
    rb"(?:Proof|Qed)\.",
)
_COQ_COMMENT = re.compile(rb"\(\*.*?(?:\*\)|\Z)", re.DOTALL)
_V = _lines(
    rb"(?:pub[ \t]+)?(?:fn[ \t]+[\w(]|(?:struct|enum|interface)[ \t]+\w+[^;\n]*\{)",
    rb"(?:module|import)[ \t]+[a-z][\w.]*(?:[ \t]+as[ \t]+\w+|[ \t]*\{[^}\n]*\})?[ \t]*\r?$",
)
_VERILOG = _lines(
    rb"module\s+\w+\s*(?:[;(]|#\s*\()",
    rb"(?:endmodule|wire|reg|logic|assign|always|initial|parameter|localparam)\b",
    rb"`(?:timescale|define|undef|include|ifn?def|endif|default_nettype)\b",
)
_FSHARP = _lines(
    rb"open[ \t]+[A-Z]", rb"(?:module|namespace|let|type)[ \t]+[\w.]", rb"\[<", rb"#(?:light|load|r|nowarn)\b"
)
_GLSL = _lines(
    rb"#[ \t]*version[ \t]+\d",
    rb"precision[ \t]+(?:low|medium|high)p\b",
    rb"(?:uniform|varying|attribute)[ \t]+\w",
    rb"(?:layout[ \t]*\([^)]*\)[ \t]*)?(?:in|out)[ \t]+(?:[biud]?vec[234]|mat[234]|float|int)[ \t]",
    rb"(?:void|float|[biud]?vec[234]|mat[234])[ \t]+\w+[ \t]*\(",
    rb"gl_[A-Z]\w+",
)
_FORTH = re.compile(
    rb"^(?:\\[ \t]|:[ \t]+\S+\s|\([^)\n]*[ \t]--[ \t][^)\n]*\)|(?:include|require|needs)[ \t]+\S+\.\w"
    rb"|(?:2?variable|create|defer)[ \t]+\S|[$%&#\d-]\S*[ \t]+constant[ \t]+\S)",
    re.MULTILINE | re.IGNORECASE,
)
_PHP = re.compile(rb"<\?(?:php\b|=|[ \t\r\n])", re.IGNORECASE)
_PASCAL = _lines(
    rb"\{\$\w",
    rb"(?:class[ \t]+)?(?:procedure|function|constructor|destructor)[ \t]+[\w.]+[^;\n]*;",
    rb"(?:unit|uses)[ \t]+\w[^;\n]*;",
    rb"(?:implementation|interface|begin|end[;.])[ \t]*\r?$",
    flags=re.IGNORECASE,
)
_PYTHON = _lines(rb"(?:def[ \t]+\w+\([^{;\n]*|class[ \t]+\w+(?:\([^)\n]*\))?):[ \t]*\r?$")
_ASSEMBLY = _lines(
    rb"[%.](?:macro|define|equ|include|if\w*|set|global|section|text|data|byte|word|align|endm\w*)\b",
    rb"(?:section|segment|global|extern|bits|org)[ \t]+[\w.$][^={(\n]*\r?$",
    rb"[\w.$@]+:?[ \t]+(?:equ|macro|d[bwdq]|res[bwdq]|struc)\b",
    rb"(?:mov|push|pop|jmp|cmp|xor|lea|lda|sta|ldr|str|bne|beq)[ \t]+[\w#$@%\[(][^={\n]*\r?$",
    flags=re.IGNORECASE,
)
_C = _lines(
    rb"#[ \t]*(?:include|define|if|ifdef|ifndef|undef|pragma)\b",
    rb"(?:static|extern|const|struct|typedef|enum|unsigned|void|int|char|float|double)\b[^\n]*[;{(,]",
    rb"[A-Z][A-Z0-9_]{2,}[ \t]*\([^\n]*\)[;,]?[ \t]*\r?$",
)
_TURING = _lines(
    rb"(?:var|const)[ \t]+\w[\w, \t]*:[ \t]*[=\w]",
    rb"(?:put|get|procedure|proc|fcn)[ \t]+[\w\"]",
    rb"end[ \t]+(?:loop|for|if)[ \t]*\r?$",
    rb"(?:setscreen\b|View\.|Draw\.)",
)
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
    told = _TELLERS.get(file_type(path))
    if told and (other := told(head)):
        return other
    return _of_script(head) or language if language == "other" else language


@functools.lru_cache(maxsize=1 << 16)
def may_differ(path: str) -> bool:
    """True where the content may say another language than the path."""
    if file_type(path) in _TELLERS:
        return True
    return "." not in PurePosixPath(path).name and language_of(path) == "other"


def _of_header(head: bytes) -> str:
    """C, unless there is what C has not; what only C++ sees of a header for both is no sign."""
    code = _FOR_CPP_ALONE.sub(b"", _C_COMMENT.sub(b"", head))
    if _OBJECTIVE_C.search(code):
        return "objective-c"
    return "cpp" if _CPP.search(code) else "c"


def _of_ts(head: bytes) -> str:
    return "xml" if _XML.match(head) else ""


def _of_m(head: bytes) -> str:
    return "matlab" if not _OBJECTIVE_C.search(head) and _MATLAB.search(_C_COMMENT.sub(b"", head)) else ""


def _of_pl(head: bytes) -> str:
    return "prolog" if not _PERL.search(head) and _PROLOG.search(head) else ""


def _of_t(head: bytes) -> str:
    """Tests in Perl, unless a shell runs them, or Turing."""
    if _PERL.search(head):
        return "perl"
    return "turing" if not head.startswith(b"#!") and _TURING.search(head) else ""


def _of_v(head: bytes) -> str:
    if _COQ.search(_COQ_COMMENT.sub(b"", head)):
        return "coq"
    code = _C_COMMENT.sub(b"", head)
    return "v" if _V.search(code) and not _VERILOG.search(code) else ""


def _of_fs(head: bytes) -> str:
    if _FORTH.search(head):
        return "forth"
    return "glsl" if not _FSHARP.search(head) and _GLSL.search(_C_COMMENT.sub(b"", head)) else ""


def _of_inc(head: bytes) -> str:
    """What is to be included by another file; "" for settings of a build and all else."""
    code = _C_COMMENT.sub(b"", head)
    signs = {"php": _PHP, "pascal": _PASCAL, "python": _PYTHON, "cpp": _CPP, "assembly": _ASSEMBLY, "c": _C}
    return next((language for language, sign in signs.items() if sign.search(code)), "")


def _of_script(head: bytes) -> str:
    """By the interpreter in the first line; "" for none that is known."""
    words = head.partition(b"\n")[0][2:].decode("latin-1").split() if head.startswith(b"#!") else []
    names = [PurePosixPath(word).name for word in words if not word.startswith("-") and "=" not in word]
    name = next((name for name in names if name != "env"), "")
    return _INTERPRETERS.get(name.rstrip("0123456789."), "")


_TELLERS: dict[str, Callable[[bytes], str]] = {
    **dict.fromkeys(("ts", "tsx"), _of_ts),
    "h": _of_header,
    "m": _of_m,
    "pl": _of_pl,
    "t": _of_t,
    "v": _of_v,
    "fs": _of_fs,
    "inc": _of_inc,
}
"""By ending: what the first bytes of a file say, "" for nothing."""
