; Symbols of PHP.
(namespace_definition name: (_) @name body: (_)? @body) @module
(class_declaration name: (name) @name body: (_) @body) @class
(interface_declaration name: (name) @name body: (_) @body) @interface
(trait_declaration name: (name) @name body: (_) @body) @trait
(enum_declaration name: (name) @name body: (_) @body) @enum
(method_declaration name: (name) @name body: (_)? @body) @function
(function_definition name: (name) @name body: (_) @body) @function
(comment) @comment
