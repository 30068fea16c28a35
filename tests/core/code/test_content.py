"""Languages that a path leaves open."""

from __future__ import annotations

import pytest

from core.code.content import language_in


@pytest.mark.parametrize(
    ("path", "source", "language"),
    [
        ("i18n/de.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1">\n', "xml"),
        ("i18n/fr.ts", '\ufeff<!DOCTYPE TS><TS version="2.0">\n', "xml"),
        ("map.tsx", '<tileset name="a">\n', "xml"),
        ("a.ts", "export const x = <T>(a: T) => a;\n", "typescript"),
        ("a.tsx", "<!-- no --> as text\nexport const A = () => <p/>;\n", "tsx"),
        ("a.m", "#import <Foundation/Foundation.h>\n@implementation A\n@end\n", "objective-c"),
        ("b.m", "/* % of all */\nint main(void) {\n  x = 1;\n}\n", "objective-c"),
        ("solve.m", "function y = solve(x)\n% SOLVE computes\n  y = x + 1;\nend\n", "matlab"),
        ("plot.m", "x = linspace(0, 1);\nplot(x)\n", "matlab"),
        ("shape.m", "classdef Shape < handle\n  properties\n  end\nend\n", "matlab"),
        ("oct.m", "## Copyright\n1;\nendfunction\n", "matlab"),
        ("a.pl", "#!/usr/bin/perl\nuse strict;\nmy $x = 1;\n", "perl"),
        ("b.pl", "sub f {\n  return 1;\n}\n", "perl"),
        ("family.pl", "parent(tom, bob).\ngrandparent(X, Z) :- parent(X, Y), parent(Y, Z).\n", "prolog"),
        ("lists.pl", ":- module(lists, [last/2]).\nlast([X], X).\n", "prolog"),
        ("grammar.pl", "sentence --> noun, verb.\n", "prolog"),
        ("a.h", "int f(void);\n#define A 1\n", "c"),
        ("b.h", "/* class A {\n namespace */\nstruct s { int class_of; };\n", "c"),
        ("c.h", '#ifdef __cplusplus\nextern "C" {\nnamespace x {\n#endif\nint f(void);\n', "c"),
        ("d.h", "#pragma once\nnamespace a {\nint f();\n}\n", "cpp"),
        ("e.h", "class API Widget : public Base\n{\n};\n", "cpp"),
        ("f.h", "#include <vector>\nint f(std::vector<int>& a);\n", "cpp"),
        ("g.h", "template <typename T>\nT f(T a);\n", "cpp"),
        ("h.h", "@interface A : NSObject\n@end\n", "objective-c"),
        ("bin/run", "#!/usr/bin/env python3\nprint(1)\n", "python"),
        ("bin/build", "#!/bin/sh -e\nf() { :; }\n", "shell"),
        ("bin/serve", "#!/usr/bin/env -S node --harmony\n", "javascript"),
        ("bin/odd", "#!/usr/bin/env strange\n", "other"),
        ("LICENSE", "MIT\n", "other"),
        ("a.py", "#!/bin/sh\n", "python"),
    ],
)
def test_the_content_tells_what_the_path_leaves_open(path: str, source: str, language: str) -> None:
    assert language_in(path, source.encode()) == language


@pytest.mark.parametrize("path", ["a.ts", "a.h", "a.m", "a.pl", "run"])
@pytest.mark.parametrize("head", [b"", b"\0\xff" * 100, b"#!", b"#!/usr/bin/env", b"(" * 40_000, b"class " * 8_000])
def test_any_bytes_have_a_language(path: str, head: bytes) -> None:
    assert language_in(path, head) in ("typescript", "c", "cpp", "objective-c", "perl", "other")
