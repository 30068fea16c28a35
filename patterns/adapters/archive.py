"""An adapter as one file: a tar archive of what is needed to load it, the same bytes for the same adapter.

What comes from elsewhere is checked file by file as it arrives: the small ones before the weights, the header of the
weights before the rest of them. Nothing that names a folder of a machine is kept.
"""

from __future__ import annotations

import io
import json
import math
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from core.errors import UserError
from core.fusion import parents
from core.fusion.folder import REPORT
from core.fusion.parents import CONFIG, WEIGHTS
from core.fusion.peft_config import read_config
from core.fusion.tensors import MOST_HEADER_BYTES
from core.models import model_folder
from core.models.model_folder import INFO, ModelInfo
from core.models.recorded import RecordedSettings
from core.records.fusion import SCHEMA, FusionReport
from core.records.json_files import read_record
from core.records.lines import DAMAGED
from patterns.adapters import gate
from patterns.memory.refusals import RefusedOperationError

_MEMBERS = {
    **dict.fromkeys((INFO, CONFIG, REPORT, "tokenizer_config.json"), 16 << 20),
    "tokenizer.json": 64 << 20,
    WEIGHTS: 1 << 40,
}
"""What an archive holds, in this order, and the most bytes of each."""
_OPTIONAL = {REPORT}
_KEPT = (
    *(("tokenizer", "mode"), ("pipeline", "one_model")),
    *(("model_training", name) for name in ("objective", "nearest_edit")),
)
"""Settings beside `RecordedSettings` that say how the model is asked."""
_SHA256 = re.compile("[0-9a-f]{64}")
_SLACK = 1 << 16
"""Bytes of an archive that are not of its members, for each."""
_HINT = "ask whoever made it for the files again"
_AT_ONCE = 1 << 20
LARGEST_COUNT = 1 << 53


@dataclass(frozen=True)
class Contents:
    """What is known of an adapter whose every file was checked."""

    info: ModelInfo
    report: FusionReport | None
    """fusion.json; None where it was trained, or nothing is written about how it was fused."""
    base_sha256: str
    weights_sha256: str
    rank: int


def pack(folder: Path, target: IO[bytes]) -> None:
    """Write the archive of an adapter's folder. Raises UserError where it holds no adapter of Gitlore's."""
    if missing := [name for name in _MEMBERS if name not in _OPTIONAL and not (folder / name).is_file()]:
        raise UserError(f"{folder} holds no adapter of Gitlore's: {missing[0]} is missing", "name a model folder")
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in _MEMBERS:
            path = folder / name
            if name in (INFO, CONFIG, REPORT) and path.is_file():
                text = json.dumps(_shared(folder, name), indent=2, ensure_ascii=False).encode() + b"\n"
                _add(archive, name, len(text), io.BytesIO(text))
            elif path.is_file():
                with path.open("rb") as file:
                    _add(archive, name, path.stat().st_size, file)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive that `pack` has made into a new folder, whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with archive.open("rb") as file:
            _receive(iter(lambda: file.read(_AT_ONCE), b""), temporary, archive.stat().st_size + _SLACK)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def receive(parts: Iterable[bytes], folder: Path, most_bytes: int) -> Contents:
    """Write the files of an archive that comes from elsewhere into a folder.

    Raises RefusedOperationError, as soon as it is known, for what is no adapter of Gitlore's or is too large.
    """
    with _refused_in_words(folder):
        _receive(parts, folder, most_bytes)
        found = parents.read(folder)
        info, report = _checked(folder)
        return Contents(info, report, str(info.base_sha256), found.sha256, int(found.rank))


def _receive(parts: Iterable[bytes], folder: Path, most_bytes: int) -> None:
    stream, names, left = _Parts(parts), list[str](), most_bytes
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        while True:
            stream.allow(_SLACK)
            if (member := archive.next()) is None:
                break
            name = member.name.removeprefix("./")
            _check_member(member, name, names, left)
            if name == WEIGHTS:
                if missing := _MEMBERS.keys() - {*names, *_OPTIONAL, WEIGHTS}:
                    raise UserError(f"{min(missing)} is missing, or comes behind {WEIGHTS}", "the weights come last")
                _checked(folder)
            stream.allow(member.size + _SLACK)
            source = archive.extractfile(member)
            assert source is not None, "it is a file"
            _write(source, member.size, folder / name)
            names.append(name)
            left -= member.size
    if names[-1:] != [WEIGHTS]:
        raise UserError(f"{WEIGHTS} is missing", "an archive ends with the weights")
    stream.allow(_SLACK)
    stream.drain()


def _check_member(member: tarfile.TarInfo, name: str, names: list[str], left: int) -> None:
    if name not in _MEMBERS or member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        message = f"{name[:100]!r} does not belong into an adapter's archive"
        raise UserError(message, f"it holds these files alone: {', '.join(_MEMBERS)}")
    if name in names:
        raise UserError(f"{name} is there twice", _HINT)
    if WEIGHTS in names:
        raise UserError(f"{name} comes behind the weights", "the weights come last, so that all else is checked first")
    if member.size > min(left, _MEMBERS[name]):
        message = f"{name} of {member.size:,} bytes is more than the {min(left, _MEMBERS[name]):,} that it may have"
        raise RefusedOperationError("too_large", message, "the server's --max-adapter-bytes is the limit")


