"""Settings: one YAML file, one closed section per stage, `--set section.key=value` on top."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from core.errors import UserError, did_you_mean
from core.settings_text import parse_yaml, read_yaml
from core.visible import visible

DEFAULT_CONFIG = Path("config.yaml")
EMBEDDED_MODEL = "embedded"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it."""
MOST_SHOWN = 200
"""Characters of a wrong value that an error repeats."""


class Section(BaseModel):
    """A closed, frozen group of settings; the docstring under a field is its help."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        defer_build=True,  # most commands validate few sections, and a validator takes milliseconds to build
    )


SectionT = TypeVar("SectionT", bound=Section)
SERVICE: dict[str, JsonValue] = {"flag": False}
"""Of a setting that is no flag of a command: it stands in config.yaml alone."""


class PipelineConfig(Section):
    """Where runs write, and what happens when they end."""

    outputs: str = "outputs"
    """Folder for everything that a run produces."""
    cache_dir: str = "~/.cache/gitlore"
    """Folder for clones of remote repositories and converted base models, shared by all runs."""
    one_model: bool = False
    """With several repositories: one vocabulary, dataset and model of them all, instead of one each."""
    interleave: Literal["date", "repository"] = "date"
    """How several repositories make one history: commit by commit by date, or one repository after the other."""
    on_finish: str = ""
    """Shell command run when a run ends, with pipeline_results.json on its standard input."""
    on_finish_timeout_s: float = Field(default=60.0, gt=0)
    """Seconds after which the on_finish command is stopped."""


class ChatConfig(Section):
    """Where chat.py and serve.py keep the index of code, and which language model writes their answers.

    Without one they are the repository's own words.
    """

    index: str = Field(default="", max_length=2000)
    """PostgreSQL database that keeps the index of code for a team: postgresql://user@host/gitlore; empty for a file."""
    url: str = Field(default="", max_length=2000)
    """OpenAI-compatible API of a language model, such as http://localhost:11434/v1; empty for none."""
    model: str = Field(default="", max_length=200)
    """Its name there."""
    timeout_s: float = Field(default=120.0, gt=0, le=3600)
    """Seconds to wait for its answer."""
    allow_remote: tuple[str, ...] = ()
    """Repositories (folders or URLs) of which excerpts may be sent to a url that is not this machine."""
    remember: bool = Field(default=True, json_schema_extra=SERVICE)
    """serve.py notes which places answers showed and what people made of them, in the cache folder."""
    adapt: tuple[Literal["order", "context"], ...] = ()
    """What follows from use: the order of places, and how much of them is shown."""


class StudyConfig(Section):
    """What study.py may use, and when. Budgets are for a day, flow in steadily and can be saved up for a day."""

    database: str = Field(default="", max_length=2000)
    """PostgreSQL database that keeps the queue and what was found: postgresql://user@host/gitlore; empty for a file."""
    cpu_minutes: float = Field(default=120.0, ge=0, le=100_000)
    """CPU time for a day."""
    io_gigabytes: float = Field(default=50.0, ge=0, le=100_000)
    """Gigabytes to read from disks and write to them in a day."""
    model_minutes: float = Field(default=0.0, ge=0, le=100_000)
    """Minutes of a language model's work for a day."""
    quiet_hours: str = Field(default="", max_length=20)
    """Hours in which nothing is started, such as 08:00-18:00; empty for none."""
    time_zone: str = Field(default="UTC", max_length=100)
    """Time zone of the repository's people, such as Europe/Berlin: quiet hours and schedules follow its clock."""
    kinds: tuple[str, ...] = ()
    """Kinds of study; empty for all."""
    areas: tuple[str, ...] = Field(default=(), max_length=100)
    """Folders that risk, smell_hunt and summarize look at, one after the other; empty for the whole repository."""
    schedules: dict[str, str] = {}
    """When kinds are asked, instead of as they say: commit, or a cron expression as in {digest: "0 6 * * 1"}."""
    smell_tools: tuple[str, ...] = ("ruff",)
    """Tools that smell_hunt asks: ruff, lizard, secrets."""
    semgrep_rules: tuple[str, ...] = ()
    """Files or folders of your own rules for semgrep, which smell_hunt then asks, too."""
    semgrep: str = Field(default="", max_length=2000)
    """Program of semgrep; empty for the one on the path."""
    coverage: tuple[str, ...] = Field(default=(), max_length=20)
    """Coverage reports that risk reads, of the newest commit's tests: Cobertura's XML, lcov, Go's coverprofile."""
    artifact_megabytes: float = Field(default=500.0, gt=0, le=1_000_000)
    """Megabytes of logs and files that are kept as evidence; the oldest go first."""


