"""Ways out of a sandbox, each a small function that says what it reached, or fails.

A copy of this file is run as a program, inside a sandbox and outside for comparison, so it imports only the standard
library. `probing` lays the bait that the functions look for.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import platform
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MIB = 1 << 20
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_SEIZE, _DETACH, _TIOCSTI, _SET_DUMPABLE = 0x4206, 17, 0x5412, 4
_DEVICES = ("mem", "kmem", "port", "kmsg", "vda", "sda", "nvme0n1", "loop0", "fuse", "kvm")
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_FAMILIES = {"vsock": 40, "packet": 17, "alg": 38}
_libc = ctypes.CDLL(None, use_errno=True)


def read_file(bait: Any) -> str:
    """read a file of the host"""
    return Path(bait["secret"]).read_text(encoding="utf-8")


def name_file(bait: Any) -> str:
    """see that a file of the host exists"""
    return f"{Path(bait['secret']).stat().st_size} bytes"


def write_file(bait: Any) -> str:
    """write a file of the host"""
    os.close(os.open(bait["secret"], os.O_WRONLY))
    return "opened"


def follow_link(bait: Any) -> str:
    """read through a link in the writable folder"""
    return Path(bait["link"]).read_text(encoding="utf-8")


def own_environment(bait: Any) -> str:
    """read the environment of the program that starts the sandbox"""
    return os.environ.get(bait["variable"], "")


def other_environment(bait: Any) -> str:
    """read the environment of another process"""
    return _found_in_proc("environ", bait["variable"])


def see_processes(bait: Any) -> str:
    """see processes of the host"""
    return _found_in_proc("cmdline", bait["marker_reversed"][::-1])


def signal_process(bait: Any) -> str:
    """signal a process of the host"""
    os.kill(bait["victim"], 0)
    return "it can be reached"


def trace_process(bait: Any) -> str:
    """trace a process of the host (ptrace)"""
    _done(_libc.ptrace(_SEIZE, bait["victim"], None, None))
    _libc.ptrace(_DETACH, bait["victim"], None, None)
    return "traced"


def network(_: Any) -> str:
    """see a network besides its own loopback"""
    return " ".join(name for _, name in socket.if_nameindex() if name != "lo")


def loopback(bait: Any) -> str:
    """connect to a server on the host's loopback"""
    with socket.create_connection(("127.0.0.1", bait["port"]), timeout=5):
        return "connected"


def abstract_socket(bait: Any) -> str:
    """connect to an abstract unix socket"""
    return _connected("\0" + bait["abstract"])


def socket_file(bait: Any) -> str:
    """connect to a unix socket in a folder of the host"""
    return _connected(bait["socket"])


def other_sockets(_: Any) -> str:
    """open a socket that no network namespace holds (vsock, packet, alg)"""
    opened = []
    for name, family in _FAMILIES.items():
        try:
            socket.socket(family, socket.SOCK_SEQPACKET if name == "alg" else socket.SOCK_STREAM).close()
            opened.append(name)
        except OSError:
            continue
    return " ".join(opened)


def memory(_: Any) -> str:
    """use 900 MiB of memory"""
    return f"{len(bytearray(b'x') * (900 * _MIB)) // _MIB} MiB"


def memory_of_many(_: Any) -> str:
    """use 900 MiB of memory in three processes that hide their counters"""
    reading, writing = os.pipe()
    for _child in range(3):
        if not os.fork():
            _libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
            block = bytearray(b"x") * (300 * _MIB)
            os.write(writing, block[:1])
            time.sleep(1)
            os._exit(0)
    os.close(writing)
    full = sum(len(os.read(reading, 1)) for _ in range(3))
    time.sleep(0.5)
    return "900 MiB" if full == 3 else ""


def memory_without_file(_: Any) -> str:
    """use 900 MiB of memory that belongs to no file or process (memfd, SysV)"""
    try:
        made = [os.memfd_create("x") for _ in range(9)]
    except OSError:
        return "shared memory" if _done(_libc.shmget(0, ctypes.c_size_t(900 * _MIB), 0o600)) >= 0 else ""
    return f"{sum(os.write(one, bytes(100 * _MIB)) for one in made) // _MIB} MiB"


def memory_in_folders(_: Any) -> str:
    """use 512 MiB of memory by files in folders that are in memory"""
    written = 0
    for folder in ("/", "/dev", "/dev/shm", "/run", "/tmp", "/var/tmp"):  # noqa: S108
        try:
            with Path(folder, "filling").open("wb", buffering=0) as file:
                written += sum(file.write(bytes(20 * _MIB)) for _ in range(30))
        except OSError:
            written += Path(folder, "filling").stat().st_size if Path(folder, "filling").exists() else 0
    return f"{written // _MIB} MiB" if written >= 512 * _MIB else ""


