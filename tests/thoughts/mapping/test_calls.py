"""What a call means, by language: one small program each, with the edges that its map must and must not have."""

from __future__ import annotations

import pytest

from thoughts.mapping.graph import Graph, graph_of
from thoughts.mapping.modules import MANIFESTS
from thoughts.mapping.reader import is_known, read

Edge = tuple[str, str, bool]


def mapped(files: dict[str, str]) -> Graph:
    """The graph of some files."""
    readings = {path: read(text.encode(), path) for path, text in files.items() if is_known(path)}
    manifests = {path: text.encode() for path, text in files.items() if path.rpartition("/")[2] in MANIFESTS}
    return graph_of("c", readings, manifests)


def calls(files: dict[str, str]) -> set[Edge]:
    """(caller, callee, whether it is sure), each as `path:name`."""
    graph = mapped(files)
    names = [f"{node.path}:{node.name}" for node in graph.nodes]
    return {(names[one], names[other], is_sure) for one, other, _, is_sure in graph.calls}


def sure(files: dict[str, str]) -> set[tuple[str, str]]:
    """Edges that are sure."""
    return {(one, other) for one, other, is_sure in calls(files) if is_sure}


def imported(files: dict[str, str]) -> set[tuple[str, str]]:
    """(file, file that it imports)"""
    return {(one, there) for one, there, _, _ in mapped(files).imports}


PYTHON = {
    "src/app/__init__.py": "from .core import App as App\n",
    "src/app/core.py": """
from . import tools
from .tools import helper as assist
import app.models
import json

class Base:
    def run(self):
        return self.step()
    def step(self):
        raise NotImplementedError

class App(Base):
    store: "app.models.Store"
    def __init__(self, size: int = 1):
        super().__init__()
        self.tool = tools.Tool()
    def step(self):
        self.tool.use(1)
        self.store.save()
        json.dumps({})
        return assist()
    @property
    def name(self):
        return "x"
    def show(self):
        return self.name
    @classmethod
    def make(cls) -> "App":
        return cls()
""",
    "src/app/tools.py": """
class Tool:
    def use(self, n): ...
    def __enter__(self): return self
    def __exit__(self, *a): ...

def helper(tools=None):
    tools.shared_only_here(1)
    tools.use(1, 2, 3)
    with Tool() as one:
        one.use(1)

def dumps(): ...
class Other:
    def shared_only_here(self, x): ...
""",
    "src/app/models.py": "class Store:\n    def save(self): ...\n",
    "scripts/go.py": """
from app import App

def main():
    app = App.make()
    app.step()
    for one in [1]:
        App().show()
    def inner():
        main()
    inner()
""",
}
CORE, TOOLS = "src/app/core.py:", "src/app/tools.py:"


@pytest.mark.parametrize(
    "edge",
    [
        (CORE + "Base.run", CORE + "Base.step"),  # on self
        (CORE + "App.__init__", TOOLS + "Tool"),  # through a module
        (CORE + "App.step", TOOLS + "Tool.use"),  # on an attribute, by what is assigned to it
        (CORE + "App.step", "src/app/models.py:Store.save"),  # by an annotation in quotes
        (CORE + "App.step", TOOLS + "helper"),  # under another name
        (CORE + "App.show", CORE + "App.name"),  # a property
        (CORE + "App.make", CORE + "App.__init__"),  # cls()
        (TOOLS + "helper", TOOLS + "Tool.__enter__"),  # with
        (TOOLS + "helper", TOOLS + "Tool.use"),  # on what `with` gives
        ("scripts/go.py:main", CORE + "App.make"),  # through a name that is handed on
        ("scripts/go.py:main", CORE + "App.step"),  # on what a function says to return
        ("scripts/go.py:main", CORE + "App.show"),  # on a call
        ("scripts/go.py:main", "scripts/go.py:main.inner"),  # a function inside
        ("scripts/go.py:main.inner", "scripts/go.py:main"),  # and from there
    ],
)
def test_python_calls_are_found(edge: tuple[str, str]) -> None:
    assert edge in sure(PYTHON)


def test_python_calls_by_name_alone_are_marked_so() -> None:
    assert (TOOLS + "helper", TOOLS + "Other.shared_only_here", False) in calls(PYTHON)


