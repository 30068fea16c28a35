"""Adapters with other values and other ids are measured on the same texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from made_adapters import FIRST_VALUES, SECOND_VALUES, Make, commit, write_outputs

from core.errors import UserError
from core.fusion import folder, fusing, parents, proof, rows
from core.fusion.fusing import Recipe
from core.fusion.parents import Parent
from core.fusion.proof import Asked
from core.models import model_folder
from core.records.fusion import BASE, FUSED, FusedParent, Origin
from core.scoring.blocks import spread_blocks
from core.scoring.scores import Targets, bits_per_byte, score
from core.text.grammar import Pieces

NEAR = 1e-5
ORDERS = [FIRST_VALUES, FIRST_VALUES[::-1], FIRST_VALUES[1:] + FIRST_VALUES[:1]]
"""The same values with other ids."""


def fused(found: Sequence[Parent], target: Path, cache: Path) -> Path:
    weights = [1 / len(found)] * len(found)
    made = fusing.fuse(found, Recipe("cat", weights))
    named = [FusedParent(name=one.name, sha256=one.sha256, weight=w) for one, w in zip(found, weights, strict=True)]
    folder.write(target, found, made, Origin(method="cat", parents=named), [], cache)
    return target


def alone(place: Path, pieces: Pieces, cache: Path) -> dict[str, float]:
    """Bits per byte of a model by itself, with its own tokens, and of its base."""
    import torch

    loaded = model_folder.load(place, cache)
    stream = torch.tensor(loaded.vocabulary.encode([pieces])[0])
    targets = Targets.of(stream, spread_blocks(len(stream), loaded.width, None), loaded.vocabulary)
    with loaded.untuned() as base:
        plain = bits_per_byte(score(base, stream, targets).nats, targets)
    return {"tuned": bits_per_byte(score(loaded.model, stream, targets).nats, targets), "base": plain}


def test_each_is_as_good_as_it_is_with_its_own_tokens(make: Make, roomy_model: Path, tmp_path: Path) -> None:
    names = [("Ada", "src/a.py"), ("Ada", "src/both.py")]
    places = [make(str(number), roomy_model, seed=number, values=ORDERS[number]) for number in range(2)]
    tests = [commit(author, path, "return x + 1\n" * 4) for author, path in names]
    outputs = []
    for number, place in enumerate(places):
        vocabulary = model_folder.read_info_and_vocabulary(place)[1]
        parts = (commit(*names[number], "a = 1"), commit(*names[number], "b = 2"), tests[number])
        outputs.append(write_outputs(tmp_path / f"outputs{number}", vocabulary, *parts))
    found = [parents.read(place) for place in places]
    third = parents.read(make("three", roomy_model, seed=3, values=ORDERS[2]))
    both = fused(found, tmp_path / "both", tmp_path)
    measured = proof.measure(both, found, outputs, tmp_path, Asked(0, {"third": third}))
    for number, one in enumerate(measured.histories):
        own = alone(places[number], tests[number], tmp_path)
        assert one.bits_per_byte[found[number].name] == pytest.approx(own["tuned"], abs=NEAR)
        assert one.bits_per_byte[BASE] == pytest.approx(own["base"], abs=NEAR)
        assert one.bits_per_byte[FUSED] == pytest.approx(alone(both, tests[number], tmp_path)["tuned"], abs=NEAR)
        third_bits = one.beside["third"].bits_per_byte
        assert one.beside["third"].saved.share == pytest.approx(1 - one.bits_per_byte[FUSED] / third_bits, abs=1e-9)
        assert third_bits == pytest.approx(alone(third.folder, tests[number], tmp_path)["tuned"], abs=NEAR)
        assert set(one.bits_per_byte) == set(measured.mean)
    assert list(measured.mean) == [BASE, found[0].name, found[1].name, FUSED]


def test_an_adapter_keeps_the_rows_of_tokens_that_are_there(make: Make, roomy_model: Path, tmp_path: Path) -> None:
    places = [make("one", roomy_model, values=FIRST_VALUES[:2]), make("two", roomy_model, seed=2, values=SECOND_VALUES)]
    both = fused([parents.read(place) for place in places], tmp_path / "both", tmp_path)
    vocabulary = model_folder.read_info_and_vocabulary(both)[1]
    parent = parents.read(places[1])
    made = folder.with_tokens_of(both, vocabulary, parent, tmp_path / "made")
    assert model_folder.read_info_and_vocabulary(made)[1].values == vocabulary.values

    def trained(place: Path) -> dict[object, list[float]]:
        one, names = parents.read(place), rows.tokens_of(model_folder.read_info_and_vocabulary(place)[1])
        found = one.rows(one.tables[0])
        return {names[id_]: row.tolist() for id_, row in zip(found.ids, found.values, strict=True)}

    kept = trained(made)
    assert kept == {token: row for token, row in trained(places[1]).items() if token in kept}
    assert {token for token in kept if isinstance(token, tuple)} == set(SECOND_VALUES) & set(vocabulary.values)
    assert set(vocabulary.values) - set(SECOND_VALUES)
    assert folder.with_tokens_of(both, vocabulary, parents.read(both), tmp_path / "same") == both


def test_data_of_another_pipeline_is_refused(make: Make, roomy_model: Path, tmp_path: Path) -> None:
    places = [make("one", roomy_model, values=FIRST_VALUES), make("two", roomy_model, seed=2, values=FIRST_VALUES)]
    found = [parents.read(place) for place in places]
    other = model_folder.read_info_and_vocabulary(make("three", roomy_model, values=SECOND_VALUES))[1]
    pieces = commit("Ada", "src/a.py", "return x")
    outputs = write_outputs(tmp_path / "outputs", other, pieces, pieces, pieces)
    both = fused(found, tmp_path / "both", tmp_path)
    with pytest.raises(UserError, match="another vocabulary than its data's"):
        proof.measure(both, found, [outputs, outputs], tmp_path, Asked(0))
