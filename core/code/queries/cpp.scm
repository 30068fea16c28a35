; Symbols of C++. A definition outside its class has its name with the class's.
(function_definition declarator: (function_declarator declarator: (_) @name) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name)) body: (_) @body) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name)) body: (_) @body) @function
; What a constructor begins its members with is no part of its signature.
(function_definition declarator: (function_declarator declarator: (_) @name) (field_initializer_list) @body body: (_)) @function
(function_definition declarator: (function_declarator declarator: (_) @name) [(default_method_clause) (delete_method_clause)]) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name)) [(default_method_clause) (delete_method_clause)]) @function
((declaration declarator: (init_declarator declarator: [(function_declarator declarator: (_) @name) (reference_declarator (function_declarator declarator: (_) @name))] value: [(identifier) (delete_expression)] @_value)) @function (#match? @_value "^(default|delete)$"))
; A conversion: operator bool() const.
((function_definition declarator: [(operator_cast) (qualified_identifier)] @name [(compound_statement) @body (default_method_clause) (delete_method_clause)]) @function (#match? @name "\\boperator\\b"))
(declaration declarator: (operator_cast) @name) @function
(declaration declarator: (function_declarator declarator: [(identifier) (destructor_name) (operator_name) (qualified_identifier)] @name)) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: [(identifier) (operator_name) (qualified_identifier)] @name))) @function
(declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: [(identifier) (operator_name)] @name)))) @function
(declaration declarator: (reference_declarator (function_declarator declarator: [(identifier) (operator_name) (qualified_identifier)] @name))) @function
(field_declaration declarator: (function_declarator declarator: [(field_identifier) (operator_name) (destructor_name)] @name)) @function
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name))) @function
(field_declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name)))) @function
(field_declaration declarator: (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))) @function
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) body: (_) @body) @function
; A name in brackets, so that it is no macro: int (min)(int a);
(function_definition declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name) @_special) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name) @_special)) body: (_) @body) @function
(declaration declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name))) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (parenthesized_declarator (identifier) @name)))) @function
(function_definition declarator: (function_declarator declarator: (function_declarator parameters: (parameter_list . (parameter_declaration type: (type_identifier) @name !declarator) .)) @_special) body: (_) @body) @function
(class_specifier name: (_) @name body: (_) @body) @class
(struct_specifier name: (_) @name body: (_) @body) @struct
(union_specifier name: (_) @name body: (_) @body) @struct
(enum_specifier name: (_) @name body: (_) @body) @enum
(namespace_definition name: (_) @name body: (_) @body) @module
(alias_declaration name: (type_identifier) @name) @type
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
(concept_definition name: (identifier) @name) @type
(preproc_function_def name: (identifier) @name) @macro
((preproc_def name: (identifier) @name value: (_) @_value) @constant (#not-match? @_value "^//"))
; What a macro defines has the name that the macro is given: TEST(Suite, Name) { … }, DEFINE_X(name) { … }
((function_definition !type declarator: (function_declarator declarator: (identifier) @_special parameters: (parameter_list . (parameter_declaration type: (type_identifier) @name !declarator) .)) body: (_) @body) @function (#match? @_special "^[A-Z][A-Z0-9_]{2,}$"))
((function_definition !type declarator: (function_declarator declarator: (identifier) @_special parameters: (parameter_list . (parameter_declaration type: (type_identifier) @scope !declarator) . (parameter_declaration type: (type_identifier) @name !declarator) .)) body: (_) @body) @function (#match? @_special "^([A-Z][A-Z0-9_]{2,}|Test|TestF)$") (#not-match? @_special "_FIXTURE_"))
((function_definition !type declarator: (function_declarator declarator: (identifier) @_special parameters: (parameter_list . (parameter_declaration type: (type_identifier) @name !declarator))) body: (_) @body) @function (#match? @_special "^[A-Z0-9_]+_FIXTURE_[A-Z_]+$"))
((function_definition type: (type_identifier) @_special declarator: (function_declarator declarator: (identifier) @scope parameters: (parameter_list . (parameter_declaration type: (type_identifier) @name !declarator) .)) body: (_) @body) @function (#match? @_special "^((\\w+_)?TEST(_F|_P|_METHOD)?|Test|TestF|PHP_METHOD)$"))
(comment) @comment
; A comment behind a macro is part of its text.
(preproc_arg) @comment.behind
