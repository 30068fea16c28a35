; Top-level keys of JSON.
(document (object (pair key: (string) @name) @key))
(comment) @comment
