; Symbols of Swift. The grammar calls structs, enums, actors and extensions classes too.
(class_declaration name: (_) @name body: (_) @body) @class
(protocol_declaration name: (_) @name body: (_) @body) @interface
(function_declaration name: (_) @name body: (_) @body) @function
(protocol_function_declaration name: (_) @name) @function
(init_declaration "init" @name body: (_)? @body) @function
(typealias_declaration name: (type_identifier) @name) @type
(comment) @comment
(multiline_comment) @comment
