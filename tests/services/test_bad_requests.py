"""Hundreds of bad requests to a service in this process; `python -m benchmarks.fuzz_service` sends thousands."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo, grow

from benchmarks.bad_requests import BODIES, REPO, TOOLS, bad_requests
from benchmarks.fuzz_service import Tally
from core.config import StudyConfig
from services.app import make_app
from services.chats import Chats
from services.http.limits import Limits
from services.served import load_all
from services.studies import Studies
from tests.services.conftest import ON_LOOPBACK, listening


@pytest.mark.slow
@ON_LOOPBACK
def test_bad_requests_get_an_answer_and_leave_no_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    repo = Repo.new(tmp_path / "repo")
    grow(repo)
    (served,) = load_all([], {"": str(repo.path)}, tmp_path / "cache", 10).values()
    chats, tally = Chats.open({REPO: str(repo.path)}, tmp_path / "cache"), Tally()
    studies = Studies.open(chats, tmp_path / "cache", StudyConfig())
    about = {"tools_about": served, "chats": chats, "studies": studies}
    app = make_app({served.name: served}, Limits(), loopback_only=True, **about)  # type: ignore[arg-type]
    with listening(app) as port:
        for request in bad_requests(seed=1, count=540):
            tally.ask(request, port)
    served.close()
    assert tally.failures == []
    assert sum(counted.total() for counted in tally.statuses.values()) == 540
    assert tally.statuses["wrong pages"].keys() >= {200, 404}
    assert tally.statuses["wrong forms"].keys() >= {200, 303, 422}
    assert tally.statuses["wrong values"].keys() >= {200, 400, 422}
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]


def test_a_seed_makes_the_same_requests() -> None:
    assert list(bad_requests(1, 70)) == list(bad_requests(1, 70)) != list(bad_requests(2, 70))
    assert len({request.sent for request in bad_requests(1, 350)}) > 300
    everything = b"".join(request.sent for request in bad_requests(1, 700))
    assert all(f"POST {path} ".encode() in everything for path in BODIES)
    assert all(f'"{name}"'.encode() in everything for name in TOOLS)
