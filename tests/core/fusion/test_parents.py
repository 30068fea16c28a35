"""What is refused: files that are damaged or hostile, and adapters that cannot be fused rightly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_adapters import SETTINGS, Make, change_config, change_info
from safetensors.numpy import save_file

from core.errors import UserError
from core.fusion import agreement, parents

LAYER = "base_model.model.model.layers.0.mlp.up_proj"
CONFIG: dict[str, Any] = {
    "peft_type": "LORA",
    "r": 2,
    "lora_alpha": 4,
    "target_modules": ["up_proj"],
    "base_model_name_or_path": "some/base",
    "bias": "none",
    "loftq_config": {},
    "use_dora": False,
    "a_field_of_a_later_version": None,
}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An adapter of another program's, with one layer."""
    return plain(tmp_path / "adapter")


def plain(folder: Path, **weights: np.ndarray[Any, Any]) -> Path:
    folder.mkdir()
    factors = {f"{LAYER}.lora_A.weight": np.ones((2, 5)), f"{LAYER}.lora_B.weight": np.ones((3, 2))}
    save_file({name: value.astype(np.float32) for name, value in (factors | weights).items()}, folder / parents.WEIGHTS)
    (folder / parents.CONFIG).write_text(json.dumps(CONFIG))
    return folder


def test_a_plain_adapter_is_read_with_its_scale(adapter: Path) -> None:
    found = parents.read(adapter)
    assert (found.rank, found.scale, found.tables) == (2, 2.0, ())
    assert found.layers == {"model.layers.0.mlp.up_proj": (3, 5)}
    np.testing.assert_array_equal(found.update("model.layers.0.mlp.up_proj").rows(0, 3), np.full((3, 5), 4.0))
    change_config(adapter, use_rslora=True)
    assert parents.read(adapter / parents.WEIGHTS).scale == pytest.approx(4 / 2**0.5)


@pytest.mark.parametrize("kind", ["F16", "BF16", "F64"])
def test_other_floats_are_read(adapter: Path, kind: str) -> None:
    value = np.array([1.5, -2.0, 0.0, 1024.0, -0.09375])  # exact in all of them
    raw = {
        "F16": value.astype(np.float16).tobytes(),
        "BF16": (value.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes(),
        "F64": value.tobytes(),
    }[kind]
    width = len(raw) // 5
    header = {
        f"{LAYER}.lora_A.weight": {"dtype": kind, "shape": [1, 5], "data_offsets": [0, 5 * width]},
        f"{LAYER}.lora_B.weight": {"dtype": kind, "shape": [1, 1], "data_offsets": [5 * width, 6 * width]},
    }
    write_raw(adapter, header, raw + raw[:width])
    change_config(adapter, r=1, lora_alpha=1)
    np.testing.assert_array_equal(parents.read(adapter).update("model.layers.0.mlp.up_proj").up[0], value)


def write_raw(folder: Path, header: object, data: bytes) -> None:
    text = json.dumps(header).encode()
    (folder / parents.WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"peft_type": "LOHA"}, "not the config of a LoRA adapter"),
        ({"peft_type": None}, "not the config of a LoRA adapter"),
        ({"use_dora": True}, "use_dora is true"),
        ({"use_qalora": True}, "use_qalora is true"),
        ({"use_bdlora": {"a": 1}}, "use_bdlora is"),
        ({"kasa_config": {"beta": 1}}, "kasa_config is"),
        ({"corda_config": {"x": 1}}, "corda_config is"),
        ({"eva_config": {"rho": 2}}, "eva_config is"),
        ({"arrow_config": {"x": 1}}, "arrow_config is"),
        ({"monteclora_config": {"x": 1}}, "monteclora_config is"),
        ({"velora_config": {"x": 1}}, "velora_config is"),
        ({"lora_bias": True}, "lora_bias is true"),
        ({"bias": "all"}, 'bias is "all"'),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is"),
        ({"rank_pattern": {"up_proj": 4}}, "rank_pattern is"),
        ({"alpha_pattern": {"up_proj": 4}}, "alpha_pattern is"),
        ({"layers_to_transform": [0]}, "layers_to_transform is"),
        ({"layer_replication": [[0, 1]]}, "layer_replication is"),
        ({"target_parameters": ["experts"]}, "target_parameters is"),
        ({"alora_invocation_tokens": [1]}, "alora_invocation_tokens is"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is true"),
        ({"exclude_modules": ["q_proj"]}, "exclude_modules is"),
        ({"init_lora_weights": "pissa"}, 'init_lora_weights is "pissa"'),
        ({"loftq_config": {"bits": 4}}, "loftq_config is"),
        ({"a_field_of_a_later_version": 1}, "a_field_of_a_later_version is 1"),
        ({"target_modules": ".*up_proj"}, "no list of names"),
        ({"r": 0}, "r is 0"),
        ({"r": "2"}, "r is '2'"),
        ({"r": 2.5}, "r is 2.5"),
        ({"r": 3}, "has rank 2, r is 3"),
        ({"lora_alpha": float("nan")}, "lora_alpha is nan"),
        ({"lora_alpha": True}, "lora_alpha is True"),
        ({"use_rslora": "yes"}, "use_rslora is 'yes'"),
        ({"trainable_token_indices": {"embed_tokens": [1, 2]}}, "trained rows of other tables"),
    ],
)
def test_settings_that_average_wrongly_are_refused(adapter: Path, fields: dict[str, Any], sentence: str) -> None:
    change_config(adapter, **fields)
    with pytest.raises(UserError, match=sentence.replace("[", r"\[")):
        parents.read(adapter)


