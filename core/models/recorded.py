"""Settings that a model was made with, as far as asking it depends on them: a record that others may have written."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from core.text.grammar import CodeView

_Size = Annotated[int, Meta(ge=0, le=1 << 40)]


class Scraping(msgspec.Struct):
    """Of git_scraper."""

    rename_similarity: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    context_lines: Annotated[int, Meta(ge=0, le=1 << 31)] | UnsetType = UNSET
    max_patch_bytes: _Size | UnsetType = UNSET
    max_file_bytes: _Size | UnsetType = UNSET
    redact_emails: bool | UnsetType = UNSET
    email_salt_file: str | UnsetType = UNSET
    mailmap: bool | UnsetType = UNSET


class Chunking(msgspec.Struct):
    """Of semantic_chunker."""

    file_filters: list[str] | UnsetType = UNSET
    include: list[str] | UnsetType = UNSET
    exclude: list[str] | UnsetType = UNSET
    languages: list[str] | UnsetType = UNSET
    derived_files: bool | UnsetType = UNSET
    include_merges: bool | UnsetType = UNSET
    max_code_bytes: Annotated[int, Meta(ge=256, le=1 << 40)] | UnsetType = UNSET
    max_file_bytes: _Size | UnsetType = UNSET
    max_line_bytes: Annotated[int, Meta(ge=80, le=1 << 40)] | UnsetType = UNSET


class Tokenizing(msgspec.Struct):
    """Of tokenizer."""

    code_view: CodeView | UnsetType = UNSET
    secrets: Literal["mask", "keep", "drop"] | UnsetType = UNSET
    redact_emails: bool | UnsetType = UNSET


class Training(msgspec.Struct):
    """Of model_training."""

    method: Literal["lora", "qlora", "full", "scratch"] | UnsetType = UNSET
    documents: Literal["history", "commit"] | UnsetType = UNSET
    precision: Literal["auto", "fp32", "bf16", "fp16"] | UnsetType = UNSET


class RecordedSettings(msgspec.Struct):
    """By section. Models of earlier versions may lack any of them; what else was set is not read."""

    git_scraper: Scraping | UnsetType = UNSET
    semantic_chunker: Chunking | UnsetType = UNSET
    tokenizer: Tokenizing | UnsetType = UNSET
    model_training: Training | UnsetType = UNSET