def test_a_method_that_may_run_instead_is_not_sure() -> None:
    assert (CORE + "Base.run", CORE + "App.step", False) in calls(PYTHON)


def test_what_comes_from_elsewhere_is_no_call_of_the_repository() -> None:
    assert not any(other == TOOLS + "dumps" for _, other in sure(PYTHON))


def test_a_variable_hides_a_name_of_the_file() -> None:
    files = {"a.py": "def work(): ...\ndef go(work):\n    work()\ndef stay():\n    work()\n"}
    assert {(one, other) for one, other, _ in calls(files)} == {("a.py:stay", "a.py:work")}


def test_a_call_with_too_many_arguments_is_not_meant_by_name() -> None:
    files = {"a.py": "class A:\n    def special(self, x): ...\ndef go(a):\n    a.special(1, 2)\n"}
    assert calls(files) == set()
    assert calls({"a.py": files["a.py"].replace("(1, 2)", "(1)")}) == {("a.py:go", "a.py:A.special", False)}


def test_a_name_that_two_classes_have_is_not_meant_by_name() -> None:
    one = "class {}:\n    def special(self): ...\n"
    assert calls({"a.py": one.format("A") + one.format("B") + "def go(a):\n    a.special()\n"}) == set()


def test_python_imports_name_the_files_they_need() -> None:
    found = imported(PYTHON)
    assert (CORE[:-1], TOOLS[:-1]) in found
    assert (CORE[:-1], "src/app/models.py") in found
    assert ("scripts/go.py", "src/app/__init__.py") in found
    assert (CORE[:-1], "src/app/__init__.py") not in found  # `from . import tools` is about tools


def test_fixtures_are_called_by_the_tests_that_name_them() -> None:
    files = {
        "tests/conftest.py": "import pytest\nfrom lib import Client\n\n"
        "@pytest.fixture\ndef client():\n    return Client()\n",
        "tests/test_it.py": "def test_it(client):\n    client.ask()\n",
        "lib.py": "class Client:\n    def ask(self): ...\n    def tell(self): ...\n",
    }
    assert ("tests/test_it.py:test_it", "tests/conftest.py:client") in sure(files)
    assert ("tests/test_it.py:test_it", "lib.py:Client.ask") in sure(files)


RUST = {
    "crates/lines-core/Cargo.toml": '[package]\nname = "lines-core"\n',
    "crates/lines-core/src/lib.rs": "pub mod text;\npub use text::Reader;\npub fn open() -> Reader { Reader::new() }\n",
    "crates/lines-core/src/text.rs": """
use crate::open;
pub struct Reader { inner: Box<Inner> }
pub struct Inner;
impl Inner {
    pub fn fill(&mut self) {}
}
impl Reader {
    pub fn new() -> Self {
        Reader { inner: Box::new(Inner) }
    }
    pub fn next_line(&mut self) {
        self.inner.fill();
        Self::helper();
        open();
    }
    fn helper() {}
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn reads() {
        let mut one = Reader::new();
        one.next_line();
    }
}
""",
    "crates/cli/Cargo.toml": '[package]\nname = "cli"\n',
    "crates/cli/src/main.rs": "use lines_core::Reader;\nfn main() {\n    let mut one = lines_core::open();\n"
    "    one.next_line();\n    Reader::new();\n}\n",
}
LIB, TEXT, MAIN = "crates/lines-core/src/lib.rs:", "crates/lines-core/src/text.rs:", "crates/cli/src/main.rs:main"


@pytest.mark.parametrize(
    "edge",
    [
        (LIB + "open", TEXT + "Reader::new"),  # through `pub use`
        (TEXT + "Reader::next_line", TEXT + "Inner::fill"),  # by the type of a field
        (TEXT + "Reader::next_line", TEXT + "Reader::helper"),  # Self
        (TEXT + "Reader::next_line", LIB + "open"),  # crate::
        (TEXT + "tests::reads", TEXT + "Reader::next_line"),  # super::*, and what `new` returns
        (MAIN, LIB + "open"),  # another crate, whose name has a dash
        (MAIN, TEXT + "Reader::next_line"),
        (MAIN, TEXT + "Reader::new"),
    ],
)
def test_rust_calls_are_found(edge: tuple[str, str]) -> None:
    assert edge in sure(RUST)


