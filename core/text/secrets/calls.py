"""Credentials that a call is given without a name: the call tells that one is among its arguments."""

from __future__ import annotations

from core.text.secrets.rules import Rule
from core.text.secrets.values import is_no_name, is_token

_QUOTED = r"[bfru@]?\\?[\"'\x60]([^\s\"'\x60\\<>]{8,300})\\?[\"'\x60]"
_ARGUMENTS = r"[^()\n]{0,160}?"
_CALLS = (
    r"(?i:basic_?auth(?:entication)?|\.login|getconnection|mysqli?(?:_connect)?|pdo|pymysql\.connect|wifi\.begin"
    r"|networkcredential|jwt\.(?:sign|encode|verify|decode)|usernamepassword\w{0,30})\("
)
_TUPLE = r"\b(?:auth|creds|credentials)[ \t]?=[ \t]?\("
_PERL = r"DBI->connect\("
_ALONE = r"\bFernet\(|Secret\.fromString\(|SecretStr\(|ConvertTo-SecureString"

RULES = (
    Rule(
        "password",
        f"{_CALLS}|{_TUPLE}|{_PERL}",
        f"(?:{_CALLS}|{_TUPLE}|{_PERL}){_ARGUMENTS},\\s{{0,40}}{_QUOTED}",
        is_no_name,
    ),
    Rule("password", _ALONE, rf"(?:{_ALONE})(?:[ \t]+-String)?[ \t]{{0,4}}{_QUOTED}", is_no_name),
    Rule("twilio", "AC[a-f0-9]{8}", r"AC[a-f0-9]{32}\\?[\"'],\s{0,40}\\?[\"']([a-f0-9]{32})\b", is_token),
)