def many_processes(_: Any) -> str:
    """start 300 processes"""
    for _child in range(300):
        if not os.fork():
            time.sleep(2)
            os._exit(0)
    time.sleep(1)
    return "300 processes"


def fill_disk(bait: Any) -> str:
    """write 400 MiB into the writable folder"""
    for number in range(8):
        Path(bait["writable"], f"filling-{number}").write_bytes(bytes(50 * _MIB))
    time.sleep(1)
    return "400 MiB"


def many_files(bait: Any) -> str:
    """make 1,500 files"""
    for number in range(1500):
        os.close(os.open(f"{bait['writable']}/{number}", os.O_CREAT))
    time.sleep(1)
    return "1,500 files"


def type_into_terminal(_: Any) -> str:
    """type into the terminal (TIOCSTI)"""
    terminal = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(terminal, _TIOCSTI, b" ")
    return "typed"


def devices(bait: Any) -> str:
    """open a device of the machine"""
    made = Path(bait["writable"], "device")
    try:
        os.mknod(made, stat.S_IFCHR | 0o600, os.makedev(1, 1))
    except OSError:
        made.unlink(missing_ok=True)
    for path in (made, *(Path("/dev", name) for name in _DEVICES)):
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            continue
        return path.name
    return ""


def raise_privileges(_: Any) -> str:
    """gain privileges by a setuid program"""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return "setuid programs work" if "NoNewPrivs:\t0" in status else ""


def mount(bait: Any) -> str:
    """mount a file system"""
    alone = _NEW_MOUNTS | (0 if os.geteuid() == 0 else _NEW_USER)

    def attempt() -> None:
        if _libc.unshare(alone) == 0:
            _done(_libc.mount(b"none", b"/", None, ctypes.c_ulong(0x44000), None))  # private, or it would be the host's
        _done(_libc.mount(b"none", os.fsencode(bait["writable"]), b"tmpfs", ctypes.c_ulong(0), None))

    return _in_child(attempt)


def user_namespace(_: Any) -> str:
    """make a user namespace of its own"""
    return _in_child(lambda: _done(_libc.unshare(_NEW_USER)))


def kernel_settings(_: Any) -> str:
    """change a setting of the kernel"""
    setting = Path("/proc/sys/vm/swappiness")
    setting.write_text(setting.read_text(encoding="utf-8"), encoding="utf-8")
    return "written"


def keyring(_: Any) -> str:
    """reach the user's keyring in the kernel"""
    return f"key {_done(_libc.syscall(_KEYCTL[platform.machine()], 0, -4, 1))}"


ESCAPES: dict[str, Callable[[Any], str]] = {
    one.__name__: one
    for one in (
        *(read_file, name_file, write_file, follow_link, own_environment, other_environment, see_processes),
        *(signal_process, trace_process, network, loopback, abstract_socket, socket_file, other_sockets),
        *(memory, memory_of_many, memory_without_file, memory_in_folders, many_processes, fill_disk, many_files),
        *(type_into_terminal, devices, raise_privileges, mount, user_namespace, kernel_settings, keyring),
    )
}
"""Every way out by name; its docstring says what it tries."""
HEAVY = (
    "memory",
    "memory_of_many",
    "memory_without_file",
    "memory_in_folders",
    "many_processes",
    "fill_disk",
    "many_files",
)
"""Those that a sandbox ends, so that each needs one of its own."""


def _found_in_proc(name: str, wanted: str) -> str:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.name != str(os.getpid()) and wanted.encode() in (process / name).read_bytes():
                return f"process {process.name}"
        except OSError:
            continue
    return ""


def _connected(address: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        return "connected"


def _in_child(attempt: Callable[[], object]) -> str:
    """Try something in a process of its own, so that this one stays as it is."""
    child = os.fork()
    if not child:
        try:
            attempt()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, os.strerror(number))
    return "done"


def _done(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main() -> None:
    """Try the ways out that are named after the bait, and print a line of JSON for each: name, whether, and what."""
    bait = json.loads(sys.argv[1])
    for name in sys.argv[2:]:
        try:
            reached = ESCAPES[name](bait)
            line = (name, bool(reached), reached or "nothing was found")
        except (OSError, MemoryError) as error:
            line = (name, False, str(error) or "no memory")
        print(json.dumps(line), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
