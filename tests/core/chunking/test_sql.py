"""SQL as people write it, in every dialect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from hypothesis import given
from hypothesis import strategies as st
from test_semantic_chunker import assert_sound, chunks_of, last

from core.chunking.sql import outline_of_sql

POSTGRESQL = r"""-- Adds one.
CREATE OR REPLACE FUNCTION app.add_one(a int) RETURNS int AS $body$
DECLARE
  b int := 1;
BEGIN
  -- it's easy; really
  CREATE TEMP TABLE t (a int);
  RETURN a + b;
END;
$body$ LANGUAGE plpgsql;

CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2;';
CREATE FUNCTION three() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 3 END; END;
CREATE PROCEDURE note(a text) LANGUAGE sql AS $$ INSERT INTO notes VALUES (a); $$;
CREATE TYPE mood AS ENUM ('sad', 'it''s; fine');
CREATE DOMAIN us_zip AS text CHECK (VALUE ~ '^\d{5}$');
CREATE UNLOGGED TABLE IF NOT EXISTS "My Notes" (a text DEFAULT 'C:\', b int);
CREATE UNIQUE INDEX CONCURRENTLY notes_a ON notes (a);
CREATE INDEX ON notes (b);
CREATE MATERIALIZED VIEW sums AS
SELECT sum(b) FROM notes;
CREATE TRIGGER stamp BEFORE INSERT ON notes FOR EACH ROW WHEN (NEW.a IS NULL) EXECUTE FUNCTION add_one();
ALTER FUNCTION two() OWNER TO app;
COPY notes (a, b) FROM stdin;
it's	1
CREATE TABLE no (a int);
\.
CREATE VIEW behind AS SELECT 1;
"""
MYSQL = r"""DROP TABLE IF EXISTS `users`;
CREATE TABLE `users` (
  `name` varchar(9) DEFAULT 'it\'s' COMMENT "a; b"
) ENGINE=InnoDB;
DELIMITER $$
CREATE DEFINER=`root`@`localhost` PROCEDURE `shop`.`restock`(IN a INT)
BEGIN
  DECLARE b INT DEFAULT 0;
  IF a > 0 THEN
    SET b = CASE a WHEN 1 THEN 2 ELSE 3 END;
    CREATE TEMPORARY TABLE t (a INT);
  END IF;
END$$

CREATE FUNCTION twice(a INT) RETURNS INT DETERMINISTIC
RETURN a * 2$$
CREATE TRIGGER stamp BEFORE INSERT ON users FOR EACH ROW BEGIN
  SET NEW.name = UPPER(NEW.name);
END $$
DELIMITER ;
CREATE FUNCTION thrice(a INT) RETURNS INT RETURN a * 3;
CREATE EVENT clean ON SCHEDULE EVERY 1 DAY DO DELETE FROM users;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW names AS SELECT name FROM users;
/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER `dumped` AFTER DELETE ON users FOR EACH ROW SET @a = 1 */;
CREATE FULLTEXT INDEX name_text ON users (name);
"""
TSQL = """IF OBJECT_ID('dbo.Old') IS NOT NULL DROP TABLE dbo.Old
GO
-- Finds it.
CREATE OR ALTER PROCEDURE [dbo].[Find It]
    @name nvarchar(50) = N'a;b'
AS
SET NOCOUNT ON;
CREATE TABLE #found (id int);
BEGIN TRAN;
BEGIN TRY
    SELECT * FROM Items WHERE Name = @name;
END TRY
BEGIN CATCH
    ROLLBACK;
END CATCH
CREATE TABLE Log2 (id int);
GO
CREATE FUNCTION dbo.Total (@id int) RETURNS TABLE
AS RETURN (SELECT 1 AS a);
GO

IF NOT EXISTS (SELECT 1 FROM sys.tables WHERE name = 'Items')
    CREATE TABLE dbo.Items (
        Id int
    )
CREATE NONCLUSTERED INDEX IX_Items ON dbo.Items (Id) INCLUDE (Name)
PRINT 'done; CREATE TABLE x (a int)'
GO 3
CREATE TYPE dbo.Ids AS TABLE (Id int)
GO
ALTER PROCEDURE dbo.Changed AS
SELECT 1
go
ALTER TRIGGER dbo.Stamp ON dbo.Items AFTER INSERT AS BEGIN SELECT 1 END
GO
ALTER TABLE dbo.Items ADD Name nvarchar(9)
GO
GRANT CREATE TABLE TO app
"""
SQLITE = """PRAGMA foreign_keys = ON;
create table if not exists notes(
  a text primary key -- it's the key
) without rowid;
CREATE VIRTUAL TABLE notes_fts USING fts5(a, content='notes');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, a) VALUES (new.rowid, CASE WHEN new.a IS NULL THEN '' ELSE new.a END);
  UPDATE notes SET a = 'x;y';
