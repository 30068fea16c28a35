; Symbols of C#.
(namespace_declaration name: (_) @name body: (_) @body) @module
(file_scoped_namespace_declaration name: (_) @name) @module
(class_declaration name: (identifier) @name body: (_)? @body) @class
(record_declaration name: (identifier) @name body: (_)? @body) @class
(record_declaration "struct" @_special name: (identifier) @name body: (_)? @body) @struct
(struct_declaration name: (identifier) @name body: (_)? @body) @struct
(interface_declaration name: (identifier) @name body: (_) @body) @interface
(enum_declaration name: (identifier) @name body: (_) @body) @enum
(delegate_declaration name: (identifier) @name) @type
(method_declaration name: (identifier) @name body: (_)? @body) @function
(constructor_declaration name: (identifier) @name body: (_) @body) @function
(destructor_declaration name: (identifier) @name body: (_) @body) @function
(property_declaration name: (identifier) @name accessors: (_)? @body) @function
(local_function_statement name: (identifier) @name body: (_) @body) @function
(comment) @comment
