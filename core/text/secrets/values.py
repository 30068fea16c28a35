"""Whether a value looks like a credential, or like a placeholder, code, a word, a number or a path."""

from __future__ import annotations

import math
from collections import Counter

from core.text.secrets.patterns import Pattern, searched

_MOST_LOOKED_AT = 300
_MOST_HUMPS = 5
"""No name changes between small letters and capitals so often."""
_JOINS = "._/:,-"
_SHORTEST_WORD = 3.2
"""Letters, on average, of the words of a name."""
_LEAST_ENTROPY = 2.5
_LEAST_OF_TOKENS = 2.0

_PLACEHOLDER = Pattern(
    r"(?i)xxxx|\.\.\.|\*{3}|place_?holder|change_?(?:me|it|this)|change-(?:me|it|this)|your[_-]|[_-]here\b|<|>|\$\{|\{\{"
    r"|^\$|%[sd(]|redacted|dummy|insert[_-]|replace[_-]|example[_-]?(?:key|token|secret|pass)"
    r"|not[_-]?a[_-]?(?:real|secret)"
)
_SYNTAX = Pattern(r"[{}]|\\[^abfnrtvx0]|::|://|:\?|^0[xX]|\(\)|\w\(.*\)$|\[\w*\]$|^\[|\]\.|\)\.|->|=>|==|&&|\|\|")
_LETTER, _NO_LETTER = Pattern("[A-Za-z]"), Pattern("[0-9!@#%^&*?]")
_HUMP = Pattern("[a-z][A-Z]|[A-Z][a-z]")
_WORD = r"(?:[A-Z]+|(?:[A-Z]?[a-z]+){0,6})\d{0,3}"
_WORDS = Pattern(rf"^[@.]?{_WORD}(?:[._/:,-]{_WORD}){{0,20}}[.!?,;:]?$")
"""Words, perhaps joined as in names and paths, perhaps numbered."""
_NAME = Pattern(
    r"^[@$#]?[A-Za-z_]{1,40}\d{0,2}$|^[A-Za-z_][a-z_]{0,40}\d{0,2}(?:[.:/-][A-Za-z_]{1,40}\d{0,2}){1,8}[!?]?$"
)
_PATH = Pattern(r"^(?:\.{0,2}/|~/|[A-Za-z]:/)(?:[A-Za-z_.-]{1,40}\d{0,3}/?){1,12}$")
_WHOLE_KEY = Pattern(r"^0x[0-9a-fA-F]{64}$|^(?:django-insecure-)?[a-z0-9!@#$%^&*(_=+)-]{50}$")
"""Of Ethereum and of Django: they may look like a number, or like code."""
_LEAST_OF_HEX, _LEAST_OF_DRAWN = 3.2, 4.4
_COMMON_NUMBERED = Pattern(r"(?i)^(?:[a-z]{1,10}[_-])?(?:password|passwd|pass|pwd|secret|token)\d{0,3}$")
_DATE = Pattern(r"^\d{4}-\d\d-\d\d|^\d[\d.,:%-]*(?:[a-z]{1,2})?$")
_COMMON = frozenset(
    {"pass", "password", "passwd", "pwd", "secret", "user", "username", "foo", "bar", "baz", "test", "admin", "root"}
    | {
        "guest",
        "token",
        "pw",
        "passw0rd",
        "pass123",
        "password1",
        "p",
        "key",
        "credentials",
        "postgres",
        "mysql",
        "hello",
    }
    | {
        "pass1",
        "pass2",
        "p4ss",
        "user:pass",
        "s3cret",
        "secr3t",
        "passwort",
        "world",
        "example",
        "none",
        "null",
        "true",
    }
)


def entropy(value: str) -> float:
    """Bits a character, by the value's own frequencies."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def is_placeholder(value: str) -> bool:
    """True for what stands where a credential is to be filled in."""
    return _PLACEHOLDER.fits(value[:_MOST_LOOKED_AT])


def is_quoted_secret(value: str) -> bool:
    """True for letters and digits in quotes, beside a telling name, without the look of anything else."""
    value = value[:_MOST_LOOKED_AT]
    if _WHOLE_KEY.fits(value):
        return entropy(value) >= (_LEAST_OF_HEX if value.startswith("0x") else _LEAST_OF_DRAWN)
    value = value.rstrip("=")
    if _SYNTAX.fits(value) or is_placeholder(value) or _PATH.fits(value) or _DATE.fits(value):
        return False
    mixed = _LETTER.fits(value) and _NO_LETTER.fits(value)
    if not mixed and humps(value) < _MOST_HUMPS:
        return False
    return entropy(value) >= _LEAST_ENTROPY


def is_bare_secret(value: str) -> bool:
    """The same without quotes, where code has names and calls."""
    return is_quoted_secret(value) and not _is_name(value)


def _are_words(value: str) -> bool:
    """True for words joined by signs: some letters each, with a number at most behind them."""
    words = sum(letter in _JOINS for letter in value) + 1
    return _WORDS.fits(value) and sum(map(str.isalpha, value)) / words >= _SHORTEST_WORD


def _is_name(value: str) -> bool:
    """True for words, perhaps joined and numbered: they are longer than what chance draws."""
    return _NAME.fits(value) and len(value) / (humps(value) + 1) >= _SHORTEST_WORD


def is_no_name(value: str) -> bool:
    """True for what is no name, as behind a comma, where the next argument or entry of a list stands."""
    return is_quoted_secret(value) and not (_is_name(value) or _are_words(value))


def is_password(value: str) -> bool:
    """True, behind an option or in a URL, for all but placeholders and the commonest words."""
    value = value[:_MOST_LOOKED_AT]
    if is_placeholder(value) or value.startswith(("$", "%", "{", "@")) or _COUNT.fits(value):
        return False
    return value.lower() not in _COMMON and not _COMMON_NUMBERED.fits(value) and len(set(value)) > 2


_COUNT = Pattern(r"^\d{2,5}(?:/|$)|\{|\}|\\")


def is_token(value: str) -> bool:
    """True for what looks drawn by chance: neither words nor one character again and again."""
    value = value[:_MOST_LOOKED_AT]
    if is_placeholder(value) or _are_words(value):
        return False
    return (_NO_LETTER.fits(value) or humps(value) >= _MOST_HUMPS) and entropy(value) >= _LEAST_OF_TOKENS


def humps(value: str) -> int:
    """How often small letters and capitals change."""
    return sum(1 for _ in _HUMP.each(searched(value)))
