"""Stage 6: how well the model foretells commits that it has never seen, and beside what.

    python evaluate.py --model outputs/model --test-data outputs/training_data_test.pt --output outputs/evaluation.json

Scores the fine-tuned model and its untuned base on the same tokens of validation and test, beside counting,
compressing and copying; lets it write code and name the next files; looks for test text in the training
text. Every difference comes with an interval over commits. Writes evaluation.json and fills in the model card.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from core.config import Section, without_credentials
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import GitloreError, UserError
from core.evaluation.names import BASE, COPY, TUNED
from core.files import atomic_write, write_json
from core.git import commands
from core.logs import log
from core.models import base_models, model_folder
from core.records.commit_files import read_history
from core.text.token_files import SPLITS, load
from core.text.vocabulary import STANDALONE, Vocabulary

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.evaluation.continuations import Prompt
    from core.evaluation.held_out import HeldOut
    from core.prediction.predictor import Predictor
    from core.scoring.scores import Scores

PUBLIC_HOSTS = frozenset(("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "gitee.com"))
MOST_CODE = 2000
"""Characters of code that the report shows of each example."""


class EvaluateConfig(Section):
    """What is measured, and on how much."""

    width: int = Field(default=512, ge=8, json_schema_extra={"same_as": "model_training.sequence_length"})
    """Tokens that every model sees at once; taken from model_training.sequence_length unless set."""
    tokens: int = Field(default=12_288, ge=0)
    """Tokens of validation and of test that are scored, in blocks spread evenly; 0 scores all of them."""
    cache: bool = True
    """Mix the models with what stood after the same tokens before, with weights learnt on validation."""
    next_commits: int = Field(default=20, ge=0)
    """Commits of the test split whose files and change types are foretold."""
    continuations: int = Field(default=12, ge=0)
    """Changes of the test split whose code is written."""
    continuation_tokens: int = Field(default=48, ge=1)
    """Most tokens of each of these."""
    examples: int = Field(default=3, ge=0)
    """Commits of the test split that are sketched for the report, beside what really came."""
    sketch_tokens: int = Field(default=64, ge=1)
    """Most tokens of text in such a sketch."""
    bootstrap_samples: int = Field(default=1000, ge=0)
    """Draws of commits behind each interval; 0 leaves intervals out."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of all models; "auto" asks the device."""
    adapter: bool = True
    """False scores the untuned base in the fine-tuned model's place: every difference must then be zero."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of everything that is drawn."""


@dataclass
class Streams:
    """The token streams of the splits, 1-D, and the vocabulary that they are written in."""

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor
    vocabulary: Vocabulary

    def earlier(self, split: str) -> list[torch.Tensor]:
        """What stands before a split."""
        return [self.train] if split == "val" else [self.train, self.val]

    def of(self, split: str) -> torch.Tensor:
        """One of the held-out splits."""
        return self.val if split == "val" else self.test


@dataclass
class Answers:
    """What one model says."""

    scores: dict[str, Scores]
    """Of the asked tokens, by split."""
    code: list[list[int]]
    """What it writes at the prompts."""


def run(ctx: Context[EvaluateConfig]) -> None:
    """Write evaluation.json; put the figures into the model card."""
    from transformers import set_seed

    config, streams = ctx.config, read_streams(ctx)
    set_seed(config.seed)
    loaded = model_folder.load(ctx.input("model"), ctx.cache_dir, precision=config.precision)
    check_vocabulary(loaded, streams.vocabulary)
    if not config.adapter and not has_base(loaded):
        raise UserError("a model from scratch has no untuned base", "leave evaluate.adapter true")
    held_out = {name: hold_out(streams, name, loaded, config) for name in ("val", "test")}
    prompts = prompts_of(streams, config)
    answers = ask_models(ctx, loaded, streams, held_out, prompts)
    rows = {
        name: one.counting() | {who: said.scores[name] for who, said in answers.items()}
        for name, one in held_out.items()
    }
    caches = held_out["val"].learn(rows["val"]) if config.cache else {}
    rows = {name: one.mix(rows[name], caches) for name, one in held_out.items()}
    test = held_out["test"]
    found = {
        "schema_version": "2.0",
        "width": config.width,
        "precision": base_models.resolved_precision(config.precision),
        "settings": config.model_dump(),
        "warnings": warnings(ctx, loaded),
        "data": data_of(ctx),
        "splits": {
            name: one.table(rows[name], samples=config.bootstrap_samples, seed=config.seed)
            for name, one in held_out.items()
        },
        "by_kind": test.by_kind(rows["test"]),
        "by_age": test.by_age(rows["test"]),
        "contamination": {name: contaminated(streams, name) for name in held_out},
        "next_commits": foretell(ctx, loaded, streams),
        "continuations": compare_code(streams, prompts, answers, config),
        "examples": sketch_examples(ctx, loaded, streams),
    }
    write_json(ctx.output("evaluation.json"), found)
    report(ctx, found)
    fill_in_card(ctx.input("model"), loaded.about, found)


