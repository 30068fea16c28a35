"""What a test suite calls: a plugin of pytest, for benchmarks/code_map.py. It needs nothing but pytest.

    cp benchmarks/traced_calls.py CLONE/ && cd CLONE && python -m pytest -p traced_calls

It writes `traced_calls.json` into the current folder: calls from function to function among the files below it, the
lines that were run, what each test reached, and which file imported which. Calls that a decorator or a library passed
on are noted apart, for the line that names the function.
"""

from __future__ import annotations

import builtins
import dis
import functools
import json
import linecache
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, cast

import pytest

ROOT = str(Path.cwd()) + "/"
OUTPUT = Path.cwd() / "traced_calls.json"
MOST_BETWEEN = 8
"""Frames between a call and the function, where others pass it on."""
_RESUME = dis.opmap["RESUME"]
_OPTIMIZED = 1
"""The flag of functions; bodies of modules and classes lack it."""


class Tracer:
    """Notes calls while it is on."""

    def __init__(self) -> None:
        self.calls: set[tuple[CodeType, int, CodeType]] = set()
        """Caller, line of the call, callee."""
        self.passed_on: set[tuple[CodeType, int, CodeType]] = set()
        self.lines: defaultdict[str, set[int]] = defaultdict(set)
        self.reached: defaultdict[str, set[CodeType]] = defaultdict(set)
        self.imports: set[tuple[str, str]] = set()
        self.test = ""
        self._ours: dict[str, bool] = {}
        self._import = builtins.__import__

    def start(self) -> None:
        """Trace this thread and all that come."""
        builtins.__import__ = cast(Any, self.importing)
        threading.settrace(self.called)
        sys.settrace(self.called)

    def stop(self) -> None:
        """Trace nothing more."""
        sys.settrace(None)
        builtins.__import__ = self._import

    def is_ours(self, file: str) -> bool:
        """Whether a file is in the repository rather than in a library below it."""
        if file not in self._ours:
            self._ours[file] = file.startswith(ROOT) and "/site-packages/" not in file and file != __file__
        return self._ours[file]

    def called(self, frame: FrameType, event: str, _: object) -> Any:
        """A frame begins, or goes on after a `yield`, which is no call."""
        code = frame.f_code
        if event != "call" or not self.is_ours(code.co_filename):
            return None
        place = frame.f_lasti
        is_first = code.co_code[place] != _RESUME or not code.co_code[place + 1]
        if code.co_flags & _OPTIMIZED and is_first:
            if self.test:
                self.reached[self.test].add(code)
            before = frame.f_back
            if before is not None and self.is_ours(before.f_code.co_filename):
                self.calls.add((before.f_code, before.f_lineno, code))
            if before is not None:
                self._note_passed_on(before, code)
        add = self.lines[code.co_filename].add

        def local(inner: FrameType, what: str, _: object) -> Any:
            if what == "line":
                add(inner.f_lineno)
            return local

        return local

    def _note_passed_on(self, frame: FrameType, code: CodeType) -> None:
        outer: FrameType | None = frame
        for _ in range(MOST_BETWEEN):
            if outer is None:
                return
            if self.is_ours(outer.f_code.co_filename):
                call = outer.f_code, outer.f_lineno, code
                if call in self.passed_on or (outer is frame and _names(*call)):
                    return
                if _names(*call):
                    self.passed_on.add(call)
                    return
                if "<locals>" not in outer.f_code.co_qualname:
                    return
            outer = outer.f_back

    def importing(
        self, name: str, globals: Mapping[str, Any] | None = None, locals: Any = None,  # noqa: A002 - as the function names them
        fromlist: Sequence[str] = (), level: int = 0,
    ) -> ModuleType:  # fmt: skip
        """`__import__`, which notes who asked for what."""
        wanted = fromlist or ()
        module = self._import(name, globals, locals, wanted, level)
        file = (globals or {}).get("__file__") or ""
        if self.is_ours(file):
            inner = module if wanted else sys.modules.get(name, module)
            parts = [getattr(inner, one, None) for one in wanted]
            for one in (inner, *(part for part in parts if isinstance(part, ModuleType))):
                there = getattr(one, "__file__", None) or ""
                if self.is_ours(there) and there != file:
                    self.imports.add((file.removeprefix(ROOT), there.removeprefix(ROOT)))
        return module


@functools.cache
def _names(caller: CodeType, line: int, callee: CodeType) -> bool:
    """Whether a function is named where it is called."""
    name = callee.co_name
    if name == "__init__":
        name = callee.co_qualname.split(".")[-2]
    text = "".join(linecache.getline(caller.co_filename, number) for number in (line - 1, line, line + 1))
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def name_of(code: CodeType) -> tuple[str, str]:
    """(path, qualified name) of a function; what has no name belongs to what is around it."""
    names = [one for one in code.co_qualname.split(".") if not one.startswith("<")]
    return code.co_filename.removeprefix(ROOT), ".".join(names)


TRACER = Tracer()
TRACER.start()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test begins, with what it needs."""
    function = getattr(item, "function", None)
    names = ".".join(
        filter(None, (getattr(getattr(item, "cls", None), "__qualname__", ""), getattr(item, "originalname", "")))
    )
    TRACER.test = f"{str(item.path).removeprefix(ROOT)}::{names}" if function else ""
    if sys.gettrace() is None:  # a test took it away
        sys.settrace(TRACER.called)
    yield
    TRACER.test = ""


def pytest_sessionfinish() -> None:
    """Write what was seen."""
    TRACER.stop()
    record = {
        "calls": sorted({(*name_of(one), line, *name_of(other)) for one, line, other in TRACER.calls}),
        "passed_on": sorted({(*name_of(one), *name_of(other)) for one, _, other in TRACER.passed_on}),
        "lines": {file.removeprefix(ROOT): sorted(lines) for file, lines in TRACER.lines.items()},
        "tests": {test: sorted({name_of(code) for code in codes}) for test, codes in TRACER.reached.items()},
        "imports": sorted(TRACER.imports),
    }
    OUTPUT.write_text(json.dumps(record), encoding="utf-8")
