; Symbols of shell scripts.
(function_definition name: (word) @name body: (_) @body) @function
(comment) @comment
