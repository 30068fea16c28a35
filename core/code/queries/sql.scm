; Symbols of SQL: what a statement creates.
(create_table (object_reference) @name) @table
(create_view (object_reference) @name) @table
(create_materialized_view (object_reference) @name) @table
(create_function (object_reference) @name (function_body) @body) @function
(create_trigger (keyword_trigger) (object_reference) @name) @function
(create_index column: (identifier) @name) @key
(create_type (object_reference) @name) @type
(comment) @comment
(marginalia) @comment
