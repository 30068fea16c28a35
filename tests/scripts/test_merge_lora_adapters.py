"""scripts/merge_lora_adapters.py on adapters that the pipeline trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import Program
from made_adapters import twin

from core.fusion.proof import proof_of
from core.records.fusion import OnHistory, Saved

SCRIPT = "scripts/merge_lora_adapters.py"
ZERO = Saved(share=0.0)


@pytest.fixture(scope="module")
def twins(finished: Program, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The trained adapter, and one that does half as much and the other way round."""
    first = finished.folder / "outputs" / "model"
    return [first, twin(first, tmp_path_factory.mktemp("twin") / "second")]


def arguments(twins: list[Path], output: Path, *more: object) -> list[str]:
    return [SCRIPT, "--adapters", *map(str, twins), "--output", str(output), *map(str, more)]


def test_two_adapters_are_fused_measured_and_described(finished: Program, twins: list[Path], tmp_path: Path) -> None:
    outputs = finished.folder / "outputs"
    done = finished.run(*arguments(twins, tmp_path / "both", "--eval", outputs, outputs, "--eval-tokens", 256))
    assert done.returncode == 0, done.stderr
    assert "delta: rank" in done.stdout
    assert (
        f"export_model.py --model {tmp_path / 'both'}" in done.stdout
    )  # its rows have to be merged for other programs
    report = json.loads((tmp_path / "both" / "fusion.json").read_text())
    rows = report["proof"]["histories"][0]["bits_per_byte"]
    names = [parent["name"] for parent in report["origin"]["parents"]]
    assert list(rows) == ["untuned base", *names, "fused"]
    # A quarter of the trained update lies between nothing and all of it.
    assert rows[names[0]] < rows["fused"] < rows[names[1]]
    card = (tmp_path / "both" / "model_card.md").read_text()
    assert all(name in card and name in done.stdout for name in names)
    loaded = finished.run("predict.py", "--repo", "repo", "--model", str(tmp_path / "both"), "--sketch-tokens", "4")
    assert loaded.returncode == 0, loaded.stderr


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--weights", "1"), "1 weights for 2 adapters"),
        (("--weights", "1", "-1"), "from 0 up"),
        (("--weights", "0", "0"), "not all 0"),
        (("--weights", "nan", "1"), "from 0 up"),
        (("--success-rates", "0.5", "seven"), "'seven' is no success rate"),
        (("--success-rates", "9/7", "1"), "'9/7' is no success rate"),
        (("--success-rates", "0.5", "0.5", "--weights", "1", "1"), "exclude each other"),
        (("--eval", "."), "1 outputs folders for 2 adapters"),
        (("--learn-weights", "5"), "--learn-weights needs histories to measure on"),
        (("--beside", "."), "--beside needs histories to measure on"),
        (("--eval", ".", "."), "holds no data to measure on"),
    ],
)
def test_a_mistake_is_a_sentence_and_writes_nothing(
    finished: Program, twins: list[Path], tmp_path: Path, more: tuple[str, ...], sentence: str
) -> None:
    done = finished.run(*arguments(twins, tmp_path / "both", *more))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (tmp_path / "both").exists()


def test_few_outcomes_give_equal_weights_and_a_dry_run_writes_nothing(
    finished: Program, twins: list[Path], tmp_path: Path
) -> None:
    few = finished.run(*arguments(twins, tmp_path / "both", "--success-rates", "9/10", "1/9", "--dry-run"))
    assert "equal weights: 19 reported outcomes are too few" in few.stderr
    assert few.stdout.startswith("  0.500")
    many = finished.run(*arguments(twins, tmp_path / "both", "--success-rates", "17/20", "0/9", "--dry-run"))
    assert many.stdout.startswith("  0.900")  # 18/22 and 1/11
    assert not (tmp_path / "both").exists()


def test_weights_are_learnt_and_stand_beside_those_that_were_not(
    finished: Program, twins: list[Path], tmp_path: Path
) -> None:
    outputs, third = finished.folder / "outputs", twin(twins[1], tmp_path / "third")
    more = ("--eval", outputs, outputs, "--eval-tokens", 256, "--beside", third, "--learn-weights")
    refused = finished.run(*arguments(twins, tmp_path / "both", *more, 2))
    assert (refused.returncode, (tmp_path / "both").exists()) == (2, False)
    assert "2 trials are too few to learn the weights of 2 adapters" in refused.stderr
    done = finished.run(*arguments(twins, tmp_path / "both", *more, 3))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "both" / "fusion.json").read_text())
    trials = [(one["bits_per_byte"], one["weights"]) for one in report["trials"]]
    assert [weights[0] for _, weights in trials] == [0.5, 0.75, 0.25]
    assert [parent["weight"] for parent in report["origin"]["parents"]] == min(trials)[1] != [0.5, 0.5]
    history = report["proof"]["histories"][0]
    plain = "fused, weights not learnt"
    bits = history["bits_per_byte"]
    assert len(bits) == 4
    assert [name.partition("@")[0] for name in history["beside"]] == ["third", plain]
    for other, measured in history["beside"].items():
        assert measured["saved"]["share"] == pytest.approx(1 - bits["fused"] / measured["bits_per_byte"])
        assert f"of those of {other}" in done.stdout
        assert f"| {other} | {measured['bits_per_byte']:.3f} |" in done.stdout
    again = finished.run(*arguments(twins, tmp_path / "both", *more, 3))
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    assert "weights learnt in" in done.stderr
    assert "weights learnt in" not in again.stderr  # an error before minutes of work


def test_what_is_worth_activating() -> None:
    def history(owner: str, **bits: float) -> OnHistory:
        rows = {"untuned base": 1.0, **bits}
        return OnHistory(
            owner=owner,
            of_edits=True,
            commits=2,
            tokens=9,
            bits_per_byte=rows,
            saved_over_base=ZERO,
            saved_over_owner=ZERO,
        )

    first = history("a", a=0.6, b=0.9, fused=0.7)
    assert proof_of([first, history("b", a=0.9, b=0.6, fused=0.7)], ["a", "b"]).passes
    assert not proof_of([first, history("b", a=0.9, b=0.6, fused=0.85)], ["a", "b"]).passes  # best parent: .75
    assert not proof_of([first, history("b", a=1.9, b=0.6, fused=1.0)], ["a", "b"]).passes  # no better than the base
    assert proof_of([first, history("b", a=0.9, b=0.6, fused=0.7)], ["a", "b"]).swapping == pytest.approx(0.6)