END;
CREATE VIEW IF NOT EXISTS v AS SELECT a FROM notes;
CREATE INDEX [by a] ON notes(a);
"""
ORACLE = """SET DEFINE OFF
PROMPT it's loading
CREATE OR REPLACE TYPE point AS OBJECT (
  x NUMBER,
  MEMBER FUNCTION far RETURN NUMBER
);
/
CREATE OR REPLACE TYPE BODY point AS
  MEMBER FUNCTION far RETURN NUMBER IS
  BEGIN
    RETURN x;
  END;
  CONSTRUCTOR FUNCTION point(y NUMBER) RETURN SELF AS RESULT IS
  BEGIN
    RETURN;
  END;
END;
/
CREATE OR REPLACE PACKAGE pay AS
  TYPE names IS TABLE OF VARCHAR2(9);
  c_limit CONSTANT NUMBER := 1;
  -- The sum.
  FUNCTION total(p NUMBER) RETURN NUMBER;
  PROCEDURE reset;
END pay;
/
CREATE OR REPLACE PACKAGE BODY pay IS
  CURSOR all_of IS SELECT CASE WHEN a = 1 THEN 2 END FROM t;

  FUNCTION total(p NUMBER) RETURN NUMBER IS
    PROCEDURE inner IS BEGIN NULL; END inner;
    v VARCHAR2(9) := q'[it's; END]';
  BEGIN
    FOR i IN 1..3 LOOP
      IF i = 2 THEN
        BEGIN NULL; END;
      END IF;
    END LOOP;
    RETURN 1;
  END total;

  $IF $$debug $THEN
  PROCEDURE reset IS
  BEGIN
    NULL;
  END;
  $END
BEGIN
  NULL;
END pay;
/
CREATE OR REPLACE TRIGGER stamp BEFORE INSERT ON t REFERENCING NEW AS n FOR EACH ROW
DECLARE
  a NUMBER;
BEGIN
  a := 1;
END;
/
CREATE OR REPLACE TRIGGER both FOR UPDATE ON t COMPOUND TRIGGER
  a NUMBER;
  BEFORE STATEMENT IS
  BEGIN
    NULL;
  END BEFORE STATEMENT;
END both;
/
CREATE OR REPLACE PROCEDURE hello IS
BEGIN
  dbms_output.put_line('hello');
