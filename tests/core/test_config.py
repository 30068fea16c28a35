"""Settings: what is refused, and in what words."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from core.config import Section, expand, load, without_credentials
from core.errors import UserError
from core.settings_text import parse_yaml


class Shop(Section):
    """A section for these tests."""

    max_items: int = Field(default=3, ge=1)
    """Upper bound on things in a basket."""
    names: tuple[str, ...] = ("a",)
    """Names."""
    days: tuple[Literal["monday", "tuesday"], ...] = Field(default=("monday",), min_length=1)
    """Days when it is open."""
    price: float = 1.0
    """Price."""


class Branch(Section):
    """A section that shares a value."""

    price: float = Field(default=1.0, json_schema_extra={"same_as": "shop.price"})
    """Price, like the shop's."""
    cellar: str = Field(default="outputs/cellar", json_schema_extra={"same_as": "pipeline.outputs/cellar"})
    """A folder in the one for outputs."""


SECTIONS: dict[str, type[Section]] = {"shop": Shop, "branch": Branch}


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_defaults_without_a_file() -> None:
    config = load(None, SECTIONS)
    assert config.stages["shop"] == Shop()
    assert config.pipeline.outputs == "outputs"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("shop:\n  max_item: 3\n", "config.yaml:2: unknown key 'shop.max_item'", "did you mean 'max_items'?"),
        ("shpo:\n  max_items: 3\n", "config.yaml:1: unknown section 'shpo'", "did you mean 'shop'?"),
        ("shop:\n  max_items: many\n", 'config.yaml:2: shop.max_items = "many"', "Upper bound on things in a basket."),
        ("shop:\n  max_items: '3'\n", "valid integer", "Upper bound"),
        ("shop:\n  max_items: true\n", "valid integer", "Upper bound"),
        ("shop:\n  max_items: 0\n", "greater than or equal to 1", "Upper bound"),
        ("shop:\n  days: []\n", "at least 1 item", "Days when"),
        ("shop:\n  max_items: 1\n  max_items: 2\n", "'shop.max_items' is set twice", "remove one"),
        ("shop: 3\n", "must hold 'key: value' lines", ""),
        ("- shop\n", "expected sections", ""),
        ("shop: [\n", "not valid YAML", ""),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        load(write(tmp_path, text), SECTIONS)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_wrong_word_in_a_list_is_the_only_mistake_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(write(tmp_path, "shop:\n  days: [mondey]\n"), SECTIONS)
    assert caught.value.message.endswith("shop.days = \"mondey\": input should be 'monday' or 'tuesday'")


def test_numbers_are_read_as_people_write_them(tmp_path: Path) -> None:
    assert load(write(tmp_path, "shop:\n  price: 1e-4\n"), SECTIONS).stages["shop"] == Shop(price=1e-4)
    assert load(None, SECTIONS, ["shop.price=5E3"]).stages["shop"] == Shop(price=5000.0)


@pytest.mark.parametrize("written", ["2020-07-24", "2020-07-24T16:15:43", "2020-07-24 16:15:43+02:00"])
def test_dates_are_read_as_they_are_written(written: str) -> None:
    assert parse_yaml(written) == written


