; Symbols of JavaScript. Calls of describe, it and test count as functions, since that is how tests are written.
(function_declaration name: (identifier) @name body: (_) @body) @function
(generator_function_declaration name: (identifier) @name body: (_) @body) @function
(class_declaration name: (identifier) @name body: (_) @body) @class
(method_definition name: (_) @name body: (_) @body) @function
(field_definition property: (_) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)]) @function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @class
(assignment_expression left: [(member_expression property: (_) @name) (subscript_expression index: (string) @name) (identifier) @name] right: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)]) @function
(assignment_expression left: [(member_expression property: (_) @name) (subscript_expression index: (string) @name) (identifier) @name] right: (class body: (_) @body)) @class
(pair key: (_) @name value: [(arrow_function body: (statement_block) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)]) @function
; One without statements is a value: in a function, a part of that.
((pair key: (_) @name value: (arrow_function body: (_) @body @_local)) @function (#not-match? @_local "^\\{"))
((call_expression function: [(identifier) @_call (member_expression object: (identifier) @_call) (call_expression function: (member_expression object: (identifier) @_call))]
  arguments: (arguments . [(string) (template_string)] @name [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @function
  (#match? @_call "^(describe|it|test|suite)$"))
(variable_declarator name: (identifier) @name value: [(object) (array) (string) (number) (template_string) (new_expression)]) @constant
; What a call makes of a function: a component as in memo(function …), a store, a handler.
((variable_declarator name: (identifier) @name value: (call_expression arguments: (arguments [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))) @function (#match? @name "^[A-Z]+[a-z]"))
((variable_declarator name: (identifier) @name value: (call_expression arguments: (arguments (call_expression arguments: (arguments [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))))) @function (#match? @name "^[A-Z]+[a-z]"))
((variable_declarator name: (identifier) @name value: (call_expression arguments: (arguments . (identifier) @_wrapped . ))) @function (#match? @name "^[A-Z]+[a-z]") (#match? @_wrapped "^[A-Z]+[a-z]"))
(variable_declarator name: (identifier) @name value: (call_expression arguments: (arguments [(arrow_function) (function_expression) (object)]))) @constant
(variable_declarator name: (identifier) @name value: (call_expression arguments: (template_string))) @constant
(export_statement "default" @name value: (arrow_function body: (_) @body)) @function
(export_statement "default" @name value: (function_expression !name body: (_) @body)) @function
(export_statement "default" @name value: (class !name body: (_) @body)) @class
; One with a name of its own, wherever it stands; `module.exports` says less than that name.
(function_expression name: (identifier) @name body: (_) @body) @function
(generator_function name: (identifier) @name body: (_) @body) @function
(class name: (identifier) @name body: (_) @body) @class
((assignment_expression left: (member_expression property: (property_identifier) @_special) right: [(function_expression name: (identifier) @name body: (_) @body) (generator_function name: (identifier) @name body: (_) @body)]) @function (#eq? @_special "exports"))
((assignment_expression left: (member_expression property: (property_identifier) @_special) right: (class name: (identifier) @name body: (_) @body)) @class (#eq? @_special "exports"))
(comment) @comment
