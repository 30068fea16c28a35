; Symbols of C++. A definition outside its class has its name with the class's.
(function_definition declarator: (function_declarator declarator: (_) @name) body: (_) @body) @function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name)) body: (_) @body) @function
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name)) body: (_) @body) @function
(function_definition declarator: (function_declarator declarator: (_) @name) [(default_method_clause) (delete_method_clause)]) @function
; A test by googletest: TEST(Suite, Name) { … }
((function_definition declarator: (function_declarator declarator: (identifier) @_macro parameters: (parameter_list . (parameter_declaration type: (_) @scope) . (parameter_declaration type: (_) @name) .)) body: (_) @body) @function (#match? @_macro "^(TYPED_)?TEST(_F|_P)?$"))
(declaration declarator: (function_declarator declarator: [(identifier) (destructor_name) (operator_name) (qualified_identifier)] @name)) @function
(field_declaration declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name)) @function
(class_specifier name: (_) @name body: (_) @body) @class
(struct_specifier name: (_) @name body: (_) @body) @struct
(union_specifier name: (_) @name body: (_) @body) @struct
(enum_specifier name: (_) @name body: (_) @body) @enum
(namespace_definition name: (_) @name body: (_) @body) @module
(alias_declaration name: (type_identifier) @name) @type
(type_definition declarator: (type_identifier) @name) @type
(concept_definition name: (identifier) @name) @type
(preproc_function_def name: (identifier) @name) @macro
(preproc_def name: (identifier) @name value: (_)) @constant
(comment) @comment
