"""Questions as people ask them, and what is read out of them."""

from __future__ import annotations

import pytest

from chat.questions import KINDS, MOST_TEXT, is_about_the_last, read

PHRASINGS = {
    "where": [
        "Where is the proxy chosen?",
        "where's the code that parses the config",
        "Which file handles authentication?",
        "which function computes the checksum?",
        "In what module are retries implemented?",
        "Find the parser of durations",
        "locate the entry point",
        "Show me the class for timeouts",
        "Where do redirects end?",
        "Where are assert statements rewritten?",
        "What method opens the database?",
    ],
    "how": [
        "How is the boundary chosen?",
        "how does retrying work",
        "What happens when the cache is full?",
        "Why can a test not read from stdin while output is captured?",
        "When does raise_for_status raise?",
        "What does Client.send call?",
        "Explain the lexer",
        "What is a Snapshot?",
        "Is the cache thread safe?",
        "Can I turn colours off?",
        "Why does it fail on Windows?",
        "digest authentication",
        "Who else may read the base temporary directory?",
    ],
    "calls": [
        "What calls encode_request?",
        "who calls send",
        "Where is `parse_config` used?",
        "Callers of Client.send",
        "Where does determine_setup get called?",
        "which functions use the function load_table?",
        "usages of MAX_BYTES",
        "call sites of close()",
        "Is normalize_path called anywhere?",
        "who uses Vec::with_capacity",
        "From where is flush invoked?",
    ],
    "why": [
        "Why was the timeout changed?",
        "why did they remove the cache?",
        "Why was `read_many` added?",
        "what was the reason for the new lexer",
        "Rationale behind the retry limit?",
        "why does the class Overlay exist?",
        "Why do we have two parsers?",
        "When was normalize_path last changed?",
        "Which commits changed the scheduler?",
        "history of the file src/lib.rs",
        "Why was MAX_BYTES renamed?",
        "Why has the limit been raised?",
        "why is there a lock around the cache",
    ],
    "introduced": [
        "When was Redactor introduced?",
        "Since when do we mask secrets?",
        "Which commit added the config flag?",
        "who introduced the cache?",
        "In which version did follow_redirects appear?",
        "How old is the parser?",
        "How long has BlobReader existed?",
        "When did the retries come in?",
        "Which release added zstd?",
    ],
    "who": [
        "Who knows the tokenizer?",
        "Who wrote src/parser.py?",
        "whom should I ask about the scheduler?",
        "Who maintains the docs",
        "who owns the cache",
        "Authors of core/git",
        "Who should review changes of the lexer?",
        "Who is the expert on redirects?",
        "who works on the CLI?",
    ],
    "since": [
        "What changed since v2.0?",
        "What has changed in the parser since last week?",
        "what's new since 2024-01-01",
        "Which commits were made since abc1234?",
        "What happened after release 1.4.0?",
        "What is new?",
        "What changed recently in docs?",
        "changes between v1.0 and v2.0",
        "What was done in src/ since yesterday?",
        "what changed in the last 3 weeks",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, some in PHRASINGS.items() for text in some])
def test_the_kind_of_a_question(kind: str, text: str) -> None:
    assert read(text).kind == kind


def test_there_are_phrasings_of_every_kind() -> None:
    assert set(PHRASINGS) == set(KINDS)
    assert sum(map(len, PHRASINGS.values())) >= 60


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What calls encode_request?", ("encode_request",)),
        ("who calls send", ("send",)),
        ("Callers of Client.send", ("Client.send",)),
        ("who uses Vec::with_capacity", ("Vec.with_capacity", "Vec::with_capacity")),
        ("call sites of close()", ("close",)),
        ("When was Redactor introduced?", ()),
        ("Why was `read_many` added?", ("read_many",)),
        ("Where is the proxy chosen?", ()),
        ("Who wrote src/text_parser.py?", ()),
    ],
)
def test_names_in_a_question(text: str, names: tuple[str, ...]) -> None:
    assert read(text).names == names


@pytest.mark.parametrize(
    ("text", "when", "until"),
    [
        ("What changed since v2.0?", "v2.0", ""),
        ("What has changed in the parser since last week?", "last week", ""),
        ("what's new since 2024-01-01", "2024-01-01", ""),
        ("What happened after release 1.4.0?", "1.4.0", ""),
        ("changes between v1.0 and v2.0", "v1.0", "v2.0"),
        ("what changed in the last 3 weeks", "last 3 weeks", ""),
        ("What changed recently in docs?", "recently", ""),
        ("What changed since 2 weeks ago?", "2 weeks ago", ""),
    ],
)
def test_the_time_that_a_question_names(text: str, when: str, until: str) -> None:
    asked = read(text)
    assert (asked.when, asked.until) == (when, until)


def test_the_topic_is_what_is_left() -> None:
    assert read("Who knows the redirect handling?").topic == "redirect handling"
    assert read("What has changed in the parser since last week?").topic == "parser"
    assert read("Who wrote src/parser.py?").paths == ("src/parser.py",)


def test_what_asks_about_history_tells_of_a_place() -> None:
    assert read("Where are old temporary files removed?").topic == "old temporary files removed"
    assert read("Who maintains the temporary files?").topic == "temporary"


def test_texts_are_looked_for_as_they_are() -> None:
    assert read('When was the flag --hyperlink-format added, and "no such file" too?').texts == (
        "--hyperlink-format",
        "no such file",
    )
    assert read("well--known").texts == ()


def test_a_question_may_point_back() -> None:
    assert is_about_the_last(read("Who wrote it?"))
    assert is_about_the_last(read("and why was this changed"))
    assert not is_about_the_last(read("Who wrote the parser?"))
    assert is_about_the_last(read("why?"))
    assert is_about_the_last(read("How does that function handle errors?"))
    assert not is_about_the_last(read("How does that function `parse` handle errors?"))
    assert not is_about_the_last(read("What changed since v1.0?"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What calls it?", "calls"),
        ("And its callers?", "calls"),
        ("Where is that function used?", "calls"),
        ("why?", "why"),
        ("Why is it no longer so?", "why"),
        ("When is it called with a timeout?", "how"),
    ],
)
def test_what_is_asked_of_it(text: str, kind: str) -> None:
    assert (read(text).kind, read(text).names) == (kind, ())


@pytest.mark.parametrize("text", ["", "?", "\0\x1b[31m", "since", "why", "a" * 100_000, "(" * 5000, "was " * 5000, "—"])
def test_any_text_can_be_read(text: str) -> None:
    asked = read(text)
    assert asked.kind in KINDS
    assert len(asked.text) <= MOST_TEXT
