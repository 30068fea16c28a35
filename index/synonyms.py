"""Words that people ask with, and those that code has in their place."""

from __future__ import annotations

from collections.abc import Iterable

from core.ranking.terms import stem

_GROUPS = """
abort crash panic
accept receive
allow access permission
answer reply response
argument parameter
async background
begin init launch start
big huge large
build construct create generate make
cache memo
catch handle
check validate verify
checksum digest hash
choose pick select
clear delete discard drop erase evict prune purge remove unlink
clone copy duplicate
close disconnect kill quit shutdown stop terminate
colour color
combine join merge
compare differ equal match
concurrent parallel process thread worker
config configuration option setting
convert transform translate turn
cut shorten trim truncate
database db
decide detect determine
delay sleep wait
directory folder
dirty modified outdated stale changed
dispatch emit publish send
display print render show
download fetch retrieve
dump save store write
duplicate identical same
email mail
env environment
error exception fail failure
execute run
expire expiry timeout ttl
find locate lookup resolve search
follower replica slave
hyperlink link uri url
image picture
leader master primary
length size
limit max maximum throttle
load parse read
lock mutex
message msg
order sort
replace substitute
repo repository
req request
retry again
temp temporary tmp
"""
"""A line each; each word once, or as often as it has meanings."""
MOST_ADDED = 40
"""Words for a question; a long one says enough itself."""


def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in _GROUPS.split("\n"):
        group = line.split()
        for word in group:
            found.setdefault(stem(word), []).extend(other for other in group if other != word)
    return {own: tuple(others) for own, others in found.items()}


_OTHERS = _table()


def others(own: str) -> tuple[str, ...]:
    """Words that may stand in code for a stem."""
    return _OTHERS.get(own, ())


def added(stems: Iterable[str]) -> list[str]:
    """Words that may stand in code for any of some stems, without these themselves."""
    known = list(stems)
    found = dict.fromkeys(other for own in known for other in others(own) if stem(other) not in known)
    return list(found)[:MOST_ADDED]