def _cut(folder: Path) -> None:
    path = folder / parents.WEIGHTS
    path.write_bytes(path.read_bytes()[:-7])


def _entry(**changes: object) -> Callable[[Path], None]:
    entry = {"dtype": "F32", "shape": [2, 5], "data_offsets": [0, 40]} | changes
    return lambda folder: write_raw(folder, {f"{LAYER}.lora_A.weight": entry}, bytes(40))


def _weights(**weights: np.ndarray[Any, Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        factors = {"A": np.ones((2, 5), np.float32), "B": np.ones((3, 2), np.float32)} | weights
        tensors = {f"{LAYER}.lora_{name}.weight" if len(name) == 1 else name: value for name, value in factors.items()}
        save_file(tensors, folder / parents.WEIGHTS)

    return spoil


def _raw(data: bytes, name: str = parents.WEIGHTS) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return spoil


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (_raw(b""), "damaged"),
    "short": (_raw(b"\x01\x00"), "damaged"),
    "no json": (_raw(b"\x04\x00\x00\x00\x00\x00\x00\x00{{{{"), "damaged"),
    "huge header": (_raw((1 << 62).to_bytes(8, "little") + b"{}"), "its header is"),
    "header beyond the file": (_raw((1000).to_bytes(8, "little") + b"{}"), "its header is"),
    "header of nothing": (_raw(bytes(8)), "its header is 0"),
    "nested header": (_raw((20_000).to_bytes(8, "little") + b"[" * 20_000), "damaged"),
    "header is a list": (_raw((2).to_bytes(8, "little") + b"[]"), "damaged"),
    "pickle": (_raw(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n"), "damaged"),
    "cut": (_cut, "damaged"),
    "no weights": (lambda folder: write_raw(folder, {}, b""), "holds no weights|damaged"),
    "offsets beyond": (_entry(data_offsets=[0, 4000]), "damaged"),
    "offsets backwards": (_entry(data_offsets=[40, 0]), "damaged"),
    "offsets negative": (_entry(data_offsets=[-40, 0]), "damaged"),
    "shape of another size": (_entry(shape=[2, 500]), "damaged"),
    "overflowing shape": (_entry(shape=[1 << 40, 1 << 40]), "damaged"),
    "unknown type": (_entry(dtype="Z9"), "damaged"),
    "integers": (_entry(dtype="I32"), "is I32"),
    "one dimension": (_entry(shape=[10]), "dimensions"),
    "half a pair": (_entry(), "lora_B.weight is missing"),
    "nan": (_weights(A=np.full((2, 5), np.nan, np.float32)), "no numbers"),
    "infinite": (_weights(B=np.full((3, 2), np.inf, np.float32)), "no numbers"),
    "ranks differ": (_weights(B=np.ones((3, 4), np.float32)), "has rank 4"),
    "no columns": (_weights(A=np.ones((2, 0), np.float32)), "is empty"),
    "path in a name": (_weights(**{"../../etc/passwd": np.ones((2, 2), np.float32)}), "no plain LoRA adapter has"),
    "a layer's own weights": (_weights(**{f"{LAYER}.base_layer.weight": np.ones((3, 5), np.float32)}), "no plain LoRA"),
    "dora": (_weights(**{f"{LAYER}.lora_magnitude_vector": np.ones((3, 1), np.float32)}), "no plain LoRA"),
    "config no json": (_raw(b"{", parents.CONFIG), "damaged"),
    "config no object": (_raw(b"[]", parents.CONFIG), "not the config of a LoRA"),
    "config not utf-8": (_raw(b"\xff\xfe", parents.CONFIG), "damaged"),
    "config nested": (_raw(b"[" * 100_000, parents.CONFIG), "damaged"),
    "config a folder": (
        lambda folder: ((folder / parents.CONFIG).unlink(), (folder / parents.CONFIG).mkdir())[1],
        "missing",
    ),
    "config missing": (lambda folder: (folder / parents.CONFIG).unlink(), "adapter_config.json is missing"),
    "weights missing": (lambda folder: (folder / parents.WEIGHTS).unlink(), "adapter_model.safetensors is missing"),
    "info of another program": (_raw(b"{}", "gitlore.json"), "damaged"),
    "info no json": (_raw(b"\x00", "gitlore.json"), "damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_damaged_and_hostile_files_are_a_sentence(adapter: Path, kind: str) -> None:
    spoil, sentence = HOSTILE[kind]
    spoil(adapter)
    with pytest.raises(UserError, match=sentence):
        parents.read(adapter)


@pytest.mark.parametrize("name", ["adapter_model.bin", "a.pt", "a.pth", "a.pkl", "a.ckpt", "a.txt", "nothing"])
def test_only_safetensors_are_read(adapter: Path, name: str) -> None:
    if name != "nothing":
        (adapter / name).write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match=r"pickle|no \.safetensors|not found"):
        parents.read(adapter / name)


def test_rows_that_nobody_can_name_are_refused(tmp_path: Path) -> None:
    rows = {"base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta": np.ones((2, 5))}
    folders = [plain(tmp_path / "a", **rows), plain(tmp_path / "b", **{next(iter(rows)): np.zeros((2, 5))})]
    for folder in folders:
        change_config(folder, trainable_token_indices=[7, 9])
    with pytest.raises(UserError, match="nothing says which tokens"):
        agreement.check([parents.read(folder) for folder in folders], trust_base=True)
    for ids in ([7, 7], [7], [7, -1], [7, "9"], {"embed_tokens": [7, 9], "lm_head": [7, 9]}):
        change_config(folders[0], trainable_token_indices=ids)
        with pytest.raises(UserError, match="trained rows of other tables or tokens"):
            parents.read(folders[0])


def test_adapters_of_others_are_fused_on_trust_alone(tmp_path: Path) -> None:
    found = [
        parents.read(plain(tmp_path / name, **{f"{LAYER}.lora_A.weight": np.full((2, 5), number)}))
        for number, name in enumerate("ab")
    ]
    with pytest.raises(UserError, match="nothing says which weights they were trained on"):
        agreement.check(found)
    assert agreement.check(found, trust_base=True)
    with pytest.raises(UserError, match="named twice"):
        agreement.check([found[0], found[0]], trust_base=True)
    change_config(tmp_path / "b", base_model_name_or_path="another/base")
    with pytest.raises(UserError, match="different base models: some/base and another/base"):
        agreement.check([found[0], parents.read(tmp_path / "b")], trust_base=True)


def test_layers_of_other_shapes_are_refused(tmp_path: Path) -> None:
    wider = {f"{LAYER}.lora_A.weight": np.ones((2, 6))}
    found = [parents.read(plain(tmp_path / "a")), parents.read(plain(tmp_path / "b", **wider))]
    with pytest.raises(UserError, match=r"is \(3, 5\) in one adapter and \(3, 6\)"):
        parents.layers_of(found)


def test_what_must_agree(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    folders = [make("a", tiny_model, seed=1), make("b", tiny_model, seed=2)]
    before = (folders[1] / "gitlore.json").read_text()

    def checked(*, trust_base: bool = False, **fields: object) -> list[str]:
        (folders[1] / "gitlore.json").write_text(before)
        change_info(folders[1], **fields)
        return agreement.check([parents.read(folder) for folder in folders], trust_base=trust_base)

    def settings(section: str, **values: object) -> dict[str, object]:
        return {**SETTINGS, section: {**SETTINGS[section], **values}}

    assert checked() == []
    assert checked(base_model="/another/place") == []  # the same weights elsewhere
    for fields, sentence in (
        ({"is_adapter": False}, "a whole model, not an adapter"),
        ({"base_sha256": "0" * 64}, "different weights"),
        ({"settings": settings("tokenizer", code_view="diff")}, "tokenizer.code_view: new and diff"),
        ({"settings": settings("tokenizer", mode="standalone")}, "tokenizer.mode"),
        ({"settings": settings("model_training", documents="commit")}, "model_training.documents"),
        ({"settings": settings("model_training", objective="edits")}, "model_training.objective"),
        ({"markers": {"<COMMIT_START>": 1}}, "different markers"),
    ):
        with pytest.raises(UserError, match=sentence):
            checked(trust_base=True, **fields)
    for fields, sentence in (
        ({"base_sha256": ""}, "recorded by their hash"),
        ({"settings": settings("model_training", method="qlora")}, "lora and qlora"),
    ):
        with pytest.raises(UserError, match=sentence):
            checked(**fields)
        assert "taken on trust" in checked(trust_base=True, **fields)[0]
    (folders[1] / "gitlore.json").unlink()
    with pytest.raises(UserError, match="trained by Gitlore and some were not"):
        agreement.check([parents.read(folder) for folder in folders])
