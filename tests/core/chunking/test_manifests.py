"""Which part of a manifest names dependencies."""

from __future__ import annotations

import pytest

from core.chunking.manifests import keys_above, lines_around, role_in_manifest
from core.chunking.outline import Outline


def role_of_last_line(path: str, part: str, text: str) -> str:
    side = Outline(text.encode())
    return role_in_manifest(path, part, [(Outline(), []), (side, range(len(side) - 1, len(side)) if text else [])])


@pytest.mark.parametrize(
    ("path", "part", "text", "expected"),
    [
        ("Cargo.toml", "dependencies", "", "dependency"),
        ("Cargo.toml", "target.'cfg(unix)'.dev-dependencies", "", "dependency"),
        ("Cargo.toml", "package", 'version = "1"', "configuration"),
        ("pyproject.toml", "project", "dependencies = [", "dependency"),
        ("pyproject.toml", "project", 'version = "1"', "configuration"),
        ("pyproject.toml", "tool.ruff", "", "configuration"),
        ("package.json", "devDependencies", "", "dependency"),
        ("package.json", "scripts", "", "configuration"),
        ("requirements-dev.txt", "", "", "dependency"),
        ("requirements/dev.txt", "", "", "dependency"),
        ("go.mod", "", "", "dependency"),
        ("go.mod", "", "go 1.24", "configuration"),
        ("setup.cfg", "", "install_requires =", "dependency"),
        ("gradle/libs.versions.toml", "versions", 'okio = "3.2"', "dependency"),
    ],
)
def test_roles_by_part_and_key(path: str, part: str, text: str, expected: str) -> None:
    assert role_of_last_line(path, part, text) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("build.gradle.kts", 'dependencies {\n  "x"(libs.okio)', "dependency"),
        ("build.gradle.kts", "kotlin {\n  sourceSets {\n    dependencies {\n      api(projects.a)", "dependency"),
        ("a/build.gradle.kts", 'plugins {\n  id("com.diffplug.spotless") version "8.3"', "dependency"),
        ("a/build.gradle.kts", '  force("org.ow2.asm:asm:9.7")', "dependency"),
        ("a/build.gradle", "    testImplementation 'junit:junit:4.13'", "dependency"),
        ("a/build.gradle", "    compileOnly project(':a')", "dependency"),
        ("build.gradle.kts", 'allprojects {\n  group = "a.b"\n  version = "5.1.0"', "configuration"),
        ("build.gradle.kts", 'plugins.withId("a.b") {\n  compilerOptions {\n    jvmTarget = "11"', "configuration"),
        ("build.gradle.kts", "dependencies {\n  api(libs.a)\n}\n\ntasks.test {\n  useJUnitPlatform()", "configuration"),
        ("build.gradle", "    compileSdkVersion 30", "configuration"),
        ("quality.gradle.kts", 'dependencies {\n  "lintChecks"(library("lint"))', "dependency"),
        ("settings.gradle.kts", 'include(":okhttp")', "configuration"),
        ("Package.swift", '  dependencies: [\n    .package(url: "https://a.b/c.git", from: "1.2"),', "dependency"),
        ("Package.swift", '    .package(\n      url: "https://a.b/c.git",\n      from: "1.2"', "dependency"),
        ("Package.swift", '  dependencies: [\n    .product(name: "Atomics", package: "swift-atomics"),', "dependency"),
        ("Package.swift", '  .target(\n    name: "A",\n    swiftSettings: strict', "configuration"),
        ("Package.swift", "for target in package.targets {\n  target.swiftSettings = settings", "configuration"),
        ("pom.xml", "<dependency>\n  <version>1.2</version>", "dependency"),
        ("pom.xml", "<plugin>\n  <version>1.2</version>", "dependency"),
        ("pom.xml", "<properties>\n  <asm.version>9.7</asm.version>", "dependency"),
        ("pom.xml", "<plugin>\n  <configuration>\n    <release>8</release>", "configuration"),
        ("pom.xml", "<project>\n  <version>1.3-SNAPSHOT</version>", "configuration"),
        ("A.csproj", '  <ItemGroup>\n    <PackageReference Include="Moq" Version="4" />', "dependency"),
        ("A.csproj", "  <PropertyGroup>\n    <Version>1.2.3</Version>", "configuration"),
        ("a.gemspec", "  s.add_development_dependency 'rake', '~> 13'", "dependency"),
        ("a.gemspec", "  s.summary = 'x'", "configuration"),
        ("Podfile", "target 'A' do\n  pod 'Moya', '~> 15'", "dependency"),
        ("Podfile", "post_install do |installer|\n  installer.run", "configuration"),
        ("Gemfile", "ruby '3.3'", "dependency"),
    ],
)
def test_roles_by_the_lines_around(path: str, text: str, expected: str) -> None:
    assert role_of_last_line(path, "", text + "\n") == expected


def test_keys_above() -> None:
    side = Outline(b'[project]\nname = "x"\ndependencies = [\n  "a",\n  "b",\n]\n')
    assert list(keys_above(side, [1, 4])) == ['name = "x"\n', "dependencies = [\n"]


def test_lines_around() -> None:
    side = Outline(b"a {\n  b {\n    c\n\n    d\n  }\n  e\n}\nf\n")
    assert list(lines_around(side, [4, 6, 8])) == ["a {\n  b {\n    d", "a {\n  e", "f"]
    assert list(lines_around(Outline(), [])) == []
