"""Which calls of the kernel a sandboxed program may not make, as a program for seccomp.

Namespaces leave these open: making new namespaces (most holes of the kernel are found behind that), memory that belongs
to no file or process and so to no limit (memfd_create, SysV), sockets that no network namespace holds (vsock reaches
the host of a virtual machine), keyrings, typing into a terminal, and calls that only administrators need.
"""

from __future__ import annotations

import errno
import os
import struct

from core.errors import UserError

_FORBIDDEN = {
    "looking into other processes": (
        *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "perf_event_open", "userfaultfd"),
    ),
    "file systems": (
        *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount"),
        *(
            "fspick",
            "mount_setattr",
            "name_to_handle_at",
            "open_by_handle_at",
            "quotactl",
            "quotactl_fd",
            "fanotify_init",
        ),
        *("swapon", "swapoff", "acct"),
    ),
    "namespaces": ("unshare", "setns"),
    "memory outside of limits": ("memfd_create", "memfd_secret", "shmget", "msgget"),
    "calls past this filter": ("io_uring_setup", "io_uring_enter", "io_uring_register"),
    "keyrings": ("add_key", "request_key", "keyctl"),
    "the kernel and the machine": (
        *("bpf", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
        *("settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname"),
        *("iopl", "ioperm"),
    ),
}
_NUMBERS = {  # of x86_64, of aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Processors and the numbers that the kernel's audit gives them, in the order of the columns above."""
_NEW_NAMESPACES = 0x7E020000
"""All CLONE_NEW… flags."""
_SOCKETS = (1, 2, 10, 16)
"""Families of sockets that stay inside: unix, IPv4, IPv6 and netlink, which asks for addresses."""
_TYPING = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which put characters into a terminal as if somebody had typed them."""
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _MACHINE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the call's number, the processor and the arguments are in what the kernel shows the program."""
_X32 = 0x40000000
"""Numbers from here on are the second set of calls that x86_64 has."""


def seccomp_program(machine: str = "") -> bytes:
    """The filter as the kernel and bubblewrap read it, for this processor or one named as `os.uname` does.

    A forbidden call fails with EPERM. Calls of another architecture, which have other numbers, end the process. Raises
    UserError on a processor whose numbers are not known here.
    """
    machine = machine or os.uname().machine
    if machine not in _MACHINES:
        known = " and ".join(_MACHINES)
        raise UserError(f"the sandbox has no filter of system calls for {machine}", f"it runs on {known}")
    column = list(_MACHINES).index(machine)
    refuse = _step(_RETURN, _FAIL | errno.EPERM)
    program = _step(_LOAD, _MACHINE) + _step(_EQUAL, _MACHINES[machine], 1, 0) + _step(_RETURN, _KILL)
    program += _step(_LOAD, _NUMBER) + _step(_AT_LEAST, _X32, 0, 1) + refuse
    for names in _FORBIDDEN.values():
        for number in (_NUMBERS[name][column] for name in names):
            program += b"" if number is None else _step(_EQUAL, number, 0, 1) + refuse
    missing = _step(_RETURN, _FAIL | errno.ENOSYS)  # its flags are in memory; C libraries then take clone
    program += _step(_EQUAL, _NUMBERS["clone3"][column] or 0, 0, 1) + missing
    clone = _step(_LOAD, _FIRST) + _step(_ANY_BIT, _NEW_NAMESPACES, 0, 1) + refuse
    socket = _step(_LOAD, _FIRST) + b"".join(_unless(family) for family in _SOCKETS) + refuse
    ioctl = _step(_LOAD, _SECOND) + b"".join(_step(_EQUAL, request, 0, 1) + refuse for request in _TYPING)
    for name, body in (("clone", clone), ("socket", socket), ("ioctl", ioctl)):
        whole = body + _step(_RETURN, _ALLOW)
        program += _step(_EQUAL, _NUMBERS[name][column] or 0, 0, len(whole) // 8) + whole
    return program + _step(_RETURN, _ALLOW)


def _unless(value: int) -> bytes:
    """Allow the call where the value loaded last is this one."""
    return _step(_EQUAL, value, 0, 1) + _step(_RETURN, _ALLOW)


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    """One instruction; the jumps say how many to skip."""
    return struct.pack("=HBBI", code, if_so, if_not, value)
