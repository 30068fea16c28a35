; Tables of TOML, and keys above the first table.
(document (pair . (_) @name) @key)
(table . (_) @name) @table
(table_array_element . (_) @name) @table
(comment) @comment
