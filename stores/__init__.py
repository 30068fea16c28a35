"""What has worked and what has not: three stores that an agent reads on its first day and goes on writing.

`VVectorStore`, `PatternStore` and `FailureStore` share `Store` (asking, outcomes, import); `database` opens SQLite
files or PostgreSQL, `schema` and `migrations` are its tables, `records` what is in them. `context_types` says what
can be learnt at all and what is assumed without, `summary` makes figures of evidence, `beliefs` says how sure they
are, `transfer` writes and reads JSON lines. `python -m stores` is the command. See docs/stores.md.
"""

from stores.agent.failure_store import FailureStore
from stores.agent.pattern_store import PatternStore
from stores.agent.records import Failure, Pattern, VVector
from stores.agent.v_vector_store import VVectorStore

__all__ = ["Failure", "FailureStore", "Pattern", "PatternStore", "VVector", "VVectorStore"]
