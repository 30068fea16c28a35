"""Credentials on command lines, in headers and in URLs."""

from __future__ import annotations

from core.text.secrets.rules import Rule
from core.text.secrets.settings import NAMES
from core.text.secrets.values import is_bare_secret, is_no_name, is_password, is_quoted_secret, is_token

_LINE = r"(?:[^\n\\]|\\[^\n]|\\\r?\n[+-]?){0,240}?"
"""The rest of a command, which goes on behind a backslash at the end of a line."""
_GAP = r"(?:[ \t]+|\s*\\\r?\n[+-]?\s*)"
_VALUE = r"(?:\\?[\"'])?([^\s\"'`\\<>|;&]{4,900})"
_USER = r"(?:\\?[\"'])?[^\s\"'`\\:<>|;&]{0,100}:([^\s\"'`\\<>|;&]{3,900})"

_OPTION = "(?:pass|password|passwd|passphrase|token|secret|api-?key|auth-key|access-key|account-key|secret-string)"
_SETS = r"(?:ENV|ARG|setx|setenv|set -[gxU]{1,3}|config set|configure set|secrets set)[ \t]{1,4}"
_HEADER = r"\\?[\"'\]]{0,2}[ \t]{0,3}[:=,][ \t]{0,3}[bf]?\\?[\"'\x60]?"
_SCHEME = r"(?:(?:basic|bearer|token|apikey|api-key|bot|negotiate|key)[ \t]{1,3})?"
_NEXT = r"\s{1,8}(?:[+-]\s{0,8})?"
_FROM_INPUT = "sudo -S|--password-stdin|--stdin|chpasswd"
_QUERY = (
    "[?&;](?:password|passwd|pwd|pass|appid|(?:access_?|auth_?)?token|(?:api_?)?key|(?:client_)?secret|sig|signature)="
)


def _option(commands: str, options: str, value: str = _VALUE, gap: str = r"(?:[ \t]{1,4}|=)") -> Rule:
    pattern = rf"(?:{commands}){_LINE}{_GAP}(?:{options}){gap}{value}"
    return Rule("password", rf"\b(?:{commands})[ \t]", pattern, is_password, ahead=1_200)


