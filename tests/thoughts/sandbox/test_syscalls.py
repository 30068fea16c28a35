from __future__ import annotations

import errno
import struct

import pytest

from core.errors import UserError
from thoughts.sandbox.syscalls import seccomp_program

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOW, KILL = 0x7FFF0000, 0x80000000


def verdict(machine: str, audited: int, number: int, *arguments: int) -> int:
    """What the program answers to a call, as the kernel would run it."""
    program = list(struct.iter_unpack("=HBBI", seccomp_program(machine)))
    seen = struct.pack("=iIQ6Q", number, audited, 0, *arguments, *([0] * (6 - len(arguments))))
    at, loaded = 0, 0
    while True:
        code, if_so, if_not, value = program[at]
        at += 1
        if code == 0x06:
            return value
        if code == 0x20:
            loaded = int.from_bytes(seen[value : value + 4], "little")
            continue
        holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
        at += if_so if holds else if_not


@pytest.mark.parametrize(
    ("machine", "audited", "number"),
    [("x86_64", X86_64, 101), ("x86_64", X86_64, 319), ("x86_64", X86_64, 165), ("aarch64", AARCH64, 117)],
)
def test_forbidden_calls_fail(machine: str, audited: int, number: int) -> None:
    assert verdict(machine, audited, number) == 0x00050000 | errno.EPERM


@pytest.mark.parametrize(("machine", "audited", "number"), [("x86_64", X86_64, 0), ("aarch64", AARCH64, 63)])
def test_ordinary_calls_are_allowed(machine: str, audited: int, number: int) -> None:
    assert verdict(machine, audited, number) == ALLOW


def test_calls_of_another_architecture_end_the_process() -> None:
    assert verdict("x86_64", I386, 26) == KILL
    assert verdict("x86_64", X86_64, 0x40000000 | 101) != ALLOW


@pytest.mark.parametrize(
    ("number", "arguments", "allowed"),
    [
        (56, (0x00010F00,), True),
        (56, (0x10000000,), False),
        (56, (0x00020000,), False),
        (41, (1,), True),
        (41, (2,), True),
        (41, (40,), False),
        (41, (17,), False),
        (16, (0, 0x5413), True),
        (16, (0, 0x5412), False),
        (16, (0, 0x100005412), False),
        (435, (), False),
    ],
)
def test_arguments_decide(number: int, arguments: tuple[int, ...], allowed: bool) -> None:
    assert (verdict("x86_64", X86_64, number, *arguments) == ALLOW) == allowed


def test_other_processors_are_refused() -> None:
    with pytest.raises(UserError, match="riscv64"):
        seccomp_program("riscv64")
