"""Records that stages exchange through files: declared here once, for writer and reader alike.

Readers ignore fields they do not know and refuse files of another major schema version.
"""

SCHEMA_VERSION = "1.3"
