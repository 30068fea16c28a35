"""One call over several repositories: each with a folder of its own, and one summary of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import Config
from core.engine import results
from core.engine.runner import Layout, Runner
from core.engine.stage import Stage
from core.engine.worker import explain
from core.errors import EXIT_FAILED, EXIT_INTERRUPTED, GitloreError
from core.logs import log


@dataclass(frozen=True)
class Turn:
    """What is run for one repository, or for all of them together."""

    name: str
    """The repository's; "" where the settings mean one, or for all together."""
    runner: Runner
    selected: Sequence[Stage]


def plan(
    stages: Sequence[Stage],
    config: Config,
    layout: Layout,
    selected: Sequence[Stage],
    *,
    joiner: Stage | None = None,
    verbose: bool = False,
) -> list[Turn]:
    """The selected stages for each repository that the settings mean.

    With `pipeline.one_model`, what comes after `joiner`'s outputs are there runs once, for all together.
    """
    each = _each(stages, config)
    if not each:
        return [Turn("", Runner(stages, config, layout, verbose), selected)]
    own, joint = (stages, []) if joiner is None or not config.pipeline.one_model else _parted(stages, joiner)
    found = []
    for name, one in each.items():
        home = layout.home / name
        places = {file: home / path.name for file, path in layout.places.items()}
        mine = [stage for stage in selected if stage in own]
        found.append(Turn(name, Runner(own, one, Layout(home, places), verbose), mine))
    if joiner and joint:
        folders = [str((layout.home / name).resolve()) for name in each]
        section = joiner.config.model_validate(
            {"folders": tuple(folders), "interleave": config.pipeline.interleave}, strict=True
        )
        together = replace(config, stages={**config.stages, joiner.name: section})
        wanted = [stage for stage in joint if stage in selected]
        # It runs with the last stage that it needs: selecting that one means wanting to see it joined.
        maker = next(stage for stage in reversed(own) if set(stage.outputs) & set(joiner.outputs))
        before = [joiner] if maker in selected else []
        found.append(Turn("", Runner([joiner, *joint], together, layout, verbose), [*before, *wanted]))
    return [turn for turn in found if turn.selected]


def _each(stages: Sequence[Stage], config: Config) -> dict[str, Config]:
    """The settings of each run by folder name, where a stage's section stands for several; else empty."""
    several = {stage.name: stage.several(config.stages[stage.name]) for stage in stages if stage.several}
    return {
        folder: replace(config, stages={**config.stages, name: own})
        for name, sections in several.items()
        for folder, own in sections.items()
    }


def _parted(stages: Sequence[Stage], joiner: Stage) -> tuple[Sequence[Stage], Sequence[Stage]]:
    """The stages that make what is joined (and those that are for one repository only), and those after them."""
    last = max((number for number, stage in enumerate(stages) if set(stage.outputs) & set(joiner.outputs)), default=-1)
    own = [stage for number, stage in enumerate(stages) if number <= last or stage.per_repository]
    return own, [stage for stage in stages if stage not in own]


def run(
    plan: Sequence[Turn],
    home: Path,
    *,
    force: bool = False,
    from_scratch: bool = True,
    continue_on_error: bool = False,
    keep_results: bool = True,
) -> results.Run:
    """Take every turn. A repository that fails does not stop the others, only the stages for all of them together."""
    options = {"force": force, "from_scratch": from_scratch, "continue_on_error": continue_on_error}
    if len(plan) == 1 and not plan[0].name:
        return plan[0].runner.run(plan[0].selected, **options, keep_results=keep_results)
    together = results.Run(config=plan[-1].runner.config.as_dict(), path=home / results.FILE_NAME)
    named = [turn for turn in plan if turn.name]
    together.config["git_scraper"]["repo"] = [turn.runner.config.as_dict()["git_scraper"]["repo"] for turn in named]
    missed: list[str] = []
    for number, turn in enumerate(plan, start=1):
        failed = any(entry.status == "failed" for entry in together.stages)
        if together.exit_code == EXIT_INTERRUPTED or (failed and not turn.name):
            missed += [_entry_name(turn, stage.name) for stage in turn.selected]
            continue
        log.info("%s", f"{turn.name} ({number} of {len(named)})" if turn.name else "all together")
        try:
            done = turn.runner.run(turn.selected, **options, keep_results=keep_results)
        except Exception as error:  # noqa: BLE001 - a folder in use or not writable, a full disk, a defect: of this one
            done = results.Run(config={}, path=home, stages=[_failed(turn, error)])
        for entry in done.stages:
            entry.name = _entry_name(turn, entry.name)
        together.stages += done.stages
        if done.exit_code == EXIT_INTERRUPTED:
            together.exit_code = EXIT_INTERRUPTED
    together.finish(not_reached=missed, write=keep_results)
    return together


def _failed(turn: Turn, error: Exception) -> results.StageEntry:
    """The entry of a repository whose run could not even start."""
    code = EXIT_FAILED
    if isinstance(error, GitloreError):
        message, hint, trace, code = error.message, error.hint, "", error.exit_code
    else:
        message, hint, trace = explain(error, turn.runner.layout.home)
    log.error(
        "%s: %s%s%s",
        turn.name or "all together",
        message,
        f"\n  hint: {hint}" if hint else "",
        f"\n{trace}" if trace else "",
    )
    return results.StageEntry(turn.selected[0].name, "failed", error=message, hint=hint, exit_code=code)


def _entry_name(turn: Turn, stage: str) -> str:
    return f"{turn.name}: {stage}" if turn.name else stage
