-- doc
CREATE TABLE foo.bar (
  id int
);
CREATE VIEW v AS SELECT 1;
