"""Sentences of a language model: what is invented is found, what is honest passes."""

from __future__ import annotations

import pytest

from chat import claims
from chat.citations import Citation

SOURCES = [
    Citation(
        "a" * 40,
        "def read_timeout(self, seconds=30):\n"
        '    """Wait for an answer of the server."""\n'
        "    if seconds > MAX_WAIT:\n"
        '        raise TimeoutError("no answer in time")\n'
        "    return self.pool.wait(seconds)",
        "net/client.py",
        10,
        14,
        "b" * 40,
    ),
    Citation("a" * 40, "class Pool:\n    limit = 1_000\n    retries = 4", "net/pool.py", 1, 3, "c" * 40),
]
QUESTION = "How long does the client wait?"
HONEST = [
    "`read_timeout` waits 30 seconds by default [1].",
    "It raises `TimeoutError` when seconds exceed MAX_WAIT [1].",
    "The file net/client.py defines `read_timeout` [1].",
    'It fails with "no answer in time" [1].',
    "The pool (`Pool`) allows 4 retries [2].",
    "`Pool.limit` is 1_000 [2].",
    "`read_timeout()` calls `self.pool.wait` and `Pool` limits the rest [1, 2].",
    "The `Pool` class has four `retries` [2].",
    "If the method waits too long, `TimeoutError` of the standard library is raised [1].",
    "When `seconds` is larger than `MAX_WAIT`, `TimeoutError` is raised [1].",
    "`read_timeout` compares `seconds` with `MAX_WAIT` [1].",
    "`read_timeout` delegates to `self.pool.wait(seconds)`, e.g. for 30 seconds, and/or raises [1].",
    "`read_timeout` calls `wait` repeatedly [1].",
    "The function(s) `read_timeout` wait [1].",
    "The limit is 1,000 [2].",
    "`Pool` allows four retries [2].",
    "`client.py` holds `read_timeout` [1].",
    "`read_timeout` blocks until the server answers, for at most 30 seconds [1].",
    "Callers of `read_timeout` receive whatever `self.pool.wait` returns [1].",
    "This ensures that `seconds` never exceeds `MAX_WAIT` [1].",
    "`read_timeout` first validates `seconds` against `MAX_WAIT`, then delegates the waiting to the pool [1].",
    'An error with the message "no answer in time" signals that the wait would be too long [1].',
    "Internally it relies on `self.pool.wait` for the actual waiting [1].",
    "`read_timeout` takes an optional argument named `seconds`, which defaults to 30 [1].",
    "Therefore, larger values than `MAX_WAIT` are rejected with a `TimeoutError` [1].",
]
LIES = [
    "`read_timeout` waits 60 seconds by default [1].",
    "`write_timeout` waits 30 seconds [1].",
    "The work is done in net/server.py by `read_timeout` [1].",
    "`read_timeout` is defined in net/clients.py [1].",
    "See src/net/client.py for `read_timeout` [1].",
    "`read_timeout` starts on line 10 [1].",
    "`read_timeout` is at net/client.py:10 [1].",
    "`read_timeout` spans lines 10 to 14 [1].",
    "The Scheduler calls `read_timeout` [1].",
    "Scheduler calls `read_timeout` [1].",
    "`ConnectionPool` is limited to 1_000 [2].",
    "It raises ConnectionError when `seconds` is too large [1].",
    "It uses `self.pool.drain(seconds)` [1].",
    "`Client.read_timeout` waits 30 seconds [1].",
    'It fails with "server is gone" [1].',
    "It logs 'giving up' and raises `TimeoutError` [1].",
    "`read_timeout` retries 7 times [1].",
    "`read_timeout` retries three times [1].",
    "The limit of `Pool` is 2,000 [2].",
    "The limit of `Pool` is 0xff [2].",
    "`read_timeout` came in with commit deadbeef1 [1].",
    "The frobnicate function calls `read_timeout` [1].",
    "`read_timeout` uses a helper called frobnicate [1].",
    "`read_timeout` reads the option frobnicate, named frobnicate [1].",
    "`read_timeout` is described at https://example.org/client [1].",
    "`read_timeout` sends `SECONDS` to the pool [1].",
    "`Pool` has 4 retries [1].",
    "`read_timeout` waits 30 seconds [3].",
    "`read_timeout` waits 30 seconds [0].",
    "`read_timeout` waits 30 seconds.",
    "The client waits for the server [1].",
    "Nothing is ever wrong [1].",
    "readTimeout waits 30 seconds [1].",
    "`MAX_WAITS` bounds `seconds` [1].",
    "`read_timeout` needs version 3.12 [1].",
    "According to Kowalski, `read_timeout` is slow [1].",
    "`read_timeout` calls `os.kill` [1].",
    "The function frobnicate calls `read_timeout` [1].",
    "`delete_all` is run by `read_timeout` [1, 2].",
    "\u0405cheduler calls `read_timeout` [1].",
    "`read_timeout` \u0432\u044b\u0437\u044b\u0432\u0430\u0435\u0442 it [1].",
    "`read_timeout` uses \uff46\uff52\uff4f\uff42 [1].",
    "`read_timeout` calls frobnicate [1].",
    "`read_timeout` calls *frobnicate* [1].",
    "`read_timeout` uses frobnicate(x) [1].",
    "`read_timeout` runs `frobnicate [1].",
    "S**cheduler** calls `read_timeout` [1].",
    "`read_timeout` was written by kowalski [1].",
    "`read_timeout` is by @kowalski [1].",
    "As Tim says, `read_timeout` is slow [1].",
    "`read_timeout` is set by --max-time [1].",
    "`read_timeout` waits sixty seconds [1].",
    "`read_timeout` waits a hundred seconds [1].",
    "`read_timeout` waits zero seconds [1].",
    "`read_timeout` waits half a second [1].",
    "`read_timeout` waits -30 seconds [1].",
    "`read_timeout` waits 30\u00b2 seconds [1].",
    "`read_timeout` waits \u00bd seconds [1].",
    "`read_timeout` waits \u2465\u24ea seconds [1].",
    "`read_timeout` waits 30.4.30 seconds [1].",
    "`read_timeout` fails 30% of the time [1].",
    "`read_timeout` came in with v9.7 [1].",
    "`read_timeout` came in on 1000-4-4 [1, 2].",
    "`read_timeout` hashes with md5 [1].",
    "`read_timeout` calls `elf.pool.wai` [1].",
    "`read_timeout` is in et/client.py [1].",
    "`read_timeout` is in net\\server [1].",
    "`read_timeout` fails with \u00abserver is gone\u00bb [1].",
    "`read_timeout` fails with \u201eserver is gone\u201c [1].",
    "`read_timeout` fails with \u2018server is gone\u2019 [1].",
    "[`read_timeout`](//nowhere) waits 30 seconds [1].",
    "`read_timeout` uses `pool[1]` of it.",
    "`read_timeout` uses trio [1].",
    "`read_timeout` opens a socket through kafka [1].",
    "`read_timeout` waits in a coroutine of asyncio [1].",
    "`read_timeout` encrypts the answer [1].",
    "`read_timeout` erases the disk [1].",
    "`read_timeout` deletes the passwords of customers [1].",
    "`read_timeout` frobnicates the pool [1].",
    "`read_timeout` spawns a thread [1].",
    "`read_timeout` caches answers in memory [1].",
    "`read_timeout` logs to syslog [1].",
    "`Pool` stores its `limit` in redis [2].",
    "`Pool` locks a mutex before `limit` is read [2].",
    "`Pool` is thread-safe [2].",
    "The `retries` of `Pool` are exponential [2].",
]


