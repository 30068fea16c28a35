"""Runs stages in order: skips what is up to date, publishes what succeeds, records everything."""

from __future__ import annotations

import contextlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.config import Config, expand
from core.engine import fingerprint, publish, results, worker
from core.engine.publish import HIDDEN, staging_path
from core.engine.stage import Stage
from core.errors import EXIT_FAILED, EXIT_INTERRUPTED, AlreadyRunningError, GitloreError, UserError
from core.files import Digests, make_folder, remove
from core.logs import log
from core.process import interrupts_later

LOCK_PATIENCE_S = 1.0
"""A run that was just killed needs a moment until its child is gone."""


@dataclass(frozen=True)
class Layout:
    """Where files are: in one outputs folder, unless a stage's own command names other paths."""

    home: Path
    places: Mapping[str, Path] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Place of an input or output by its name."""
        return self.places.get(name, self.home / name)

    def paths(self, names: Sequence[str]) -> dict[str, Path]:
        """Places of several files."""
        return {name: self.path(name) for name in names}

    @property
    def hidden(self) -> Path:
        """Lock, records and unfinished work of this outputs folder."""
        return self.home / HIDDEN

    def record_path(self, stage: Stage) -> Path:
        """What the stage's last success left behind."""
        return self.hidden / "records" / f"{stage.name}.json"


