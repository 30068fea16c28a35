"""Fused adapters as models: what they compute, and what stands in their folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from made_adapters import FIRST_VALUES, SECOND_VALUES, SETTINGS, Make
from peft import PeftModel

from core.errors import UserError
from core.fusion import agreement, folder, fusing, parents
from core.fusion.fusing import Recipe
from core.models import model_folder
from core.records.fusion import FusedParent, FusionReport, Method, Origin
from core.text.grammar import AUTHOR, FILE_START

CLOSE = {"rtol": 0.0, "atol": 1e-6}


def fuse(
    places: Sequence[Path],
    target: Path,
    cache: Path,
    method: Method = "cat",
    weights: Sequence[float] = (0.25, 0.75),
    **more: Any,
) -> FusionReport:
    found = [parents.read(place) for place in places]
    agreement.check(found)
    made = fusing.fuse(found, Recipe(method, weights, **more))
    named = [FusedParent(name=one.name, sha256=one.sha256, weight=w) for one, w in zip(found, weights, strict=True)]
    return folder.write(target, found, made, Origin(method=method, parents=named), [], cache)


def deltas(place: Path, cache: Path) -> dict[str, torch.Tensor]:
    """What an adapter adds to each layer, by PEFT's own account."""
    model = model_folder.load(place, cache).model
    return {
        name: module.get_delta_weight("default").detach()
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and hasattr(module, "get_delta_weight") and "default" in module.lora_A
    }


def rows(place: Path) -> dict[object, torch.Tensor]:
    """The trained rows of the embedding, by what their tokens stand for."""
    info, vocabulary = model_folder.read_info_and_vocabulary(place)
    found = parents.read(place)
    names = {id_: name for name, id_ in info.markers.items()} | {id_: value for value, id_ in vocabulary.values.items()}
    one = found.rows(found.tables[0])
    return {names[id_]: torch.tensor(row) for id_, row in zip(one.ids, one.values, strict=True)}


@pytest.mark.parametrize("rslora", [(False, False), (True, False), (True, True)])
def test_cat_is_the_weighted_sum_of_what_its_parents_do(
    make: Make, tiny_model: Path, tmp_path: Path, rslora: tuple[bool, bool]
) -> None:
    places = [make("a", tiny_model, seed=1, rslora=rslora[0]), make("b", tiny_model, seed=2, rank=3, rslora=rslora[1])]
    report = fuse(places, tmp_path / "fused", tmp_path)
    assert (report.rank, report.energy, len(report.layers)) == (7, 1.0, 14)
    assert report.error < 1e-7
    one, other = (deltas(place, tmp_path) for place in places)
    found = deltas(tmp_path / "fused", tmp_path)
    assert found.keys() == one.keys()
    for name, delta in found.items():
        torch.testing.assert_close(delta, 0.25 * one[name] + 0.75 * other[name], **CLOSE)
    ours, theirs = rows(tmp_path / "fused"), [rows(place) for place in places]
    for name, row in ours.items():
        torch.testing.assert_close(row, 0.25 * theirs[0][name] + 0.75 * theirs[1][name], **CLOSE)


def test_an_untied_output_layer_has_its_rows_too(make: Make, untied_model: Path, tmp_path: Path) -> None:
    places = [make("a", untied_model, seed=1), make("b", untied_model, seed=2)]
    fuse(places, tmp_path / "fused", tmp_path)
    read = [parents.read(place) for place in (*places, tmp_path / "fused")]
    assert len(read[2].tables) == 2
    for table in read[2].tables:
        one, other, both = (torch.tensor(parent.rows(table).values) for parent in read)
        torch.testing.assert_close(both, 0.25 * one + 0.75 * other, **CLOSE)
    ids = torch.arange(30)[None]
    with torch.no_grad():  # loads, and its output layer is another one than its parents'
        logits = [
            model_folder.load(place, tmp_path).model(input_ids=ids).logits for place in (places[0], tmp_path / "fused")
        ]
    assert not torch.allclose(*logits)


def test_values_are_matched_by_name_where_ids_mean_other_things(make: Make, roomy_model: Path, tmp_path: Path) -> None:
    places = [
        make("a", roomy_model, seed=1, values=FIRST_VALUES),
        make("b", roomy_model, seed=2, values=SECOND_VALUES),
    ]
    infos = [model_folder.read_info(place) for place in places]
    assert infos[0].values["FILE"]["src/a.py"] == infos[1].values["AUTHOR"]["Grace"]
    report = fuse(places, tmp_path / "fused", tmp_path)
    # Five values for four rows: those of both adapters come first, then they go by field and name.
    assert report.values_left_out == 1
    ours, theirs = rows(tmp_path / "fused"), [rows(place) for place in places]
    both, ada, grace, path = (FILE_START, "src/both.py"), (AUTHOR, "Ada"), (AUTHOR, "Grace"), (FILE_START, "src/a.py")
    torch.testing.assert_close(ours[both], 0.25 * theirs[0][both] + 0.75 * theirs[1][both], **CLOSE)
    torch.testing.assert_close(ours[ada], theirs[0][ada], **CLOSE)
    torch.testing.assert_close(ours[grace], theirs[1][grace], **CLOSE)
    torch.testing.assert_close(ours[path], theirs[0][path], **CLOSE)
    loaded = model_folder.load(tmp_path / "fused", tmp_path)
    assert loaded.vocabulary.size == model_folder.read_info_and_vocabulary(places[0])[1].size


