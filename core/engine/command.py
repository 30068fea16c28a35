"""Command lines: every stage file is a command whose flags are its config section."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import click
import yaml

from core import __version__, logs
from core.config import SERVICE, Config, Section, expand, load, settings_file
from core.engine import results, turns
from core.engine.runner import Layout, Runner
from core.engine.stage import Stage
from core.engine.worker import explain
from core.errors import EXIT_FAILED, EXIT_INTERRUPTED, GitloreError, UserError
from core.settings_text import parse_yaml
from core.visible import visible

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
CONTEXT_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""How every command of ours shows its help."""
_ESTIMATE = click.Option(
    ["--estimate"], is_flag=True, help="Print what an hour and a night would bring, from about a minute; write nothing."
)


def with_exit_codes(function: CommandT) -> CommandT:
    """Turn our errors into `error: …` lines and exit codes; Ctrl-C and SIGTERM into 130."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            with _sigterm_interrupts():
                return function(*args, **kwargs)
        except GitloreError as error:
            logs.log.debug("error: %s", error)  # for the log file, where there is one already
            click.echo(visible(f"error: {error}"), err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:  # `| head` has read enough
            sys.exit(EXIT_FAILED)
        except OSError as error:
            message, hint, _ = explain(error, Path.cwd())
            click.echo(visible(f"error: {message}" + (f"\n  hint: {hint}" if hint else "")), err=True)
            sys.exit(EXIT_FAILED)

    return typing.cast("CommandT", wrapped)


class Group(click.Group):
    """A group whose commands end with our exit codes."""

    @with_exit_codes
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        return super().invoke(ctx)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Answer SIGTERM, as systemd and `kill` send it, like Ctrl-C: what can be saved is saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: types.FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stage_main(stage: Stage) -> NoReturn:
    """Run the stage's own command. It always runs the stage, with the lock, log and records of the pipeline."""
    stage_command(stage)(prog_name=f"{stage.module}.py")
    raise AssertionError("click ends the process")


def stage_command(stage: Stage) -> click.Command:
    """Flags: one per input or output file, one per setting of the stage's section, --config, --verbose."""
    files = [
        click.Option([f"--{flag}"], metavar="FILE", help=f"{_role(stage, name)} [default: outputs/{name}]")
        for flag, name in stage.flags.items()
    ]
    general = [_ESTIMATE] if stage.estimate else []
    general += [
        click.Option(["--config"], metavar="FILE", help="Settings file [default: config.yaml, if there is one]."),
        click.Option(["--verbose"], is_flag=True, help="Show debug messages, such as the exact git commands."),
    ]
    return click.Command(
        name=stage.name,
        help=f"{stage.help[:1].upper()}{stage.help[1:]}.",
        params=[*files, *section_options(stage.config), *general],
        callback=with_exit_codes(functools.partial(_run_stage, stage)),
        context_settings=CONTEXT_SETTINGS,
    )


def with_section(section: type[Section]) -> Callable[[CommandT], CommandT]:
    """Flags of a section for a command that is written by hand, at the place of this decorator."""

    def decorate(command: CommandT) -> CommandT:
        decorated: Any = command  # click collects parameters from the last to the first
        decorated.__click_params__ = [*getattr(command, "__click_params__", []), *reversed(section_options(section))]
        return command

    return decorate