@pytest.mark.parametrize("text", HONEST)
def test_what_the_sources_say_is_supported(text: str) -> None:
    (found,) = claims.statements(text, SOURCES, QUESTION)
    assert found.why == ""
    assert found.citations
    assert "[" not in found.text


@pytest.mark.parametrize("text", LIES)
def test_what_is_invented_is_not(text: str) -> None:
    found = claims.statements(text, SOURCES, QUESTION)
    assert found
    assert not any(one.supported for one in found)


def test_words_that_are_all_over_the_repository_prove_nothing_and_are_no_invention() -> None:
    def is_common(word: str) -> bool:
        return word in ("seconds", "second", "pool", "socket")

    def problem(text: str) -> str:
        (found,) = claims.statements(text, SOURCES, QUESTION, is_common)
        return found.why

    assert problem("The `seconds` are read [1].") == "it has nothing telling in common with its sources"
    assert problem("`read_timeout` waits some `seconds` [1].") == ""
    assert problem("`read_timeout` waits for a socket [1].") == ""
    assert problem("`read_timeout` waits for a parcel [1].") == "'parcel' is not in its sources"


def test_there_are_enough_lies() -> None:
    assert len(LIES) >= 30


def test_a_name_of_the_question_is_no_proof() -> None:
    (found,) = claims.statements(
        "`delete_all` calls `read_timeout` [1].", SOURCES, "Does delete_all call read_timeout?"
    )
    assert found.why == "'delete_all' is not in its sources"


def test_a_text_is_cut_into_sentences_with_their_sources() -> None:
    text = (
        "## Waiting\n\n`read_timeout` waits. [1] Then `Pool` has 4 retries [2], e.g. on errors.\n\n"
        "- one thing [1]\n* another `Pool` [2]\n1. numbered `Pool` [2]\n\n"
        "```python\nreturn self.pool.wait(seconds) [1]\n```\n"
    )
    assert claims.sentences(text) == [
        "Waiting",
        "`read_timeout` waits [1].",
        "Then `Pool` has 4 retries [2], e.g. on errors.",
        "one thing [1]",
        "another `Pool` [2]",
        "numbered `Pool` [2]",
        "return self.pool.wait(seconds) [1]",
    ]


def test_a_sentence_that_is_glued_to_another_needs_its_own_source() -> None:
    found = claims.statements("`read_timeout` waits [1].It erases the disk.", SOURCES, QUESTION)
    assert [one.why for one in found] == ["", "it cites nothing"]


def test_numbers_within_names_are_no_numbers() -> None:
    source = Citation("a" * 40, "def utf8(v2, x):\n    return 21.55", "a.py", 1, 2, "b" * 40)
    assert claims.problem("`utf8` knows version 2.", [source], QUESTION) == ""
    assert claims.problem("`utf8` retries 8 times.", [source], QUESTION) == "'8' is not in its sources"
    assert claims.problem("`utf8` returns 1.5.", [source], QUESTION) == "'1.5' is not in its sources"


def test_mostly_unsupported() -> None:
    good, bad = HONEST[0], LIES[0]
    assert not claims.are_mostly_unsupported(claims.statements(f"{good} {bad}", SOURCES, QUESTION))
    assert claims.are_mostly_unsupported(claims.statements(f"{good} {bad} {LIES[1]}", SOURCES, QUESTION))
    assert claims.are_mostly_unsupported([])


@pytest.mark.parametrize(
    "text", ["", "[1]", "." * 50_000, "[" * 30_000, "a" * 100_000, "`" * 9999, "1. " * 9999, "\x00\n\x1b"]
)
def test_any_text_is_read_in_reasonable_time(text: str) -> None:
    assert not any(one.supported for one in claims.statements(text, SOURCES, QUESTION))