def read_streams(ctx: Context[EvaluateConfig]) -> Streams:
    """The inputs."""
    vocabulary = Vocabulary.load(ctx.input("vocab.json"), ctx.input("tokenizer"))
    train, val, test = (load(ctx.input(f"training_data_{name}.pt"), ["stream"])["stream"] for name in SPLITS)
    return Streams(train, val, test, vocabulary)


def check_vocabulary(loaded: model_folder.Loaded, vocabulary: Vocabulary) -> None:
    """Raise UserError unless the model was trained with the vocabulary of the data."""
    own = loaded.vocabulary
    same = (own.markers, own.spelled_values(), own.base_model, own.tokenizer.to_str())
    data = (vocabulary.markers, vocabulary.spelled_values(), vocabulary.base_model, vocabulary.tokenizer.to_str())
    if same != data:
        raise UserError("the model was trained with another vocabulary than the data's", "train it again")


def hold_out(streams: Streams, split: str, loaded: model_folder.Loaded, config: EvaluateConfig) -> HeldOut:
    """What is scored of a split."""
    from core.evaluation.held_out import HeldOut

    earlier, stream = streams.earlier(split), streams.of(split)
    most, masked = config.tokens or None, not loaded.sees_history
    return HeldOut.of(earlier, stream, streams.vocabulary, config.width, most, masked=masked)


def prompts_of(streams: Streams, config: EvaluateConfig) -> list[Prompt]:
    """Places of the test split where code begins that is to be written."""
    from core.evaluation.continuations import prompts
    from core.text.stream import commits_in

    codes = [code for commit in commits_in(streams.test.numpy(), streams.vocabulary) for code in commit.codes]
    return prompts(streams.test, codes, context_of(config), config.continuation_tokens, config.continuations)


def context_of(config: EvaluateConfig) -> int:
    """Tokens that stand before code that is to be written."""
    return max(config.width - config.continuation_tokens, 1)


def ask_models(
    ctx: Context[EvaluateConfig],
    loaded: model_folder.Loaded,
    streams: Streams,
    held_out: Mapping[str, HeldOut],
    prompts: Sequence[Prompt],
) -> dict[str, Answers]:
    """What the untuned base says, where there is one, and then the fine-tuned model, which is settled on the way."""
    answers = {}
    if has_base(loaded):
        with untuned(ctx, loaded) as model:
            answers[BASE] = ask(ctx, model, streams, held_out, prompts, BASE)
    if ctx.config.adapter:
        loaded.settle()
    with fine_tuned(ctx, loaded) as model:
        return {TUNED: ask(ctx, model, streams, held_out, prompts, TUNED), **answers}


def ask(
    ctx: Context[EvaluateConfig],
    model: PreTrainedModel,
    streams: Streams,
    held_out: Mapping[str, HeldOut],
    prompts: Sequence[Prompt],
    name: str,
) -> Answers:
    """Score both splits, and write code."""
    from core.evaluation.continuations import written
    from core.scoring.scores import score

    scores = {}
    with ctx.progress(f"scoring ({name})", sum(len(one.asked) for one in held_out.values()), "tokens") as progress:
        for split, one in held_out.items():
            guessed = one.guessed.ids if ctx.config.cache else None
            scores[split] = score(model, one.stream, one.asked, candidates=guessed, progress=progress)
    most, context = ctx.config.continuation_tokens, context_of(ctx.config)
    code = written(model, streams.test, prompts, streams.vocabulary, context, most) if prompts else []
    return Answers(scores, code)


def has_base(loaded: model_folder.Loaded) -> bool:
    """Whether there is a pre-trained model behind this one."""
    return bool(loaded.about["base_model"] != STANDALONE and method_of(loaded) != "scratch")


