"""What tokens.pt knows of its sequences, in columns: some hundred bytes for each, however long it is."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.text.stored_sequences import About


@dataclass(slots=True)
class Run:
    """Consecutive sequences of one commit: those from `first` up to `last`."""

    hash: str
    repository: str
    timestamp: str
    digest: str
    first: int
    last: int


class Abouts:
    """Columns that grow by a row for each sequence. A symbol is a number that only the same path and name have."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._symbols, self._earlier_symbols = array("Q"), array("Q")
        self._text_bytes, self._repositories, self._change_types = array("I"), array("I"), array("I")
        self._repository_names: dict[str, int] = {}
        self._change_type_names: dict[str, int] = {}
        self._ids, self._id_ends = bytearray(), array("Q", [0])

    def add(self, about: About) -> None:
        """Append a row."""
        number = len(self._symbols)
        self._add_to_run(number, about)
        path, symbol = about.get("file_path", ""), about.get("symbol", "")
        own = _number_of(path, symbol)
        moved = "old_path" in about or "old_symbol" in about
        self._symbols.append(own)
        self._earlier_symbols.append(
            _number_of(about.get("old_path") or path, about.get("old_symbol") or symbol) if moved else own
        )
        self._text_bytes.append(about.get("text_bytes", 0))
        for column, names, name in (
            (self._repositories, self._repository_names, about.get("repository", "")),
            (self._change_types, self._change_type_names, about.get("change_type", "")),
        ):
            column.append(names.setdefault(name, len(names)))
        self._ids += about.get("chunk_id", "").encode()
        self._id_ends.append(len(self._ids))

    def __len__(self) -> int:
        return len(self._symbols)

    @property
    def symbols(self) -> NDArray[np.uint64]:
        """The symbol of each sequence."""
        return np.array(self._symbols, np.uint64)

    @property
    def earlier_symbols(self) -> NDArray[np.uint64]:
        """The symbol that each sequence's was before the commit: mostly the same."""
        return np.array(self._earlier_symbols, np.uint64)

    @property
    def repositories(self) -> NDArray[np.uint32]:
        """A number for the repository of each sequence."""
        return np.array(self._repositories, np.uint32)

    @property
    def text_bytes(self) -> NDArray[np.uint64]:
        """Bytes of text of each sequence."""
        return np.array(self._text_bytes, np.uint64)

    def change_types(self, sequences: NDArray[np.int64]) -> list[str]:
        """The change types of some sequences, in order."""
        names = list(self._change_type_names)
        return [names[self._change_types[number]] for number in sequences.tolist()]

    def chunk_id(self, sequence: int) -> str:
        """The chunk that a sequence was made of."""
        return self._ids[self._id_ends[sequence] : self._id_ends[sequence + 1]].decode()

    def _add_to_run(self, number: int, about: About) -> None:
        key = about.get("commit_hash", ""), about.get("repository", ""), about.get("digest", "")
        last = self.runs[-1] if self.runs else None
        if last is None or key != (last.hash, last.repository, last.digest):
            last = Run(key[0], key[1], about.get("timestamp", ""), key[2], number, number)
            self.runs.append(last)
        last.last = number + 1


def _number_of(path: str, symbol: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{path}\0{symbol}".encode(), digest_size=8).digest(), "little")