@dataclass(frozen=True)
class Config:
    """Validated settings: `pipeline` plus one section per stage, by stage name, and those of commands."""

    pipeline: PipelineConfig
    stages: Mapping[str, Section]
    chat: ChatConfig = field(default_factory=ChatConfig)
    study: StudyConfig = field(default_factory=StudyConfig)

    def as_dict(self) -> dict[str, Any]:
        """Every setting of the pipeline as resolved, JSON-ready, without credentials."""
        sections: dict[str, Section] = {"pipeline": self.pipeline, **self.stages}
        shown = json.dumps({name: section.model_dump(mode="json") for name, section in sections.items()})
        settings: dict[str, Any] = json.loads(without_credentials(shown))
        return settings


def load(
    path: Path | None,
    sections: Mapping[str, type[Section]],
    overrides: Iterable[str] = (),
    *,
    values: Mapping[str, Mapping[str, Any]] | None = None,
    other_sections: bool = False,
) -> Config:
    """Read and validate `path` (None: defaults only), with `overrides` and `values` on top.

    `overrides` are texts ("section.key=value"), `values` are parsed settings by section and key.
    `other_sections` lets the file hold sections that are not asked for (a stage run by itself
    reads only its own). Raises UserError naming file, line, key and what to do.
    """
    data, lines = read_yaml(path) if path else ({}, {})
    source = str(path) if path else "defaults"
    given = [_apply_override(data, override) for override in overrides]
    for section, settings in (values or {}).items():
        for key, value in settings.items():
            _set(data, section, key, value)
            given.append((section, key))
    models: dict[str, type[Section]] = {
        "pipeline": PipelineConfig,
        "chat": ChatConfig,
        "study": StudyConfig,
        **sections,
    }
    _replace(data, models, given)
    for place in given:  # what is wrong with these is not on a line of the file
        lines.pop(place, None)
    unknown = [key for key in data if key not in models]
    if unknown and not other_sections:
        key = unknown[0]
        raise UserError(f"{_at(source, lines, (key,))}unknown section '{key}'", did_you_mean(str(key), models))
    validated = {name: _validate(name, model, data.get(name), data, source, lines) for name, model in models.items()}
    pipeline, chat, study = (validated.pop(name) for name in ("pipeline", "chat", "study"))
    assert isinstance(pipeline, PipelineConfig)
    assert isinstance(chat, ChatConfig)
    assert isinstance(study, StudyConfig)
    return Config(pipeline=pipeline, stages=validated, chat=chat, study=study)


def checked(name: str, model: type[SectionT], values: Mapping[str, Any]) -> SectionT:
    """The values that are not None as a section. Raises UserError naming what is wrong with which."""
    given = {key: value for key, value in values.items() if value not in (None, ())}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UserError(*_explain(name, model, error, "", {})) from None


def settings_file(path: str | None) -> Path | None:
    """The settings file to read: the one given, otherwise config.yaml where there is one, otherwise none."""
    return Path(path) if path else DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def cache_folder(path: str = "") -> Path:
    """This machine's cache folder: the one given, otherwise that of ./config.yaml, otherwise the default."""
    return expand(path or load(settings_file(None), {}, other_sections=True).pipeline.cache_dir)


def expand(path: str) -> Path:
    """A path from the config: `~` and environment variables resolved, relative to the current folder.

    Raises UserError for an unknown user, and for a path that `checked_path` refuses.
    """
    try:
        expanded = Path(os.path.expandvars(path)).expanduser()
    except RuntimeError:
        raise UserError(f"unknown user: {path}", "write the path out") from None
    return checked_path(expanded)


def checked_path(path: Path) -> Path:
    """The path. Raises UserError for one that no file can have, or that cannot be written down as UTF-8."""
    whole = str(path.absolute())
    if "\0" in whole:
        raise UserError(f"{whole!r} cannot be a path: it holds a NUL character", "write it without")
    if not _is_utf8(whole):
        raise UserError(f"the path {visible(whole)} is not UTF-8", "rename the folder, or name it by a link")
    return path


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_credentials(text: str) -> str:
    """The text with user names and passwords taken out of its URLs, fit for logs and records."""
    return re.sub(r"(://)[^/@\s]+@|(?<=[?&])password=[^&\s\"']*", r"\1", text)


