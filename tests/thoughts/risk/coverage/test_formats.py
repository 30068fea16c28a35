"""Coverage reports as tools write them, and what is not one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from thoughts.risk.coverage import formats
from thoughts.risk.coverage.formats import Names, Report, read, report_of

COBERTURA = """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.4" timestamp="1" line-rate="0.5"><sources>{sources}</sources><packages><package name="p"><classes>
{classes}</classes></package></packages></coverage>"""


def cobertura(classes: str, *sources: str) -> bytes:
    return COBERTURA.format(classes=classes, sources="".join(f"<source>{one}</source>" for one in sources)).encode()


def class_of(name: str, *lines: str) -> str:
    return f'<class name="x" filename="{name}"><methods/><lines>{"".join(lines)}</lines></class>'


def line(number: object, hits: object) -> str:
    return f'<line number="{number}" hits="{hits}"/>'


def said(report: Report) -> dict[Names, tuple[list[int], list[int]]]:
    """Of each file, the lines that ran, and those that only can."""
    return {
        names: ([at for at, one in enumerate(lines) if one == 2], [at for at, one in enumerate(lines) if one == 1])
        for names, lines in report.files.items()
    }


def test_cobertura_names_files_below_each_source() -> None:
    data = cobertura(class_of("a.py", line(1, 1), line(3, 0)) + class_of("/b.py", line(2, 7)), "/ci/src", "/ci/tests")
    assert said(report_of(data)) == {("/ci/src/a.py", "/ci/tests/a.py"): ([1], [3]), ("/b.py",): ([2], [])}
    assert said(report_of(cobertura(class_of("C:\\a.cs", line(1, 1)), "D:\\x"))) == {("C:\\a.cs",): ([1], [])}


def test_a_line_ran_if_one_class_of_the_file_says_so() -> None:
    method = '<methods><method name="m"><lines><line number="4" hits="1"/></lines></method></methods>'
    inner = f'<class name="y" filename="a.cs">{method}<lines>{line(5, 0)}</lines></class>'
    for classes in (class_of("a.cs", line(4, 0), line(5, 2)) + inner, inner + class_of("a.cs", line(4, 0), line(5, 2))):
        assert said(report_of(cobertura(classes))) == {("a.cs",): ([4, 5], [])}


def test_lines_outside_of_files_are_of_none() -> None:
    data = cobertura(line(1, 1) + class_of("a.py", line(2, 1)) + line(3, 1))
    assert said(report_of(data)) == {("a.py",): ([2], [])}


def test_lcov_is_read_as_tools_write_it() -> None:
    data = b"TN:all\nSF:src/a.rs\nFN:1,main\nDA:1,5,abc==\nDA:2,0\nDA:3,-1\nLF:3\nend_of_record\nSF:b\nDA:9,1\n"
    for written in (data, data.replace(b"\n", b"\r\n")):
        assert said(report_of(written)) == {("src/a.rs",): ([1], [2, 3]), ("b",): ([9], [])}


def test_blocks_of_go_are_lines() -> None:
    data = b"mode: count\nm/a.go:3.10,5.2 2 0\nm/a.go:5.2,6.3 1 4\nm/a.go:8.1,8.9 1 00\n"
    assert said(report_of(data)) == {("m/a.go",): ([5, 6], [3, 4, 8])}


def test_names_that_are_not_utf_8_are_read_as_git_shows_them() -> None:
    assert list(report_of(b"SF:caf\xe9.c\nDA:1,1\n").files) == [("café.c",)]
    latin = '<?xml version="1.0" encoding="iso-8859-1"?><coverage><class filename="caf\xe9.c"/></coverage>'
    assert list(report_of(latin.encode("latin-1")).files) == [("café.c",)]


def test_what_makes_no_sense_is_counted() -> None:
    classes = class_of("a.py", line("x", 1), line(0, 1), line(-2, 1), line("9" * 5000, 1), line(7, "many"), line(8, 1))
    report = report_of(cobertura(classes))
    assert (report.odd, said(report)) == (5, {("a.py",): ([8], [])})
    report = report_of(b"DA:1,1\nSF:a\nDA:x,1\nDA:2\nDA:3,1\nend_of_record\nDA:4,1\n")
    assert (report.odd, said(report)) == (4, {("a",): ([3], [])})
    report = report_of(b"mode: set\na.go:1.1,2.2 1 1\nwhat?\na.go:9.1,3.2 1 1\n")
    assert (report.odd, said(report)) == (2, {("a.go",): ([1, 2], [])})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "its format is not known"),
        (b'{"src/a.js": {}}', "its format is not known"),
        (b"\x00\xff" * 999, "its format is not known"),
        (b"<html><body/></html>", "it is XML of another kind, <html>"),
        (b"<coverage><project/></coverage>", "it names no file"),
        (b"mode: set\n", "it names no file"),
        (b"<coverage><class", "it is no XML: "),
        (b'<?xml version="1.0" encoding="klingon"?><coverage/>', "it is no XML: "),
        (b'<!DOCTYPE c [<!ENTITY a "ha">]><coverage>&a;</coverage>', "its XML declares entities"),
        (b'<!DOCTYPE c [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><coverage/>', "its XML declares entities"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "coverage.xml"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.message.startswith(f"{path} cannot be read as a coverage report: {why}")


def test_only_files_of_a_bounded_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe", "."):
        with pytest.raises(UserError, match="it is not there, or no file"):
            read(tmp_path / name)
    assert not formats.begins_with(tmp_path / "pipe", b"{")
    (tmp_path / "a.info").write_bytes(b"SF:a\nDA:1,1\n")
    monkeypatch.setattr(formats, "MOST_BYTES", 11)
    with pytest.raises(UserError, match="it has more than"):
        read(tmp_path / "a.info")


@pytest.mark.parametrize(
    "data",
    [
        b"SF:a\nDA:999999999,1\n",
        b"mode: set\na.go:1.1,999999999.1 1 1\n",
        b"mode: set\n" + b"a.go:1.1,200000.1 1 0\n" * 999,
        b"".join(b"SF:%d\n" % number for number in range(200_000)),
    ],
)
def test_reports_cannot_take_all_memory_or_time(data: bytes) -> None:
    with pytest.raises(UserError, match="it names more lines than can be read"):
        report_of(data)


def test_deep_xml_is_read() -> None:
    deep = b"<a>" * 20_000 + b"</a>" * 20_000
    assert said(report_of(b'<coverage><class filename="a"/>' + deep + b"</coverage>")) == {("a",): ([], [])}


@given(st.binary(max_size=300), st.sampled_from([b"", b"SF:a\n", b"mode: set\n", b"<coverage>", b"\xff\xfe"]))
def test_any_bytes_are_a_report_or_refused(data: bytes, start: bytes) -> None:
    with suppress(UserError):
        assert report_of(start + data).files
