"""Calls of Linux that Python has no function for, and landlock, which limits the files that a process may open."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8
BIND, RECURSIVE, PRIVATE = 1 << 12, 1 << 14, 1 << 18
_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _DROP_BOUND, _AMBIENT, _CLEAR_ALL = 38, 22, 24, 47, 4
_CAPABILITIES_3 = 0x20080522
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 442, 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_RIGHTS_BY_VERSION = (0, 13, 14, 15, 15, 16, 16)
"""How many rights landlock knows, by its version; later versions add none for files."""
READ = _EXECUTE | _READ_FILE | _READ_DIR
LIST = _READ_DIR
EVERYTHING = (1 << 16) - 1
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2). Raises OSError."""
    words = [os.fsencode(word) if word else None for word in (source, target, kind, options)]
    _done(_libc.mount(*words[:3], ctypes.c_ulong(flags), words[3]), target)


def bind(source: str, target: str, flags: int) -> None:
    """Show a folder or file of the host at another place too, with all that is mounted below it."""
    mount(source, target, None, BIND | RECURSIVE)
    _set_flags(target, flags, _AT_RECURSIVE)


def make_read_only(folder: str) -> None:
    """Make a mounted folder read-only, but nothing that is mounted below it."""
    _set_flags(folder, RDONLY, 0)


def swap_root(folder: str, old: str) -> None:
    """Make a mounted folder the root of this namespace, with the old root at a folder in it."""
    _done(_libc.syscall(_PIVOT_ROOT[os.uname().machine], os.fsencode(folder), os.fsencode(old)), folder)


def enter_root(folder: str) -> None:
    """Make a mounted folder the root of this namespace and let go of everything else."""
    os.chdir(folder)
    swap_root(".", ".")  # the old root now lies on top of the new one
    _done(_libc.umount2(b".", _DETACH), folder)
    os.chdir("/")


def drop_privileges() -> None:
    """Give up all capabilities for good, and the right to gain privileges by running a program."""
    _done(_libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for capability in range(64):  # the first number that the kernel does not know ends it
        if _libc.prctl(_DROP_BOUND, capability, 0, 0, 0):
            break
    _done(_libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0), "ambient capabilities")
    _done(_libc.capset(struct.pack("=Ii", _CAPABILITIES_3, 0), bytes(24)), "capabilities")


def filter_calls(program: bytes) -> None:
    """Let a seccomp program judge every later call of this process and its children."""
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _done(_libc.prctl(_SET_SECCOMP, 2, header, 0, 0), "seccomp")


def landlock_version() -> int:
    """The version of landlock in this kernel; 0 where there is none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, 1)))


def limit_files(rules: Iterable[tuple[str, int]]) -> None:
    """Forbid this process and its children all files but those below some paths, each with the rights allowed there.

    Raises OSError where the kernel has no landlock, or a path is missing.
    """
    version = landlock_version()
    known = (1 << _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION) - 1)]) - 1
    attributes = struct.pack("=Q", known)
    ruleset = _done(_libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "landlock")
    for path, rights in rules:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights & known & (EVERYTHING if os.path.isdir(path) else _FILE_RIGHTS)  # noqa: PTH112
        _done(_libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, place), 0), path)
        os.close(place)
    _done(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)


def _set_flags(target: str, flags: int, how: int) -> None:
    attributes = struct.pack("=QQQQ", flags, 0, 0, 0)
    _done(_libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), how, attributes, len(attributes)), target)


def _done(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result
