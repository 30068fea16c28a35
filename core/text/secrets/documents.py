"""Credentials that the document around them tells: Kubernetes secrets, Docker logins, Terraform states, key pairs,
and what is wrapped in base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

from core.text.secrets.keys import is_other_data
from core.text.secrets.patterns import Pattern, shown
from core.text.secrets.rules import Rule
from core.text.secrets.secret import Secret
from core.text.secrets.values import is_placeholder, is_quoted_secret, is_token

_MANIFEST, _MOST_ENTRY = 6_000, 1_200
_DATA = Pattern(r"(?m)^[+ -]?[ \t]*[\"']?(?:stringData|data)[\"']?:[ \t]*\{?[ \t]*$")
_COMPACT_DATA = Pattern(r"\\?\"(?:stringData|data)\\?\":[ ]?\{\\?\"")
_COMPACT_ENTRY = Pattern(r"(?:,[ ]?)?\\?\"[\w./-]{1,253}\\?\":[ ]?\\?\"([^\s\"\\{}]+)\\?\"")
_ENTRY = Pattern(
    r"[+ -]?[ \t]*[\"']?[\w./-]{1,253}[\"']?:[ \t]*(?:[\"']?([^\s\"'{}|>]+)[\"']?,?[ \t]*|[|>][+-]?[ \t]*)?(?:\r?\n|\z)"
)
_LINE_START = Pattern(r"[+ -]?([ \t]*)")


def _is_key_of_aws(value: str) -> bool:
    return is_token(value) and any(letter.isdigit() for letter in value) and not value.islower()


RULES = (
    Rule(
        "aws",
        r"(?i:secret_?(?:access_?)?key)[\s:=>,\"'\\\]]{1,9}[A-Za-z0-9/+]{20}",
        r"(?i:secret_?(?:access_?)?key(?:_id)?)\\?[\"'\]]{0,2}\s{0,3}(?:[:=]>?|,|\s)\s{0,3}\\?[\"']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
        is_token,
    ),
    Rule(
        "aws",
        r"(?:AKIA|ASIA)[A-Z0-9]{16}",
        r"(?:AKIA|ASIA)[A-Z0-9]{16}(?s:.{0,120}?)[^A-Za-z0-9/+_.-]([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=_-]|\z)",
        _is_key_of_aws,
    ),
    Rule(
        "azure",
        r"(?i)storage_?key|sharedaccesskey",
        r"(?i:storage_?key|sharedaccesskey)\\?[\"']?\s{0,3}[:=]\s{0,3}\\?[\"']?([A-Za-z0-9+/]{40,90}={1,2})",
    ),
    Rule(
        "basic_auth",
        r"\"auth\\?\"\s{0,3}:",
        r"\"auth\\?\"\s{0,3}:\s{0,3}\\?\"([A-Za-z0-9+/]{12,300}={0,2})\\?\"",
        lambda value: not is_placeholder(value),
    ),
    Rule(
        "npm", r"_authToken", r"_authToken[\"']?\s{0,3}[=:]\s{0,3}[\"']?([A-Za-z0-9_.+/=-]{16,300})", is_quoted_secret
    ),
    Rule(
        "private_key",
        r"\"(?:d|k|p|q|dp|dq|qi)\\?\"\s{0,2}:\s{0,2}\\?\"[\w-]{12}",
        r"\"(?:d|k|p|q|dp|dq|qi)\\?\"\s{0,2}:\s{0,2}\\?\"([A-Za-z0-9_-]{40,900})\\?\"",
        is_token,
    ),
    Rule("private_key", r"Private-Lines: ", r"Private-Lines: \d+\s+(?:[A-Za-z0-9+/=]{16,100}\s*)+", ahead=8_192),
    Rule(
        "password",
        r"random_password|random_string|tls_private_key",
        r"(?s)(?:random_password|random_string).{0,700}?\"result\\?\":\s{0,4}\\?\"([^\"\s\\]{8,900})",
        ahead=1_000,
    ),
)


class Manifests:
    """The values of a Kubernetes secret, whatever their names are."""

    anchor = r"kind\\?[\"']?:\s{0,3}\\?[\"']?Secret\b"

    def __init__(self) -> None:
        self._anchors = Pattern(self.anchor)

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        done = 0
        for start, _ in self._anchors.each(data):
            if start < done:
                continue
            begins = max(data.rfind(b"\n---", max(start - _MANIFEST, done), start), start - _MANIFEST, done)
            ends = data.find(b"\n---", start, start + _MANIFEST)
            done = ends if ends >= 0 else min(start + _MANIFEST, len(data))
            for _, head in _DATA.each(data, begins, done):
                yield from _entries(data, head, done)
            for _, head in _COMPACT_DATA.each(data, begins, done):
                yield from _compact_entries(data, head, done)


def _entries(data: bytes, head: int, end: int) -> Iterator[Secret]:
    """The values below a line, as far as the lines are further in than it is."""
    outer = _indent(data, data.rfind(b"\n", 0, head) + 1, end)
    at = data.find(b"\n", head, end) + 1
    while 0 < at < end:
        behind = data.find(b"\n", at, end) + 1 or end
        if _indent(data, at, behind) <= outer:
            return
        value = _ENTRY.at(data, at, behind)
        if value and value[1] - value[0] >= 4 and value[0] >= at and data[value[0] : value[0] + 1] not in b"+- ":
            yield Secret(*value, "password")
        at = behind


def _compact_entries(data: bytes, head: int, end: int) -> Iterator[Secret]:
    """The values of an object of JSON that is written in one line."""
    at = data.rfind(b"{", 0, head) + 1
    while value := _COMPACT_ENTRY.at(data, at, min(at + _MOST_ENTRY, end)):
        if value[1] - value[0] >= 4:
            yield Secret(*value, "password")
        at = data.find(b'"', value[1], end) + 1


def _indent(data: bytes, line: int, end: int) -> int:
    space = _LINE_START.at(data, line, end)
    return space[1] - space[0] if space else 0


class Wrapped:
    """Keys and known tokens in base64, with which `find` finds them in what it says."""

    anchor = "(?:[I-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]){5}"
    """Base64 of ASCII text: no first bit of a byte is set, and the first of three has one of the two after it."""

    def __init__(self, find: Callable[[str], list[Secret]]) -> None:
        self._anchors, self._find = Pattern(self.anchor), find

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        done = 0
        for start, _ in self._anchors.each(data):
            if start < done:
                continue
            run = _BASE64.at(data, start, min(start + _MOST_WRAPPED, len(data))) or (start, start)
            done = run[1]
            if data[start - 1 : start].isalnum() or is_other_data(shown(data, (start, start + 8))):
                continue
            if inner := self._find(_decoded(shown(data, run))):
                yield Secret(start, done, inner[0].kind)


_MOST_WRAPPED = 16_384
_BASE64 = Pattern("[A-Za-z0-9+/]*={0,2}")


def _decoded(value: str) -> str:
    """What base64 says, as far as it is whole."""
    value = value.rstrip("=")
    value += "=" * (-len(value) % 4)
    try:
        return base64.b64decode(value).decode("ascii", "replace")
    except binascii.Error:  # one letter more than base64 has
        return ""
