"""python -m stores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from stores_made_up import entry, made_up

from stores import FailureStore, PatternStore, VVectorStore
from stores.__main__ import main
from stores.agent.records import Failure

GAIN = {"mean": 0.25, "low": 0.14, "high": 0.33, "n": 10}
GATE = {
    "lines": {
        "gain over defaults": GAIN,
        "gain over placebo": GAIN,
        "units": 10,
        "method": "held-out",
        "losers": ["odd"],
    }
}


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    repository = made_up()
    with VVectorStore(tmp_path) as store, PatternStore(tmp_path), FailureStore(tmp_path) as failures:
        store.bulk_import([repository], [entry(repository, gate=GATE, source_repos=["a"])], source="history:test")
        store.record_outcome(1, success=False, note="too large")
        failures.add_own(Failure(agent="x", step="y", error_type="z", description="does not work"))
    return tmp_path


def run(stores: Path, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["--stores", str(stores), *arguments])
    assert done.exit_code == code, done.output
    return done


def test_list_show_and_why(stores: Path) -> None:
    assert "max_edits: 18" in run(stores, "list", "v_vector").output
    assert "does not work" in run(stores, "list", "failure", "--where", "agent=x").output
    assert "no such entries" in run(stores, "list", "failure", "--where", "agent=y").output
    assert "no entries yet" in run(stores, "list", "pattern").output
    assert json.loads(run(stores, "list", "v_vector", "--json").output)["option"] == "import_fix"
    assert json.loads(run(stores, "show", "v_vector", "1").output)["evolved_value"] == {"max_edits": 18}
    shown = run(stores, "why", "v_vector", "1", "--evidence", "2").output
    assert "gate for lines: saves 0.250 [0.140, 0.330] bits over the defaults" in shown
    assert "worse on: odd" in shown
    assert shown.count("files=") == 2
    assert "failed too large" in shown
    assert json.loads(run(stores, "why", "v_vector", "1", "--json").output)["entry"]["id"] == 1


def test_export_import_check_stats_and_backup(stores: Path, tmp_path: Path) -> None:
    run(stores, "export", "v_vector", str(tmp_path / "x.jsonl"))
    assert (
        "1 repositories, 40 evidence, 1 entries, 1 outcomes"
        in run(tmp_path / "new", "import", "v_vector", str(tmp_path / "x.jsonl")).output
    )
    assert run(stores, "check").output == "v_vector_history: ok\npattern_memory: ok\nfailure_memory: ok\n"
    assert json.loads(run(stores, "stats", "--json").output)["v_vector"]["evidence"] == 40
    assert "last seeded" in run(stores, "stats").output
    assert run(stores, "backup").output.count(".db") == 3


def test_errors_are_sentences_with_exit_codes(stores: Path, tmp_path: Path) -> None:
    assert "no v_vector_history database at" in run(tmp_path / "nowhere", "stats", code=2).output
    assert not (tmp_path / "nowhere").exists()
    assert "has no entry 9" in run(stores, "why", "v_vector", "9", code=2).output
    assert "expected COLUMN=VALUE" in run(stores, "list", "v_vector", "--where", "agent=x", code=2).output
    assert "cannot be read" in run(stores, "import", "pattern", "nothing", code=2).output
    with VVectorStore(stores) as store, store.database.write() as connection:
        connection.exec_driver_sql("UPDATE v_vectors SET own_failures = 5")
    assert "counts 0 good and 5 bad outcomes" in run(stores, "check", code=1).output