def _write(source: IO[bytes], size: int, path: Path) -> None:
    with path.open("wb") as file:
        if path.name == WEIGHTS:
            file.write(_weights_header(source, size))
        shutil.copyfileobj(source, file, _AT_ONCE)
        if file.tell() != size:
            raise UserError(f"{path.name} is cut off after {file.tell():,} of {size:,} bytes", "send all of it")


def _weights_header(source: IO[bytes], size: int) -> bytes:
    """The header of a .safetensors file. Raises UserError where it does not fit the file's size."""
    start = source.read(8)
    length = int.from_bytes(start, "little")
    if not 0 < length <= min(MOST_HEADER_BYTES, size - 8):
        raise UserError(f"{WEIGHTS} is damaged: its header is {length:,} bytes long", _HINT)
    text = source.read(length)
    try:
        entries = {name: entry for name, entry in json.loads(text).items() if name != "__metadata__"}
        end = max(int(entry["data_offsets"][1]) for entry in entries.values())
    except (*DAMAGED, AttributeError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{WEIGHTS} is damaged: its header cannot be read ({type(error).__name__})", _HINT) from None
    if 8 + length + end != size:
        message = f"{WEIGHTS} is damaged: its header describes {8 + length + end:,} bytes, and there are {size:,}"
        raise UserError(message, _HINT)
    return start + text


def _checked(folder: Path) -> tuple[ModelInfo, FusionReport | None]:
    """What is beside the weights. Raises UserError where it cannot be used."""
    read_config(folder / CONFIG)
    info, _ = model_folder.read_info_and_vocabulary(folder)
    if not info.is_adapter:
        raise UserError("it is a whole model, not an adapter", "teams exchange adapters alone")
    if not _SHA256.fullmatch(str(info.base_sha256 or "")):
        raise UserError(f"{INFO} does not say which weights it was trained on", "train it again with this version")
    if "\0" in info.base_model:
        raise UserError(f"{INFO} is damaged: its base model has a NUL in its name", _HINT)
    report = _report(folder, info) if (folder / REPORT).is_file() else None
    return info, report


def _report(folder: Path, info: ModelInfo) -> FusionReport:
    report = read_record(folder / REPORT, FusionReport, SCHEMA, _HINT)
    if report.origin != info.origin or report.base_sha256 != info.base_sha256:
        raise UserError(f"{REPORT} is that of another adapter", "leave it out, or send the one that belongs to it")
    text = json.dumps(msgspec.to_builtins(report))
    counts = [one.trials or 0 for one in report.origin.parents]
    if not gate.is_of(report):
        raise UserError(f"the figures in {REPORT} are not those of its own parents", _HINT)
    if "\\u0000" in text or not _all_finite(report) or not all(0 <= one < LARGEST_COUNT for one in counts):
        raise UserError(f"{REPORT} is damaged: it holds a NUL, or a number that is none", _HINT)
    return report


def _all_finite(report: FusionReport) -> bool:
    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, float):
            yield value
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from numbers(one)

    return all(map(math.isfinite, numbers(msgspec.to_builtins(report))))


def _shared(folder: Path, name: str) -> Any:
    """A file as it is exchanged: without a path, and without settings that say nothing about how the model is asked."""
    if name == CONFIG:
        config = json.loads((folder / CONFIG).read_bytes())
        base = Path(model_folder.read_info(folder).base_model).name
        return dict(sorted({**config, "base_model_name_or_path": base}.items()))
    if name == REPORT:
        return msgspec.to_builtins(read_record(folder / REPORT, FusionReport, SCHEMA, _HINT))
    info = model_folder.read_info(folder)
    settings: dict[str, Any] = msgspec.to_builtins(msgspec.convert(info.settings, RecordedSettings))
    settings.get("git_scraper", {}).pop("email_salt_file", None)  # a file of that machine
    for section, key in _KEPT:
        if (value := info.settings.get(section, {}).get(key)) is not None:
            settings.setdefault(section, {})[key] = value
    return msgspec.to_builtins(msgspec.structs.replace(info, settings=settings))


def _add(archive: tarfile.TarFile, name: str, size: int, source: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)  # of no time and of nobody
    member.size = size
    archive.addfile(member, source)


@contextmanager
def _refused_in_words(folder: Path) -> Iterator[None]:
    """Errors as refusals that do not name the folder, which is of no interest to whoever sends an adapter."""
    try:
        yield
    except RefusedOperationError:
        raise
    except UserError as error:
        message = error.message.replace(f"{folder}/", "").replace(str(folder), "the adapter")
        raise RefusedOperationError("invalid", message, error.hint) from None
    except tarfile.TarError as error:
        hint = "send the files of an adapter as a plain tar archive, without compression"
        raise RefusedOperationError("invalid", f"this is no tar archive, or it is cut off: {error}", hint) from None


class _Parts(io.RawIOBase):
    """Bytes that come in parts, as a file to read. What may be read is allowed before."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts, self._held, self._left = iter(parts), memoryview(b""), _SLACK

    def allow(self, count: int) -> None:
        """So many bytes may be read from now on."""
        self._left = count

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes. Raises UserError where more are read than an archive has."""
        while not self._held:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._held = memoryview(part)
        count = min(len(self._held), len(buffer))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        self._left -= count
        if self._left < 0:
            raise UserError("there is more between or behind the files than an archive needs", "send the files alone")
        return count

    def drain(self) -> None:
        """Read what is behind the archive: zeros that fill up its last block."""
        while self.read(_SLACK):
            pass
