"""Finds credentials in text: rules for what each kind looks like, behind one pass of RE2.

Most rules are those of detect-secrets (Yelp, Apache-2.0). Beside them stand kinds that it does not
know, whole private keys where it knows their first line, and values of settings named like a password.
One RE2 automaton of all rules, without their look-arounds, so that it can only find more than they
do, passes over all text; only where it stops are the rules themselves asked, and only those that may fit.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

SECRET_KINDS = (
    *("aws", "azure", "basic_auth", "cloud", "discord", "github", "gitlab", "google", "huggingface", "jwt", "mail"),
    *("npm", "openai", "password", "payment", "private_key", "pypi", "slack", "telegram", "twilio", "other"),
)
"""What a credential is for; "cloud", "mail" and "payment" each stand for several providers."""

_PLUGINS = {
    "aws": ("aws.AWSKeyDetector",),
    "azure": ("azure_storage_key.AzureStorageKeyDetector",),
    "basic_auth": ("basic_auth.BasicAuthDetector",),
    "cloud": (
        *("artifactory.ArtifactoryDetector", "cloudant.CloudantDetector", "ibm_cloud_iam.IbmCloudIamDetector"),
        *("ibm_cos_hmac.IbmCosHmacDetector", "softlayer.SoftlayerDetector"),
    ),
    "discord": ("discord.DiscordBotTokenDetector",),
    "github": ("github_token.GitHubTokenDetector",),
    "gitlab": ("gitlab_token.GitLabTokenDetector",),
    "mail": ("mailchimp.MailchimpDetector", "sendgrid.SendGridDetector"),
    "npm": ("npm.NpmDetector",),
    "openai": ("openai.OpenAIDetector",),
    "payment": ("square_oauth.SquareOAuthDetector", "stripe.StripeDetector"),
    "pypi": ("pypi_token.PypiTokenDetector",),
    "slack": ("slack.SlackDetector",),
    "telegram": ("telegram_token.TelegramBotTokenDetector",),
    "twilio": ("twilio.TwilioKeyDetector",),
}
"""Detectors of detect-secrets by our kind. Not among them: public IP addresses, JWT and private keys (below)."""
_WHOLE = ("github", "gitlab")
"""Kinds whose rules have groups that are not the secret."""

_NAME = (
    r"(?:api_?key|auth_?key|account_?key|access_?key|secret_?key|private_?key|client_?secret|secret|pass_?phrase"
    r"|password|passwd|pwd|credentials?|auth_?token|access_?token|token)"
)
_VALUE = r"([^\s\"'`]{6,256})"
_BARE = r"([A-Za-z0-9_+/=.!@#%^*~$-]{8,256})"
_TYPE = r"(?:\s{0,2}:\s{0,2}[&'\w<>\[\] ]{1,24}?)?"
_KEY = r"[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_KEY_BODY = r"[A-Za-z0-9+/=\s\\\"'`,:.+()-]"
_OWN = {
    "aws": (r"(?i:secret_?(?:access_?)?key)[\"']?\s{0,3}[:=]>?\s{0,3}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",),
    "github": (r"github_pat_[A-Za-z0-9_]{22,}",),
    "google": (r"AIza[A-Za-z0-9_-]{35}", r"GOCSPX-[A-Za-z0-9_-]{20,}", r"ya29\.[A-Za-z0-9_-]{20,}"),
    "huggingface": (r"hf_[A-Za-z0-9]{30,}",),
    "jwt": (r"eyJ[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_=-]{4,}(?:\.[A-Za-z0-9_.+/=-]*)?",),
    "npm": (r"npm_[A-Za-z0-9]{36}",),
    "openai": (r"sk-(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{32,}",),
    "payment": (
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}",
        r"whsec_[A-Za-z0-9]{24,}",
        r"shp(?:at|ca|pa|ss)_[a-f0-9]{32}",
    ),
    "slack": (r"xox[abposre](?:\.xox[bp])?-[A-Za-z0-9-]{10,}", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    "private_key": (
        rf"-----BEGIN {_KEY}(?:(?!-----END){_KEY_BODY}){{40,}}(?:-----END {_KEY})?",
        rf"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/=]{{16,}}(?:\\[nr]|[\s\"'`,])+)+[A-Za-z0-9+/=]*-----END {_KEY}",
        r"Private-Lines: \d+\s+(?:[A-Za-z0-9+/=]{16,}\s*)+",
        r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    ),
    "password": (
        rf"(?i){_NAME}[\w.\]-]{{0,20}}[\"'\]]{{0,2}}{_TYPE}\s{{0,3}}(?::=|=>|==?|:|,)\s{{0,3}}[\"'`]{_VALUE}[\"'`]",
        r"(?i)\bbearer\s+([A-Za-z0-9_.=+/-]{24,})",
        rf"(?i)^[+-]?[ \t]*(?:export |set |- )?[\w.-]{{0,40}}{_NAME}[\w.-]{{0,20}}[ \t]?[=:][ \t]?{_BARE}[ \t]*$",
    ),
    "other": (
        r"(?:dop|doo|dor)_v1_[a-f0-9]{64}",
        r"dckr_pat_[A-Za-z0-9_-]{20,}",
        r"hv[sb]\.[A-Za-z0-9_-]{24,}",
        r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}",
        r"lin_api_[A-Za-z0-9]{40}",
        r"https://(?:discord(?:app)?\.com/api/webhooks|outlook\.office\.com/webhook)/[\w/@-]{20,}",
    ),
}
_HINTS = {
    "private_key": r"PRIVATE KEY|Private-Lines: |AGE-SECRET-KEY-1",
    "password": rf"(?i:{_NAME}[\w.\]-]*[\"'\]]*\s*[:=,]|bearer\s)",
}
"""What to look for instead of the rules themselves, where these would make the automaton large and slow."""
_WORD_START = re.compile(r"[A-Za-z0-9_-]*\Z")
_WORD_END = re.compile(r"[A-Za-z0-9_=-]*")
_AROUND = frozenset(" \t\r\n\"'`:,")
_LOOKAROUND = re.compile(r"\(\?<?[=!][^()]*\)")
_MOST_COUNTED = re.compile(r"\{(\d+),\d{4,}\}")


class Secret(NamedTuple):
    """Where a credential stands in a text, and its kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Rule:
    """What one kind of credential looks like. `group` of the pattern is the secret itself."""

    kind: str
    pattern: re.Pattern[str]
    group: int = 0
    is_secret: Callable[[str], bool] = lambda _: True