@pytest.mark.parametrize("text", ["shop: &a\n  b: *a\n", "shop:\n  2024-13-45: 1\n", "shop:\n  ? [a]\n  : 1\n"])
def test_odd_yaml_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError):
        load(write(tmp_path, text), SECTIONS)


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("abcde")
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * 60, "nested more than 50 levels deep"),
        ("shop: " + "{a: " * 20_000, "nested more than 50 levels deep"),
        (LAUGHS, "more than 20,000 values"),
        ("shop:\n" + textwrap.indent(LAUGHS, "  "), "more than 20,000 values"),
        ("shop: &a [*a]\n", "an anchor contains itself"),
    ],
)
def test_yaml_that_explodes_is_a_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        load(write(tmp_path, text), SECTIONS)
    assert load(None, {}, ["pipeline.outputs=" + "[" * 60]).pipeline.outputs == "[" * 60  # no YAML, so a word


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("shop: {price: .inf}", "finite number"),
        ("shop: {price: .nan}", "finite number|greater than"),
        ("shop: {price: 1e999}", "finite number"),
        ('shop: {days: ["mon\\0day"]}', r"shop\.days = .* holds a NUL character"),
    ],
)
def test_numbers_and_texts_that_nothing_can_use(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        load(write(tmp_path, text), SECTIONS)


def test_a_backslash_before_zeros_is_no_nul_character() -> None:
    assert load(None, {}, [r"pipeline.outputs='a\u0000'"]).pipeline.outputs == r"a\u0000"


def test_credentials_are_never_shown() -> None:
    settings = load(None, SECTIONS, ["shop.names=[https://user:secret@example.org/x.git]"]).as_dict()
    assert settings["shop"]["names"] == ["https://example.org/x.git"]
    assert without_credentials("postgresql://h/d?password=secret&port=1") == "postgresql://h/d?&port=1"
    with pytest.raises(UserError) as caught:
        load(None, {}, [f"chat.index=postgresql://user:secret@host/{'x' * 2000}"])
    assert "chat.index = " in caught.value.message
    assert "secret" not in caught.value.message


def test_unknown_user_in_a_path() -> None:
    with pytest.raises(UserError, match="unknown user"):
        expand("~nobody-of-this-name/x")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        load(tmp_path / "none.yaml", SECTIONS)


def test_overrides_win_and_are_parsed_as_yaml(tmp_path: Path) -> None:
    path = write(tmp_path, "shop:\n  max_items: 5\n  price: 2\n")
    shop = load(path, SECTIONS, ["shop.max_items=7", "shop.names=[x, y]"]).stages["shop"]
    assert shop == Shop(max_items=7, names=("x", "y"), price=2.0)


@pytest.mark.parametrize("override", ["shop.max_items", "max_items=3", "=3", "shop.=3"])
def test_malformed_override(override: str) -> None:
    with pytest.raises(UserError, match=r"expected section\.key=value"):
        load(None, SECTIONS, [override])


def test_unknown_override_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown key 'shop\.max_item'"):
        load(None, SECTIONS, ["shop.max_item=3"])


def test_shared_value_follows_the_other_section(tmp_path: Path) -> None:
    path = write(tmp_path, "shop:\n  price: 9.5\n")
    assert load(path, SECTIONS).stages["branch"] == Branch(price=9.5)
    assert load(path, SECTIONS, ["branch.price=1.5"]).stages["branch"] == Branch(price=1.5)


def test_a_shared_folder_is_in_that_of_the_other_section_unless_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "pipeline:\n  outputs: /x\n")
    assert load(path, SECTIONS).stages["branch"] == Branch(cellar="/x/cellar")
    assert load(path, SECTIONS, ["branch.cellar=''"]).stages["branch"] == Branch(cellar="/x/cellar")
    assert load(path, SECTIONS, ["branch.cellar=deep"]).stages["branch"] == Branch(cellar="deep")
    assert load(None, SECTIONS).stages["branch"] == Branch()


def test_a_single_stage_ignores_other_sections(tmp_path: Path) -> None:
    path = write(tmp_path, "shop:\n  price: 9.5\nother:\n  x: 1\n")
    loaded = load(path, {"branch": Branch}, other_sections=True)
    assert loaded.stages["branch"] == Branch(price=9.5)


def test_a_wrong_override_cites_no_line_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "shop:\n  max_items: 3\n")
    with pytest.raises(UserError) as caught:
        load(path, SECTIONS, ["shop.max_items=-1"])
    assert "shop.max_items = -1" in str(caught.value)
    assert "config.yaml:2" not in str(caught.value)


@pytest.mark.parametrize(("path", "complaint"), [("a\0b", "NUL"), ("caf\udce9", r"caf\\xe9 is not UTF-8")])
def test_paths_that_no_file_can_have(path: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        expand(path)
