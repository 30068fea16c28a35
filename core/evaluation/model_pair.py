"""The two models that are compared: a fine-tuned one, and the untuned base that its training started from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.models import base_models, model_folder
from core.prediction.predictor import Predictor
from core.text.vocabulary import STANDALONE, Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass
class ModelPair:
    """Both models. With an adapter they share their weights, so only one of them can be used at a time."""

    loaded: model_folder.Loaded
    cache_dir: Path
    precision: str
    adapter: bool
    """False puts the untuned base in the fine-tuned model's place."""

    @classmethod
    def load(cls, folder: Path, cache_dir: Path, precision: str, *, adapter: bool) -> ModelPair:
        """Load a model folder. Raises UserError where it is damaged, or has no base for `adapter` False."""
        pair = cls(model_folder.load(folder, cache_dir, precision=precision), cache_dir, precision, adapter)
        if not adapter and not pair.has_base:
            raise UserError("a model from scratch has no untuned base", "leave evaluate.adapter true")
        return pair

    @property
    def has_base(self) -> bool:
        """Whether there is a pre-trained model behind the fine-tuned one."""
        return self.loaded.info.base_model != STANDALONE and self.loaded.info.method != "scratch"

    def check_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Raise UserError unless the model was trained with the vocabulary of the data."""

        def identity(one: Vocabulary) -> tuple[object, ...]:
            return one.markers, one.spelled_values(), one.base_model, one.tokenizer.to_str()

        if identity(self.loaded.vocabulary) != identity(vocabulary):
            raise UserError("the model was trained with another vocabulary than the data's", "train it again")

    def merge_adapter(self) -> None:
        """Make the fine-tuned model faster; the untuned base cannot be used afterwards."""
        if self.adapter:
            self.loaded.merge_adapter()

    @contextmanager
    def untuned(self) -> Iterator[PreTrainedModel]:
        """The base model: the same weights without the adapter, or loaded separately where there is none."""
        loaded = self.loaded
        if loaded.info.is_adapter:
            with loaded.untuned() as model:
                yield model
        else:
            base, precision = loaded.info.base_model, self.precision
            yield base_models.load_prepared(base, loaded.vocabulary, self.cache_dir, precision=precision)

    @contextmanager
    def tuned(self) -> Iterator[PreTrainedModel]:
        """The model that is measured."""
        if self.adapter or not self.has_base:
            yield self.loaded.model
        else:
            with self.untuned() as model:
                yield model

    @contextmanager
    def predictor(self, width: int) -> Iterator[Predictor]:
        """The measured model as a predictor of commits that sees `width` tokens."""
        view = self.loaded.info.settings.get("tokenizer", {}).get("code_view", "new")
        with self.tuned() as model:
            yield Predictor(model, self.loaded.vocabulary, width, view, sees_history=self.loaded.sees_history)
