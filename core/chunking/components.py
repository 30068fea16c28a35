"""Single-file components (Vue, Svelte, Astro) as a parser can read them: their scripts alone.

Everything outside the scripts is overwritten with spaces, so that every byte and row stays where it is. What stands
between dashes in front of an Astro component is one of its scripts.
"""

from __future__ import annotations

import re

_ATTRIBUTES = rb"(?=[\s/>])(?:[^<>\"'{]|\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*+\})*+\})*+"
_MARKUP = re.compile(
    # In the order of the file: what stands in front, what hides a script, what may hold one that is not the
    # component's, scripts.
    rb"\A\s*---[ \t]*\r?\n(?P<front>.*?)(?:(?<=\n)---|\Z)"
    rb"|<!--.*?(?:-->|\Z)"
    rb"|<style" + _ATTRIBUTES + rb"(?:(?<=/)>|>.*?(?:</style\s*>|\Z))"
    rb"|<(?P<around>template|svelte:head)" + _ATTRIBUTES + rb"(?<!/)>"
    rb"|</(?P<end>template|svelte:head)\s*>"
    rb"|<script(?P<attributes>" + _ATTRIBUTES + rb")(?:(?<=/)>|>(?P<code>.*?)(?:</script\s*>|\Z))",
    re.DOTALL | re.IGNORECASE,
)
_LANG = re.compile(rb"(?:^|\s)(?:lang|type)\s*=\s*[\"']?(?:text/|application/)?([^\s\"'>]*)", re.IGNORECASE)
_LANGUAGES = {
    **dict.fromkeys((b"", b"js", b"jsx", b"javascript", b"module", b"babel", b"ecmascript"), "javascript"),
    **dict.fromkeys((b"ts", b"typescript"), "typescript"),
    b"tsx": "tsx",
}
_NEAR = 200
"""Bytes before a script that say whether it stands alone."""
_NOT_BREAKS = re.compile(rb"[^\r\n]")


def scripts_of(source: bytes, usual: str) -> tuple[str, bytes]:
    """The language of a component's scripts and the source with all else overwritten.

    It is `usual` for scripts that name none.

    Scripts in the markup (of a template, of the page's head) and those in other languages, such as JSON, are no part
    of the component's code. One that is never closed goes on to the end. Of several languages the widest is taken for
    all of them.
    """
    found = {usual}
    kept: list[bytes] = []
    depth = end = 0
    for match in _MARKUP.finditer(source):
        part, language = "code", ""
        if match["around"] or match["end"]:
            depth = depth + 1 if match["around"] else max(depth - 1, 0)
        elif match["front"] is not None:
            part, language = "front", usual
        elif match["code"] is not None and _is_own(source, match.start(), depth):
            lang = _LANG.search(match["attributes"])
            language = _LANGUAGES.get(lang[1].lower(), "") if lang else usual
        if language:
            found.add(language)
            kept += [_NOT_BREAKS.sub(b" ", source[end : match.start(part)]), match[part]]
            end = match.end(part)
    kept.append(_NOT_BREAKS.sub(b" ", source[end:]))
    return max(found, key=("javascript", "typescript", "tsx").index), b"".join(kept)


def _is_own(source: bytes, start: int, depth: int) -> bool:
    """True for a script that is the component's: at the margin, or outside other elements and not in a string."""
    before = source[max(start - _NEAR, 0) : start].rpartition(b"\n")[2]
    return not before or (depth == 0 and (not before.strip() or before.rstrip().endswith(b">")))
