"""Values beside a telling name: in code, JSON, YAML, XML, ini, properties, Terraform, shell and Docker files.

The name is the anchor. From there one pattern reads up to the value, and another one the value, both in windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.text.secrets.patterns import Pattern, Span, shown
from core.text.secrets.secret import Secret
from core.text.secrets.values import is_bare_secret, is_no_name, is_quoted_secret

NAMES = (
    r"(?:(?:api|app|auth|account|access|secret|private|encryption|signing|shared|storage|service|client|master|session|fernet|jwt|aes|wallet|validation|decryption|logged_in|nonce"
    r"|licen[cs]e|consumer|subscription|webhook|hmac|crypto?|cookie|function|admin|deploy|write|host)[_.-]?key"
    r"|secret|pass_?phrase|pass[_-]?word|passwort|passwd|pwd|mot_?de_?passe"
    r"|(?:db|user|root|admin|pg|my_?sql|smtp|ftp|mail|redis|store|key|ldap|proxy|bind|login|ssh|ssl|sudo|jdbc)[_.-]?pass"
    r"|credentials?|client-key-data|_auth\b|token|sig[_-]?nature_key|dsn_pass"
    r"|(?:auth|logged_in|nonce)_salt|sonar\.login|identified by)"
)
_TAIL = r"[A-Za-z0-9_.\]-]{0,24}"
_NO_VALUE_BEHIND = Pattern(
    r"(?i)^[_.-]?(?:id|ids|hash(?:es|ed)?|digest|checksum|sha\d*|md5|type|name|field|length|len|size|count|url|uri|path|file"
    r"|filename|label|hint|format|expir\w*|ttl|algorithm|prefix|pattern|regexp?|policy|version|ref|arn|class|izer\w*"
    r"|manager\w*|provider|endpoint|storage|index|kind|created\w*|updated\w*|last\w*|is|placeholder|title|help|text)\b"
)
"""What a name goes on with where it says something about a credential."""
_SPACE = r"[ \t]{0,30}(?:\r?\n[+ -]?[ \t]{0,40})?"
_ESCAPES = r"\\{0,3}"
_TYPE = r"(?:[ \t]{0,2}:[ \t]{0,2}[&'\w<>\[\]?. ]{1,30}?)?"
_CLOSED = rf"(?:\[\w{{0,8}}\]|{_ESCAPES}[\"'\x60])?[\])]{{0,2}}"
_BOLD = r"\*{0,2}"
"""Of Markdown, around a name and perhaps the colon behind it."""
_ASSIGNED = rf"{_CLOSED}{_BOLD}{_TYPE}{_SPACE}(?::=|=>|==?=?|!=|:|\|{{1,2}}=?|\?\?=?|\?=|\+=|->|or\b){_BOLD}"
_BESIDE = (
    rf"{_CLOSED}[,;]?[ \t\r\n+-]{{0,40}}{_ESCAPES}[\"']?(?:value|default|secret|content|stringValue)"
    rf"{_ESCAPES}[\"']?[ \t]{{0,4}}[:=]"
)
_VARIABLE = r"[\"'][ \t]{0,3}\{[^{}]{0,160}\bdefault[ \t]{0,10}="
_SAID = r"(?:[ \t](?:is|was|to|for[ \t]\w{1,20}(?:[ \t]is)?))?"
_OPENED = rf"[bfruLN@$]{{0,2}}({_ESCAPES}[\"'\x60])"
_QUOTED = Pattern(rf"(?i){NAMES}{_TAIL}(?:{_ASSIGNED}|{_BESIDE}|{_VARIABLE}){_SPACE}{_OPENED}")
_WRAPPED = Pattern(rf"(?i){NAMES}{_TAIL}{_ASSIGNED}[ \t]{{0,4}}\([ \t]{{0,3}}\r?\n[+ -]?[ \t]{{0,40}}{_OPENED}")
"""The value in parentheses, in a line of its own."""
_LISTED = Pattern(rf"(?i){NAMES}{_TAIL}{_CLOSED}[ \t]{{0,3}},{_SPACE}{_OPENED}")
_CALLED = Pattern(
    rf"(?i){NAMES}{_TAIL}{_CLOSED}(?:[ \t]{{0,3}}\([ \t]{{0,3}}|[ \t]{{1,12}}"
    rf"|{_ASSIGNED}{_SPACE}(?:new[ ])?[\w.:]{{1,40}}\(){_OPENED}"
)
"""A setter, a function around the value, or nothing between a name and it."""
_UNQUOTED = Pattern(
    rf"(?i)({NAMES}{_TAIL}{_CLOSED}{_BOLD}"
    rf"(?:{_SAID}[ \t]{{0,30}}(?::=|\?=|=>|=|:){_BOLD}|{_BESIDE}|[ \t](?:is|was)[ \t])[ \t]{{0,30}})"
)
_LINE_BELOW = r"[ \t]{0,3}[:=][ \t]{0,3}(?:[|>][+-]?|<<[-~]?[\"']?\w{1,20}[\"']?)[ \t]{0,9}\r?\n"
_BLOCK = Pattern(rf"(?i)({NAMES}{_TAIL}{_CLOSED}{_LINE_BELOW}[+ -]?[ \t]{{0,40}})")
"""Of YAML, HCL and shells: the value is in the next line."""
_ELEMENT = Pattern(rf"(?i){NAMES}[\w.-]{{0,24}}[\"']?(?:</\w{{1,20}}>\s{{0,40}}<\w{{1,20}})?>{_SPACE}(?:<!\[CDATA\[)?")
_IN_QUOTES = {
    "'": Pattern(r"(?:[^\s'\\<>]|\\[^\s'\"`])*"),
    '"': Pattern(r"(?:[^\s\"\\<>]|\\[^\s'\"`])*"),
    "`": Pattern(r"(?:[^\s`\\<>]|\\[^\s'\"`])*"),
}
_IN_ESCAPED_QUOTES = Pattern(r"[^\s\"'`\\<>]*")
_BARE = Pattern(r"[A-Za-z0-9_+/=.!@#%^*~$:?-]*")
_ENDS = r"\\+[nrt\"']|[ \t]*(?:\r?\n|\z|#|;|//|-->|\*/|&&|\|)|[;&,)}\]\"'`<]"
_BARE_ENDS, _TIGHT_ENDS = Pattern(_ENDS), Pattern(rf"{_ENDS}|[ \t]")
_IN_ELEMENT = Pattern(r"(?:[^\s<>\]]|\][^\s<>\]])*")
_CLOSING = Pattern(rf"{_ESCAPES}[\"'\x60]|\z")
_ELEMENT_ENDS = Pattern(rf"{_SPACE}(?:\]\]>)?</")
_OPENINGS = ((_QUOTED, is_quoted_secret), (_WRAPPED, is_no_name), (_LISTED, is_no_name), (_CALLED, is_no_name))
_HEAD = 320
_VALUE = 300
_MOST_VALUE = 65_536
_END = 60
_QUOTED_LEAST, _BARE_LEAST = 6, 8


class Settings:
    """Values that stand beside a name that tells what they are."""

    anchor = (
        rf"(?i){NAMES}{_TAIL}{_CLOSED}{_SAID}(?:\s{{0,4}}[:=,>|?!+*-]{{1,3}}\s{{0,4}}[^\s:=<>(){{}}]{{3}}"
        r"|\s{0,20}[:=,>-]{1,2}\s{0,30}\\?[\"'\x60]|[\s\"',;+-]{1,24}\\?\"?value|\s?\{"
        r"|[ \t]+[:=][ \t]+\w|[ \t]*\(?[@bfru]?\\?[\"'\x60]|[ \t](?:is|was)[ \t]\S{8}| or [\"']"
        r"|[ \t]{0,4}=[ \t]{0,4}\([ \t]{0,3}\r?\n[+ -]?[ \t]{0,40}[\"']"
        r"|[ \t]*[:=][ \t]*(?:[|>][+-]?\r?\n|<<)"
        r"|(?:</\w+>\s*<\w+)?>(?:\s*[^\s<]|<!\[CDATA))"
    )

    def __init__(self) -> None:
        self._anchors = Pattern(self.anchor)
        self._names = Pattern(f"(?i){NAMES}")

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        done = 0
        for start, end in self._anchors.each(data):
            if end <= done or self._tells_about(data, start):
                continue
            span = self._value(data, max(start, done))
            if span:
                done = span[1]
                yield Secret(*span, "password")

    def _tells_about(self, data: bytes, start: int) -> bool:
        name = self._names.at(data, start, min(start + 64, len(data)))
        return name is not None and _NO_VALUE_BEHIND.fits(shown(data, (name[1], name[1] + 24)))

    def _value(self, data: bytes, start: int) -> Span | None:
        head = min(start + _HEAD, len(data))
        for opening, guard in _OPENINGS:
            if quote := opening.at(data, start, head):
                opened = shown(data, quote)
                run = _IN_ESCAPED_QUOTES if len(opened) > 1 else _IN_QUOTES[opened]
                return _read(data, quote[1], run, _CLOSING, guard)
        if element := _ELEMENT.at(data, start, head):
            return _read(data, element[1], _IN_ELEMENT, _ELEMENT_ENDS, is_quoted_secret)
        if block := _BLOCK.at(data, start, head):
            return _read(data, block[1], _BARE, _BARE_ENDS, is_bare_secret, least=_BARE_LEAST)
        if before := _UNQUOTED.at(data, start, head):
            tight = data[before[1] - 1] == ord("=") and data[before[1] - 2 : before[1] - 1].isalnum()
            guard = is_quoted_secret if tight and shown(data, before).isupper() else is_bare_secret
            return _read(data, before[1], _BARE, _TIGHT_ENDS if tight else _BARE_ENDS, guard, least=_BARE_LEAST)
        return None


def _read(
    data: bytes,
    start: int,
    run: Pattern,
    ends: Pattern,
    guard: Callable[[str], bool],
    *,
    least: int = _QUOTED_LEAST,
) -> Span | None:
    """The run of characters from `start` on, if it ends as it must and passes the guard.

    It is looked at in a short window; only where it fills that and passes, all of it is read.
    """
    span = run.at(data, start, min(start + _VALUE, len(data))) or (start, start)
    if span[1] - start < least or not guard(shown(data, span)):
        return None
    if span[1] - start == _VALUE:
        return run.at(data, start, min(start + _MOST_VALUE, len(data)))
    return span if ends.at(data, span[1], min(span[1] + _END, len(data))) else None
