"""A kind of study that does what its input says, to see what a worker makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from msgspec.structs import replace

from chat.citations import Citations
from chat.providers import Provider
from chat.statements import Statement
from core.errors import UserError
from core.git.touched import named
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Fact, FollowUp, Input, Insight, Kind, Outcome, State

DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
open(sys.argv[1] + ".tmp", "w").write(str(os.getpid()))
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
time.sleep(600)
"""
"""Forks twice and leads a session of its own, so that no group and no parent is left to find it by."""


class Errand:
    """`{"do": name of a method}`, and what that needs."""

    name = "errand"
    trigger = ON_COMMIT
    priority = 0.0

    def inputs(self, state: State) -> list[Input]:
        return [{"do": "find", "commit": state.commit}]

    def estimate(self, given: Input) -> Cost:
        most = Cost(cpu_s=given.get("cpu_s", 30), io_bytes=1_000_000, seconds=given.get("seconds", 120))
        return replace(most, model_s=given.get("model_s", 0))

    def run(self, given: Input, context: Context) -> Outcome:
        context.say(f"doing {given['do']}")
        outcome: Outcome = getattr(self, str(given["do"]))(given, context)
        return outcome

    def find(self, given: Input, context: Context) -> Outcome:
        """An insight, a fact, and another job for each of `more`."""
        commit = named(context.state.git_dir, context.state.commit)
        with Citations(context.state.git_dir) as citations:
            cited = citations.cite_commit(commit.hash, commit.title)
        assert cited
        said = Statement(f"The newest commit is {commit.title}.", (cited,))
        insight = Insight(given.get("title", "There is a commit"), (said,), "git log -1", "log.txt")
        more = [FollowUp(self.name, one) for one in given.get("more", ())]
        fact = Fact("newest", "", commit.title, commit.hash)
        return Outcome([insight], [Artifact("log.txt", commit.title.encode())], [fact], more)

    def lie(self, given: Input, context: Context) -> Outcome:
        """The same, but the commit does not say that."""
        found = self.find(given, context)
        (insight,) = found.insights
        (said,) = insight.statements
        false = Statement(said.text, tuple(type(one)(one.commit, "all tests pass") for one in said.citations))
        return Outcome([Insight(insight.title, (false,), insight.command, insight.log)], found.artifacts)

    def ask(self, given: Input, context: Context) -> Outcome:
        """Ask the language model that may write, and say what a program that is started finds of keys."""
        state = context.state
        provider = state.writer and Provider.of(state.writer, state.location, state.cache_dir, state.writer_key)
        context.say(provider.write("Who?", []) if provider else "nobody to ask")
        keys = [name for name in subprocess.check_output(["env"], text=True).splitlines() if "KEY" in name]
        context.say(f"keys around: {keys}")
        return Outcome()

    def remember(self, given: Input, context: Context) -> Outcome:
        """Say what is known already."""
        context.say(f"known: {[fact.value for fact in context.facts('newest')]}")
        return Outcome()

    def count(self, given: Input, context: Context) -> Outcome:
        """Take a moment, and leave a fact of the number."""
        time.sleep(given["takes"])
        return Outcome(facts=[Fact("counted", str(given["number"]), 1, "")])

    def sleep(self, given: Input, context: Context) -> Outcome:
        """Do nothing for long."""
        time.sleep(given["takes"])
        return Outcome()

    def spin(self, given: Input, context: Context) -> Outcome:
        """Compute without end, in a process of its own."""
        subprocess.run([sys.executable, "-c", "while True: pass"], check=True)
        return Outcome()

    def fail(self, given: Input, context: Context) -> Outcome:
        raise UserError("there is nothing here", "look elsewhere")

    def crash(self, given: Input, context: Context) -> Outcome:
        raise ValueError("not \0 a number")

    def die(self, given: Input, context: Context) -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def shout(self, given: Input, context: Context) -> Outcome:
        """Print much, with a credential in it."""
        context.say("begin " + "x" * 200_000 + " token = 'ghp_" + "a1B2" * 9 + "' end")
        return Outcome()

    def show_environment(self, given: Input, context: Context) -> Outcome:
        context.say(" ".join(sorted(os.environ)))
        context.say(f"nice {os.nice(0)}, in {Path.cwd() == context.folder}")
        return Outcome()

    def detach(self, given: Input, context: Context) -> Outcome:
        """Leave a daemon behind, and wait for long if that is asked for."""
        subprocess.run([sys.executable, "-c", DAEMON, given["to"]], check=True)
        while not Path(given["to"]).exists():
            time.sleep(0.01)
        time.sleep(given.get("takes", 0))
        return Outcome()

    def ask_for_nonsense(self, given: Input, context: Context) -> Outcome:
        return Outcome(follow_ups=[FollowUp(self.name, {"do": "find", "cpu_s": "much", "seconds": []})])


KIND: Kind = Errand()
