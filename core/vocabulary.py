"""The tokenizer of a run: a lossless Hugging Face tokenizer plus our markers, and its files.

vocab.json holds the ids for programs without a tokenizer library; tokenizer/ loads with
`transformers.PreTrainedTokenizerFast.from_pretrained`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.commit_grammar import MARKERS, Marker, Pieces
from core.errors import UserError
from core.files import write_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNK = "<PAD>", "<UNK>"
STANDALONE = "standalone"
# Whole identifiers, runs of digits, of operators and of white space, each with its leading blank.
_PRETOKEN = r" ?[\p{L}_][\p{L}\p{N}_]*| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}_]+|\r?\n[\r\n]*[ \t]*|[ \t]+(?!\S)|\s+"
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

    @classmethod
    def of_base_model(cls, tokenizer: Tokenizer, pad_token: str | None, name: str) -> Vocabulary:
        """A base model's tokenizer, made lossless, with our markers added behind its own tokens."""
        lossless = _lossless(tokenizer)
        vocabulary = cls.with_markers(lossless, name)
        vocabulary.pad_id = lossless.token_to_id(pad_token or "") or 0
        return vocabulary

    @classmethod
    def trained(cls, texts: Iterable[str], vocab_size: int) -> Vocabulary:
        """A byte-level BPE trained on `texts`, at most `vocab_size` entries; PAD is 0, UNK 1."""
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PRETOKEN), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[PAD, UNK, *map(str, MARKERS)],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls.with_markers(tokenizer, STANDALONE)

    @classmethod
    def load(cls, vocab_json: Path, tokenizer_dir: Path) -> Vocabulary:
        """Read what `save` wrote. Raises UserError where the two do not fit together."""
        from tokenizers import Tokenizer

        about = read_vocab(vocab_json)
        try:
            tokenizer = Tokenizer.from_file(str(tokenizer_dir / "tokenizer.json"))
        except Exception as error:  # noqa: BLE001 - the library raises nothing more exact
            raise UserError(f"{tokenizer_dir} holds no tokenizer: {error}", "run the tokenizer stage") from None
        vocabulary = cls.with_markers(tokenizer, about["base_model"])
        if vocabulary.markers != about["markers"]:
            raise UserError(f"{vocab_json} and {tokenizer_dir} do not belong together", "run the tokenizer stage again")
        vocabulary.pad_id = about["pad_id"]
        return vocabulary

    @property
    def size(self) -> int:
        """Number of ids: rows that a model's embedding needs."""
        return self.tokenizer.get_vocab_size(with_added_tokens=True)

    def encode(self, sequences: Sequence[Pieces]) -> list[list[int]]:
        """Ids of each sequence. Text is encoded as text even where it spells a marker."""
        texts = [piece for pieces in sequences for piece in pieces if not isinstance(piece, Marker)]
        encodings = iter(self.tokenizer.encode_batch_fast(texts, add_special_tokens=False))
        return [
            [
                id_
                for piece in pieces
                for id_ in ((self.markers[piece],) if isinstance(piece, Marker) else next(encodings).ids)
            ]
            for pieces in sequences
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text, markers spelled out: exactly the joined pieces that were encoded."""
        return self.tokenizer.decode(ids, skip_special_tokens=False)

    def check_lossless(self) -> None:
        """Raise UserError if the tokenizer loses or changes text."""
        for probe in _PROBES:
            pieces: Pieces = [MARKERS[0], probe, MARKERS[1]]
            back = self.decode(self.encode([pieces])[0])
            if back != "".join(pieces):
                raise UserError(
                    f"the tokenizer of {self.base_model} does not give text back exactly: {probe!r} became {back!r}",
                    "take a base model with a byte-level tokenizer",
                )

    def save(self, vocab_json: Path, tokenizer_dir: Path) -> None:
        """Write vocab.json and the tokenizer/ folder."""
        from transformers import PreTrainedTokenizerFast

        token_to_id = dict(sorted(self.tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1]))
        about: dict[str, Any] = {
            "token_to_id": token_to_id,
            "id_to_token": {str(id_): token for token, id_ in token_to_id.items()},
            "vocab_size": len(token_to_id),
            "base_model": self.base_model,
            "pad_id": self.pad_id,
            "markers": self.markers,
        }
        write_json(vocab_json, about)
        PreTrainedTokenizerFast(
            tokenizer_object=self.tokenizer,
            pad_token=self.tokenizer.id_to_token(self.pad_id),
            clean_up_tokenization_spaces=False,
        ).save_pretrained(tokenizer_dir)

    @classmethod
    def with_markers(cls, tokenizer: Tokenizer, base_model: str) -> Vocabulary:
        """A tokenizer with our markers (added where they are missing) as they must be used."""
        from tokenizers import AddedToken

        tokenizer.add_special_tokens([AddedToken(str(marker), special=True, normalized=False) for marker in MARKERS])
        tokenizer.encode_special_tokens = True  # in text, "<CODE_END>" is ten characters like any others
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        ids = {str(marker): vocabulary[marker] for marker in MARKERS}
        return cls(tokenizer, ids, pad_id=tokenizer.token_to_id(PAD) or 0, base_model=base_model)


def read_vocab(path: Path) -> dict[str, Any]:
    """vocab.json. Raises UserError where it is not one of ours."""
    try:
        about: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}", "run the tokenizer stage again") from None
    if missing := {"token_to_id", "markers", "base_model", "pad_id"} - about.keys():
        raise UserError(f"{path} lacks {', '.join(sorted(missing))}", "run the tokenizer stage again")
    return about


def _lossless(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that gives back what it was given: nothing normalised, no blank put in front or stripped.

    Added tokens all become special ones, since only those can be kept from matching inside text.
    """
    from tokenizers import Tokenizer

    parts = json.loads(tokenizer.to_str())
    _complete_alphabet(parts)
    for token in parts["added_tokens"]:
        token["special"] = True
    parts["normalizer"] = _without(
        parts["normalizer"], "normalizers", ("NFC", "NFD", "NFKC", "NFKD", "Prepend", "Strip")
    )
    parts["decoder"] = _without(parts["decoder"], "decoders", ("Strip",))
    for part in (parts["pre_tokenizer"], parts["decoder"]):
        for item in _components(part):
            if item["type"] == "Metaspace":
                item["prepend_scheme"] = "never"
            elif item["type"] == "ByteLevel" and part is parts["pre_tokenizer"]:
                item["add_prefix_space"] = False
    return Tokenizer.from_str(json.dumps(parts))


def _complete_alphabet(parts: dict[str, Any]) -> None:
    """Give a byte-level vocabulary the bytes it never met; without an entry a byte would vanish."""
    from tokenizers import pre_tokenizers

    if not any(item["type"] == "ByteLevel" for item in _components(parts["decoder"])):
        return
    entries = parts["model"]["vocab"]
    missing = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - entries.keys())
    if not missing:
        return
    # An added token that is no entry is numbered after the last entry: as entries they keep their ids.
    entries.update({token["content"]: token["id"] for token in parts["added_tokens"]})
    first_free = max(entries.values()) + 1
    entries.update({symbol: first_free + number for number, symbol in enumerate(missing)})


def _components(part: dict[str, Any] | None) -> list[dict[str, Any]]:
    if part is None:
        return []
    for key in ("normalizers", "pretokenizers", "decoders"):
        if key in part:
            return list(part[key])
    return [part]


def _without(part: dict[str, Any] | None, key: str, types: Sequence[str]) -> dict[str, Any] | None:
    if part is None or part["type"] in types:
        return None
    if part["type"] == "Sequence":
        kept = [item for item in part[key] if item["type"] not in types]
        return {**part, key: kept} if kept else None
    return part
