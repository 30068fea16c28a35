"""Mining templates: what is offered for a line, what counts as right, and when an edit is offered no longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from core.records.patterns import Template
from patterns import templates
from patterns.line_edits import Replaced
from patterns.steps import Step
from patterns.templates import EXPIRED, REVERSED, Miner, mine

START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ("self", "assertEqual", "assert", "client", "connect", "open", "session")


def step(day: float, *pairs: tuple[str, str], path: str = "tests/a.py", names: Iterable[str] = ()) -> Step:
    """A step that replaces lines of one file."""
    change = Replaced(path, "python", pairs, frozenset(names))
    return Step(f"commit{day:g}", START + timedelta(days=day), "Ann", [change])


def known(*names: str) -> list[Step]:
    """Steps after which these names are common, if not in every second file."""
    others = [step(0, path=f"tests/other{number}.py") for number in range(2 * templates.MIN_FILES)]
    return [*others, *(step(0, path=f"tests/known{number}.py", names=names) for number in range(templates.MIN_FILES))]


def assertion(name: str, value: str) -> tuple[str, str]:
    return f"self.assertEqual({name}, {value})", f"assert {name} == {value}"


def migration(days: Iterable[float]) -> list[Step]:
    return [step(day, assertion(f"name{day:g}", str(day))) for day in days]


def only(found: list[Template]) -> Template:
    (template,) = found
    return template


def test_an_edit_of_three_steps_is_offered_and_counted_before_it_is_learnt() -> None:
    miner = Miner("r")
    for one in [*known(*WORDS), *migration([1, 2, 3])]:
        miner.add(one)
    assert miner.outcomes() == []  # the third step could not know of itself
    offer = miner.offers.find("python", "tests/b.py", "self.assertEqual(found, 'x  y')")
    assert offer is not None
    assert offer.line == "assert found == 'x  y'"
    miner.add(step(4, assertion("name4", "4"), ("self.assertEqual(a, 1)", "assert a is 1")))
    assert miner.outcomes() == [("commit4", True), ("commit4", False)]
    template = only(miner.mined().templates)
    assert (template.before, template.after) == ("self . assertEqual ( v0 , s0 )", "assert v0 == s0")
    assert (template.steps, template.authors, template.share) == (4, 1, 0.8)
    assert (template.fired, template.right, template.retired) == (2, 1, "")
    assert (template.first_seen, template.last_seen) == ("commit1", "commit4")
    assert template.last_seen_at == "2024-01-05T00:00:00Z"
    assert template.paths == ["tests/a.py"]


def test_lines_of_one_step_are_one_step() -> None:
    many = [assertion(f"name{number}", str(number)) for number in range(9)]
    assert mine("r", [*known(*WORDS), step(1, *many), step(2, *many)]).templates == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("self.client.open(a{})", "self.client.open(a{}, b)"),  # b stands for any name
        ("a{} = b{}", "b{} = a{}"),  # a shape without names
        ("a{} = open(b{})", "b{} = open(a{})"),  # one name alone
        ("self.client.connect(", "self.session.connect("),  # the next line belongs to it
        ("self.client.connect(", "self.client.connect()"),
        ("from client import open", "from client import open, connect"),  # what a file imports is its own business
    ],
)
def test_what_a_line_does_not_determine_is_no_template(before: str, after: str) -> None:
    names = WORDS if "{}" in before else (*WORDS, "import", "from")
    edits = [step(day, (before.format(*[day] * 2), after.format(*[day] * 2))) for day in range(1, 6)]
    assert mine("r", [*known(*names), *edits]).templates == []


def test_seven_of_ten_must_have_ended_alike() -> None:
    other = [step(day, (f"self.assertEqual(b{day}, {day})", f"check(b{day}, {day})")) for day in (11, 12, 13)]
    seven = migration(range(1, 8))
    assert only(mine("r", [*known(*WORDS), *seven, *other]).templates).share == 0.7
    assert mine("r", [*known(*WORDS), *seven[1:], *other]).templates == []


def test_an_edit_that_nobody_made_for_a_year_is_offered_no_longer() -> None:
    miner = Miner("r")
    for one in [*known(*WORDS), *migration([1, 2, 3]), step(369, assertion("a", "1"))]:
        miner.add(one)
    assert miner.outcomes() == []
    miner.add(step(370, assertion("b", "2")))  # it came into use again
    assert miner.outcomes() == [("commit370", True)]
    miner.add(step(736, ("x", "y")))
    assert only(miner.mined().templates).retired == EXPIRED
    assert miner.offers.find("python", "tests/a.py", "self.assertEqual(a, 1)") is None


def test_of_an_edit_and_its_reverse_never_both_are_offered() -> None:
    there, back = ("self.client.open(name)", "self.session.open(name)"), ("self.session.open(x)", "self.client.open(x)")
    miner = Miner("r")
    for one in [*known(*WORDS), *(step(day, there) for day in (1, 2, 3)), step(4, back)]:
        miner.add(one)
    assert only(miner.mined().templates).retired == REVERSED
    for day in (5, 6):
        miner.add(step(day, back))
    assert {one.after: one.retired for one in miner.mined().templates} == {
        "self.session.open(v0)": REVERSED,
        "self.client.open(v0)": "",
    }
    assert miner.offers.find("python", "tests/a.py", there[0]) is None
    assert miner.offers.find("python", "tests/a.py", back[0]) is not None


def test_a_name_that_becomes_common_later_counts_as_if_it_had_always_been() -> None:
    late = [*migration([1, 2, 3]), *known(*WORDS), step(4, assertion("a", "1"))]
    early = [*known(*WORDS), *migration([1, 2, 3]), step(4, assertion("a", "1"))]
    assert mine("r", late).templates == mine("r", early).templates


def test_names_that_are_in_every_second_file_do_not_make_a_template() -> None:
    everywhere = [step(0, path=f"tests/other{number}.py", names=WORDS) for number in range(2 * templates.MIN_FILES)]
    assert mine("r", [*known(*WORDS), *everywhere, *migration([1, 2, 3])]).templates == []
    miner = Miner("r")
    for one in [*known(*WORDS), *migration([1, 2, 3]), *everywhere, step(4, assertion("a", "1"))]:
        miner.add(one)
    assert miner.outcomes() == []  # it was offered before the names were everywhere


def test_it_is_offered_only_in_folders_where_it_was_made() -> None:
    miner = Miner("r")
    for one in [*known(*WORDS), *migration([1, 2, 3])]:
        miner.add(one)
    assert miner.offers.find("python", "src/a.py", "self.assertEqual(a, 1)") is None
    assert miner.offers.find("rust", "tests/a.py", "self.assertEqual(a, 1)") is None


def test_a_placeholder_stands_for_one_thing() -> None:
    miner = Miner("r")
    twice = [step(day, (f"self.open(n{day}, n{day})", f"self.connect(n{day})")) for day in (1, 2, 3)]
    apart = [step(day, (f"self.client(n{day}, m{day})", f"self.session(m{day}, n{day})")) for day in (1, 2, 3)]
    for one in [*known(*WORDS), *twice, *apart]:
        miner.add(one)

    def offered(line: str) -> str | None:
        found = miner.offers.find("python", "tests/a.py", line)
        return found.line if found else None

    assert offered("self.open(a, a)") == "self.connect(a)"
    assert offered("self.open(a, b)") is None
    assert offered("self.client(a, b)") == "self.session(b, a)"
    assert offered("self.client(a, a)") is None  # two stand for two things
    assert offered("self.client(self, a)") is None  # a name that stays is not any name


def test_the_chunks_of_a_templates_steps_follow_it() -> None:
    def of(chunk_id: str, day: float, *pairs: tuple[str, str]) -> Step:
        change = Replaced("tests/a.py", "python", pairs, frozenset(), chunk_id)
        return Step(f"commit{day:g}", START + timedelta(days=day), "Ann", [change])

    opened = ("client.open(x)", "client.connect(session, x)")
    steps = [*known(*WORDS), *(of(f"more{day}", day, opened) for day in (1, 2, 3))]
    steps += [of(f"both{day}", day, assertion("a", str(day)), opened) for day in (4, 5, 6)]
    steps.append(of("other", 7, ("self.assertEqual(a, 1)", "assert a is 1")))
    found = mine("r", steps)
    ids = {one.before.split()[0]: one.template_id for one in sorted(found.templates, key=lambda one: one.confidence)}
    more = dict.fromkeys(("more1", "more2", "more3"), ids["client"])
    assert len(set(ids.values())) == 2
    assert found.followed == more | dict.fromkeys(("both4", "both5", "both6"), [*ids.values()][-1])
