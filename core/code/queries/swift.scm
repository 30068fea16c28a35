; Symbols of Swift. The grammar calls structs, enums, actors and extensions classes too, and a return type a name.
(class_declaration declaration_kind: ["class" "actor"] name: (_) @name body: (_) @body) @class
(class_declaration declaration_kind: "struct" name: (_) @name body: (_) @body) @struct
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @enum
(class_declaration declaration_kind: "extension" name: (_) @name body: (_) @body) @impl
(protocol_declaration name: (_) @name body: (_) @body) @interface
(function_declaration "func" . _ @name body: (_) @body) @function
(protocol_function_declaration "func" . _ @name) @function
(init_declaration "init" @name body: (_)? @body) @function
(deinit_declaration "deinit" @name body: (_) @body) @function
(subscript_declaration "subscript" @name (computed_property) @body) @function
(property_declaration name: (pattern bound_identifier: (simple_identifier) @name) computed_value: (_) @body) @function
(macro_declaration "macro" . (simple_identifier) @name) @macro
(typealias_declaration name: (type_identifier) @name) @type
(comment) @comment
(multiline_comment) @comment