def method_of(loaded: model_folder.Loaded) -> str:
    """How the model was trained."""
    return str(loaded.about["settings"].get("model_training", {}).get("method", "lora"))


@contextmanager
def untuned(ctx: Context[EvaluateConfig], loaded: model_folder.Loaded) -> Iterator[PreTrainedModel]:
    """The base model: the same weights without the adapter, else loaded beside."""
    if loaded.about["is_adapter"]:
        with loaded.untuned() as model:
            yield model
    else:
        about, precision = loaded.about, ctx.config.precision
        yield model_folder.load_base(about["base_model"], loaded.vocabulary, ctx.cache_dir, precision=precision)


@contextmanager
def fine_tuned(ctx: Context[EvaluateConfig], loaded: model_folder.Loaded) -> Iterator[PreTrainedModel]:
    """The model that is measured."""
    if ctx.config.adapter or not has_base(loaded):
        yield loaded.model
    else:
        with untuned(ctx, loaded) as model:
            yield model


def warnings(ctx: Context[EvaluateConfig], loaded: model_folder.Loaded) -> list[str]:
    """What a reader of the figures must know."""
    found = []
    history = read_history(ctx.input("commits.json"))
    if has_base(loaded) and (where := published_at(history.repository, Path(history.git_dir))):
        found.append(
            f"The base model may have seen this repository when it was pre-trained: it is published at {where}. Then "
            "its own figures flatter it, and less of the gain is seen."
        )
    return found


def published_at(repository: str, git_dir: Path) -> str:
    """A public host that the repository comes from or is pushed to; "" where none is known."""
    try:
        remotes = commands.run(git_dir, "config", "--get-regexp", r"^remote\..*\.url$").decode(errors="replace")
    except (GitloreError, OSError):
        remotes = ""
    for url in (repository, *(line.partition(" ")[2] for line in remotes.splitlines())):
        host = re.search(r"(?:https?://|git@|ssh://git@|git://)(?:[^@/]*@)?([\w.-]+)", url)
        if host and host[1].lower() in PUBLIC_HOSTS:
            return without_credentials(url)
    return ""


def data_of(ctx: Context[EvaluateConfig]) -> dict[str, Any]:
    """Which history the figures are of."""
    dataset = json.loads(ctx.input("dataset_stats.json").read_bytes())
    wanted = ("commits", "tokens", "date_range", "first_commit", "last_commit")
    splits = {name: {key: one[key] for key in wanted} for name, one in dataset["splits"].items()}
    repository = without_credentials(read_history(ctx.input("commits.json")).repository)
    return {"repository": repository, "splits": splits}


def contaminated(streams: Streams, split: str) -> dict[str, Any]:
    """How much of a split stands in the training text."""
    from core.evaluation.contamination import contamination

    return contamination(streams.train.numpy(), streams.of(split).numpy(), streams.vocabulary.markers)


def predictor_of(ctx: Context[EvaluateConfig], loaded: model_folder.Loaded, model: PreTrainedModel) -> Predictor:
    """What asks a model at the width of the evaluation."""
    from core.prediction.predictor import Predictor

    view = loaded.about["settings"].get("tokenizer", {}).get("code_view", "new")
    return Predictor(model, loaded.vocabulary, ctx.config.width, view, sees_history=loaded.sees_history)


def foretell(ctx: Context[EvaluateConfig], loaded: model_folder.Loaded, streams: Streams) -> dict[str, Any] | None:
    """How often the model names the files and the kinds of change of a commit, given its message."""
    from core.evaluation.next_files import next_files

    config = ctx.config
    if not config.next_commits:
        return None
    with (
        fine_tuned(ctx, loaded) as model,
        ctx.progress("foretelling commits", config.next_commits, "commits") as progress,
    ):
        predictor = predictor_of(ctx, loaded, model)
        return next_files(
            streams.earlier("test"),
            streams.test,
            predictor,
            config.next_commits,
            samples=config.bootstrap_samples,
            seed=config.seed,
            progress=progress,
        )


