"""Adapters as archives: the same bytes for the same adapter, nothing private, and nothing that was not checked."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adapters_made_up import BETTER, PRIVATE, archived, fused, in_parts, variant
from made_adapters import change_config, change_info

from core.errors import UserError
from core.models import model_folder
from patterns.adapters import archive
from patterns.memory.refusals import RefusedOperationError

MOST = 10_000_000
Members = dict[str, bytes]


def members_of(data: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened}  # type: ignore[union-attr]


def tar_of(members: Members | list[tuple[str, bytes]]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as opened:
        for name, data in members.items() if isinstance(members, dict) else members:
            one = tarfile.TarInfo(name)
            one.size = len(data)
            opened.addfile(one, io.BytesIO(data))
    return target.getvalue()


def received(data: bytes, folder: Path, most: int = MOST) -> archive.Contents:
    folder.mkdir()
    return archive.receive(in_parts(data), folder, most)


def test_an_archive_comes_back_as_the_same_bytes(adapter: Path, tmp_path: Path) -> None:
    data = archived(adapter)
    found = received(data, tmp_path / "received")
    assert (found.rank, found.info.base_sha256, found.report) == (4, found.base_sha256, None)
    assert archived(tmp_path / "received") == data
    (tmp_path / "one.tar").write_bytes(data)
    archive.unpack(tmp_path / "one.tar", tmp_path / "unpacked")
    assert archived(tmp_path / "unpacked") == data
    assert model_folder.read_info(tmp_path / "unpacked").markers == model_folder.read_info(adapter).markers


def test_the_same_adapter_has_one_id_whatever_tar_wrote_it(adapter: Path, tmp_path: Path) -> None:
    members = {f"./{name}": data for name, data in members_of(archived(adapter)).items()}
    received(tar_of(members), tmp_path / "received")
    assert archived(tmp_path / "received") == archived(adapter)


def test_no_path_of_a_machine_is_exchanged(adapter: Path, tmp_path: Path) -> None:
    change_config(variant(adapter, tmp_path / "own", 1), base_model_name_or_path=f"{PRIVATE}/base")
    assert PRIVATE in (tmp_path / "own" / "gitlore.json").read_text()
    data = archived(tmp_path / "own")
    assert PRIVATE.encode() not in data
    settings = json.loads(members_of(data)["gitlore.json"])["settings"]
    assert settings["tokenizer"] == {"code_view": "new", "secrets": "mask", "mode": "base_model"}
    assert settings["model_training"] == {"method": "lora", "documents": "history", "objective": "blocks"}


def test_figures_are_kept_with_a_fused_adapter(adapter: Path, tmp_path: Path) -> None:
    found = received(archived(fused(adapter, tmp_path / "fused", 1, BETTER)), tmp_path / "received")
    assert found.report
    assert found.report.proof
    assert found.report.proof.histories[0].bits_per_byte == BETTER


def damaged(change: Callable[[Path], object]) -> Callable[[Path, Path], bytes]:
    """The archive of an adapter whose folder was changed."""

    def make(adapter: Path, place: Path) -> bytes:
        change(fused(adapter, place, 1, BETTER))
        return tar_of({name: (place / name).read_bytes() for name in archive._MEMBERS if (place / name).is_file()})

    return make


def with_members(change: Callable[[Members], Members | list[tuple[str, bytes]]]) -> Callable[[Path, Path], bytes]:
    return lambda adapter, _: tar_of(change(members_of(archived(adapter))))


def written(name: str, data: bytes) -> Callable[[Path, Path], bytes]:
    return damaged(lambda folder: (folder / name).write_bytes(data))


def changed_figures(change: Callable[[dict[str, object]], object]) -> Callable[[Path, Path], bytes]:
    def changing(folder: Path) -> None:
        report = json.loads((folder / "fusion.json").read_text())
        change(report)
        (folder / "fusion.json").write_text(json.dumps(report))

    return damaged(changing)


def with_link(adapter: Path, _: Path) -> bytes:
    target = io.BytesIO(archived(adapter))
    target.seek(0)
    with tarfile.open(fileobj=target, mode="w") as opened:
        link = tarfile.TarInfo("gitlore.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    return target.getvalue()


def with_a_long_name(adapter: Path, _: Path) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as opened:
        one = tarfile.TarInfo("gitlore.json")
        one.pax_headers = {"comment": "x" * 200_000}
        opened.addfile(one, io.BytesIO())
    return target.getvalue()


WEIGHTS = "adapter_model.safetensors"
REFUSED: list[tuple[str, Callable[[Path, Path], bytes], str]] = [
    ("nothing", lambda *_: b"", "no tar archive"),
    ("text", lambda *_: b"a" * 20_000, "no tar archive"),
    ("compressed", lambda adapter, _: __import__("gzip").compress(archived(adapter)), "no tar archive"),
    ("cut off", lambda adapter, _: archived(adapter)[:-30_000], "cut off"),
    ("behind", lambda adapter, _: archived(adapter) + b"\1" * 200_000, "more between or behind the files"),
    ("a pax header", with_a_long_name, "more between or behind the files"),
    ("a link", with_link, "does not belong into"),
    ("another file", with_members(lambda found: {"trained_on.json": b"{}", **found}), "'trained_on.json' does not"),
    ("a path out", with_members(lambda found: {"../evil": b"x", **found}), "'../evil' does not"),
    ("an absolute path", with_members(lambda found: {"/tmp/evil": b"x", **found}), "evil' does not"),
    ("twice", with_members(lambda found: [("gitlore.json", b"{}"), *found.items()]), "gitlore.json is there twice"),
    (
        "weights first",
        with_members(lambda found: {WEIGHTS: found.pop(WEIGHTS), **found}),
        "is missing, or comes behind adapter_model",
    ),
    ("behind weights", with_members(lambda found: {**found, "fusion.json": b"{}"}), "comes behind the weights"),
    ("no weights", with_members(lambda found: {name: found[name] for name in found if name != WEIGHTS}), "is missing"),
    (
        "no config",
        with_members(lambda found: {name: found[name] for name in found if name[:8] != "adapter_"}),
        "missing",
    ),
    (
        "a header too long",
        written(WEIGHTS, (1 << 40).to_bytes(8, "little") + b"{}"),
        "header is 1,099,511,627,776 bytes",
    ),
    ("a header of nothing", written(WEIGHTS, b"\2" + b"\0" * 7 + b"[]"), "header cannot be read"),
    ("a short file", damaged(lambda folder: _cut(folder / WEIGHTS)), "its header describes"),
    ("a pickle", written(WEIGHTS, b"\x80\x04" + b"." * 100), "its header is"),
    ("no config of LoRA", written("adapter_config.json", b'{"peft_type": "IA3"}'), "not the config of a LoRA adapter"),
    ("DoRA", damaged(lambda folder: change_config(folder, use_dora=True)), "use_dora"),
    ("another rank", damaged(lambda folder: change_config(folder, r=8)), "do not match"),
    ("a whole model", damaged(lambda folder: change_info(folder, is_adapter=False)), "a whole model"),
    ("no base", damaged(lambda folder: change_info(folder, base_sha256="")), "does not say which weights"),
    ("a wrong hash", damaged(lambda folder: change_info(folder, base_sha256="x" * 64)), "does not say which weights"),
    ("other markers", damaged(lambda folder: change_info(folder, pad_id=1 << 30)), "do not match"),
    ("no JSON", written("gitlore.json", b"{"), "gitlore.json is damaged"),
    ("figures of another", changed_figures(lambda one: one.update(base_sha256="0" * 64)), "that of another adapter"),
    ("infinite figures", changed_figures(lambda one: one.update(error=float("inf"))), "a number that is none"),
    ("a NUL", changed_figures(lambda one: one.update(notes=["\0"])), "holds a NUL"),
    (
        "figures of others",
        changed_figures(lambda one: one["proof"]["histories"][0].update(owner="c@3")),  # type: ignore[index]
        "not those of its own parents",
    ),
]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(("make", "why"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_no_adapter_is_refused_with_a_sentence(
    adapter: Path, tmp_path: Path, make: Callable[[Path, Path], bytes], why: str
) -> None:
    with pytest.raises(RefusedOperationError) as refused:
        received(make(adapter, tmp_path / "made"), tmp_path / "received")
    assert why in refused.value.message
    assert refused.value.code == "invalid"
    assert refused.value.hint
    assert str(tmp_path) not in str(refused.value)


def test_weights_that_are_no_numbers_are_refused(adapter: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    place = variant(adapter, tmp_path / "made", 1)
    weights = load_file(place / WEIGHTS)
    save_file({name: value * float("nan") for name, value in weights.items()}, place / WEIGHTS)
    with pytest.raises(RefusedOperationError, match="no numbers"):
        received(archived(place), tmp_path / "received")


def test_what_is_too_large_is_refused_before_it_comes(adapter: Path, tmp_path: Path) -> None:
    data, read = archived(adapter), 0
    claimed = tarfile.TarInfo(WEIGHTS)
    claimed.size = 1 << 30
    before_weights = data[: data.index(b"adapter_model.safetensors\0")] + claimed.tobuf(tarfile.USTAR_FORMAT)

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield before_weights
        while True:
            read += 1 << 16
            yield b"\0" * (1 << 16)

    (tmp_path / "received").mkdir()
    with pytest.raises(RefusedOperationError, match="1,073,741,824 bytes is more than") as refused:
        archive.receive(endless(), tmp_path / "received", MOST)
    assert refused.value.code == "too_large"
    assert read <= 1 << 16
    assert not (tmp_path / "received" / WEIGHTS).exists()


def test_a_bad_header_is_refused_before_the_weights_come(adapter: Path, tmp_path: Path) -> None:
    members, sent = members_of(archived(adapter)), 0
    members[WEIGHTS] = (1 << 40).to_bytes(8, "little") + b"\0" * 3_000_000

    def counted() -> Iterator[bytes]:
        nonlocal sent
        for part in in_parts(tar_of(members)):
            sent += len(part)
            yield part

    (tmp_path / "received").mkdir()
    with pytest.raises(RefusedOperationError, match="its header is"):
        archive.receive(counted(), tmp_path / "received", MOST)
    assert sent < len(tar_of(members)) - 2_900_000


def test_a_folder_without_an_adapter_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gitlore\.json is missing"):
        archived(tmp_path)
