"""Stage 7: measure how well the model predicts commits that it has never seen.

    python evaluate.py --model outputs/model --test-data outputs/training_data_test.pt --output outputs/evaluation.json

Scores the fine-tuned model, its untuned base, counting, compressing and copying on the same tokens of validation and
test; lets the model write code and name the next files; searches the training text for test text. Every difference
comes with an interval over commits. Writes evaluation.json, model_card.md, and copying/: the history and the weights
with which predict.py and serve.py let the model copy from it while it writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.config import Section, without_credentials
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.git.remotes import published_at
from core.logs import log
from core.models import base_models, model_card
from core.records.commit_files import read_history
from core.records.copying import FOLDER as COPYING
from core.records.evaluation import (
    CACHE,
    TUNED,
    Continuations,
    EvaluatedData,
    Evaluation,
    Example,
    NextCommits,
    Saving,
)
from core.records.json_files import write_record
from core.records.stats import SplitData, read_dataset_stats
from core.text.token_files import SPLITS

if TYPE_CHECKING:
    from core.evaluation.answers import Answers, Questions
    from core.evaluation.model_pair import ModelPair
    from core.evaluation.streams import Streams
    from core.models.model_folder import ModelInfo
    from core.prediction.copying import Copying
    from core.scoring.copying import Cache
    from core.text.edits import Past

DEFAULT_TOKENS, MOST_TOKENS = 12_288, 32_768
"""Tokens to score where nothing was said of them: without a budget of the training, and with a large one."""
TRAINED_FOR_EACH = 4
"""Tokens to train on for each token to score, where the training's budget decides both."""


class EvaluateConfig(Section):
    """What is measured, and on how much."""

    width: int = Field(default=512, ge=8, json_schema_extra={"same_as": "model_training.sequence_length"})
    """Tokens that every model sees at once; taken from model_training.sequence_length unless set."""
    tokens: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    """Tokens of validation and of test to score, in evenly spread blocks; 0 for all. "auto" takes a quarter of the
    model's max_train_tokens, at most 32,768, and 12,288 where it has none."""
    edit_tokens: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    """Tokens of validation and of test to read for edits, where the data show edits; 0 for all, "auto" for `tokens`."""
    cache: bool = True
    """Also mix the models with copying from earlier history, as predict.py then does; validation decides how much."""
    next_commits: int = Field(default=20, ge=0)
    """Commits of the test split whose files and change types are predicted."""
    continuations: int = Field(default=12, ge=0)
    """Changes of the test split whose code is written."""
    continuation_tokens: int = Field(default=48, ge=1)
    """Maximum number of tokens of each."""
    examples: int = Field(default=3, ge=0)
    """Commits of the test split to sketch for the report, next to what really came."""
    sketch_tokens: int = Field(default=64, ge=1)
    """Maximum number of tokens of text in a sketch."""
    bootstrap_samples: int = Field(default=1000, ge=0)
    """Bootstrap samples of commits for each interval; 0 for no intervals."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of all models; auto uses what the device computes natively."""
    adapter: bool = True
    """False measures the untuned base in place of the fine-tuned model: every difference must then be zero."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of all random numbers."""


def run(ctx: Context[EvaluateConfig]) -> None:
    """Write evaluation.json, model_card.md and copying/."""
    from transformers import set_seed

    from core.evaluation.answers import EDITS
    from core.evaluation.contamination import contamination
    from core.evaluation.model_pair import ModelPair
    from core.evaluation.streams import Streams

    config, streams = ctx.config, Streams.read(ctx.input_paths)
    set_seed(config.seed)
    pair = ModelPair.load(ctx.input("model"), ctx.cache_dir, config.precision, adapter=config.adapter)
    pair.check_vocabulary(streams.vocabulary)
    tokens = tokens_of(config, pair.loaded.info)
    questions = questions_of(streams, pair, config, tokens)
    answers = questions.ask_both(pair)
    held_out, (rows, caches) = questions.held_out, questions.rows(answers)
    copying = kept_copying(ctx, pair, questions, caches)
    test, edits, train = held_out["test"], held_out.get(EDITS["test"]), streams.train.numpy()
    tables = {
        name: one.table(rows[name], samples=config.bootstrap_samples, seed=config.seed)
        for name, one in held_out.items()
    }
    evaluation = Evaluation(
        width=config.width,
        precision=base_models.resolved_precision(config.precision),
        settings=config.model_dump() | {"tokens": tokens},
        warnings=warnings(ctx, pair),
        data=data_of(ctx),
        splits={name: tables[name] for name in EDITS},
        edits={name: tables[of_edits] for name, of_edits in EDITS.items() if of_edits in tables},
        edits_by_change=edits.by_change(rows[EDITS["test"]]) if edits else {},
        edits_by_commit=edits.by_commit(rows[EDITS["test"]]) if edits else None,
        by_kind=test.by_kind(rows["test"]),
        by_age=test.by_age(rows["test"]),
        contamination={
            name: contamination(train, streams.of(name).numpy(), streams.vocabulary.markers) for name in EDITS
        },
        next_commits=next_commits(pair, streams, config),
        continuations=continuations(questions, answers, pair, copying, config),
        written_edits=written_edits(pair, streams, copying, config),
        examples=examples(pair, streams, copying, config),
    )
    write_record(ctx.output("evaluation.json"), evaluation)
    measured = evaluation if config.adapter else None  # otherwise the figures are the base's
    card = model_card.card(pair.loaded.info, measured)
    ctx.output(model_card.CARD).write_text(card, encoding="utf-8")
    report(ctx, evaluation)


