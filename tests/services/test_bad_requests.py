"""Hundreds of bad requests to a service in this process; `python -m benchmarks.fuzz_service` sends thousands."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import pytest_socket
from builders import Repo, grow, wait_for

from benchmarks.bad_requests import BODIES, bad_requests
from benchmarks.fuzz_service import Tally
from services.app import make_app
from services.http.limits import Limits
from services.listening import bound, server_of
from services.served import load_all


def test_bad_requests_get_an_answer_and_leave_no_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    repo = Repo.new(tmp_path / "repo")
    grow(repo)
    (served,) = load_all([], {"": str(repo.path)}, tmp_path / "cache", 10).values()
    server, tally = (
        server_of(make_app({served.name: served}, Limits(), tools_about=served, loopback_only=True)),
        Tally(),
    )
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    with bound("127.0.0.1", 0) as place:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        wait_for(lambda: server.started)
        for request in bad_requests(seed=1, count=420):
            tally.ask(request, place.getsockname()[1])
        server.should_exit = True
        thread.join()
    served.close()
    pytest_socket.disable_socket(allow_unix_socket=True)
    assert tally.failures == []
    assert sum(counted.total() for counted in tally.statuses.values()) == 420
    assert tally.statuses["wrong values"].keys() >= {200, 400, 422}
    assert not [record for record in caplog.records if record.exc_info or record.levelname == "ERROR"]


def test_a_seed_makes_the_same_requests() -> None:
    assert list(bad_requests(1, 70)) == list(bad_requests(1, 70)) != list(bad_requests(2, 70))
    assert len({request.sent for request in bad_requests(1, 350)}) > 300
    everything = b"".join(request.sent for request in bad_requests(1, 350))
    assert all(f"POST {path} ".encode() in everything for path in BODIES)