def compare_code(
    streams: Streams, prompts: Sequence[Prompt], answers: Mapping[str, Answers], config: EvaluateConfig
) -> dict[str, Any] | None:
    """Code that the models write, and that copying writes, beside the code that was written."""
    import torch

    from core.evaluation.continuations import compared, copied

    if not prompts:
        return None
    vocabulary, most = streams.vocabulary, config.continuation_tokens
    written = {COPY: copied(torch.cat(streams.earlier("test")), streams.test, prompts, vocabulary, most)}
    written |= {name: said.code for name, said in answers.items()}
    truths = [vocabulary.decode(one.truth) for one in prompts]
    samples, seed = config.bootstrap_samples, config.seed
    rows = {
        name: compared([vocabulary.decode(ids) for ids in codes], truths, samples=samples, seed=seed)
        for name, codes in written.items()
    }
    return {"changes": len(prompts), "context": context_of(config), "most_tokens": most, "rows": rows}


def sketch_examples(
    ctx: Context[EvaluateConfig], loaded: model_folder.Loaded, streams: Streams
) -> list[dict[str, Any]]:
    """Commits of the test split, foretold with a sketch, beside what they really changed."""
    from core.evaluation.next_files import chosen

    config, vocabulary = ctx.config, streams.vocabulary
    if not config.examples:
        return []
    examples = []
    with (
        fine_tuned(ctx, loaded) as model,
        ctx.progress("sketching commits", config.examples, "commits") as progress,
    ):
        predictor = predictor_of(ctx, loaded, model)
        for asked in chosen(streams.earlier("test"), streams.test, predictor, config.examples):
            paths = sorted(asked.known.files)
            predicted = predictor.predict(asked.history, asked.head, paths, sketch_tokens=config.sketch_tokens)
            code = streams.test[slice(*asked.commit.codes[0])].tolist()
            examples.append(
                {
                    "head": vocabulary.decode(asked.head),
                    "predicted": predicted.as_dict(),
                    "truth": [{"file": path, "change_type": change} for path, change in asked.commit.changes],
                    "truth_code": vocabulary.decode(code)[:MOST_CODE],
                }
            )
            progress.advance()
    return examples


def report(ctx: Context[EvaluateConfig], found: Mapping[str, Any]) -> None:
    """One line per row of the test split, and the counts for the summary."""
    for name, split in found["splits"].items():
        shown = ", ".join(f"{row} {one['bits_per_byte']:.3f}" for row, one in split["rows"].items())
        log.info("%s, bits per byte: %s", name, shown)
        for key, gain in split.items():
            if key != "rows":
                log.info("%s, %s: %s", name, key.replace("_", " "), in_words(gain["text"]))
    for warning in found["warnings"]:
        log.info("note: %s", warning)
    if found["contamination"]["test"]["suspicious"]:
        log.warning(
            "%s of %s changes of the test split stand whole in the training text: the figures above are too good",
            *(found["contamination"]["test"][key] for key in ("changes_in_training", "changes")),
        )
    ctx.count("test tokens scored", next(iter(found["splits"]["test"]["rows"].values()))["tokens"])
    ctx.count("commits foretold", found["next_commits"]["commits"] if found["next_commits"] else 0)


def in_words(gain: Mapping[str, Any]) -> str:
    """A gain with its interval."""
    between = ""
    if gain["low"] is not None:
        between = f" (95 % interval of what is saved: {gain['low']:.1%} to {gain['high']:.1%})"
    share, much = (gain["share"], "fewer") if gain["share"] >= 0 else (-gain["share"], "more")
    return f"{share:.1%} {much} bits of text{between}, {gain['commits']} commits"


def fill_in_card(folder: Path, about: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Put the figures into the model's README.md. It is for people: what it says makes no stage stale."""
    if not (found["settings"]["adapter"] and "training" in about):
        return
    try:
        with atomic_write(folder / model_folder.CARD) as file:
            file.write(model_folder.card(about, found).encode())
    except OSError as error:
        log.warning("the model card in %s cannot be written: %s", folder, error.strerror)


STAGE = Stage(
    name="evaluate",
    help="measure the model on held-out commits, beside its base and baselines",
    config=EvaluateConfig,
    run=run,
    inputs=(
        *("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS)),
        *("dataset_stats.json", "commits.json", "model"),
    ),
    outputs=("evaluation.json",),
    flags={
        "vocab": "vocab.json",
        "train-data": "training_data_train.pt",
        "val-data": "training_data_val.pt",
        "test-data": "training_data_test.pt",
        "model": "model",
        "output": "evaluation.json",
    },
    libraries=("torch", "transformers", "peft", "sacrebleu", "rouge-score", "rapidfuzz"),
)

if __name__ == "__main__":
    stage_main(STAGE)
