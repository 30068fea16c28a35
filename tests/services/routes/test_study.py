"""The routes of a repository's study: what was found, what runs, what it may use, and nothing of other repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import Repo
from studies_made_up import begun, ended, found, insight, risk
from team_made_up import MadeTeam

from patterns.memory.team_memory import TeamMemory
from services.routes import study
from services.studies import ServedStudy
from services.study_schemas import ToggleRequest
from tests.services.studied_site import StudiedSite, studied
from thoughts.kind import Artifact, Outcome
from thoughts.preferences import preferences


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Repo]:
    """Two more repositories."""
    made = []
    for name in ("other", "hidden"):
        repo = Repo.new(tmp_path_factory.mktemp(name) / name)
        repo.commit(f"begin {name}", {"a.py": "one = 1\n"})
        made.append(repo)
    return made[0], made[1]


@pytest.fixture
def site(shop_built: Repo, others: tuple[Repo, Repo], tmp_path: Path) -> Iterator[StudiedSite]:
    with studied(shop_built, *others, tmp_path / "cache") as made:
        yield made


def titles(answer: Any) -> list[str]:
    return [one["title"] for one in answer.json()["insights"]]


def test_a_study_is_off_until_it_is_switched_on_with_its_budgets(site: StudiedSite) -> None:
    before = site.get("/learning/status").json()["repositories"]
    assert [(one["repo_id"], one["on"], one["off_by"]) for one in before] == [
        ("shop", False, ""),
        ("other", False, ""),
    ]
    asked = {
        "repo_id": "other", "on": True, "budgets": {"cpu_minutes": 30}, "quiet_hours": "22:00-06:00",
        "time_zone": "Europe/Berlin", "kinds": ["risk", "digest"],
    }  # fmt: skip
    answer = site.post("/learning/toggle", asked)
    assert answer.status_code == 200
    (now,) = site.get("/learning/status?repo_id=other").json()["repositories"]
    assert now["on"]
    assert now["budgets"]["cpu_minutes"] == {"a_day": 30, "left": 30}
    assert now["budgets"]["io_gigabytes"]["a_day"] == 50  # as it was
    assert (now["quiet_hours"], now["time_zone"], now["kinds"]) == ("22:00-06:00", "Europe/Berlin", ["risk", "digest"])
    assert list(preferences(site.other.queue, site.other.key).chosen()) == ["risk", "digest"]
    assert not site.get("/learning/status?repo_id=shop").json()["repositories"][0]["on"]
    off = site.post("/learning/toggle", {"repo_id": "other", "on": False}).json()
    assert (off["on"], off["off_by"], off["time_zone"]) == (False, "here", "Europe/Berlin")
    assert not site.other.is_on
    assert site.shop.is_on


def test_wrong_settings_change_nothing(site: StudiedSite) -> None:
    before = site.get("/learning/status").json()
    wrong: list[tuple[int, dict[str, Any]]] = [
        (404, {"repo_id": "hidden", "on": True}),
        (400, {"on": True, "quiet_hours": "night"}),
        (400, {"on": True, "time_zone": "Mars/Olympus"}),
        (400, {"on": True, "kinds": ["digset"]}),
        (422, {"on": True, "budgets": {"cpu_minutes": -1}}),
        (422, {"on": True, "budgets": {"cpu_minutes": "inf"}}),
        (422, {"on": True, "budgets": {"gpu_minutes": 1}}),
        (422, {"on": True, "minutes": 1}),
        (422, {"on": "perhaps"}),
        (422, {"repo_id": "x\0", "on": True}),
        (422, {"kinds": ["risk"] * 51}),
    ]
    for status, body in wrong:
        answer = site.post("/learning/toggle", body)
        assert (answer.status_code, body) == (status, body)
        assert answer.json()["error"]["message"]
    assert site.get("/learning/status").json() == before


def test_only_what_git_confirms_is_shown_by_pages(site: StudiedSite) -> None:
    git_dir = site.shop.state.git_dir
    for number in range(5):
        found(site.shop, insight(git_dir, f"Insight {number}", f"Basket {number}."), number=number)
    swept = found(site.shop, insight(git_dir, "Its log is gone"), number=5, proof=b"soon gone")
    found(site.shop, insight(git_dir, "About the basket", path="shop/basket.py"), kind="risk", number=6)
    (sha256,) = site.get(f"/runs/{swept.run_id}").json()["files"].values()
    site.shop.artifacts.path(sha256).unlink()
    assert titles(site.get("/insights")) == ["About the basket", *(f"Insight {number}" for number in (4, 3, 2, 1, 0))]
    shown, before = [], 0
    for _ in range(10):
        answer = site.get(f"/insights?limit=2&before={before}")
        shown += titles(answer)
        if not (before := answer.json()["next"] or 0):
            break
    assert shown == titles(site.get("/insights"))
    assert titles(site.get("/insights?kind=risk")) == ["About the basket"]
    assert titles(site.get("/insights?filter=BASKET 3")) == ["Insight 3"]
    one = site.get("/insights?kind=risk").json()["insights"][0]
    (cited,) = one["statements"][0]["citations"]
    assert (cited["path"], cited["first"], cited["quote"]) == (
        "shop/basket.py",
        1,
        '"""What a customer wants to buy."""',
    )
    assert site.get(f"/artifacts/{one['log']}").text == f"the log of job {one['job']}"
    assert one["command"] == "git log -1"


def test_insights_are_marked(site: StudiedSite) -> None:
    for number in range(3):
        found(site.shop, insight(site.shop.state.git_dir, f"Insight {number}"), number=number)
    first, second, third = (one["id"] for one in site.get("/insights").json()["insights"])
    for one, state in ((first, "dismissed"), (second, "kept"), (third, "read")):
        assert site.post(f"/insights/{one}/mark", {"state": state}).json() == {"id": one, "state": state}
    assert titles(site.get("/insights")) == ["Insight 1", "Insight 0"]
    assert titles(site.get("/insights?state=dismissed")) == ["Insight 2"]
    assert titles(site.get("/insights?state=kept")) == ["Insight 1"]
    site.post(f"/insights/{first}/mark", {"state": "new"})
    assert len(titles(site.get("/insights"))) == 3
    assert site.post(f"/insights/{first}/mark", {"state": "burnt"}).status_code == 422
    assert site.get("/insights?state=burnt").status_code == 422
    assert site.post("/insights/999/mark", {"state": "kept"}).status_code == 404


def test_runs_are_shown_run_again_and_cancelled(site: StudiedSite) -> None:
    job = found(site.shop, insight(site.shop.state.git_dir, "Done"), number=1)
    run = site.get(f"/runs/{job.run_id}").json()
    assert (run["state"], run["kind"], run["input"], run["job"]) == ("done", "digest", {"number": 1}, job.id)
    assert (run["cost"]["cpu_s"], run["log"]) == (1.5, f"it was done by run {job.run_id}\n")
    assert site.post(f"/runs/{job.run_id}/cancel").status_code == 400  # it has ended
    assert site.post(f"/runs/{job.run_id}/rerun").json()["job_state"] == "waiting"
    (listed,) = site.get("/runs?repo_id=shop").json()["jobs"]
    assert (listed["id"], listed["state"], listed["run"]) == (job.id, "waiting", job.run_id)
    assert site.get("/runs?repo_id=other").json() == {"jobs": []}
    assert site.get("/learning/status?repo_id=shop").json()["repositories"][0]["waiting"] == 1
    assert site.post(f"/runs/{job.run_id}/cancel").json()["job_state"] == "cancelled"
    running = begun(site.shop, "risk", number=2)
    assert site.post(f"/runs/{running.run_id}/rerun").status_code == 400  # it runs
    assert site.post(f"/runs/{running.run_id}/cancel").json()["job_state"] == "running"
    assert site.shop.queue.problem(running) == "cancelled"  # which its worker sees


def test_a_log_is_followed_while_it_is_written(site: StudiedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    job, queue = begun(site.shop, number=1), site.shop.queue
    queue.beat(job, "it begins\n")
    whole = "it begins\nand goes on\nto its end\n"
    coming = iter([
        *(lambda: None,) * 2,
        lambda: queue.beat(job, "it begins\nand goes on\n"),
        lambda: None,
        lambda: ended(site.shop, job, Outcome(artifacts=[Artifact("x", b"x")]), whole),
    ])  # fmt: skip
    read = ServedStudy.run

    def run(served: ServedStudy, run_id: int) -> Any:
        next(coming)()
        return read(served, run_id)

    monkeypatch.setattr(ServedStudy, "run", run)
    monkeypatch.setattr(study, "FOLLOW_EVERY_S", 0.01)
    answer = site.get(f"/runs/{job.run_id}/log")
    monkeypatch.undo()
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [one.partition("\ndata: ") for one in answer.text.strip().split("\n\n")]
    said = [(name.removeprefix("event: "), json.loads(data)) for name, _, data in events]
    logs = ["it begins\n", "it begins\nand goes on\n", whole]
    assert said == [*(("log", {"run_id": job.run_id, "log": log}) for log in logs), ("done", {"state": "done"})]
    assert site.get("/runs/999/log").status_code == 404


def test_nothing_of_a_repository_that_is_not_served_is_shown(site: StudiedSite) -> None:
    job = found(site.hidden, insight(site.hidden.state.git_dir, "Hidden"), number=1, proof=b"a secret log")
    (one,) = site.hidden.insights.shown(site.hidden.key, site.hidden.state.git_dir)
    assert site.hidden.artifacts.read(one.log) == b"a secret log"
    for path in (f"/runs/{job.run_id}", f"/runs/{job.run_id}/log", f"/artifacts/{one.log}"):
        assert site.get(path).status_code == 404, path
    for path, body in (
        (f"/runs/{job.run_id}/rerun", None), (f"/runs/{job.run_id}/cancel", None),
        (f"/insights/{one.id}/mark", {"state": "kept"}),
    ):  # fmt: skip
        assert site.post(path, body).status_code == 404, path
    for path in ("/insights", "/runs", "/risks", "/learning/status"):
        assert site.get(f"{path}?repo_id=hidden").status_code == 404
        assert "idden" not in site.get(path).text
    for path in (
        f"/study/shop/jobs/{job.id}",
        "/study/hidden",
        "/study/hidden/jobs",
        "/study/other/files/shop/basket.py",
    ):
        assert site.page(path).status_code == 404, path
    assert site.form(f"/study/shop/insights/{one.id}", state="kept").status_code in (400, 404)
    assert site.form(f"/study/shop/jobs/{job.id}/rerun").status_code == 404
    assert site.hidden.insights.shown(site.hidden.key, site.hidden.state.git_dir)[0].state == "new"


def test_artifacts_are_text_or_bytes_and_never_a_page(site: StudiedSite) -> None:
    harmful = b"<html><script>alert(1)</script>"
    job = begun(site.shop, number=1)
    left = [Artifact("a.html", harmful), Artifact("b.bin", b"\xff\xfe\0"), Artifact("c.svg", b"<svg/>\0")]
    ended(site.shop, job, Outcome(artifacts=left))
    kept = site.get(f"/runs/{job.run_id}").json()["files"]
    text, data, nul = (site.page(f"/artifacts/{kept[one.name]}") for one in left)
    assert (text.headers["content-type"], text.content) == ("text/plain; charset=utf-8", harmful)
    assert (data.headers["content-type"], data.content) == ("application/octet-stream", b"\xff\xfe\0")
    assert nul.headers["content-type"] == "application/octet-stream"
    for one in (text, data):
        assert one.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in one.headers["content-security-policy"]
    path = site.shop.artifacts.path(kept["a.html"])
    path.write_bytes(b"something else")
    assert site.get(f"/artifacts/{kept['a.html']}").status_code == 404  # it is not what it was
    for wrong in ("x", "0" * 63, "../../etc/passwd", "A" * 64):
        assert site.get(f"/artifacts/{wrong}").status_code in (404, 422)
    assert site.get(f"/artifacts/{'0' * 64}").status_code == 404


def test_risks_are_those_of_the_commit_that_was_studied_last(site: StudiedSite) -> None:
    assert site.get("/risks").json() == {"repo_id": "shop", "commit": None, "at": None, "total": 0, "files": []}
    before = [risk(path, 0.9, 10, commit="b" * 40) for path in ("gone.py", "a/b.py")]
    found(site.shop, kind="risk", number=1, facts=before)
    found(site.shop, kind="risk", number=2, facts=[risk("a/b.py", 0.2, 11), risk("a/c.py", 0.7, 12, "d" * 40)])
    answer = site.get("/risks?repo_id=shop").json()
    assert [one["path"] for one in answer["files"]] == ["a/c.py", "a/b.py"]
    one = {"path": "a/c.py", "score": 2.8, "above": 0.7, "lines": 12, "repairs": ["d" * 40], "coverage": None}
    assert answer["files"][0] == one
    assert (answer["total"], answer["commit"]) == (2, "c" * 40)
    found(site.shop, kind="risk", number=2, path="lib", facts=[risk("lib/d.py", 0.6, 12)])  # another area
    assert [one["path"] for one in site.get("/risks").json()["files"]] == ["a/c.py", "lib/d.py", "a/b.py"]
    assert [one["path"] for one in site.get("/risks?folder=a/b&limit=1").json()["files"]] == ["a/b.py"]
    assert site.get("/risks?limit=0").status_code == 422


def test_what_ran_of_a_file_is_shown_where_it_is_known(site: StudiedSite) -> None:
    found(site.shop, kind="risk", number=1, facts=[risk("shop/basket.py", 0.9, 10)])
    assert "ran in tests" not in site.get("/study/shop/risks").text
    facts = [risk("shop/basket.py", 0.9, 10, ran=(3, 9)), risk("shop/other.py", 0.8, 10)]
    found(site.shop, kind="risk", number=2, facts=facts)
    assert [one["coverage"] for one in site.get("/risks").json()["files"]] == [{"ran": 3, "lines": 9}, None]
    page = site.get("/study/shop/risks").text
    assert 'title="tests ran 33% of its 9 lines that can run">33%</td>' in page
    assert "tests ran 33% of its 9 lines that can run" in site.get("/study/shop/files/shop/basket.py").text


def test_a_key_is_needed_where_there_is_one(shop_built: Repo, others: tuple[Repo, Repo], tmp_path: Path) -> None:
    with studied(shop_built, *others, tmp_path / "cache", key="secret") as site:
        for path in ("/learning/status", "/insights", "/runs", "/runs/1", "/risks", f"/artifacts/{'0' * 64}"):
            assert site.get(path).status_code == 401, path
        assert site.post("/learning/toggle", {"on": True}).status_code == 401
        assert site.page("/study").headers["location"].startswith("/sign-in")
        assert site.get("/insights", Authorization="Bearer secret").status_code == 200
        foreign = site.post(
            "/learning/toggle", {"on": True}, Authorization="Bearer secret", Origin="http://evil.example"
        )
        assert foreign.status_code == 403
    assert not list((tmp_path / "cache").glob("study/scratch/*"))


def test_in_a_team_maintainers_switch_and_members_mark(
    shop_built: Repo, others: tuple[Repo, Repo], tmp_path: Path
) -> None:
    with TeamMemory(tmp_path / "team") as memory:
        made = MadeTeam(memory, memory.found("shop", "ada"))
        with studied(shop_built, *others, tmp_path / "cache", team=memory) as site:
            found(site.shop, insight(site.shop.state.git_dir, "One"), number=1)

            def asked(name: str, path: str, body: Any = None) -> int:
                return int(site.post(path, body, Authorization=f"Bearer {made.key(name)}").status_code)

            assert [asked(name, "/learning/toggle", {"on": True}) for name in ("rob", "mia", "max")] == [403, 403, 200]
            assert [asked(name, "/insights/1/mark", {"state": "read"}) for name in ("rob", "mia")] == [403, 200]
            assert [asked(name, "/runs/1/rerun") for name in ("rob", "mia")] == [403, 200]


def test_wrong_values_are_refused_and_break_nothing(site: StudiedSite) -> None:
    found(site.shop, insight(site.shop.state.git_dir, "One"), number=1)
    values = (
        "",
        "0",
        "-1",
        "1.5",
        "x",
        "%00",
        "%ff",
        "%e2%80%ae",
        str(2**63),
        "9" * 400,
        "x" * 5000,
        "../..",
        "%2f",
        "<a>",
    )
    paths = (
        "/runs/{}", "/runs/{}/log", "/artifacts/{}", "/insights?before={}", "/insights?limit={}", "/insights?kind={}",
        "/insights?filter={}", "/insights?repo_id={}", "/runs?limit={}", "/risks?folder={}",
        "/learning/status?repo_id={}",
        "/study/{}", "/study/shop/files/{}", "/study/shop/jobs/{}", "/study/shop/jobs/{}/log", "/study/shop?state={}",
        "/study/shop/risks?folder={}", "/study/shop?before={}",
    )  # fmt: skip
    for path in paths:
        for value in values:
            assert site.page(path.format(value)).status_code < 500, (path, value)
    bodies: tuple[Any, ...] = (
        None,
        [],
        "x",
        1,
        {"state": None},
        {"on": []},
        {"budgets": 1},
        {"repo_id": {}},
        {"kinds": "x"},
    )
    for path in ("/learning/toggle", "/insights/1/mark", "/insights/0/mark", "/runs/1/rerun", "/runs/x/cancel"):
        for body in bodies:
            assert site.post(path, body).status_code < 500, (path, body)
    for path in ("/study/shop/insights/1", "/study/shop/jobs/1/x", "/study/shop/settings", "/study/shop/switch"):
        for value in ("", "x", "\0", "-1", "nan", "x" * 5000):
            fields = {"state": value, "cpu_minutes": value, "quiet_hours": value, f"kind-{value}": "yes", "on": value}
            assert site.form(path, **fields).status_code < 500, (path, value)


def test_the_description_names_the_bounds() -> None:
    assert ToggleRequest.model_json_schema()["additionalProperties"] is False
