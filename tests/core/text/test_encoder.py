"""Cut into lines or not, a text has the same tokens; and a line is encoded once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from core.text import encoder
from core.text.encoder import PRETOKEN, Encoder, cut_of

WORDS = ["fn", "main", "_x", "é", "7", "42", "'s", "'", ";", ");", "{", "#", "\x00", "<s>", "日", "🎉", "e\u0301"]
BLANKS = [
    " ",
    "  ",
    "    ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\xa0",
    "\u2028",
    "\u3000",
]
PARTS = [*WORDS, *BLANKS, "\n    ", "\n\t", ";\n", ");\n    ", "x\n", "x \n", " \n \n", "\n#"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=14).map("".join)


def byte_level(*, prefix: bool = False, pattern: bool = True) -> Any:
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern)


def trained(*steps: Any) -> Tokenizer:
    """BPE with many entries that span what a wrong cut would part."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(steps)) if len(steps) > 1 else steps[0]
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([a + b + c for a in PARTS for b in PARTS for c in PARTS[::3]], trainer)
    return tokenizer


def split(pattern: str) -> Any:
    return pre_tokenizers.Split(Regex(pattern), "isolated")


CUT = {
    "GPT-2": trained(byte_level()),
    "digits": trained(pre_tokenizers.Digits(individual_digits=True), byte_level()),
    "ours": trained(split(PRETOKEN), byte_level(pattern=False)),
}
WHOLE = {
    "prefix": trained(byte_level(prefix=True)),
    "another pattern": trained(split(r"\S+\s*|\s+"), byte_level(pattern=False)),
    "none": trained(byte_level(pattern=False)),
}


@settings(max_examples=600)
@given(st.sampled_from(sorted(CUT)), st.lists(TEXTS, max_size=3))
def test_cut_texts_have_the_tokens_of_the_whole(kind: str, texts: list[str]) -> None:
    tokenizer = CUT[kind]
    encoding = Encoder(tokenizer)
    whole = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert encoding.encode(texts) == whole
    assert encoding.encode(texts) == whole  # from memory


class Counting:
    """A tokenizer that counts what it is asked for."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def encode_batch_fast(self, texts: list[str], **settings: Any) -> Any:
        self.asked += texts
        return self._tokenizer.encode_batch_fast(texts, **settings)


@pytest.mark.parametrize("kind", CUT)
def test_a_line_is_encoded_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting: Any = Counting(CUT[kind])
    encoding = Encoder(counting)
    encoding.encode(["fn a() {\nx;\n}", "fn b() {\nx;\n}"])
    assert len(counting.asked) == len(set(counting.asked)) == 4
    encoding.encode(["fn b() {\nx;\nx;\nz;\n}"])
    assert len(counting.asked) == 5
    monkeypatch.setattr(encoder, "_MOST_REMEMBERED", 3)
    encoding.encode(["x" * 500, "y"])
    encoding.encode(["x" * 500, "y"])
    assert counting.asked[5:] == ["x" * 500, "y", "x" * 500]  # long parts are not kept


@pytest.mark.parametrize("kind", WHOLE)
def test_a_tokenizer_of_another_kind_gets_whole_texts(kind: str) -> None:
    assert cut_of(WHOLE[kind]) is None
    counting: Any = Counting(WHOLE[kind])
    Encoder(counting).encode(["a;\n  b", "a;\n  b", ""])
    assert counting.asked == ["a;\n  b", ""]


def test_a_normalizer_may_join_what_is_cut() -> None:
    tokenizer = trained(byte_level())
    tokenizer.normalizer = normalizers.NFC()
    assert cut_of(tokenizer) is None
