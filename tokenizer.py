"""Stage 4: chunks as token sequences, lossless, with markers for structure.

    python tokenizer.py --chunks outputs/chunks.jsonl --vocab-size 50257 \\
        --output-vocab outputs/vocab.json --output-tokens outputs/tokens.pt

Takes the base model's own tokenizer plus our markers, or trains a byte-level BPE on the older part
of the history (`mode: standalone`). Writes vocab.json, tokenizer/ and tokens.pt: one sequence per
chunk, in order; joined, they are the history in the grammar of docs/grammar.md. Sequences of commits
that an earlier run has tokenized are copied.
"""

from __future__ import annotations

import bisect
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.config import EMBEDDED_MODEL, Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.logs import log
from core.models import base_models
from core.records.chunk_files import ChunkGroup, chunk_groups
from core.records.chunks import Chunk
from core.text import costs
from core.text.grammar import EMAIL, MARKERS, SECRETS, CodeView, Marker, Pieces
from core.text.lossless import spare_rows
from core.text.sequences import SecretsMode, SequenceMaker
from core.text.token_files import TokenWriter
from core.text.vocabulary import STANDALONE, Vocabulary, read_vocab
from core.text.vocabulary_training import TrainingText, train

if TYPE_CHECKING:
    from core.text.stored_sequences import EarlierTokens

BATCH_BYTES, BATCHES_AHEAD = 4_000_000, 2
"""How much of chunks.jsonl is encoded at once, and how many such batches are made ready meanwhile."""
ENCODED_AT_ONCE = 500
"""Sequences that are encoded at once."""
FORESEEN_AFTER = 10
"""Batches, some four million tokens, after which the cost of the whole is known well enough to be worth a line."""


class TokenizerConfig(Section):
    """How text becomes tokens."""

    mode: Literal["base_model", "standalone"] = "base_model"
    """Use the base model's tokenizer, or train one on this history (then the model starts from scratch)."""
    base_model: str = Field(default=EMBEDDED_MODEL, json_schema_extra={"same_as": "model_training.base_model"})
    """Whose tokenizer: "embedded", a folder, or a hub id; taken from model_training.base_model unless set."""
    vocab_size: Annotated[int, Field(ge=512)] | Literal["auto"] = "auto"
    """Entries of a standalone vocabulary; auto picks a size that the text can support, and logs why."""
    train_share: float = Field(default=0.65, gt=0, lt=1)
    """Oldest share of the chunks that a vocabulary learns from; keep it below dataset_builder.train_ratio."""
    promoted_values: int = Field(default=256, ge=0)
    """Maximum number of paths, authors, modules and branches with their own token; base models use only spare rows."""
    promoted_min_count: int = Field(default=20, ge=1)
    """How often a value must occur in the part that is learned from to get one."""
    code_view: CodeView = "new"
    """What a sequence shows of a change: the new code, the diff, both sides, or the old code and its edit."""
    secrets: SecretsMode = "mask"
    """Credentials in text: a marker of their kind instead, left as they are, or the whole chunk left out."""
    redact_emails: bool = Field(default=False, json_schema_extra={"same_as": "git_scraper.redact_emails"})
    """A marker instead of e-mail addresses in all text; taken from git_scraper.redact_emails unless set."""
    interleave: Literal["date", "repository"] = Field(
        default="date", json_schema_extra={"same_as": "pipeline.interleave"}
    )
    """How several repositories make one history; taken from pipeline.interleave unless set."""
    incremental: bool = Field(default=True, json_schema_extra={"control": True})
    """Tokenize only commits that are new or changed since the last run, where its vocabulary still holds."""


@dataclass
class Batch:
    """Commits to be written next, in order."""

    commits: list[tuple[str, list[Chunk]]] = field(default_factory=list)
    """The digest of their chunks, and these; none for a commit that is copied from an earlier run."""
    sequences: list[Pieces] = field(default_factory=list)
    """Of all these chunks in a row."""
    chunks: int = 0
    """Number of chunks, copied commits included."""
    size: int = 0
    """Their bytes in chunks.jsonl."""


