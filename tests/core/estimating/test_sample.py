"""The validation sample: the tokens that a training validates on, and copying beside a model."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import UserError
from core.estimating.sample import Sample, mixed_apart
from core.scoring.copying import Guesses
from core.scoring.scores import Scores

IDS = np.arange(40)
HALF = np.arange(40) % 2 == 1


def mixed(right: np.ndarray) -> np.ndarray:
    """Nats of a model that gives each token a fourth, mixed with guesses of which some are right."""
    guessed = Guesses(np.where(right, IDS, IDS + 1), np.zeros(40, np.int64))
    nats = np.full(40, np.log(4.0))
    found = mixed_apart(guessed, Scores(nats, candidate_nats=nats), IDS, HALF)
    assert found
    return found.nats


def test_copying_that_is_right_saves_bits() -> None:
    assert mixed(np.ones(40, bool)).mean() < 0.2
    assert mixed(np.zeros(40, bool)).mean() == pytest.approx(np.log(4.0), abs=0.1)


def test_a_token_has_no_part_in_the_weights_it_is_scored_by() -> None:
    right = np.ones(40, bool)
    right[1] = False
    changed = mixed(right)
    assert np.allclose(changed[HALF][1:], mixed(np.ones(40, bool))[HALF][1:])
    assert not np.allclose(changed[~HALF], mixed(np.ones(40, bool))[~HALF])


def test_one_sequence_cannot_tell_what_copying_brings() -> None:
    nats = np.ones(40)
    guessed = Guesses(IDS, np.zeros(40, np.int64))
    for half in (np.zeros(40, bool), np.ones(40, bool)):
        assert mixed_apart(guessed, Scores(nats, candidate_nats=nats), IDS, half) is None


def test_an_empty_validation_split_is_said() -> None:
    class NoValidation:
        def validation(self, _width: int, _most_tokens: int) -> None:
            return None

    with pytest.raises(UserError, match="the validation split is empty"):
        Sample.of(NoValidation(), 64, 128)  # type: ignore[arg-type]
