"""The tokenizer of a run: a lossless Hugging Face tokenizer plus our own tokens, and its files.

Our own tokens are the markers of the grammar, and one for each value of an open field (a path, an
author) that is frequent enough to have got one. vocab.json holds all ids for programs without a
tokenizer library; tokenizer/ loads with `transformers.AutoTokenizer.from_pretrained`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.files import write_json
from core.records.lines import DAMAGED
from core.text.encoder import Encoder
from core.text.grammar import HUNK_MARKERS, MARKERS, NAMED_FIELDS, Marker, Pieces, spelled
from core.text.lossless import lossless

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNK = "<PAD>", "<UNK>"
STANDALONE = "standalone"
Value = tuple[Marker, str]
"""An open field and a text in it."""
_PROBES = (
    "fn main() {\n\tlet x = 1;\r\n}\r\r\n",
    " leading, trailing and   inner  ",
    "e\u0301 \u00e9 \u2028 \x00 \x85 \u200b",
    "<COMMIT_START><CODE_END> <|endoftext|> <s> </s> <|im_start|>",
    "日本語 🎉 \ud7ff\uffff",
    # Every byte that UTF-8 can hold: all single ones, all continuations, all leads.
    "".join(map(chr, range(0x100)))
    + "".join(chr(code) for code in range(0x100, 0x10FFFF, 0x40) if not 0xD800 <= code < 0xE000),
)


@dataclass
class Vocabulary:
    """A tokenizer with markers. `base_model` is "standalone" where it was trained on the history itself."""

    tokenizer: Tokenizer
    markers: dict[str, int]
    pad_id: int
    base_model: str
    values: dict[Value, int] = field(default_factory=dict)
    """Ids of values that have a token of their own."""
    origin: dict[str, Any] = field(default_factory=dict)
    """How it was made, as recorded in vocab.json."""
    _encoder: Encoder | None = field(default=None, repr=False)
    _added: dict[int, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of_base_model(
        cls, tokenizer: Tokenizer, pad_token: str | None, name: str, values: Sequence[Value] = ()
    ) -> Vocabulary:
        """A base model's tokenizer, made lossless, with our tokens in its reserved places and behind its own."""
        own = [str(marker) for marker in MARKERS] + [_name(value) for value in values]
        vocabulary = cls.with_markers(lossless(tokenizer, own), name, values)
        vocabulary.pad_id = vocabulary.tokenizer.token_to_id(pad_token or "") or 0
        return vocabulary

    @classmethod
    def with_markers(
        cls,
        tokenizer: Tokenizer,
        base_model: str,
        values: Iterable[Value] = (),
        markers: Sequence[Marker] = MARKERS,
    ) -> Vocabulary:
        """A tokenizer with our tokens (added where they are missing) as they must be used."""
        from tokenizers import AddedToken

        values = list(values)
        names = [*map(str, markers), *map(_name, values)]
        tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
        tokenizer.encode_special_tokens = True  # in text, "<CODE_END>" is ten characters like any others
        entries = tokenizer.get_vocab(with_added_tokens=True)
        ids = {name: entries[name] for name in names}
        made = cls(
            tokenizer,
            markers={str(marker): ids[marker] for marker in markers},
            pad_id=tokenizer.token_to_id(PAD) or 0,
            base_model=base_model,
            values={value: ids[_name(value)] for value in values},
        )
        made._added.update((ids[marker], marker) for marker in markers)
        made._added.update((id_, text) for (_, text), id_ in made.values.items())
        return made

    @classmethod
    def load(cls, vocab_json: Path, tokenizer_dir: Path) -> Vocabulary:
        """Read what `save` wrote. Raises UserError where the two do not fit together."""
        info = read_vocab(vocab_json)
        values, hint = info["values"], "run the tokenizer stage again"
        vocabulary = cls.read(tokenizer_dir, info["base_model"], values, info["pad_id"], hint)
        fits = type(vocabulary.pad_id) is int and 0 <= vocabulary.pad_id < vocabulary.size
        if not fits or vocabulary.markers != info["markers"] or vocabulary.spelled_values() != values:
            raise UserError(f"{vocab_json} and {tokenizer_dir} do not match", hint)
        vocabulary.origin = info["about"]
        return vocabulary

    @classmethod
    def read(
        cls, folder: Path, base_model: str, values: Mapping[str, Mapping[str, int]], pad_id: int, hint: str
    ) -> Vocabulary:
        """The vocabulary of a folder with a tokenizer.json; `values` as `spelled_values` wrote them.

        Raises UserError with `hint` where there is no tokenizer.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # noqa: BLE001 - the library raises nothing more exact
            raise UserError(f"the tokenizer in {folder} cannot be loaded: {error}", hint) from None
        known = [one for one in MARKERS if one not in HUNK_MARKERS or tokenizer.token_to_id(one) is not None]
        vocabulary = cls.with_markers(tokenizer, base_model, values_of(values), known)
        vocabulary.pad_id = pad_id
        return vocabulary

    @property
    def size(self) -> int:
        """Number of rows that a model's embedding needs: one more than the highest id."""
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    @property
    def own_ids(self) -> list[int]:
        """Ids of markers and values: all that a base model has never seen."""
        return sorted(self._added)

    def encode(self, sequences: Sequence[Pieces]) -> list[list[int]]:
        """Ids of each sequence. Text is encoded as text even where it spells a marker."""
        if self._encoder is None:
            self._encoder = Encoder(self.tokenizer)
        texts: list[str] = []
        for pieces in sequences:
            texts += (text for text, own in self._with_own(pieces) if own is None)
        encoded = iter(self._encoder.encode(texts))
        made = []
        for pieces in sequences:
            ids: list[int] = []
            for _, own in self._with_own(pieces):
                ids += next(encoded) if own is None else (own,)
            made.append(ids)
        return made

    def _with_own(self, pieces: Pieces) -> Iterator[tuple[str, int | None]]:
        """Each piece with its token, where it has one of its own: a marker, or a value in its field."""
        place: Marker | None = None
        for piece in pieces:
            if type(piece) is Marker:
                place = piece
                yield piece, self.markers[piece]
            else:
                yield piece, self.values.get((place, piece)) if place in NAMED_FIELDS else None

    def pieces(self, ids: Sequence[int]) -> Pieces:
        """Markers and text: exactly those that were encoded, but for empty texts."""
        return self.all_pieces([ids])[0]

    def all_pieces(self, sequences: Iterable[Sequence[int]]) -> list[Pieces]:
        """The same for many sequences at once, which is several times faster."""
        found: list[Pieces] = []
        runs: list[Sequence[int]] = []
        places: list[tuple[Pieces, int]] = []
        for ids in sequences:
            pieces: Pieces = []
            bounds = [-1, *(place for place, id_ in enumerate(ids) if id_ in self._added), len(ids)]
            for before, end in itertools.pairwise(bounds):
                if before + 1 < end:
                    places.append((pieces, len(pieces)))
                    runs.append(ids[before + 1 : end])
                    pieces.append("")
                if end < len(ids):
                    pieces.append(self._added[ids[end]])
            found.append(pieces)
        texts = self.tokenizer.decode_batch(runs, skip_special_tokens=False)
        for (pieces, place), text in zip(places, texts, strict=True):
            pieces[place] = text
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """The text, markers spelled out: exactly the joined pieces that were encoded."""
        return "".join(self.pieces(ids))

    def check_lossless(self) -> None:
        """Raise UserError if the tokenizer loses or changes text."""
        for probe in _PROBES:
            pieces: Pieces = [MARKERS[0], probe, MARKERS[1]]
            back = self.pieces(self.encode([pieces])[0])
            if back != pieces:
                raise UserError(
                    f"the tokenizer of {self.base_model} does not reproduce text exactly: {probe!r} became {back!r}",
                    "use a base model with a byte-level tokenizer",
                )

    def spelled_values(self) -> dict[str, dict[str, int]]:
        """Ids of values by field and text, JSON-ready."""
        found: dict[str, dict[str, int]] = {}
        for (place, text), id_ in self.values.items():
            found.setdefault(NAMED_FIELDS[place], {})[text] = id_
        return found

    def save(self, vocab_json: Path, tokenizer_dir: Path) -> None:
        """Write vocab.json and the tokenizer/ folder."""
        from transformers import PreTrainedTokenizerFast

        token_to_id = dict(sorted(self.tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1]))
        info: dict[str, Any] = {
            "token_to_id": token_to_id,
            "id_to_token": {str(id_): token for token, id_ in token_to_id.items()},
            "vocab_size": len(token_to_id),
            "base_model": self.base_model,
            "pad_id": self.pad_id,
            "markers": self.markers,
            "values": self.spelled_values(),
            "about": self.origin,
        }
        write_json(vocab_json, info)
        PreTrainedTokenizerFast(
            tokenizer_object=self.tokenizer,
            pad_token=self.tokenizer.id_to_token(self.pad_id),
            clean_up_tokenization_spaces=False,
            split_special_tokens=True,  # in transformers, too, text that spells a marker stays text
        ).save_pretrained(tokenizer_dir)