def run(ctx: Context[TokenizerConfig]) -> None:
    """Write vocab.json, tokenizer/ and tokens.pt."""
    config, path = ctx.config, ctx.input("chunks.jsonl")
    maker = SequenceMaker(config.code_view, config.secrets, redact_emails=config.redact_emails)
    part = learned_part(path, config, ctx.published("vocab.json"))
    earlier = earlier_tokens(ctx, part)
    if earlier:
        vocabulary = Vocabulary.load(ctx.published("vocab.json"), ctx.published("tokenizer"))
    else:
        vocabulary = make_vocabulary(part, maker, config, ctx.cache_dir)
    vocabulary.save(ctx.output("vocab.json"), ctx.output("tokenizer"))
    with TokenWriter(ctx.output("tokens.pt")) as out, ctx.progress("tokenizing", unit="chunks") as progress:
        started, done = time.monotonic(), 0
        for number, (batch, encoded) in enumerate(encoded_ahead(batches(path, maker, earlier), vocabulary), start=1):
            write_batch(out, batch, encoded, maker, earlier)
            progress.advance(batch.chunks)
            done += batch.size
            if number == FORESEEN_AFTER:
                look_ahead(ctx, done, out.tokens, time.monotonic() - started)
        report(ctx, out, vocabulary)
        out.finish()


def earlier_tokens(ctx: Context[TokenizerConfig], part: LearnedPart) -> EarlierTokens | None:
    """What the last run wrote, where only chunks.jsonl has changed, but not what its vocabulary was learned from."""
    if not ctx.config.incremental or not part.is_kept or not ctx.only_changed("chunks.jsonl"):
        return None
    from core.text.stored_sequences import EarlierTokens

    return EarlierTokens(ctx.published("tokens.pt"), ctx.scratch)


def make_vocabulary(part: LearnedPart, maker: SequenceMaker, config: TokenizerConfig, cache_dir: Path) -> Vocabulary:
    """The base model's vocabulary with our tokens, or one trained on the older part of the chunks."""
    text = TrainingText(one for group in part.groups() for one in maker.of(group.chunks()))
    most, least = config.promoted_values, config.promoted_min_count
    if config.mode == STANDALONE:
        log.info("training a vocabulary on the oldest %s commits", f"{part.commits:,}")
        vocabulary = train(text, None if config.vocab_size == "auto" else config.vocab_size, most, least)
    else:
        if config.vocab_size != "auto":
            log.info("vocab_size has no effect: the base model's vocabulary is used (tokenizer.mode is base_model)")
        tokenizer, pad_token, rows = base_models.load_tokenizer(config.base_model, cache_dir)
        values = []
        if room := max(min(spare_rows(tokenizer, rows) - len(MARKERS), most), 0):
            deque(text, maxlen=0)  # read it all, for the values alone
            values = text.frequent_values(room, least)
        vocabulary = Vocabulary.of_base_model(tokenizer, pad_token, config.base_model, values)
        new_rows = max(vocabulary.size - rows, 0) if rows else 0
        log.info("%s own tokens; rows to be added to the model: %s", len(vocabulary.own_ids), new_rows)
    vocabulary.check_lossless()
    vocabulary.origin = {"train_share": config.train_share, "commits": part.commits, "part": part.last}
    vocabulary.origin["learnt_until"] = part.last if config.mode == STANDALONE or vocabulary.values else {}
    return vocabulary


@dataclass
class LearnedPart:
    """The oldest commits: all that a vocabulary may learn from, so that nothing held out leaks into it."""

    path: Path
    per_repository: bool
    limits: dict[str, int]
    """Number of commits, by repository or in all ("")."""
    last: dict[str, str]
    """The last of them."""
    is_kept: bool
    """It is the part that the vocabulary of the last run was made for."""

    @property
    def commits(self) -> int:
        """Number of commits in all."""
        return sum(self.limits.values())

    def groups(self) -> Iterator[ChunkGroup]:
        """The chunks of these commits."""
        seen = Counter[str]()
        for group in chunk_groups(self.path):
            key = group.repository if self.per_repository else ""
            seen[key] += 1
            if seen[key] <= self.limits[key]:
                yield group


