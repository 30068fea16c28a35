"""What a tree shows: languages, tools, layout, archetype."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo

from core.history.overlay import Overlay
from miners.repo_analyzer import Profile, evidence_of, profile_of
from miners.signals.archetypes import archetype_of
from miners.signals.layouts import layout_of
from miners.signals.manifests import combinations_of, dependencies_in


@pytest.mark.parametrize(
    ("path", "content", "names"),
    [
        ("package.json", '{"dependencies": {"React": "1"}, "devDependencies": {"vitest": "2"}}', {"react", "vitest"}),
        ("pyproject.toml", '[project]\ndependencies = ["FastAPI>=1", "x[y]"]\n[tool.ruff]\n', {"fastapi", "x", "ruff"}),
        ("pyproject.toml", '[dependency-groups]\ndev = ["pytest", {include-group = "a"}]\n', {"pytest"}),
        ("pyproject.toml", "[tool.poetry.group.dev.dependencies]\nmypy = '*'\n", {"mypy"}),
        ("Cargo.toml", "[dependencies]\nserde = '1'\n[dev-dependencies]\nproptest = '1'\n", {"serde", "proptest"}),
        ("go.mod", "module a.b/c\nrequire (\n\tgithub.com/stretchr/testify v1.2\n)\n", {"github.com/stretchr/testify"}),
        ("requirements.txt", "# no\nflask==1\n-r other.txt\n", {"flask"}),
        ("setup.py", 'setup(install_requires=["six>=1", "attrs"])', {"six", "attrs"}),
        ("Gemfile", "gem 'rspec'\n", {"rspec"}),
        ("package.json", "{broken", set()),
        ("package.json", "[]", set()),
        ("pyproject.toml", "no = toml = file", set()),
    ],
)
def test_manifests_name_dependencies(path: str, content: str, names: set[str]) -> None:
    assert dependencies_in({path: content.encode()}) == names


def test_tools_that_go_with_a_framework_are_paired() -> None:
    found = combinations_of({"fastapi", "sqlalchemy", "pytest", "react", "vite"})
    assert (found["fastapi/orm"], found["fastapi/test_runner"], found["react/bundler"]) == (
        "sqlalchemy",
        "pytest",
        "vite",
    )
    assert combinations_of({"pytest"}) == {}


@pytest.mark.parametrize(
    ("language", "paths", "aspect", "choice"),
    [
        ("python", ["pkg/a.py", "tests/test_a.py", "tests/test_b.py"], "tests", "tests/test_{name}.py"),
        ("python", ["pkg/a.py", "pkg/tests/a_test.py"], "tests", "{folder}/tests/{name}_test.py"),
        ("go", ["a.go", "a_test.go"], "tests", "{folder}/{name}_test.go"),
        ("typescript", ["src/a.ts", "src/a.spec.ts"], "tests", "{folder}/{name}.spec.ts"),
        ("rust", ["src/lib.rs", "tests/tests.rs"], "tests", "tests/tests.rs"),
        ("python", ["a.py"], "tests", "none"),
        ("python", ["src/pkg/a.py"], "source", "src/"),
        ("python", ["thing/a.py"], "source", "{package}/"),
        ("typescript", ["packages/x/src/a.ts"], "source", "packages/{package}/src/"),
        ("python", ["pkg/one_two.py", "pkg/three_four.py", "pkg/Five.py"], "naming", "snake_case"),
        ("typescript", ["src/fooBar.ts", "src/a.ts"], "naming", "camelCase"),
        ("python", ["a.py", ".github/workflows/ci.yml", ".travis.yml"], "continuous_integration", ".github/workflows"),
        ("python", ["a.py", "docs/index.md"], "documentation", "docs/"),
        ("python", ["a.py", "CHANGELOG.md"], "changelog", "changelog"),
    ],
)
def test_paths_show_the_layout(language: str, paths: list[str], aspect: str, choice: str) -> None:
    assert layout_of(language, paths)[aspect] == choice


@pytest.mark.parametrize(
    ("readme", "dependencies", "paths", "archetype"),
    [
        ("An admin dashboard template", ["react-admin"], ["src/dashboard/a.tsx"], "admin_dashboard"),
        ("A fast ASGI framework", [], ["x/routing.py"], "web_framework"),
        ("A command-line tool to find files", ["clap"], [], "cli_tool"),
        ("My portfolio website", [], [], "portfolio"),
        ("An e-commerce storefront with shopping cart", [], ["src/cart/a.js"], "ecommerce"),
        ("", ["stripe"], [], "saas_app"),  # confidence .5
        ("Multi-tenant", ["antd"], ["admin/a.js"], "*"),  # .44
        ("Words", [], [], "*"),
        ("", [], [], "*"),
    ],
)
def test_a_readme_with_its_dependencies_shows_the_archetype(
    readme: str, dependencies: list[str], paths: list[str], archetype: str
) -> None:
    found, confidence, _ = archetype_of(readme, dependencies, paths)
    assert found == archetype
    assert 0 <= confidence <= 1
    assert (confidence >= 0.5) == (archetype != "*")


def test_a_tree_with_odd_names_and_links_is_profiled(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("odd")
    repo.write(
        {
            "src/a b\n.py": "x = 1\n",
            "README.md": b"\xff library for x",
            "pyproject.toml": "[tool.ruff]\n",
            "LICENSE": "MIT",
        }
    )
    (repo.path / "package.json").symlink_to("nowhere")
    head = repo.commit("one", {"tests/test_a.py": "def test(): pass\n", "big.py": "x\n"})
    with Overlay(repo.path / ".git") as overlay:
        profile = profile_of(overlay, head)
    assert profile.language == "python"
    assert profile.files == {"source": 2, "test": 1, "documentation": 2, "configuration": 1}
    assert profile.tools["linter"] == "ruff"
    assert profile.has_readme
    assert profile.has_licence
    pieces = list(evidence_of(profile, "root:x", head, 5))
    assert {piece.context_type for piece in pieces} == {"tool_selection", "project_layout", "repository_size"}
    assert {piece.sha for piece in pieces} == {head}


def test_an_empty_tree_shows_nothing(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("empty")
    head = repo.commit("nothing")
    with Overlay(repo.path / ".git") as overlay:
        profile = profile_of(overlay, head)
    assert isinstance(profile, Profile)
    assert list(evidence_of(profile, "root:x", head, 5)) == []