def suspects(texts: Iterable[str]) -> bool:
    """False where none of the texts holds a credential: one pass over all of them."""
    union, _ = _prefilter()
    return bool(union.search(_searched("\n".join(texts))))


def find(text: str) -> list[Secret]:
    """The credentials in a text, in order, none overlapping another."""
    data = _searched(text)
    union, each = _prefilter()
    if not union.search(data):
        return []
    found: list[Secret] = []
    for rule in (rules()[number] for number in sorted(each.Match(data))):
        matches = (match for match in rule.pattern.finditer(text) if match[rule.group])
        found += [
            _whole_word(text, match.span(rule.group), rule.kind)
            for match in matches
            if rule.is_secret(match[rule.group])
        ]
    return _joined(found)


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule; those of whole keys and providers before those that only go by a name."""
    made = [
        Rule(kind, pattern, 0 if kind in _WHOLE else min(pattern.groups, 1), _GUARDS.get(kind, _any))
        for kind, names in _PLUGINS.items()
        for name in names
        for pattern in _denylist(name)
    ]
    for kind, patterns in _OWN.items():
        for source in patterns:
            pattern = re.compile(source, re.MULTILINE | re.ASCII)
            made.append(Rule(kind, pattern, pattern.groups, _GUARDS.get(kind, _any)))
    return tuple(sorted(made, key=lambda rule: (rule.kind == "password", rule.kind != "private_key")))


def _denylist(name: str) -> list[re.Pattern[str]]:
    module, _, detector = name.partition(".")
    plugin = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), detector)
    return [re.compile(pattern.pattern, pattern.flags & ~re.UNICODE | re.ASCII) for pattern in plugin().denylist]


def _searched(text: str) -> bytes:
    """What RE2 gets of a text: blank for it is what it is for `re`."""
    return text.encode("utf-8", "replace").replace(b"\v", b" ")


@functools.cache
def _prefilter() -> tuple[Any, Any]:
    """(one automaton that finds at least what the rules find, a set that tells which of them may)."""
    import re2

    options = re2.Options()
    options.max_mem = 64 << 20
    options.never_capture = True
    sources = [_HINTS.get(rule.kind) or _loosened(rule.pattern) for rule in rules()]
    union = re2.compile("|".join(f"(?:{source})" for source in dict.fromkeys(sources)).encode(), options)
    each = re2.Set.SearchSet(options)
    for source in sources:
        each.Add(source.encode())
    each.Compile()
    return union, each


def _loosened(pattern: re.Pattern[str]) -> str:
    """The pattern in RE2's dialect, which has no look-arounds: without them it matches more."""
    source = _MOST_COUNTED.sub(r"{\1}", _LOOKAROUND.sub("", pattern.pattern))
    source = re.sub(r"\\([^\w\s.^$*+?{}()|\[\]\\-])", r"\1", source)  # RE2 knows no escape of a quote or a slash
    flags = "".join(letter for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE)) if pattern.flags & flag)
    return f"(?{flags}:{source})" if flags else source


def _any(_: str) -> bool:
    return True


def _looks_secret(value: str) -> bool:
    """Letters and digits without the look of code, of a placeholder, of a number or of words."""
    if re.search(r"[{}<>\\]|::|\*\*|xxx|\.\.\.|://|^0x", value):
        return False
    if not (re.search(r"[A-Za-z]", value) and re.search(r"[0-9!@#%^&*?]", value)):
        return False
    looks_like_code = re.search(r"[()\[\];$&]", value)
    return _entropy(value) >= (3.5 if looks_like_code else 2.5) and not (looks_like_code and len(value) < 20)


def _is_password_of_url(value: str) -> bool:
    return bool(re.search(r"[A-Za-z0-9]{3}", value)) and not re.search(r"[{}<>$%*]", value)


def _entropy(value: str) -> float:
    """Bits a character, by the value's own frequencies."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


_GUARDS: dict[str, Callable[[str], bool]] = {
    "password": _looks_secret,
    "basic_auth": _is_password_of_url,
    "telegram": lambda value: any(letter.isdigit() for letter in value.partition(":")[2]),
    "cloud": lambda value: any(letter.isdigit() for letter in value) or len(value) >= 24,
}


def _whole_word(text: str, span: tuple[int, int], kind: str) -> Secret:
    """A match may be the first part of a longer key."""
    start, end = span
    while text[start] in _AROUND:
        start += 1
    while text[end - 1] in _AROUND:
        end -= 1
    if kind not in ("password", "basic_auth", "private_key"):
        before, after = _WORD_START.search(text, max(start - 256, 0), start), _WORD_END.match(text, end)
        start, end = before.start() if before else start, after.end() if after else end
    return Secret(start, end, kind)


def _joined(found: list[Secret]) -> list[Secret]:
    joined: list[Secret] = []
    for secret in sorted(found, key=lambda one: (one.start, -one.end)):
        if joined and secret.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Secret(last.start, max(last.end, secret.end), last.kind)
        else:
            joined.append(secret)
    return joined