def version_option() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--version` for the top-level commands."""
    return click.version_option(__version__, prog_name="gitlore")


def _run_stage(stage: Stage, config: str | None, verbose: bool, estimate: bool = False, **values: Any) -> None:
    files = {name: expand(values.pop(_parameter(flag))) for flag, name in _given(stage, values).items()}
    for flag in stage.flags:
        values.pop(_parameter(flag), None)
    given = {key: () if value == ("",) else value for key, value in values.items() if value not in (None, ())}
    settings = _load(stage, config, given)
    named = sorted(files.items(), key=lambda item: item[0] not in stage.outputs)  # outputs first
    home = named[0][1].parent if named else expand(settings.pipeline.outputs)
    logs.setup(verbose=verbose, log_file=None if estimate else home / results.LOG_NAME)
    layout = Layout(home=home, places=_beside_inputs(stage, files))
    plan = turns.plan([stage], settings, layout, [stage], verbose=verbose)
    if estimate:
        _estimate(stage, plan[0].runner)
    if os.environ.get("RANK", "0") != "0":
        _follow(stage, plan)
    run = turns.run(plan, home, force=True, from_scratch=False, keep_results=False)
    results.print_summary(run)
    sys.exit(run.exit_code)


def _estimate(stage: Stage, runner: Runner) -> NoReturn:
    """Print what a run of the stage would bring."""
    outcome = runner.estimate(stage)
    if outcome.exit_code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.exit_code:
        logs.log.error(
            "%s%s%s",
            outcome.error,
            f"\n  hint: {outcome.hint}" if outcome.hint else "",
            f"\n{outcome.trace}" if outcome.trace else "",
        )
    sys.exit(outcome.exit_code)


def _follow(stage: Stage, plan: Sequence[turns.Turn]) -> NoReturn:
    """Work along as one of several processes that were started together, not the first: publish nothing."""
    if not stage.distributed:
        raise UserError(f"{stage.name} runs in a single process", "start it without accelerate")
    outcomes = [turn.runner.follow(stage) for turn in plan]
    for outcome in outcomes:
        if outcome.exit_code:
            logs.log.error("%s: %s\n%s", stage.name, outcome.error, outcome.trace or outcome.hint)
    sys.exit(max(outcome.exit_code for outcome in outcomes))


def _given(stage: Stage, values: Mapping[str, Any]) -> dict[str, str]:
    return {flag: name for flag, name in stage.flags.items() if values.get(_parameter(flag)) is not None}


def _beside_inputs(stage: Stage, files: Mapping[str, Path]) -> dict[str, Path]:
    """Inputs that are not named are looked up in the folder of the first input that is."""
    named = [path for name, path in files.items() if name in stage.inputs]
    beside = {name: named[0].parent / name for name in stage.inputs} if named else {}
    return {**beside, **files}


def _load(stage: Stage, config: str | None, values: Mapping[str, Any]) -> Config:
    return load(settings_file(config), {stage.name: stage.config}, other_sections=True, values={stage.name: values})


def _role(stage: Stage, name: str) -> str:
    return f"Where to write {name}." if name in stage.outputs else f"The {name} to read."


def _parameter(flag: str) -> str:
    return flag.replace("-", "_")


def section_options(section: type[Section]) -> list[click.Option]:
    """A flag for each setting of a section, without those of a service; only those that are given have a value."""
    fields = section.model_fields.items()
    return [_option(name, section) for name, info in fields if info.json_schema_extra != SERVICE]


def _option(name: str, section: type[Section]) -> click.Option:
    """The flag of one setting: its help is the docstring under the field, its type the field's."""
    info = section.model_fields[name]
    kind, multiple = _click_type(info.annotation)
    kind = _in_range(kind, info.metadata)
    flag = name.replace("_", "-")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.get_default(call_default_factory=True)
    shown = " ".join(default) if isinstance(default, tuple) else default
    text = " ".join((info.description or "").split())
    if multiple:
        text += " (repeatable" + ('; "" for none)' if default and not isinstance(kind, click.Choice) else ")")
    settings: dict[str, Any] = {"default": None, "help": f"{text} [default: {shown}]" if shown != "" else text}
    if kind is bool:
        return click.Option([f"--{flag}/--no-{flag}"], **settings)
    if "flag_value" in extra:
        return click.Option([f"--{flag}"], is_flag=False, flag_value=str(extra["flag_value"]), **settings)
    return click.Option([f"--{flag}"], type=kind, multiple=multiple, **settings)


class _NumberOr(click.ParamType[int | str]):
    """A whole number, or one of some words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.name = f"integer|{'|'.join(words)}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The word, else the number."""
        if value in self.words:
            return str(value)
        try:
            return int(value)
        except ValueError:
            self.fail(f"'{value}' is neither a whole number nor {' or '.join(self.words)}", param, ctx)


class _Mapping(click.ParamType[dict[str, Any]]):
    """Names with values, as YAML writes them in one line."""

    name = "{name: value}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """The mapping."""
        try:
            parsed = parse_yaml(value)
        except (yaml.YAMLError, ValueError):
            parsed = None
        if not isinstance(parsed, dict):
            self.fail(f"'{value}' is not of the form {{name: value}}", param, ctx)
        return parsed


def _in_range(kind: Any, bounds: Sequence[Any]) -> Any:
    """A number's type with the bounds of its field."""
    if kind not in (int, float):
        return kind
    named = ("ge", "gt", "le", "lt")
    found = {name: getattr(bound, name) for bound in bounds for name in named if hasattr(bound, name)}
    if not found:
        return kind
    low, high = found.get("ge", found.get("gt")), found.get("le", found.get("lt"))
    ranges: Any = click.IntRange if kind is int else click.FloatRange
    return ranges(low, high, min_open="gt" in found, max_open="lt" in found)


def _click_type(annotation: Any) -> tuple[Any, bool]:
    """(click type, may be repeated) of a field's annotation."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return click.Choice([str(arg) for arg in args]), False
    if origin is typing.Annotated:
        return _click_type(args[0])
    if origin is dict:
        return _Mapping(), False
    if origin is tuple:
        return _click_type(args[0])[0], True
    if origin in (typing.Union, types.UnionType):
        if words := [word for arg in args if typing.get_origin(arg) is Literal for word in typing.get_args(arg)]:
            return _NumberOr(words), False
        return _click_type(next(arg for arg in args if arg is not type(None)))
    return annotation, False
