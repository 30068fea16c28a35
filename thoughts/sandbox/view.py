"""What a sandboxed command sees of the host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError

TEMPORARY = ("/tmp", "/dev/shm")  # noqa: S108
"""Folders in memory, empty at the start."""
DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("alternatives", "ld.so.cache")
_NEVER = ("/", "/dev", "/proc", "/sys", "/run", "/var/run", *TEMPORARY)
"""Folders that are not shown as a whole: they hold devices, sockets of services, or everything."""


@dataclass(frozen=True)
class View:
    """The folders of a sandbox; all keep the paths that they have outside."""

    writable: str
    readable: tuple[str, ...]
    temporary_bytes: int

    def readable_in_order(self) -> list[str]:
        """What may be read, the system's programs first and parents before what is below them."""
        system = ["/usr", *(path for path in _SYSTEM if _is_folder(path))]
        settings = [f"/etc/{name}" for name in _SETTINGS if Path("/etc", name).exists()]
        return [*system, *settings, *sorted(self.readable)]


def view_of(writable: Path, readable: Iterable[Path], temporary_bytes: int) -> View:
    """The view with some folders of the host. Raises UserError for one that is missing or may not be shown."""
    if not writable.is_dir():
        raise UserError(f"{writable} is not a folder", "the sandbox needs a folder to write to")
    paths = []
    for path in readable:
        if not path.exists():
            raise UserError(f"{path} is not there", "name files and folders that exist")
        paths.append(_allowed(path))
    return View(_allowed(writable), tuple(dict.fromkeys(paths)), temporary_bytes)


def links() -> Sequence[tuple[str, str]]:
    """Names at the top that are links into /usr, with their targets."""
    return [(path, str(Path(path).readlink())) for path in _SYSTEM if Path(path).is_symlink()]


def _allowed(path: Path) -> str:
    real = str(path.resolve())
    if real in _NEVER or any(real.startswith(f"{one}/") for one in ("/dev", "/proc", "/sys")):
        raise UserError(f"{real} is not shown to a sandbox", "name a folder that holds only what the command needs")
    return real


def _is_folder(path: str) -> bool:
    return Path(path).is_dir() and not Path(path).is_symlink()
