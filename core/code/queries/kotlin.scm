; Symbols of Kotlin.
(class_declaration name: (identifier) @name (class_body)? @body) @class
(object_declaration name: (identifier) @name (class_body)? @body) @class
(function_declaration name: (identifier) @name (function_body)? @body) @function
(type_alias type: (identifier) @name) @type
(line_comment) @comment
(block_comment) @comment