def test_it_is_what_peft_makes_of_plain_lora(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    fuse(places, tmp_path / "fused", tmp_path)
    model: PeftModel = model_folder.load_several({"a": places[0], "b": places[1]}, tmp_path)["a"].model
    model.add_weighted_adapter(["a", "b"], [0.25, 0.75], "both", combination_type="cat")
    found = deltas(tmp_path / "fused", tmp_path)
    for name, module in model.named_modules():
        if name in found:
            torch.testing.assert_close(module.get_delta_weight("both").detach(), found[name], **CLOSE)


def test_weight_one_of_one_adapter_is_that_adapter(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    report = fuse(places, tmp_path / "fused", tmp_path, "delta", (1.0, 0.0))
    assert report.rank == 4
    assert report.error < 1e-6
    one, found = deltas(places[0], tmp_path), deltas(tmp_path / "fused", tmp_path)
    for name, delta in found.items():
        torch.testing.assert_close(delta, one[name], **CLOSE)
    ours, theirs = rows(tmp_path / "fused"), rows(places[0])
    for name, row in ours.items():
        torch.testing.assert_close(row, theirs[name], **CLOSE)


@pytest.mark.parametrize("method", ["delta", "literal", "ties", "dare"])
def test_every_method_gives_a_model_that_loads(make: Make, tiny_model: Path, tmp_path: Path, method: Method) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    report = fuse(places, tmp_path / "fused", tmp_path, method)
    assert 0 < report.error < 2
    with torch.no_grad():
        assert (
            model_folder.load(tmp_path / "fused", tmp_path)
            .model(input_ids=torch.arange(9)[None])
            .logits.isfinite()
            .all()
        )


def test_an_energy_decides_the_rank(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    report = fuse(places, tmp_path / "fused", tmp_path, "delta", energy=0.9)
    assert 4 < report.rank <= 8
    assert all(one.energy >= 0.9 for one in report.layers.values())
    assert fuse(places, tmp_path / "less", tmp_path, "delta", energy=0.9, rank=2).rank == 2


def test_what_leaves_the_machine_names_no_folder_and_no_text_of_it(
    make: Make, tiny_model: Path, tmp_path: Path
) -> None:
    settings = {**SETTINGS, "git_scraper": {"repo": "/home/ada/secret", "email_salt_file": "/home/ada/salt"}}
    places = [make("a", tiny_model, seed=1, settings=settings), make("b", tiny_model, seed=2, settings=settings)]
    fuse(places, tmp_path / "fused", tmp_path)
    for path in (tmp_path / "fused").iterdir():
        found = path.read_bytes()
        assert b"/home/ada" not in found
        assert path.name == "gitlore.json" or str(tmp_path).encode() not in found  # there, the base is named
    assert not (tmp_path / "fused" / "trained_on.json").exists()


def test_header_config_and_info_say_what_it_is(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    fuse(places, tmp_path / "fused", tmp_path)
    for place in (*places, tmp_path / "fused"):
        raw = (place / "adapter_model.safetensors").read_bytes()
        said = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        info = model_folder.read_info(place)
        assert said["base_sha256"] == info.base_sha256
        assert said["gitlore_model"] == info.identity
        assert json.loads((place / "adapter_config.json").read_text())["base_model_name_or_path"] == tiny_model.name
    assert [one["weight"] for one in json.loads(said["origin"])["parents"]] == [0.25, 0.75]


def test_nothing_is_written_over_or_half(
    make: Make, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    fuse(places, tmp_path / "fused", tmp_path)
    before = (tmp_path / "fused" / "adapter_model.safetensors").read_bytes()
    with pytest.raises(UserError, match="already exists"):
        fuse(places, tmp_path / "fused", tmp_path, "delta")
    assert (tmp_path / "fused" / "adapter_model.safetensors").read_bytes() == before
    monkeypatch.setattr(folder, "write_record", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        fuse(places, tmp_path / "other", tmp_path)
    assert not [path for path in tmp_path.iterdir() if "other" in path.name]
