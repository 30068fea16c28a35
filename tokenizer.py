"""Stage 3: chunks as token sequences, lossless, with markers for structure.

    python tokenizer.py --chunks outputs/chunks.jsonl \\
        --output-vocab outputs/vocab.json --output-tokens outputs/tokens.pt

Takes the base model's own tokenizer plus our markers, or trains a byte-level BPE on the older part
of the history (`mode: standalone`). Writes vocab.json, tokenizer/ and tokens.pt: one sequence per
chunk, in order; joined, they are the history in the grammar of core/commit_grammar.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from core import base_models
from core.cli import stage_main
from core.commit_grammar import CodeView, Marker, Pieces, by_commit, serialise
from core.config import EMBEDDED_MODEL, Section
from core.errors import UserError
from core.logs import log
from core.record_files import read_chunks
from core.records import Chunk
from core.stage import Context, Stage
from core.token_files import TokenWriter
from core.vocabulary import STANDALONE, Vocabulary

BATCH_CHUNKS = 512
CORPUS_BYTES_PER_ENTRY = 1500
"""A vocabulary entry needs about this much text to be learnt: 24 MB of Rust filled some 16,000."""


class TokenizerConfig(Section):
    """How text becomes tokens."""

    mode: Literal["base_model", "standalone"] = "base_model"
    """Use the base model's tokenizer, or train one on this history (then the model starts from scratch)."""
    base_model: str = Field(default=EMBEDDED_MODEL, json_schema_extra={"same_as": "model_training.base_model"})
    """Whose tokenizer: "embedded", a folder, or a hub id; taken from model_training.base_model unless set."""
    vocab_size: int = Field(default=0, ge=0)
    """Entries of a standalone vocabulary; 0 picks a size that the text can support."""
    train_share: float = Field(default=0.65, gt=0, le=1)
    """Oldest share of the text that a standalone vocabulary learns from; keep it below dataset_builder.train_ratio."""
    code_view: CodeView = "new"
    """What a sequence shows of a change: the new code, or the diff."""


def run(ctx: Context[TokenizerConfig]) -> None:
    """Write vocab.json, tokenizer/ and tokens.pt."""
    config, path = ctx.config, ctx.input("chunks.jsonl")
    vocabulary = make_vocabulary(path, config, ctx.cache_dir)
    vocabulary.check_lossless()
    vocabulary.save(ctx.output("vocab.json"), ctx.output("tokenizer"))
    text_bytes = 0
    with TokenWriter(ctx.output("tokens.pt")) as out, ctx.progress("tokenizing", unit="chunks") as progress:
        for batch in _batches(path, config.code_view):
            for (chunk, pieces), ids in zip(batch, vocabulary.encode([pieces for _, pieces in batch]), strict=True):
                out.write(ids, describe(chunk))
                text_bytes += sum(len(piece.encode()) for piece in pieces)
                progress.advance()
                ctx.count("sequences")
        total = out.finish()
    if not total:
        raise UserError(f"{path} holds no chunks", "run semantic_chunker again")
    ctx.count("tokens", total)
    ctx.count("vocabulary entries", vocabulary.size)
    log.info("%s tokens for %s bytes of text: %.2f bytes a token", f"{total:,}", f"{text_bytes:,}", text_bytes / total)


def make_vocabulary(chunks: Path, config: TokenizerConfig, cache_dir: Path) -> Vocabulary:
    """The base model's vocabulary with markers, or one trained on the older part of the chunks."""
    if config.mode == STANDALONE:
        corpus_bytes = sum(len(text.encode()) for text in _texts(chunks, config, None))
        train_bytes = int(corpus_bytes * config.train_share)
        size = config.vocab_size or min(max(train_bytes // CORPUS_BYTES_PER_ENTRY // 256 * 256, 1024), 50_257)
        log.info(
            "training a vocabulary of at most %s entries on %s bytes of older text", f"{size:,}", f"{train_bytes:,}"
        )
        return Vocabulary.trained(_texts(chunks, config, train_bytes), size)
    if config.vocab_size:
        log.info("vocab_size has no effect: the base model's vocabulary is used (tokenizer.mode is base_model)")
    tokenizer, pad_token = base_models.load_tokenizer(config.base_model, cache_dir)
    return Vocabulary.of_base_model(tokenizer, pad_token, config.base_model)


def describe(chunk: Chunk) -> dict[str, str]:
    """What tokens.pt says of a sequence."""
    return {
        "chunk_id": chunk.chunk_id,
        "commit_hash": chunk.commit_hash,
        "file_path": chunk.file_path,
        "change_type": chunk.change_type,
        "timestamp": chunk.commit_metadata.commit_timestamp,
    }


def _batches(path: Path, view: CodeView) -> Iterator[list[tuple[Chunk, Pieces]]]:
    batch: list[tuple[Chunk, Pieces]] = []
    for chunks in by_commit(read_chunks(path)):
        batch += zip(chunks, serialise(chunks, view), strict=True)
        if len(batch) >= BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch


def _texts(path: Path, config: TokenizerConfig, first_bytes: int | None) -> Iterator[str]:
    """The text of chunks, oldest first, up to a size."""
    left = first_bytes
    for batch in _batches(path, config.code_view):
        for _, pieces in batch:
            text = "\n".join(piece for piece in pieces if not isinstance(piece, Marker))
            if left is not None:
                left -= len(text.encode())
                if left < 0:
                    return
            yield text


def _sources(config: TokenizerConfig) -> dict[str, str]:
    return base_models.state(config.base_model)


STAGE = Stage(
    name="tokenizer",
    help="write the chunks as token sequences with structural markers",
    config=TokenizerConfig,
    run=run,
    inputs=("chunks.jsonl",),
    outputs=("vocab.json", "tokenizer", "tokens.pt"),
    flags={"chunks": "chunks.jsonl", "output-vocab": "vocab.json", "output-tokens": "tokens.pt"},
    sources=_sources,
    libraries=("tokenizers", "transformers"),
)

if __name__ == "__main__":
    stage_main(STAGE)
