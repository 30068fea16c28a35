; Symbols of C. A prototype in a header is a function too.
(function_definition declarator: (function_declarator declarator: (identifier) @name) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) body: (_) @body) @function
(declaration declarator: (function_declarator declarator: (identifier) @name)) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @function
(declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))) @function
; A name in brackets, so that it is no macro: int (min)(int a);
(function_definition declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name) @_special) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name) @_special)) body: (_) @body) @function
(declaration declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name))) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name)))) @function
(struct_specifier name: (type_identifier) @name body: (_) @body) @struct
(union_specifier name: (type_identifier) @name body: (_) @body) @struct
(enum_specifier name: (type_identifier) @name body: (_) @body) @enum
(type_definition type: (struct_specifier body: (_) @body) declarator: (type_identifier) @name) @struct
(type_definition type: (union_specifier body: (_) @body) declarator: (type_identifier) @name) @struct
(type_definition type: (enum_specifier body: (_) @body) declarator: (type_identifier) @name) @enum
(type_definition declarator: (type_identifier) @name) @type
(type_definition declarator: (primitive_type) @name) @type
; A type that is a pointer, an array or a function.
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @type
(type_definition declarator: (pointer_declarator declarator: (pointer_declarator declarator: (type_identifier) @name))) @type
(type_definition declarator: (array_declarator declarator: (type_identifier) @name)) @type
(type_definition declarator: (function_declarator declarator: (type_identifier) @name)) @type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator (type_identifier) @name))) @type
(type_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (type_identifier) @name)))) @type
(type_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (type_identifier) @name))) @type
(type_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name))))) @type
(preproc_function_def name: (identifier) @name) @macro
((preproc_def name: (identifier) @name value: (_) @_value) @constant (#not-match? @_value "^//"))
; What a macro defines has the name that the macro is given: TEST(Suite, Name) { … }, DEFINE_X(name) { … }
((function_definition type: (type_identifier) @_special declarator: (parenthesized_declarator (identifier) @name) body: (_) @body) @function (#match? @_special "^([A-Z][A-Z0-9_]{2,}|Test)$"))
((function_definition type: (type_identifier) @_special declarator: (function_declarator declarator: (identifier) @scope parameters: (parameter_list . (parameter_declaration type: (type_identifier) @name !declarator) .)) body: (_) @body) @function (#match? @_special "^((\\w+_)?TEST(_F|_P|_METHOD)?|Test|TestF|PHP_METHOD)$"))
(comment) @comment
; A comment behind a macro is part of its text.
(preproc_arg) @comment.behind