def tokens_of(config: EvaluateConfig, info: ModelInfo) -> int:
    """Tokens of each split to score: on "auto", the budget of the training decides, which suits the machine."""
    if config.tokens != "auto":
        return config.tokens
    budget = info.training.max_train_tokens if info.training else 0
    return min(budget // TRAINED_FOR_EACH, MOST_TOKENS) if budget else DEFAULT_TOKENS


def questions_of(streams: Streams, pair: ModelPair, config: EvaluateConfig, tokens: int) -> Questions:
    """The `tokens` to score of each split, and the positions in the test split where code is to be written."""
    from core.evaluation.answers import EDITS, Questions
    from core.evaluation.continuations import prompts
    from core.evaluation.held_out import HeldOut
    from core.text.stream import codes

    masked, vocabulary = not pair.loaded.sees_history, streams.vocabulary
    held_out: dict[str, HeldOut] = {}
    edit_tokens = tokens if config.edit_tokens == "auto" else config.edit_tokens
    for name, edits in EDITS.items():
        given = (streams.earlier(name), streams.of(name), vocabulary, config.width)
        held_out[name] = HeldOut.of(*given, tokens or None, masked=masked)
        if found := HeldOut.of_edits(*given, edit_tokens or None, masked=masked, past=past_of(streams, pair)):
            held_out[edits] = found
    most = config.continuation_tokens
    context = max(config.width - most, 1)
    ranges = codes(streams.test.numpy(), vocabulary.markers)
    chosen = prompts(streams.test, ranges, context, most, config.continuations)
    return Questions(streams, held_out, chosen, context, most, config.cache)


def past_of(streams: Streams, pair: ModelPair) -> Past | None:
    """The past edits that the model was trained to see before an edit, if it was."""
    return streams.past_edits.before if pair.loaded.sees_past_edits else None


def warnings(ctx: Context[EvaluateConfig], pair: ModelPair) -> list[str]:
    """What readers of the figures must know."""
    history = read_history(ctx.input("commits.json"))
    where = published_at(history.repository, history.git_dir) if pair.has_base else ""
    text = (
        f"The base model may have seen this repository during pre-training, since it is published at {where}. Its own "
        "figures then look better than they should, and the gain smaller."
    )
    return [text] if where else []


def data_of(ctx: Context[EvaluateConfig]) -> EvaluatedData:
    """Which history the figures are about."""
    import msgspec

    splits = read_dataset_stats(ctx.input("dataset_stats.json")).splits
    repository = without_credentials(read_history(ctx.input("commits.json")).repository)
    return EvaluatedData(
        repository=repository, splits=msgspec.convert(splits, dict[str, SplitData], from_attributes=True)
    )


def kept_copying(
    ctx: Context[EvaluateConfig], pair: ModelPair, questions: Questions, caches: Mapping[str, Cache]
) -> Copying | None:
    """Write copying/ for the fine-tuned model; returns what may be copied where the test split begins."""
    from core.prediction.copying import Copying
    from core.scoring.copying_folder import CopyingWriter
    from core.scoring.segments import id_bytes

    test, cache = questions.held_out["test"], caches.get(TUNED)
    earlier = None if ctx.forced else ctx.published(COPYING)
    writer = CopyingWriter(ctx.output(COPYING), id_bytes(test.vocabulary.size), earlier)
    copying = None
    if cache:
        writer.add(test.earlier)
        copying = Copying(writer.index, cache)
        writer.add(test.stream.numpy())
    writer.finish(pair.loaded.info.identity if ctx.config.adapter else "", cache)  # otherwise they are the base's
    return copying


def next_commits(pair: ModelPair, streams: Streams, config: EvaluateConfig) -> NextCommits | None:
    """How often the model names the files and change types of a commit, given its message."""
    from core.evaluation.next_files import next_files

    count, samples, seed = config.next_commits, config.bootstrap_samples, config.seed
    if not count:
        return None
    with pair.predictor(config.width) as predictor:
        return next_files(streams.earlier("test"), streams.test, predictor, count, samples=samples, seed=seed)


def continuations(
    questions: Questions,
    answers: Mapping[str, Answers],
    pair: ModelPair,
    copying: Copying | None,
    config: EvaluateConfig,
) -> Continuations | None:
    """Code that the models and copying write, compared with the code that was written."""
    from core.evaluation.continuations import compare

    if not questions.prompts:
        return None
    code = {name: answer.code for name, answer in answers.items()}
    if copying:
        with pair.tuned() as model:
            code[TUNED + CACHE] = questions.write_copying(model, copying)
    samples, seed = config.bootstrap_samples, config.seed
    most, context = questions.most, questions.context
    return compare(questions.streams, questions.prompts, code, context, most, samples=samples, seed=seed)


def written_edits(
    pair: ModelPair, streams: Streams, copying: Copying | None, config: EvaluateConfig
) -> Continuations | None:
    """What the model adds in edits, with and without copying, beside what others add."""
    from core.evaluation.written_edits import compare, prompts, without_model, written

    most = config.continuation_tokens
    chosen = prompts(streams, config.width, config.continuations, past_of(streams, pair))
    if not chosen:
        return None
    answers = without_model(streams, chosen, most)
    with pair.tuned() as model:
        answers[TUNED] = written(model, streams, chosen, most)
        if copying:
            answers[TUNED + CACHE] = written(model, streams, chosen, most, copying)
    return compare(answers, chosen, most, samples=config.bootstrap_samples, seed=config.seed)


def examples(pair: ModelPair, streams: Streams, copying: Copying | None, config: EvaluateConfig) -> list[Example]:
    """Commits of the test split with a sketch, next to what they really changed."""
    from core.evaluation.sketches import sketched

    if not config.examples:
        return []
    with pair.predictor(config.width) as predictor:
        return sketched(streams, predictor, config.examples, config.sketch_tokens, copying)


def report(ctx: Context[EvaluateConfig], evaluation: Evaluation) -> None:
    """Log every row and gain, and count for the summary."""
    edits = {f"{name} edits": table for name, table in evaluation.edits.items()}
    for name, table in (evaluation.splits | edits).items():
        shown = ", ".join(f"{row} {one.bits_per_byte:.3f}" for row, one in table.rows.items())
        log.info("%s, bits per byte: %s", name, shown)
        gains = (("gain", table.gain), ("gain of cache", table.gain_of_cache), ("gain over copy", table.gain_over_copy))
        for key, gain in gains:
            if gain:
                log.info("%s, %s: %s", name, key, in_words(gain.text))
    for warning in evaluation.warnings:
        log.info("note: %s", warning)
    leak = evaluation.contamination["test"]
    if leak.suspicious:
        log.warning(
            "the training text holds the whole code of %s of %s test changes: the figures above are too good",
            *(leak.changes_in_training, leak.changes),
        )
    ctx.count("test tokens scored", next(iter(evaluation.test.rows.values())).tokens or 0)
    ctx.count("commits predicted", evaluation.next_commits.commits if evaluation.next_commits else 0)


def in_words(saving: Saving) -> str:
    """A saving with its interval."""
    between = f" (95 % interval: {saving.interval} saved)" if saving.interval else ""
    share, change = abs(saving.share), "fewer" if saving.share >= 0 else "more"
    return f"{share:.1%} {change} bits of text{between}, {saving.commits} commits"


STAGE = Stage(
    name="evaluate",
    help="measure the model on held-out commits, compared with its base and baselines",
    config=EvaluateConfig,
    run=run,
    inputs=(
        *("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS)),
        *("dataset_stats.json", "commits.json", "model"),
    ),
    outputs=("evaluation.json", model_card.CARD, COPYING),
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
