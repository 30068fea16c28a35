"""Texts that all clones of a repository share, and the commit and files of each clone.

The views `state` and `files` show each clone its own rows: the setting `gitlore.clone` says whose they are. A path may
be longer than what PostgreSQL puts into an index.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE texts (
    blob bytea, kind text, reason text NOT NULL, data bytea NOT NULL, vectors bytea NOT NULL, PRIMARY KEY (blob, kind)
);
ALTER TABLE texts ALTER data SET STORAGE EXTERNAL, ALTER vectors SET STORAGE EXTERNAL;
CREATE TABLE state_of_clones (
    clone text DEFAULT current_setting('gitlore.clone'), name text, value bytea NOT NULL,
    updated timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (clone, name)
);
CREATE TABLE files_of_clones (
    clone text NOT NULL DEFAULT current_setting('gitlore.clone'),
    path text NOT NULL COLLATE "C", blob bytea NOT NULL, kind text NOT NULL, reason text NOT NULL
);
CREATE INDEX ON files_of_clones (clone);
CREATE VIEW state AS SELECT name, value FROM state_of_clones WHERE clone = current_setting('gitlore.clone');
CREATE VIEW files AS
    SELECT path, blob, kind, reason FROM files_of_clones WHERE clone = current_setting('gitlore.clone')
"""


def upgrade() -> None:
    for line in _TABLES.split(";"):
        op.execute(line)
