; Symbols of Kotlin. The grammar calls interfaces and enums classes too.
(class_declaration name: (identifier) @name (class_body)? @body) @class
(class_declaration "interface" @_special name: (identifier) @name (class_body)? @body) @interface
((class_declaration (modifiers (class_modifier) @_special) name: (identifier) @name (enum_class_body)? @body) @enum (#eq? @_special "enum"))
(object_declaration name: (identifier) @name (class_body)? @body) @class
(function_declaration name: (identifier) @name (function_body)? @body) @function
(secondary_constructor "constructor" @name (block)? @body) @function
(property_declaration (variable_declaration (identifier) @name) (getter) @body) @function
((property_declaration (modifiers (property_modifier) @_modifier) (variable_declaration (identifier) @name)) @constant (#eq? @_modifier "const"))
(type_alias type: (identifier) @name) @type
(line_comment) @comment
(block_comment) @comment
