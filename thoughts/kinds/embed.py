"""With every new commit, its texts and their vectors are read before anybody asks about it."""

from __future__ import annotations

from contextlib import closing

from core.errors import UserError
from core.git import trees
from index.code_index import CodeIndex
from thoughts.kind import ON_COMMIT, Context, Cost, Fact, Input, Kind, Outcome, State

FACT = "index_ready"


class Embed:
    """At every new commit; before others, since they ask the index."""

    name = "embed"
    trigger = ON_COMMIT
    priority = 3.0

    def inputs(self, state: State) -> list[Input]:
        """The newest commit."""
        return [{"commit": state.commit}]

    def estimate(self, given: Input) -> Cost:
        """A large repository takes a minute the first time, and seconds afterwards."""
        return Cost(cpu_s=600, io_bytes=2_000_000_000, seconds=1_800)

    def run(self, given: Input, context: Context) -> Outcome:
        """Read what is new. An index that describes another commit goes on describing it until somebody asks."""
        state, commit = context.state, str(given["commit"])
        try:
            trees.commit_named(state.git_dir, commit)
        except UserError:  # a force push took it away while this waited
            context.say(f"{commit} is gone")
            return Outcome()
        with closing(CodeIndex(state.git_dir, state.cache_dir)) as index:
            read = index.prepare(commit)
        context.say(f"{read:,} texts of {commit} were read")
        return Outcome(facts=[Fact(FACT, "", {"read": read}, commit)])


KIND: Kind = Embed()
