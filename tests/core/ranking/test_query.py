"""A task is cut into what counts apart."""

from __future__ import annotations

from core.ranking.query import MAX_TEXT, Query

ISSUE = """Session.load fails on empty cookies

When I call `load_cookie` with ``b""`` it raises:

```python
>>> Session().load(b"")
```

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/app/sessions.py", line 12, in load
    return json.loads(data)
  File "src/app/json_tools.py", line 3, in loads
ValueError: no data

See src/app/sessions.py and README.md.
"""


def test_an_issue_has_its_parts() -> None:
    query = Query(ISSUE)
    assert query.title == "Session.load fails on empty cookies"
    assert "When I call" in query.body
    assert ">>> Session().load" in query.code
    assert "ValueError: no data" in query.errors
    assert query.names[:3] == ["load_cookie", "b", "Session"]
    assert ("Session", "load") in query.members
    assert query.frames == ["/usr/lib/python3.11/site-packages/app/sessions.py", "src/app/json_tools.py"]
    assert {"src/app/sessions.py", "README.md"} <= set(query.paths)
    assert query.title_paths == ["Session.load"]


def test_frames_of_other_languages() -> None:
    assert Query("panic\n\n  at src/main.rs:12:5\n  net/http/server.go:1890").frames == [
        "src/main.rs",
        "net/http/server.go",
    ]


def test_nothing_has_no_parts() -> None:
    query = Query(" \n\n")
    assert (query.title, query.names, query.frames, query.paths) == ("", [], [], [])


def test_a_hostile_text_takes_bounded_work() -> None:
    for piece in ("a", "+", "@", "+a", "a@", "a.", "/", "~/", "`", "```\n", "\n", 'File "', "a/", "    ", "a:1"):
        query = Query(piece * (MAX_TEXT // len(piece) * 2))
        assert len(query.title) <= 500
        assert len(query.frames) <= 50
        assert len(query.paths) <= 200
        assert isinstance(query.code + query.errors, str)
        assert query.members is not None
        assert query.names is not None
