; What the map reads of JavaScript.
(call_expression function: (_) @call arguments: (_) @arguments)
(new_expression constructor: (_) @call arguments: (_)? @arguments)
(class_heritage (_) @base)
(method_definition parameters: (_) @parameters)
(function_declaration parameters: (_) @parameters)
(return_statement (_) @returned)
(formal_parameters [(identifier) (object_pattern) (array_pattern)] @bind)
(variable_declarator name: (_) @bind value: (_)? @value)
(assignment_expression left: [(member_expression) (identifier)] @bind right: (_) @value)
(for_in_statement left: (_) @bind right: (_) @item)
(import_statement) @import
(export_statement source: (_)) @import
