"""Which files are source, and what kind a fix is of."""

from __future__ import annotations

import pytest

from core.code.test_files import is_test_file
from miners.signals.change_facts import is_source
from miners.signals.diff_tags import kind_of, tags_of
from stores.agent.context_types import KINDS


@pytest.mark.parametrize(
    ("path", "source", "test"),
    [
        ("src/app/main.py", True, False),
        ("lib/index.ts", True, False),
        ("tests/test_main.py", False, True),
        ("pkg/server_test.go", False, True),
        ("src/a.spec.tsx", False, True),
        ("app/src/test/java/FooTest.java", False, True),
        ("docs/conf.py", False, False),
        ("README.md", False, False),
        ("package.json", False, False),
        ("setup.py", False, False),
        ("vendor/x.go", False, False),
        ("dist/app.min.js", False, False),
        ("a_pb2.py", False, False),
        ("examples/demo.rs", False, False),
    ],
)
def test_source_is_a_projects_own_code(path: str, source: bool, test: bool) -> None:
    assert (is_source(path), is_test_file(path)) == (source, test)


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ("@@ -1 +1 @@\n-import a\n+import b\n", "import_fix"),
        ("@@ -1 +1 @@\n+from a.b import c\n", "import_fix"),
        ("@@ -1 +1 @@\n+use std::fmt;\n", "import_fix"),
        ("@@ -1 +1 @@\n+const { a } = require('a')\n", "import_fix"),
        ("@@ -1 +1 @@\n+    except KeyError:\n", "exception_fix"),
        ("@@ -1 +1 @@\n+  } catch (error) {\n", "exception_fix"),
        ("@@ -1 +1 @@\n+    if x is None:\n", "guard_fix"),
        ("@@ -1 +1 @@\n+  return a?.b\n", "guard_fix"),
        ("@@ -1 +1 @@\n+    if isinstance(x, str):\n", "type_fix"),
        ("@@ -1 +1 @@\n-    if a:\n+    if a < b:\n", "condition_fix"),
        ("@@ -1 +1 @@\n-x = 1\n+x = 2\n", "logic_fix"),
        ("@@ -1 +1 @@\n-    except KeyError:\n", "logic_fix"),  # removing a handler is not handling
        ("@@ -1,2 +1,3 @@\n x = 1\n+\n import a\n", "logic_fix"),  # the line after the empty one did not change
        ("", "logic_fix"),
    ],
)
def test_changed_lines_show_the_kind(patch: str, kind: str) -> None:
    assert kind_of(tags_of([patch], touches_manifest=False)) == kind


def test_a_manifest_makes_a_dependency_fix_and_all_tags_are_kept() -> None:
    tags = tags_of(["+import a\n", "+    if x is None:\n"], touches_manifest=True)
    assert tags == ["dependency_fix", "import_fix", "guard_fix", "condition_fix"]
    assert kind_of(tags) == "dependency_fix"
    assert set(tags) <= set(KINDS)