RULES = (
    _option("curl|wget|httpie|https?|xh|lftp", "-u|--user|--proxy-user|-U|-a|--auth|-A", _USER, r"(?:[ \t]{0,4}|=)"),
    _option("login", "-p|--password", gap=r"(?:[ \t]{1,4}|=|)"),
    _option(
        "mysql|mysqldump|mysqladmin|mysqlimport|mysqlshow|mysqlcheck|mysqlsh|mariadb|mariadb-dump|mycli", "-p", gap=""
    ),
    _option(
        "sshpass|psexec|mongo|mongosh|mongodump|mongorestore|cqlsh|influx|xfreerdp|snmpget|bcp",
        "-p|--password|/p:|-P",
        gap=r"(?:[ \t]{0,4}|=|)",
    ),
    _option("redis-cli|valkey-cli", "-a|--pass"),
    _option("ldapsearch|ldapadd|ldapmodify|ldapwhoami|ldapdelete", "-w"),
    _option("sqlcmd|osql|isql|zip|unzip|impacket|rdesktop", "-P|-p"),
    _option("7za?|7zr|rar|unrar", "-p", gap=""),
    _option("jarsigner|apksigner|signtool", "--ks-pass|-p"),
    Rule("password", r"-(?:store|key)pass[ \t]", rf"-(?:store|key)pass[ \t]{{1,4}}{_VALUE}", is_password),
    _option(r"openssl (?:enc|aes\S{3,20})", "-[kK]"),
    _option("gh secret set|ssm put-parameter", "--body|-b|--value", gap=r"(?:[ \t]{1,4}|=|)"),
    _option("cmdkey", "/pass:", gap=""),
    _option("net user", r"\w[\w.-]{0,40}", gap=r"[ \t]{1,4}"),
    _option(
        "openssl|apksigner", r"-?-(?:passin|passout|pass|ks-pass|key-pass)", r"(?:[\"'])?pass:([^\s\"'`\\<>|;&]{4,300})"
    ),
    _option("htpasswd|useradd|chpasswd", r"-[a-zA-Z]*b[a-zA-Z]*[ \t]+\S{1,80}[ \t]+\S{1,80}|-p"),
    _option("smbclient|mount\\.cifs|rpcclient", "-U", r"(?:[\"'])?[^\s\"'`%]{1,80}%([^\s\"'`\\<>|;&]{3,300})"),
    _option("sqlplus|impdp|expdp|rman", "", r"(?:-[SsLl]+[ \t]+)?[\w.]{1,60}/([^\s\"'`\\<>|;&@/]{3,300})@", gap=""),
    Rule("password", r"\bnet use\b", r"net use[^\n]{0,200}/user:\S{1,80}[ \t]+" + _VALUE, is_password),
    Rule(
        "password",
        _FROM_INPUT,
        rf"echo[ \t]+(?:-n[ \t]+)?{_VALUE}[\"']?[ \t]*\|[^\n|]{{0,120}}(?:{_FROM_INPUT})",
        is_password,
        back=300,
        ahead=20,
    ),
    Rule(
        "password",
        rf"(?i)--[\w-]{{0,20}}{_OPTION}\b",
        rf"(?i)--[\w-]{{0,20}}{_OPTION}(?:[ \t]{{1,4}}|=){_VALUE}",
        is_quoted_secret,
    ),
    Rule(
        "password",
        rf"{_SETS}(?i:[\w./:-]{{0,40}}(?:pass|pwd|secret|token|key|cred))",
        rf"{_SETS}(?i:[\w./:-]{{0,80}}{NAMES}\w{{0,24}})[ \t]{{1,4}}{_VALUE}",
        is_quoted_secret,
    ),
    Rule("password", r"--from-literal", rf"--from-literal[ =](?:[\"'])?[\w.-]{{1,80}}={_VALUE}", is_password),
    Rule(
        "password",
        r"(?i)authorization",
        rf"(?i)authorization{_HEADER}{_SCHEME}([^\s\"'\x60\\<>,;(){{}}]{{8,}})",
        is_bare_secret,
        ahead=2_000,
    ),
    Rule(
        "password",
        r"(?i)\bbearer\s+[\w.=+/-]{12}",
        r"(?i)bearer\s{1,8}([A-Za-z0-9_.=+/~-]{20,})",
        is_token,
        ahead=2_000,
    ),
    Rule(
        "password",
        r"(?i)\bbasic\s+[a-z0-9+/]{12}",
        r"(?i)basic\s{1,8}([A-Za-z0-9+/]{16,1000}={0,2})",
        is_token,
        ahead=1_100,
    ),
    # lines of the files of Redis, LDAP, PostgreSQL (.pgpass), Bundler, Composer
    Rule(
        "password",
        r"(?m)^[+ -]?[ \t]*(?:requirepass|masterauth|bindpw)[ \t]",
        rf"[+ -]?[ \t]*(?:requirepass|masterauth|bindpw)[ \t]{{1,9}}{_VALUE}",
        is_password,
    ),
    Rule(
        "password",
        r"(?im)^[+ -]?[ \t]*[\"']?(?:pass|psk|bindpw)[\"']?[ \t]?[:=]",
        rf"(?i)[+ -]?[ \t]*[\"']?(?:pass|psk|bindpw)[\"']?[ \t]?[:=][ \t]{{0,4}}{_VALUE}[\"']?[,;]?[ \t]*(?:\r?\n|\z)",
        is_no_name,
    ),
    Rule(
        "password",
        r":(?:[56]\d{3}|\*):[\w*-]",
        r"(?m)^[+ -]?[\w.*-]{1,80}:(?:[56]\d{3}|\*):[\w*-]{1,60}:[\w*.-]{1,60}:([^\s:]{4,100})$",
        is_no_name,
        back=82,
    ),
    Rule(
        "password",
        "BUNDLE_[A-Z]",
        r"BUNDLE_[A-Z0-9_]{3,60}[\"']?[:=]\s{0,3}[\"']?([\w-]{4,80}:[\w-]{4,80})",
        is_no_name,
    ),
    Rule(
        "github",
        "github-oauth",
        r"github-oauth\\?[\"']?:\s{0,20}\{\s{0,40}\\?\"[\w.-]{3,80}\\?\"\s{0,3}:\s{0,3}\\?\"(\w{20,100})",
        is_token,
    ),
    # .netrc, in one line or in several, and a line of it alone
    Rule(
        "password",
        rf"\blogin\s{{1,8}}\S{{1,60}}{_NEXT}password",
        rf"login\s{{1,8}}\S{{1,60}}{_NEXT}password[ \t]{{1,8}}{_VALUE}",
        is_password,
    ),
    Rule(
        "password",
        rf"\bmachine\s{{1,8}}\S{{1,60}}{_NEXT}password",
        rf"machine\s{{1,8}}\S{{1,60}}{_NEXT}password[ \t]{{1,8}}{_VALUE}",
        is_password,
    ),
    Rule(
        "password",
        r"(?m)^[+ -]?[ \t]*password[ \t]",
        r"[+ -]?[ \t]*password[ \t]{1,8}(\S{6,200})[ \t]*(?:\r?\n|\z)",
        is_bare_secret,
    ),
)
URLS = (
    Rule(
        "basic_auth",
        r"[^\s\"'@]@(?:tcp|unix)\(",
        r"[\w.-]{1,60}:([^\s\"'\x60@]{4,128})@(?:tcp|unix)\(",
        is_password,
        back=190,
        ahead=8,
    ),
    Rule("basic_auth", "jdbc:oracle:", r"jdbc:oracle:\w{2,6}:[\w.-]{1,60}/([^\s\"'@/]{4,128})@", is_password),
    Rule(
        "basic_auth",
        r"://[^\s/:@\"'<>]{0,60}:[^\s@\"'<>]{3,128}@",
        r"://[^\s:/@\"'`<>]{0,60}:([^\s@\"'`<>]{3,128})@[\w.\[{$%-]",
        is_password,
    ),
    Rule(
        "basic_auth",
        r"://[A-Za-z0-9_.~%-]{16,128}[:@]",
        r"://([A-Za-z0-9_.~%-]{16,128})(?::[\w-]{0,64})?@[\w.-]{3}",
        is_token,
    ),
    Rule("password", rf"(?i){_QUERY}", rf"(?i){_QUERY}([^\s&;#\"'`<>\\)]{{8,300}})", is_bare_secret),
)
