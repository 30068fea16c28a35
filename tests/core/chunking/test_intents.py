"""What a message speaks of."""

from __future__ import annotations

import pytest

from core.chunking.intents import intent_of


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fix panic on empty input", "fix"),
        ("fix: handle CRLF", "fix"),
        ("printer: fix crash when stdin is closed", "fix"),
        ("Fix typo in README", ""),
        ("fix clippy warnings", ""),
        ("Fixed docs build", ""),
        ("Fix a flake in TrailersTest", ""),
        ("undo Xcode 13 GM workaround (#3092)", ""),
        ("Remove the workaround for old compilers", ""),
        ("Drop workarounds", ""),
        ("Add a workaround for old compilers", "fix"),
        ("Fix CacheTest on Windows", ""),
        ("Fix testLargeFile", ""),
        ("Fix the latest regression", "fix"),
        ("Fix Latest", "fix"),
        ("Fix flakiness of the socket tests", ""),
        ("Fix flakey `testDeadline`", ""),
        ("feat: fix all the things", ""),
        ("docs: correct the panic section", ""),
        ("perf: cache the regex", "performance"),
        ("Speed up directory traversal", "performance"),
        ("Avoid allocating in the hot loop", "performance"),
        ("Refactor the printer", "restructuring"),
        ("Simplify error handling", "restructuring"),
        ('Revert "Fix panic"', ""),
        ("Add option to show context", ""),
        # Names of code are no verbs.
        ("Accept Move(s) as anonymous arguments", ""),
        ("Add `fix` and `crash` to the options", ""),
        ("Return None from str.split", ""),
        ("Document Cache::clean()", ""),
        ("Fix `split` of empty lines", "fix"),
        # To inline is to restructure; the mark is for speed, and an adjective for neither.
        ("Inline RequestCommon", "restructuring"),
        ("http: inline the header check", "restructuring"),
        ("Add `#[inline]` to the accessors", "performance"),
        ("Mark the small functions as inline", "performance"),
        ("Support inline line breaks in arrays", ""),
        # Documents are not code.
        ("Move the Android README under androidTest", ""),
        ("Clean up comments", ""),
        ("Reorganize the documentation and split the parser", "restructuring"),
        ("Move the parser out of docs", "restructuring"),
        ("", ""),
        # Japanese and Chinese.
        ("全置換の変換エラーを修正する", "fix"),
        ("初期化漏れ修正", "fix"),
        ("別の端末で落ちる不具合に対処する", "fix"),
        ("バッファオーバーフローの対策", "fix"),
        ("修复空指针崩溃", "fix"),
        ("VULN-021 — 辞書インポート", "fix"),
        ("コメントの誤字を修正", ""),
        ("テストコードを修正", ""),
        ("修正の方針を変更", ""),
        ("修复文档中的拼写错误", ""),
        ("行の読み込みを高速化する", "performance"),
        ("优化查询性能", "performance"),
        ("展開タスクをリファクタリングする", "restructuring"),
        ("メンバー変数を整理する", "restructuring"),
        ("定義の位置を移動する", "restructuring"),
        ("カーソル移動を追加する", ""),
        ("重构解析器", "restructuring"),
        ("設定画面を追加する", ""),
        ("添加新选项", ""),
    ],
)
def test_intent_of_a_message(message: str, expected: str) -> None:
    assert intent_of(message) == expected
