; Symbols of Python. Methods are functions whose scope is a class.
(function_definition name: (identifier) @name body: (_) @body) @function
(class_definition name: (identifier) @name body: (_) @body) @class
(function_definition body: (block . (expression_statement . (string) @doc .)))
(class_definition body: (block . (expression_statement . (string) @doc .)))
(comment) @comment
; A docstring counts as a comment.
(function_definition body: (block . (expression_statement . (string) @comment .)))
(class_definition body: (block . (expression_statement . (string) @comment .)))
(module . (comment)* . (expression_statement . (string) @comment .))
