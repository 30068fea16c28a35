"""Any text is encoded and decoded to the same text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from core.errors import UserError
from core.text.grammar import AUTHOR, CODE_END, CODE_START, COMMIT_START, FILE_START, MARKERS, MESSAGE
from core.text.lossless import spare_rows
from core.text.vocabulary import PAD, UNK, Vocabulary
from core.text.vocabulary_training import TrainingText, train

TEXTS = ["fn main() { let x = 1; }\n", "def part(x):\n    return x\n"] * 20


def trained() -> Vocabulary:
    values = [[FILE_START, "src/lib.rs", AUTHOR, "Ada"]] * 3
    return train(TrainingText([[CODE_START, text] for text in TEXTS] + values), 700, most_values=2)


def byte_level_base() -> Tokenizer:
    """Like Qwen or SmolLM2: byte-level, an NFC normalizer, an added token that is not special, rare bytes missing."""
    symbols = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - {"Ķ", "ċ", "ÿ"})
    alphabet = {symbol: number for number, symbol in enumerate(symbols)}
    base = Tokenizer(models.BPE(alphabet, []))
    base.normalizer = normalizers.NFC()
    base.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    base.decoder = decoders.ByteLevel()
    base.add_special_tokens(["<|end|>"])
    base.add_tokens([AddedToken("<fim>", special=False)])
    return base


def byte_level_vocabulary() -> Vocabulary:
    return Vocabulary.of_base_model(byte_level_base(), "<|end|>", "byte-level", [(FILE_START, "src/lib.rs")])


def sentencepiece_base() -> Vocabulary:
    """Like Llama 2: a blank put in front and stripped again, bytes as a fallback."""
    entries = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for byte in range(256):
        entries[f"<0x{byte:02X}>"] = len(entries)
    for letter in "▁abcdefghijklmnopqrstuvwxyz":
        entries[letter] = len(entries)
    base = Tokenizer(models.BPE(entries, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    base.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    base.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    base.add_special_tokens(["<s>", "</s>"])
    return Vocabulary.of_base_model(base, "</s>", "sentencepiece")


VOCABULARIES = {"trained": trained(), "byte-level": byte_level_vocabulary(), "sentencepiece": sentencepiece_base()}


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_lossless_by_its_own_check(kind: str) -> None:
    VOCABULARIES[kind].check_lossless()


HARD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")),
    st.sampled_from([*MARKERS, "<|end|>", "<fim>", "<s>", PAD, UNK, "e\u0301", "\r", "\r\n\r", " ", "\t ", "\x00"]),
).map(str)


@settings(max_examples=300)
@given(st.sampled_from(sorted(VOCABULARIES)), st.lists(HARD, min_size=1, max_size=4))
def test_any_text_round_trips(kind: str, texts: list[str]) -> None:
    vocabulary = VOCABULARIES[kind]
    text = "".join(texts)
    pieces = [COMMIT_START, FILE_START, text, MESSAGE, text, AUTHOR, "src/lib.rs", CODE_START, text, CODE_END]
    pieces = [piece for piece in pieces if piece]
    ids = vocabulary.encode([pieces])[0]
    assert vocabulary.pieces(ids) == pieces
    assert vocabulary.decode(ids) == "".join(pieces)
    assert vocabulary.all_pieces([ids, [], ids]) == [pieces, [], pieces]
    structural = [id_ for id_ in ids if id_ in vocabulary.markers.values()]
    assert structural == [
        vocabulary.markers[m] for m in (COMMIT_START, FILE_START, MESSAGE, AUTHOR, CODE_START, CODE_END)
    ]


@pytest.mark.parametrize("kind", ["trained", "byte-level"])
def test_a_frequent_value_is_one_token_in_its_field_alone(kind: str) -> None:
    vocabulary = VOCABULARIES[kind]
    (own,) = (id_ for value, id_ in vocabulary.values.items() if value == (FILE_START, "src/lib.rs"))
    start = vocabulary.markers[FILE_START]
    assert vocabulary.encode([[FILE_START, "src/lib.rs"]]) == [[start, own]]
    for pieces in ([CODE_START, "src/lib.rs"], [FILE_START, "src/lib.rs2"], [CODE_START, "<FILE:src/lib.rs>"]):
        ids = vocabulary.encode([pieces])[0]
        assert own not in ids
        assert vocabulary.pieces(ids) == pieces
    assert vocabulary.tokenizer.id_to_token(own) == "<FILE:src/lib.rs>"
    assert own in vocabulary.own_ids


def test_ids_of_the_base_model_stay(tmp_path: Path) -> None:
    vocabulary = byte_level_vocabulary()
    ids = [vocabulary.tokenizer.token_to_id(token) for token in ("<|end|>", "<fim>")]
    assert ids == [253, 254]
    assert min(vocabulary.markers.values()) > 254
    assert len(set(vocabulary.tokenizer.get_vocab().values())) == vocabulary.size
    vocabulary.save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    again = Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
    assert again.values == vocabulary.values
    assert again.tokenizer.get_vocab() == vocabulary.tokenizer.get_vocab()
    again.check_lossless()


def test_a_lossy_tokenizer_is_refused() -> None:
    base = Tokenizer(models.WordLevel({"<unk>": 0, "fn": 1}, unk_token="<unk>"))
    base.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UserError, match="does not reproduce text"):
        Vocabulary.of_base_model(base, None, "words").check_lossless()


def test_standalone_ids_and_files(tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    vocabulary = trained()
    assert (vocabulary.tokenizer.token_to_id(PAD), vocabulary.tokenizer.token_to_id(UNK)) == (0, 1)
    vocabulary.save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    again = Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
    assert again.encode([["fn x", CODE_START]]) == vocabulary.encode([["fn x", CODE_START]])
    assert (again.size, again.pad_id, again.base_model) == (vocabulary.size, 0, "standalone")
    theirs = PreTrainedTokenizerFast.from_pretrained(tmp_path / "tokenizer")
    assert vocabulary.markers[CODE_START] not in theirs("<CODE_START>")["input_ids"]
    assert theirs.convert_tokens_to_ids(str(CODE_START)) == vocabulary.markers[CODE_START]
    assert theirs.decode(vocabulary.encode([["  a  b "]])[0]) == "  a  b "


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    trained().save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    byte_level_vocabulary().save(tmp_path / "other.json", tmp_path / "other")
    with pytest.raises(UserError, match="do not match"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "other")
    with pytest.raises(UserError, match="cannot be loaded"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "nowhere")
    info = json.loads((tmp_path / "vocab.json").read_bytes())
    for pad_id in (-1, 1 << 70, None):
        (tmp_path / "vocab.json").write_text(json.dumps({**info, "pad_id": pad_id}))
        with pytest.raises(UserError, match="do not match"):
            Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(UserError, match="lacks"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")


def test_reserved_tokens_give_their_places_to_ours() -> None:
    base = byte_level_base()
    base.add_special_tokens([f"<|reserved_special_token_{number}|>" for number in range(len(MARKERS) + 1)])
    before = max(base.get_vocab().values())
    assert spare_rows(base, before + 11) == len(MARKERS) + 11
    vocabulary = Vocabulary.of_base_model(base, None, "reserved", [(FILE_START, "a"), (FILE_START, "b")])
    assert vocabulary.size == before + 1 + 3 + 1  # three bytes that were missing, and the one value without a place
    assert vocabulary.markers[COMMIT_START] == base.token_to_id("<|reserved_special_token_0|>")
    assert vocabulary.tokenizer.token_to_id("<|reserved_special_token_0|>") is None
    vocabulary.check_lossless()