def _replace(data: dict[str, Any], models: Mapping[str, type[Section]], given: Sequence[tuple[str, str]]) -> None:
    """A setting given on the command line drops the file's value of the setting that it `replaces`."""
    for section, key in given:
        info = models[section].model_fields.get(key) if section in models else None
        extra = info.json_schema_extra if info else None
        other = extra.get("replaces") if isinstance(extra, dict) else None
        if other and (section, other) not in given and isinstance(data[section], dict):
            data[section].pop(str(other), None)


def _apply_override(data: dict[str, Any], override: str) -> tuple[str, str]:
    dotted, equals, text = override.partition("=")
    section, dot, key = dotted.strip().partition(".")
    if not (equals and dot and section and key):
        raise UserError(
            f"--set {override}: expected section.key=value", "for example --set model_training.max_steps=20"
        )
    try:
        value = parse_yaml(text)
    except (yaml.YAMLError, ValueError):
        value = text
    _set(data, section, key, value)
    return section, key


def _set(data: dict[str, Any], section: str, key: str, value: Any) -> None:
    values = data.get(section)
    data[section] = {**(values if isinstance(values, dict) else {}), key: value}


def _validate(
    name: str,
    model: type[Section],
    values: Any,
    data: Mapping[str, Any],
    source: str,
    lines: Mapping[tuple[str, ...], int],
) -> Section:
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise UserError(f"{_at(source, lines, (name,))}section '{name}' must hold 'key: value' lines")
    inherited = _inherited(model, data)
    values = {**inherited, **{key: value for key, value in values.items() if not (value == "" and key in inherited)}}
    for key, value in values.items():
        written = json.dumps(value, ensure_ascii=False, default=str)
        if _is_utf8(written) and not _NUL.search(written):
            continue
        wrong = "holds a NUL character" if _is_utf8(written) else "is not UTF-8"
        place = _at(source, lines, (name, str(key)))
        raise UserError(f"{place}{name}.{key} = {visible(written)} {wrong}", "write it without, or name it by a link")
    try:
        # Through JSON, since strict mode then takes a YAML list for a tuple but still refuses "10" for 10.
        return model.model_validate_json(json.dumps(values, default=str))
    except (TypeError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise UserError(f"{_at(source, lines, (name,))}section '{name}' holds a key that is not a word") from None
        raise UserError(*_explain(name, model, error, source, lines)) from None


def _inherited(model: type[Section], data: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields declared as `same_as` another section's key, where that key is set.

    `same_as: "pipeline.outputs/stores"` is the folder stores/ in the one that the key names.
    """
    found = {}
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and "same_as" in extra:
            source, slash, below = str(extra["same_as"]).partition("/")
            section, key = source.split(".")
            values = data.get(section)
            if isinstance(values, dict) and key in values:
                found[name] = f"{values[key]}{slash}{below}" if slash else values[key]
    return found


def _explain(
    name: str, model: type[Section], error: ValidationError, source: str, lines: Mapping[tuple[str, ...], int]
) -> tuple[str, str]:
    problems, hint = [], ""
    items = error.errors()
    for item in items:
        depth = len(item["loc"])
        if any(len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items):
            continue  # a list whose items are wrong counts as too short as well
        key = str(item["loc"][0]) if item["loc"] else ""
        where = _at(source, lines, (name, key))
        if item["type"] == "extra_forbidden":
            problems.append(f"{where}unknown key '{name}.{key}'")
            hint = hint or did_you_mean(key, model.model_fields)
        else:
            shown = without_credentials(json.dumps(item["input"], default=str))
            shown = shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"
            reason = item["msg"].removeprefix("Value error, ")
            problems.append(f"{where}{name}.{key} = {shown}: {reason[:1].lower()}{reason[1:]}")
            hint = hint or (model.model_fields[key].description or "" if key in model.model_fields else "")
    return "; ".join(problems), " ".join(hint.split())


def _at(source: str, lines: Mapping[tuple[str, ...], int], where: tuple[str, ...]) -> str:
    return f"{source}:{lines[where]}: " if where in lines else f"{source}: " if source else ""
