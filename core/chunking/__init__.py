"""How a commit's diffs are cut into chunks; `chunker` puts the other modules together."""