@dataclass(frozen=True)
class Runner:
    """The stages, their settings and their place; `run` does the work, `plan` only looks."""

    stages: Sequence[Stage]
    config: Config
    layout: Layout
    verbose: bool = False

    def plan(self, selected: Sequence[Stage], *, force: bool = False) -> list[tuple[Stage, list[str]]]:
        """Each selected stage with the reasons it would run (none: up to date). Touches nothing."""
        digests = self._digests()
        made_by = {name: stage for stage in self.stages for name in stage.outputs}
        planned: list[tuple[Stage, list[str]]] = []
        running: set[str] = set()
        for stage in selected:
            why = ["--force was given"] if force else self._reasons(stage, digests)
            makers = {made_by[name].name: name for name in stage.inputs if name in made_by}
            why += [f"{name} may change, as {maker} would run" for maker, name in makers.items() if maker in running]
            if why:
                running.add(stage.name)
            planned.append((stage, why))
        return planned

    def run(
        self,
        selected: Sequence[Stage],
        *,
        force: bool = False,
        from_scratch: bool = True,
        continue_on_error: bool = False,
        keep_results: bool = True,
    ) -> results.Run:
        """Run what is stale among the selected stages, one run at a time; `keep_results` writes the run's record.

        `force` also runs stages that are up to date; with `from_scratch` these do not build on their last result.
        """
        run = results.Run(config=self.config.as_dict(), path=self.layout.home / results.FILE_NAME)
        with self._locks(self._folders(selected)):
            digests = self._digests()
            if publish.recover(self.layout.home):
                log.info("finished publishing what an earlier run had completed")
            publish.clean(*self._folders(selected))
            failed: dict[str, str] = {}
            try:
                for stage in selected:
                    try:
                        entry = self._step(stage, digests, failed, force=force, from_scratch=from_scratch)
                    except OSError as error:  # a full disk, a file that may not be read
                        message, hint, trace = worker.explain(error, self.layout.home)
                        entry = results.StageEntry(stage.name, "failed")
                        self._failure(entry, message, hint, EXIT_FAILED, trace)
                    run.stages.append(entry)
                    digests.save()
                    if entry.status in ("failed", "interrupted"):
                        failed.update(dict.fromkeys(stage.outputs, stage.name))
                        if not continue_on_error or entry.status == "interrupted":
                            break
            except KeyboardInterrupt:  # between two stages, or while the state of one was looked at
                run.exit_code = EXIT_INTERRUPTED
                with contextlib.suppress(KeyboardInterrupt):
                    log.error("interrupted")
            with interrupts_later():  # somebody may press Ctrl-C again
                run.finish(not_reached=[stage.name for stage in selected[len(run.stages) :]], write=keep_results)
        return run

    def follow(self, stage: Stage) -> worker.Outcome:
        """Run a stage in a worker of the process that leads it: no lock, and nothing of what it writes is kept."""
        self._check_inputs(stage)
        facts = self._facts(stage, self._digests())
        with tempfile.TemporaryDirectory() as folder:
            staged = {name: Path(folder) / name for name in stage.outputs}
            return worker.run_in_child(replace(self._job(stage, staged, self._scratch(stage, facts)), facts=facts))

    def estimate(self, stage: Stage) -> worker.Outcome:
        """Let a stage print what to expect of a run; the outputs folder is only read."""
        self._check_inputs(stage)
        with tempfile.TemporaryDirectory(prefix="gitlore-") as folder:
            job = self._job(stage, {}, Path(folder))
            return worker.run_in_child(replace(job, log_file=Path(folder) / results.LOG_NAME, estimate=True))

    def _scratch(self, stage: Stage, facts: fingerprint.Facts) -> Path:
        """The folder for unfinished work with exactly these facts."""
        lasting = {name: value for name, value in facts.items() if name not in stage.resumes_despite}
        return self.layout.hidden / "scratch" / stage.name / fingerprint.digest_of(lasting)

    def _step(
        self, stage: Stage, digests: Digests, failed: dict[str, str], *, force: bool, from_scratch: bool
    ) -> results.StageEntry:
        if blockers := sorted({failed[name] for name in stage.inputs if name in failed}):
            log.warning("%s: not run, since %s failed", stage.name, " and ".join(blockers))
            failed.update(dict.fromkeys(stage.outputs, stage.name))
            return results.StageEntry(stage.name, "blocked", [f"{name} failed" for name in blockers])
        try:
            self._check_inputs(stage)
            self._tell_changed(stage, digests)
            self._check_places(stage)
            facts = self._facts(stage, digests)
        except GitloreError as error:
            return self._failure(
                results.StageEntry(stage.name, "failed", []), error.message, error.hint, error.exit_code
            )
        record = self._record(stage)
        why = ["--force was given" if from_scratch else "its command was run"] if force else []
        why = why or self._why(stage, facts, record, digests)
        if not why:
            log.info("%s: up to date (inputs, settings, code and outputs are unchanged)", stage.name)
            return results.StageEntry.skipped(stage.name, record or {})
        log.info("%s: running, because %s", stage.name, results.shorten(why))
        return self._execute(stage, facts, why, digests, forced=force and from_scratch)

    def _execute(
        self, stage: Stage, facts: fingerprint.Facts, why: list[str], digests: Digests, *, forced: bool
    ) -> results.StageEntry:
        token = f"{stage.name}-{uuid.uuid4().hex[:8]}"
        staged = {name: staging_path(self.layout.path(name), token) for name in stage.outputs}
        scratch = self._scratch(stage, facts)
        try:
            for path in staged.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            _keep_only(scratch)
            job = self._job(stage, staged, scratch)
            previous = self._intact(stage, digests)
            outcome = worker.run_in_child(replace(job, facts=facts, previous=previous, forced=forced))
            entry = results.StageEntry.of(stage.name, why, outcome)
            if outcome.exit_code:
                return self._failure(entry, outcome.error, outcome.hint, outcome.exit_code, outcome.trace)
            if missing := [name for name, path in staged.items() if not path.exists()]:
                return self._failure(entry, f"it ended without writing {', '.join(missing)}", "", EXIT_FAILED)
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1) as pool:  # the disk and the processor work side by side
                flushed = pool.submit(publish.flush, staged.values())
                for name, path in staged.items():
                    entry.outputs[name] = results.output_entry(path, digests)
                flushed.result()
            moves = [(path, self.layout.path(name)) for name, path in staged.items()]
            publish.publish(self.layout.home, moves, self.layout.record_path(stage), entry.as_record(facts))
            remove(scratch)
            return entry
        finally:
            if not publish.pending(self.layout.home):  # an interrupt between renames: the next start finishes them
                for folder in {path.parent for path in staged.values()}:
                    remove(folder)

    def _job(self, stage: Stage, staged: Mapping[str, Path], scratch: Path) -> worker.Job:
        return worker.Job(
            module=stage.module,
            config=self.config.stages[stage.name].model_dump(mode="json"),
            input_paths=self.layout.paths(stage.inputs),
            output_paths=dict(staged),
            published_paths=self.layout.paths(stage.outputs),
            scratch=scratch,
            cache_dir=expand(self.config.pipeline.cache_dir),
            resolved=self._settings_of(stage),
            facts={},
            previous=None,
            forced=False,
            log_file=self.layout.home / results.LOG_NAME,
            verbose=self.verbose,
        )

    def _intact(self, stage: Stage, digests: Digests) -> Mapping[str, str] | None:
        """The facts behind the stage's published outputs, if these are as it left them."""
        record = self._record(stage)
        if record is None or set(record["outputs"]) != set(stage.outputs):
            return None
        for name, path in self.layout.paths(stage.outputs).items():
            if digests.of(path) != record["outputs"][name]["sha256"]:
                return None
        facts: Mapping[str, str] = record["facts"]
        return facts

    def _settings_of(self, stage: Stage) -> dict[str, Any]:
        """Every setting behind the stage's work: the config's, and those that its inputs were really made with."""
        settings = self.config.as_dict()
        for record in self._makers(stage):
            for name, value in record["facts"].items():
                if name.startswith("setting "):
                    section, key = name.removeprefix("setting ").split(".", 1)
                    settings.setdefault(section, {})[key] = json.loads(value)
        return settings

    @staticmethod
    def _failure(
        entry: results.StageEntry, message: str, hint: str, exit_code: int, trace: str = ""
    ) -> results.StageEntry:
        entry.status = "interrupted" if exit_code == EXIT_INTERRUPTED else "failed"
        entry.error, entry.hint, entry.exit_code = message, hint, exit_code
        log.error("%s: %s%s%s", entry.name, message, f"\n  hint: {hint}" if hint else "", f"\n{trace}" if trace else "")
        return entry

    def _reasons(self, stage: Stage, digests: Digests) -> list[str]:
        record = self._record(stage)
        if record is None:  # nothing to compare with: no need to read code and inputs
            return [fingerprint.NEVER_RUN]
        try:
            facts = self._facts(stage, digests)
        except GitloreError as error:
            return [f"cannot determine its state: {error.message}"]
        return self._why(stage, facts, record, digests)

    def _why(
        self, stage: Stage, facts: fingerprint.Facts, record: Mapping[str, Any] | None, digests: Digests
    ) -> list[str]:
        why = fingerprint.reasons(facts, record, self.layout.paths(stage.outputs), digests)
        kept = stage.side_files(self.config.stages[stage.name]) if stage.side_files and record else ()
        return why + [f"{path} is missing" for path in kept if not path.exists()]

    def _facts(self, stage: Stage, digests: Digests) -> fingerprint.Facts:
        config, inputs = self.config.stages[stage.name], self.layout.paths(stage.inputs)
        return fingerprint.facts(stage, config, inputs, self._makers(stage), digests)

    def _makers(self, stage: Stage) -> list[dict[str, Any]]:
        """Records of the stages that made this one's inputs."""
        records = (_read_record(path) for path in sorted((self.layout.hidden / "records").glob("*.json")))
        return [record for record in records if record and set(stage.inputs) & record["outputs"].keys()]

    def _check_inputs(self, stage: Stage) -> None:
        made_by = {name: other.name for other in self.stages for name in other.outputs}
        for name in stage.inputs:
            path = self.layout.path(name)
            if not path.exists():
                maker = made_by.get(name)
                hint = f"make it first: python pipeline.py --until {maker}" if maker else "check the path"
                raise UserError(f"{path} is missing", hint)

    def _tell_changed(self, stage: Stage, digests: Digests) -> None:
        """Warn of inputs that are not as the stage that made them left them: damage can read like other data."""
        here = [name for name in stage.inputs if self.layout.path(name) == self.layout.home / name]
        for record in self._makers(stage):
            for name in here:
                made = record["outputs"].get(name)
                if made and made["sha256"] != digests.of(self.layout.path(name)):
                    log.warning("%s was changed by something else since it was made", self.layout.path(name))

    def _check_places(self, stage: Stage) -> None:
        """Raise UserError rather than put an output where something of the user's stands."""
        for name in stage.outputs:
            place = self.layout.path(name)
            is_file = "." in name
            if is_file and place.is_dir():
                raise UserError(f"{place} is a folder; {name} needs a file", f"for example {place / name}")
            if not is_file and name in self.layout.places and place.exists():
                ours = place.is_dir() and (not any(place.iterdir()) or (place / "gitlore.json").exists())
                if not ours:
                    raise UserError(f"{place} holds something else already", "name a new folder, or empty it")

    def _record(self, stage: Stage) -> dict[str, Any] | None:
        return _read_record(self.layout.record_path(stage))

    def _digests(self) -> Digests:
        return Digests(self.layout.hidden / "digests.json")

    def _folders(self, selected: Sequence[Stage]) -> list[Path]:
        """Every folder that outputs are written to, in a fixed order, so that two runs cannot wait for each other."""
        places = (self.layout.path(name).parent for stage in selected for name in stage.outputs)
        return sorted({self.layout.home, *places})

    @staticmethod
    @contextlib.contextmanager
    def _locks(folders: Sequence[Path]) -> Iterator[None]:
        """The kernel releases these locks when their process dies, so a kill never leaves one behind."""
        from filelock import FileLock, Timeout

        with contextlib.ExitStack() as held:
            for folder in folders:
                make_folder(folder / HIDDEN)
                try:
                    held.enter_context(FileLock(folder / HIDDEN / "lock").acquire(timeout=LOCK_PATIENCE_S))
                except Timeout:
                    raise AlreadyRunningError(
                        f"another run is using {folder}", "wait for it, or give this one another outputs folder"
                    ) from None
            yield


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        whole = isinstance(record["facts"], dict) and all("sha256" in made for made in record["outputs"].values())
    except (OSError, ValueError, RecursionError, TypeError, LookupError, AttributeError):  # lost or damaged
        return None
    return record if whole else None


def _keep_only(scratch: Path) -> None:
    """Make the scratch folder; those of other inputs, settings or code are of no more use."""
    scratch.mkdir(parents=True, exist_ok=True)
    for other in scratch.parent.iterdir():
        if other != scratch:
            remove(other)