def learned_part(path: Path, config: TokenizerConfig, earlier_vocab: Path) -> LearnedPart:
    """The oldest `train_share` of chunks.jsonl, by size, in whole commits; at least two are left out.

    Where an earlier vocabulary was made with this share, the part is the one that it was learned from:
    new commits must not move it into what has been held out.
    """
    per_repository = config.interleave == "repository"
    earlier = _earlier_part(earlier_vocab, config.train_share)
    ends: dict[str, array[int]] = {}
    hashes: dict[str, list[str]] = {}
    for group in chunk_groups(path):
        key = group.repository if per_repository else ""
        ends.setdefault(key, array("Q")).append(group.size + (ends[key][-1] if ends.get(key) else 0))
        hashes.setdefault(key, []).append(group.commit_hash)
    if not ends:
        raise UserError(f"{path} holds no chunks", "run semantic_chunker again")
    # What is left of a history that was cut short may be too little to hold anything out.
    is_kept = earlier.keys() == hashes.keys() and all(last in hashes[key][:-2] for key, last in earlier.items())
    if is_kept:
        limits = {key: hashes[key].index(last) + 1 for key, last in earlier.items()}
    else:
        limits = {
            key: min(bisect.bisect_left(sizes, sizes[-1] * config.train_share) + 1, max(len(sizes) - 2, 1))
            for key, sizes in ends.items()
        }
    last = {key: hashes[key][limit - 1] for key, limit in limits.items()}
    return LearnedPart(path, per_repository, limits, last, is_kept)


def _earlier_part(vocab: Path, share: float) -> dict[str, str]:
    """The last commits of the part that an earlier vocabulary was made for; none if it was for another share."""
    try:
        origin: dict[str, Any] = read_vocab(vocab)["about"]
    except (OSError, UserError):
        return {}
    return origin.get("part", {}) if origin.get("train_share") == share else {}


def batches(path: Path, maker: SequenceMaker, earlier: EarlierTokens | None) -> Iterator[Batch]:
    """All commits in order, about BATCH_BYTES of chunks.jsonl at a time."""
    batch = Batch()
    for group in chunk_groups(path):
        digest = group.digest()
        chunks = [] if earlier and digest in earlier.places else group.chunks()
        batch.commits.append((digest, chunks))
        batch.sequences += maker.of(chunks) if chunks else []
        batch.chunks += len(group.lines)
        batch.size += group.size
        if batch.size >= BATCH_BYTES:
            yield batch
            batch = Batch()
    if batch.commits:
        yield batch


def look_ahead(ctx: Context[TokenizerConfig], done: int, tokens: int, seconds: float) -> None:
    """Say what the whole will cost, given how many bytes of chunks.jsonl are done.

    Raises StageError where the disk has no room for it.
    """
    times = ctx.input("chunks.jsonl").stat().st_size / done
    expected = round(tokens * times)
    log.info(costs.outlook(expected, seconds * times))
    costs.check_disk(ctx.output("tokens.pt").parent, expected, costs.TOKENS_DISK)


def encoded_ahead(made: Iterator[Batch], vocabulary: Vocabulary) -> Iterator[tuple[Batch, list[array[int]]]]:
    """Each batch with its ids. The library encodes, on all processors, while we write one batch and read the next."""
    waiting: deque[tuple[Batch, Future[list[array[int]]]]] = deque()
    with ThreadPoolExecutor(1) as encoder:
        for batch in made:
            waiting.append((batch, encoder.submit(encode, vocabulary, batch.sequences)))
            if len(waiting) > BATCHES_AHEAD:
                first, encoded = waiting.popleft()
                yield first, encoded.result()
        for last, encoded in waiting:
            yield last, encoded.result()