def test_rust_imports_name_the_files_they_need() -> None:
    assert {(MAIN[:-5], TEXT[:-1]), (LIB[:-1], TEXT[:-1]), (TEXT[:-1], LIB[:-1])} <= imported(RUST)


def test_typescript_calls_are_found() -> None:
    files = {
        "web/package.json": '{"name": "@team/web"}',
        "web/src/index.ts": "export * from './store';\n",
        "web/src/store.ts": "export class Store {\n  save(x: number) {}\n}\n"
        "export function open(): Store {\n  return new Store();\n}\n",
        "app/main.ts": "import { open as start, Store } from '@team/web';\nimport * as all from '../web/src/store';\n"
        "class Page {\n  constructor(private store: Store) {}\n  show() {\n    this.store.save(1);\n  }\n}\n"
        "function go() {\n  const one = start();\n  one.save(2);\n  all.open();\n  new Page(one).show();\n}\n",
    }
    store = "web/src/store.ts:"
    assert {
        ("app/main.ts:Page.show", f"{store}Store.save"),
        ("app/main.ts:go", f"{store}open"),
        ("app/main.ts:go", f"{store}Store.save"),
        ("app/main.ts:go", "app/main.ts:Page.show"),
        ("app/main.ts:go", "app/main.ts:Page.constructor"),
        (f"{store}open", f"{store}Store"),
    } <= sure(files)


def test_go_calls_are_found() -> None:
    files = {
        "go.mod": "module example.org/tool\n",
        "main.go": 'package main\n\nimport "example.org/tool/store"\n\n'
        "func main() {\n\tone := store.New()\n\tone.Save(1)\n\thelp()\n}\n",
        "help.go": "package main\n\nfunc help() {}\n",
        "store/store.go": "package store\n\ntype Store struct{ inner *Inner }\n\n"
        "func New() *Store {\n\treturn &Store{}\n}\n\n"
        "func (s *Store) Save(x int) {\n\ts.inner.Flush(x)\n}\n",
        "store/inner.go": "package store\n\ntype Inner struct{}\n\nfunc (i *Inner) Flush(x int) {}\n",
    }
    assert {
        ("main.go:main", "store/store.go:New"),
        ("main.go:main", "store/store.go:Store.Save"),
        ("main.go:main", "help.go:help"),
        ("store/store.go:Store.Save", "store/inner.go:Inner.Flush"),
    } <= sure(files)


def test_java_calls_are_found() -> None:
    files = {
        "src/org/one/App.java": "package org.one;\nimport org.two.Store;\nclass App {\n  private final Store store;\n"
        "  App(Store store) {\n    this.store = store;\n  }\n  void run() {\n    store.save(1);\n    stop();\n  }\n"
        "  void stop() {}\n}\n",
        "src/org/two/Store.java": "package org.two;\npublic class Store {\n  public void save(int x) {}\n}\n",
    }
    app = "src/org/one/App.java:App."
    assert {(f"{app}run", "src/org/two/Store.java:Store.save"), (f"{app}run", f"{app}stop")} <= sure(files)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "class A(A):\n    def f(self): return self.g()\nclass B(C): ...\nclass C(B):\n    x = x\nA().f()\n"),
        ("a.py", "from a import *\nfrom a import f as f\nf()\n"),
        ("a.py", f"x = {'f(' * 500}{')' * 500}\n" + "y" + ".g()" * 2000 + "\n"),
        ("a.py", "".join(f"class A{n + 1}(A{n}): ...\n" for n in range(2000)) + "A2000().f()\n"),
        ("a.py", "".join(f"x{n + 1} = x{n}.y()\n" for n in range(3000)) + "x3000.z()\n"),
        ("a.py", "print 'two'\ndef f(:\n  pass\n"),
        ("a.rs", "mod a;\nuse self::a;\nuse super::super::b;\nuse crate::*;\nfn f() { a::b::c(); }\n"),
        ("a.ts", "export * from './a';\nimport x from './a';\nx();\n"),
        ("go.go", 'package x\nimport "../.."\nfunc f() { f() }\n'),
    ],
)
def test_odd_programs_end(path: str, text: str) -> None:
    assert mapped({path: text}).nodes
