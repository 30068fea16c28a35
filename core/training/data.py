"""What a training reads: the tokenized splits, the packed blocks, the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import UserError
from core.logs import log
from core.scoring.blocks import spread_blocks
from core.text.edits import Past, behind
from core.text.token_files import SPLITS, WINDOW_KEYS, load
from core.text.vocabulary import STANDALONE, Vocabulary
from core.training.examples import Blocks, Chosen, Documents, Edits, Examples, Windows

if TYPE_CHECKING:
    import torch

Objective = Literal["blocks", "target_window", "edits"]


@dataclass
class TrainingData:
    """The splits as token streams (ids, 1-D), packed blocks and windows."""

    vocabulary: Vocabulary
    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor
    folder: Path
    """The packed blocks (dataset/)."""
    windows: dict[str, dict[str, torch.Tensor]]
    """Context and target windows, by split."""
    objective: Objective
    documents: Documents
    past: Past | None = None
    """Of `objective` "edits", what is shown before an edit of train and val, as one stream."""

    @classmethod
    def read(cls, inputs: Mapping[str, Path], objective: Objective, documents: Documents) -> TrainingData:
        """The stage's inputs. Raises UserError where dataset/ and the training data do not belong together."""
        train, val, test = (load(inputs[f"training_data_{name}.pt"], ("stream", *WINDOW_KEYS)) for name in SPLITS)
        vocabulary = Vocabulary.load(inputs["vocab.json"], inputs["tokenizer"])
        data = cls(
            vocabulary,
            *(train["stream"], val["stream"], test["stream"]),
            inputs["dataset"],
            {"train": train, "val": val},
            objective,
            documents,
        )
        blocks = data.blocks("train", 1 << 30)
        if blocks is None or not blocks.belongs_to(data.train):
            name = inputs["training_data_train.pt"]
            raise UserError(f"{data.folder} was not made with {name}", "run the dataset_builder stage again")
        return data

    def check_base(self, base_model: str) -> None:
        """Raise UserError unless the tokens were made for this base model."""
        own = self.vocabulary.base_model
        if own == STANDALONE:
            raise UserError(
                "tokenizer.mode is standalone, but a pre-trained model knows only its own tokens",
                "set model_training.method: scratch, or tokenizer.mode: base_model",
            )
        if own != base_model:
            raise UserError(
                f"the tokens were made for base model '{own}', not '{base_model}'",
                "run the tokenizer stage again with this base model",
            )

    def blocks(self, split: str, width: int) -> Blocks | None:
        """The packed blocks of a split in pieces of at most `width`; None where it has none."""
        return Blocks.load(self.folder, split, width, self.documents)

    def widest(self, wanted: int) -> int:
        """Tokens of an example: `wanted`, but no more than a block or a window has."""
        if self.objective == "target_window":
            return sum(self.windows["train"][name].shape[1] for name in ("contexts", "targets"))
        if self.objective == "edits":
            return wanted
        blocks = self.blocks("train", wanted)
        assert blocks is not None  # checked by `read`
        if blocks.block < wanted:
            log.warning("the blocks of dataset/ have %s tokens, fewer than sequence_length", blocks.block)
        return blocks.width

    def examples(self, split: str, width: int) -> Examples | None:
        """What the objective trains on; None where the split has none."""
        if self.objective == "target_window":
            return Windows(self.windows[split], width)
        if self.objective == "edits":
            stream, first = (self.train, 0) if split == "train" else (self.val, len(self.train))
            past = behind(self.past, first) if self.past else None
            return Edits(stream, self.vocabulary.markers, width, past)
        return self.blocks(split, width)

    def training_examples(self, width: int) -> Examples:
        """Those of the training split. Raises UserError where the tokens hold no edits."""
        found = self.examples("train", width)
        assert found is not None  # checked by `read`
        if self.objective == "edits" and not len(found):
            raise UserError(
                "the training split holds no edits",
                "objective: edits needs tokenizer.code_view: edit; set it, and run the tokenizer stage again",
            )
        return found

    def validation(self, width: int, most_tokens: int) -> Chosen | None:
        """Some `most_tokens` tokens of the validation split, spread over it; None where it has none."""
        examples = self.examples("val", width)
        if examples is None or not len(examples):
            return None
        places = spread_blocks(len(examples) + 1, 1, max(most_tokens // width, 1))
        return Chosen(examples, [place for place, _ in places])
