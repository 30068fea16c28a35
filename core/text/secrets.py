"""Finds credentials in text: rules for what each kind looks like, behind one pass of RE2.

Most rules are those of detect-secrets (Yelp, Apache-2.0). Added to them are kinds that it does not
know, whole private keys where it knows their first line, and values of settings named like a password.
One RE2 automaton of what each kind cannot do without passes over all text; only where it stops are the
rules themselves run, and only those of the kinds that it saw.
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
    r"(?:(?:api|auth|account|access|secret|private|encryption|signing|shared|storage|service|client|master)[_-]?key"
    r"|client[_-]?secret|secret|pass_?phrase|password|passwd|pwd|(?:db|user|root|admin|pg|mysql|smtp|ftp)_?pass"
    r"|credentials?|(?:auth|access|api)[_-]?token|token)"
)
_QUOTED = r"[bfru]{0,2}[\"'`]([^\s\"'`]{6,256})[\"'`]"
_BARE = r"([A-Za-z0-9_+/=.!@#%^*~$-]{8,256})"
_TYPE = r"(?:\s{0,2}:\s{0,2}[&'\w<>\[\] ]{1,24}?)?"
_KEY = r"[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_BETWEEN = r"(?:\\[nrt]|[\s\"'`,+;()]|-(?=[A-Za-z0-9+/]))"
_START = r"^(?:@@[^@\n]{1,60}@@ )?[+-]?[ \t]*"  # in a patch, git repeats a line behind @@
_LINE = _START.replace("{", "{{").replace("}", "}}") + r"[\"'`]?{}(?:\\n)?[\"'`]?[,;+ \t\\]*(?:\r?\n|\Z)"
_WHOLE_KEY = (
    rf"-{{4,5}} ?BEGIN {_KEY}(?:{_BETWEEN}*[A-Za-z-]{{3,20}}: [^\n\\]{{1,80}}){{0,4}}"
    rf"(?:{_BETWEEN}*[A-Za-z0-9+/]{{20,}}={{0,2}})+(?:{_BETWEEN}*[A-Za-z0-9+/=]{{1,76}}(?={_BETWEEN}*-----END))?"
    rf"(?:{_BETWEEN}*-{{4,5}} ?END {_KEY})?"
)
_SETTING = (
    rf"(?i){_START}(?:export |set |ENV |ARG |- )?[\w.-]{{0,40}}{_NAME}[\w.-]{{0,20}}[ \t]?[=:][ \t]?{_BARE}"
    r"[ \t]*(?:[;#].*)?\r?$"
)
_OWN = {
    "aws": (r"(?i:secret_?(?:access_?)?key)[\"']?\s{0,3}[:=]>?\s{0,3}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",),
    "azure": (r"(?i:storage_?key|sharedaccesskey)[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9+/]{43,86}={1,2})",),
    "basic_auth": (
        r"://[^\s:/@\"'`<>]{0,64}:([^\s/@\"'`<>]{3,128})@[\w.-]",
        r"\"auth\"\s{0,3}:\s{0,3}\"([A-Za-z0-9+/]{12,}={0,2})\"",
    ),
    "github": (r"github_pat_[A-Za-z0-9_]{22,}",),
    "google": (r"AIza[A-Za-z0-9_-]{35}", r"GOCSPX-[A-Za-z0-9_-]{20,}", r"ya29\.[A-Za-z0-9_-]{20,}"),
    "huggingface": (r"hf_[A-Za-z0-9]{30,}",),
    "jwt": (r"eyJ[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_=-]{4,}(?:\.[A-Za-z0-9_.+/=-]*)?",),
    "mail": (r"\bkey-[0-9a-f]{32}\b",),
    "npm": (r"npm_[A-Za-z0-9]{36}",),
    "openai": (r"sk-(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{32,}",),
    "payment": (
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}",
        r"whsec_[A-Za-z0-9]{24,}",
        r"shp(?:at|ca|pa|ss)_[a-f0-9]{32}",
        r"\bEAAA[A-Za-z0-9_-]{56,}",
        r"access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    "slack": (r"xox[abposre](?:\.xox[bp])?-[A-Za-z0-9-]{10,}", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    "private_key": (
        _WHOLE_KEY,
        # The lines of a key without its first and last: a part of it, or what of it a change shows.
        _LINE.format(r"(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70})"),
        rf"(?:{_LINE.format('[A-Za-z0-9+/]{60,76}')}){{2,}}(?:{_LINE.format('[A-Za-z0-9+/]{1,75}={0,2}')})?",
        r"Private-Lines: \d+\s+(?:[A-Za-z0-9+/=]{16,}\s*)+",
        r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    ),
    "password": (
        rf"(?i){_NAME}[\w.\]-]{{0,20}}[\"'\]]{{0,2}}{_TYPE}\s{{0,20}}(?::=|=>|==?|:|,)\s{{0,20}}{_QUOTED}",
        r"(?i)\bbearer\s+([A-Za-z0-9_.=+/-]{24,})",
        r"(?i)\bbasic\s+([A-Za-z0-9+/]{16,}={0,2})(?![\w/])",
        _SETTING,
        rf"\b[A-Z][A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY)={_BARE}(?=[\s;]|\Z)",
        rf"(?i)--[\w-]{{0,20}}(?:password|token|secret|api-key)[ =]{_BARE}(?=[\s;]|\Z)",
        r"(?i)[?&;](?:password|pwd|access_?token|token|api_?key|secret)=([^\s&;\"'`<>]{6,256})",
        r"(?i)<[\w:-]{0,20}(?:password|secret|token|apikey)>([^<>\s]{6,256})</",
    ),
    "other": (
        r"(?:dop|doo|dor)_v1_[a-f0-9]{64}",
        r"dckr_pat_[A-Za-z0-9_-]{20,}",
        r"hv[sb]\.[A-Za-z0-9_-]{24,}",
        r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}",
        r"lin_api_[A-Za-z0-9]{40}",
        r"\bdapi[0-9a-f]{32}",
        r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9]{40,}",
        r"\bNRAK-[A-Z0-9]{27}",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}",
        r"rubygems_[a-f0-9]{48}",
        r"https://(?:discord(?:app)?\.com/api/webhooks|outlook\.office\.com/webhook)/[\w/@-]{20,}",
    ),
}
_HINTS = {
    "aws": r"A3T[A-Z0-9]{8}|A(?:BIA|CCA|KIA|SIA)[0-9A-Z]{8}"
    r"|(?i:aws.*(?:key|pwd|pw|pass|token)|secret_?(?:access_?)?key)",
    "azure": r"AccountKey=|(?i:storage_?key|sharedaccesskey)",
    "basic_auth": r"://[^\s/]*:[^\s/]+@|\"auth\"\s*:",
    "cloud": r"AKC[a-zA-Z0-9]{10}|AP[0-9A-F][a-zA-Z0-9]{8}"
    r"|(?i:(?:key|pwd?|pass|password|token)[\"'\]]*[ =:>]+[\"']?[a-z0-9_-]{24}|.cloudant.com|/soap/v3)",
    "discord": r"\.[a-zA-Z0-9_-]{6}\.[a-zA-Z0-9_-]{27}",
    "github": r"gh[pousr]_[A-Za-z0-9_]{8}|github_pat_",
    "gitlab": r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941",
    "google": r"AIza|GOCSPX-|ya29\.",
    "huggingface": r"hf_[A-Za-z0-9]{8}",
    "jwt": r"eyJ[A-Za-z0-9_=-]{8}",
    "mail": r"-us[0-9]|SG\.[a-zA-Z0-9_-]{8}|key-[0-9a-f]{8}",
    "npm": r"_authToken=|npm_[A-Za-z0-9]{8}",
    "openai": r"sk-[A-Za-z0-9_-]{8}",
    "password": rf"(?i:{_NAME}[\w.\]-]*[\"'\]]*\s*[:=,>]|--[\w-]*(?:password|token|secret|api-key)\s"
    r"|bearer\s+[\w.=+/-]{16}|basic\s+[a-z0-9+/]{16})",
    "payment": r"[srp]k_(?:live|test)_|whsec_|shp(?:at|ca|pa|ss)_|sq0csp-|EAAA[A-Za-z0-9_-]{8}|access_token\$",
    "private_key": r"PRIVATE KEY|Private-Lines: |AGE-SECRET-KEY-1|[A-Za-z0-9+/]{60}",
    "pypi": r"pypi-Ag",
    "slack": r"(?i:xox[abposre])|xapp-|(?i:hooks\.slack\.com)",
    "telegram": r"[0-9]:[0-9A-Za-z_-]{35}",
    "twilio": r"(?:AC|SK)[a-z0-9]{8}",
    "other": r"do[opr]_v1_|dckr_pat_|hv[sb]\.[A-Za-z0-9_-]{8}|glsa_|lin_api_|dapi[0-9a-f]{8}|dp\.[a-z]+\.[A-Za-z0-9]{8}"
    r"|NRAK-|\.atlasv1\.|rubygems_|api/webhooks/|office\.com/webhook/",
}
"""By kind: what no text can do without in which one of the kind's rules finds something. Short, and without long
counted runs after what also may be part of them, or the automaton would have too many states to be fast."""
_MOST_VALUE = 300
_MOST_HUMPS = 5
"""No name changes between small letters and capitals so often."""
_WORD_START = re.compile(r"[A-Za-z0-9_-]*\Z")
_WORD_END = re.compile(r"[A-Za-z0-9_=-]*")
_AROUND = frozenset(" \t\r\n\"'`:,")


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
    kinds = {SECRET_KINDS[number] for number in each.Match(data)}
    for rule in rules():
        if rule.kind not in kinds:
            continue
        # Rules for names are tried at every letter: the lines with such names alone are worth that.
        for start, end in _lines_with_names(text) if rule.kind == "password" else ((0, len(text)),):
            matches = (match for match in rule.pattern.finditer(text, start, end) if match[rule.group])
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
    """(one automaton that finds at least what the rules find, a set that reports the kinds)."""
    import re2

    options = re2.Options()
    options.max_mem = 64 << 20
    options.never_capture = True
    union = re2.compile("|".join(f"(?:{hint})" for hint in _HINTS.values()).encode(), options)
    each = re2.Set.SearchSet(options)
    for kind in SECRET_KINDS:
        each.Add(_HINTS[kind].encode())
    each.Compile()
    return union, each


@functools.lru_cache(maxsize=1)
def _lines_with_names(text: str) -> list[tuple[int, int]]:
    """Where the lines are, each with the next two, in which a password could be named."""
    found: list[tuple[int, int]] = []
    for match in _named().finditer(text):
        if found and match.end() <= found[-1][1] - _MOST_VALUE:
            continue
        start, end = text.rfind("\n", 0, match.start()) + 1, match.end()
        for _ in range(3):
            end = text.find("\n", end) + 1 or len(text)
        end = max(end, min(match.end() + _MOST_VALUE, len(text)))
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


@functools.cache
def _named() -> Any:
    import re2

    return re2.compile(_HINTS["password"])


def _any(_: str) -> bool:
    return True


def _looks_secret(value: str) -> bool:
    """Letters and digits without the look of a placeholder, of code, of a number or of words."""
    if re.search(r"[{}<>\\]|::|\*\*|xxx|\.\.\.|://|^0x|^\$|\(\)|\w\(\w*\)$|\[\w*\]$", value):
        return False
    mixed = re.search(r"[A-Za-z]", value) and re.search(r"[0-9!@#%^&*?]", value)
    if not mixed and len(re.findall(r"[a-z][A-Z]|[A-Z][a-z]", value)) < _MOST_HUMPS:
        return False
    return _entropy(value) >= 2.5


def _is_password_of_url(value: str) -> bool:
    return bool(re.search(r"[A-Za-z0-9]{3}", value)) and not re.search(r"[{}<>]|^\$|%[sd(]|\*\*", value)


def _is_key(value: str) -> bool:
    """Not a word or a hash: a key's lines have capitals, small letters and digits alike."""
    if "KEY" in value or "Private-Lines" in value:
        return True
    lines = re.findall(r"[A-Za-z0-9+/]{60,}", value)
    return all(re.search(kind, line) for line in lines for kind in ("[A-Z]", "[a-z]", "[0-9]"))


def _entropy(value: str) -> float:
    """Bits a character, by the value's own frequencies."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


_GUARDS: dict[str, Callable[[str], bool]] = {
    "password": _looks_secret,
    "basic_auth": _is_password_of_url,
    "private_key": _is_key,
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