def values_of(spelled_values: Mapping[str, Mapping[str, int]]) -> list[Value]:
    """The values that `spelled_values` wrote, in the order of their ids."""
    places = {name: place for place, name in NAMED_FIELDS.items()}
    found = [((places[name], text), id_) for name, texts in spelled_values.items() for text, id_ in texts.items()]
    return [value for value, _ in sorted(found, key=lambda item: item[1])]


def read_vocab(path: Path) -> dict[str, Any]:
    """vocab.json. Raises UserError if it is not a vocabulary of Gitlore."""
    try:
        info: dict[str, Any] = json.loads(path.read_bytes())
    except DAMAGED as error:
        raise UserError(f"{path} is not valid JSON: {error}", "run the tokenizer stage again") from None
    if not isinstance(info, dict):
        raise UserError(f"{path} is not a vocabulary of Gitlore", "run the tokenizer stage again")
    if missing := {"token_to_id", "markers", "values", "base_model", "pad_id", "about"} - info.keys():
        raise UserError(f"{path} lacks {', '.join(sorted(missing))}", "run the tokenizer stage again")
    tables = (info["token_to_id"], info["markers"], info["values"], info["about"], *_tables(info["values"]))
    if not all(isinstance(table, dict) for table in tables):
        raise UserError(f"{path} is damaged", "run the tokenizer stage again")
    return info


def _tables(values: Any) -> list[Any]:
    return list(values.values()) if isinstance(values, dict) else []


def _name(value: Value) -> str:
    place, text = value
    return spelled(NAMED_FIELDS[place], text)