END;
/
CREATE OR REPLACE FORCE EDITIONABLE VIEW v (a) AS
SELECT 1 AS a FROM dual;
"""
WHOLE = {
    "postgresql": (
        POSTGRESQL,
        [
            *("function app.add_one 1-10", "function two 12-12", "function three 13-13", "function note 14-14"),
            *("type mood 15-15", "type us_zip 16-16", "table My Notes 17-17", "key notes_a 18-18", "table sums 20-21"),
            *("function stamp 22-22", "table behind 28-28"),
        ],
    ),
    "mysql": (
        MYSQL,
        [
            *("table users 2-4", "function shop.restock 6-13", "function twice 15-16", "function stamp 17-19"),
            *("function thrice 21-21", "function clean 22-22", "table names 23-23", "function dumped 24-24"),
            "key name_text 25-25",
        ],
    ),
    "tsql": (
        TSQL,
        [
            *("function dbo.Find It 3-17", "function dbo.Total 18-20", "table dbo.Items 23-25", "key IX_Items 26-26"),
            *("type dbo.Ids 29-30", "function dbo.Changed 31-33", "function dbo.Stamp 34-35"),
        ],
    ),
    "sqlite": (
        SQLITE,
        [
            *("table notes 2-4", "table notes_fts 5-5", "function notes_ai 6-9", "table v 10-10", "key by a 11-11"),
        ],
    ),
    "oracle": (
        ORACLE,
        [
            *("type point 3-7", "impl point 8-18", "function point.far 9-12", "function point.point 13-16"),
            *("module pay 19-26", "function pay.total 22-23", "function pay.reset 24-24", "module pay 27-51"),
            *("function pay.total 30-40", "function pay.total.inner 31-31", "function pay.reset 43-46"),
            *("function stamp 52-58", "function both 59-66", "function hello 67-71", "table v 72-73"),
        ],
    ),
}


def symbols(source: str) -> list[str]:
    found = outline_of_sql(source.encode())
    described = []
    for one in found.owners():
        symbol, (first, end) = found.symbol(one), found.rows(one)
        described.append(f"{symbol.kind} {symbol.qualified_name} {first + 1}-{end + 1}")
    return described


@pytest.mark.parametrize("dialect", WHOLE)
def test_what_statements_define(dialect: str) -> None:
    source, expected = WHOLE[dialect]
    assert symbols(source) == expected
    assert not outline_of_sql(source.encode()).has_error


BROKEN = {
    "a bracket left open": "CREATE TABLE broken (\n  a int,\n  b int;\n",
    "nothing that ends it": "CREATE TABLE broken (\n  a int\n",
    "unknown syntax": "CREATE GIZMO broken <~> => WITH @@ (\n  $$ a ->> b <~ c\n);\n",
    "an end that is missing": "CREATE TRIGGER broken AFTER INSERT ON t BEGIN\n  SELECT CASE WHEN 1;\n",
    "an end too many": "CREATE TRIGGER broken AFTER INSERT ON t BEGIN\n  SELECT 1;\n  END;\nEND;\n",
    "a text left open": "CREATE TABLE broken (\n  a text DEFAULT 'it\n);\n",
    "a comment left open": "CREATE VIEW broken AS SELECT 1 -- /* 'it's\n;\n",
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("dialect", WHOLE)
def test_what_is_broken_costs_no_neighbour(dialect: str, broken: str) -> None:
    source = WHOLE[dialect][0]
    names = [one.rsplit(" ", 1)[0] for one in WHOLE[dialect][1]]
    behind = "CREATE TABLE last (a text DEFAULT 'x');\nCREATE INDEX last_a ON last (a);\n"
    text = source.rstrip().removesuffix(";") + ";\n" + BROKEN[broken] + ("GO\n" * (dialect == "tsql")) + behind + source
    found = [one.rsplit(" ", 1)[0] for one in symbols(text)]
    assert [one for one in found if "broken" not in one] == [*names, "table last", "key last_a", *names]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CREATE VIEW a AS SELECT 1; CREATE VIEW b AS SELECT 2;", ["table a 1-1", "table b 1-1"]),
        ("CREATE TABLE a (b int)", ["table a 1-1"]),
        ("CREATE TABLE a\n(b int)\nGO\n\nCREATE VIEW c AS\nSELECT 1\nGO\n", ["table a 1-3", "table c 5-7"]),
        ("CREATE TABLE a (b int)\nALTER TABLE a ADD c int\nCREATE INDEX d ON a (b)\n", ["table a 1-1", "key d 3-3"]),
        ("-- CREATE TABLE a (b int);\n/* CREATE TABLE c (b int); */\nSELECT 'CREATE TABLE d (b int);';\n", []),
        ("INSERT INTO a VALUES ('\nit''s\n');\nCREATE TABLE a (b int);\n", ["table a 4-4"]),
        ("SET @sql = N'\nCREATE VIEW b AS SELECT 1';\nGO\nCREATE VIEW a AS SELECT 1\n", ["table a 4-4"]),
        (
            "CREATE TABLE ${schema}.a (b int);\nCREATE TABLE {{ x }}.c (b int);\n",
            ["table ${schema}.a 1-1", "table {{ x }}.c 2-2"],
        ),
        (
            "DO $$ BEGIN CREATE TABLE a (b int); END $$;\nCREATE SCHEMA s;\nCREATE TABLE s.t (b int);\n",
            ["table s.t 3-3"],
        ),
        ("ALTER VIEW a AS SELECT 1;\nALTER VIEW b RENAME TO c;\n", ["table a 1-1"]),
        (
            "SET TERM ^ ;\nCREATE PROCEDURE a AS BEGIN SUSPEND; END^\nSET TERM ; ^\nCREATE TABLE b (c int);\n",
            ["function a 2-2", "table b 4-4"],
        ),
    ],
)
def test_where_statements_end(source: str, expected: list[str]) -> None:
    assert symbols(source) == expected


def test_the_head_of_a_definition() -> None:
    found = outline_of_sql(WHOLE["postgresql"][0].encode())
    by_name = {found.symbol(one).qualified_name: found.symbol(one) for one in found.owners()}
    function, table, view = by_name["app.add_one"], by_name["My Notes"], by_name["sums"]
    assert (function.name, function.doc) == ("add_one", "Adds one.")
    assert function.signature == "CREATE OR REPLACE FUNCTION app.add_one(a int) RETURNS int"
    assert table.signature == 'CREATE UNLOGGED TABLE IF NOT EXISTS "My Notes"'
    assert view.signature == "CREATE MATERIALIZED VIEW sums"
    package = outline_of_sql(ORACLE.encode())
    member = next(symbol for one in package.owners() if (symbol := package.symbol(one)).name == "total")
    assert (member.signature, member.doc) == ("FUNCTION total(p NUMBER) RETURN NUMBER", "The sum.")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("RETURN a + b", "RETURN a - b", ("modified_function", "app.add_one")),
        ("it's easy; really", "it's hard", ("documentation", "app.add_one")),
        ("  RETURN a", "    RETURN a", ("formatting", "app.add_one")),
        ("(a int) RETURNS", "(a bigint) RETURNS", ("signature_change", "app.add_one")),
        ("'it''s; fine'", "'well'", ("modified_type", "mood")),
        ("b int);", "b bigint);", ("modified_table", "My Notes")),
        ("OWNER TO app", "OWNER TO web", ("modified_module", None)),
    ],
)
def test_kinds_of_change(
    make_repo: Callable[[str], Repo], old: str, new: str, expected: tuple[str, str | None]
) -> None:
    repo = make_repo("sql")
    repo.commit("base", {"a.sql": POSTGRESQL})
    repo.commit("edit", {"a.sql": POSTGRESQL.replace(old, new, 1)})
    assert_sound(repo)
    (chunk,) = last(repo).values()
    assert (chunk.change_type, chunk.qualified_name) == expected


def test_a_long_migration_is_cut_between_statements(make_repo: Callable[[str], Repo]) -> None:
    statements = [f"ALTER TABLE t{number}\n  ADD COLUMN a int,\n  ADD COLUMN b int;\n" for number in range(90)]
    repo = make_repo("migration")
    repo.commit("base", {"a.md": "# A\n"})
    repo.commit("migrate", {"1.sql": "".join(statements)})
    assert_sound(repo)
    chunks = chunks_of(repo, max_code_bytes=1000)[0][-1][1]
    assert len(chunks) > 3
    assert "".join(one.new_code for one in chunks) == "".join(statements)
    assert all(one.new_code.startswith("ALTER TABLE") for one in chunks)


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "CREATE ",
                    "TABLE ",
                    "FUNCTION f",
                    "PACKAGE BODY p ",
                    "TRIGGER t ",
                    " AS ",
                    " IS\n",
                    "BEGIN ",
                    "END",
                    ";",
                    "\n",
                ),
                *(
                    "'",
                    '"',
                    "$$",
                    "$a$",
                    "`",
                    "[",
                    "(",
                    ")",
                    "--",
                    "/*",
                    "*/",
                    "\nGO\n",
                    "\n/\n",
                    "\nDELIMITER //\n",
                    "//",
                    "\r",
                ),
                *("PROCEDURE q ", "CASE ", "DECLARE ", "é", "\\", "ALTER ", "VIEW v "),
            ]
        ),
        max_size=40,
    )
)
def test_any_text_has_an_outline(parts: list[str]) -> None:
    found = outline_of_sql("".join(parts).encode())
    for one in found.owners():
        first, end = found.rows(one)
        assert 0 <= first <= end < len(found)
        assert found.parent(one) is None or found.rows(found.parent(one))[0] <= first  # type: ignore[arg-type]
    rows = [row for one in found.owners() for start, end in found.own_runs(one) for row in range(start, end + 1)]
    assert len(rows) == len(set(rows))
