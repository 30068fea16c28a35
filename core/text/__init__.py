"""Chunks as token streams: the grammar, masking, vocabularies, and the files of tokens."""