def encode(vocabulary: Vocabulary, sequences: Sequence[Pieces]) -> list[array[int]]:
    """The ids of sequences, in four bytes each: a first commit may hold most of a history."""
    parts = (sequences[start : start + ENCODED_AT_ONCE] for start in range(0, len(sequences), ENCODED_AT_ONCE))
    return [array("i", ids) for part in parts for ids in vocabulary.encode(part)]


def write_batch(
    out: TokenWriter, batch: Batch, encoded: list[array[int]], maker: SequenceMaker, earlier: EarlierTokens | None
) -> None:
    """Write the sequences of a batch, and copy those of known commits."""
    made = zip(batch.sequences, encoded, strict=True)
    for digest, chunks in batch.commits:
        if earlier and not chunks:
            out.copy(earlier, digest)
        for chunk in chunks:
            pieces, ids = next(made)
            out.write(ids, describe(chunk, pieces, digest, maker))


def describe(chunk: Chunk, pieces: Pieces, digest: str, maker: SequenceMaker) -> dict[str, Any]:
    """The metadata of a sequence in tokens.pt, masked like the sequence. `digest` is that of its commit's chunks."""
    metadata: dict[str, Any] = {
        "chunk_id": chunk.chunk_id,
        "commit_hash": chunk.commit_hash,
        "file_path": maker.redactor.masked(chunk.file_path),
        "symbol": maker.redactor.masked(chunk.qualified_name or ""),
        "change_type": chunk.change_type,
        "timestamp": chunk.commit_metadata.commit_timestamp,
        "text_bytes": sum(len(piece.encode()) for piece in pieces if type(piece) is not Marker),
        "digest": digest,
    }
    if chunk.old_path:
        metadata["old_path"] = maker.redactor.masked(chunk.old_path)
    if chunk.old_qualified_name:
        metadata["old_symbol"] = maker.redactor.masked(chunk.old_qualified_name)
    if chunk.repository:
        metadata["repository"] = chunk.repository
    return metadata


def report(ctx: Context[TokenizerConfig], out: TokenWriter, vocabulary: Vocabulary) -> None:
    """Counts for the summary. Raises UserError where there is not one token."""
    if not out.tokens:
        raise UserError(
            f"no sequence could be made of {ctx.input('chunks.jsonl')}: each chunk holds a credential",
            "set tokenizer.secrets: mask",
        )
    ctx.count("sequences", out.sequences)
    if out.copied:
        ctx.count("sequences copied", out.copied)
    ctx.count("tokens", out.tokens)
    ctx.count("vocabulary entries", vocabulary.size)
    for kind, number in out.counts({kind: vocabulary.markers[mask] for kind, mask in SECRETS.items()}).items():
        ctx.count(f"masked: {kind}", number)
    for number in out.counts({"": vocabulary.markers[EMAIL]}).values():
        ctx.count("masked: e-mail addresses", number)
    if out.empty:
        ctx.drop("chunks with credentials", out.empty)
    log.info(
        "%s tokens for %s bytes of text: %.2f bytes a token",
        *(f"{out.tokens:,}", f"{out.text_bytes:,}", out.text_bytes / out.tokens),
    )


def _sources(config: TokenizerConfig) -> dict[str, str]:
    return base_models.state(config.base_model) if config.mode == "base_model" else {}


STAGE = Stage(
    name="tokenizer",
    help="write the chunks as token sequences with structural markers",
    config=TokenizerConfig,
    run=run,
    inputs=("chunks.jsonl",),
    outputs=("vocab.json", "tokenizer", "tokens.pt"),
    flags={"chunks": "chunks.jsonl", "output-vocab": "vocab.json", "output-tokens": "tokens.pt"},
    sources=_sources,
    libraries=("tokenizers", "transformers", "google-re2"),
)

if __name__ == "__main__":
    stage_main(STAGE)
