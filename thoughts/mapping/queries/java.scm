; What the map reads of Java.
(method_invocation arguments: (_) @arguments) @call
(object_creation_expression type: (_) @call arguments: (_) @arguments)
(superclass (_) @base)
(super_interfaces (type_list (_) @base))
(extends_interfaces (type_list (_) @base))
(method_declaration type: (_) @returns parameters: (_) @parameters)
(constructor_declaration parameters: (_) @parameters)
(formal_parameter type: (_) @type name: (identifier) @bind)
(local_variable_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @bind value: (_)? @value))
(field_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @field))
(enhanced_for_statement type: (_) @type name: (identifier) @bind value: (_) @item)
(import_declaration) @import
