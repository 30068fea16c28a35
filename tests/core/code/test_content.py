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
        (
            "alu.v",
            "// Copyright: Lemma Ltd\n`timescale 1ns/1ps\nmodule alu(input a, output b);\n  assign b = a;\nendmodule\n",
            "verilog",
        ),
        ("Set.v", "Set Implicit Arguments.\nClass Any (T : Type) : Prop.\n", "coq"),
        ("rune.v", "module ui\n\n#include <a.h>\n\nfn f(a rune) {\n\tmatch a {\n\t\t`x` {}\n\t}\n}\n", "v"),
        ("words.fs", '\\ Words\n\n: show ( -- ) s" void main()" \n  type cr ;\n', "forth"),
        ("part.inc", "class Foo:\n    def bar(self):\n        pass\n", "python"),
        ("call.inc", "CALL sys.f(FALSE);\n", "other"),
        ("pins.v", "/* pins */\nwire [3:0] a;\n", "verilog"),
        ("top.v", "module top\n  #(parameter W = 8)\n  (input clk);\nendmodule\n", "verilog"),
        ("Basics.v", "(** * Basics *)\n\nRequire Import Coq.Lists.List.\n", "coq"),
        ("Plus.v", "From mathcomp Require Import ssreflect.\n", "coq"),
        ("nat.v", "Lemma plus_0 : forall n, n + 0 = n.\nProof.\n  induction n; auto.\nQed.\n", "coq"),
        ("main.v", "module main\n\nimport os\n\nfn main() {\n\tprintln('hi')\n}\n", "v"),
        ("vec.v", "// A vector.\npub struct Vec {\n\tx int\n}\n", "v"),
        ("one.v", "fn (v Vec) len() int {\n\treturn v.x\n}\n", "v"),
        ("Program.fs", "open System\n\n[<EntryPoint>]\nlet main argv = 0\n", "fsharp"),
        ("Types.fs", "namespace A.B\n\ntype C = { D: int }\n", "fsharp"),
        ("a.fs", "// only this\n", "fsharp"),
        ("blur.fs", "#version 330 core\nout vec4 color;\nvoid main() {\n  color = vec4(1.0);\n}\n", "glsl"),
        ("light.fs", "precision mediump float;\nvarying vec2 uv;\n", "glsl"),
        ("old.fs", "/* let it be */\nvoid main()\n{\n  gl_FragColor = vec4(1.0);\n}\n", "glsl"),
        ("locals.fs", "\\ Local variables\n\n: square ( n -- n2 ) dup * ;\n", "forth"),
        ("io.fs", "require strings.fs\nvariable port\n", "forth"),
        ("const.fs", "( sizes )\n8 constant cell-size\n", "forth"),
        ("config.inc", "<?php\n$a = 1;\n", "php"),
        ("page.inc", "<div>\n<?php echo $a; ?>\n</div>\n", "php"),
        ("short.inc", "<p><?= $a ?></p>\n", "php"),
        ("win.inc", "{$IFDEF WINDOWS}\nprocedure Open;\nbegin\nend;\n{$ENDIF}\n", "pascal"),
        ("types.inc", "// Shared\nfunction TList.Get(I: Integer): TItem;\nbegin\n  Result := nil;\nend;\n", "pascal"),
        ("const.inc", "const\n  Max = 3;\nbegin\n", "pascal"),
        ("macros.inc", "; Saves registers\n%macro push_all 0\n    push rax\n%endmacro\n", "assembly"),
        ("avr.inc", ".equ PORTB = 0x05\n.equ DDRB = 0x04\n", "assembly"),
        ("win32.inc", "NULL equ 0\nTRUE equ 1\n", "assembly"),
        ("list.inc", "template <typename T>\nT List<T>::get() { return head; }\n", "cpp"),
        ("ops.inc", "// Ops\nnamespace a {\nint f();\n}\n", "cpp"),
        ("std.inc", "std::vector<int> all;\n", "cpp"),
        ("table.inc", "OPCODE(ADD, 1)\nOPCODE(SUB, 2)\n", "c"),
        ("impl.inc", "#include <stdio.h>\nstatic int f(void) { return 1; }\n", "c"),
        ("enum.inc", "typedef enum { A, B } kind;\n", "c"),
        ("recipe.inc", 'SUMMARY = "A tool"\ninherit autotools\n', "other"),
        ("basic.t", "use strict;\nuse Test::More tests => 1;\nok(1);\n", "perl"),
        ("00-load.t", "#!perl -T\nBEGIN { use_ok('A') }\n", "perl"),
        ("pkg.t", "package A;\nsub new { bless {}, shift }\n", "perl"),
        ("t0001.t", "#!/bin/sh\ntest_done\n", "shell"),
        ("game.t", 'var x : int\nput "hi"\n', "turing"),
        ("draw.t", 'View.Set ("graphics")\nloop\nend loop\n', "turing"),
        ("calc.t", "procedure add (a : int)\n    put a\nend add\n", "turing"),
        ("cram.t", "Set up\n\n  $ hg init\n", "other"),
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


@pytest.mark.parametrize("path", ["a.ts", "a.h", "a.m", "a.pl", "a.v", "a.fs", "a.inc", "a.t", "run"])
@pytest.mark.parametrize("head", [b"", b"\0\xff" * 100, b"#!", b"#!/usr/bin/env", b"(" * 40_000, b"class " * 8_000])
def test_any_bytes_have_a_language(path: str, head: bytes) -> None:
    assert language_in(path, head) in ("typescript", "c", "cpp", "objective-c", "perl", "verilog", "fsharp", "other")
