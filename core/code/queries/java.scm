; Symbols of Java.
(class_declaration name: (identifier) @name body: (_) @body) @class
(record_declaration name: (identifier) @name body: (_) @body) @class
(interface_declaration name: (identifier) @name body: (_) @body) @interface
(annotation_type_declaration name: (identifier) @name body: (_) @body) @interface
(enum_declaration name: (identifier) @name body: (_) @body) @enum
(method_declaration name: (identifier) @name body: (_)? @body) @function
(constructor_declaration name: (identifier) @name body: (_) @body) @function
(compact_constructor_declaration name: (identifier) @name body: (_) @body) @function
(annotation_type_element_declaration name: (identifier) @name) @function
(line_comment) @comment
(block_comment) @comment
