"""Text in, the same text out, whatever it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from core.commit_grammar import CODE_END, CODE_START, COMMIT_START, MARKERS
from core.errors import UserError
from core.vocabulary import PAD, UNK, Vocabulary

TEXTS = ["fn main() { let x = 1; }\n", "def part(x):\n    return x\n"] * 20


def trained() -> Vocabulary:
    return Vocabulary.trained(TEXTS, 600)


def byte_level_base() -> Vocabulary:
    """Like Qwen or SmolLM2: byte-level, an NFC normalizer, an added token that is not special, rare bytes missing."""
    symbols = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - {"Ķ", "ċ", "ÿ"})
    alphabet = {symbol: number for number, symbol in enumerate(symbols)}
    base = Tokenizer(models.BPE(alphabet, []))
    base.normalizer = normalizers.NFC()
    base.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    base.decoder = decoders.ByteLevel()
    base.add_special_tokens(["<|end|>"])
    base.add_tokens([AddedToken("<fim>", special=False)])
    return Vocabulary.of_base_model(base, "<|end|>", "byte-level")


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


VOCABULARIES = {"trained": trained(), "byte-level": byte_level_base(), "sentencepiece": sentencepiece_base()}


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_lossless_by_its_own_check(kind: str) -> None:
    VOCABULARIES[kind].check_lossless()


HARD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")),
    st.sampled_from([*MARKERS, "<|end|>", "<fim>", "<s>", PAD, UNK, "e\u0301", "\r", "\r\n\r", " ", "\t ", "\x00"]),
).map(str)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(VOCABULARIES)), st.lists(HARD, min_size=1, max_size=4))
def test_any_text_round_trips(kind: str, texts: list[str]) -> None:
    vocabulary = VOCABULARIES[kind]
    pieces = [COMMIT_START, *texts, CODE_START, "".join(texts), CODE_END]
    ids = vocabulary.encode([pieces])[0]
    assert vocabulary.decode(ids) == "".join(pieces)
    structural = [id_ for id_ in ids if id_ in vocabulary.markers.values()]
    assert structural == [vocabulary.markers[m] for m in (COMMIT_START, CODE_START, CODE_END)]


def test_ids_of_the_base_model_stay(tmp_path: Path) -> None:
    vocabulary = byte_level_base()
    ids = [vocabulary.tokenizer.token_to_id(token) for token in ("<|end|>", "<fim>")]
    assert ids == [253, 254]
    assert min(vocabulary.markers.values()) > 254
    assert len(set(vocabulary.tokenizer.get_vocab().values())) == vocabulary.size
    vocabulary.save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    again = Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
    assert again.tokenizer.get_vocab() == vocabulary.tokenizer.get_vocab()
    again.check_lossless()


def test_a_lossy_tokenizer_is_refused() -> None:
    base = Tokenizer(models.WordLevel({"<unk>": 0, "fn": 1}, unk_token="<unk>"))
    base.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UserError, match="does not give text back"):
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
    assert theirs.convert_tokens_to_ids(str(CODE_START)) == vocabulary.markers[CODE_START]
    assert theirs.decode(vocabulary.encode([["  a  b "]])[0]) == "  a  b "


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    trained().save(tmp_path / "vocab.json", tmp_path / "tokenizer")
    byte_level_base().save(tmp_path / "other.json", tmp_path / "other")
    with pytest.raises(UserError, match="do not belong together"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "other")
    with pytest.raises(UserError, match="no tokenizer"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "nowhere")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(UserError, match="lacks"):
        Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
