"""tokens.pt read as a stream: what is known of each sequence one by one, the ids where they are asked for."""

from __future__ import annotations

import pickle
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import msgspec
import numpy as np

from core.errors import UserError
from core.text.mapped import Mapped, record
from core.text.stream import Positions

About = dict[str, Any]
"""What is known of a sequence: texts and whole numbers."""


@dataclass
class StoredSequences:
    """The sequences of a tokens.pt: sequence i is `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Mapped
    offsets: Positions


def read_sequences(path: Path, take: Callable[[About], None]) -> StoredSequences:
    """Call `take` with what is known of each sequence, in order. Raises UserError where the file is not a tokens.pt."""
    try:
        start, _ = record(path, "data.pkl")
        with path.open("rb") as file:
            file.seek(start)
            reader = _Reader(file, take)
            reader.check(reader.load())
        ids = Mapped.store(path, 0) if reader.ends[-1] else Mapped(None, np.empty(0, np.int32))
        reader.check_size(len(ids))
    except _DamagedError:
        raise UserError(f"{path} is damaged", "run tokenizer again") from None
    except (zipfile.BadZipFile, pickle.UnpicklingError, *_BROKEN_PICKLE) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UserError(f"{path} cannot be read: {reason}", "run tokenizer again") from None
    return StoredSequences(ids, np.frombuffer(reader.ends, np.int64))


class EarlierTokens:
    """The sequences of an earlier tokens.pt, found by the digest of their commit's chunks."""

    def __init__(self, path: Path, scratch: Path) -> None:
        """Raises UserError if the file is damaged, or not a tokens.pt; `scratch` is for what is known of sequences."""
        self.places: dict[str, tuple[int, int]] = {}
        ends, encode = array("q", [0]), msgspec.json.Encoder().encode
        last: str | None = None
        with tempfile.TemporaryFile(dir=scratch) as lines:

            def keep(about: About) -> None:
                nonlocal last
                number, digest = len(ends) - 1, about.get("digest", "")
                first = self.places[digest][0] if digest == last else number
                self.places[digest], last = (first, number + 1), digest
                line = encode(about) + b"\n"
                lines.write(line)
                ends.append(ends[-1] + len(line))

            self._stored = read_sequences(path, keep)
            lines.flush()
            self._lines, self._ends = Mapped.of(lines, 0, ends[-1], np.uint8), ends
        self.places.pop("", None)

    def of(self, digest: str) -> Iterator[tuple[bytes, About]]:
        """(ids as int32, what is known) of each sequence of a commit."""
        offsets = self._stored.offsets
        for number in range(*self.places[digest]):
            line = self._lines[self._ends[number] : self._ends[number + 1]].tobytes()
            yield self._stored.ids[offsets[number] : offsets[number + 1]].tobytes(), msgspec.json.decode(line)


_BROKEN_PICKLE = (EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
"""What pickle raises of bytes that are no pickle, besides its own error."""


class _DamagedError(Exception):
    """A pickle that does not hold what the tokenizer writes."""


class _List:
    """Stands for a list while it is read, and hands on its items instead of holding them."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        self._take = take
        self.count = 0

    def append(self, item: Any) -> None:
        self._take(item)
        self.count += 1

    def extend(self, items: Iterable[Any]) -> None:
        for item in items:
            self.append(item)


class _Reader(pickle._Unpickler):  # noqa: SLF001 - the one whose opcodes can be given other meanings
    """Reads the pickle of a tokens.pt without holding its lists; it makes nothing but texts, numbers and dicts.

    Of what comes again by its number, it remembers texts and names: all that the tokenizer's pickle repeats.
    """

    def __init__(self, file: IO[bytes], take: Callable[[About], None]) -> None:
        super().__init__(file)
        self.ends = array("q", [0])
        self.tokens, self.abouts = _List(self._take_sequence), _List(self._take_about)
        self._take = take
        self._lists = iter((self.tokens, self.abouts))
        self._makers: dict[tuple[str, str], Any] = {
            ("torch._utils", "_rebuild_tensor_v2"): lambda *given: given,
            ("torch", "IntStorage"): "int32",
            ("collections", "OrderedDict"): dict,
        }

    def find_class(self, module: str, name: str, /) -> Any:
        """One of the few names that may stand in the file."""
        if (module, name) not in self._makers:
            raise _DamagedError
        return self._makers[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """A store: ("storage", type, key, place, size)."""
        return pid

    def check(self, value: Any) -> None:
        """Raise where the whole is not the two lists, equally long."""
        lists = [value.get("tokens"), value.get("metadata")] if isinstance(value, dict) else []
        if lists != [self.tokens, self.abouts] or self.tokens.count != self.abouts.count:
            raise _DamagedError

    def check_size(self, size: int) -> None:
        """Raise where the store has more or fewer ids than its sequences."""
        if size != self.ends[-1]:
            raise _DamagedError

    def _take_sequence(self, view: Any) -> None:
        if not isinstance(view, tuple):
            raise _DamagedError
        (_, kind, *_), offset, shape, strides, *_ = view
        if (kind, offset, len(shape), strides) != ("int32", self.ends[-1], 1, (1,)):
            raise _DamagedError
        self.ends.append(offset + shape[0])

    def _take_about(self, about: Any) -> None:
        names = ("commit_hash", "timestamp", "digest")
        if not isinstance(about, dict) or not all(type(about.get(name, "")) is str for name in names):
            raise _DamagedError
        self._take(about)

    def _load_list(self) -> None:
        made = next(self._lists, None)
        if made is None:
            raise _DamagedError
        self.append(made)  # type: ignore[attr-defined]

    def _remember(self, number: int) -> None:
        last = self.stack[-1]  # type: ignore[attr-defined]
        if type(last) is str or callable(last):
            self.memo[number] = last  # type: ignore[attr-defined]

    def _load_binput(self) -> None:
        self._remember(self.read(1)[0])  # type: ignore[attr-defined]

    def _load_long_binput(self) -> None:
        self._remember(int.from_bytes(self.read(4), "little"))  # type: ignore[attr-defined]

    dispatch: ClassVar[dict[int, Any]] = pickle._Unpickler.dispatch | {  # noqa: SLF001
        pickle.EMPTY_LIST[0]: _load_list,
        pickle.BINPUT[0]: _load_binput,
        pickle.LONG_BINPUT[0]: _load_long_binput,
    }
