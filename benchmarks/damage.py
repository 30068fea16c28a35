"""Files made wrong, the same way for the same random numbers: bytes of any file, and values of JSON and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

_DEEP = "__deep__"
_DEPTH = 20_000
ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1 << 70, 1e308, float("inf"), float("nan"), "", "x", "\0", "\ud800", "\x1b[31m\u202e",
    "a" * 100_000, "../../../etc/passwd", "9999-99-99T99:99:99Z", [], {}, [None], {"x": 1}, [[]], _DEEP,
)  # fmt: skip
"""What no field expects; the last becomes a list of lists of lists."""


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with one damage: of a value where they are JSON, otherwise, and every second time, of the bytes."""
    if random.random() < 0.5 and (other := _other_values(data, random)):
        return other
    return random.choice(_OF_BYTES)(data, random)


def _other_values(data: bytes, random: Random) -> bytes:
    """JSON lines, or else JSON, with a value changed; nothing where the bytes are neither."""
    lines = data.splitlines(keepends=True)
    number = random.randrange(max(len(lines), 1))
    for ending in (b"", b"]}"):  # the head of commits.json is a line that its last one closes
        body = lines[number].rstrip(b"\n,") if len(lines) > 1 else b""
        value = _parsed(body + ending)
        if value is None:
            continue
        if random.random() < 0.2:
            lines[number : number + 1] = random.choice([[], [lines[number]] * 2])
        else:
            lines[number] = _written(_changed(value, random)).removesuffix(ending) + lines[number][len(body) :]
        return b"".join(lines)
    whole = _parsed(data)
    return b"" if whole is None else _written(_changed(whole, random))


def _parsed(data: bytes) -> Any:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, (dict, list)) else None


def _written(value: Any) -> bytes:
    deep = "[" * _DEPTH + "]" * _DEPTH
    return json.dumps(value, separators=(",", ":")).replace(f'"{_DEEP}"', deep).encode()


def _changed(value: Any, random: Random) -> Any:
    """The value with one of its parts, at any depth, odd, gone, twice, or under another name."""
    here = value
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return random.choice(ODD_VALUES) if here is value else value
        key = random.choice(keys)
        if isinstance(here[key], (dict, list)) and here[key] and random.random() < 0.8:
            here = here[key]
            continue
        action = random.randrange(6)
        if action == 0:
            del here[key]
        elif action == 1 and isinstance(here, dict):
            here["other"] = here.pop(key)
        elif action == 1:
            here.append(here[key])
        else:
            here[key] = random.choice(ODD_VALUES)
        return value


def _flip_bit(data: bytes, random: Random) -> bytes:
    return _at(data, random, 1, lambda part: bytes(byte ^ 1 << random.randrange(8) for byte in part))


def _replace(data: bytes, random: Random) -> bytes:
    return _at(data, random, random.randint(1, 64), lambda part: random.randbytes(len(part)))


def _remove(data: bytes, random: Random) -> bytes:
    return _at(data, random, random.randint(1, 256), lambda _: b"")


def _repeat(data: bytes, random: Random) -> bytes:
    return _at(data, random, random.randint(1, 256), lambda part: part * 2)


def _insert(data: bytes, random: Random) -> bytes:
    junk = (b"\xff\xfe", b"\0", b"\xc3", b"[" * _DEPTH, b"}", b"\n", b'"')
    return _at(data, random, 0, lambda _: random.choice(junk))


def _cut_off(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _empty(_: bytes, __: Random) -> bytes:
    return b""


def _at(data: bytes, random: Random, size: int, change: Callable[[bytes], bytes]) -> bytes:
    # Heads decide most, so a quarter of the places is among the first bytes.
    start = random.randrange(max(min(len(data), 512 if random.random() < 0.25 else len(data)), 1))
    return data[:start] + change(data[start : start + size]) + data[start + size :]


_OF_BYTES = (_flip_bit, _flip_bit, _replace, _remove, _repeat, _insert, _cut_off, _empty)
