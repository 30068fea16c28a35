"""Each night, what people opened and judged teaches the order of places and how much is shown, behind a gate."""

from __future__ import annotations

from contextlib import closing

import msgspec

from chat.learning import training
from chat.learning.use_log import UseLog, place_of
from index.code_index import CodeIndex
from thoughts.kind import Artifact, Context, Cost, Fact, Input, Kind, Outcome, State

LOG = "learning.txt"
RECORD = "learning.json"
FACT = "learned_from_use"


class Rerank:
    """At four in the morning, if somebody has judged an answer since the last time."""

    name = "rerank"
    trigger = "0 4 * * *"
    priority = 0.5

    def inputs(self, state: State) -> list[Input]:
        """How many answers were judged, and the weights to begin from; nothing without judged answers."""
        if not (place_of(state.git_dir, state.cache_dir) / "use.db").is_file():
            return []
        with closing(UseLog(state.git_dir, state.cache_dir)) as log:
            _, judged = log.count()
        if not judged:
            return []
        with closing(CodeIndex(state.git_dir, state.cache_dir)) as index:
            return [{"judged": judged, "base": index.base.version}] if index.commit else []

    def estimate(self, given: Input) -> Cost:
        """Some hundred questions to the history, each at a commit of its time."""
        return Cost(cpu_s=600, io_bytes=2_000_000_000, seconds=1_800)

    def run(self, given: Input, context: Context) -> Outcome:
        """Learn, keep what passes, and say what was decided."""
        state = context.state
        with (
            closing(UseLog(state.git_dir, state.cache_dir)) as log,
            closing(CodeIndex(state.git_dir, state.cache_dir)) as index,
        ):
            night = training.learn(index, log)
            weights, commit = index.taught.version, index.commit or ""
        for verdict in night.verdicts:
            context.say(verdict)
        record = {"verdicts": night.verdicts, "weights": weights, "contexts": msgspec.to_builtins(night.contexts)}
        said = "".join(f"{one}\n" for one in night.verdicts).encode()
        artifacts = [Artifact(LOG, said), Artifact(RECORD, msgspec.json.encode(record))]
        return Outcome(artifacts=artifacts, facts=[Fact(FACT, "", record, commit)])


KIND: Kind = Rerank()
