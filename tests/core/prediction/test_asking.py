"""A trained model asked about a repository with the longest author and path that there can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import Program, Repo

from core.errors import UserError
from core.models import model_folder
from core.models.model_folder import Loaded
from core.prediction.asking import Asker
from core.prediction.copying import Copying
from core.prediction.question import Question
from core.ranking.ranker import FileRanking, RankedFile
from core.scoring.context_index import ContextIndex
from core.scoring.copying import Cache


@pytest.fixture(scope="module")
def loaded(finished: Program, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The tiny model."""
    return model_folder.load(finished.folder / "outputs" / "model", tmp_path_factory.mktemp("cache"))


def ranking(*paths: str) -> FileRanking:
    return FileRanking("task", [RankedFile(path, 0.5, 0.5) for path in paths], unsure=False)


@pytest.fixture
def asker(loaded: Loaded, history: Repo, tmp_path: Path) -> Asker:
    """It, with a repository whose last author has a name of 5,000 characters."""
    history.commit("add a long name", {"a.py": "a = 1\n"}, GIT_AUTHOR_NAME="Ünal " * 1000)
    return Asker(loaded, str(history.path), tmp_path / "cache")


def test_an_author_of_any_length_leaves_room_for_the_task(asker: Asker) -> None:
    for question in (Question(task="add it"), Question(task="add it", author="a\U0001f600" * 500)):
        found = asker.rank(question, ranking("a.py"))
        assert found.first
        assert found.first.name == "a.py"
        assert len(found.head) <= asker.loaded.width
    with pytest.raises(UserError, match="the task has") as caught:
        asker.rank(Question(task="ten words of a task that is long enough, " * 100), ranking("a.py"))
    assert caught.value.hint == "shorten the task"


def test_an_author_that_fits_is_whole(asker: Asker) -> None:
    vocabulary = asker.loaded.vocabulary
    found = asker.rank(Question(task="x", author="Ada Lovelace"), ranking("a.py"))
    assert "Ada Lovelace" in vocabulary.pieces(found.head)


def test_a_path_beyond_what_the_model_sees_is_not_sketched(asker: Asker) -> None:
    path = "/".join(["ab" * 100] * 20) + "/x.py"
    found = asker.rank(Question(task="add it"), ranking(path))
    assert found.first is None
    assert not list(asker.write(found, Question()))


def test_the_last_commits_are_copied_from_too(asker: Asker) -> None:
    asker.copying = Copying(ContextIndex(2), Cache(np.full(Cache.SHAPE, 0.5)))
    recent = asker.look()
    assert recent.copying
    (last,) = recent.copying.index.segments
    assert last.backward[::-1].tolist() == recent.ids
    assert asker.rank(Question(task="add it"), ranking("a.py")).copying is recent.copying
    assert asker.rank(Question(task="add it", copying=False), ranking("a.py")).copying is None


def test_past_edits_are_those_of_the_history_and_the_last_commits(asker: Asker) -> None:
    assert asker.look().past is None
    settings = asker.loaded.info.settings
    settings["model_training"] = {**settings.get("model_training", {}), "objective": "edits", "nearest_edit": True}
    asker.recent = None
    past = asker.look().past
    assert past
    assert past.ids.tolist() == asker.look().ids
    asker.copying, asker.recent = Copying(ContextIndex(2).extended(np.arange(9)), Cache(np.zeros(Cache.SHAPE))), None
    past = asker.look().past
    assert past
    assert past.ids.tolist() == [*range(9), *asker.look().ids]
